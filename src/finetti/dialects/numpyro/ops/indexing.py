"""Indices that broadcast: each index array may have an axis for every case."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

__all__ = ["Vindex", "vindex"]

_WHOLE = slice(None)


def vindex(tensor: Any, args: Any) -> Any:
    """Elements of an array: the axes of all indices together stand in front of whole axes.

    Parameters
    ----------
    tensor : array_like
        The array.
    args : tuple
        For each axis an index, an array of indices or ``:``. A leading ``...`` stands for axes of
        a batch, which are matched with the axes of the indices.
    """
    if not isinstance(args, tuple):
        return tensor[args]
    if not args or args == (Ellipsis,):
        return tensor
    ndim = jnp.ndim(tensor)
    batched = args[0] is Ellipsis
    own = args[1:] if batched else (*args, *(_WHOLE,) * (ndim - len(args)))
    if any(x is Ellipsis for x in own):
        raise NotImplementedError("Vindex: `...` may only be the first index.")
    if any(isinstance(x, slice) and x != _WHOLE for x in own):
        raise NotImplementedError("Vindex: slices other than `:` are not supported.")
    own = tuple(_WHOLE if isinstance(x, slice) else jnp.asarray(x) for x in own)
    arrays = [x for x in own if not isinstance(x, slice)]
    if not any(x.ndim for x in arrays):
        return tensor[(Ellipsis, *own)]
    whole = len(own) - len(arrays)  # axes that stay, last in the result
    lead = ndim - len(own)
    index: list[Any] = []
    for axis in range(lead):  # the batch's own places
        index.append(_along(tensor.shape[axis], lead - axis - 1 + whole))
    left = whole
    for axis, x in enumerate(own, start=lead):
        if isinstance(x, slice):
            left -= 1
            index.append(_along(tensor.shape[axis], left))
        else:
            index.append(x.reshape(x.shape + (1,) * whole))
    return tensor[tuple(index)]


def _along(size: int, after: int) -> Any:
    """All places of an axis, with so many axes of length 1 after it."""
    return np.arange(size).reshape((-1,) + (1,) * after)


class Vindex:
    """``Vindex(x)[i, :, j]``: `vindex` in brackets.

    Parameters
    ----------
    tensor : array_like
        The array.
    """

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def __getitem__(self, args: Any) -> Any:
        return vindex(self._tensor, args)
