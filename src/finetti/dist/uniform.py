"""The continuous uniform distribution."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param, require
from finetti.ir import Tensor, ops


def logp(value: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return require(lower <= upper, -ops.log(upper - lower))


def draw(shape: Any, lower: Tensor, upper: Tensor) -> Tensor:
    return lower + (upper - lower) * ops.random.uniform(shape=shape)


def logcdf(value: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    share = (ops.clip(value, lower, upper) - lower) / (upper - lower)
    return require(lower <= upper, ops.log(share))


def icdf(q: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return lower + (upper - lower) * q


Uniform = Distribution(
    "Uniform",
    params={"lower": Param(support.real, 0.0), "upper": Param(support.real, 1.0)},
    support=lambda lower, upper: support.interval(lower, upper),
    density=logp,
    draw=draw,
    center=lambda lower, upper: 0.5 * (lower + upper),
    mean=lambda lower, upper: 0.5 * (lower + upper),
    var=lambda lower, upper: (upper - lower) * (upper - lower) / 12.0,
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.uniform(loc=lower, scale=upper - lower)",
    samples=(
        {"lower": 0.0, "upper": 1.0},
        {"lower": -3.0, "upper": 7.5},
        {"lower": [0.0, -2.0], "upper": [0.1, 100.0]},
    ),
)
