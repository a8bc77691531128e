"""The exponential distribution."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, lam: Tensor) -> Tensor:
    return ops.log(lam) - lam * value


def draw(shape: Any, lam: Tensor) -> Tensor:
    return ops.random.standard_exponential(shape=shape) / lam


def logcdf(value: Tensor, lam: Tensor) -> Tensor:
    return ops.log1mexp(-(lam * ops.maximum(value, 0.0)))


def icdf(q: Tensor, lam: Tensor) -> Tensor:
    return -ops.log1p(-q) / lam


Exponential = Distribution(
    "Exponential",
    params={"lam": Param(support.positive, 1.0)},
    support=lambda lam: support.nonnegative,
    density=logp,
    draw=draw,
    center=lambda lam: 1.0 / lam,
    mean=lambda lam: 1.0 / lam,
    var=lambda lam: 1.0 / (lam * lam),
    cdf=logcdf,
    quantile=icdf,
    ccdf=lambda value, lam: -lam * ops.maximum(value, 0.0),
    alternatives=(Alternative(("scale",), ("lam",), lambda scale: {"lam": 1.0 / scale}),),
    scipy="stats.expon(scale=1 / lam)",
    samples=({"lam": 1.0}, {"lam": 0.02}, {"lam": [3.0, 50.0]}),
)
