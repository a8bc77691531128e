"""Draws from parts of the data, merged into draws from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from finetti.dialects.numpyro.missing import explain

__all__ = ["consensus", "parametric", "parametric_draws"]

Array = Any


def _stacked(subposteriors: Sequence[Any]) -> tuple[Array, Any]:
    """[part, draw, value], and the function from values to a tree."""
    joined = jax.tree_util.tree_map(lambda *parts: jnp.stack(parts), *subposteriors)
    flat = jax.vmap(jax.vmap(lambda draw: ravel_pytree(draw)[0]))(joined)
    first = jax.tree_util.tree_map(lambda x: x[0], subposteriors[0])
    return flat, ravel_pytree(first)[1]


def consensus(
    subposteriors: Sequence[Any], num_draws: int | None = None, diagonal: bool = False,
    rng_key: Any = None,
) -> Any:  # fmt: skip
    """Weighted means of draws from parts of the data.

    Parameters
    ----------
    subposteriors : list
        For each part a tree of draws.
    num_draws : int, optional
        How many draws; by default each is used once.
    diagonal : bool
        Whether the weights are variances, instead of covariance matrices.
    rng_key : key, optional
        A random key, where draws are picked.
    """
    flat, unravel = _stacked(subposteriors)
    if num_draws is not None:
        key = jax.random.key(0) if rng_key is None else rng_key
        picked = jax.random.randint(key, (len(flat), num_draws), 0, flat.shape[1])
        flat = jax.vmap(lambda x, places: x[places])(flat, picked)
    if diagonal:
        weights = 1.0 / jnp.var(flat, axis=1, ddof=1)
        merged = jnp.einsum("pv,pdv->dv", weights / weights.sum(0), flat)
    else:
        precisions = jnp.linalg.inv(_covariances(flat))
        weighted = jnp.einsum("pvw,pdw->dv", precisions, flat)
        merged = jnp.linalg.solve(precisions.sum(0), weighted.T).T
    return jax.vmap(unravel)(merged)


def _covariances(flat: Array) -> Array:
    return jax.vmap(lambda x: jnp.atleast_2d(jnp.cov(x.T)))(flat)


def parametric(subposteriors: Sequence[Any], diagonal: bool = False) -> tuple[Array, Array]:
    """The mean and (co)variance of a product of normal densities, one for each part of the data.

    Parameters
    ----------
    subposteriors : list
        For each part a tree of draws.
    diagonal : bool
        Whether variances are used, instead of covariance matrices.
    """
    flat, _ = _stacked(subposteriors)
    means = flat.mean(1)
    if diagonal:
        precisions = 1.0 / jnp.var(flat, axis=1, ddof=1)
        variance = 1.0 / precisions.sum(0)
        return variance * (precisions * means).sum(0), variance
    precisions = jnp.linalg.inv(_covariances(flat))
    covariance = jnp.linalg.inv(precisions.sum(0))
    return covariance @ jnp.einsum("pvw,pw->v", precisions, means), covariance


def parametric_draws(
    subposteriors: Sequence[Any], num_draws: int, diagonal: bool = False, rng_key: Any = None
) -> Any:
    """Draws from the normal density of `parametric`.

    Parameters
    ----------
    subposteriors : list
        For each part a tree of draws.
    num_draws : int
        How many draws.
    diagonal : bool
        Whether variances are used, instead of covariance matrices.
    rng_key : key, optional
        A random key.
    """
    key = jax.random.key(0) if rng_key is None else rng_key
    mean, spread = parametric(subposteriors, diagonal)
    noise = jax.random.normal(key, (num_draws, mean.size))
    scaled = noise * jnp.sqrt(spread) if diagonal else noise @ jnp.linalg.cholesky(spread).T
    return jax.vmap(_stacked(subposteriors)[1])(mean + scaled)


def __getattr__(name: str) -> Any:
    raise explain(f"infer.hmc_util.{name}", __all__)
