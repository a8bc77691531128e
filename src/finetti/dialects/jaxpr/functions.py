"""`from_jax`: a function written in JAX as a function of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.dialects.jaxpr.walk import Walk
from finetti.errors import FinettiError, ParameterError
from finetti.ir import FLOAT, Tensor


def trace(function: Callable[..., Any], *shapes: Any) -> tuple[Any, Any]:
    """A function's jaxpr with 64-bit numbers, and the structure of its result.

    A program that insists on 32-bit numbers somewhere, e.g. in what a loop carries, is traced with
    the numbers that JAX is set to; it is computed with 64 bits all the same.
    """
    try:
        with jax.enable_x64(True):
            closed, shape = jax.make_jaxpr(function, return_shape=True)(*shapes)
    except TypeError as error:
        if jax.config.jax_enable_x64 or isinstance(error, FinettiError):
            raise
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*shapes)
    return closed, jax.tree_util.tree_structure(shape)


def from_jax(function: Callable[..., Any]) -> Callable[..., Any]:
    """The work of `finetti.from_jax`."""
    if not callable(function):
        raise ParameterError(f"from_jax: expected a function, got {function!r}.")

    def of_tensors(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = jax.tree_util.tree_flatten((args, kwargs), is_leaf=_is_tensor)
        places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]

        def flat(*values: Any) -> Any:
            full = list(leaves)
            for k, value in zip(places, values, strict=True):
                full[k] = value
            given, named = jax.tree_util.tree_unflatten(structure, full)
            return function(*given, **named)

        tensors = [leaves[k] for k in places]
        closed, result = trace(flat, *map(stand_in, tensors))
        name = getattr(function, "__name__", "function")
        outputs = Walk(where=f"from_jax({name})").closed(closed, tensors)
        return jax.tree_util.tree_unflatten(result, outputs)

    of_tensors.__name__ = getattr(function, "__name__", "function")
    of_tensors.__doc__ = getattr(function, "__doc__", None)
    return of_tensors


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Tensor)


def stand_in(x: Tensor) -> Any:
    """What JAX sees in a tensor's place."""
    dtype = x.node.type.dtype
    return jax.ShapeDtypeStruct(
        tuple(map(int, x.node.shape)), np.dtype(dtype) if dtype != FLOAT else jnp.float64
    )
