"""A positive number whose logarithm is uniform."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param, require
from finetti.ir import Tensor, ops


def _width(lower: Tensor, upper: Tensor) -> Tensor:
    return ops.log(upper) - ops.log(lower)


def logp(value: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return require(lower <= upper, -ops.log(value) - ops.log(_width(lower, upper)))


def draw(shape: Any, lower: Tensor, upper: Tensor) -> Tensor:
    return icdf(ops.random.uniform(shape=shape), lower, upper)


def logcdf(value: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    inside = ops.clip(value, lower, upper)
    share = ops.log((ops.log(inside) - ops.log(lower)) / _width(lower, upper))
    return ops.where(value <= lower, -np.inf, share)


def icdf(q: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return ops.exp(ops.log(lower) + q * _width(lower, upper))


def mean(lower: Tensor, upper: Tensor) -> Tensor:
    return (upper - lower) / _width(lower, upper)


def var(lower: Tensor, upper: Tensor) -> Tensor:
    square = 0.5 * (upper * upper - lower * lower) / _width(lower, upper)
    return square - ops.square(mean(lower, upper))


LogUniform = Distribution(
    "LogUniform",
    params={"lower": Param(support.positive), "upper": Param(support.positive)},
    support=lambda lower, upper: support.interval(lower, upper),
    density=logp,
    draw=draw,
    center=lambda lower, upper: ops.sqrt(lower * upper),
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.loguniform(lower, upper)",
    samples=({"lower": 0.5, "upper": 4.0}, {"lower": [0.01, 1.0], "upper": [100.0, 1.5]}),
    tol=1e-11,
)
