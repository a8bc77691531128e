"""A graph as text a person can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from finetti.ir.body import bodies
from finetti.ir.node import Node, topological
from finetti.ir.opdef import attrs_of


def show(outputs: Iterable[Node], names: Mapping[Node, str] | None = None) -> str:
    """One line per node: its number, type, operation, arguments and attributes."""
    outputs = list(outputs)
    numbers: dict[Node, int] = {}
    lines = []
    for number, node in enumerate(topological(outputs)):
        numbers[node] = number
        args = " ".join(f"%{numbers[arg]}" for arg in node.args)
        attrs = " ".join(f"{name}={value!r}" for name, value in attrs_of(node).items())
        label = f"  # {names[node]}" if names and node in names else ""
        text = " ".join(part for part in (node.op.name, args, attrs) if part)
        lines.append(f"%{number}: {node.type} = {text}{label}")
        for body in bodies(node):
            inner = show(body.outputs).splitlines()
            lines += [f"    step of %{number}:", *(f"    {line}" for line in inner)]
    lines.append("return " + " ".join(f"%{numbers[node]}" for node in outputs))
    return "\n".join(lines)
