"""The hyperbolic secant distribution: exponential tails, and a smooth mode."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    z = (value - mu) / sigma
    return math.log(2.0 / math.pi) - ops.log(sigma) - ops.logaddexp(z, -z)


def draw(shape: Any, mu: Tensor, sigma: Tensor) -> Tensor:
    return icdf(ops.random.uniform(shape=shape), mu, sigma)


def logcdf(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    z = (value - mu) / sigma
    # The smaller tail, which keeps its digits.
    tail = 2.0 / math.pi * ops.arctan(ops.exp(-ops.absolute(z)))
    return ops.where(z < 0.0, ops.log(tail), ops.log1p(-tail))


def icdf(q: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    side = ops.log(ops.tan(0.5 * math.pi * ops.minimum(q, 1.0 - q)))
    return mu + sigma * ops.where(q < 0.5, side, -side)


SoftLaplace = Distribution(
    "SoftLaplace",
    params={"mu": Param(support.real), "sigma": Param(support.positive)},
    support=lambda mu, sigma: support.real,
    density=logp,
    draw=draw,
    center=lambda mu, sigma: mu,
    mean=lambda mu, sigma: mu,
    var=lambda mu, sigma: ops.square(0.5 * math.pi * sigma),
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.hypsecant(loc=mu, scale=sigma)",
    samples=({"mu": 0.0, "sigma": 1.0}, {"mu": [1.0, -40.0], "sigma": [0.2, 30.0]}),
    tol=1e-11,
)
