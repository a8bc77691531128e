"""The Gumbel distribution: of the largest of many numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, beta: Tensor) -> Tensor:
    z = (value - mu) / beta
    return -z - ops.exp(-z) - ops.log(beta)


def draw(shape: Any, mu: Tensor, beta: Tensor) -> Tensor:
    return mu - beta * ops.log(ops.random.standard_exponential(shape=shape))


def mean(mu: Tensor, beta: Tensor) -> Tensor:
    return mu + np.euler_gamma * beta


Gumbel = Distribution(
    "Gumbel",
    params={"mu": Param(support.real), "beta": Param(support.positive)},
    support=lambda mu, beta: support.real,
    density=logp,
    draw=draw,
    center=mean,
    mean=mean,
    var=lambda mu, beta: (math.pi**2 / 6.0) * beta * beta,
    cdf=lambda value, mu, beta: -ops.exp(-(value - mu) / beta),
    quantile=lambda q, mu, beta: mu - beta * ops.log(-ops.log(q)),
    scipy="stats.gumbel_r(loc=mu, scale=beta)",
    samples=({"mu": 0.0, "beta": 1.0}, {"mu": [1.0, -40.0], "beta": [0.2, 30.0]}),
)
