"""The log-normal distribution: the exponential of a normal number."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.normal import HALF_LOG_2PI, PRECISION
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    log_value = ops.log(value)
    z = (log_value - mu) / sigma
    return -0.5 * (z * z) - ops.log(sigma) - log_value - HALF_LOG_2PI


def draw(shape: Any, mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.exp(mu + sigma * ops.random.standard_normal(shape=shape))


def logcdf(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.log_ndtr((ops.log(ops.maximum(value, 0.0)) - mu) / sigma)


def logccdf(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.log_ndtr((mu - ops.log(ops.maximum(value, 0.0))) / sigma)


def icdf(q: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.exp(mu + sigma * ops.ndtri(q))


def mean(mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.exp(mu + 0.5 * (sigma * sigma))


def var(mu: Tensor, sigma: Tensor) -> Tensor:
    spread = sigma * sigma
    return ops.expm1(spread) * ops.exp(2.0 * mu + spread)


LogNormal = Distribution(
    "LogNormal",
    params={"mu": Param(support.real, 0.0), "sigma": Param(support.positive, 1.0)},
    support=lambda mu, sigma: support.positive,
    density=logp,
    draw=draw,
    center=mean,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    ccdf=logccdf,
    alternatives=(PRECISION,),
    scipy="stats.lognorm(sigma, scale=np.exp(mu))",
    samples=(
        {"mu": 0.0, "sigma": 1.0},
        {"mu": -1.0, "sigma": 0.2},
        {"mu": [3.0, 0.5], "sigma": [0.1, 0.7]},
    ),
)
