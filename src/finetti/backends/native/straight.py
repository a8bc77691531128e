"""Short arrays, all elements at once: vectors of as many lanes as there are elements, no loop."""

from __future__ import annotations

import numpy as np

from finetti.backends.native.loops import LoopBody
from finetti.backends.native.plan import Sink, Store, Table
from finetti.ir import Node
from finetti.ir.ops.leaf import const


class StraightBody(LoopBody):
    """All elements at once."""

    @property
    def rows(self) -> int:
        return 0

    def bounds(self, chunks: int) -> list[int]:
        return []

    def open(self, sinks: list[Sink]) -> None:
        pass

    def close(self) -> None:
        if self.outline is not None:
            return
        self.e.vectors.update(
            (node, value) for node, value in self.values.items() if node.op is not const
        )

    def _held(self, node: Node) -> bool:
        return node in self.e.vectors or super()._held(node)

    def _compute(self, node: Node) -> str:
        known = self.e.vectors.get(node)
        return known if known is not None else super()._compute(node)

    def _constant(self, key: tuple[object, ...], array: np.ndarray) -> str:
        offset = self.e.constant((*key, "plain"), np.asarray(array, float))
        return self.b.load(self.place("%constants", offset), self.lanes)

    def _memory(self, node: Node) -> str:
        return self.b.load(self.array(node), self.lanes)

    def _gathered(self, node: Node, table: Table) -> str:
        if table.start is not None:
            return self.b.load(self.array(node, table.start), self.lanes)
        value = "poison"
        loaded: dict[int, str] = {}
        for lane, position in enumerate(table.positions.tolist()):
            if position not in loaded:
                loaded[position] = self.b.load(self.element(node, position))
            value = self.b.insert(value, loaded[position], lane, self.lanes)
        return value

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        for sink, value in zip(sinks, values, strict=True):
            value = self._as_double(sink, value)
            if sink.matrix is not None:
                for j in range(sink.node.type.size):
                    dot = self.b.fmul(self.column(sink.node, j), value, self.lanes)
                    self.b.store(self.b.reduce_fadd(dot, self.lanes), self.element(sink.node, j))
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
