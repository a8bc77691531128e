"""Where sampling starts: strategies that give a site its first value."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro.distributions import biject_to

__all__ = [
    "init_to_feasible", "init_to_mean", "init_to_median", "init_to_sample", "init_to_uniform",
    "init_to_value",
]  # fmt: skip

Site = dict[str, Any]


def _is_free(site: Site) -> bool:
    """Whether a site is a continuous latent variable."""
    if site["type"] != "sample" or site["is_observed"]:
        return False
    return not site["fn"].support.is_discrete


def _has_value(site: Site, strategy: str) -> bool:
    if site["value"] is None:
        return False
    warnings.warn(
        f"{strategy}() skipping initialization of site '{site['name']}' which already stores a "
        "value.",
        stacklevel=3,
    )
    return True


def _keywords(site: Site) -> tuple[Any, tuple[int, ...]]:
    return site["kwargs"].get("rng_key"), site["kwargs"].get("sample_shape") or ()


def init_to_uniform(site: Site | None = None, radius: float = 2) -> Any:
    """Uniformly within a radius of the origin of the unconstrained space.

    Parameters
    ----------
    site : dict, optional
        A site's message; without it the strategy with this radius is returned.
    radius : float
        The radius.
    """
    if site is None:
        return partial(init_to_uniform, radius=radius)
    if not _is_free(site):
        return None
    if _has_value(site, "init_to_uniform"):
        return site["value"]
    key, sample_shape = _keywords(site)
    transform = biject_to(site["fn"].support)
    shape = (*sample_shape, *transform.inverse_shape(site["fn"].shape()))
    return transform(jax.random.uniform(key, shape, minval=-radius, maxval=radius))


def init_to_feasible(site: Site | None = None) -> Any:
    """The origin of the unconstrained space."""
    return init_to_uniform(site, radius=0)


def init_to_median(site: Site | None = None, num_samples: int = 15) -> Any:
    """The median of some draws from the prior, in the unconstrained space.

    Parameters
    ----------
    site : dict, optional
        A site's message.
    num_samples : int
        How many draws.
    """
    if site is None:
        return partial(init_to_median, num_samples=num_samples)
    if not _is_free(site):
        return None
    if _has_value(site, "init_to_median"):
        return site["value"]
    key, sample_shape = _keywords(site)
    try:
        draws = site["fn"].sample(key, (num_samples, *sample_shape))
    except NotImplementedError:
        return init_to_uniform(site)
    transform = biject_to(site["fn"].support)
    return transform(jnp.median(transform.inv(draws), axis=0))


def init_to_mean(site: Site | None = None) -> Any:
    """The mean of the prior; the median of draws where it has none."""
    if site is None:
        return partial(init_to_mean)
    if not _is_free(site):
        return None
    if _has_value(site, "init_to_mean"):
        return site["value"]
    try:
        return jnp.broadcast_to(site["fn"].mean, (*_keywords(site)[1], *site["fn"].shape()))
    except (NotImplementedError, ValueError):
        return init_to_median(site)


def init_to_sample(site: Site | None = None) -> Any:
    """A draw from the prior."""
    return init_to_median(site, num_samples=1)


def init_to_value(site: Site | None = None, values: dict[str, Any] | None = None) -> Any:
    """Given values, and `init_to_uniform` for the other sites.

    Parameters
    ----------
    site : dict, optional
        A site's message.
    values : dict
        Name -> value.
    """
    values = {} if values is None else values
    if site is None:
        return partial(init_to_value, values=values)
    if site["type"] == "sample" and not site["is_observed"]:
        if site["name"] in values:
            return values[site["name"]]
        return init_to_uniform(site)
    return None


def strategy_of(given: Any) -> tuple[Callable[..., Any], dict[str, Any]]:
    """A strategy's function and its keywords, whichever way it was written."""
    if isinstance(given, partial):
        return given.func, dict(given.keywords)
    if given in KNOWN:
        made = given()
        return made.func, dict(made.keywords)
    return given, {}


KNOWN = (init_to_uniform, init_to_feasible, init_to_median, init_to_mean, init_to_sample,
         init_to_value)  # fmt: skip
