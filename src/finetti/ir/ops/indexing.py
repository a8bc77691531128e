"""Indexing as NumPy does it, its adjoint, and writing into a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from finetti.errors import DtypeError, ShapeError
from finetti.ir.node import Node, topological
from finetti.ir.opdef import OpDef
from finetti.ir.ops.elementwise import where
from finetti.ir.ops.leaf import constant_value
from finetti.ir.ops.shape import as_tensor, broadcast_to, reshape
from finetti.ir.tensor import Tensor
from finetti.ir.types import BOOL, INT, Shape, TensorType, promote

# An index is a tuple of: an int, ("slice", start, stop, step), ("new",), ("dots",) for an Ellipsis
# without axes, or ("at", k), which stands for the k-th index tensor among the arguments.
Spec = tuple[Any, ...]


def index_key(spec: Spec, indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """What stands between NumPy's brackets, given the arrays of positions."""
    key: list[Any] = []
    for part in spec:
        if not isinstance(part, tuple):
            key.append(int(part))
        elif part[0] == "slice":
            key.append(slice(*part[1:]))
        elif part[0] == "new":
            key.append(None)
        elif part[0] == "dots":
            key.append(Ellipsis)
        else:
            key.append(indices[part[1]])
    return tuple(key)


def _result_shape(shape: Shape, spec: Spec, indices: tuple[TensorType, ...]) -> Shape:
    # NumPy itself is the rule: index an array of that shape that has no memory behind it.
    probe = np.broadcast_to(np.empty((), np.bool_), tuple(map(int, shape)))
    stand_ins = tuple(np.zeros(t.shape, np.intp) for t in indices)
    try:
        return probe[index_key(spec, stand_ins)].shape
    except IndexError as error:
        raise ShapeError(f"index into shape {tuple(shape)}: {error}") from None


def _index_type(x: TensorType, *indices: TensorType, spec: Spec) -> TensorType:
    return TensorType(x.dtype, _result_shape(x.shape, spec, indices))


def _index_add_type(g: TensorType, *indices: TensorType, shape: Shape, spec: Spec) -> TensorType:
    return TensorType(g.dtype, tuple(map(int, shape)))


def _index_add(g: Any, *indices: Any, shape: Shape, spec: Spec) -> np.ndarray:
    result = np.zeros(tuple(map(int, shape)), np.asarray(g).dtype)
    np.add.at(result, index_key(spec, indices), g)
    return result


def _index_set_type(x: TensorType, v: TensorType, *indices: TensorType, spec: Spec) -> TensorType:
    return TensorType(promote(x.dtype, v.dtype), x.shape)


def _index_set(x: Any, v: Any, *indices: Any, spec: Spec) -> np.ndarray:
    result = np.array(x, np.result_type(x, v))
    result[index_key(spec, indices)] = v
    return result


def _index_set_vjp(g: Tensor, y: Tensor, x: Tensor, v: Tensor, *indices: Tensor, spec: Spec) -> Any:
    none = (None,) * len(indices)
    to_v = index(g, *indices, spec=spec)
    kept = _last_writes(x.node.shape, spec, indices)
    if kept is not None:
        to_v = where(kept, to_v, 0.0)
    return (index_set(g, 0.0, *indices, spec=spec), to_v, *none)


def _last_writes(shape: Shape, spec: Spec, indices: tuple[Tensor, ...]) -> np.ndarray | None:
    """Which of several writes to one place stays; None when each place is written once."""
    arrays = [constant_value(i) for i in indices]
    if not arrays or any(array is None for array in arrays):
        return None
    flat = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)
    places = flat[index_key(spec, tuple(arrays))]
    _, last = np.unique(places.ravel()[::-1], return_index=True)
    if len(last) == places.size:
        return None
    kept = np.zeros(places.size, bool)
    kept[places.size - 1 - last] = True
    return kept.reshape(places.shape)


def _case(shape: Shape, spec: Spec, *indices: Any) -> Any:
    return lambda rng: ((rng.normal(size=shape), *map(np.asarray, indices)), {"spec": spec})


def _adjoint_case(shape: Shape, spec: Spec, *indices: Any) -> Any:
    arrays = tuple(map(np.asarray, indices))
    result = np.empty(shape)[index_key(spec, arrays)].shape
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
    numpy=lambda x, *indices, spec: x[index_key(spec, indices)], jax="finetti.backends.jax.index",
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
    samples=(
        lambda rng: ((rng.normal(size=5), rng.normal(size=2), np.array([0, 3])),
                     {"spec": (("at", 0),)}),
        lambda rng: ((rng.normal(size=5), rng.normal(size=3), np.array([0, 3, 0])),
                     {"spec": (("at", 0),)}),
        lambda rng: ((rng.normal(size=(4, 3)), rng.normal(size=())),
                     {"spec": (1, ("slice", None, None, None))}),
        lambda rng: ((rng.normal(size=(4, 3)), rng.normal(size=(2, 1)), np.array([-1, 1])),
                     {"spec": (("at", 0), ("slice", 0, 2, None))}),
    ),
)  # fmt: skip


def _parse(x: Tensor, key: Any) -> tuple[Spec, list[Tensor]]:
    parts = key if isinstance(key, tuple) else (key,)
    if any(part is Ellipsis for part in parts):
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        taken = sum(_consumes(part) for part in parts if part is not Ellipsis)
        fill = (slice(None),) * (x.ndim - taken)
        # NumPy counts integers and arrays as apart even when the dots between stand for nothing.
        parts = (*parts[:at], *(fill or (Ellipsis,)), *parts[at + 1 :])
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
        elif part is Ellipsis:
            spec.append(("dots",))
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
    if ("dots",) in spec and not indices:
        spec.remove(("dots",))
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


def _inside(x: Tensor, spec: Spec, indices: list[Tensor]) -> None:
    """Refuse known positions outside of the tensor, here rather than when the model runs."""
    arrays = tuple(map(constant_value, indices))
    if not arrays or any(array is None for array in arrays):
        return
    probe = np.broadcast_to(np.empty((), np.bool_), tuple(map(int, x.shape)))
    try:
        probe[index_key(spec, arrays)]
    except IndexError as error:
        raise ShapeError(f"index into shape {tuple(map(int, x.shape))}: {error}") from None


def check_positions(nodes: Sequence[Node]) -> None:
    """Refuse positions outside of their tensors in a graph whose data are constants by now.

    Raises
    ------
    ShapeError
        For the first index that is too large.
    """
    for node in topological(nodes):
        if node.op is index:
            x, *indices = map(Tensor, node.args)
            _inside(x, node.attrs[0], indices)


def getitem(x: Any, key: Any) -> Tensor:
    """``x[key]`` as NumPy: ints, slices, None, Ellipsis, integer and boolean arrays."""
    x = as_tensor(x)
    spec, indices = _parse(x, key)
    _inside(x, spec, indices)
    return index(x, *indices, spec=spec)


def set_at(x: Any, key: Any, value: Any) -> Tensor:
    """A copy of `x` with ``x[key] = value``."""
    x = as_tensor(x)
    spec, indices = _parse(x, key)
    _inside(x, spec, indices)
    return _written(x, value, indices, spec)


def add_at(x: Any, key: Any, value: Any) -> Tensor:
    """A copy of `x` with `value` added at ``x[key]``; repeated positions add up."""
    x = as_tensor(x)
    spec, indices = _parse(x, key)
    _inside(x, spec, indices)
    return _added(x, value, indices, spec)


def _stretched(x: Tensor, value: Any, indices: list[Tensor], spec: Spec) -> Tensor:
    value = as_tensor(value)
    shape = _result_shape(x.node.shape, spec, tuple(i.node.type for i in indices))
    lengths = zip(reversed(value.node.shape), reversed(shape), strict=False)
    if value.ndim > len(shape) or any(own not in (1, there) for own, there in lengths):
        raise ShapeError(
            f"a value of shape {tuple(value.node.shape)} does not fit {shape}, the shape of the "
            "elements that are written"
        )
    return value


def _written(x: Tensor, value: Any, indices: list[Tensor], spec: Spec) -> Tensor:
    return index_set(x, _stretched(x, value, indices, spec), *indices, spec=spec)


def _added(x: Tensor, value: Any, indices: list[Tensor], spec: Spec) -> Tensor:
    value = _stretched(x, value, indices, spec)
    shape = _result_shape(x.node.shape, spec, tuple(i.node.type for i in indices))
    return x + index_add(broadcast_to(value, shape), *indices, shape=x.shape, spec=spec)


def _indexed(part: Any, what: str) -> tuple[Tensor, list[Tensor], Spec]:
    node = as_tensor(part).node
    if node.op is not index:
        raise ShapeError(f"{what} of {part!r}: expected an indexed tensor, e.g. `{what}(x[1:], 0)`")
    x, *indices = map(Tensor, node.args)
    return x, indices, node.attrs[0]


def set_subtensor(part: Any, value: Any) -> Tensor:
    """Given ``x[key]``, a copy of `x` with `value` there."""
    x, indices, spec = _indexed(part, "set_subtensor")
    return _written(x, value, indices, spec)


def inc_subtensor(part: Any, value: Any) -> Tensor:
    """Given ``x[key]``, a copy of `x` with `value` added there; repeated positions add up."""
    x, indices, spec = _indexed(part, "inc_subtensor")
    return _added(x, value, indices, spec)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Elements at integer positions along an axis (of the flattened tensor when None)."""
    x = as_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return getitem(x, (slice(None),) * (axis % x.ndim) + (indices,))


def diagonal(x: Any, offset: int = 0) -> Tensor:
    """A diagonal of the last two axes; `offset` counts upwards from the main one."""
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError(f"diagonal of {x!r}: expected at least two axes")
    rows, columns = (int(n) for n in x.shape[-2:])
    n = np.arange(max(0, min(rows + min(offset, 0), columns - max(offset, 0))))
    return getitem(x, (Ellipsis, n + max(-offset, 0), n + max(offset, 0)))


def diag(x: Any, k: int = 0) -> Tensor:
    """A diagonal of a matrix, or the matrix with a given diagonal; `k` counts upwards."""
    x = as_tensor(x)
    if x.ndim != 1:
        return diagonal(x, k)
    n = np.arange(x.shape[0])
    side = x.shape[0] + abs(k)
    spec = (("at", 0), ("at", 1))
    return index_add(x, n + max(-k, 0), n + max(k, 0), shape=(side, side), spec=spec)
