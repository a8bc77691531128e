"""The half-normal distribution: the size of a normal number with mean 0."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.normal import PRECISION
from finetti.ir import Tensor, ops

HALF_LOG_2_PI = 0.5 * math.log(2.0 / math.pi)


def logp(value: Tensor, sigma: Tensor) -> Tensor:
    z = value / sigma
    return -0.5 * (z * z) - ops.log(sigma) + HALF_LOG_2_PI


def draw(shape: Any, sigma: Tensor) -> Tensor:
    return sigma * ops.absolute(ops.random.standard_normal(shape=shape))


def logcdf(value: Tensor, sigma: Tensor) -> Tensor:
    z = ops.maximum(value / sigma, 0.0) * math.sqrt(0.5)
    return ops.where(z < 0.5, ops.log(ops.erf(z)), ops.log1p(-ops.erfc(z)))


def icdf(q: Tensor, sigma: Tensor) -> Tensor:
    return sigma * math.sqrt(2.0) * ops.erfinv(q)


HalfNormal = Distribution(
    "HalfNormal",
    params={"sigma": Param(support.positive, 1.0)},
    support=lambda sigma: support.nonnegative,
    density=logp,
    draw=draw,
    center=lambda sigma: sigma,
    mean=lambda sigma: sigma * math.sqrt(2.0 / math.pi),
    var=lambda sigma: sigma * sigma * (1.0 - 2.0 / math.pi),
    cdf=logcdf,
    quantile=icdf,
    alternatives=(PRECISION,),
    scipy="stats.halfnorm(scale=sigma)",
    samples=({"sigma": 1.0}, {"sigma": 0.3}, {"sigma": [1.0, 50.0]}),
)
