"""Running results along an axis: products, linear recurrences, extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.errors import ShapeError
from finetti.ir.opdef import OpDef
from finetti.ir.ops.order import take_along
from finetti.ir.ops.reduce import cumsum
from finetti.ir.ops.shape import as_tensor, broadcast_to, concatenate, flip, full, reshape
from finetti.ir.tensor import Tensor
from finetti.ir.types import BOOL, FLOAT, INT, TensorType, broadcast

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "recurrence"]


def _delayed(x: Tensor, axis: int, first: float) -> Tensor:
    """Every element in the place of the next; `first` comes in at the beginning."""
    if x.shape[axis] == 0:
        return x
    before = (slice(None),) * axis
    head = full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), first)
    return concatenate([head, x[(*before, slice(0, -1))]], axis)


def _backward(a: Tensor, g: Tensor, axis: int) -> Tensor:
    """h with ``h[i] = g[i] + a[i + 1] h[i + 1]``: the adjoint of a recurrence."""
    factors = _delayed(flip(a, axis), axis, 0.0)
    return flip(_recurrence(factors, flip(g, axis), axis=axis), axis)


# -- linear recurrences --------------------------------------------------------------------------


def _recurrence_type(a: TensorType, b: TensorType, axis: int) -> TensorType:
    if a.shape != b.shape:
        raise ShapeError(f"a recurrence of {a} and {b}: expected equal shapes")
    return TensorType(FLOAT, a.shape)


def _recurrence_reference(a: Any, b: Any, axis: int) -> np.ndarray:
    a, b = (np.moveaxis(np.asarray(v, float), axis, 0) for v in (a, b))
    y = np.empty(b.shape)
    for i in range(len(b)):
        y[i] = a[i] * y[i - 1] + b[i] if i else b[i]
    return np.moveaxis(y, 0, axis)


def _recurrence_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor, axis: int) -> Any:
    h = _backward(a, g, axis)
    return h * _delayed(y, axis, 0.0), h


def _recurrence_samples() -> tuple[Any, ...]:
    cases = (((9,), 0), ((3, 4), 0), ((3, 4), 1), ((2, 5, 3), 1), ((1,), 0), ((0,), 0), ((3, 0), 1))
    return tuple(
        (lambda rng, s=s, k=k: ((rng.uniform(-1, 1, s), rng.normal(size=s)), {"axis": k}))
        for s, k in cases
    )


_recurrence = OpDef(
    "recurrence", "scan", attr_names=("axis",), infer=_recurrence_type, native="kernel",
    numpy=_recurrence_reference, jax="finetti.backends.jax.recurrence", vjp=_recurrence_vjp,
    samples=_recurrence_samples(),
)  # fmt: skip


def recurrence(a: Any, b: Any, axis: int = -1) -> Tensor:
    """The solution of ``y[i] = a[i] y[i - 1] + b[i]`` along an axis, starting at ``b[0]``."""
    a, b = as_tensor(a), as_tensor(b)
    shape = broadcast(a.shape, b.shape)
    a, b = broadcast_to(a, shape), broadcast_to(b, shape)
    return _recurrence(a, b, axis=axis % b.ndim)


# -- products ------------------------------------------------------------------------------------


def _cumprod_vjp(g: Tensor, y: Tensor, x: Tensor, axis: int) -> tuple[Tensor]:
    # No division, so that zeros do no harm.
    return (_delayed(y, axis, 1.0) * _backward(x, g, axis),)


def _running_samples(low: float, high: float) -> tuple[Any, ...]:
    cases = (((9,), 0), ((3, 4), 0), ((3, 4), 1), ((2, 5, 3), 1), ((1,), 0), ((0,), 0))
    return tuple(
        (lambda rng, s=s, a=a: ((rng.uniform(low, high, s),), {"axis": a})) for s, a in cases
    )


_cumprod = OpDef(
    "cumprod", "scan", attr_names=("axis",), native="kernel", jax="jax.numpy.cumprod",
    infer=lambda x, axis: TensorType(INT if x.dtype == BOOL else x.dtype, x.shape),
    numpy=lambda x, axis: np.cumprod(x, axis), vjp=_cumprod_vjp,
    samples=(*_running_samples(0.5, 1.8),
             lambda rng: ((np.array([1.5, -2.0, 0.0, 0.7, 1.1]),), {"axis": 0})),
)  # fmt: skip


def cumprod(x: Any, axis: int | None = None) -> Tensor:
    """Running products along an axis (of the flattened tensor when None)."""
    x = as_tensor(x) if axis is not None else reshape(x, (-1,))
    return _cumprod(x, axis=(0 if axis is None else axis) % x.ndim)


# -- extremes ------------------------------------------------------------------------------------


def _cumargmax(x: Any, axis: int) -> np.ndarray:
    x = np.moveaxis(np.asarray(x), axis, 0)
    places = np.zeros(x.shape, np.int64)
    for i in range(1, len(x)):
        best = np.take_along_axis(x, places[i - 1][None], 0)[0]
        # The first NaN stays the largest.
        places[i] = np.where((x[i] > best) | np.isnan(x[i]) & ~np.isnan(best), i, places[i - 1])
    return np.moveaxis(places, 0, axis)


_cumargmax_op = OpDef(
    "cumargmax", "order", attr_names=("axis",), native="kernel",
    jax="finetti.backends.jax.cumargmax",
    infer=lambda x, axis: TensorType(INT, x.shape), numpy=_cumargmax, vjp=None,
    notes={"vjp": "piecewise constant"}, samples=_running_samples(-1.0, 1.0),
)  # fmt: skip


def cummax(x: Any, axis: int | None = None) -> Tensor:
    """The largest element so far along an axis (of the flattened tensor when None)."""
    x = as_tensor(x) if axis is not None else reshape(x, (-1,))
    axis = (0 if axis is None else axis) % x.ndim
    return take_along(x, _cumargmax_op(x, axis=axis), axis)


def cummin(x: Any, axis: int | None = None) -> Tensor:
    """The smallest element so far along an axis (of the flattened tensor when None)."""
    return -cummax(-as_tensor(x), axis)
