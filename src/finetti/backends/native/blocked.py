"""Loops over the rows of wide matrices, a block of rows at a time.

For each block of rows the product with a vector comes first and is left in scratch memory; then the
rows are walked as in any loop; then the sums over rows, `X.T @ r`, take up what the rows have left.
So a matrix is read from memory once for both, and the block is in the cache the second time. A
matrix is packed as [block][column][row]. The last block overlaps the one before, as in plain loops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetti.backends.native.accumulating import IDENTITY
from finetti.backends.native.counting import count, fold_lanes
from finetti.backends.native.layout import BLOCK_ROWS, LANES, row_blocks
from finetti.backends.native.loops import VECTOR, LoopBody, PlainBody, is_product, walk
from finetti.backends.native.outline import Outline
from finetti.backends.native.plan import Ref, Sink
from finetti.backends.native.row_chunks import ChunkFunction
from finetti.ir import Node

if TYPE_CHECKING:
    from finetti.backends.native.emit import Emitter

_VECTORS = BLOCK_ROWS // LANES


def has_wide_products(e: Emitter, roots: list[Ref], sinks: list[Sink]) -> bool:
    """Whether a loop works on wide matrices."""
    wide = e.plan.wide_product
    return any(sink.matrix is not None and wide(sink.matrix) for sink in sinks) or any(
        is_product(e, node) and wide(node) for node in walk(e, roots)
    )


class BlockedBody(PlainBody):
    """Blocks of rows, in each of them eight rows a step."""

    def __init__(self, e: Emitter, length: int, outline: Outline | None = None):
        super().__init__(e, length, outline)
        self.factors: dict[Node, str] = {}  # the address of the vector of each wide product
        self.etas: dict[Node, str] = {}  # where a block's product lies
        self.blocks: dict[Node, str] = {}  # where the block of a matrix begins
        self.wide: list[tuple[Sink, str, str]] = []  # sinks; their block of rows, their sums

    # -- before the loop

    def _spread(self, product: Node) -> None:
        if not self.e.plan.wide_product(product):
            super()._spread(product)
            return
        source, start = self.e.plan.plain(product.args[1])
        self.factors[product] = self.array(source, start)
        self.etas[product] = self._room(BLOCK_ROWS)

    def _room(self, doubles: int) -> str:
        if isinstance(self.outline, ChunkFunction):
            return self.outline.room(doubles)
        return self.place("%scratch", self.e.scratch.take(doubles))

    def open(self, sinks: list[Sink]) -> None:
        b = self.b
        for sink in sinks:
            if self.sums_by_lane(sink):
                size = sink.node.type.size * LANES
                sums = self.targets.get(sink.node) or self._room(size)
                b.clear(sums, 8 * size)
                self.wide.append((sink, self._room(BLOCK_ROWS), sums))
        before, self.outer_head = b.block, b.fresh_label("blocks")
        b.branch(self.outer_head)
        b.label(self.outer_head)
        self.outer = b.open_phi("i64", self.begin, before)
        starts = [
            (sink, j, b.const(0.0 if j else IDENTITY[sink.combine], LANES))
            for sink in sinks if sink.bins is None and not self.sums_by_lane(sink)
            for j in range(self.parts(sink))
        ]  # fmt: skip
        self.totals = [b.open_phi(VECTOR, start, before) for _, _, start in starts]
        b.fuse(True)
        self.first = self.outer
        if self.length % BLOCK_ROWS:
            b.declare("llvm.umin.i64", "i64", ["i64", "i64"])
            last = self.varying(self.length - BLOCK_ROWS)
            self.first = b.emit(f"call i64 @llvm.umin.i64(i64 {self.outer}, i64 {last})")
        for product in self.factors:
            self._multiply(product)
        inner_before, self.head = b.block, b.fresh_label("rows")
        b.branch(self.head)
        b.label(self.head)
        self.counter = b.open_phi("i64", "0", inner_before)
        self.accumulators = [
            (sink, j, b.open_phi(VECTOR, total, inner_before))
            for (sink, j, _), total in zip(starts, self.totals, strict=True)
        ]
        self.at = b.iop("add", self.first, self.counter)
        self.mask = None
        if self.length % BLOCK_ROWS:
            behind = b.splat(b.iop("sub", self.outer, self.at), LANES, "i64")
            self.mask = b.icmp("sge", b.iota(LANES), behind, LANES)
        self.new = []

    def sums_by_lane(self, sink: Sink) -> bool:
        return sink.matrix is not None and self.e.plan.wide_product(sink.matrix)

    # -- products

    def _block(self, product: Node) -> tuple[str, int]:
        """Where the present block of a product's matrix begins, and how many columns it has."""
        matrix, by_row = self.matrix_of(product)
        columns = matrix.shape[0 if by_row else 1]
        if matrix not in self.blocks:
            array = matrix.attrs[0].value
            parts = row_blocks(array.T if by_row else array, BLOCK_ROWS)
            key = (matrix.attrs[0].key, "blocks", by_row)
            base = self.place("%constants", self.e.pack.put(key, *parts))
            self.blocks[matrix] = self.b.element_pointer(
                base, self.b.iop("mul", self.outer, columns)
            )
        return self.blocks[matrix], columns

    def _multiply(self, product: Node) -> None:
        """The block's rows times the vector: two columns a step, to keep the adders busy."""
        b = self.b
        block, columns = self._block(product)
        vector = self.factors[product]

        def add(column: str, sums: list[str]) -> list[str]:
            factor = b.splat(b.load(b.element_pointer(vector, column)), LANES)
            rows = self._rows(b.element_pointer(block, b.iop("mul", column, BLOCK_ROWS)))
            return [b.fma(row, factor, old, LANES) for row, old in zip(rows, sums, strict=True)]

        def pair(i: str, sums: list[str]) -> list[str]:
            column = b.iop("shl", i, 1)
            even = add(column, sums[:_VECTORS])
            return even + add(b.iop("or", column, 1), sums[_VECTORS:])

        sums = count(b, columns // 2, [b.const(0.0, LANES)] * (2 * _VECTORS), pair)
        even = add(str(columns - 1), sums[:_VECTORS]) if columns % 2 else sums[:_VECTORS]
        for v, (x, y) in enumerate(zip(even, sums[_VECTORS:], strict=True)):
            target = b.element_pointer(self.etas[product], LANES * v)
            b.store(b.fadd(x, y, LANES), target, LANES)

    def _rows(self, base: str) -> list[str]:
        """A block's rows of one column."""
        b = self.b
        return [b.load(b.element_pointer(base, LANES * v), LANES) for v in range(_VECTORS)]

    def _sum(self, sink: Sink, left: str, sums: str) -> None:
        """Add the block's rows to the sums over rows, a vector for each column."""
        b = self.b
        assert sink.matrix is not None
        block, columns = self._block(sink.matrix)
        values = self._rows(left)

        def add(column: str, _: list[str]) -> list[str]:
            rows = self._rows(b.element_pointer(block, b.iop("mul", column, BLOCK_ROWS)))
            target = b.element_pointer(sums, b.iop("mul", column, LANES))
            total = b.load(target, LANES)
            for row, value in zip(rows, values, strict=True):
                total = b.fma(row, value, total, LANES)
            b.store(total, target, LANES)
            return []

        count(b, columns, [], add)

    def _product(self, node: Node) -> str:
        if node not in self.etas:
            return super()._product(node)
        return self.b.load(self.b.element_pointer(self.etas[node], self.counter), LANES)

    def column(self, product: Node, j: int) -> str:
        return LoopBody.column(self, product, j)  # the last block does not begin at an eighth row

    # -- after the rows

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        b, wide = self.b, {id(sink): left for sink, left, _ in self.wide}
        for sink, value in zip(sinks, values, strict=True):
            if id(sink) in wide:
                value = self._as_double(sink, value)
                if self.mask is not None:
                    value = b.select(self.mask, value, 0.0, LANES)
                b.store(value, b.element_pointer(wide[id(sink)], self.counter), LANES)
        rest = [
            pair for pair in zip(sinks, values, strict=True) if id(pair[0]) not in wide
        ]  # fmt: skip
        super().accumulate([sink for sink, _ in rest], [value for _, value in rest])

    def close(self) -> None:
        b = self.b
        following, latch = b.iop("add nuw nsw", self.counter, LANES), b.block
        summed, after = b.fresh_label("sums"), b.fresh_label("exit")
        b.branch_if(b.icmp("ult", following, BLOCK_ROWS), self.head, summed)
        b.close_phi(self.counter, following, latch)
        for (_, _, name), new in zip(self.accumulators, self.new, strict=True):
            b.close_phi(name, new, latch)
        b.label(summed)
        for sink, left, sums in self.wide:
            self._sum(sink, left, sums)
        following, latch = b.iop("add nuw nsw", self.outer, BLOCK_ROWS), b.block
        more = b.icmp("ult", following, self.until(self.length))
        b.branch_if(more, self.outer_head, after)
        b.fuse(False)
        b.close_phi(self.outer, following, latch)
        for total, new in zip(self.totals, self.new, strict=True):
            b.close_phi(total, new, latch)
        b.label(after)
        for sink, _, sums in self.wide:
            if sink.node not in self.targets:
                fold_lanes(b, sums, self.array(sink.node), sink.node.type.size)
        self.finish()
