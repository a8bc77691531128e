"""The last rewriting before code: operations the emitter knows, made of those it does not.

`softplus` and `sigmoid` are written with one shared ``exp(-|x|)``; matrix products get a column on
the right; writing into a copy becomes a selection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from finetti.backends.native import dynamic_index
from finetti.backends.native.columns import take_apart
from finetti.backends.native.lanes import unfold
from finetti.backends.native.products import log1p_unit, multiply_logs
from finetti.backends.native.small import spread
from finetti.ir import BOOL, FLOAT, OPS, Node, topological
from finetti.ir.node import constant_data, make
from finetti.ir.ops.leaf import const
from finetti.ir.types import TensorType, promote
from finetti.passes.facts import nonnegative
from finetti.passes.simplify import (
    add,
    as_dtype,
    build,
    chains,
    loops,
    mul,
    negate,
    number,
    shared,
    simplify,
)

Rule = Callable[..., Node | None]


def lower(outputs: Iterable[Node]) -> list[Node]:
    """Rewrite a simplified graph into what the emitter takes."""
    outputs = take_apart(outputs)
    if any(node.op.name == "scan" for node in topological(outputs)):
        outputs = simplify(unfold(shared.share(outputs)), last=True)
        outputs = chains.shorten(spread(outputs))
        outputs = loops.tidy(outputs, last=True)
    new: dict[Node, Node] = {}
    for node in topological(outputs):
        args = tuple(new[arg] for arg in node.args)
        rule = _RULES.get(node.op.name)
        lowered = rule(*args, *node.attrs) if rule is not None else None
        if lowered is None:
            lowered = node if args == node.args else make(node.op, args, node.attrs)
        new[node] = lowered
    return multiply_logs([new[node] for node in outputs])


def _tail(x: Node) -> Node:
    return build("exp", negate(build("absolute", x)))


def _softplus(x: Node) -> Node:
    return add(build("maximum", x, number(0.0)), make(log1p_unit, (_tail(x),)))


def _sigmoid(x: Node) -> Node:
    tail = _tail(x)
    upper = build("where", build("greater_equal", x, number(0.0)), number(1.0), tail)
    # `build` would see a sigmoid in it again
    return mul(upper, make(OPS["reciprocal"], (add(tail, number(1.0)),)))


def _logaddexp(x: Node, y: Node) -> Node:
    same = build("logical_and", build("isinf", x), build("equal", x, y))
    gap = build("where", same, number(0.0), add(x, negate(y)))
    return add(build("maximum", x, y), make(log1p_unit, (_tail(gap),)))


def _x_times(x: Node, y: Node, logarithm: Node) -> Node:
    # The argument may be dearer than its logarithm: that of an exponential needs no exponential.
    undefined = build("isnan", logarithm if nonnegative(y) else y)
    vanishes = build("logical_and", build("equal", x, number(0.0)), build("logical_not", undefined))
    return build("where", vanishes, number(0.0), mul(x, logarithm))


def _matmul(a: Node, b: Node) -> Node | None:
    if len(a.shape) == len(b.shape) == 2 and a.shape[0] == 1 and b.shape[1] != 1:
        column = build("reshape", a, attrs=((a.shape[1], 1),))
        product = make(OPS["matmul"], (build("transpose", b, attrs=((1, 0),)), column))
        return build("reshape", product, attrs=((1, b.shape[1]),))
    return _batched("matmul", a, b)


def _batched(name: str, a: Node, b: Node, attrs: tuple[Any, ...] = ()) -> Node | None:
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if a.shape[:-2] == b.shape[:-2]:
        return None
    stretched = (build("broadcast_to", x, attrs=((*batch, *x.shape[-2:]),)) for x in (a, b))
    return make(OPS[name], tuple(stretched), attrs)


# Inverses of constant triangles are worked out up to this size.
_INVERSE_LIMIT = 512


def _solve_triangular(a: Node, b: Node, lower: bool, trans: bool) -> Node | None:
    """A constant triangle is inverted once: products with vectors join the loops around them.

    The inverse of a triangle is as accurate as solving with it (Higham 2002, chapter 14).
    """
    known = a.op is const and len(a.shape) == 2 and len(b.shape) == 2 and b.shape[1] == 1
    if not known or not 0 < a.shape[0] <= _INVERSE_LIMIT:
        return _batched("solve_triangular", a, b, (lower, trans))
    matrix = a.attrs[0].value
    if not np.isfinite(matrix).all() or (np.diagonal(matrix) == 0).any():
        return None
    inverse = _array(_inverse(matrix) if lower else _inverse(matrix.T).T)
    return make(
        OPS["matmul"], (build("transpose", inverse, attrs=((1, 0),)) if trans else inverse, b)
    )


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Of the lower triangle, row by row."""
    result = np.zeros(matrix.shape)
    for i, row in enumerate(matrix):
        result[i] = -(row[:i] @ result[:i]) / row[i]
        result[i, i] = 1.0 / row[i]
    return result


def _index_set(x: Node, v: Node, *rest: Any) -> Node:
    *indices, spec = rest
    if dynamic_index.dynamic(indices):
        return dynamic_index.put(x, v, indices, spec)
    positions = _positions(x.type, indices, spec)
    if not positions.size:
        return as_dtype(x, promote(x.type.dtype, v.type.dtype))
    if positions.size == 0:
        return x
    v = build("broadcast_to", v, attrs=(positions.shape,))
    mask = np.zeros(x.type.size, bool)
    source = np.zeros(x.type.size, np.int64)
    mask[positions.ravel()] = True
    source[positions.ravel()] = np.arange(positions.size)
    flat = build("reshape", v, attrs=((positions.size,),))
    picked = build("index", flat, _array(source.reshape(x.shape)), attrs=((("at", 0),),))
    return build("where", _array(mask.reshape(x.shape)), picked, x)


def _index(x: Node, *rest: Any) -> Node | None:
    *indices, spec = rest
    return dynamic_index.take(x, indices, spec) if dynamic_index.dynamic(indices) else None


def _index_add(g: Node, *rest: Any) -> Node | None:
    *indices, shape, spec = rest
    return dynamic_index.add(g, indices, shape, spec) if dynamic_index.dynamic(indices) else None


def _scan(*rest: Any) -> Node:
    *args, body, length, reverse, sizes = rest
    return make(OPS["scan"], tuple(args), (body.rewritten("lower", lower), length, reverse, sizes))


def _parts(*rest: Any) -> Node:
    *args, body, count, places, homes = rest
    return make(OPS["parts"], tuple(args), (body.rewritten("lower", lower), count, places, homes))


def _piece(x: Node, start: int, shape: tuple[int, ...], dtype: str) -> Node | None:
    """Truths are numbers in memory."""
    if dtype != BOOL:
        return None
    return build("not_equal", make(OPS["piece"], (x,), (start, shape, FLOAT)), number(0.0))


def _positions(x: TensorType, indices: list[Node], spec: Any) -> np.ndarray:
    flat = np.arange(x.size).reshape(x.shape)
    result = OPS["index"].evaluate((flat, *(i.attrs[0].value for i in indices)), (spec,))
    return np.asarray(result)


def _array(value: Any) -> Node:
    return make(const, (), (constant_data(value),))


_RULES: dict[str, Rule] = {
    "softplus": _softplus,
    "sigmoid": _sigmoid,
    "logaddexp": _logaddexp,
    "xlogy": lambda x, y: _x_times(x, y, build("log", y)),
    "xlog1py": lambda x, y: _x_times(x, y, build("log1p", y)),
    "matmul": _matmul,
    "solve_triangular": _solve_triangular,
    "index": _index,
    "index_add": _index_add,
    "index_set": _index_set,
    "piece": _piece,
    "scan": _scan,
    "parts": _parts,
    "stop_gradient": lambda x: x,
}
