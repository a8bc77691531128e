"""Three ways to walk over elements, with one face.

A `StraightBody` has as many lanes as there are elements and no loop at all. A `PlainBody` walks
eight elements at a time; the last step overlaps the one before instead of a second loop for the
rest. A `GroupedBody` walks rows sorted into bins (`layout.Grouped`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from finetti.backends.native.elementwise import emit_elementwise
from finetti.backends.native.layout import LANES, Grouped, group_rows
from finetti.backends.native.plan import Loop, Ref, Sink, Store, Table
from finetti.ir import BOOL, Node
from finetti.ir.ops.leaf import const

if TYPE_CHECKING:
    from finetti.backends.native.emit import Emitter

STRAIGHT_LIMIT = 16
_COMBINE = {"add": "fadd", "multiply": "fmul", "max": "maximum", "min": "minimum"}
_IDENTITY = {"add": 0.0, "multiply": 1.0, "max": float("-inf"), "min": float("inf")}


def straight(length: int) -> bool:
    """Whether a loop of that length is written out without a loop."""
    return length <= STRAIGHT_LIMIT


def grouping(e: Emitter, loop: Loop) -> Table | None:
    """The one table of bins that all binned sums of a loop share, if walking by it pays."""
    binned = [sink for sink in loop.sinks if sink.bins is not None]
    if not binned or straight(loop.length) or loop.length < 4 * LANES:
        return None
    if any(sink.matrix is not None for sink in loop.sinks):
        return None
    tables = {sink.bins.key for sink in binned if sink.bins is not None}
    if len(tables) > 1 or any(_has_product(e, sink.value) for sink in loop.sinks):
        return None
    return binned[0].bins


def _has_product(e: Emitter, ref: Ref) -> bool:
    return any(node.op.name == "matmul" and e.plan.fused_product(node) for node in _walk(e, [ref]))


def _walk(e: Emitter, roots: list[Ref]) -> Iterator[Node]:
    """The nodes that a body computes or reads, users first."""
    seen: set[Node] = set()
    stack = list(roots)
    while stack:
        ref = stack.pop()
        if ref.node in seen or ref.table is not None and ref.node.type.size > 1:
            continue
        seen.add(ref.node)
        yield ref.node
        elementwise = ref.node.op.family == "elementwise" and ref.node.type.size > 1
        if elementwise and ref.node not in e.memory:
            stack.extend(e.plan.operands(ref.node))


class LoopBody(ABC):
    """Shared by the three ways: evaluating expressions, lane by lane."""

    def __init__(self, e: Emitter, lanes: int):
        self.e = e
        self.b = e.b
        self.lanes = lanes
        self.values: dict[Node, str] = {}
        self.splats: dict[Node, str] = {}
        self.coefficients: dict[Node, list[str]] = {}
        self.tables: dict[tuple[object, ...], str] = {}
        self.columns: dict[tuple[object, ...], str] = {}
        self.sums: list[tuple[Sink, str]] = []

    # -- before the loop

    def prepare(self, roots: list[Ref]) -> None:
        """Everything that does not change from step to step."""
        for node in _walk(self.e, roots):
            if node.type.size == 1:
                self._splat(node)
            elif node.op.name == "matmul" and self.e.plan.fused_product(node):
                self._spread(node)

    def _splat(self, node: Node) -> None:
        element = "i1" if node.type.dtype == BOOL else "double"
        if node.op is const and element == "double":
            self.splats[node] = self.b.const(float(node.attrs[0].value.reshape(())), self.lanes)
        else:
            self.splats[node] = self.b.splat(self.e.scalar(node), self.lanes, element)

    def _spread(self, product: Node) -> None:
        """The vector of a matrix product, each element in all lanes."""
        ref = self.e.plan.ref(product.args[1])
        start = 0 if ref.table is None else ref.table.start
        pieces = []
        for j in range(product.args[1].type.size):
            at = j if ref.table is None else int(ref.table.positions[j])
            del start
            start = 0
            if ref.node.type.size == 1:
                value = self.e.scalar(ref.node)
            else:
                value = self.b.load(self.e.pointer(ref.node, at))
            pieces.append(self.b.splat(value, self.lanes))
        self.coefficients[product] = pieces

    @abstractmethod
    def open(self, sinks: list[Sink]) -> None:
        """Begin the loop."""

    @abstractmethod
    def close(self) -> None:
        """End the loop."""

    def results(self) -> list[tuple[Sink, str]]:
        """The scalars accumulated."""
        return self.sums

    # -- reading

    def read(self, ref: Ref) -> str:
        """The value of `ref` in all lanes: i1 when boolean, else double."""
        node = ref.node
        if node.type.size == 1:
            if node not in self.splats:
                self._splat(node)
            return self.splats[node]
        if ref.table is not None:
            return self._truth(node, self._gathered(node, ref.table))
        value = self.values.get(node)
        if value is None:
            value = self.values[node] = self._compute(node)
        return value

    def _compute(self, node: Node) -> str:
        e = self.e
        if node.op is const:
            return self._truth(node, self._constant(node.attrs[0].key, node.attrs[0].value))
        if e.plan.in_memory(node) or self._stored(node):
            return self._truth(node, self._memory(node))
        if node.op.name == "matmul":
            return self._product(node)
        args = [self.read(ref) for ref in e.plan.operands(node)]
        return emit_elementwise(self.b, node, args, self.lanes)

    def _stored(self, node: Node) -> bool:
        """Whether an earlier loop has stored this array."""
        return node in self.e.memory

    def _truth(self, node: Node, value: str) -> str:
        return self.b.fcmp("une", value, 0.0, self.lanes) if node.type.dtype == BOOL else value

    def _product(self, node: Node) -> str:
        total = None
        for j, factor in enumerate(self.coefficients[node]):
            column = self.column(node, j)
            if total is None:
                total = self.b.fmul(column, factor, self.lanes)
            else:
                total = self.b.fma(column, factor, total, self.lanes)
        assert total is not None
        return total

    def column(self, product: Node, j: int) -> str:
        """Column j of a product's matrix, or row j when it sums over rows."""
        found = self.e.plan.matrix(product)
        assert found is not None
        matrix, transposed = found
        by_row = transposed == self.e.plan.fused_product(product)
        key = (matrix.attrs[0].key, "row" if by_row else "column", j)
        if key not in self.columns:
            array = matrix.attrs[0].value
            self.columns[key] = self._constant(key, array[j] if by_row else array[:, j])
        return self.columns[key]

    @abstractmethod
    def _constant(self, key: tuple[object, ...], array: np.ndarray) -> str:
        """Packed data of the loop's length."""

    @abstractmethod
    def _memory(self, node: Node) -> str:
        """An array of the loop's length."""

    @abstractmethod
    def _gathered(self, node: Node, table: Table) -> str:
        """Elements of another array."""

    def _gather(self, base: str, indices: str) -> str:
        """Read doubles at eight (or however many lanes) 32-bit indices."""
        b, lanes = self.b, self.lanes
        wide = b.convert("sext", indices, "i32", "i64", lanes)
        pointers = b.emit(f"getelementptr double, ptr {base}, <{lanes} x i64> {wide}")
        kind = f"<{lanes} x double>"
        symbol = f"llvm.masked.gather.v{lanes}f64.v{lanes}p0"
        b.declare(symbol, kind, [f"<{lanes} x ptr>", "i32", f"<{lanes} x i1>", kind])
        return b.emit(
            f"call {kind} @{symbol}(<{lanes} x ptr> {pointers}, i32 8, <{lanes} x i1> "
            f"splat (i1 true), {kind} poison)"
        )

    # -- writing

    @abstractmethod
    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        """Add the values of one step to the sinks."""

    @abstractmethod
    def store(self, store: Store, value: str) -> None:
        """Write the values of one step."""

    def _as_double(self, sink_or_store: Sink | Store, value: str) -> str:
        if sink_or_store.value.node.type.dtype == BOOL:
            return self.b.select(value, 1.0, 0.0, self.lanes)
        return value

    def _combine(self, sink: Sink, x: str, y: str, lanes: int) -> str:
        return getattr(self.b, _COMBINE[sink.combine])(x, y, lanes)  # type: ignore[no-any-return]

    def _horizontal(self, sink: Sink, value: str) -> str:
        if sink.combine == "add":
            return self.b.reduce_fadd(value, self.lanes)
        if sink.combine == "max":
            return self.b.reduce_fmax(value, self.lanes)
        if sink.combine == "min":
            return self.b.reduce_fmin(value, self.lanes)
        total = self.b.extract(value, 0, self.lanes)
        for lane in range(1, self.lanes):
            total = self.b.fmul(total, self.b.extract(value, lane, self.lanes))
        return total

    def _into_bin(self, sink: Sink, position: str | int, value: str) -> None:
        b = self.b
        pointer = b.element_pointer(self.e.pointer(sink.node), position)
        b.store(self._combine(sink, b.load(pointer), value, 1), pointer)

    def _scatter(self, sink: Sink, value: str, positions: list[str | int]) -> None:
        for lane, position in enumerate(positions):
            self._into_bin(sink, position, self.b.extract(value, lane, self.lanes))

    def _scatter_store(self, store: Store, value: str, positions: list[str | int]) -> None:
        base = self._target(store, 0)
        for lane, position in enumerate(positions):
            pointer = self.b.element_pointer(base, position)
            self.b.store(self.b.extract(value, lane, self.lanes), pointer)

    def _target(self, store: Store, at: int) -> str:
        if isinstance(store.target, Node):
            return self.e.pointer(store.target, store.start + at)
        return self.b.byte_pointer("%out", 8 * (store.start + at))


class StraightBody(LoopBody):
    """All elements at once."""

    def open(self, sinks: list[Sink]) -> None:
        pass

    def close(self) -> None:
        self.e.vectors.update(
            (node, value) for node, value in self.values.items() if node.op is not const
        )

    def _compute(self, node: Node) -> str:
        held = self.e.vectors.get(node)
        return held if held is not None else super()._compute(node)

    def _stored(self, node: Node) -> bool:
        return node in self.e.memory

    def _constant(self, key: tuple[object, ...], array: np.ndarray) -> str:
        offset = self.e.constant((*key, "plain"), np.asarray(array, float))
        return self.b.load(self.b.byte_pointer("%constants", offset), self.lanes)

    def _memory(self, node: Node) -> str:
        return self.b.load(self.e.pointer(node), self.lanes)

    def _gathered(self, node: Node, table: Table) -> str:
        if table.start is not None:
            return self.b.load(self.e.pointer(node, table.start), self.lanes)
        value = "poison"
        loaded: dict[int, str] = {}
        for lane, position in enumerate(table.positions.tolist()):
            if position not in loaded:
                loaded[position] = self.b.load(self.e.pointer(node, position))
            value = self.b.insert(value, loaded[position], lane, self.lanes)
        return value

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        for sink, value in zip(sinks, values, strict=True):
            value = self._as_double(sink, value)
            if sink.matrix is not None:
                for j in range(sink.node.type.size):
                    dot = self.b.fmul(self.column(sink.node, j), value, self.lanes)
                    self.b.store(self.b.reduce_fadd(dot, self.lanes), self.e.pointer(sink.node, j))
            elif sink.bins is not None:
                self._scatter(sink, value, sink.bins.positions.tolist())
            else:
                self.sums.append((sink, self._horizontal(sink, value)))

    def store(self, store: Store, value: str) -> None:
        value = self._as_double(store, value)
        if store.positions is not None:
            self._scatter_store(store, value, store.positions.positions.tolist())
        else:
            self.b.store(value, self._target(store, 0), self.lanes)


class PlainBody(LoopBody):
    """Eight elements a step."""

    def __init__(self, e: Emitter, length: int):
        super().__init__(e, LANES)
        self.length = length

    def open(self, sinks: list[Sink]) -> None:
        b = self.b
        self.accumulators: list[tuple[Sink, int, str]] = []
        for sink in sinks:
            if sink.bins is None:
                count = sink.node.type.size if sink.matrix is not None else 1
                self.accumulators += [(sink, j, b.name("acc")) for j in range(count)]
        self.counter, self.head, self.exit = b.name("j"), b.name("head")[1:], b.name("exit")[1:]
        before = b.block
        b.effect(f"br label %{self.head}")
        b.lines.append(f"{self.head}:")
        b.block = self.head
        # The block a step ends in is known only when its body is written.
        self.phis = len(b.lines)
        self.before = before
        b.lines += [""] * (1 + len(self.accumulators))
        self.mask: str | None = None
        self.at = self.counter
        if self.length % LANES:
            b.declare("llvm.umin.i64", "i64", ["i64", "i64"])
            last = self.length - LANES
            self.at = b.emit(f"call i64 @llvm.umin.i64(i64 {self.counter}, i64 {last})")
            behind = b.splat(b.iop("sub", self.counter, self.at), LANES, "i64")
            self.mask = b.icmp("uge", b.iota(LANES), behind, LANES)
        self.new: list[str] = []

    def close(self) -> None:
        b = self.b
        following = b.iop("add nuw nsw", self.counter, LANES)
        more = b.icmp("ult", following, self.length)
        latch = b.block
        b.effect(f"br i1 {more}, label %{self.head}, label %{self.exit}")
        b.lines[self.phis] = (
            f"  {self.counter} = phi i64 [0, %{self.before}], [{following}, %{latch}]"
        )
        for k, ((sink, _, name), new) in enumerate(zip(self.accumulators, self.new, strict=True)):
            start = b.const(_IDENTITY[sink.combine], LANES)
            b.lines[self.phis + 1 + k] = (
                f"  {name} = phi <8 x double> [{start}, %{self.before}], [{new}, %{latch}]"
            )
        b.lines.append(f"{self.exit}:")
        b.block = self.exit
        for (sink, j, _), new in zip(self.accumulators, self.new, strict=True):
            total = self._horizontal(sink, new)
            if sink.matrix is not None:
                b.store(total, self.e.pointer(sink.node, j))
            else:
                self.sums.append((sink, total))

    def _step(self, base: str, offset: int, element: str = "double") -> str:
        return self.b.element_pointer(self.b.byte_pointer(base, offset), self.at, element)

    def _constant(self, key: tuple[object, ...], array: np.ndarray) -> str:
        offset = self.e.constant((*key, "plain"), np.asarray(array, float))
        return self.b.load(self._step("%constants", offset), LANES)

    def _memory(self, node: Node) -> str:
        return self.b.load(self._step(*self.e.location(node)), LANES)

    def _indices(self, table: Table) -> str:
        if table.key not in self.tables:
            offset = self.e.constant(("table", *table.key), table.positions)
            pointer = self._step("%constants", offset, "i32")
            self.tables[table.key] = self.b.load(pointer, LANES, element="i32")
        return self.tables[table.key]

    def _gathered(self, node: Node, table: Table) -> str:
        base, offset = self.e.location(node)
        if table.start is not None:
            return self.b.load(self._step(base, offset + 8 * table.start), LANES)
        return self._gather(self.b.byte_pointer(base, offset), self._indices(table))

    def _positions(self, table: Table) -> list[str | int]:
        indices = self._indices(table)
        lanes = [self.b.extract(indices, lane, LANES, "i32") for lane in range(LANES)]
        return [self.b.convert("sext", lane, "i32", "i64") for lane in lanes]

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        b = self.b
        by_sink = {id(sink): self._as_double(sink, v) for sink, v in zip(sinks, values, strict=True)}
        for sink, j, old in self.accumulators:
            value = by_sink[id(sink)]
            if sink.matrix is not None:
                new = b.fma(self.column(sink.node, j), value, old, LANES)
            else:
                new = self._combine(sink, old, value, LANES)
            self.new.append(new if self.mask is None else b.select(self.mask, new, old, LANES))
        for sink in sinks:
            if sink.bins is not None:
                value = by_sink[id(sink)]
                if self.mask is not None:
                    value = b.select(self.mask, value, _IDENTITY[sink.combine], LANES)
                self._scatter(sink, value, self._positions(sink.bins))

    def store(self, store: Store, value: str) -> None:
        value = self._as_double(store, value)
        if store.positions is not None:
            self._scatter_store(store, value, self._positions(store.positions))
            return
        base = self._target(store, 0)
        self.b.store(value, self.b.element_pointer(base, self.at), LANES)


class GroupedBody(LoopBody):
    """Rows walked bin by bin, eight pieces in step."""

    def __init__(self, e: Emitter, bins: Table):
        super().__init__(e, LANES)
        self.bins = bins
        self.layout: Grouped = group_rows(bins.positions)
        self.hoisted: dict[Node, str] = {}

    def _data(self, what: str, array: np.ndarray) -> str:
        offset = self.e.constant(("grouped", what, *self.bins.key), array)
        return self.b.byte_pointer("%constants", offset)

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
        b, layout = self.b, self.layout
        self.outer, self.inner = b.name("slice"), b.name("step")
        self.outer_head, self.inner_head, self.inner_exit, self.exit = (
            b.name(hint)[1:] for hint in ("slices", "steps", "flush", "exit")
        )
        self.running = [(sink, b.name("acc"), b.name("total")) for sink in sinks]
        first = self._data("first", layout.first)
        steps = self._data("steps", layout.steps)
        bins = self._data("bins", layout.bins)
        lengths = self._data("lengths", layout.lengths)
        self.before = b.block
        b.effect(f"br label %{self.outer_head}")
        b.lines.append(f"{self.outer_head}:")
        b.block = self.outer_head
        self.outer_phis = len(b.lines)
        self.totals = [row for row in self.running if row[0].bins is None]
        b.lines += [""] * (1 + len(self.totals))
        start = b.load(b.element_pointer(first, self.outer, "i64"), element="i64")
        self.count = b.load(b.element_pointer(steps, self.outer, "i64"), element="i64")
        lane0 = b.iop("mul", self.outer, LANES)
        self.lane_bins = b.load(b.element_pointer(bins, lane0, "i32"), LANES, element="i32")
        rows = b.load(b.element_pointer(lengths, lane0, "i64"), LANES, element="i64")
        for node in self.per_bin:
            if node not in self.hoisted:
                base = b.byte_pointer(*self.e.location(node))
                self.hoisted[node] = self._gather(base, self.lane_bins)
        self.slice_end = b.block
        b.effect(f"br label %{self.inner_head}")
        b.lines.append(f"{self.inner_head}:")
        b.block = self.inner_head
        self.inner_phis = len(b.lines)
        b.lines += [""] * (1 + len(self.running))
        step = b.splat(self.inner, LANES, "i64")
        self.mask = b.icmp("ugt", rows, step, LANES)
        self.slot = b.iop("add", start, b.iop("mul", self.inner, LANES))

    def close(self) -> None:
        b = self.b
        following = b.iop("add nuw nsw", self.inner, 1)
        more = b.icmp("ult", following, self.count)
        latch = b.block
        b.effect(f"br i1 {more}, label %{self.inner_head}, label %{self.inner_exit}")
        b.lines[self.inner_phis] = (
            f"  {self.inner} = phi i64 [0, %{self.slice_end}], [{following}, %{latch}]"
        )
        for k, ((sink, acc, total), new) in enumerate(zip(self.running, self.new, strict=True)):
            start = total if sink.bins is None else b.const(_IDENTITY[sink.combine], LANES)
            b.lines[self.inner_phis + 1 + k] = (
                f"  {acc} = phi <8 x double> [{start}, %{self.slice_end}], [{new}, %{latch}]"
            )
        b.lines.append(f"{self.inner_exit}:")
        b.block = self.inner_exit
        lanes = [b.extract(self.lane_bins, lane, LANES, "i32") for lane in range(LANES)]
        positions: list[str | int] = [b.convert("sext", lane, "i32", "i64") for lane in lanes]
        for (sink, _, _), new in zip(self.running, self.new, strict=True):
            if sink.bins is not None:
                self._scatter(sink, new, positions)
        next_slice = b.iop("add nuw nsw", self.outer, 1)
        again = b.icmp("ult", next_slice, self.layout.slices)
        flush = b.block
        b.effect(f"br i1 {again}, label %{self.outer_head}, label %{self.exit}")
        b.lines[self.outer_phis] = (
            f"  {self.outer} = phi i64 [0, %{self.before}], [{next_slice}, %{flush}]"
        )
        news = dict(zip([row[2] for row in self.running], self.new, strict=True))
        for k, (sink, _, total) in enumerate(self.totals):
            start = b.const(_IDENTITY[sink.combine], LANES)
            b.lines[self.outer_phis + 1 + k] = (
                f"  {total} = phi <8 x double> [{start}, %{self.before}], [{news[total]}, %{flush}]"
            )
        b.lines.append(f"{self.exit}:")
        b.block = self.exit
        for sink, _, total in self.totals:
            self.sums.append((sink, self._horizontal(sink, news[total])))

    def _constant(self, key: tuple[object, ...], array: np.ndarray) -> str:
        flat = np.asarray(array, float).ravel()[self.layout.rows]
        offset = self.e.constant((*key, "grouped", *self.bins.key), flat)
        pointer = self.b.element_pointer(self.b.byte_pointer("%constants", offset), self.slot)
        return self.b.load(pointer, LANES)

    def _memory(self, node: Node) -> str:
        return self._indexed(node, self.layout.rows, ("rows",))

    def _gathered(self, node: Node, table: Table) -> str:
        if table.key == self.bins.key:
            return self.hoisted[node]
        return self._indexed(node, table.positions[self.layout.rows], table.key)

    def _indexed(self, node: Node, positions: np.ndarray, key: tuple[object, ...]) -> str:
        base = self.b.byte_pointer(*self.e.location(node))
        if key not in self.tables:
            offset = self.e.constant(("walk", *key, *self.bins.key), positions)
            place = self.b.byte_pointer("%constants", offset)
            pointer = self.b.element_pointer(place, self.slot, "i32")
            self.tables[key] = self.b.load(pointer, LANES, element="i32")
        return self._gather(base, self.tables[key])

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        self.new = []
        for (sink, acc, _), value in zip(self.running, values, strict=True):
            new = self._combine(sink, acc, self._as_double(sink, value), LANES)
            self.new.append(self.b.select(self.mask, new, acc, LANES))

    def store(self, store: Store, value: str) -> None:
        raise AssertionError("grouped loops store nothing")
