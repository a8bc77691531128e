"""Loops over rows sorted into bins: each bin's value is read once, its sum written once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from finetti.backends.native.accumulating import IDENTITY
from finetti.backends.native.blocked import has_wide_products
from finetti.backends.native.counting import fold_lanes
from finetti.backends.native.layout import (
    LANES,
    Grouped,
    cross_rows,
    crossed_steps,
    group_rows,
    row_blocks,
)
from finetti.backends.native.loops import VECTOR, LoopBody, straight, walk
from finetti.backends.native.outline import Outline
from finetti.backends.native.plan import Loop, Ref, Sink, Store, Table
from finetti.backends.native.row_chunks import ChunkFunction, row_cost
from finetti.ir import Node

if TYPE_CHECKING:
    from finetti.backends.native.emit import Emitter


# Rows a bin, on the average, from which on walking bin by bin pays.
LEAST_ROWS = 3
# Bins of another kind whose sums are kept in eight lanes each, so that lanes never meet in one bin.
LANE_BINS = 256
# Of rows by two kinds of bins, the share of cells with a row from which on they may be a table.
_FILLED = 0.25
# What a step takes, in additions of eight lanes: a gather, a scatter, sums kept by lane.
_GATHER, _SCATTER, _BY_LANE = 6, 16, 3


class Walk(NamedTuple):
    """How a loop walks over its rows: bin by bin, in a layout."""

    bins: Table
    layout: Grouped


def grouping(e: Emitter, loop: Loop) -> Walk | None:
    """How to walk the rows of a loop by bins, if that pays."""
    binned = [sink.bins for sink in loop.sinks if sink.bins is not None]
    if not binned or straight(loop.length) or loop.length < 4 * LANES:
        return None
    if any(sink.combine in ("max", "min", "multiply") for sink in loop.sinks):
        return None
    roots = [sink.value for sink in loop.sinks]
    if has_wide_products(e, roots, loop.sinks):
        return None
    tables = {table.key: table for table in binned}
    reads = Counter(key for key, _ in _reads(e, roots))
    sums = Counter(table.key for table in binned)
    first = _most_used(tables, reads + sums, loop.length)
    if first is None:
        return None
    crossed = list(_crossed(list(tables.values()), loop.length))
    plain = Walk(first, group_rows(first.positions))
    if not crossed:
        return plain
    work = row_cost(e, roots, loop.sinks) // 2

    def cost(bins: Table, shared: Table | None, steps: int, slices: int) -> int:
        """What a walk takes, in additions of eight lanes."""
        step, outside = work, 0
        for key in tables:
            if key == bins.key:
                outside += reads[key] * _GATHER + sums[key] * _SCATTER
            elif shared is not None and key == shared.key:
                step += reads[key] + sums[key] * _BY_LANE
            else:
                step += reads[key] * _GATHER + sums[key] * _SCATTER
        return steps * step + slices * outside

    best = min(crossed, key=lambda way: cost(*way))
    layout = plain.layout
    if cost(*best) >= cost(first, None, len(layout.rows) // LANES, layout.slices):
        return plain
    return Walk(best[0], cross_rows(best[0].positions, best[1].positions))


def _most_used(tables: Mapping[Any, Table], uses: Counter[Hashable], rows: int) -> Table | None:
    """The table through which most is read and summed."""
    if len(tables) == 1:
        return next(iter(tables.values()))
    bins = {key: len(np.unique(table.positions)) for key, table in tables.items()}
    fit = [key for key in tables if LEAST_ROWS * bins[key] <= rows]
    # Of equals the one of fewer bins: sums that are scattered had better not meet in one bin.
    best = max(fit, key=lambda key: (uses[key], -bins[key]), default=None)
    return None if best is None else tables[best]


def _crossed(tables: list[Table], rows: int) -> Iterator[tuple[Table, Table, int, int]]:
    """Walks along the lines of a table of two kinds of bins: both, and their steps and slices."""
    for a, b in permutations(tables, 2):
        lines, columns = (np.count_nonzero(np.bincount(table.positions)) for table in (a, b))
        if LEAST_ROWS * lines <= rows and _FILLED * lines * columns <= rows:
            steps = crossed_steps(a.positions, b.positions)
            yield a, b, steps, -(-int(lines) // LANES)


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

    def __init__(self, e: Emitter, way: Walk, outline: Outline | None = None):
        super().__init__(e, LANES, outline)
        self.bins, self.layout = way
        self._key = hash(self.layout.rows.tobytes())  # tells layouts by the same bins apart
        self.hoisted: dict[Node, str] = {}
        self.in_common: dict[Hashable, np.ndarray | None] = {}  # by table: positions of the steps
        self.by_lane: dict[Node, str] = {}  # sums of eight lanes for each bin

    @property
    def rows(self) -> int:
        return len(self.bins.positions)

    @property
    def walked(self) -> int:
        return len(self.layout.rows)

    def bounds(self, chunks: int) -> list[int]:
        # In slices; each chunk has about as many steps.
        done = np.cumsum(self.layout.steps)
        cuts = np.searchsorted(done, done[-1] * np.arange(1, chunks) // chunks)
        return sorted({0, *cuts.tolist(), self.layout.slices})

    def _data(self, what: str, array: np.ndarray) -> str:
        offset = self.e.constant(("grouped", what, self._key, *self.bins.key), array)
        return self.place("%constants", offset)

    def prepare(self, roots: list[Ref]) -> None:
        super().prepare(roots)
        reads = _reads(self.e, roots)
        reads.update((ref.table.key, ref.node) for ref in roots if ref.table is not None)
        own = {node for key, node in reads if key == self.bins.key and node.type.size > 1}
        self.per_bin = sorted(own, key=lambda node: node.order)

    # -- the loop

    def open(self, sinks: list[Sink]) -> None:
        b = self.b
        others = [sink for sink in sinks if self._is_other(sink)]
        self.sinks = [sink for sink in sinks if not self._is_other(sink)]
        self.shared = [sink for sink in others if self._kept_by_lane(sink)]
        self.scattered = [sink for sink in others if not self._kept_by_lane(sink)]
        for sink in self.shared:
            size = LANES * sink.node.type.size
            self.by_lane[sink.node] = self._room(size)
            b.clear(self.by_lane[sink.node], 8 * size)
        before, self.outer_head = b.block, b.fresh_label("slices")
        b.branch(self.outer_head)
        b.label(self.outer_head)
        self.outer = b.open_phi("i64", self.begin, before)
        # Sums over all rows run on from slice to slice, those of bins begin anew in each.
        parts = [
            (sink, j, b.const(0.0 if j else IDENTITY[sink.combine], LANES))
            for sink in self.sinks for j in range(self.parts(sink))
        ]  # fmt: skip
        self.totals = [
            b.open_phi(VECTOR, start, before) if sink.bins is None else None
            for sink, _, start in parts
        ]
        first = self._read_slice()
        slice_end, self.inner_head = b.block, b.fresh_label("steps")
        b.branch(self.inner_head)
        b.label(self.inner_head)
        self.inner = b.open_phi("i64", "0", slice_end)
        self.running = [
            (sink, j, b.open_phi(VECTOR, start if total is None else total, slice_end))
            for (sink, j, start), total in zip(parts, self.totals, strict=True)
        ]
        b.fuse(True)
        self.step = b.iop("add", first, self.inner)
        self.slot = b.iop("mul", self.step, LANES)
        self.mask: str | None = None
        if not self.layout.counted.all():
            bits = np.packbits(self.layout.counted, bitorder="little")
            at = b.element_pointer(self._data("counted", bits), self.step, "i8")
            self.mask = b.emit(f"bitcast i8 {b.load(at, element='i8')} to <{LANES} x i1>")

    def _is_other(self, sink: Sink) -> bool:
        """Whether a sum goes to bins of another kind than those walked by."""
        return sink.bins is not None and sink.bins.key != self.bins.key

    def _kept_by_lane(self, sink: Sink) -> bool:
        """Whether each lane has sums of its own for bins of another kind."""
        assert sink.bins is not None
        size = sink.node.type.size
        few = size <= LANE_BINS and 2 * LANES * size <= self.rows
        return few or self._common(sink.bins) is not None and LANES * size <= self.rows

    def _room(self, doubles: int) -> str:
        if isinstance(self.outline, ChunkFunction):
            return self.outline.room(doubles)
        return self.place("%scratch", self.e.scratch.take(doubles))

    def _read_slice(self) -> str:
        """The first step of the slice; what depends on the bins."""
        b, layout = self.b, self.layout
        pointers = [
            b.element_pointer(self._data("first", layout.first // LANES), self.outer, "i64"),
            b.element_pointer(self._data("steps", layout.steps), self.outer, "i64"),
        ]
        first, self.count = (b.load(pointer, element="i64") for pointer in pointers)
        lane = b.iop("mul", self.outer, LANES)
        bins = b.element_pointer(self._data("bins", layout.bins), lane, "i32")
        self.lane_bins = b.load(bins, LANES, element="i32")
        for node in self.per_bin:
            if node not in self.hoisted:
                base = self.array(node)
                self.hoisted[node] = self._gather(base, self.lane_bins)
        return first

    def close(self) -> None:
        b = self.b
        following = b.iop("add nuw nsw", self.inner, 1)
        latch, flush, after = b.block, b.fresh_label("flush"), b.fresh_label("exit")
        b.branch_if(b.icmp("ult", following, self.count), self.inner_head, flush)
        b.close_phi(self.inner, following, latch)
        for (_, _, name), new in zip(self.running, self.new, strict=True):
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
        self._finish()

    def _flush(self) -> None:
        """Add the sums of a slice to their bins."""
        positions = self._lanes_of(self.lane_bins)
        for (sink, _, _), new in zip(self.running, self.new, strict=True):
            if sink.bins is not None:
                self._scatter(sink, new, positions)

    def _lanes_of(self, indices: str) -> list[str | int]:
        b = self.b
        lanes = [b.extract(indices, lane, LANES, "i32") for lane in range(LANES)]
        return [b.convert("sext", lane, "i32", "i64") for lane in lanes]

    def _finish(self) -> None:
        """What the accumulators hold in the end."""
        b = self.b
        ends = [
            (sink, j, new) for (sink, j, _), new in zip(self.running, self.new, strict=True)
            if sink.bins is None
        ]  # fmt: skip
        for sink, j, total in self.settled(ends):
            if sink.matrix is not None:
                b.store(total, b.element_pointer(self.sums_of(sink.node), j))
            else:
                self.sums.append((sink, total))
        for node, sums in self.by_lane.items():
            fold_lanes(b, sums, self.sums_of(node), node.type.size)

    # -- reading

    def _constant(self, key: tuple[object, ...], array: np.ndarray) -> str:
        flat = np.asarray(array, float).ravel()[self.layout.rows]
        offset = self.e.constant((*key, "grouped", self._key, *self.bins.key), flat)
        pointer = self.b.element_pointer(self.place("%constants", offset), self.slot)
        return self.b.load(pointer, LANES)

    def column(self, product: Node, j: int) -> str:
        # Eight rows of all columns lie together, as in plain loops.
        matrix, by_row = self.matrix_of(product)
        array = matrix.attrs[0].value.T if by_row else matrix.attrs[0].value
        key = (matrix.attrs[0].key, "rows", by_row)
        if key not in self.columns:
            parts = row_blocks(array[self.layout.rows], LANES)
            offset = self.e.constant((*key, "grouped", self._key, *self.bins.key), parts[0])
            start = self.b.iop("mul", self.slot, array.shape[1])
            self.columns[key] = self.b.element_pointer(self.place("%constants", offset), start)
        if (*key, j) not in self.columns:
            pointer = self.b.element_pointer(self.columns[key], LANES * j)
            self.columns[*key, j] = self.b.load(pointer, LANES)
        return self.columns[*key, j]

    def _memory(self, node: Node) -> str:
        return self._gather(self.array(node), self._positions(self.layout.rows, ("rows",)))

    def _gathered(self, node: Node, table: Table) -> str:
        if table.key == self.bins.key:
            return self.hoisted[node]
        common = self._common(table)
        if common is not None:
            pointer = self.b.element_pointer(self.array(node), self._place_of(table, common))
            return self.b.splat(self.b.load(pointer), LANES)
        return self._gather(self.array(node), self._of_table(table))

    def _common(self, table: Table) -> np.ndarray | None:
        """The positions that the rows of each step share, if they do."""
        if table.key not in self.in_common:
            self.in_common[table.key] = self.layout.shared(table.positions)
        return self.in_common[table.key]

    def _place_of(self, table: Table, common: np.ndarray) -> str:
        """The position that the rows of this step share."""
        key = ("common", *table.key)
        if key not in self.tables:
            offset = self.e.constant((*key, self._key, *self.bins.key), common.astype(np.int32))
            place = self.place("%constants", offset)
            at = self.b.load(self.b.element_pointer(place, self.step, "i32"), element="i32")
            self.tables[key] = self.b.convert("sext", at, "i32", "i64")
        return self.tables[key]

    def _of_table(self, table: Table) -> str:
        return self._positions(table.positions[self.layout.rows], table.key)

    def _positions(self, positions: np.ndarray, key: tuple[object, ...]) -> str:
        """Positions in the order of the walk, as eight 32-bit numbers."""
        if key not in self.tables:
            offset = self.e.constant(("walk", *key, self._key, *self.bins.key), positions)
            place = self.place("%constants", offset)
            pointer = self.b.element_pointer(place, self.slot, "i32")
            self.tables[key] = self.b.load(pointer, LANES, element="i32")
        return self.tables[key]

    # -- writing

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        b = self.b
        self.new = []
        by_sink = {
            id(sink): self._as_double(sink, value)
            for sink, value in zip(sinks, values, strict=True)
        }
        counted: dict[int, str] = {}
        for sink in sinks:
            value = by_sink[id(sink)]
            once = self._is_other(sink) or sink.matrix is not None
            counted[id(sink)] = self._where_counted(value) if once else value
        for sink, j, old in self.running:
            value = counted[id(sink)]
            if sink.matrix is not None:
                self.new.append(b.fma(self.column(sink.node, j), value, old, LANES))
                continue
            new = self.grown(sink, j, old, value)
            self.new.append(new if self.mask is None else b.select(self.mask, new, old, LANES))
        for sink in self.shared:
            self._add_by_lane(sink, counted[id(sink)])
        for sink in self.scattered:
            assert sink.bins is not None
            self._scatter(sink, counted[id(sink)], self._lanes_of(self._of_table(sink.bins)))

    def _where_counted(self, value: str) -> str:
        return value if self.mask is None else self.b.select(self.mask, value, 0.0, LANES)

    def _add_by_lane(self, sink: Sink, value: str) -> None:
        """Add to the sums of eight lanes for each bin."""
        b, table, sums = self.b, sink.bins, self.by_lane[sink.node]
        assert table is not None
        common = self._common(table)
        if common is not None:
            at = b.iop("mul", self._place_of(table, common), LANES)
            pointer = b.element_pointer(sums, at)
            b.store(b.fadd(b.load(pointer, LANES), value, LANES), pointer, LANES)
            return
        indices = b.iop("mul", self._of_table(table), LANES, LANES, "i32")
        for lane, place in enumerate(self._lanes_of(indices)):
            pointer = b.element_pointer(b.element_pointer(sums, lane), place)
            b.store(b.fadd(b.load(pointer), b.extract(value, lane, LANES)), pointer)

    def store(self, store: Store, value: str) -> None:
        raise AssertionError("grouped loops store nothing")
