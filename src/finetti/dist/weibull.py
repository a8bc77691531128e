"""The Weibull distribution."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    z = value / beta
    return ops.log(alpha / beta) + ops.xlogy(alpha - 1.0, z) - ops.power(z, alpha)


def draw(shape: Any, alpha: Tensor, beta: Tensor) -> Tensor:
    return beta * ops.power(ops.random.standard_exponential(shape=shape), 1.0 / alpha)


def logcdf(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return ops.log1mexp(-ops.power(ops.maximum(value, 0.0) / beta, alpha))


def logccdf(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return -ops.power(ops.maximum(value, 0.0) / beta, alpha)


def icdf(q: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return beta * ops.power(-ops.log1p(-q), 1.0 / alpha)


def mean(alpha: Tensor, beta: Tensor) -> Tensor:
    return beta * ops.gamma(1.0 + 1.0 / alpha)


def var(alpha: Tensor, beta: Tensor) -> Tensor:
    return beta * beta * ops.gamma(1.0 + 2.0 / alpha) - ops.square(mean(alpha, beta))


Weibull = Distribution(
    "Weibull",
    params={"alpha": Param(support.positive), "beta": Param(support.positive)},
    support=lambda alpha, beta: support.nonnegative,
    density=logp,
    draw=draw,
    center=mean,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    ccdf=logccdf,
    scipy="stats.weibull_min(alpha, scale=beta)",
    samples=(
        {"alpha": 1.0, "beta": 1.0},
        {"alpha": 0.6, "beta": 2.0},
        {"alpha": [2.5, 10.0], "beta": [0.1, 30.0]},
    ),
)
