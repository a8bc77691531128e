"""Kullback-Leibler divergences between distributions: a table of pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from finetti.dialects.numpyro.distributions import graphs
from finetti.dialects.numpyro.distributions.base import (
    Array,
    Distribution,
    ExpandedDistribution,
    Independent,
    MaskedDistribution,
)
from finetti.dialects.numpyro.distributions.classes import CLASSES
from finetti.dialects.numpyro.distributions.special import Delta
from finetti.dialects.numpyro.distributions.util import sum_rightmost
from finetti.dist import divergence

D: dict[str, Any] = CLASSES
_PAIR = ("concentration1", "concentration0")
_ROWS: dict[tuple[str, str], tuple[Callable[..., Any], tuple[str, ...], tuple[str, ...]]] = {
    ("Normal", "Normal"): (divergence.normal, ("loc", "scale"), ("loc", "scale")),
    ("Beta", "Beta"): (divergence.beta, _PAIR, _PAIR),
    ("Gamma", "Gamma"): (divergence.gamma, ("concentration", "rate"), ("concentration", "rate")),
    ("Dirichlet", "Dirichlet"): (divergence.dirichlet, ("concentration",), ("concentration",)),
    ("CategoricalProbs", "CategoricalProbs"): (divergence.categorical, ("probs",), ("probs",)),
    ("MultivariateNormal", "MultivariateNormal"): (
        divergence.mvnormal, ("loc", "scale_tril"), ("loc", "scale_tril"),
    ),
    ("Weibull", "Gamma"): (
        divergence.weibull_gamma, ("concentration", "scale"), ("concentration", "rate"),
    ),
    ("Kumaraswamy", "Beta"): (
        divergence.kumaraswamy_beta, _PAIR, _PAIR,
    ),
}  # fmt: skip


def _of(d: Distribution, names: tuple[str, ...]) -> list[Any]:
    values = [getattr(d, name) for name in names]
    if names == ("loc", "scale_tril"):  # a scalar mean is one of each element
        values[0] = jnp.broadcast_to(values[0], d.shape())
    return values


def _independent(p: Any, q: Any) -> Array:
    shared = min(p.reinterpreted_batch_ndims, q.reinterpreted_batch_ndims)

    def inner(d: Any) -> Distribution:
        return d.base_dist.to_event(d.reinterpreted_batch_ndims - shared)  # type: ignore[no-any-return]

    return sum_rightmost(kl_divergence(inner(p), inner(q)), shared)


def _masked(p: Any, q: Any) -> Array:
    mask = True
    for one in (p._mask, q._mask):
        mask = one if mask is True else mask if one is True else mask & one
    if mask is False:
        return jnp.zeros(())
    each = kl_divergence(p.base_dist, q.base_dist)
    return each if mask is True else jnp.where(mask, each, 0.0)


def kl_divergence(p: Any, q: Any) -> Array:
    """How far `q` is from `p`: the mean of log p - log q over values of `p`.

    Raises
    ------
    NotImplementedError
        For a pair that has no formula.
    """
    if isinstance(p, Delta):
        return -q.log_prob(p.v) + p.log_density
    if isinstance(p, ExpandedDistribution) or isinstance(q, ExpandedDistribution):
        inner = [d.base_dist if isinstance(d, ExpandedDistribution) else d for d in (p, q)]
        shape = jnp.broadcast_shapes(p.batch_shape, q.batch_shape)
        return jnp.broadcast_to(kl_divergence(*inner), shape)
    if isinstance(p, Independent) and isinstance(q, Independent):
        return _independent(p, q)
    if isinstance(p, MaskedDistribution) and isinstance(q, MaskedDistribution):
        return _masked(p, q)
    for (first, second), (function, mine, theirs) in _ROWS.items():
        if isinstance(p, D[first]) and isinstance(q, D[second]):
            if p.event_shape != q.event_shape:
                raise ValueError(
                    "Distributions must have the same event shape, but are"
                    f" {p.event_shape} and {q.event_shape} for p and q, respectively."
                )
            return graphs.apply(function, *_of(p, mine), *_of(q, theirs))
    raise NotImplementedError(
        f"kl_divergence of {type(p).__name__} and {type(q).__name__} has no formula here."
    )
