"""A model as plain text."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.ir import Node
from finetti.ir.ops.leaf import constant_value
from finetti.model.variables import dist_of, is_rv


def model_text(model: Any) -> str:
    """One line a variable: its name, its distribution, and what its parameters depend on."""
    names = {var.node: var.name for var in model.root.named_vars.values()}
    lines = []
    for rv in [*model.free_RVs, *model.observed_RVs]:
        dist = dist_of(rv.node)
        params = ", ".join(_short(arg, names) for arg in rv.node.args)
        lines.append((rv.name, f"{dist.name}({params})"))
    for var in model.deterministics:
        lines.append((var.name, f"Deterministic({_short(var.node, names, own=True)})"))
    for var in model.potentials:
        lines.append((var.name, f"Potential({_short(var.node, names, own=True)})"))
    width = max((len(name) for name, _ in lines), default=0)
    return "\n".join(f"{name:>{width}} ~ {text}" for name, text in lines)


def _short(node: Node, names: dict[Node, str], own: bool = False) -> str:
    if node in names and not own:
        return names[node]
    value = constant_value(node)
    if value is not None:
        return _number(value)
    found: dict[str, None] = {}
    stack = list(node.args)
    seen: set[Node] = set()
    while stack:
        part = stack.pop(0)
        if part in seen:
            continue
        seen.add(part)
        if part in names:
            found[names[part]] = None
        elif is_rv(part):
            found[dist_of(part).name] = None
        else:
            stack.extend(part.args)
    return f"f({', '.join(found)})"


def _number(value: np.ndarray) -> str:
    if value.size == 1:
        return f"{value.reshape(()).item():.3g}"
    return "<constant>"
