"""Eigenfunctions of the Laplace operator in boxes: what Gaussian processes are made of."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["eigenfunctions", "eigenfunctions_periodic", "eigenindices", "sqrt_eigenvalues"]

Array = Any


def eigenindices(m: Any, dim: int) -> Array:
    """The numbers of the first functions along each axis, [dim, count].

    Parameters
    ----------
    m : int or list of int
        How many along each axis; their product is the count.
    dim : int
        How many axes.
    """
    if isinstance(m, (int, np.integer)):
        m = [m] * dim
    elif len(m) != dim:
        raise ValueError(
            f"The length of m must be equal to the dimension of the space: {len(m)} and {dim}."
        )
    grid = np.meshgrid(*(np.arange(1, count + 1) for count in m), indexing="ij")
    return jnp.asarray(np.reshape(grid, (dim, -1)))


def sqrt_eigenvalues(ell: Any, m: Any, dim: int) -> Array:
    """Square roots of the first eigenvalues along each axis, [dim, count].

    Parameters
    ----------
    ell : float or list of float
        Half of the box's length along each axis.
    m : int or list of int
        How many along each axis.
    dim : int
        How many axes.
    """
    return eigenindices(m, dim) * jnp.pi / 2 / _lengths(ell, dim)


def eigenfunctions(x: Any, ell: Any, m: Any) -> Array:
    """The first functions at some points, [..., count].

    Parameters
    ----------
    x : array_like
        The points: [n], or [..., dim].
    ell : float or list of float
        Half of the box's length along each axis.
    m : int or list of int
        How many along each axis.
    """
    x = jnp.asarray(x)
    x = x[:, None] if x.ndim == 1 else x
    dim = x.shape[-1]
    half = _lengths(ell, dim)
    waves = jnp.sin(sqrt_eigenvalues(half, m, dim) * (x[..., None] + half))
    return jnp.prod(jnp.sqrt(1 / half) * waves, axis=-2)


def eigenfunctions_periodic(x: Any, w0: Any, m: int) -> tuple[Array, Array]:
    """Cosines and sines of the first multiples of a frequency, [n, m] each.

    Parameters
    ----------
    x : array_like
        The points, [n].
    w0 : float
        The frequency: 2 pi by the period.
    m : int
        How many.
    """
    if jnp.ndim(x) > 1:
        raise ValueError(
            "Multidimensional inputs are not supported by the periodic kernel: x has shape "
            f"{jnp.shape(x)}."
        )
    angles = w0 * jnp.asarray(x)[..., None] * np.arange(float(m))
    return jnp.cos(angles), jnp.sin(angles)


def _lengths(ell: Any, dim: int) -> Array:
    """Half of the lengths as a column."""
    given = ell if isinstance(ell, (list, tuple)) or np.ndim(ell) else [ell] * dim
    if isinstance(given, (list, tuple)):
        if len(given) != dim:
            raise ValueError(
                "The length of ell must be equal to the dimension of the space: "
                f"{len(given)} and {dim}."
            )
        traced = any(isinstance(x, jax.Array) for x in given)
        given = (jnp.stack(given) if traced else np.array(given, float))[:, None]
    if jnp.shape(given) != (dim, 1):
        raise ValueError(
            f"ell must be a scalar or a list of length `dim`: shape {jnp.shape(given)}, "
            f"expected ({dim}, 1)."
        )
    return given
