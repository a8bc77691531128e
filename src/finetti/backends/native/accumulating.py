"""What loops accumulate: sums, extremes, and products instead of sums of logarithms."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from finetti.backends.native.builder import Builder
from finetti.backends.native.mathlib import MATH
from finetti.backends.native.plan import Sink

# How the results of several loops are joined. A loop that adds up logarithms keeps the product
# ("log") or the product less 1 ("log1p", "log1p_any") and ends with its logarithm.
COMBINE = {"add": "fadd", "multiply": "fmul", "max": "maximum", "min": "minimum", "log": "fadd",
           "log1p": "fadd", "log1p_any": "fadd"}  # fmt: skip
IDENTITY = {"add": 0.0, "multiply": 1.0, "max": float("-inf"), "min": float("inf"), "log": 1.0,
            "log1p": 0.0, "log1p_any": 0.0}  # fmt: skip
LOGARITHMS = {"log": "log", "log1p": "log1p", "log1p_any": "log1p"}
# Factors are below 2^4, so that the products of so many rows, eight at a time, do not overflow. In
# longer loops, and where factors may be large, large products are scaled down, which is counted.
_SAFE_ROWS = 2000
_LARGE = 2.0**500


class Accumulating(ABC):
    """How the body of a loop carries from step to step what its sinks accumulate."""

    b: Builder
    lanes: int
    scaled: str  # how often products of this step were scaled down, in each lane

    @property
    @abstractmethod
    def rows(self) -> int:
        """How many rows there are."""

    @property
    def walked(self) -> int:
        """Rows and the places where a lane waits for others: each lane takes an eighth of them."""
        return self.rows

    def parts(self, sink: Sink) -> int:
        """How many vectors of a loop hold what a sink accumulates."""
        if sink.matrix is not None:
            return sink.node.type.size
        long = sink.combine in LOGARITHMS and self.walked > _SAFE_ROWS
        return 2 if long or sink.combine == "log1p_any" else 1

    def grown(self, sink: Sink, j: int, old: str, value: str) -> str:
        """One of these vectors after a step; the parts of a sink are asked for in order."""
        b, lanes = self.b, self.lanes
        if self.parts(sink) == 1:
            return self._combine(sink, old, value, lanes)
        if j == 1:
            return b.fadd(old, self.scaled, lanes)
        self.scaled = b.const(0.0, lanes)
        least = 0.0 if sink.combine == "log" else 1.0
        if sink.combine == "log1p_any":
            # An infinite term is counted alone: a product with it would be NaN where others are 0.
            endless = b.fcmp("oeq", value, math.inf, lanes)
            value = self._scaled_down(value, least)
            self.scaled = b.select(endless, math.inf, self.scaled, lanes)
            value = b.select(endless, 0.0, value, lanes)
        return self._scaled_down(self._combine(sink, old, value, lanes), least)

    def _scaled_down(self, value: str, less: float) -> str:
        """A large number (or a number less 1) scaled down, which is counted."""
        b, lanes = self.b, self.lanes
        large = b.fcmp("ogt", value, _LARGE, lanes)
        self.scaled = b.fadd(self.scaled, b.select(large, 1.0, 0.0, lanes), lanes)
        return b.select(large, b.fma(value, 1 / _LARGE, -less, lanes), value, lanes)

    def settled(self, found: list[tuple[Sink, int, str]]) -> list[tuple[Sink, int, str]]:
        """What the vectors of a loop hold in the end, added up over the lanes."""
        results = []
        counts = {id(sink): vector for sink, j, vector in found if j == 1 and sink.matrix is None}
        for sink, j, vector in found:
            if sink.matrix is not None or j == 0:
                results.append((sink, j, self._horizontal(sink, vector, counts.get(id(sink)))))
        return results

    def _combine(self, sink: Sink, x: str, y: str, lanes: int) -> str:
        if sink.combine == "log":
            return self.b.fmul(x, y, lanes)
        if sink.combine in ("log1p", "log1p_any"):  # (1 + x) (1 + y) - 1
            return self.b.fma(x, y, self.b.fadd(x, y, lanes), lanes)
        return getattr(self.b, COMBINE[sink.combine])(x, y, lanes)  # type: ignore[no-any-return]

    def _horizontal(self, sink: Sink, value: str, scaled: str | None = None) -> str:
        if sink.combine in LOGARITHMS:
            value = MATH[LOGARITHMS[sink.combine]](self.b, value, self.lanes)
            if scaled is not None:
                value = self.b.fma(scaled, math.log(_LARGE), value, self.lanes)
            return self.b.reduce_fadd(value, self.lanes)
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
