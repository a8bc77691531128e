"""The logit-normal distribution: the sigmoid of a normal number."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from finetti.dist import normal, support
from finetti.dist.base import Distribution, Param
from finetti.dist.normal import PRECISION
from finetti.ir import Tensor, ops


@cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Gauss's nodes and weights: there is no closed form of the moments.

    They are exact to 1e-10 for sigma <= 2.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    return nodes, weights / weights.sum()


def logp(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    jacobian = ops.log(value) + ops.log1p(-value)
    return normal.logp(ops.logit(value), mu, sigma) - jacobian


def draw(shape: Any, mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.sigmoid(normal.draw(shape, mu, sigma))


def logcdf(value: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return normal.logcdf(ops.logit(ops.clip(value, 0.0, 1.0)), mu, sigma)


def icdf(q: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.sigmoid(normal.icdf(q, mu, sigma))


def _points(mu: Tensor, sigma: Tensor) -> Tensor:
    z = ops.expand_dims(mu, -1) + ops.expand_dims(sigma, -1) * _quadrature()[0]
    return ops.sigmoid(z)


def mean(mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.sum_(_points(mu, sigma) * _quadrature()[1], -1)


def var(mu: Tensor, sigma: Tensor) -> Tensor:
    spread = _points(mu, sigma) - ops.expand_dims(mean(mu, sigma), -1)
    return ops.sum_(spread * spread * _quadrature()[1], -1)


LogitNormal = Distribution(
    "LogitNormal",
    params={"mu": Param(support.real, 0.0), "sigma": Param(support.positive, 1.0)},
    support=lambda mu, sigma: support.open_unit_interval,
    density=logp,
    draw=draw,
    center=lambda mu, sigma: ops.sigmoid(mu),
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    alternatives=(PRECISION,),
    scipy="twins.logistic_of(stats.norm(mu, sigma))",
    samples=({"mu": 0.0, "sigma": 1.0}, {"mu": [1.0, -2.0], "sigma": [0.2, 1.5]}),
    tol=1e-11,
)
