"""Carries in another form: counters as sequences, roots as what they are taken of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from finetti.ir import FLOAT, INT, Node, rebuild, topological
from finetti.ir.body import make_slot
from finetti.ir.ops.leaf import const
from finetti.passes import facts
from finetti.passes.simplify.core import build, constant


def counted(slot: Node, start: Node, out: Node, length: int) -> tuple[Node, Node] | None:
    """The values of a carry that counts, step by step and in the end, if it is one.

    Parameters
    ----------
    slot, start, out : Node
        The carry, its first value and the next one.
    length : int
        Number of steps.
    """
    by = [arg for arg in out.args if arg is not slot]
    counts = out.op.name == "add" and len(by) == 1 and by[0].op is const
    if not counts or start.op is not const or out.type.dtype != INT or out.type != slot.type:
        return None
    first, step = start.attrs[0].value, by[0].attrs[0].value
    at = np.arange(length).reshape(-1, *(1,) * slot.type.ndim)
    values = np.broadcast_to(first + step * at, (length, *slot.shape))
    return constant(np.array(values, INT)), constant(np.array(first + length * step, INT))


def unrooted(
    slot: Node, start: Node, out: Node, roots: Sequence[Node], outside: Mapping[Node, Node]
) -> tuple[Node, dict[Node, Node]] | None:
    """A carry of squares for one of square roots that the steps square again.

    Parameters
    ----------
    slot, start, out : Node
        The carry, its first value and the next one.
    roots : sequence of Node
        What the steps compute.
    outside : mapping
        Slots of sequences and of what does not change -> what they stand for.

    Returns
    -------
    (Node, dict) or None
        The slot of the squares, and what takes the place of nodes of the body.
    """
    if out.op.name != "sqrt" or slot.type.dtype != FLOAT or not facts.nonnegative(start):
        return None
    own = make_slot(("square", slot), slot.type, False)
    replaced: dict[Node, Node] = {}
    used: set[Node] = set()
    nodes = topological(roots)
    for node in nodes:
        if node.op.name != "multiply" or slot not in node.args or node.type != slot.type:
            continue
        other = node.args[1] if node.args[0] is slot else node.args[0]
        if other is slot:
            replaced[node] = own
        elif other.op.name == "multiply" and slot in other.args and other.type == slot.type:
            rest = other.args[1] if other.args[0] is slot else other.args[0]
            replaced[node] = own if rest is slot else build("multiply", own, rest)
            used.add(other)
    users = [node for node in nodes if slot in node.args]
    squared = replaced and all(node in replaced or node in used for node in users)
    left = any(arg in used for node in nodes if node not in replaced for arg in node.args)
    if not squared or left or slot in roots or not _stays(slot, out.args[0], outside):
        return None
    return own, replaced


def _stays(slot: Node, inner: Node, outside: Mapping[Node, Node]) -> bool:
    """Whether what a root is taken of is nonnegative as long as the root before was."""
    known = {slot: build("absolute", slot)}
    for own, arg in outside.items():
        if facts.positive(arg):
            known[own] = build("exp", own)
        elif facts.nonnegative(arg):
            known[own] = build("absolute", own)
    (stand_in,) = rebuild([inner], known)
    return facts.nonnegative(stand_in)


__all__ = ["counted", "unrooted"]
