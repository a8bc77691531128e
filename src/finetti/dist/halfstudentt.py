"""The half-t distribution: the size of a Student t number around 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import studentt, support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.dist.normal import sigma_of
from finetti.ir import Tensor, ops

ZERO = ops.as_tensor(0.0)


def logp(value: Tensor, nu: Tensor, sigma: Tensor) -> Tensor:
    return studentt.logp(value, nu, ZERO, sigma) + math.log(2.0)


def draw(shape: Any, nu: Tensor, sigma: Tensor) -> Tensor:
    return ops.absolute(studentt.draw(shape, nu, ZERO, sigma))


def logcdf(value: Tensor, nu: Tensor, sigma: Tensor) -> Tensor:
    z = ops.maximum(value / sigma, 0.0)
    return ops.log(ops.betainc(0.5, 0.5 * nu, z * z / (nu + z * z)))


def icdf(q: Tensor, nu: Tensor, sigma: Tensor) -> Tensor:
    share = ops.betaincinv(0.5, 0.5 * nu, q)
    return sigma * ops.sqrt(nu * share / (1.0 - share))


def mean(nu: Tensor, sigma: Tensor) -> Tensor:
    ratio = ops.exp(ops.gammaln(0.5 * (nu + 1.0)) - ops.gammaln(0.5 * nu))
    finite = 2.0 * sigma * ops.sqrt(nu / math.pi) * ratio / (nu - 1.0)
    return ops.where(nu > 1.0, finite, np.inf)


def var(nu: Tensor, sigma: Tensor) -> Tensor:
    square = sigma * sigma * nu / (nu - 2.0)
    return ops.where(nu > 2.0, square - ops.square(mean(nu, sigma)), np.inf)


HalfStudentT = Distribution(
    "HalfStudentT",
    params={"nu": Param(support.positive), "sigma": Param(support.positive, 1.0)},
    support=lambda nu, sigma: support.nonnegative,
    density=logp,
    draw=draw,
    center=lambda nu, sigma: sigma,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    alternatives=(Alternative(("lam",), ("sigma",), lambda lam: {"sigma": sigma_of(lam)}),),
    scipy="twins.folded(stats.t(df=nu, scale=sigma))",
    samples=(
        {"nu": 3.5, "sigma": 1.0},
        {"nu": 4.5, "sigma": 0.3},
        {"nu": [5.0, 40.0], "sigma": [2.0, 0.01]},
    ),
    tol=1e-11,
)
