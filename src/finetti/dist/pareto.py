"""The Pareto distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, m: Tensor) -> Tensor:
    return ops.log(alpha) + alpha * ops.log(m) - (alpha + 1.0) * ops.log(value)


def draw(shape: Any, alpha: Tensor, m: Tensor) -> Tensor:
    return m * ops.exp(ops.random.standard_exponential(shape=shape) / alpha)


def logcdf(value: Tensor, alpha: Tensor, m: Tensor) -> Tensor:
    return ops.log1mexp(-alpha * ops.log(ops.maximum(value, m) / m))


def icdf(q: Tensor, alpha: Tensor, m: Tensor) -> Tensor:
    return m * ops.exp(-ops.log1p(-q) / alpha)


def mean(alpha: Tensor, m: Tensor) -> Tensor:
    return ops.where(alpha > 1.0, alpha * m / (alpha - 1.0), np.inf)


def var(alpha: Tensor, m: Tensor) -> Tensor:
    finite = alpha * ops.square(m / (alpha - 1.0)) / (alpha - 2.0)
    return ops.where(alpha > 2.0, finite, np.inf)


Pareto = Distribution(
    "Pareto",
    params={"alpha": Param(support.positive), "m": Param(support.positive)},
    support=lambda alpha, m: support.interval(m, None),
    density=logp,
    draw=draw,
    center=lambda alpha, m: m * ops.exp2(1.0 / alpha),
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.pareto(alpha, scale=m)",
    samples=(
        {"alpha": 3.0, "m": 1.0},
        {"alpha": 0.8, "m": 2.0},
        {"alpha": [2.5, 10.0], "m": [0.1, 30.0]},
    ),
)
