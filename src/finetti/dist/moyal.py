"""The Moyal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.normal import HALF_LOG_2PI
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    z = (value - mu) / sigma
    return -0.5 * (z + ops.exp(-z)) - ops.log(sigma) - HALF_LOG_2PI


def draw(shape: Any, mu: Tensor, sigma: Tensor) -> Tensor:
    # exp(-z) is the square of a normal number.
    size = ops.absolute(ops.random.standard_normal(shape=shape))
    return mu - 2.0 * sigma * ops.log(size)


def logcdf(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return math.log(2.0) + ops.log_ndtr(-ops.exp(-0.5 * (value - mu) / sigma))


def icdf(q: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return mu - 2.0 * sigma * ops.log(-ops.ndtri(0.5 * q))


def mean(mu: Tensor, sigma: Tensor) -> Tensor:
    return mu + sigma * (np.euler_gamma + math.log(2.0))


Moyal = Distribution(
    "Moyal",
    params={"mu": Param(support.real, 0.0), "sigma": Param(support.positive, 1.0)},
    support=lambda mu, sigma: support.real,
    density=logp,
    draw=draw,
    center=mean,
    mean=mean,
    var=lambda mu, sigma: (0.5 * math.pi**2) * sigma * sigma,
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.moyal(loc=mu, scale=sigma)",
    samples=({"mu": 0.0, "sigma": 1.0}, {"mu": [1.0, -4.0], "sigma": [0.9, 30.0]}),
)
