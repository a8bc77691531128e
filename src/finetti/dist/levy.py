"""The Levy distribution: the time at which a random walk without drift first reaches a distance."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.normal import HALF_LOG_2PI
from finetti.ir import Tensor, ops


def logp(value: Tensor, m: Tensor, c: Tensor) -> Tensor:
    x = ops.where(value > m, value - m, 1.0)
    body = 0.5 * (ops.log(c) - c / x) - 1.5 * ops.log(x) - HALF_LOG_2PI
    return ops.where(value > m, body, -np.inf)


def draw(shape: Any, m: Tensor, c: Tensor) -> Tensor:
    return m + c / ops.square(ops.random.standard_normal(shape=shape))


def logcdf(value: Tensor, m: Tensor, c: Tensor) -> Tensor:
    x = ops.where(value > m, value - m, 1.0)
    return ops.where(value > m, ops.log(2.0) + ops.log_ndtr(-ops.sqrt(c / x)), -np.inf)


def icdf(q: Tensor, m: Tensor, c: Tensor) -> Tensor:
    return m + c / ops.square(ops.ndtri(0.5 * q))


Levy = Distribution(
    "Levy",
    params={"m": Param(support.real), "c": Param(support.positive)},
    support=lambda m, c: support.interval(m, None),
    density=logp,
    draw=draw,
    center=lambda m, c: m + c,
    mean=lambda m, c: ops.full_like(m + c, np.inf),
    var=lambda m, c: ops.full_like(m + c, np.inf),
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.levy(loc=m, scale=c)",
    samples=({"m": 0.0, "c": 1.0}, {"m": [1.0, -4.0], "c": [0.2, 30.0]}),
    tol=1e-11,
)
