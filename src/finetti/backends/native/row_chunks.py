"""Long loops cut into chunks on which several threads may work.

A loop of much work is emitted as a function of one chunk of its rows. What a chunk sums is left in
memory of its own, and all are added up in the order of the chunks when the last is done. Where the
cuts are depends on the model alone, so the bits are the same however many threads there were.
Elements are written by the chunk to which their row belongs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from finetti.backends.native.accumulating import COMBINE
from finetti.backends.native.builder import Builder
from finetti.backends.native.counting import fold_lanes
from finetti.backends.native.layout import LANES
from finetti.backends.native.loops import LoopBody, is_product, walk
from finetti.backends.native.outline import Outline
from finetti.backends.native.plan import Ref, Sink, Store
from finetti.passes.costs import own_cost

if TYPE_CHECKING:
    from finetti.backends.native.emit import Emitter

# Chunks of a loop: enough to share out evenly, few enough that adding up costs next to nothing.
MOST_CHUNKS = 16
# What a chunk does at least, in additions of one element: some ten microseconds.
LEAST_WORK = 200_000
# Rows for each sum of a group that adding up touches; with fewer it would cost too much.
ROWS_A_SUM = 10


def bounds(e: Emitter, body: LoopBody, sinks: list[Sink], stores: list[Store]) -> list[int]:
    """Where the chunks of a loop begin, and where the last one ends; empty if it stays whole."""
    if any(sink.bins is not None and sink.combine != "add" for sink in sinks):
        return []
    roots = [sink.value for sink in sinks] + [store.value for store in stores]
    count = min(MOST_CHUNKS, body.rows * row_cost(e, roots, sinks) // LEAST_WORK)
    groups = sum(sink.node.type.size for sink in sinks if sink.bins is not None)
    if groups:
        count = min(count, body.rows // (ROWS_A_SUM * groups))
    if count < 2:
        return []
    found = body.bounds(count)
    return found if len(found) > 2 else []


def row_cost(e: Emitter, roots: list[Ref], sinks: list[Sink]) -> int:
    """What a row takes, in additions."""
    cost = sum(2 * sink.node.type.size for sink in sinks if sink.matrix is not None)
    for node in walk(e, roots):
        if is_product(e, node):
            cost += 2 * node.args[1].type.size
        elif node.type.size > 1:
            cost += 1 if node in e.memory else own_cost(node)
    return cost


class Room(NamedTuple):
    """Scratch memory of every chunk: where the first one's begins, and doubles to the next."""

    offset: int
    stride: int


class ChunkFunction(Outline):
    """A function of one chunk; what it takes from its caller is found through ``%context``."""

    def __init__(self, e: Emitter, edges: list[int]):
        super().__init__(e.b)
        self.e = e
        self.chunks = len(edges) - 1
        self.rooms: list[Room] = []
        table = np.array(edges, np.int64)
        offset = e.constant(("chunks", *edges), table)
        at = self.b.element_pointer(self.pointer("%constants", offset), "%chunk", "i64")
        self.begin = self.b.load(at, element="i64")
        self.end = self.b.load(self.b.element_pointer(at, 1, "i64"), element="i64")

    def pointer(self, base: str, offset: int) -> str:
        """An address `offset` bytes behind a pointer of the caller."""
        return self.b.byte_pointer(self.scalar("ptr", base), offset)

    def number(self, number: int) -> str | int:
        """The number itself: this function is called for one loop only."""
        return number

    def room(self, doubles: int) -> str:
        """Memory of the chunk's own, a whole number of cache lines; its place is the last room."""
        stride = -(-doubles // LANES) * LANES
        self.rooms.append(Room(self.e.scratch.take(self.chunks * stride), stride))
        first = self.pointer("%scratch", self.rooms[-1].offset)
        return self.b.element_pointer(first, self.b.iop("mul", "%chunk", stride))

    def run(self) -> None:
        """End the function and have it called for every chunk."""
        b, caller = self.b, self.caller
        b.ret("void")
        context = caller.byte_pointer("%scratch", self.e.scratch.take(len(self._arguments)))
        loads = Builder(parent=caller)
        for i, ((kind, *value), name) in enumerate(self._arguments.items()):
            slot = caller.byte_pointer(context, 8 * i)
            caller.effect(f"store {kind} {value[0]}, ptr {slot}, align 8")
            loads.effect(f"{name}.at = getelementptr i8, ptr %context, i64 {8 * i}")
            loads.effect(f"{name} = load {kind}, ptr {name}.at, align 8")
        b.lines[:0] = loads.lines
        symbol = f"finetti_rows{len(caller.functions)}"
        header = f"define internal void @{symbol}(ptr %context, i64 %chunk) nounwind"
        caller.define(symbol, header, b)
        arguments = [("ptr", f"@{symbol}"), ("ptr", context), ("i64", str(self.chunks))]
        caller.call_effect("finetti_parallel_for", arguments)


def emit_chunks(
    e: Emitter, body: LoopBody, sinks: list[Sink], stores: list[Store], edges: list[int]
) -> None:
    """Emit a loop as a function of a chunk, the call of all chunks, and the sums of what they left.

    Parameters
    ----------
    e : Emitter
        The caller.
    body : LoopBody
        Which has written nothing yet.
    sinks, stores : list
        What the loop computes.
    edges : list of int
        From `bounds`.
    """
    function = ChunkFunction(e, edges)
    body.enter(function, function.begin, function.end)
    arrays: list[tuple[Sink, Room]] = []
    for sink in sinks:
        if sink.bins is not None or sink.matrix is not None:
            lanes = LANES if body.sums_by_lane(sink) else 1
            body.targets[sink.node] = function.room(lanes * sink.node.type.size)
            arrays.append((sink, function.rooms[-1]))
            if sink.bins is not None:
                function.b.clear(body.targets[sink.node], 8 * sink.node.type.size)
    e.walk_rows(body, sinks, stores)
    results = body.results()
    if results:
        target = function.room(len(results))
        for i, (_, value) in enumerate(results):
            function.b.store(value, function.b.element_pointer(target, i))
    function.run()
    for sink, room in arrays:
        _add_up(e, sink, room, function.chunks, body.sums_by_lane(sink))
    for i, (sink, _) in enumerate(results):
        e.keep(sink, _combined(e.b, sink, function.rooms[-1], i, function.chunks))


def _add_up(e: Emitter, sink: Sink, room: Room, chunks: int, by_lane: bool) -> None:
    """The chunks' sums of an array into the array."""
    size, result = sink.node.type.size, e.pointer(sink.node)
    doubles = LANES * size if by_lane else size
    target = e.b.byte_pointer("%scratch", e.scratch.take(doubles)) if by_lane else result
    sizes = [("i64", str(number)) for number in (doubles, chunks, room.stride)]
    partial = e.b.byte_pointer("%scratch", room.offset)
    e.b.call_effect("finetti_add_chunks", [*sizes, ("ptr", partial), ("ptr", target)])
    if by_lane:
        fold_lanes(e.b, target, result, size)


def _combined(b: Builder, sink: Sink, room: Room, i: int, chunks: int) -> str:
    """The chunks' values of a scalar, combined one after another."""
    combine = getattr(b, COMBINE[sink.combine])
    total = ""
    for chunk in range(chunks):
        at = room.offset + 8 * (chunk * room.stride + i)
        value = b.load(b.byte_pointer("%scratch", at))
        total = combine(total, value) if chunk else value
    return total
