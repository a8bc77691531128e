"""`from_jax`: a function written in JAX as a function of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.dialects.jaxpr.walk import Walk, constant
from finetti.errors import ParameterError
from finetti.ir import FLOAT, Tensor, ops


def trace(function: Callable[..., Any], *shapes: Any) -> tuple[Any, Any]:
    """A function's jaxpr with 64-bit numbers, and the structure of its result.

    A program that insists on 32-bit numbers somewhere, e.g. in what a loop carries, is traced with
    the numbers that JAX is set to; it is computed with 64 bits all the same.
    """
    try:
        with jax.enable_x64(True):
            closed, shape = jax.make_jaxpr(function, return_shape=True)(*shapes)
    except TypeError:
        if jax.config.jax_enable_x64:
            raise
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*shapes)
    return closed, jax.tree_util.tree_structure(shape)


def from_jax(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function written in JAX as a function of a model's tensors.

    Its equations become part of the model's graph, so that it is differentiated, simplified and
    compiled with the rest and no JAX runs while sampling. Arguments that hold no tensor are given to
    it as they are. It needs the extra `finetti[jax]`.

    Parameters
    ----------
    function : callable
        A pure function of arrays (or of nested lists, tuples and dicts of them) to arrays.

    Returns
    -------
    callable
        The same function for tensors: the result has the structure of `function`'s.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> logp = pm.from_jax(lambda mu, sigma: -jnp.sum(((data - mu) / sigma) ** 2) / 2)
    >>> with pm.Model():
    ...     mu, sigma = pm.Normal("mu", 0, 1), pm.HalfNormal("sigma", 1)
    ...     pm.Potential("likelihood", logp(mu, sigma))
    """
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


def tensors_of(values: Sequence[Any]) -> list[Tensor]:
    """Constants as tensors."""
    return [ops.as_tensor(constant(value)) for value in values]
