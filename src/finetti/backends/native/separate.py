"""Loops that have nothing in common but their length, taken apart.

What has one length and one stage is computed in one loop, so that arrays are read once. Parts of a
model that share no array gain nothing by that; many of them in one loop crowd the registers, and
take longer to compile the more there are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetti.backends.native.plan import Loop, Plan, Ref, Sink, Store

# So few parts stay together: their operations overlap in time.
TOGETHER = 3


def separate(plan: Plan, loop: Loop) -> list[Loop]:
    """The loops of which a loop consists, or the loop itself where there are few."""
    roots: list[Sink | Store] = [*loop.sinks, *loop.stores]
    if len(roots) <= TOGETHER:
        return [loop]
    parts = list(range(len(roots)))  # each root's forerunner in its part; the first is its own

    def first(i: int) -> int:
        while parts[i] != i:
            parts[i] = i = parts[parts[i]]
        return i

    owner: dict[Hashable, int] = {}
    for i, root in enumerate(roots):
        for key in _touched(plan, root, owner):
            a, b = first(owner.setdefault(key, i)), first(i)
            parts[max(a, b)] = min(a, b)
    members: dict[int, list[int]] = {}
    for i in range(len(roots)):
        members.setdefault(first(i), []).append(i)
    if len(members) <= TOGETHER:
        return [loop]
    sinks = len(loop.sinks)
    return [
        replace(
            loop,
            sinks=[loop.sinks[i] for i in part if i < sinks],
            stores=[loop.stores[i - sinks] for i in part if i >= sinks],
        )
        for part in members.values()
    ]


def _touched(plan: Plan, root: Sink | Store, known: dict[Hashable, int]) -> Iterator[Hashable]:
    """The arrays and tables that a root computes, reads or writes through; known ones end a way."""
    for attribute in ("bins", "positions", "matrix"):
        through = getattr(root, attribute, None)
        if through is not None:
            yield getattr(through, "key", through)
    stack: list[Ref] = [root.value]
    while stack:
        ref = stack.pop()
        node = ref.node
        if node.type.size == 1:
            continue
        seen = node in known
        yield node
        if ref.table is not None:
            yield ref.table.key
        elif not seen and node.op.family == "elementwise":
            stack += plan.operands(node)
