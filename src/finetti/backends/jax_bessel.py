"""Bessel functions that JAX does not have."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["ive"]

Array = Any
_STEPS = 400  # the largest order that there is


def ive(order: Array, x: Array) -> Array:
    """I of whole orders from 0 to 300, times exp(-|x|); NaN for other orders.

    The ratios of neighbouring orders come from Gauss's continued fraction, from above, where it
    loses no digits; order 0 is JAX's own.
    """
    order, x = jnp.broadcast_arrays(order, jnp.asarray(x, float))
    last = _STEPS + 1.0
    first = x / (last - 0.5 + jnp.sqrt(last**2 - 0.25 + x * x))  # right up to x**-3

    def step(i: Any, state: tuple[Array, Array]) -> tuple[Array, Array]:
        ratio, product = state
        k = _STEPS - i
        ratio = x / (2.0 * k + x * ratio)
        return ratio, jnp.where(k <= order, product * ratio, product)

    _, product = jax.lax.fori_loop(0, _STEPS, step, (first, jnp.ones_like(x)))
    known = (order == jnp.floor(order)) & (order >= 0) & (order <= 300)
    return jnp.where(known, jax.scipy.special.i0e(x) * product, jnp.nan)
