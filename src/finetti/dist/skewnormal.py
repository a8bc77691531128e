"""The skew-normal distribution."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import normal, support
from finetti.dist.base import Distribution, Param
from finetti.dist.normal import PRECISION
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    tilt = ops.log_ndtr(alpha * (value - mu) / sigma)
    return normal.logp(value, mu, sigma) + tilt + math.log(2.0)


def draw(shape: Any, alpha: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    # Azzalini (1985): a half-normal and a normal number, mixed.
    half = ops.absolute(ops.random.standard_normal(shape=shape))
    z = (alpha * half + ops.random.standard_normal(shape=shape)) / ops.sqrt(1.0 + alpha * alpha)
    return mu + sigma * z


def _skew(alpha: Tensor) -> Tensor:
    return math.sqrt(2.0 / math.pi) * alpha / ops.sqrt(1.0 + alpha * alpha)


def mean(alpha: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return mu + sigma * _skew(alpha)


SkewNormal = Distribution(
    "SkewNormal",
    params={
        "alpha": Param(support.real, 1.0),
        "mu": Param(support.real, 0.0),
        "sigma": Param(support.positive, 1.0),
    },
    support=lambda alpha, mu, sigma: support.real,
    density=logp,
    draw=draw,
    center=mean,
    mean=mean,
    var=lambda alpha, mu, sigma: sigma * sigma * (1.0 - ops.square(_skew(alpha))),
    alternatives=(PRECISION,),
    scipy="stats.skewnorm(alpha, loc=mu, scale=sigma)",
    samples=(
        {"alpha": 1.0, "mu": 0.0, "sigma": 1.0},
        {"alpha": [-4.0, 0.0], "mu": [1.0, -2.0], "sigma": [0.2, 30.0]},
    ),
    tol=1e-11,
    notes={"cdf": "PyMC has none either", "quantile": "PyMC has none either"},
)
