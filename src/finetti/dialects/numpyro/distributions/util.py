"""Small helpers of distributions, under NumPyro's names where they have one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Array = Any


def is_concrete(x: Any) -> bool:
    """Whether a value is known now, and not traced."""
    return not isinstance(x, jax.core.Tracer)


def sum_rightmost(x: Any, dim: int) -> Array:
    """The sum over the last `dim` axes."""
    return jnp.sum(x, axis=tuple(range(-dim, 0))) if dim else jnp.asarray(x)


def promote_shapes(*args: Any, shape: tuple[int, ...] = ()) -> list[Any]:
    """The arrays with axes of length 1 in front, as many as the largest needs."""
    if len(args) < 2 and not shape:
        return list(args)
    axes = max(len(jnp.broadcast_shapes(shape, *map(jnp.shape, args))), len(shape))
    return [
        x if jnp.ndim(x) in (0, axes) else jnp.reshape(x, (1,) * (axes - jnp.ndim(x)) + x.shape)
        for x in args
    ]


def validate_sample(log_prob: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a `log_prob`: values outside of the support have none."""

    @functools.wraps(log_prob)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Array:
        result = log_prob(self, *args, **kwargs)
        if self._validate_args:
            value = kwargs["value"] if "value" in kwargs else args[0]
            result = jnp.where(self._validate_sample(value), result, -jnp.inf)
        return result

    return wrapper


class lazy_property:  # noqa: N801, a user's name
    """A property that is computed once."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        value = self.wrapped(instance)
        instance.__dict__[self.wrapped.__name__] = value
        return value


def clamp_probs(probs: Any) -> Array:
    """Probabilities that are neither 0 nor 1."""
    info = jnp.finfo(jnp.result_type(probs, float))
    return jnp.clip(probs, info.tiny, 1.0 - info.eps)


def is_prng_key(key: Any) -> bool:
    """Whether something is a key of `jax.random`, old or new."""
    try:
        if jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
            return bool(key.shape == ())
        return bool(key.shape == (2,) and key.dtype == jnp.uint32)
    except AttributeError:
        return False


def vec_to_tril_matrix(x: Any, diagonal: int = 0) -> Array:
    """Vectors as the lower triangles of matrices, row by row; zero elsewhere."""
    n = round((jnp.sqrt(1.0 + 8.0 * x.shape[-1]).item() - 1.0) / 2.0) - diagonal
    rows, columns = jnp.tril_indices(n, diagonal)
    return jnp.zeros((*x.shape[:-1], n, n), x.dtype).at[..., rows, columns].set(x)


def matrix_to_tril_vec(x: Any, diagonal: int = 0) -> Array:
    """The lower triangles of matrices as vectors, row by row."""
    rows, columns = jnp.tril_indices(x.shape[-1], diagonal)
    return x[..., rows, columns]
