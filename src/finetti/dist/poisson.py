"""The Poisson distribution."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor) -> Tensor:
    return ops.xlogy(value, mu) - mu - ops.gammaln(value + 1.0)


def draw(shape: Any, mu: Tensor) -> Tensor:
    return ops.random.poisson(mu, shape=shape)


def logcdf(value: Tensor, mu: Tensor) -> Tensor:
    k = ops.floor(value)
    body = ops.log(ops.gammaincc(ops.maximum(k, 0) + 1.0, mu))
    return ops.where(k < 0, -float("inf"), body)


def logccdf(value: Tensor, mu: Tensor) -> Tensor:
    k = ops.floor(value)
    return ops.where(k < 0, 0.0, ops.log(ops.gammainc(ops.maximum(k, 0) + 1.0, mu)))


Poisson = Distribution(
    "Poisson",
    params={"mu": Param(support.nonnegative)},
    support=lambda mu: support.counts,
    density=logp,
    draw=draw,
    center=lambda mu: ops.floor(mu),
    mean=lambda mu: mu,
    var=lambda mu: mu,
    cdf=logcdf,
    ccdf=logccdf,
    discrete=True,
    scipy="stats.poisson(mu)",
    samples=({"mu": 2.4}, {"mu": 0.0}, {"mu": [0.1, 30.0, 5000.0]}),
    tol=1e-11,
    notes={"quantile": "PyMC has none either"},
)
