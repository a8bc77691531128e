"""Loops over rows sorted into bins: each bin's value is read once, its sum written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from finetti.backends.native.layout import LANES, Grouped, group_rows
from finetti.backends.native.loops import IDENTITY, VECTOR, LoopBody, straight, walk
from finetti.backends.native.outline import Outline
from finetti.backends.native.plan import Loop, Ref, Sink, Store, Table
from finetti.ir import Node

if TYPE_CHECKING:
    from finetti.backends.native.emit import Emitter


def grouping(e: Emitter, loop: Loop) -> Table | None:
    """The one table of bins that all binned sums of a loop share, if walking by it pays."""
    binned = [sink for sink in loop.sinks if sink.bins is not None]
    if not binned or straight(loop.length) or loop.length < 4 * LANES:
        return None
    if any(sink.matrix is not None for sink in loop.sinks):
        return None
    if any(sink.combine != "add" for sink in loop.sinks):
        return None
    tables = {sink.bins.key for sink in binned if sink.bins is not None}
    if len(tables) > 1 or any(_has_product(e, sink.value) for sink in loop.sinks):
        return None
    return binned[0].bins


def _has_product(e: Emitter, ref: Ref) -> bool:
    return any(node.op.name == "matmul" and e.plan.fused_product(node) for node in walk(e, [ref]))


class GroupedBody(LoopBody):
    """Rows walked bin by bin, eight pieces in step."""

    def __init__(self, e: Emitter, bins: Table, outline: Outline | None = None):
        super().__init__(e, LANES, outline)
        self.bins = bins
        self.layout: Grouped = group_rows(bins.positions)
        self.hoisted: dict[Node, str] = {}

    def _data(self, what: str, array: np.ndarray) -> str:
        offset = self.e.constant(("grouped", what, *self.bins.key), array)
        return self.place("%constants", offset)

    def prepare(self, roots: list[Ref]) -> None:
        super().prepare(roots)
        self.per_bin: list[Node] = []
        seen: set[Node] = set()
        stack = list(roots)
        while stack:
            ref = stack.pop()
            if ref.table is not None:
                if ref.table.key == self.bins.key and ref.node.type.size > 1:
                    self.per_bin.append(ref.node)
            elif ref.node not in seen and ref.node.op.family == "elementwise":
                seen.add(ref.node)
                if ref.node.type.size > 1 and ref.node not in self.e.memory:
                    stack.extend(self.e.plan.operands(ref.node))

    def open(self, sinks: list[Sink]) -> None:
        b = self.b
        before, self.outer_head = b.block, b.fresh_label("slices")
        b.branch(self.outer_head)
        b.label(self.outer_head)
        self.outer = b.open_phi("i64", "0", before)
        # Sums over all rows run on from slice to slice, those of bins begin anew in each.
        starts = [b.const(IDENTITY[sink.combine], LANES) for sink in sinks]
        self.totals = [
            b.open_phi(VECTOR, start, before) if sink.bins is None else None
            for sink, start in zip(sinks, starts, strict=True)
        ]
        first, rows = self._read_slice()
        slice_end, self.inner_head = b.block, b.fresh_label("steps")
        b.branch(self.inner_head)
        b.label(self.inner_head)
        self.inner = b.open_phi("i64", "0", slice_end)
        self.sinks = sinks
        self.running = [
            b.open_phi(VECTOR, start if total is None else total, slice_end)
            for start, total in zip(starts, self.totals, strict=True)
        ]
        b.fuse(True)
        step = b.splat(self.inner, LANES, "i64")
        self.mask = b.icmp("ugt", rows, step, LANES)
        self.slot = b.iop("add", first, b.iop("mul", self.inner, LANES))

    def _read_slice(self) -> tuple[str, str]:
        """The first slot of the slice and the rows in each lane; what depends on the bins."""
        b, layout = self.b, self.layout
        pointers = [
            b.element_pointer(self._data("first", layout.first), self.outer, "i64"),
            b.element_pointer(self._data("steps", layout.steps), self.outer, "i64"),
        ]
        first, self.count = (b.load(pointer, element="i64") for pointer in pointers)
        lane = b.iop("mul", self.outer, LANES)
        bins = b.element_pointer(self._data("bins", layout.bins), lane, "i32")
        self.lane_bins = b.load(bins, LANES, element="i32")
        lengths = b.element_pointer(self._data("lengths", layout.lengths), lane, "i64")
        rows = b.load(lengths, LANES, element="i64")
        for node in self.per_bin:
            if node not in self.hoisted:
                base = self.array(node)
                self.hoisted[node] = self._gather(base, self.lane_bins)
        return first, rows

    def close(self) -> None:
        b = self.b
        following = b.iop("add nuw nsw", self.inner, 1)
        latch, flush, after = b.block, b.fresh_label("flush"), b.fresh_label("exit")
        b.branch_if(b.icmp("ult", following, self.count), self.inner_head, flush)
        b.close_phi(self.inner, following, latch)
        for name, new in zip(self.running, self.new, strict=True):
            b.close_phi(name, new, latch)
        b.label(flush)
        b.fuse(False)
        self._flush()
        next_slice = b.iop("add nuw nsw", self.outer, 1)
        latch = b.block
        more = b.icmp("ult", next_slice, self.varying(self.layout.slices))
        b.branch_if(more, self.outer_head, after)
        b.close_phi(self.outer, next_slice, latch)
        for total, new in zip(self.totals, self.new, strict=True):
            if total is not None:
                b.close_phi(total, new, latch)
        b.label(after)
        for sink, new in zip(self.sinks, self.new, strict=True):
            if sink.bins is None:
                self.sums.append((sink, self._horizontal(sink, new)))

    def _flush(self) -> None:
        """Add the sums of a slice to their bins."""
        b = self.b
        lanes = [b.extract(self.lane_bins, lane, LANES, "i32") for lane in range(LANES)]
        positions: list[str | int] = [b.convert("sext", lane, "i32", "i64") for lane in lanes]
        for sink, new in zip(self.sinks, self.new, strict=True):
            if sink.bins is not None:
                self._scatter(sink, new, positions)

    def _constant(self, key: tuple[object, ...], array: np.ndarray) -> str:
        flat = np.asarray(array, float).ravel()[self.layout.rows]
        offset = self.e.constant((*key, "grouped", *self.bins.key), flat)
        pointer = self.b.element_pointer(self.place("%constants", offset), self.slot)
        return self.b.load(pointer, LANES)

    def _memory(self, node: Node) -> str:
        return self._indexed(node, self.layout.rows, ("rows",))

    def _gathered(self, node: Node, table: Table) -> str:
        if table.key == self.bins.key:
            return self.hoisted[node]
        return self._indexed(node, table.positions[self.layout.rows], table.key)

    def _indexed(self, node: Node, positions: np.ndarray, key: tuple[object, ...]) -> str:
        base = self.array(node)
        if key not in self.tables:
            offset = self.e.constant(("walk", *key, *self.bins.key), positions)
            place = self.place("%constants", offset)
            pointer = self.b.element_pointer(place, self.slot, "i32")
            self.tables[key] = self.b.load(pointer, LANES, element="i32")
        return self._gather(base, self.tables[key])

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        self.new = []
        for sink, old, value in zip(sinks, self.running, values, strict=True):
            new = self._combine(sink, old, self._as_double(sink, value), LANES)
            self.new.append(self.b.select(self.mask, new, old, LANES))

    def store(self, store: Store, value: str) -> None:
        raise AssertionError("grouped loops store nothing")
