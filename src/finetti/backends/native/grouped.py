"""Loops over rows sorted into bins: each bin's value is read once, its sum written once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from finetti.backends.native.layout import LANES, Grouped, group_rows
from finetti.backends.native.loops import (
    IDENTITY,
    VECTOR,
    LoopBody,
    is_product,
    straight,
    walk,
)
from finetti.backends.native.outline import Outline
from finetti.backends.native.plan import Loop, Ref, Sink, Store, Table
from finetti.ir import Node

if TYPE_CHECKING:
    from finetti.backends.native.emit import Emitter


# Rows a bin, on the average, from which on walking bin by bin pays.
LEAST_ROWS = 3


def grouping(e: Emitter, loop: Loop) -> Table | None:
    """The table of bins to walk by, if that pays: the one through which most is read and summed."""
    binned = [sink.bins for sink in loop.sinks if sink.bins is not None]
    if not binned or straight(loop.length) or loop.length < 4 * LANES:
        return None
    if any(sink.matrix is not None or sink.combine != "add" for sink in loop.sinks):
        return None
    roots = [sink.value for sink in loop.sinks]
    if any(is_product(e, node) for node in walk(e, roots)):
        return None
    tables = {table.key: table for table in binned}
    if len(tables) == 1:
        return binned[0]
    uses = Counter(table.key for table in binned)
    uses.update(key for key, _ in _reads(e, roots) if key in tables)
    bins = {key: len(np.unique(table.positions)) for key, table in tables.items()}
    fit = [key for key in tables if LEAST_ROWS * bins[key] <= loop.length]
    # Of equals the one of fewer bins: sums that are scattered had better not meet in one bin.
    best = max(fit, key=lambda key: (uses[key], -bins[key]), default=None)
    return None if best is None else tables[best]


def _reads(e: Emitter, roots: list[Ref]) -> set[tuple[Hashable, Node]]:
    """The arrays that a body reads through tables, with the tables' keys."""
    found: set[tuple[Hashable, Node]] = set()
    for node in walk(e, roots):
        if node.op.family == "elementwise" and node.type.size > 1 and node not in e.memory:
            for ref in e.plan.operands(node):
                if ref.table is not None:
                    found.add((ref.table.key, ref.node))
    return found


class GroupedBody(LoopBody):
    """Rows walked bin by bin, eight pieces in step."""

    def __init__(self, e: Emitter, bins: Table, outline: Outline | None = None):
        super().__init__(e, LANES, outline)
        self.bins = bins
        self.layout: Grouped = group_rows(bins.positions)
        self.hoisted: dict[Node, str] = {}

    @property
    def rows(self) -> int:
        return len(self.bins.positions)

    def bounds(self, chunks: int) -> list[int]:
        # In slices; each chunk has about as many steps.
        done = np.cumsum(self.layout.steps)
        cuts = np.searchsorted(done, done[-1] * np.arange(1, chunks) // chunks)
        return sorted({0, *cuts.tolist(), self.layout.slices})

    def _data(self, what: str, array: np.ndarray) -> str:
        offset = self.e.constant(("grouped", what, *self.bins.key), array)
        return self.place("%constants", offset)

    def prepare(self, roots: list[Ref]) -> None:
        super().prepare(roots)
        reads = _reads(self.e, roots)
        reads.update((ref.table.key, ref.node) for ref in roots if ref.table is not None)
        own = {node for key, node in reads if key == self.bins.key and node.type.size > 1}
        self.per_bin = sorted(own, key=lambda node: node.order)

    def open(self, sinks: list[Sink]) -> None:
        b = self.b
        self.scattered = [sink for sink in sinks if self._is_scattered(sink)]
        sinks = [sink for sink in sinks if not self._is_scattered(sink)]
        before, self.outer_head = b.block, b.fresh_label("slices")
        b.branch(self.outer_head)
        b.label(self.outer_head)
        self.outer = b.open_phi("i64", self.begin, before)
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

    def _is_scattered(self, sink: Sink) -> bool:
        """Whether a sum goes to bins of another kind than those walked by."""
        return sink.bins is not None and sink.bins.key != self.bins.key

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
        more = b.icmp("ult", next_slice, self.until(self.layout.slices))
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
        return self._gather(self.array(node), self._positions(positions, key))

    def _positions(self, positions: np.ndarray, key: tuple[object, ...]) -> str:
        """Positions in the order of the walk, as eight 32-bit numbers."""
        if key not in self.tables:
            offset = self.e.constant(("walk", *key, *self.bins.key), positions)
            place = self.place("%constants", offset)
            pointer = self.b.element_pointer(place, self.slot, "i32")
            self.tables[key] = self.b.load(pointer, LANES, element="i32")
        return self.tables[key]

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        b = self.b
        self.new = []
        by_sink = {
            id(sink): self._as_double(sink, value)
            for sink, value in zip(sinks, values, strict=True)
        }
        for sink, old in zip(self.sinks, self.running, strict=True):
            new = self._combine(sink, old, by_sink[id(sink)], LANES)
            self.new.append(b.select(self.mask, new, old, LANES))
        for sink in self.scattered:
            assert sink.bins is not None
            indices = self._positions(sink.bins.positions[self.layout.rows], sink.bins.key)
            lanes = [b.extract(indices, lane, LANES, "i32") for lane in range(LANES)]
            places: list[str | int] = [b.convert("sext", lane, "i32", "i64") for lane in lanes]
            value = b.select(self.mask, by_sink[id(sink)], IDENTITY[sink.combine], LANES)
            self._scatter(sink, value, places)

    def store(self, store: Store, value: str) -> None:
        raise AssertionError("grouped loops store nothing")
