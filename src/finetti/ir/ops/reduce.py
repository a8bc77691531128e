"""Reductions along axes, and scans that keep the axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.errors import DtypeError, ShapeError
from finetti.ir.opdef import OPS, OpDef
from finetti.ir.ops.elementwise import (
    cast,
    equal,
    exp,
    isfinite,
    log,
    sqrt,
    square,
    stop_gradient,
    subtract,
    where,
)  # fmt: skip
from finetti.ir.ops.shape import (
    as_tensor,
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    ones,
    reshape,
    transpose,
    zeros,
)  # fmt: skip
from finetti.ir.tensor import Tensor
from finetti.ir.types import BOOL, FLOAT, INT, TensorType

Axes = tuple[int, ...]


def _dropped(x: TensorType, axes: Axes) -> tuple[int, ...]:
    return tuple(length for a, length in enumerate(x.shape) if a not in axes)


def _same_type(x: TensorType, axes: Axes) -> TensorType:
    return TensorType(INT if x.dtype == BOOL else x.dtype, _dropped(x, axes))


def _bool_type(x: TensorType, axes: Axes) -> TensorType:
    if x.dtype != BOOL:
        raise DtypeError(f"all/any of {x}: expected booleans. Compare first, e.g. `x > 0`.")
    return TensorType(BOOL, _dropped(x, axes))


def _samples() -> tuple[Any, ...]:
    cases = (((5,), (0,)), ((4, 3), (0,)), ((4, 3), (1,)), ((2, 3, 4), (0, 2)), ((2, 3), (0, 1)),
             ((40,), (0,)), ((1, 7), (0,)), ((0, 3), (1,)))  # fmt: skip
    return tuple(
        (lambda rng, s=s, a=a: ((rng.uniform(0.5, 2.0, s),), {"axes": a})) for s, a in cases
    )


def _reduction(name: str, **columns: Any) -> OpDef:
    columns.setdefault("infer", _same_type)
    columns.setdefault("samples", _samples())
    return OpDef(name, "reduction", attr_names=("axes",), **columns)


def _spread(g: Tensor, x: Tensor, axes: Axes) -> Tensor:
    return broadcast_to(expand_dims(g, axes), x.shape)


def _extreme_vjp(g: Tensor, y: Tensor, x: Tensor, axes: Axes) -> tuple[Tensor]:
    hit = equal(x, _spread(y, x, axes))
    count = sum_(cast(hit, FLOAT), axes)
    return (where(hit, _spread(g / count, x, axes), 0.0),)


def _prod_vjp(g: Tensor, y: Tensor, x: Tensor, axes: Axes) -> tuple[Tensor]:
    # The product of the others, from both ends: dividing by x would fail where it is zero.
    if not x.node.type.size:
        return (zeros(x.shape),)
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    order = (*kept, *axes)
    moved = transpose(x, order)
    line = reshape(moved, (*(x.shape[a] for a in kept), -1))
    cut, edge = (slice(None),) * len(kept), (*line.shape[:-1], 1)
    running = OPS["cumprod"]

    def before(z: Tensor) -> Tensor:
        return concatenate([ones(edge), running(z[(*cut, slice(0, -1))], axis=len(kept))], -1)

    others = before(line) * flip(before(flip(line, -1)), -1)
    back = tuple(int(a) for a in np.argsort(order))
    return (_spread(g, x, axes) * transpose(reshape(others, moved.shape), back),)


_sum = _reduction(
    "sum", numpy=lambda x, axes: np.sum(x, axes), native="reduce", jax="jax.numpy.sum",
    vjp=lambda g, y, x, axes: (_spread(g, x, axes),),
    samples=(*_samples(), lambda rng: ((rng.normal(size=(0, 3)),), {"axes": (0,)})),
)  # fmt: skip
_prod = _reduction(
    "prod", numpy=lambda x, axes: np.prod(x, axes), native="reduce", jax="jax.numpy.prod",
    vjp=_prod_vjp,
    samples=(*_samples(), lambda rng: ((np.array([1.5, 0.0, -0.7, 2.0]),), {"axes": (0,)}),
             lambda rng: ((np.array([[1.5, 0.0, 0.0], [2.0, 3.0, 0.0]]),), {"axes": (1,)}),
             lambda rng: ((rng.normal(size=(0, 3)),), {"axes": (0,)})),
)  # fmt: skip
_max = _reduction(
    "max", numpy=lambda x, axes: np.max(x, axes), native="reduce", jax="jax.numpy.max",
    vjp=_extreme_vjp,
)  # fmt: skip
_min = _reduction(
    "min", numpy=lambda x, axes: np.min(x, axes), native="reduce", jax="jax.numpy.min",
    vjp=_extreme_vjp,
)  # fmt: skip
_boolean = tuple(
    (lambda rng, s=s, a=a: ((rng.uniform(size=s) < 0.8,), {"axes": a}))
    for s, a in (((5,), (0,)), ((4, 3), (1,)), ((3, 20), (0, 1)))
)
_all = _reduction(
    "all", infer=_bool_type, numpy=lambda x, axes: np.all(x, axes), native="reduce",
    jax="jax.numpy.all", vjp=None, notes={"vjp": "boolean"}, samples=_boolean,
)  # fmt: skip
_any = _reduction(
    "any", infer=_bool_type, numpy=lambda x, axes: np.any(x, axes), native="reduce",
    jax="jax.numpy.any", vjp=None, notes={"vjp": "boolean"}, samples=_boolean,
)  # fmt: skip


def _axes(x: Tensor, axis: Any) -> Axes:
    if axis is None:
        return tuple(range(x.ndim))
    given = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    for a in given:
        if not -x.ndim <= a < x.ndim:
            raise ShapeError(f"axis {a} of {x!r}: it has {x.ndim} axes")
    return tuple(sorted({int(a) % x.ndim for a in given}))


def _reducer(op: OpDef, summary: str) -> Callable[..., Tensor]:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        x = as_tensor(x)
        axes = _axes(x, axis)
        if not axes:
            return x
        result = op(x, axes=axes)
        return expand_dims(result, axes) if keepdims else result

    reduce.__name__ = op.name
    reduce.__doc__ = f"{summary} over the given axes (all when None)."
    return reduce


sum_ = _reducer(_sum, "The sum")
prod = _reducer(_prod, "The product")
max_ = _reducer(_max, "The largest element")
min_ = _reducer(_min, "The smallest element")
all_ = _reducer(_all, "Whether every element holds")
any_ = _reducer(_any, "Whether some element holds")


def _count(x: Tensor, axes: Axes) -> Any:
    total: Any = 1
    for a in axes:
        total = x.shape[a] * total
    return total


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over the given axes (all when None)."""
    x = as_tensor(x)
    return sum_(x, axis, keepdims) / _count(x, _axes(x, axis))


def var(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """The variance over the given axes (all when None)."""
    x = as_tensor(x)
    deviation = subtract(x, mean(x, axis, keepdims=True))
    return sum_(square(deviation), axis, keepdims) / (_count(x, _axes(x, axis)) - ddof)


def std(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
    """The standard deviation over the given axes (all when None)."""
    return sqrt(var(x, axis, ddof, keepdims))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) without overflow."""
    x = as_tensor(x)
    axes = _axes(x, axis)
    shift = _peak(x, axes)
    total = log(sum_(exp(x - shift), axes, keepdims=True)) + shift
    if keepdims:
        return total
    return reshape(total, tuple(n for a, n in enumerate(x.shape) if a not in axes))


def _peak(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The largest element, as a constant to gradients; 0 for an infinite one, which stays."""
    peak = max_(x, axes, keepdims=True)
    # An infinite peak is the answer itself; subtracting it would give NaN.
    return stop_gradient(where(isfinite(peak), peak, 0.0))


def softmax(x: Any, axis: int | None = -1) -> Tensor:
    """exp(x) normalised to sum to 1 over an axis."""
    return exp(log_softmax(x, axis))


def log_softmax(x: Any, axis: int | None = -1) -> Tensor:
    """log(softmax(x)) without overflow."""
    x = as_tensor(x)
    axes = _axes(x, axis)
    # the shift is not added back: digits of a small result would drown in it
    shifted = x - _peak(x, axes)
    return shifted - log(sum_(exp(shifted), axes, keepdims=True))


def _reverse(x: Tensor, axis: int) -> Tensor:
    return x[(slice(None),) * axis + (slice(None, None, -1),)]


_cumsum = OpDef(
    "cumsum", "scan", attr_names=("axis",),
    infer=lambda x, axis: TensorType(INT if x.dtype == BOOL else x.dtype, x.shape),
    numpy=lambda x, axis: np.cumsum(x, axis), native="cumsum", jax="jax.numpy.cumsum",
    vjp=lambda g, y, x, axis: (_reverse(_cumsum(_reverse(g, axis), axis=axis), axis),),
    samples=(lambda rng: ((rng.normal(size=9),), {"axis": 0}),
             lambda rng: ((rng.normal(size=(3, 4)),), {"axis": 0}),
             lambda rng: ((rng.normal(size=(3, 4)),), {"axis": 1}),
             lambda rng: ((rng.normal(size=(2, 0)),), {"axis": 1})),
)  # fmt: skip


def cumsum(x: Any, axis: int | None = None) -> Tensor:
    """Running sums along an axis (of the flattened tensor when None)."""
    x = as_tensor(x) if axis is not None else reshape(x, (-1,))
    return _cumsum(x, axis=(0 if axis is None else axis) % x.ndim)
