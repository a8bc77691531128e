"""The Cauchy and half-Cauchy distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    z = (value - alpha) / beta
    return -ops.log1p(z * z) - ops.log(beta) - math.log(math.pi)


def draw(shape: Any, alpha: Tensor, beta: Tensor) -> Tensor:
    return alpha + beta * ops.tan(math.pi * (ops.random.uniform(shape=shape) - 0.5))


def logcdf(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    z = (value - alpha) / beta
    # Far below, 1/2 + arctan(z)/pi cancels; arctan(-1/z)/pi is the same number.
    below = ops.arctan(-1.0 / ops.minimum(z, -1.0)) / math.pi
    return ops.log(ops.where(z < -1.0, below, 0.5 + ops.arctan(z) / math.pi))


def icdf(q: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    # Cotangents keep the digits of probabilities near 0 and 1, and are infinite at both.
    z = ops.where(q < 0.5, -1.0 / ops.tan(math.pi * q), 1.0 / ops.tan(math.pi * (1.0 - q)))
    return alpha + beta * z


def half_logp(value: Tensor, beta: Tensor) -> Tensor:
    z = value / beta
    return -ops.log1p(z * z) - ops.log(beta) + math.log(2.0 / math.pi)


def half_draw(shape: Any, beta: Tensor) -> Tensor:
    return beta * ops.tan(0.5 * math.pi * ops.random.uniform(shape=shape))


def half_logcdf(value: Tensor, beta: Tensor) -> Tensor:
    return ops.log((2.0 / math.pi) * ops.arctan(ops.maximum(value, 0.0) / beta))


def half_icdf(q: Tensor, beta: Tensor) -> Tensor:
    half = 0.5 * math.pi
    return beta * ops.where(q < 0.5, ops.tan(half * q), 1.0 / ops.tan(half * (1.0 - q)))


Cauchy = Distribution(
    "Cauchy",
    params={"alpha": Param(support.real), "beta": Param(support.positive)},
    support=lambda alpha, beta: support.real,
    density=logp,
    draw=draw,
    center=lambda alpha, beta: alpha,
    mean=lambda alpha, beta: ops.full(alpha.shape, np.nan),
    var=lambda alpha, beta: ops.full(alpha.shape, np.nan),
    cdf=logcdf,
    quantile=icdf,
    ccdf=lambda value, alpha, beta: logcdf(-value, -alpha, beta),
    scipy="stats.cauchy(loc=alpha, scale=beta)",
    samples=(
        {"alpha": 0.0, "beta": 1.0},
        {"alpha": [2.0, -5.0], "beta": [0.1, 30.0]},
    ),
)

HalfCauchy = Distribution(
    "HalfCauchy",
    params={"beta": Param(support.positive)},
    support=lambda beta: support.nonnegative,
    density=half_logp,
    draw=half_draw,
    center=lambda beta: beta,
    mean=lambda beta: ops.full(beta.shape, np.inf),
    var=lambda beta: ops.full(beta.shape, np.inf),
    cdf=half_logcdf,
    quantile=half_icdf,
    scipy="stats.halfcauchy(scale=beta)",
    samples=({"beta": 1.0}, {"beta": [0.3, 5.0]}),
)
