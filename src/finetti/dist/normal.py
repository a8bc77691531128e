"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.ir import Tensor, ops

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


def logp(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    z = (value - mu) / sigma
    return -0.5 * (z * z) - ops.log(sigma) - HALF_LOG_2PI


def draw(shape: Any, mu: Tensor, sigma: Tensor) -> Tensor:
    return mu + sigma * ops.random.standard_normal(shape=shape)


def logcdf(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.log_ndtr((value - mu) / sigma)


def icdf(q: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return mu + sigma * ops.ndtri(q)


def sigma_of(tau: Tensor) -> Tensor:
    """Standard deviation of a precision."""
    return 1.0 / ops.sqrt(tau)


PRECISION = Alternative(("tau",), ("sigma",), lambda tau: {"sigma": sigma_of(tau)})

Normal = Distribution(
    "Normal",
    params={"mu": Param(support.real, 0.0), "sigma": Param(support.positive, 1.0)},
    support=lambda mu, sigma: support.real,
    density=logp,
    draw=draw,
    center=lambda mu, sigma: mu,
    mean=lambda mu, sigma: mu,
    var=lambda mu, sigma: sigma * sigma,
    cdf=logcdf,
    quantile=icdf,
    ccdf=lambda value, mu, sigma: logcdf(-value, -mu, sigma),
    alternatives=(PRECISION,),
    scipy="stats.norm(loc=mu, scale=sigma)",
    samples=(
        {"mu": 0.0, "sigma": 1.0},
        {"mu": -3.0, "sigma": 0.2},
        {"mu": [1.0, 2.0, -40.0], "sigma": [0.5, 3.0, 100.0]},
    ),
)
