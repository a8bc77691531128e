"""Indexing as NumPy does it, its adjoint, and writing into a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.errors import DtypeError, ShapeError
from finetti.ir.opdef import OpDef
from finetti.ir.ops.leaf import constant_value
from finetti.ir.ops.shape import as_tensor
from finetti.ir.tensor import Tensor
from finetti.ir.types import BOOL, INT, Shape, TensorType, promote

# An index is a tuple of: an int, ("slice", start, stop, step), ("new",), or ("at", k), which
# stands for the k-th index tensor among the arguments.
Spec = tuple[Any, ...]


def _key(spec: Spec, indices: tuple[Any, ...]) -> tuple[Any, ...]:
    key: list[Any] = []
    for part in spec:
        if not isinstance(part, tuple):
            key.append(int(part))
        elif part[0] == "slice":
            key.append(slice(*part[1:]))
        elif part[0] == "new":
            key.append(None)
        else:
            key.append(indices[part[1]])
    return tuple(key)


def _result_shape(shape: Shape, spec: Spec, indices: tuple[TensorType, ...]) -> Shape:
    # NumPy itself is the rule: index an array of that shape that has no memory behind it.
    probe = np.broadcast_to(np.empty((), np.bool_), tuple(map(int, shape)))
    stand_ins = tuple(np.zeros(t.shape, np.intp) for t in indices)
    try:
        return probe[_key(spec, stand_ins)].shape
    except IndexError as error:
        raise ShapeError(f"index into shape {tuple(shape)}: {error}") from None


def _index_type(x: TensorType, *indices: TensorType, spec: Spec) -> TensorType:
    return TensorType(x.dtype, _result_shape(x.shape, spec, indices))


def _index_add_type(g: TensorType, *indices: TensorType, shape: Shape, spec: Spec) -> TensorType:
    return TensorType(g.dtype, tuple(map(int, shape)))


def _index_add(g: Any, *indices: Any, shape: Shape, spec: Spec) -> np.ndarray:
    result = np.zeros(tuple(map(int, shape)), np.asarray(g).dtype)
    np.add.at(result, _key(spec, indices), g)
    return result


def _index_set_type(x: TensorType, v: TensorType, *indices: TensorType, spec: Spec) -> TensorType:
    return TensorType(promote(x.dtype, v.dtype), x.shape)


def _index_set(x: Any, v: Any, *indices: Any, spec: Spec) -> np.ndarray:
    result = np.array(x, np.result_type(x, v))
    result[_key(spec, indices)] = v
    return result


def _index_set_vjp(g: Tensor, y: Tensor, x: Tensor, v: Tensor, *indices: Tensor, spec: Spec) -> Any:
    none = (None,) * len(indices)
    return (index_set(g, 0.0, *indices, spec=spec), index(g, *indices, spec=spec), *none)


def _case(shape: Shape, spec: Spec, *indices: Any) -> Any:
    return lambda rng: ((rng.normal(size=shape), *map(np.asarray, indices)), {"spec": spec})


def _adjoint_case(shape: Shape, spec: Spec, *indices: Any) -> Any:
    arrays = tuple(map(np.asarray, indices))
    result = np.empty(shape)[_key(spec, arrays)].shape
    return lambda rng: ((rng.normal(size=result), *arrays), {"shape": shape, "spec": spec})


_CASES: tuple[tuple[Any, ...], ...] = (
    ((6,), (("slice", 1, 5, 2),)),
    ((6,), (-1,)),
    ((4, 3), (("slice", None, None, None), 1)),
    ((4, 3), (("new",), ("slice", None, None, -1))),
    ((5,), (("at", 0),), [0, 3, 3, 1]),
    ((5,), (("at", 0),), [[0, 3], [4, -1]]),
    ((4, 3), (("at", 0), ("at", 1)), [0, 3, 3], [2, 1, 1]),
    ((4, 3), (("at", 0), ("slice", 0, 2, None)), [3, 0, 0]),
    ((4, 3), (("slice", None, None, None), ("at", 0)), [2, 2]),
    ((40,), (("at", 0),), (np.arange(300) * 7) % 40),
)

index = OpDef(
    "index", "movement", attr_names=("spec",), infer=_index_type, native="movement",
    numpy=lambda x, *indices, spec: x[_key(spec, indices)], jax="finetti.backends.jax.index",
    vjp=lambda g, y, x, *indices, spec: (
        index_add(g, *indices, shape=x.shape, spec=spec), *(None,) * len(indices)),
    samples=tuple(_case(*case) for case in _CASES),
)  # fmt: skip
index_add = OpDef(
    "index_add", "movement", attr_names=("shape", "spec"), infer=_index_add_type, native="scatter",
    numpy=_index_add, jax="finetti.backends.jax.index_add",
    vjp=lambda g, y, x, *indices, shape, spec: (
        index(g, *indices, spec=spec), *(None,) * len(indices)),
    samples=tuple(_adjoint_case(*case) for case in _CASES),
)  # fmt: skip
index_set = OpDef(
    "index_set", "movement", attr_names=("spec",), infer=_index_set_type, native="replace",
    numpy=_index_set, jax="finetti.backends.jax.index_set", vjp=_index_set_vjp,
    samples=(lambda rng: ((rng.normal(size=5), rng.normal(size=2), np.array([0, 3])), {"spec": (("at", 0),)}),
             lambda rng: ((rng.normal(size=(4, 3)), rng.normal(size=())), {"spec": (1, ("slice", None, None, None))})),
)  # fmt: skip


def _parse(x: Tensor, key: Any) -> tuple[Spec, list[Tensor]]:
    parts = key if isinstance(key, tuple) else (key,)
    if any(part is Ellipsis for part in parts):
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        taken = sum(_consumes(part) for part in parts if part is not Ellipsis)
        fill = (slice(None),) * (x.ndim - taken)
        parts = (*parts[:at], *fill, *parts[at + 1 :])
    spec: list[Any] = []
    indices: list[Tensor] = []

    def at_array(positions: Any) -> None:
        spec.append(("at", len(indices)))
        indices.append(as_tensor(positions))

    for part in parts:
        if isinstance(part, slice):
            spec.append(("slice", part.start, part.stop, part.step))
        elif part is None:
            spec.append(("new",))
        elif isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_)):
            spec.append(part)
        else:
            array = part if isinstance(part, Tensor) else as_tensor(np.asarray(part))
            if array.node.type.dtype == BOOL:
                for positions in _true_positions(array):
                    at_array(positions)
            elif array.node.type.dtype == INT:
                at_array(array)
            else:
                raise DtypeError(
                    f"an index of type {array.node.type}: expected integers or booleans. Convert "
                    "the index, e.g. `idx.astype(int)`, where it is made."
                )
    return tuple(spec), indices


def _consumes(part: Any) -> int:
    if part is None:
        return 0
    dtype = part.node.type.dtype if isinstance(part, Tensor) else np.asarray(part, object).dtype
    if isinstance(part, Tensor):
        return part.ndim if dtype == BOOL else 1
    if isinstance(part, slice):
        return 1
    array = np.asarray(part)
    return array.ndim if array.dtype == np.bool_ else 1


def _true_positions(mask: Tensor) -> tuple[np.ndarray, ...]:
    value = constant_value(mask)
    if value is None and mask.node.op.name == "data":
        value = mask.node.attrs[0].value
    if value is None:
        raise ShapeError(
            f"a boolean index that depends on random variables ({mask!r}) has no known length. "
            "Use `pm.math.switch(mask, x, 0)` instead."
        )
    return tuple(np.nonzero(value))


def getitem(x: Any, key: Any) -> Tensor:
    """``x[key]`` as NumPy: ints, slices, None, Ellipsis, integer and boolean arrays."""
    x = as_tensor(x)
    spec, indices = _parse(x, key)
    return index(x, *indices, spec=spec)


def set_at(x: Any, key: Any, value: Any) -> Tensor:
    """A copy of `x` with ``x[key] = value``."""
    x = as_tensor(x)
    spec, indices = _parse(x, key)
    return index_set(x, value, *indices, spec=spec)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Elements at integer positions along an axis (of the flattened tensor when None)."""
    x = as_tensor(x)
    if axis is None:
        x, axis = x.flatten(), 0
    return getitem(x, (slice(None),) * (axis % x.ndim) + (indices,))


def diagonal(x: Any) -> Tensor:
    """The main diagonal of the last two axes."""
    x = as_tensor(x)
    n = np.arange(min(x.shape[-2:]))
    return getitem(x, (Ellipsis, n, n))


def diag(x: Any) -> Tensor:
    """The diagonal of a matrix, or the matrix with a given diagonal."""
    x = as_tensor(x)
    if x.ndim != 1:
        return diagonal(x)
    n = np.arange(x.shape[0])
    return index_add(x, n, n, shape=(x.shape[0], x.shape[0]), spec=(("at", 0), ("at", 1)))
