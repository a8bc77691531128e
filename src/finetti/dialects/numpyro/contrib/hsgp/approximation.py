"""Gaussian processes with few weights: a basis times the roots of a spectral density."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro.contrib.hsgp import spectral_densities as spectral
from finetti.dialects.numpyro.contrib.hsgp.laplacian import (
    eigenfunctions,
    eigenfunctions_periodic,
)
from finetti.dialects.numpyro.primitives import plate, sample

__all__ = [
    "hsgp_matern", "hsgp_periodic_non_centered", "hsgp_rational_quadratic",
    "hsgp_squared_exponential", "linear_approximation",
]  # fmt: skip

Array = Any


def linear_approximation(phi: Any, spd: Any, m: int, non_centered: bool = True) -> Array:
    """The process at the points of a basis; its weights are the site "beta" in the plate "basis".

    Parameters
    ----------
    phi : array_like
        The basis, [n, m].
    spd : array_like
        Square roots of the spectral density, [m].
    m : int
        How many functions.
    non_centered : bool
        Whether the weights are standard normal and scaled afterwards.
    """
    if non_centered:
        with plate("basis", m):
            beta = sample("beta", dist.Normal(0.0, 1.0))
        return phi @ (spd * beta)
    # densities far out underflow, and a scale has to be positive
    spd = jnp.maximum(spd, jnp.finfo(jnp.result_type(spd, float)).tiny)
    with plate("basis", m):
        beta = sample("beta", dist.Normal(0.0, spd))
    return phi @ beta


def _approximation(x: Any, ell: Any, m: Any, non_centered: bool, density: Any) -> Array:
    dim = jnp.shape(x)[-1] if jnp.ndim(x) > 1 else 1
    phi = eigenfunctions(x, ell, m)
    return linear_approximation(phi, jnp.sqrt(density(dim)), phi.shape[-1], non_centered)


def hsgp_squared_exponential(
    x: Any, alpha: Any, length: Any, ell: Any, m: Any, non_centered: bool = True
) -> Array:
    """A process with the squared exponential kernel, at points.

    Parameters
    ----------
    x : array_like
        The points: [n], or [n, dim], with 0 in the middle of the box.
    alpha : float
        The kernel's value at distance 0, which is a variance.
    length : float or array_like
        Its length scale, along each axis.
    ell : float or list of float
        Half of the box's length along each axis; the points lie well inside.
    m : int or list of int
        How many functions along each axis.
    non_centered : bool
        Whether the weights are standard normal and scaled afterwards.
    """
    return _approximation(
        x, ell, m, non_centered,
        lambda dim: spectral.diag_spectral_density_squared_exponential(alpha, length, ell, m, dim),
    )  # fmt: skip


def hsgp_matern(  # noqa: PLR0913, a user's keywords
    x: Any, nu: float, alpha: Any, length: Any, ell: Any, m: Any, non_centered: bool = True
) -> Array:
    """A process with Matern's kernel, at points.

    Parameters
    ----------
    x, alpha, length, ell, m, non_centered
        As for `hsgp_squared_exponential`.
    nu : float
        The kernel's smoothness.
    """
    return _approximation(
        x, ell, m, non_centered,
        lambda dim: spectral.diag_spectral_density_matern(nu, alpha, length, ell, m, dim),
    )  # fmt: skip


def hsgp_rational_quadratic(  # noqa: PLR0913, a user's keywords
    x: Any, alpha: Any, length: Any, scale_mixture: Any, ell: Any, m: Any,
    non_centered: bool = True,
) -> Array:  # fmt: skip
    """A process with the rational quadratic kernel, at points.

    Parameters
    ----------
    x, alpha, length, ell, m, non_centered
        As for `hsgp_squared_exponential`.
    scale_mixture : float
        How much large and small scales are mixed; more than dim / 2.
    """

    def density(dim: int) -> Array:
        return spectral.diag_spectral_density_rational_quadratic(
            alpha, length, scale_mixture, ell, m, dim
        )

    return _approximation(x, ell, m, non_centered, density)


def hsgp_periodic_non_centered(x: Any, alpha: Any, length: Any, w0: Any, m: int) -> Array:
    """A periodic process at points; its weights are the sites "beta_cos" and "beta_sin".

    Parameters
    ----------
    x : array_like
        The points, [n].
    alpha : float
        The kernel's standard deviation.
    length : float
        Its length scale.
    w0 : float
        The frequency: 2 pi by the period.
    m : int
        How many cosines; of the sines, the first is zero and has no weight.
    """
    weights = spectral.diag_spectral_density_periodic(alpha, length, m)
    cosines, sines = eigenfunctions_periodic(x, w0, m)
    with plate("cos_basis", m):
        beta_cos = sample("beta_cos", dist.Normal(0.0, 1.0))
    with plate("sin_basis", m - 1):
        beta_sin = sample("beta_sin", dist.Normal(0.0, 1.0))
    return cosines @ (weights * beta_cos) + sines[:, 1:] @ (weights[1:] * beta_sin)
