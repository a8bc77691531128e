"""Loops: their bodies simplified, and what need not be inside moved out.

`tidy` looks at all loops of a graph at once: those that walk the same way are made one, carries and
results that nobody reads are dropped, and what is the same in every step is computed before the
first. `simplify` alternates it with the rules until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finetti.ir import Node, rebuild, topological
from finetti.ir.body import Body, guarded, make_slot
from finetti.ir.node import make
from finetti.ir.ops.control import body_of, parts_of, piece, scan_op
from finetti.ir.ops.leaf import const
from finetti.ir.types import TensorType, map_sizes
from finetti.passes.simplify import core, fission, recurrences, totals
from finetti.passes.simplify.core import build, constant, rules, stretch

_ROUNDS = 6


def simplify(outputs: Iterable[Node], last: bool = False) -> list[Node]:
    """Rebuild a graph by the rules, arguments first.

    Parameters
    ----------
    outputs : iterable of Node
        What is wanted.
    last : bool
        Whether no derivatives of the result will be taken: then more can leave the loops.
    """
    outputs = core.simplify(tidy(list(outputs), last))
    for _ in range(_ROUNDS):
        tidied = tidy(outputs, last)
        if tidied == outputs:
            break
        outputs = core.simplify(tidied)
    return outputs


@rules("scan")
def _scan(*rest: Any) -> Node | None:
    *args, body, length, reverse, sizes = rest
    node = make(scan_op, tuple(args), (body, length, reverse, sizes))
    shaped = body_of(node)
    simple = shaped.rewritten("simplify", simplify)
    if simple is body and not sizes:
        return None
    return make(scan_op, tuple(args), (simple, int(length), reverse, ()))


# -- which parts are read ------------------------------------------------------------------------


def tidy(outputs: Sequence[Node], last: bool = False) -> list[Node]:
    """Move out of the loops of a graph whatever need not be in them; see `simplify`."""
    nodes = topological(outputs)
    scans = [node for node in nodes if node.op is scan_op]
    if not scans:
        return list(outputs)
    reads = _reads(nodes, outputs)
    groups: dict[object, list[Node]] = {}
    for node in scans:
        if node in reads:
            groups.setdefault(_way(node), []).append(node)
    new: dict[Node, Node] = {}
    loops: dict[Node, _Loop] = {}
    for node in nodes:
        args = tuple(new[arg] for arg in node.args)
        if node in loops or node.op is scan_op and node in reads:
            if node not in loops:
                alike = groups[_way(node)]
                found = [part for other in alike for part in reads[other]]
                loop = _Loop(node, args, found, last)
                loops.update(dict.fromkeys(alike, loop))
            new[node] = node  # only its pieces are asked for
        elif node.op is piece and node.args[0] in loops:
            new[node] = loops[node.args[0]].part(_read(node))
        else:
            new[node] = node if args == node.args else make(node.op, args, node.attrs)
    return [new[node] for node in outputs]


@dataclass(frozen=True)
class _Read:
    """A part of a scan's value: the last of a carry, or what a node of the body is in each step."""

    last: int | None
    node: Node
    kind: TensorType


def _reads(nodes: Sequence[Node], outputs: Sequence[Node]) -> dict[Node, list[_Read]]:
    """What is read of each scan that is only read through pieces."""
    reads: dict[Node, list[_Read]] = {node: [] for node in nodes if node.op is scan_op}
    whole = {node for node in outputs if node.op is scan_op}
    for node in nodes:
        for arg in node.args:
            if arg.op is scan_op:
                read = _read(node) if node.op is piece else None
                if read is None:
                    whole.add(arg)
                else:
                    reads[arg].append(read)
    return {node: found for node, found in reads.items() if node not in whole}


def _read(node: Node) -> _Read | None:
    """The part that a piece takes."""
    place = place_of(node)
    if place is None:
        return None
    body = body_of(node.args[0])
    _, shape, dtype = map_sizes(node.attrs, int)
    return _Read(
        place if place < body.carries else None, body.outputs[place], TensorType(dtype, shape)
    )


def place_of(node: Node) -> int | None:
    """Which of the outputs of a loop a piece is, if it is a whole one.

    Parameters
    ----------
    node : Node
        A `piece` of a scan.
    """
    scan = node.args[0]
    start, shape, dtype = map_sizes(node.attrs, int)
    for k, (at, kind) in enumerate(parts_of(body_of(scan), int(scan.attrs[1]))):
        if (at, kind) == (start, TensorType(dtype, shape)):
            return k
    return None


def _way(node: Node) -> object:
    """Equal for loops whose carries go the same way."""
    body = body_of(node)
    carried = (body.inputs, body.outputs[: body.carries])
    return node.args, carried, int(node.attrs[1]), node.attrs[2]


# -- one loop ------------------------------------------------------------------------------------


@dataclass
class _Input:
    """A slot and what it stands for outside."""

    slot: Node
    arg: Node


@dataclass
class _Carry(_Input):
    out: Node = field(kw_only=True)


class _Loop:
    """Loops that walk the same way, made one that computes what is read and no more.

    Parameters
    ----------
    node : Node
        The first of them.
    args : tuple of Node
        Its arguments in the new graph.
    reads : list of _Read
        What is read of any of them.
    last : bool
        As for `simplify`.
    """

    def __init__(self, node: Node, args: tuple[Node, ...], reads: list[_Read], last: bool):
        body = body_of(node)
        self.length, self.reverse = int(node.attrs[1]), node.attrs[2]
        first, second = body.carries, body.carries + body.sequences
        pairs = list(zip(body.inputs, args, strict=True))
        self.carries = [
            _Carry(own, arg, out=out)
            for (own, arg), out in zip(pairs[:first], body.outputs, strict=False)
        ]
        self.sequences = [_Input(own, arg) for own, arg in pairs[first:second]]
        self.fixed = [_Input(own, arg) for own, arg in pairs[second:]]
        self.lasts = [carry.slot for carry in self.carries]
        self.kept = {read.node: read.node for read in reads if read.last is None}
        self.wanted = {self.lasts[read.last] for read in reads if read.last is not None}
        self.ends: dict[Node, Node] = {}  # by the slot of the carry
        self.sums: list[totals.Total] = []
        self.roots: dict[Node, Node] = {}  # the slot of a square -> that of the root
        self._inline_constants()
        self._settle_carries()
        self._number()
        self._square()
        self._hoist(last)
        self._drop_dead()
        self.results: dict[Node, Node] = {}  # by the node of the body that all steps keep
        self.outside: dict[Node, Node] = {}
        self.extra: dict[Node, None] = {}
        if self.length >= fission.FEWEST:
            self._split(last)
        self.parts: dict[Node, Node] = {}  # by the node of the body as it was
        self._build()

    def part(self, read: _Read | None) -> Node:
        """The node that takes the place of a piece."""
        assert read is not None
        if read.last is not None:
            return self.ends[self.lasts[read.last]]
        return self.parts[read.node]

    # -- rewriting the body

    def _roots(self) -> list[Node]:
        return [*(carry.out for carry in self.carries), *self.kept.values()]

    def _replace(self, replaced: dict[Node, Node]) -> None:
        """Substitute nodes of the body."""
        if replaced:
            new = iter(rebuild(self._roots(), replaced))
            for carry in self.carries:
                carry.out = next(new)
            self.kept = {read: next(new) for read in self.kept}

    def _inline_constants(self) -> None:
        """Constants, and sequences of equal elements, which are no sequences."""
        moving, self.sequences = self.sequences, []
        for entry in moving:
            element = _every(entry.arg)
            if element is None:
                self.sequences.append(entry)
            else:
                self.fixed.append(_Input(entry.slot, element))
        replaced: dict[Node, Node] = {}
        for entries in (self.sequences, self.fixed):
            seen: dict[Node, Node] = {}
            for entry in list(entries):
                if entries is self.fixed and entry.arg.op is const:
                    replaced[entry.slot] = entry.arg
                elif entry.arg in seen:
                    replaced[entry.slot] = seen[entry.arg]
                else:
                    seen[entry.arg] = entry.slot
                    continue
                entries.remove(entry)
        self._replace(replaced)

    def _settle_carries(self) -> None:
        """A carry that every step hands on as it is does not change."""
        for carry in list(self.carries):
            if carry.out is carry.slot:
                self.carries.remove(carry)
                self.fixed.append(_Input(carry.slot, carry.arg))

    def _number(self) -> None:
        """A carry that counts is a sequence of numbers that are known."""
        for carry in list(self.carries):
            found = recurrences.counted(carry.slot, carry.arg, carry.out, self.length)
            if found is not None:
                values, self.ends[carry.slot] = found
                if self.reverse:  # what belongs to the first step lies last
                    values = build("index", values, attrs=((("slice", None, None, -1),),))
                self.carries.remove(carry)
                self.sequences.append(_Input(carry.slot, values))

    def _square(self) -> None:
        """Carry the square of a root that every step squares."""
        for i, carry in enumerate(self.carries):
            outside = {entry.slot: entry.arg for entry in (*self.sequences, *self.fixed)}
            found = recurrences.unrooted(carry.slot, carry.arg, carry.out, self._roots(), outside)
            if found is None:
                continue
            slot, replaced = found
            self.roots[slot] = carry.slot
            square = build("multiply", carry.arg, carry.arg)
            self.carries[i] = _Carry(slot, square, out=carry.out.args[0])
            if carry.slot in self.wanted:
                self.wanted.remove(carry.slot)
                self.wanted.add(slot)
            self._replace(replaced)

    def _hoist(self, last: bool) -> None:
        """Compute before the loop what does not change in it."""
        moving = {entry.slot for entry in (*self.carries, *self.sequences)}
        known = {entry.slot: entry.arg for entry in self.fixed}
        steady: set[Node] = set()
        users: dict[Node, bool] = {}
        roots = self._roots()
        nodes = topological(roots)
        for node in nodes:
            if any(arg in moving for arg in node.args):
                moving.add(node)
            elif node.args:
                steady.add(node)
        kept = set() if last else set(guarded(node for node in nodes if node in moving))
        steady -= kept
        for node in nodes:
            if node in moving or node in kept:
                users.update((arg, True) for arg in node.args if arg in steady)
        users.update((root, True) for root in roots if root in steady)
        outside = rebuild(users, known)
        replaced: dict[Node, Node] = {}
        for i, (node, arg) in enumerate(zip(users, outside, strict=True)):
            own = make_slot(("hoisted", i), node.type, False)
            replaced[node] = arg if arg.op is const else own
            if arg.op is not const:
                self.fixed.append(_Input(own, arg))
        self._replace(replaced)

    def _drop_dead(self) -> None:
        """Keep the carries that something kept depends on, and the inputs that are used."""
        by_slot = {carry.slot: carry for carry in self.carries}
        live = {own for own in self.wanted if own in by_slot}
        grown = True
        while grown:
            roots = [*(by_slot[own].out for own in live), *self.kept.values()]
            needed = set(topological(roots))
            grown = bool({own for own in by_slot if own in needed} - live)
            live |= {own for own in by_slot if own in needed}
        self.carries = [carry for carry in self.carries if carry.slot in live]
        needed = set(topological(self._roots()))
        self.sequences = [entry for entry in self.sequences if entry.slot in needed]
        self.settled = {entry.slot: entry.arg for entry in self.fixed}
        self.fixed = [entry for entry in self.fixed if entry.slot in needed]

    def _split(self, last: bool) -> None:
        """Take functions out of the steps."""
        if last:  # earlier, derivatives would lose sight of the choices that guard a function
            moving = {entry.slot: entry.arg for entry in self.sequences}
            replaced = {}
            for i, node in enumerate(fission.before(self._roots(), set(moving), set(self.settled))):
                own = make_slot(("before", i), node.type, False)
                arg = fission.at_once(node, moving, self.settled, self.length)
                self.sequences.append(_Input(own, arg))
                replaced[node] = own
            self._replace(replaced)
        self._read_ahead()
        self._take_sums()
        essential = {carry.slot for carry in self.carries}
        essential.update(topological([carry.out for carry in self.carries]))
        slots = {entry.slot for entry in self.sequences} | set(self.settled)
        for read, node in list(self.kept.items()):
            edge = fission.after(node, essential, slots)
            if edge is not None:
                self.outside[read] = self.kept.pop(read)
                self.extra.update(dict.fromkeys(edge))

    def _read_ahead(self) -> None:
        """Read before the loop what lies at positions that no carry decides."""
        moving = {entry.slot: entry.arg for entry in self.sequences}
        replaced = {}
        reads = totals.reads_ahead(self._roots(), set(moving), set(self.settled), self.length)
        for i, node in enumerate(reads):
            own = make_slot(("read", i), node.type, False)
            arg = totals.read_at_once(node, moving, self.settled, self.length)
            self.sequences.append(_Input(own, arg))
            replaced[node] = own
        self._replace(replaced)

    def _take_sums(self) -> None:
        """Keep what steps add to carries that nothing else asks for, to be added up afterwards."""
        found = totals.totals([(c.slot, c.out) for c in self.carries], self.kept.values())
        if not found:
            return
        summed = {total.slot for total in found}
        others = [carry for carry in self.carries if carry.slot not in summed]
        waiting = {carry.slot for carry in self.carries}
        essential = set(topological([*(c.out for c in others), *self.kept.values()]))
        for node in topological(self._roots()):
            if any(arg in waiting for arg in node.args):
                waiting.add(node)
        slots = {entry.slot for entry in self.sequences} | set(self.settled)
        essential = (essential & waiting) | {carry.slot for carry in others}
        self.sums, edges = totals.chosen(found, essential, slots)
        taken = {total.slot for total in self.sums}
        self.extra.update(dict.fromkeys(edges))
        self.starts = {carry.slot: carry.arg for carry in self.carries}
        self.carries = [carry for carry in self.carries if carry.slot not in taken]

    # -- the new node

    def _build(self) -> None:
        moving = {entry.slot: entry.arg for entry in self.sequences}
        kept: dict[Node, None] = {}
        for read, node in self.kept.items():
            shape = (self.length, *node.shape)
            if node in moving:
                self.parts[read] = moving[node]
            elif node in self.settled:
                self.parts[read] = stretch(self.settled[node], shape)
            elif node.op is const:
                self.parts[read] = stretch(node, shape)
            else:
                kept[node] = None
        kept.update(self.extra)
        for own in self.wanted & self.settled.keys():
            self.ends[own] = self.settled[own]
        if self.length <= 1:
            self._written_out(list(kept))
        elif self.carries or kept:
            self._looped(list(kept))
        moving.update(self.results)
        for total in self.sums:
            added = totals.summed(total, moving, self.settled, self.length)
            self.ends[total.slot] = build("add", self.starts[total.slot], added)
        for square, own in self.roots.items():
            if square in self.ends:
                self.ends[own] = build("sqrt", self.ends[square])
        for read, node in self.outside.items():
            self.parts[read] = fission.at_once(node, moving, self.settled, self.length)

    def _written_out(self, kept: list[Node]) -> None:
        """No step, or a single one."""
        results: dict[Node, Node] = {}
        inputs = {entry.slot: entry.arg for entry in (*self.carries, *self.fixed)}
        if self.length:
            for entry in self.sequences:
                inputs[entry.slot] = build("index", entry.arg, attrs=((0,),))
            roots = [*(carry.out for carry in self.carries), *kept]
            values = rebuild(roots, inputs)
            results = dict(zip(kept, values[len(self.carries) :], strict=True))
            inputs.update(zip((c.slot for c in self.carries), values, strict=False))
        for carry in self.carries:
            self.ends[carry.slot] = inputs[carry.slot]
        for read, node in self.kept.items():
            if node in kept:
                shape = (self.length, *node.shape)
                empty = constant(np.zeros(shape, node.type.dtype))
                own = results.get(node)
                self.parts[read] = empty if own is None else build("reshape", own, attrs=(shape,))

    def _looped(self, kept: list[Node]) -> None:
        entries = [*self.carries, *self.sequences, *self.fixed]
        slots = tuple(make_slot(i, entry.slot.type, False) for i, entry in enumerate(entries))
        replaced = {entry.slot: own for entry, own in zip(entries, slots, strict=True)}
        outs = rebuild([*(carry.out for carry in self.carries), *kept], replaced)
        body = Body(slots, tuple(outs), len(self.carries), len(self.sequences))
        args = tuple(entry.arg for entry in entries)
        node = make(scan_op, args, (body, self.length, self.reverse, ()))
        parts = [
            make(piece, (node,), (start, kind.shape, kind.dtype))
            for start, kind in parts_of(body, self.length)
        ]
        for carry, own in zip(self.carries, parts, strict=False):
            self.ends[carry.slot] = own
        results = dict(zip(kept, parts[len(self.carries) :], strict=True))
        for read, inner in self.kept.items():
            if inner in results:
                self.parts[read] = results[inner]
        self.results = results


def _every(sequence: Node) -> Node | None:
    """The element of which a sequence consists."""
    if not sequence.shape[0]:
        return None
    if sequence.op is const:
        rows = sequence.attrs[0].value
        return constant(rows[0]) if (rows == rows[:1]).all() else None
    if sequence.op.name == "broadcast_to":
        inner = sequence.args[0]
        if inner.type.ndim < sequence.type.ndim:
            return stretch(inner, sequence.shape[1:])
        if inner.shape[0] == 1 < sequence.shape[0]:
            return stretch(build("index", inner, attrs=((0,),)), sequence.shape[1:])
    return None


__all__ = ["place_of", "simplify", "tidy"]
