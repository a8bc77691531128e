"""The chi-squared distribution: a gamma distribution with shape nu / 2 and rate 1/2."""

from __future__ import annotations

from typing import Any

from finetti.dist import gamma, support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops

HALF = ops.as_tensor(0.5)


def draw(shape: Any, nu: Tensor) -> Tensor:
    return gamma.draw(shape, 0.5 * nu, HALF)


ChiSquared = Distribution(
    "ChiSquared",
    params={"nu": Param(support.positive)},
    support=lambda nu: support.nonnegative,
    density=lambda value, nu: gamma.logp(value, 0.5 * nu, HALF),
    draw=draw,
    center=lambda nu: nu,
    mean=lambda nu: nu,
    var=lambda nu: 2.0 * nu,
    cdf=lambda value, nu: gamma.logcdf(value, 0.5 * nu, HALF),
    quantile=lambda q, nu: gamma.icdf(q, 0.5 * nu, HALF),
    ccdf=lambda value, nu: gamma.logccdf(value, 0.5 * nu, HALF),
    scipy="stats.chi2(nu)",
    samples=({"nu": 3.0}, {"nu": 0.7}, {"nu": [2.0, 60.0]}),
    tol=1e-11,
)
