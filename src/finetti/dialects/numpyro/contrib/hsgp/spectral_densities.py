"""Spectral densities of kernels: how large the weight of each function of a basis is."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from finetti.dialects.numpyro.contrib.hsgp.laplacian import sqrt_eigenvalues
from finetti.dialects.numpyro.distributions import graphs
from finetti.ir import ops

__all__ = [
    "align_param", "diag_spectral_density_matern", "diag_spectral_density_periodic",
    "diag_spectral_density_rational_quadratic", "diag_spectral_density_squared_exponential",
    "modified_bessel_first_kind", "modified_bessel_second_kind", "spectral_density_matern",
    "spectral_density_rational_quadratic", "spectral_density_squared_exponential",
]  # fmt: skip

Array = Any
_POINTS = 160  # of the rule that integrates a Bessel function; 14 digits


def align_param(dim: int, param: Any) -> Array:
    """A parameter with one value an axis."""
    return jnp.broadcast_to(param, jnp.broadcast_shapes(jnp.shape(param), (dim,)))


def spectral_density_squared_exponential(dim: int, w: Any, alpha: Any, length: Any) -> Array:
    """The density of the squared exponential kernel at frequencies.

    Parameters
    ----------
    dim : int
        How many axes.
    w : array_like
        Frequencies, [..., dim].
    alpha : float
        The kernel's value at distance 0, which is a variance.
    length : float or array_like
        Its length scale, along each axis.
    """
    length = align_param(dim, length)
    front = jnp.prod(np.sqrt(2 * np.pi) * length, axis=-1) * alpha
    return front * jnp.exp(-0.5 * jnp.sum((w * length) ** 2, axis=-1))


def spectral_density_matern(dim: int, nu: float, w: Any, alpha: Any, length: Any) -> Array:
    """The density of Matern's kernel at frequencies.

    Parameters
    ----------
    dim : int
        How many axes.
    nu : float
        Its smoothness.
    w : array_like
        Frequencies, [..., dim].
    alpha : float
        The kernel's value at distance 0, which is a variance.
    length : float or array_like
        Its length scale, along each axis.
    """
    length = align_param(dim, length)
    power = nu + dim / 2
    front = alpha * (4 * np.pi) ** (dim / 2) * (2 * nu) ** nu
    front = front * jnp.exp(special.gammaln(power) - special.gammaln(nu))
    return front * jnp.prod(length, axis=-1) * (2 * nu + jnp.sum((length * w) ** 2, -1)) ** -power


def spectral_density_rational_quadratic(
    dim: int, w: Any, alpha: Any, length: Any, scale_mixture: Any
) -> Array:
    """The density of the rational quadratic kernel at frequencies, as NumPyro has it.

    Parameters
    ----------
    dim : int
        How many axes.
    w : array_like
        Frequencies, [..., dim].
    alpha : float
        The kernel's value at distance 0, which is a variance.
    length : float
        Its length scale, the same along all axes.
    scale_mixture : float
        How much large and small scales are mixed; more than dim / 2.
    """
    length = jnp.atleast_1d(length)
    if length.shape[-1] > 1 and dim > 1:
        raise NotImplementedError(
            "Rational Quadratic spectral density currently only supports isotropic (scalar) "
            f"length scales; the length has shape {length.shape}."
        )
    wide = jnp.sqrt(2 * scale_mixture) * jnp.mean(length)
    size = jnp.sqrt(jnp.sum(jnp.atleast_1d(w) ** 2, axis=-1))
    zero = size < 1e-8
    z = wide * jnp.where(zero, 1.0, size)
    order = scale_mixture - dim / 2
    front = jnp.log(alpha) - special.gammaln(scale_mixture)
    front = front + (dim - 1) / 2 * jnp.log(2 * scale_mixture)
    there = dim / 2 * np.log(2 * np.pi) + (1 - scale_mixture) * np.log(2) + jnp.log(wide)
    there = there + order * jnp.log(z) + _log_second_kind(order, z)
    at_zero = dim / 2 * np.log(np.pi) + dim * jnp.log(wide) + special.gammaln(order)
    return jnp.exp(front + jnp.where(zero, at_zero, there))


def _on_basis(density: Any, ell: Any, m: Any, dim: int) -> Array:
    """A density at the frequencies of the functions of a box."""
    return jax.vmap(density, in_axes=-1)(sqrt_eigenvalues(ell, m, dim))


def diag_spectral_density_squared_exponential(
    alpha: Any, length: Any, ell: Any, m: Any, dim: int
) -> Array:
    """The squared exponential kernel's density at the frequencies of a box, [count].

    Parameters
    ----------
    alpha, length
        As for `spectral_density_squared_exponential`.
    ell, m, dim
        As for `laplacian.sqrt_eigenvalues`.
    """
    return _on_basis(
        lambda w: spectral_density_squared_exponential(dim, w, alpha, length), ell, m, dim
    )


def diag_spectral_density_matern(
    nu: float, alpha: Any, length: Any, ell: Any, m: Any, dim: int
) -> Array:
    """Matern's kernel's density at the frequencies of a box, [count].

    Parameters
    ----------
    nu, alpha, length
        As for `spectral_density_matern`.
    ell, m, dim
        As for `laplacian.sqrt_eigenvalues`.
    """
    return _on_basis(lambda w: spectral_density_matern(dim, nu, w, alpha, length), ell, m, dim)


def diag_spectral_density_rational_quadratic(
    alpha: Any, length: Any, scale_mixture: Any, ell: Any, m: Any, dim: int
) -> Array:
    """The rational quadratic kernel's density at the frequencies of a box, [count].

    Parameters
    ----------
    alpha, length, scale_mixture
        As for `spectral_density_rational_quadratic`.
    ell, m, dim
        As for `laplacian.sqrt_eigenvalues`.
    """
    return _on_basis(
        lambda w: spectral_density_rational_quadratic(dim, w, alpha, length, scale_mixture),
        ell, m, dim,
    )  # fmt: skip


def diag_spectral_density_periodic(alpha: Any, length: Any, m: int) -> Array:
    """The first coefficients of the periodic kernel's series, [m].

    Parameters
    ----------
    alpha : float
        The kernel's standard deviation.
    length : float
        Its length scale.
    m : int
        How many.
    """
    order = np.arange(float(m))
    scaled = graphs.apply(ops.ive, order, jnp.broadcast_to(1.0 / jnp.square(length), (m,)))
    return np.where(order > 0, 2, 1) * jnp.square(alpha) * scaled


# -- Bessel functions ----------------------------------------------------------------------------


def modified_bessel_first_kind(v: Any, z: Any) -> Array:
    """I of order v, a whole number from 0 to 300."""
    v, z = jnp.broadcast_arrays(jnp.asarray(v, float), jnp.asarray(z, float))
    return jnp.exp(jnp.abs(z)) * graphs.apply(ops.ive, v, z)


def modified_bessel_second_kind(v: Any, z: Any) -> Array:
    """K of order v, for z > 0."""
    return jnp.exp(_log_second_kind(jnp.asarray(v, float), jnp.asarray(z, float)))


def _log_second_kind(v: Array, z: Array) -> Array:
    """The logarithm of K: the integral of exp(-z cosh(t)) cosh(v t), by the trapezoidal rule.

    The integrand falls so fast at both ends that the rule's error does too. It ends where the
    integrand is 1e-17 of its maximum.
    """
    v = jnp.abs(v)
    room = jnp.sqrt(1600.0 + 80.0 * jnp.sqrt(v * v + z * z))
    # only where the sum ends: the integral does not depend on it
    end = jax.lax.stop_gradient(jnp.arcsinh((v + room) / z))[..., None]
    t = end * (np.arange(_POINTS) / _POINTS)
    v, z = v[..., None], z[..., None]
    cosh = jnp.logaddexp(v * t, -v * t) - np.log(2.0)
    weight = np.log(np.where(np.arange(_POINTS) == 0, 0.5, 1.0) / _POINTS)
    terms = cosh - 2.0 * z * jnp.sinh(0.5 * t) ** 2 + weight
    return special.logsumexp(terms, axis=-1) + jnp.log(end[..., 0]) - z[..., 0]
