"""Three ways to walk over elements, with one face.

A `straight.StraightBody` has as many lanes as there are elements and no loop. A `PlainBody` walks
eight elements at a time; the last step overlaps the one before instead of a second loop for the
rest. A `grouped.GroupedBody` walks rows sorted into bins.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from finetti.backends.native.accumulating import IDENTITY, Accumulating
from finetti.backends.native.builder import vector_type
from finetti.backends.native.elementwise import emit_elementwise, is_math
from finetti.backends.native.layout import BLOCK_ROWS, LANES, row_blocks
from finetti.backends.native.outline import Outline
from finetti.backends.native.plan import Ref, Sink, Store, Table
from finetti.ir import BOOL, Node
from finetti.ir.ops.leaf import const
from finetti.passes.costs import own_cost

if TYPE_CHECKING:
    from finetti.backends.native.emit import Emitter

STRAIGHT_LIMIT = 16
# Beyond so many exponentials, or functions as dear, a body calls them: LLVM's time grows with its
# square.
MATH_LIMIT = 40
# Matrices of more bytes than this come from memory: they are asked for so many steps ahead.
_IN_CACHE = 1 << 22
_AHEAD = 16
VECTOR = vector_type(LANES)


def straight(length: int) -> bool:
    """Whether a loop of that length is written out without a loop."""
    return length <= STRAIGHT_LIMIT


def walk(e: Emitter, roots: list[Ref]) -> Iterator[Node]:
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


def is_product(e: Emitter, node: Node) -> bool:
    """Whether a body computes a product of a matrix and a vector, row by row."""
    fused = node.op.name == "matmul" and e.plan.fused_product(node)
    return fused and node not in e.memory


class LoopBody(Accumulating, ABC):
    """Shared by the three ways: evaluating expressions, lane by lane.

    With an outline the body is a function of its own: what the caller knows goes through `place`,
    `varying` and `scalar`.
    """

    def __init__(self, e: Emitter, lanes: int, outline: Outline | None = None):
        self.e = e
        self.outline = outline
        self.b = e.b if outline is None else outline.b
        self.lanes = lanes
        self.values: dict[Node, str] = {}
        self.splats: dict[Node, str] = {}
        self.coefficients: dict[Node, list[str]] = {}
        self.tables: dict[tuple[object, ...], str] = {}
        self.columns: dict[tuple[object, ...], str] = {}
        self.sums: list[tuple[Sink, str]] = []
        # Of a chunk of the loop: where it begins and ends, and where it leaves sums of arrays.
        self.begin, self.end = "0", ""
        self.targets: dict[Node, str] = {}

    # -- what the caller knows

    def enter(self, outline: Outline, begin: str, end: str) -> None:
        """Be the body of a function of one chunk, of the rows from `begin` to before `end`."""
        self.outline, self.b, self.begin, self.end = outline, outline.b, begin, end

    def place(self, base: str, offset: int) -> str:
        """The address `offset` bytes behind one of the entry's pointers."""
        if self.outline is not None:
            return self.outline.pointer(base, offset)
        return self.b.byte_pointer(base, offset)

    def array(self, node: Node, start: int = 0) -> str:
        """The address of an array, or of what begins at one of its elements."""
        base, offset = self.e.location(node)
        return self.place(base, offset + 8 * start)

    def element(self, node: Node, at: int) -> str:
        """The address of one element of several that are wanted one by one."""
        if self.outline is not None:
            return self.b.byte_pointer(self.array(node), 8 * at)
        return self.e.pointer(node, at)

    def varying(self, number: int) -> str | int:
        """A number that other loops of the same code may have otherwise."""
        return number if self.outline is None else self.outline.number(number)

    def until(self, number: int) -> str | int:
        """Where the loop ends: at so many rows, unless it is a chunk."""
        return self.end or self.varying(number)

    def sums_of(self, node: Node) -> str:
        """The address of the array that a sink adds to."""
        return self.targets.get(node) or self.array(node)

    def scalar(self, node: Node) -> str:
        """The value of a scalar."""
        value = self.e.scalar(node)
        if self.outline is None:
            return value
        return self.outline.scalar("i1" if node.type.dtype == BOOL else "double", value)

    # -- before the loop

    def prepare(self, roots: list[Ref]) -> None:
        """Everything that does not change from step to step."""
        nodes = list(walk(self.e, roots))
        math = sum(own_cost(node) / 20 for node in nodes if node.type.size > 1 and is_math(node))
        self.b.call_math = math > MATH_LIMIT
        for node in nodes:
            if node.type.size == 1:
                self._splat(node)
            elif is_product(self.e, node):
                self._spread(node)

    def _splat(self, node: Node) -> None:
        element = "i1" if node.type.dtype == BOOL else "double"
        if node.op is const and element == "double":
            self.splats[node] = self.b.const(float(node.attrs[0].value.reshape(())), self.lanes)
        else:
            self.splats[node] = self.b.splat(self.scalar(node), self.lanes, element)

    def _spread(self, product: Node) -> None:
        """The vector of a matrix product, each element in all lanes."""
        ref = self.e.plan.ref(product.args[1])
        pieces = []
        for j in range(product.args[1].type.size):
            at = j if ref.table is None else int(ref.table.positions[j])
            if ref.node.type.size == 1:
                value = self.scalar(ref.node)
            else:
                value = self.b.load(self.element(ref.node, at))
            pieces.append(self.b.splat(value, self.lanes))
        self.coefficients[product] = pieces

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def bounds(self, chunks: int) -> list[int]:
        """Where chunks of about equal work begin, and where the last one ends."""

    def sums_by_lane(self, sink: Sink) -> bool:
        """Whether a chunk leaves the eight lanes of each sum of a sink, to be folded in the end."""
        return False

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
        stack = [ref]
        while stack:
            top = stack[-1]
            missing = [inner for inner in self._inner(top) if not self._at_hand(inner)]
            if missing:
                stack += reversed(missing)
                continue
            if top.table is None and not self._at_hand(top):
                self.values[top.node] = self._compute(top.node)
            stack.pop()
        return self._value(ref)

    def _at_hand(self, ref: Ref) -> bool:
        return ref.table is not None or ref.node.type.size == 1 or ref.node in self.values

    def _inner(self, ref: Ref) -> list[Ref]:
        """What has to be computed before `ref`."""
        node = ref.node
        if self._at_hand(ref) or node.op.family != "elementwise" or self._held(node):
            return []
        return self.e.plan.operands(node)

    def _value(self, ref: Ref) -> str:
        node = ref.node
        if node.type.size == 1:
            if node not in self.splats:
                self._splat(node)
            return self.splats[node]
        if ref.table is not None:
            return self._truth(node, self._gathered(node, ref.table))
        return self.values[node]

    def _held(self, node: Node) -> bool:
        """Whether an earlier loop has left this array behind."""
        return node in self.e.memory

    def _compute(self, node: Node) -> str:
        if node.op is const:
            return self._truth(node, self._constant(node.attrs[0].key, node.attrs[0].value))
        if self._held(node) or self.e.plan.in_memory(node):
            return self._truth(node, self._memory(node))
        if node.op.name == "matmul":
            return self._product(node)
        args = [self._value(ref) for ref in self.e.plan.operands(node)]
        return emit_elementwise(self.b, node, args, self.lanes)

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

    def matrix_of(self, product: Node) -> tuple[Node, bool]:
        """A product's matrix as it is stored, and whether a loop walks along its rows."""
        found = self.e.plan.matrix(product)
        assert found is not None
        return found[0], found[1] == self.e.plan.fused_product(product)

    def column(self, product: Node, j: int) -> str:
        """Column j of a product's matrix, or row j when it sums over rows."""
        matrix, by_row = self.matrix_of(product)
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

    def _into_bin(self, sink: Sink, position: str | int, value: str) -> None:
        b = self.b
        pointer = b.element_pointer(self.sums_of(sink.node), position)
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
            return self.array(store.target, store.start + at)
        return self.place(*self.e.output(store.start + at))


class PlainBody(LoopBody):
    """Eight elements a step."""

    def __init__(self, e: Emitter, length: int, outline: Outline | None = None):
        super().__init__(e, LANES, outline)
        self.length = length

    @property
    def rows(self) -> int:
        return self.length

    def bounds(self, chunks: int) -> list[int]:
        # The last one has a whole block at least, so that where it overlaps is its own.
        blocks = self.length // BLOCK_ROWS
        return [*sorted({blocks * i // chunks * BLOCK_ROWS for i in range(chunks)}), self.length]

    def open(self, sinks: list[Sink]) -> None:
        b = self.b
        before, self.head = b.block, b.fresh_label("head")
        b.branch(self.head)
        b.label(self.head)
        self.counter = b.open_phi("i64", self.begin, before)
        self.accumulators: list[tuple[Sink, int, str]] = []
        for sink in sinks:
            if sink.bins is None:
                for j in range(self.parts(sink)):
                    start = b.const(0.0 if j else IDENTITY[sink.combine], LANES)
                    self.accumulators.append((sink, j, b.open_phi(VECTOR, start, before)))
        b.fuse(True)
        self.mask: str | None = None
        self.at = self.counter
        if self.length % LANES:
            b.declare("llvm.umin.i64", "i64", ["i64", "i64"])
            last = self.varying(self.length - LANES)
            self.at = b.emit(f"call i64 @llvm.umin.i64(i64 {self.counter}, i64 {last})")
            behind = b.splat(b.iop("sub", self.counter, self.at), LANES, "i64")
            self.mask = b.icmp("uge", b.iota(LANES), behind, LANES)
        self.new: list[str] = []

    def close(self) -> None:
        b = self.b
        following = b.iop("add nuw nsw", self.counter, LANES)
        latch, after = b.block, b.fresh_label("exit")
        b.branch_if(b.icmp("ult", following, self.until(self.length)), self.head, after)
        b.fuse(False)
        b.close_phi(self.counter, following, latch)
        for (_, _, name), new in zip(self.accumulators, self.new, strict=True):
            b.close_phi(name, new, latch)
        b.label(after)
        self.finish()

    def finish(self) -> None:
        """What the accumulators hold in the end."""
        b = self.b
        ends = [(*pair[:2], new) for pair, new in zip(self.accumulators, self.new, strict=True)]
        for sink, j, total in self.settled(ends):
            if sink.matrix is None:
                self.sums.append((sink, total))
            elif sink.node in self.targets:
                b.store(total, b.element_pointer(self.targets[sink.node], j))
            else:
                b.store(total, self.element(sink.node, j))

    def _step(self, base: str, offset: int, element: str = "double") -> str:
        return self.b.element_pointer(self.place(base, offset), self.at, element)

    def _constant(self, key: tuple[object, ...], array: np.ndarray) -> str:
        offset = self.e.constant((*key, "plain"), np.asarray(array, float))
        return self.b.load(self._step("%constants", offset), LANES)

    def _memory(self, node: Node) -> str:
        return self.b.load(self._step(*self.e.location(node)), LANES)

    def column(self, product: Node, j: int) -> str:
        # Eight rows of all columns lie together, so that memory is read in one stream.
        matrix, by_row = self.matrix_of(product)
        array = matrix.attrs[0].value.T if by_row else matrix.attrs[0].value
        key = (matrix.attrs[0].key, "rows", by_row)
        if key not in self.columns:
            base = self.place("%constants", self.e.pack.put(key, *row_blocks(array, LANES)))
            start = self.b.iop("mul", self.counter, array.shape[1])
            self.columns[key] = self.b.element_pointer(base, start)
            if array.nbytes > _IN_CACHE:
                for column in range(array.shape[1]):
                    ahead = LANES * (column + _AHEAD * array.shape[1])
                    self.b.prefetch(self.b.element_pointer(self.columns[key], ahead))
        if (*key, j) not in self.columns:
            pointer = self.b.element_pointer(self.columns[key], LANES * j)
            self.columns[*key, j] = self.b.load(pointer, LANES)
        return self.columns[*key, j]

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
        return self._gather(self.place(base, offset), self._indices(table))

    def _positions(self, table: Table) -> list[str | int]:
        indices = self._indices(table)
        lanes = [self.b.extract(indices, lane, LANES, "i32") for lane in range(LANES)]
        return [self.b.convert("sext", lane, "i32", "i64") for lane in lanes]

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        b = self.b
        doubles = [self._as_double(sink, v) for sink, v in zip(sinks, values, strict=True)]
        by_sink = {id(sink): value for sink, value in zip(sinks, doubles, strict=True)}
        for sink, j, old in self.accumulators:
            value = by_sink[id(sink)]
            if sink.matrix is not None:
                new = b.fma(self.column(sink.node, j), value, old, LANES)
            else:
                new = self.grown(sink, j, old, value)
            self.new.append(new if self.mask is None else b.select(self.mask, new, old, LANES))
        for sink in sinks:
            if sink.bins is not None:
                value = by_sink[id(sink)]
                if self.mask is not None:
                    value = b.select(self.mask, value, IDENTITY[sink.combine], LANES)
                self._scatter(sink, value, self._positions(sink.bins))

    def store(self, store: Store, value: str) -> None:
        value = self._as_double(store, value)
        if store.positions is not None:
            self._scatter_store(store, value, self._positions(store.positions))
            return
        base = self._target(store, 0)
        self.b.store(value, self.b.element_pointer(base, self.at), LANES)
