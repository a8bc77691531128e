"""Small arrays inside of loops over steps: in registers, as calls would cost more than the work.

Products of small matrices become sums of elementwise products; elements are moved by shuffles, sums
over an axis are sums of shuffled vectors, and an element at a runtime position is one load.
"""

from __future__ import annotations

from collections.abc import Sequence

from finetti.backends.native.accumulating import IDENTITY
from finetti.backends.native.builder import Builder
from finetti.backends.native.loops import straight
from finetti.backends.native.plan import Sink, Table
from finetti.backends.native.straight import StraightBody
from finetti.ir import BOOL, Node, topological
from finetti.ir.body import Body
from finetti.ir.node import make
from finetti.ir.ops.control import body_of, scan_op
from finetti.passes.simplify import build

_TERMS = 8  # of an unrolled product or sum
_LANES = 16


def spread(outputs: Sequence[Node]) -> list[Node]:
    """Write out the products of small matrices in the bodies of all loops of a graph."""
    new: dict[Node, Node] = {}
    for node in topological(outputs):
        args, attrs = tuple(new[arg] for arg in node.args), node.attrs
        if node.op is scan_op:
            attrs = (_spread_body(body_of(node)), *attrs[1:])
        same = args == node.args and attrs == node.attrs
        new[node] = node if same else make(node.op, args, attrs)
    return [new[node] for node in outputs]


def _spread_body(body: Body) -> Body:
    def rewrite(outputs: Sequence[Node]) -> list[Node]:
        new: dict[Node, Node] = {}
        for node in topological(outputs):
            args = tuple(new[arg] for arg in node.args)
            made = _product(*args) if node.op.name == "matmul" else None
            if made is None:
                made = node if args == node.args else make(node.op, args, node.attrs)
            new[node] = made
        return [new[node] for node in outputs]

    return body.rewritten("spread", rewrite)


def _product(a: Node, b: Node) -> Node | None:
    if a.type.ndim != 2 or b.type.ndim != 2:
        return None
    (n, k), m = a.shape, b.shape[1]
    if not 0 < n * m <= _LANES or not 0 < k <= _TERMS:
        return None
    total = None
    for j in range(k):
        column = build("index", a, attrs=((("slice", None, None, None), j),))
        row = build("index", b, attrs=((j,),))
        column = build("reshape", column, attrs=((n, 1),))
        row = build("reshape", row, attrs=((1, m) if n > 1 or m > 1 else (1, 1),))
        term = build("multiply", column, row)
        total = term if total is None else build("add", total, term)
    assert total is not None
    return build("reshape", total, attrs=((n, m),))


# -- code ----------------------------------------------------------------------------------------


def shuffle(b: Builder, value: str, size: int, places: Sequence[int], other: str = "poison") -> str:
    """Lanes of `value` (and, from `size` on, of `other`) in a new order."""
    mask = ", ".join("i32 poison" if place < 0 else f"i32 {place}" for place in places)
    kind = f"<{size} x double>"
    return b.emit(f"shufflevector {kind} {value}, {kind} {other}, <{len(places)} x i32> <{mask}>")


def merged(b: Builder, value: str, other: str, places: Sequence[int]) -> str:
    """Lanes of `other` where `places` has any, those of `value` elsewhere."""
    size = len(places)
    mask = ", ".join(f"i32 {lane if at < 0 else size + lane}" for lane, at in enumerate(places))
    kind = f"<{size} x double>"
    return b.emit(f"shufflevector {kind} {value}, {kind} {other}, <{size} x i32> <{mask}>")


def members(sink: Sink) -> list[list[int]] | None:
    """The lanes of each bin, if they are few enough to be added in registers."""
    if sink.bins is None or sink.node.type.size < 2 or sink.matrix is not None:
        return None
    if not straight(sink.node.type.size):
        return None
    lanes: list[list[int]] = [[] for _ in range(sink.node.type.size)]
    for lane, place in enumerate(sink.bins.positions.tolist()):
        lanes[place].append(lane)
    return lanes if max(map(len, lanes)) <= _TERMS else None


class RegisterBody(StraightBody):
    """All elements at once, read from registers where they are there."""

    def _gathered(self, node: Node, table: Table) -> str:
        value = self.e.vectors.get(node)
        if value is None or node.type.dtype == BOOL:
            return super()._gathered(node, table)
        places = table.positions.tolist()
        if len(places) == 1:
            return self.b.extract(value, places[0], node.type.size)
        return shuffle(self.b, value, node.type.size, places)

    def accumulate(self, sinks: list[Sink], values: list[str]) -> None:
        rest: list[tuple[Sink, str]] = []
        for sink, value in zip(sinks, values, strict=True):
            lanes = members(sink)
            if lanes is None:
                rest.append((sink, value))
            else:
                self._summed(sink, self._as_double(sink, value), lanes)
        super().accumulate([sink for sink, _ in rest], [value for _, value in rest])

    def _summed(self, sink: Sink, value: str, lanes: list[list[int]]) -> None:
        b, size = self.b, sink.node.type.size
        blank = b.const(IDENTITY[sink.combine], self.lanes)
        total = ""
        if self.lanes == 1:
            place = next(at for at, own in enumerate(lanes) if own)
            total = b.insert(b.const(IDENTITY[sink.combine], size), value, place, size)
            lanes = []
        for k in range(max(map(len, lanes), default=0)):
            places = [own[k] if k < len(own) else self.lanes for own in lanes]
            part = shuffle(b, value, self.lanes, places, blank)
            total = self._combine(sink, total, part, size) if total else part
        b.store(total, self.array(sink.node), size)
        if sink.node.type.dtype != BOOL:
            self.e.vectors[sink.node] = total


def load_at(b: Builder, base: str, place: str, length: int) -> str:
    """An element at a position held in a double; NaN outside."""
    inside, safe = _checked(b, place, length)
    value = b.load(b.element_pointer(base, safe))
    return b.select(inside, value, float("nan"))


def store_at(b: Builder, base: str, place: str, length: int, value: str) -> None:
    """Zeros with a value at a position held in a double; nothing outside."""
    inside, safe = _checked(b, place, length)
    b.clear(base, 8 * length)
    b.store(b.select(inside, value, 0.0), b.element_pointer(base, safe))


def _checked(b: Builder, place: str, length: int) -> tuple[str, str]:
    at = b.convert("fptosi", place, "double", "i64")
    inside = b.icmp("ult", at, length)
    return inside, b.select(inside, at, 0, element="i64")


__all__ = ["RegisterBody", "load_at", "members", "merged", "shuffle", "spread", "store_at"]
