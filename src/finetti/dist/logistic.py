"""The logistic distribution."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, s: Tensor) -> Tensor:
    z = (value - mu) / s
    return -(ops.softplus(z) + ops.softplus(-z)) - ops.log(s)


def draw(shape: Any, mu: Tensor, s: Tensor) -> Tensor:
    return mu + s * ops.logit(ops.random.uniform(shape=shape))


Logistic = Distribution(
    "Logistic",
    params={"mu": Param(support.real, 0.0), "s": Param(support.positive, 1.0)},
    support=lambda mu, s: support.real,
    density=logp,
    draw=draw,
    center=lambda mu, s: mu,
    mean=lambda mu, s: mu,
    var=lambda mu, s: (math.pi**2 / 3.0) * s * s,
    cdf=lambda value, mu, s: -ops.softplus(-(value - mu) / s),
    ccdf=lambda value, mu, s: -ops.softplus((value - mu) / s),
    quantile=lambda q, mu, s: mu + s * ops.logit(q),
    scipy="stats.logistic(loc=mu, scale=s)",
    samples=({"mu": 0.0, "s": 1.0}, {"mu": [1.0, -40.0], "s": [0.2, 30.0]}),
)
