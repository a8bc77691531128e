"""Moving elements about without changing them: reshape, transpose, broadcast, join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from finetti.errors import ShapeError
from finetti.ir.opdef import OpDef
from finetti.ir.tensor import Tensor, as_node
from finetti.ir.types import Shape, Size, TensorType, as_shape, broadcast, promote


def as_tensor(value: Any) -> Tensor:
    """`value` as a tensor: numbers, arrays and sequences become constants."""
    return value if isinstance(value, Tensor) else Tensor(as_node(value))


def _known(shape: Shape) -> Shape:
    return tuple(int(length) for length in shape)


def _reshape_type(x: TensorType, shape: Shape) -> TensorType:
    known = _known(shape)
    if x.size != int(np.prod(known, dtype=np.int64)):
        raise ShapeError(f"reshape of {x} to {known}: {x.size} elements do not fill that shape")
    return TensorType(x.dtype, known)


_reshape = OpDef(
    "reshape", "movement", attr_names=("shape",), infer=_reshape_type, native="movement",
    numpy=lambda x, shape: np.reshape(x, shape), jax="jax.numpy.reshape",
    vjp=lambda g, y, x, shape: (reshape(g, x.shape),),
    samples=(lambda rng: ((rng.normal(size=(2, 6)),), {"shape": (3, 4)}),
             lambda rng: ((rng.normal(size=(1, 1)),), {"shape": ()})),
)  # fmt: skip


def reshape(x: Any, *shape: Any) -> Tensor:
    """The same elements in row-major order in another shape; one length may be -1."""
    x = as_tensor(x)
    lengths = list(shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)
    if -1 in lengths:
        rest: Any = 1
        for length in lengths:
            rest = rest * length if length != -1 else rest
        if lengths.count(-1) > 1 or not rest or x.size % rest:
            raise ShapeError(f"reshape of {x!r} to {tuple(lengths)}: no length fits the -1")
        lengths[lengths.index(-1)] = x.size // rest
    target = as_shape(lengths)
    return x if target == x.node.shape and not x.node.dynamic else _reshape(x, shape=target)


_transpose = OpDef(
    "transpose", "movement", attr_names=("axes",), native="movement", jax="jax.numpy.transpose",
    infer=lambda x, axes: TensorType(x.dtype, tuple(x.shape[a] for a in axes)),
    numpy=lambda x, axes: np.transpose(x, axes),
    vjp=lambda g, y, x, axes: (_transpose(g, axes=tuple(int(a) for a in np.argsort(axes))),),
    samples=(lambda rng: ((rng.normal(size=(2, 3, 4)),), {"axes": (2, 0, 1)}),),
)  # fmt: skip


def transpose(x: Any, *axes: Any) -> Tensor:
    """Permute the axes; reversed when none are given."""
    x = as_tensor(x)
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
    order = tuple(reversed(range(x.ndim))) if not order else tuple(a % x.ndim for a in order)
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(f"transpose of {x!r} by axes {order}: expected each axis once")
    return x if order == tuple(range(x.ndim)) else _transpose(x, axes=order)


def _broadcast_type(x: TensorType, shape: Shape) -> TensorType:
    known = _known(shape)
    if broadcast(x.shape, known) != known:
        raise ShapeError(f"{x} does not broadcast to shape {known}")
    return TensorType(x.dtype, known)


_broadcast_to = OpDef(
    "broadcast_to", "movement", attr_names=("shape",), infer=_broadcast_type, native="movement",
    numpy=lambda x, shape: np.broadcast_to(x, _known(shape)), jax="jax.numpy.broadcast_to",
    vjp=lambda g, y, x, shape: (g,),
    samples=(lambda rng: ((rng.normal(size=(3,)),), {"shape": (2, 3)}),
             lambda rng: ((rng.normal(size=()),), {"shape": (4,)}),
             lambda rng: ((rng.normal(size=(2, 1)),), {"shape": (2, 5)})),
)  # fmt: skip


def broadcast_to(x: Any, shape: Any) -> Tensor:
    """`x` repeated to fill a shape."""
    x = as_tensor(x)
    shape = as_shape(shape)
    return x if shape == x.node.shape and not x.node.dynamic else _broadcast_to(x, shape=shape)


def expand_dims(x: Any, axis: int | Sequence[int]) -> Tensor:
    """Insert axes of length 1 at the given places of the result."""
    x = as_tensor(x)
    places = (axis,) if isinstance(axis, int) else tuple(axis)
    ndim = x.ndim + len(places)
    fixed = {a % ndim for a in places}
    lengths = iter(x.shape)
    return reshape(x, tuple(1 if a in fixed else next(lengths) for a in range(ndim)))


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Tensor:
    """Drop axes of length 1."""
    x = as_tensor(x)
    if axis is None:
        drop = {a for a, length in enumerate(x.shape) if length == 1}
    else:
        drop = {a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis)}
        if any(x.shape[a] != 1 for a in drop):
            raise ShapeError(f"squeeze of {x!r} over axes {sorted(drop)}: not all have length 1")
    return reshape(x, tuple(length for a, length in enumerate(x.shape) if a not in drop))


def flatten(x: Any) -> Tensor:
    """All elements in one axis, row by row."""
    return reshape(x, (-1,))


def dimshuffle(x: Any, *pattern: Any) -> Tensor:
    """Permute axes, and insert one of length 1 for each "x"; axes left out must have length 1."""
    x = as_tensor(x)
    if len(pattern) == 1 and isinstance(pattern[0], (list, tuple)):
        pattern = tuple(pattern[0])
    kept = [part for part in pattern if part != "x"]
    dropped = [axis for axis in range(x.ndim) if axis not in kept]
    if sorted([*kept, *dropped]) != list(range(x.ndim)):
        raise ShapeError(f"dimshuffle of {x!r} by {pattern}: expected each axis once, and 'x'")
    moved = squeeze(transpose(x, [*kept, *dropped]), tuple(range(len(kept), x.ndim)))
    return expand_dims(moved, tuple(at for at, part in enumerate(pattern) if part == "x"))


def moveaxis(x: Any, source: int, destination: int) -> Tensor:
    """Move one axis to another place."""
    x = as_tensor(x)
    order = [a for a in range(x.ndim) if a != source % x.ndim]
    order.insert(destination % x.ndim, source % x.ndim)
    return transpose(x, order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes."""
    x = as_tensor(x)
    order = list(range(x.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


# -- joining -------------------------------------------------------------------------------------


def _concatenate_type(*types: TensorType, axis: int) -> TensorType:
    first = types[0].shape
    total = 0
    for t in types:
        if len(t.shape) != len(first) or any(
            t.shape[a] != first[a] for a in range(len(first)) if a != axis
        ):
            raise ShapeError(
                f"concatenate along axis {axis} of {' and '.join(map(str, types))}: all other axes "
                "must have equal lengths"
            )
        total += t.shape[axis]
    dtype = promote(*(t.dtype for t in types))
    return TensorType(dtype, (*first[:axis], total, *first[axis + 1 :]))


def _concatenate_vjp(g: Tensor, y: Tensor, *args: Tensor, axis: int) -> tuple[Tensor, ...]:
    parts, start = [], 0
    for x in args:
        stop = start + x.shape[axis]
        parts.append(g[(slice(None),) * axis + (slice(start, stop),)])
        start = stop
    return tuple(parts)


_concatenate = OpDef(
    "concatenate", "movement", attr_names=("axis",), infer=_concatenate_type, native="join",
    numpy=lambda *xs, axis: np.concatenate(xs, axis), jax="finetti.backends.jax.concatenate",
    vjp=_concatenate_vjp,
    samples=(lambda rng: ((rng.normal(size=3), rng.normal(size=2)), {"axis": 0}),
             lambda rng: ((rng.normal(size=(2, 1)), rng.normal(size=(2, 3))), {"axis": 1})),
)  # fmt: skip


def concatenate(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join along an existing axis."""
    parts = [as_tensor(t) for t in tensors]
    if not parts or not parts[0].ndim:
        raise ShapeError("concatenate needs at least one tensor, each with at least one axis")
    return _concatenate(*parts, axis=axis % parts[0].ndim) if len(parts) > 1 else parts[0]


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Join along a new axis."""
    parts = [as_tensor(t) for t in tensors]
    shape = broadcast(*(p.node.shape for p in parts))
    if any(p.node.shape != shape for p in parts):
        raise ShapeError(f"stack needs equal shapes, got {[p.node.shape for p in parts]}")
    return concatenate([expand_dims(p, axis) for p in parts], axis)


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Repeat each element along an axis, all equally often or each in its own number."""
    x = as_tensor(x) if axis is not None else flatten(x)
    axis = 0 if axis is None else axis % x.ndim
    return x[(slice(None),) * axis + (np.repeat(np.arange(x.shape[axis]), repeats),)]


def tile(x: Any, reps: int | Sequence[int]) -> Tensor:
    """Lay copies of the whole side by side."""
    counts = (reps,) if isinstance(reps, (int, np.integer)) else tuple(reps)
    x = as_tensor(x)
    x = expand_dims(x, tuple(range(len(counts) - x.ndim))) if len(counts) > x.ndim else x
    for axis, count in enumerate((1,) * (x.ndim - len(counts)) + counts):
        if count == 0:
            x = x[(slice(None),) * axis + (slice(0, 0),)]
        elif count != 1:
            x = concatenate([x] * count, axis)
    return x


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Tensor:
    """Reverse the order along the given axes (all when None)."""
    x = as_tensor(x)
    given = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    turned = {_checked(a, x.ndim) for a in given}
    if not turned:
        return x
    return x[tuple(slice(None, None, -1 if a in turned else None) for a in range(x.ndim))]


def _checked(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ShapeError(f"axis {axis} of a tensor with {ndim} axes")
    return axis % ndim


def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Tensor:
    """Move elements along axes (of the flattened tensor when None); the last come in first."""
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(flatten(x), shift, 0), x.shape)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shifts = (shift,) * len(axes) if isinstance(shift, int) else tuple(shift)
    axes = axes * len(shifts) if len(axes) == 1 else axes
    for by, along in zip(shifts, axes, strict=True):
        at = _checked(along, x.ndim)
        order = np.roll(np.arange(x.shape[at]), by)
        x = x[(slice(None),) * at + (order,)]
    return x


def split(x: Any, sections: Any, axis: int = 0) -> list[Tensor]:
    """Cut along an axis into equal sections, or at the given positions."""
    x = as_tensor(x)
    axis = _checked(axis, x.ndim)
    length = int(x.shape[axis])
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or length % sections:
            raise ShapeError(
                f"split of {x!r} along axis {axis}: {length} elements are not {sections} equal "
                "sections. Give the positions of the cuts instead, e.g. [2, 5]."
            )
        places = [length // int(sections) * k for k in range(1, int(sections))]
    else:
        places = [int(p) for p in sections]
    # As NumPy, positions beyond the end leave empty sections.
    bounds = zip([0, *places], [*places, length], strict=True)
    return [x[(slice(None),) * axis + (slice(start, stop),)] for start, stop in bounds]


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True) -> Tensor:
    """Evenly spaced numbers, as `numpy.linspace`; the ends may be scalar tensors."""
    if not isinstance(start, Tensor) and not isinstance(stop, Tensor):
        return as_tensor(np.linspace(start, stop, num, endpoint))
    start, stop = as_tensor(start), as_tensor(stop)
    shape = broadcast(start.shape, stop.shape)
    steps = np.linspace(0.0, 1.0, num, endpoint).reshape(-1, *(1,) * len(shape))
    return start * (1.0 - steps) + stop * steps


def full(shape: Any, value: Any) -> Tensor:
    """A tensor of one value."""
    return broadcast_to(value, shape)


def zeros(shape: Any) -> Tensor:
    """A tensor of zeros (float64)."""
    return full(shape, 0.0)


def ones(shape: Any) -> Tensor:
    """A tensor of ones (float64)."""
    return full(shape, 1.0)


def zeros_like(x: Any) -> Tensor:
    """Zeros in the shape of `x`."""
    return zeros(as_tensor(x).shape)


def ones_like(x: Any) -> Tensor:
    """Ones in the shape of `x`."""
    return ones(as_tensor(x).shape)


def full_like(x: Any, value: Any) -> Tensor:
    """One value in the shape of `x`."""
    return full(as_tensor(x).shape, value)


def eye(n: int) -> Tensor:
    """The identity matrix of order n."""
    return as_tensor(np.eye(int(n)))


_arange = OpDef(
    "arange", "leaf", attr_names=("length",), native="const", jax="jax.numpy.arange",
    infer=lambda length: TensorType("int64", (int(length),)),
    numpy=lambda length: np.arange(int(length)), vjp=lambda g, y, length: (),
    samples=(lambda rng: ((), {"length": 5}),),
)  # fmt: skip


def arange(*bounds: Any) -> Tensor:
    """Whole numbers from start to stop, as `numpy.arange` with one to three arguments."""
    if len(bounds) == 1 and isinstance(bounds[0], Size):
        return _arange(length=bounds[0])
    return as_tensor(np.arange(*(int(b) for b in bounds)))
