"""Tables inside of loops over steps, taken apart into rows that fill vectors.

A step that works on several sequences at once, or on a matrix of transitions, computes with tables
whose axes are stretched and summed. They are written out along all axes but one, the lanes: what
is left are arrays of one length, which are added, multiplied and compared where they stand.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.backends.native.loops import STRAIGHT_LIMIT
from finetti.ir import OPS, Node, rebuild, topological
from finetti.ir.body import Body, make_slot
from finetti.ir.node import make
from finetti.ir.ops.control import body_of, parts_of, piece, scan_op
from finetti.ir.ops.leaf import const
from finetti.ir.types import TensorType, map_sizes
from finetti.passes.simplify import build, fission
from finetti.passes.simplify.core import constant, stretch
from finetti.passes.simplify.loops import place_of

_TINY = 9  # arrays of so few elements are as well numbers
_ROWS = 64  # of a table
_TERMS = 256  # of all products of two tables
_NUMBERS = 500  # of a body of single numbers
_NODES = 3000  # of a body that is written out
_MOVED = {"reshape", "transpose", "broadcast_to", "index", "index_add"}
_JOINED = {"sum": "add", "max": "maximum", "min": "minimum", "prod": "multiply",
           "any": "logical_or", "all": "logical_and"}  # fmt: skip

Rows = np.ndarray[Any, Any]  # of nodes: a node's shape with 1 in the place of the lanes


class _Whole(Exception):
    """A body that cannot be taken apart."""


def unfold(outputs: Sequence[Node]) -> list[Node]:
    """Take the tables in the bodies of all loops of a graph apart."""
    new: dict[Node, Node] = {}
    apart: dict[Node, _Apart] = {}
    for node in topological(outputs):
        args = tuple(new[arg] for arg in node.args)
        if node.op is piece and node.args[0] in apart:
            new[node] = apart[node.args[0]].whole(node)
            continue
        if node.op is scan_op:
            lanes = _lanes(body_of(node))
            if lanes < 0 and _whole_tables(node, apart):
                lanes = 0
            try:
                if lanes:
                    apart[node] = _Apart(node, args, lanes, apart)
                    new[node] = apart[node].node
                    continue
            except _Whole:
                pass
        new[node] = node if args == node.args else make(node.op, args, node.attrs)
    return [new[node] for node in outputs]


def _whole_tables(node: Node, apart: Container[Node]) -> bool:
    """Whether a loop reads tables as others have left them: their numbers do not lie together."""
    return any(
        arg.op is piece and arg.type.ndim > 1 and arg.args[0] not in apart for arg in node.args
    )


def _lanes(body: Body) -> int:
    """The length of the rows; -1 for single numbers, 0 when there is nothing to take apart."""
    sizes = [node.type.size for node in body.nodes]
    if 1 < max(sizes, default=0) <= _TINY and min(sizes):
        waits = set(body.inputs[: body.carries])
        for node in body.nodes:
            if any(arg in waits for arg in node.args):
                waits.add(node)
        return 0 if fission.heavy(node for node in waits if node.type.size > 1) else -1
    tables = [
        node for node in body.nodes
        if node.type.size > STRAIGHT_LIMIT and sum(n > 1 for n in node.shape) > 1
    ]  # fmt: skip
    longest = max((max(node.shape) for node in tables), default=0)
    return longest if longest >= 4 else 0


@dataclass
class _Input:
    """Rows of an argument."""

    slot: Node
    arg: Node


class _Apart:
    """One loop.

    Parameters
    ----------
    node : Node
        The scan.
    args : tuple of Node
        Its arguments in the new graph.
    lanes : int
        Length of the rows.
    apart : dict
        Loops that were taken apart before.
    """

    def __init__(self, node: Node, args: tuple[Node, ...], lanes: int, apart: dict[Node, _Apart]):
        self.lanes, self.apart, self.old = lanes, apart, node
        self.args = args
        body = self.body = body_of(node)
        self.length = int(node.attrs[1])
        self.known: dict[tuple[Node, int | None], Rows] = {}
        self.places = {own: place for place, own in enumerate(body.inputs)}
        self.inputs: tuple[list[_Input], ...] = ([], [], [])
        self.count = 0
        for own in body.inputs[: body.carries]:
            self._rows(own, self._axis(own.shape))
        results = [self._rows(out, self._axis(out.shape)) for out in body.outputs]
        self.results = results
        entries = [entry for kind in self.inputs for entry in kind]
        slots = tuple(make_slot(i, entry.slot.type, False) for i, entry in enumerate(entries))
        flat = [row for rows in results for row in rows.ravel()]
        outs = rebuild(flat, {e.slot: own for e, own in zip(entries, slots, strict=True)})
        made = Body(slots, tuple(outs), len(self.inputs[0]), len(self.inputs[1]))
        self.node = make(
            scan_op, tuple(entry.arg for entry in entries), (made, self.length, node.attrs[2], ())
        )
        pieces = iter(
            make(piece, (self.node,), (start, kind.shape, kind.dtype))
            for start, kind in parts_of(made, self.length)
        )
        self.pieces: list[Rows] = []
        for rows in results:
            parts: Rows = np.empty(rows.shape, object)
            for place in np.ndindex(rows.shape):
                parts[place] = next(pieces)
            self.pieces.append(parts)

    # -- outside of the loop

    def whole(self, node: Node) -> Node:
        """The node that takes the place of a piece."""
        place = place_of(node)
        if place is None:
            raise AssertionError(node)
        _, shape, dtype = map_sizes(node.attrs, int)
        rows = self.pieces[place]
        axis = self._axis(self.body.outputs[place].shape)
        front = shape[: len(shape) - rows.ndim]
        size = () if axis is None else (self.lanes,)
        parts = [build("reshape", row, attrs=((1, *front, *size),)) for row in rows.ravel()]
        joined = parts[0] if len(parts) == 1 else make(OPS["concatenate"], tuple(parts), (0,))
        others = [n for k, n in enumerate(rows.shape) if k != axis]
        table = build("reshape", joined, attrs=((*others, *front, *size),))
        inner = list(range(len(others)))
        if axis is not None:
            inner.insert(axis, len(others) + len(front))
        order = (*range(len(others), len(others) + len(front)), *inner)
        return build("transpose", table, attrs=(order,)) if len(order) > 1 else table

    def _outer(self, place: int, at: tuple[int, ...], axis: int | None) -> Node:
        """A row of an argument, for all steps if it is a sequence."""
        old, arg = self.old.args[place], self.args[place]
        moves = self.body.carries <= place < self.body.carries + self.body.sequences
        if old.op is piece and old.args[0] in self.apart:
            other = self.apart[old.args[0]]
            output = place_of(old)
            if output is not None and moves == (output >= other.body.carries):
                inner = other.body.outputs[output]
                own = other._axis(inner.shape)
                if inner.shape == self.body.inputs[place].shape and own == axis:
                    found: Node = other.pieces[output][at]
                    return found
        spec = [("slice", None, None, None) if k == axis else n for k, n in enumerate(at)]
        if moves:
            spec.insert(0, ("slice", None, None, None))
        return build("index", arg, attrs=(tuple(spec),)) if spec else arg

    # -- rows

    def _axis(self, shape: Sequence[int]) -> int | None:
        """The axis of the lanes: the last of that length."""
        return max((k for k, n in enumerate(shape) if n == self.lanes), default=None)

    def _blank(self, shape: Sequence[int], axis: int | None) -> Rows:
        rows = np.empty(tuple(1 if k == axis else n for k, n in enumerate(shape)), object)
        if rows.size > _ROWS or not rows.size:
            raise _Whole
        self.count += rows.size
        if self.count > (_NODES if self.lanes > 0 else _NUMBERS):
            raise _Whole
        return rows

    def _rows(self, node: Node, axis: int | None) -> Rows:
        key = node, axis
        if key not in self.known:
            self.known[key] = self._made(node, axis)
        return self.known[key]

    def _made(self, node: Node, axis: int | None) -> Rows:
        name, own = node.op.name, self._axis(node.shape)
        if node in self.places:
            return self._slot_rows(node, axis)
        if node.op is const:
            return self._constant_rows(node, axis)
        if axis is None and own is not None:
            return self._exploded(node, own)
        if node.op.family == "elementwise":
            return self._elementwise(node, axis)
        if name in _MOVED:
            return self._moved(node, axis)
        if name in _JOINED:
            return self._reduced(node, axis)
        if name == "matmul":
            return self._product(node, axis)
        if name == "concatenate" and node.attrs[0] != axis:
            return np.concatenate(
                [self._rows(arg, self._like(arg, node, axis)) for arg in node.args], node.attrs[0]
            )
        raise _Whole

    def _slot_rows(self, node: Node, axis: int | None) -> Rows:
        place = self.places[node]
        kind = 0 if place < self.body.carries else 1
        kind = 2 if place >= self.body.carries + self.body.sequences else kind
        if kind == 0 and axis != self._axis(node.shape):
            return self._exploded(node, self._axis(node.shape))
        rows = self._blank(node.shape, axis)
        size = () if axis is None else (self.lanes,)
        for at in np.ndindex(rows.shape):
            arg = self._outer(place, at, axis)
            slot = make_slot(("row", place, axis, at), TensorType(node.type.dtype, size), False)
            self.inputs[kind].append(_Input(slot, arg))
            rows[at] = slot
        return rows

    def _constant_rows(self, node: Node, axis: int | None) -> Rows:
        rows = self._blank(node.shape, axis)
        value = node.attrs[0].value
        for at in np.ndindex(rows.shape):
            key = tuple(slice(None) if k == axis else n for k, n in enumerate(at))
            rows[at] = constant(value[key])
        return rows

    def _exploded(self, node: Node, own: int | None) -> Rows:
        """Single numbers of what lies in rows."""
        if own is None or self.lanes > STRAIGHT_LIMIT:
            raise _Whole
        rows = self._rows(node, own)
        parts = self._blank(node.shape, None)
        for at in np.ndindex(parts.shape):
            row = rows[tuple(0 if k == own else n for k, n in enumerate(at))]
            parts[at] = build("index", row, attrs=((at[own],),))
        return parts

    def _like(self, arg: Node, node: Node, axis: int | None) -> int | None:
        """The axis of an operand's lanes, when its result has them at `axis`."""
        if axis is None:
            return None
        own = axis - (node.type.ndim - arg.type.ndim)
        return own if own >= 0 and arg.shape[own] == self.lanes else None

    def _elementwise(self, node: Node, axis: int | None) -> Rows:
        operands = [self._rows(arg, self._like(arg, node, axis)) for arg in node.args]
        rows = self._blank(node.shape, axis)
        for at, *parts in _together(rows.shape, operands):
            rows[at] = build(node.op.name, *parts, attrs=node.attrs)
        return rows

    def _moved(self, node: Node, axis: int | None) -> Rows:
        """Rows that are rows of the argument, or are put together from its elements."""
        x = node.args[0]
        if any(arg.op is not const for arg in node.args[1:]):
            raise _Whole
        flat = np.arange(x.type.size).reshape(x.shape)
        indices = tuple(arg.attrs[0].value for arg in node.args[1:])
        if node.op.name == "index_add":
            shape, spec = node.attrs
            into = np.arange(node.type.size).reshape(node.shape)
            into = OPS["index"].evaluate((into, *indices), (spec,))
            source = np.full(node.type.size, -1)
            if len(np.unique(into)) != into.size or into.shape != x.shape:
                raise _Whole
            source[into.ravel()] = flat.ravel()
            source = source.reshape(node.shape)
        else:
            source = np.asarray(node.op.evaluate((flat, *indices), node.attrs))
        ways = [k for k, n in enumerate(x.shape) if n == self.lanes and axis is not None]
        for way in (*reversed(ways), None):
            found = self._picked(node, axis, x, way, source)
            if found is not None:
                return found
        raise _Whole

    def _picked(
        self, node: Node, axis: int | None, x: Node, way: int | None, source: np.ndarray
    ) -> Rows | None:
        """The rows of a moved array out of rows of what it was, if they are that."""
        size = () if axis is None else (self.lanes,)
        lines = source if axis is None else np.moveaxis(source, axis, -1)
        lines = lines.reshape(-1, *size)
        chosen: list[Any] = []
        own = np.arange(x.type.size).reshape(x.shape)
        by_first = {}
        if way is not None:
            table = np.moveaxis(own, way, -1).reshape(-1, self.lanes)
            by_first = {tuple(line): k for k, line in enumerate(table.tolist())}
        for line in lines.tolist():
            places = line if size else [line]
            if max(places) < 0:  # nothing is added here
                chosen.append(-1)
            elif way is not None and tuple(places) in by_first:
                chosen.append(by_first[tuple(places)])
            elif way is None and len(set(places)) == 1:
                chosen.append(places[0])
            else:
                return None
        listed = list(self._rows(x, way).ravel())  # in C order without the axis of the lanes
        zero = constant(np.zeros(() if way is None else size, x.type.dtype))
        values = [zero if k < 0 else listed[k] for k in chosen]
        if way is None:
            values = [stretch(value, size) for value in values]
        rows = self._blank(node.shape, axis)
        rows.ravel()[:] = values
        return rows

    def _reduced(self, node: Node, axis: int | None) -> Rows:
        x, (axes,) = node.args[0], node.attrs
        left = [k for k in range(x.type.ndim) if k not in axes]
        keeps = node.type.ndim == x.type.ndim
        if axis is None:
            way = self._axis(x.shape)
        else:
            way = axis if keeps else left[axis]
        if axis is not None and (way is None or x.shape[way] != self.lanes):
            raise _Whole
        own = self._axis(x.shape)
        if axis is not None and way != own and own in axes and self.lanes <= STRAIGHT_LIMIT:
            return self._lined_up(self._reduced(node, None), axis)
        rows = self._rows(x, way)
        joined = _JOINED[node.op.name]
        result = self._blank(node.shape, axis)
        moved = np.moveaxis(rows, axes, range(len(axes)))
        lines = moved.reshape(int(np.prod(moved.shape[: len(axes)])), -1)
        values = []
        for column in lines.T:
            value = _joined_up(joined, list(column))
            if way is not None and way in axes:
                value = build(node.op.name, value, attrs=((0,),))
            values.append(value)
        result.ravel()[:] = values
        return result

    def _lined_up(self, numbers: Rows, axis: int) -> Rows:
        """Rows of single numbers."""
        lines = np.moveaxis(numbers, axis, -1)
        rows: Rows = np.empty(lines.shape[:-1], object)
        for at in np.ndindex(rows.shape):
            parts = [build("reshape", number, attrs=((1,),)) for number in lines[at]]
            rows[at] = build("concatenate", *parts, attrs=(0,))
        return np.expand_dims(rows, axis)

    def _product(self, node: Node, axis: int | None) -> Rows:
        a, b = node.args
        ndim = node.type.ndim
        if a.type.ndim != ndim or b.type.ndim != ndim or ndim < 2:
            raise _Whole
        inner = a.shape[-1]
        row = axis if axis is not None and axis < ndim - 1 else None
        column = axis if axis is not None and axis != ndim - 2 else None
        left = self._rows(a, row if row is not None and a.shape[row] == self.lanes else None)
        right = self._rows(
            b, column if column is not None and b.shape[column] == self.lanes else None
        )
        result = self._blank(node.shape, axis)
        if result.size * inner > _TERMS:
            raise _Whole
        terms: list[Any] = []
        for k in range(inner):
            sides = left[..., :, k : k + 1], right[..., k : k + 1, :]
            term: Rows = np.empty(result.shape, object)
            for at, x, y in _together(result.shape, sides):
                term[at] = build("multiply", x, y)
            terms.append(term)
        for at in np.ndindex(result.shape):
            result[at] = _joined_up("add", [one[at] for one in terms])
        return result


def _joined_up(name: str, parts: list[Node]) -> Node:
    """Parts added up (or whatever `name` does) in pairs, so that few wait for each other."""
    while len(parts) > 1:
        pairs: list[Node] = [build(name, *parts[k : k + 2]) for k in range(0, len(parts) - 1, 2)]
        parts = pairs + parts[len(parts) // 2 * 2 :]
    return parts[0]


def _together(shape: tuple[int, ...], operands: Sequence[Rows]) -> Any:
    """Places in a table, each with what stands there in tables stretched to it."""
    stretched = [np.broadcast_to(operand, shape) for operand in operands]
    for at in itertools.product(*map(range, shape)):
        yield at, *(operand[at] for operand in stretched)


__all__ = ["unfold"]
