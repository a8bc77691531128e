"""Primitives of JAX that move elements: shapes, slices, joins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.ir import Tensor, ops

Rule = Callable[..., Any]


def _broadcast_in_dim(params: Any, x: Tensor, *dynamic: Tensor) -> Tensor:
    shape, places = tuple(params["shape"]), tuple(params["broadcast_dimensions"])
    lengths = iter(x.shape)
    spread = tuple(next(lengths) if axis in places else 1 for axis in range(len(shape)))
    # leading axes of length 1 come by themselves
    kept = next((spread[k:] for k, length in enumerate(spread) if length != 1), ())
    return ops.broadcast_to(ops.reshape(x, kept), shape)


def _slice(params: Any, x: Tensor) -> Tensor:
    strides = params["strides"] or (1,) * x.ndim
    parts = zip(params["start_indices"], params["limit_indices"], strides, x.shape, strict=True)
    key = tuple(
        slice(None) if (a, b, s) == (0, n, 1) else slice(int(a), int(b), int(s) if s != 1 else None)
        for a, b, s, n in parts
    )
    return x if all(part == slice(None) for part in key) else x[_trimmed(key)]


def _trimmed(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index without whole slices at its end."""
    while key and isinstance(key[-1], slice) and key[-1] == slice(None):
        key = key[:-1]
    return key


def _starts(x: Tensor, starts: tuple[Tensor, ...], sizes: tuple[int, ...]) -> list[Any]:
    """Where a window begins along each axis, moved so that it lies inside."""
    found: list[Any] = []
    for start, length, size in zip(starts, x.shape, sizes, strict=True):
        number = ops.constant_value(start)
        if length == size:
            found.append(0)
        elif number is not None:
            found.append(int(np.clip(int(number), 0, length - size)))
        else:
            found.append(ops.minimum(ops.maximum(start, 0), int(length - size)))
    return found


def window(starts: list[Any], lengths: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[Any, ...]:
    """The index of a window: slices where its beginning is known, positions where it is not."""
    if all(isinstance(start, int) for start in starts):
        return tuple(
            slice(None) if n == size else slice(start, start + size)
            for start, n, size in zip(starts, lengths, sizes, strict=True)
        )
    key: list[Any] = []
    for axis, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        steps = np.arange(size).reshape(-1, *(1,) * (len(sizes) - 1 - axis))
        key.append(start + steps)
    return tuple(key)


def _dynamic_slice(params: Any, x: Tensor, *starts: Tensor) -> Tensor:
    sizes = tuple(map(int, params["slice_sizes"]))
    key = window(_starts(x, starts, sizes), x.shape, sizes)
    return x if all(isinstance(k, slice) and k == slice(None) for k in key) else x[_trimmed(key)]


def _dynamic_update_slice(params: Any, x: Tensor, new: Tensor, *starts: Tensor) -> Tensor:
    sizes = tuple(map(int, new.node.shape))
    return ops.set_at(x, window(_starts(x, starts, sizes), x.shape, sizes), new)


def _pad(params: Any, x: Tensor, filler: Tensor) -> Tensor:
    config = params["padding_config"]
    for axis, (low, high, inner) in enumerate(config):
        before = (slice(None),) * axis
        if inner:
            length = int(x.shape[axis])
            wide = length + max(0, length - 1) * inner
            empty = ops.broadcast_to(filler, (*x.shape[:axis], wide, *x.shape[axis + 1 :]))
            x = ops.set_at(empty, (*before, slice(None, None, inner + 1)), x)
        start, stop = max(0, -low), int(x.shape[axis]) - max(0, -high)
        if (start, stop) != (0, int(x.shape[axis])):
            x = x[(*before, slice(start, max(start, stop)))]
        parts = [
            ops.broadcast_to(filler, (*x.shape[:axis], int(n), *x.shape[axis + 1 :]))
            for n in (max(0, low), max(0, high))
        ]
        joined = [part for part in (parts[0], x, parts[1]) if part.shape[axis]] or [x]
        x = ops.concatenate(joined, axis)
    return x


def _iota(params: Any) -> Tensor:
    shape, axis = tuple(params["shape"]), int(params["dimension"])
    steps = np.arange(shape[axis]).reshape(-1, *(1,) * (len(shape) - 1 - axis))
    dtype = np.float64 if np.dtype(params["dtype"]).kind == "f" else np.int64
    return ops.as_tensor(np.broadcast_to(steps, shape).astype(dtype))


def _split(params: Any, x: Tensor) -> list[Tensor]:
    return ops.split(x, np.cumsum(params["sizes"])[:-1], int(params["axis"]))


def _unstack(params: Any, x: Tensor) -> list[Tensor]:
    axis = int(params["axis"])
    return [x[(slice(None),) * axis + (i,)] for i in range(int(x.shape[axis]))]


def _empty(params: Any, *args: Tensor) -> Tensor:
    return ops.as_tensor(np.zeros(params["shape"], np.dtype(params["dtype"]).kind))


def _squeeze(params: Any, x: Tensor) -> Tensor:
    dropped = tuple(int(axis) % x.ndim for axis in params["dimensions"])
    element = _element(x, dropped)
    return ops.squeeze(x, dropped) if element is None else element


def _element(x: Tensor, dropped: tuple[int, ...]) -> Tensor | None:
    """A slice of length 1 whose axis goes as the one position that the user wrote."""
    if x.node.op.name != "index" or len(x.node.args) != 1:
        return None
    (spec,) = x.node.attrs
    sliced = [isinstance(part, tuple) and part[0] == "slice" for part in spec]
    if not all(sliced) or not dropped or max(dropped) >= len(spec):
        return None
    key: list[Any] = [slice(*part[1:]) for part in spec]
    for axis in dropped:
        key[axis] = key[axis].indices(int(x.node.args[0].shape[axis]))[0]
    return Tensor(x.node.args[0])[_trimmed(tuple(key))]


def _reshape(params: Any, x: Tensor, *dynamic: Tensor) -> Tensor:
    if params.get("dimensions") is not None:
        x = ops.transpose(x, tuple(params["dimensions"]))
    return ops.reshape(x, tuple(params["new_sizes"]))


MOVEMENT: dict[str, Rule] = {
    "broadcast_in_dim": _broadcast_in_dim, "reshape": _reshape,
    "transpose": lambda params, x: ops.transpose(x, tuple(params["permutation"])),
    "squeeze": _squeeze,
    "expand_dims": lambda params, x: ops.expand_dims(x, tuple(params["dimensions"])),
    "concatenate": lambda params, *xs: ops.concatenate(xs, int(params["dimension"])),
    "slice": _slice, "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice, "pad": _pad, "iota": _iota,
    "rev": lambda params, x: ops.flip(x, tuple(map(int, params["dimensions"]))),
    "tile": lambda params, x: ops.tile(x, tuple(map(int, params["reps"]))),
    "split": _split, "unstack": _unstack, "empty": _empty, "empty2": _empty,
    "stack": lambda params, *xs: ops.stack(xs, int(params.get("axis", 0))),
}  # fmt: skip
