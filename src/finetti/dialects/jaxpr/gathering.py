"""JAX's general `gather` and `scatter`: their dimension numbers as NumPy's indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.ir import FLOAT, Tensor, ops

Rule = Callable[..., Any]


@dataclass(frozen=True)
class _Places:
    """Where a gather reads or a scatter writes.

    Parameters
    ----------
    key : tuple
        NumPy's index: its result has the batch axes first, then the axes of the window.
    inside : Tensor, ndarray or None
        Which windows lie inside, over the batch axes; None where all do.
    batch : tuple
        Lengths of the batch axes.
    window : tuple
        Axes of the operand along which a window extends.
    """

    key: tuple[Any, ...]
    inside: Any
    batch: tuple[int, ...]
    window: tuple[int, ...]


@dataclass(frozen=True)
class _Numbers:
    """What gather's and scatter's dimension numbers have in common."""

    moved: tuple[int, ...]  # axes of the operand that the last axis of the indices counts along
    dropped: tuple[int, ...]  # axes of the operand without a window
    own_batch: tuple[int, ...]  # batch axes of the operand ...
    index_batch: tuple[int, ...]  # ... and of the indices
    window: tuple[int, ...]  # axes of the result (the updates) that are the window's


def _ints(values: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in values)


def _known(x: Any) -> Any:
    value = ops.constant_value(x) if isinstance(x, Tensor) else np.asarray(x)
    return x if value is None else value


def _mode(params: Any) -> str:
    mode = params["mode"]
    return str(getattr(mode, "name", mode)).upper()


def _places(shape: Any, indices: Tensor, sizes: Any, numbers: _Numbers, mode: str) -> _Places:
    """The places of every window, each moved inside or marked as outside."""
    batch = tuple(map(int, indices.shape[:-1]))
    starts = _known(indices)
    windowed = tuple(
        d for d in range(len(shape)) if d not in numbers.dropped and d not in numbers.own_batch
    )
    key: list[Any] = []
    inside: Any = None
    for d, length in enumerate(shape):
        size = int(sizes[d])
        if d in numbers.own_batch:
            axis = numbers.index_batch[numbers.own_batch.index(d)]
            line = np.arange(batch[axis]).reshape(-1, *(1,) * (len(batch) - 1 - axis))
            start: Any = np.broadcast_to(line, batch)
        elif d in numbers.moved and size != length:
            start = starts[..., numbers.moved.index(d)]
            if mode == "FILL_OR_DROP":
                fits = (start >= 0) & (start <= int(length) - size)
                inside = fits if inside is None else inside & fits
            start = _clipped(start, int(length) - size)
        else:
            start = None  # a window as long as the axis lies inside in one way only
            if mode == "FILL_OR_DROP" and d in numbers.moved:
                fits = starts[..., numbers.moved.index(d)] == 0
                inside = fits if inside is None else inside & fits
        key.append((d, start, size))
    if isinstance(inside, np.ndarray) and inside.all():
        inside = None
    return _Places(_index(key, shape, batch, windowed), inside, batch, windowed)


def _clipped(start: Any, top: int) -> Any:
    if isinstance(start, np.ndarray):
        return np.clip(start, 0, top)
    return ops.minimum(ops.maximum(start, 0), top)


def _index(
    parts: Sequence[tuple[int, Any, int]], shape: Any, batch: tuple[int, ...], window: Any
) -> tuple[Any, ...]:
    """NumPy's index; whole slices behind the positions where that gives the same order of axes."""
    firm = [d for d, start, size in parts if start is not None]
    trailing = not firm or firm == list(range(len(firm)))
    if trailing and all(size == 1 and d not in window for d, start, size in parts if d in firm):
        return _plain([slice(None) if start is None else start for _, start, _ in parts])
    key = []
    for d, start, size in parts:
        if d in window:
            after = len(window) - 1 - window.index(d)
            steps = np.arange(size).reshape(-1, *(1,) * after)
        else:
            steps = np.zeros((), int)
        if start is None:
            key.append(np.broadcast_to(steps, (*(1,) * len(batch), *_padded(steps, len(window)))))
        else:
            key.append(start[(..., *(None,) * len(window))] + steps)
    return tuple(key)


def _plain(key: list[Any]) -> tuple[Any, ...]:
    """NumPy's index with one number for an array of the same number, beside other arrays."""
    one = [isinstance(k, np.ndarray) and k.ndim > 0 and k.size and (k == k.flat[0]).all()
           for k in key]  # fmt: skip
    arrays = [not isinstance(k, slice) and np.ndim(k) > 0 for k in key]
    if sum(arrays) == sum(map(bool, one)):
        return tuple(key)  # the array is what gives the result its axes
    return tuple(int(k.flat[0]) if same else k for k, same in zip(key, one, strict=True))


def _padded(steps: np.ndarray, ndim: int) -> tuple[int, ...]:
    return (*(1,) * (ndim - steps.ndim), *steps.shape)


def _taken(x: Tensor, places: _Places) -> Tensor:
    """Elements over (batch axes, window axes)."""
    key = list(places.key)
    while key and isinstance(key[-1], slice):
        key.pop()
    lengths = tuple(int(x.shape[d]) for d in places.window)
    if not key:
        return ops.broadcast_to(x, (*places.batch, *lengths))
    if not places.batch and all(np.ndim(k) == 0 and not isinstance(k, Tensor) for k in key):
        key = [int(k) for k in key]
    return x[tuple(key)]


def _gather(params: Any, x: Tensor, indices: Tensor) -> Tensor:
    dn = params["dimension_numbers"]
    numbers = _Numbers(
        _ints(dn.start_index_map), _ints(dn.collapsed_slice_dims), _ints(dn.operand_batching_dims),
        _ints(dn.start_indices_batching_dims), _ints(dn.offset_dims),
    )  # fmt: skip
    sizes = _ints(params["slice_sizes"])
    places = _places(x.node.shape, indices, sizes, numbers, _mode(params))
    taken = _taken(x, places)
    full = (*places.batch, *(sizes[d] for d in places.window))
    taken = taken if taken.node.shape == full else ops.broadcast_to(taken, full)
    if places.inside is not None:
        inside = places.inside[(..., *(None,) * len(places.window))]
        taken = ops.where(inside, taken, _filler(params, taken))
    return _window_to(taken, len(places.batch), numbers.window)


def _filler(params: Any, taken: Tensor) -> Any:
    given = params.get("fill_value")
    if given is not None:
        return float(given) if taken.node.type.dtype == FLOAT else int(given)
    return np.nan if taken.node.type.dtype == FLOAT else np.iinfo(np.int64).min


def _window_to(x: Tensor, batch: int, window: tuple[int, ...]) -> Tensor:
    """(batch axes, window axes) with the window's axes at their places in the result."""
    rest = iter(range(batch))
    order = [batch + window.index(a) if a in window else next(rest) for a in range(x.ndim)]
    return ops.transpose(x, order)


def _scatter(write: str) -> Rule:
    def rule(params: Any, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
        dn = params["dimension_numbers"]
        batching = getattr(dn, "operand_batching_dims", ())
        index_batching = getattr(dn, "scatter_indices_batching_dims", ())
        numbers = _Numbers(
            _ints(dn.scatter_dims_to_operand_dims), _ints(dn.inserted_window_dims),
            _ints(batching), _ints(index_batching), _ints(dn.update_window_dims),
        )  # fmt: skip
        own = iter(numbers.window)
        absent = (*numbers.dropped, *numbers.own_batch)
        sizes = [1 if d in absent else int(updates.shape[next(own)]) for d in range(x.ndim)]
        places = _places(x.node.shape, indices, sizes, numbers, _mode(params))
        first = [a for a in range(updates.ndim) if a not in numbers.window]
        values = ops.transpose(updates, [*first, *numbers.window])
        return _written(write, x, places, values)

    return rule


def _written(write: str, x: Tensor, places: _Places, values: Tensor) -> Tensor:
    inside = places.inside
    if inside is not None:
        inside = inside[(..., *(None,) * len(places.window))]
    key = places.key if places.key else (Ellipsis,)
    whole = all(isinstance(k, slice) or k is Ellipsis for k in key)
    if whole and places.batch:
        raise NotYetSupported("JAX's scatter of several windows as large as the array.")
    if write == "add":
        values = values if inside is None else ops.where(inside, values, 0)
        return ops.add_at(x, key, values)
    old = x[key]
    if write != "set":
        if _repeated(x, key):
            raise NotYetSupported(f"JAX's scatter ({write}) at places that repeat.")
        combine = {"mul": ops.multiply, "min": ops.minimum, "max": ops.maximum, "sub": ops.subtract}
        values = combine[write](old, values)
    values = values if inside is None else ops.where(inside, values, old)
    return ops.set_at(x, key, values)


def _repeated(x: Tensor, key: tuple[Any, ...]) -> bool:
    """Whether an index names a place twice, or may do so."""
    arrays = [_known(k) if isinstance(k, Tensor) else k for k in key]
    if any(isinstance(k, Tensor) for k in arrays):
        return True
    count = np.arange(x.node.type.size).reshape(x.node.shape)[tuple(arrays)]
    return len(np.unique(count)) != count.size


GATHERING: dict[str, Rule] = {
    "gather": _gather, "scatter": _scatter("set"), "scatter-add": _scatter("add"),
    "scatter_add": _scatter("add"), "scatter-mul": _scatter("mul"),
    "scatter_mul": _scatter("mul"), "scatter-min": _scatter("min"),
    "scatter_min": _scatter("min"), "scatter-max": _scatter("max"),
    "scatter_max": _scatter("max"), "scatter-sub": _scatter("sub"),
    "scatter_sub": _scatter("sub"),
}  # fmt: skip
