"""Order along an axis, and elements picked and put by tensors of positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.errors import DtypeError, ShapeError
from finetti.ir.opdef import OpDef
from finetti.ir.ops.shape import as_tensor, broadcast_to, reshape
from finetti.ir.tensor import Tensor
from finetti.ir.types import INT, TensorType, broadcast, promote

__all__ = ["add_along", "argmax", "argmin", "argsort", "put_along", "sort", "take_along"]

_STEP = {"vjp": "piecewise constant"}


# -- positions along an axis ---------------------------------------------------------------------


def _positions_type(x: TensorType, indices: TensorType, axis: int, what: str) -> None:
    if indices.dtype != INT:
        raise DtypeError(f"{what} at positions of type {indices}: expected integers")
    rest = tuple(s.shape[:axis] + s.shape[axis + 1 :] for s in (x, indices))
    if rest[0] != rest[1]:
        raise ShapeError(f"{what} along axis {axis} of {x} at {indices}: all other axes must agree")


def _take_type(x: TensorType, indices: TensorType, axis: int) -> TensorType:
    _positions_type(x, indices, axis, "take_along")
    return TensorType(x.dtype, indices.shape)


def _add_type(g: TensorType, indices: TensorType, axis: int, length: int) -> TensorType:
    shape = indices.shape
    if g.shape != shape:
        raise ShapeError(f"add_along of {g} at {indices}: expected equal shapes")
    return TensorType(g.dtype, (*shape[:axis], int(length), *shape[axis + 1 :]))


def _add_reference(g: Any, indices: Any, axis: int, length: int) -> np.ndarray:
    g = np.asarray(g)
    result = np.zeros((*g.shape[:axis], int(length), *g.shape[axis + 1 :]), g.dtype)
    places = list(np.indices(g.shape, sparse=True))
    places[axis] = indices
    np.add.at(result, tuple(places), g)
    return result


def _put_type(x: TensorType, v: TensorType, indices: TensorType, axis: int) -> TensorType:
    _positions_type(x, indices, axis, "put_along")
    if v.shape != indices.shape:
        raise ShapeError(f"put_along of {v} at {indices}: expected equal shapes")
    return TensorType(promote(x.dtype, v.dtype), x.shape)


def _put_reference(x: Any, v: Any, indices: Any, axis: int) -> np.ndarray:
    result = np.array(x, np.result_type(x, v))
    np.put_along_axis(result, np.asarray(indices), v, axis)
    return result


_CASES = (((5,), (3,), 0), ((4, 3), (2, 3), 0), ((4, 3), (4, 6), 1), ((2, 3, 2), (2, 5, 2), 1),
          ((3,), (0,), 0))  # fmt: skip


def _take_case(shape: Any, picked: Any, axis: int) -> Any:
    return lambda rng: (
        (rng.normal(size=shape), rng.integers(-shape[axis], shape[axis], picked)),
        {"axis": axis},
    )


def _add_case(shape: Any, picked: Any, axis: int) -> Any:
    return lambda rng: (
        (rng.normal(size=picked), rng.integers(0, shape[axis], picked)),
        {"axis": axis, "length": shape[axis]},
    )


def _put_case(shape: Any, axis: int) -> Any:
    def sample(rng: np.random.Generator) -> Any:
        # Distinct positions: which of several writes to one place counts is nobody's promise.
        places = np.argsort(rng.uniform(size=shape), axis)
        places = np.take(places, np.arange(max(1, shape[axis] // 2)), axis)
        return (rng.normal(size=shape), rng.normal(size=places.shape), places), {"axis": axis}

    return sample


_take_along = OpDef(
    "take_along", "order", attr_names=("axis",), infer=_take_type, native="kernel",
    numpy=lambda x, indices, axis: np.take_along_axis(np.asarray(x), np.asarray(indices), axis),
    jax="jax.numpy.take_along_axis",
    vjp=lambda g, y, x, indices, axis: (
        _add_along(g, indices, axis=axis, length=x.shape[axis]), None),
    samples=tuple(_take_case(*case) for case in _CASES),
)  # fmt: skip
_add_along = OpDef(
    "add_along", "order", attr_names=("axis", "length"), infer=_add_type, native="kernel",
    numpy=_add_reference, jax="finetti.backends.jax.add_along",
    vjp=lambda g, y, x, indices, axis, length: (_take_along(g, indices, axis=axis), None),
    samples=tuple(_add_case(*case) for case in _CASES),
)  # fmt: skip
_put_along = OpDef(
    "put_along", "order", attr_names=("axis",), infer=_put_type, native="kernel",
    numpy=_put_reference, jax="finetti.backends.jax.put_along",
    vjp=lambda g, y, x, v, indices, axis: (
        put_along(g, indices, 0.0, axis), _take_along(g, indices, axis=axis), None),
    samples=(_put_case((6,), 0), _put_case((4, 3), 0), _put_case((4, 3), 1)),
)  # fmt: skip


def _aligned(x: Any, indices: Any, axis: int | None) -> tuple[Tensor, Tensor, int]:
    x, indices = as_tensor(x), as_tensor(indices)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    if x.ndim != indices.ndim or not -x.ndim <= axis < x.ndim:
        raise ShapeError(
            f"positions {indices!r} along axis {axis} of {x!r}: expected as many axes in both"
        )
    axis %= x.ndim
    rest = broadcast(*((*s[:axis], 1, *s[axis + 1 :]) for s in (x.shape, indices.shape)))
    x, indices = (
        broadcast_to(t, (*rest[:axis], t.shape[axis], *rest[axis + 1 :])) for t in (x, indices)
    )
    return x, indices, axis


def take_along(x: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Elements at positions that may differ from line to line, as `numpy.take_along_axis`."""
    x, indices, axis = _aligned(x, indices, axis)
    return _take_along(x, indices, axis=axis)


def add_along(x: Any, indices: Any, values: Any, axis: int = -1) -> Tensor:
    """`x` with values added at positions along an axis; repeated positions add up."""
    x, indices, axis = _aligned(x, indices, axis)
    values = broadcast_to(values, indices.shape)
    return x + _add_along(values, indices, axis=axis, length=x.shape[axis])


def put_along(x: Any, indices: Any, values: Any, axis: int = -1) -> Tensor:
    """`x` with values written at positions along an axis, as `numpy.put_along_axis`."""
    x, indices, axis = _aligned(x, indices, axis)
    return _put_along(x, broadcast_to(values, indices.shape), indices, axis=axis)


# -- order ---------------------------------------------------------------------------------------


def _along_samples() -> tuple[Any, ...]:
    cases = (((6,), 0), ((4, 3), 0), ((4, 3), 1), ((2, 5, 3), 1), ((1, 4), 0))
    return tuple((lambda rng, s=s, a=a: ((rng.normal(size=s),), {"axis": a})) for s, a in cases)


def _argmax_type(x: TensorType, axis: int) -> TensorType:
    if x.shape[axis] == 0:
        raise ShapeError(f"argmax along axis {axis} of {x}: no elements")
    return TensorType(INT, (*x.shape[:axis], *x.shape[axis + 1 :]))


_argmax = OpDef(
    "argmax", "order", attr_names=("axis",), infer=_argmax_type, native="kernel",
    numpy=lambda x, axis: np.argmax(x, axis), jax="jax.numpy.argmax", vjp=None, notes=_STEP,
    samples=_along_samples(),
)  # fmt: skip
_argsort = OpDef(
    "argsort", "order", attr_names=("axis",), infer=lambda x, axis: TensorType(INT, x.shape),
    numpy=lambda x, axis: np.argsort(x, axis, kind="stable"), native="kernel",
    jax="jax.numpy.argsort", vjp=None, notes=_STEP,
    samples=(*_along_samples(), lambda rng: ((rng.integers(0, 3, 40) * 1.0,), {"axis": 0}),
             lambda rng: ((np.array([np.nan, 1.0, -np.inf, np.inf, np.nan, -0.0, 0.0]),),
                          {"axis": 0})),
)  # fmt: skip


def _line(x: Any, axis: int | None) -> tuple[Tensor, int]:
    x = as_tensor(x)
    if axis is None:
        return reshape(x, (-1,)), 0
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"axis {axis} of {x!r}: it has {x.ndim} axes")
    return x, axis % x.ndim


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the largest element along an axis (of the flattened tensor when None)."""
    original = as_tensor(x)
    line, along = _line(original, axis)
    places = _argmax(line, axis=along)
    if not keepdims:
        return places
    kept = tuple(1 if axis is None or a == along else n for a, n in enumerate(original.shape))
    return reshape(places, kept)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the smallest element along an axis (of the flattened tensor when None)."""
    return argmax(-as_tensor(x), axis, keepdims)


def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """The positions that sort an axis (the flattened tensor when None); ties keep their order."""
    line, along = _line(x, axis)
    return _argsort(line, axis=along)


def sort(x: Any, axis: int | None = -1) -> Tensor:
    """The elements along an axis (of the flattened tensor when None) in order, NaN last."""
    line, along = _line(x, axis)
    return _take_along(line, _argsort(line, axis=along), axis=along)
