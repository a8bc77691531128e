"""Indexing at positions that are known only when the function runs.

The positions in the flat array are worked out in integer arithmetic, and a kernel takes, adds or
writes the elements. Positions outside of an axis read NaN and write nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.ir import OPS, Node
from finetti.ir.node import constant_data, make
from finetti.ir.ops.leaf import const
from finetti.passes.simplify import build

# An offset that no position inside an array makes up for.
_OUTSIDE = -(2**60)


def dynamic(indices: list[Node]) -> bool:
    """Whether some index is not a constant."""
    return any(index.op is not const for index in indices)


def take(x: Node, indices: list[Node], spec: Any) -> Node:
    """``x[key]``."""
    places = positions(x.shape, indices, spec)
    taken = make(OPS["take_along"], (_flat(x), _flat(places)), (0,))
    return build("reshape", taken, attrs=(places.shape,))


def add(g: Node, indices: list[Node], shape: tuple[int, ...], spec: Any) -> Node:
    """Zeros in a shape, with `g` added at the key."""
    shape = tuple(map(int, shape))
    places = positions(shape, indices, spec)
    length = int(np.prod(shape, dtype=np.int64))
    total = make(OPS["add_along"], (_flat(_filled(g, places)), _flat(places)), (0, length))
    return build("reshape", total, attrs=(shape,))


def put(x: Node, v: Node, indices: list[Node], spec: Any) -> Node:
    """`x` with `v` written at the key."""
    places = positions(x.shape, indices, spec)
    parts = (_flat(x), _flat(_filled(v, places)), _flat(places))
    return build("reshape", make(OPS["put_along"], parts, (0,)), attrs=(x.shape,))


def positions(shape: tuple[int, ...], indices: list[Node], spec: Any) -> Node:
    """Where in the flat array the elements of ``x[key]`` lie, in the result's shape."""
    shape = tuple(map(int, shape))
    known = [_known(index) for index in indices]
    flat = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)
    total = _array(OPS["index"].evaluate((flat, *known), (spec,)))
    axis = 0
    for part in spec:
        if isinstance(part, tuple) and part[0] == "at":
            index = indices[part[1]]
            if index.op is not const:
                chosen = _array(_chosen(shape, axis, known, part[1], spec))
                own = _offset(index, shape[axis], int(np.prod(shape[axis + 1 :], dtype=np.int64)))
                term = build("index", _flat(own), chosen, attrs=((("at", 0),),))
                total = build("add", total, term)
        axis += part not in (("new",), ("dots",))
    return total


def _known(index: Node) -> np.ndarray:
    """The positions, zeros where they are not known yet."""
    if index.op is const:
        return np.asarray(index.attrs[0].value)
    return np.zeros(index.shape, np.int64)


def _chosen(
    shape: tuple[int, ...], axis: int, known: list[np.ndarray], which: int, spec: Any
) -> np.ndarray:
    """For each element of the result, which element of one index decides about it."""
    count = known[which].size
    column = np.arange(count).reshape(-1, *(1,) * (len(shape) - axis - 1))
    probe = np.broadcast_to(column, (*shape[:axis], count, *shape[axis + 1 :]))
    stand_ins = list(known)
    stand_ins[which] = np.arange(count).reshape(known[which].shape)
    return np.asarray(OPS["index"].evaluate((probe, *stand_ins), (spec,)))


def _offset(index: Node, length: int, stride: int) -> Node:
    """How far a position along an axis moves in the flat array."""
    from_end = build("less", index, _array(0))
    place = build("where", from_end, build("add", index, _array(length)), index)
    inside = build("logical_and", build("greater_equal", place, _array(0)),
                   build("less", place, _array(length)))  # fmt: skip
    return build("where", inside, build("multiply", place, _array(stride)), _array(_OUTSIDE))


def _filled(value: Node, places: Node) -> Node:
    return build("broadcast_to", value, attrs=(places.shape,))


def _flat(x: Node) -> Node:
    return build("reshape", x, attrs=((x.type.size,),))


def _array(value: Any) -> Node:
    return make(const, (), (constant_data(value),))
