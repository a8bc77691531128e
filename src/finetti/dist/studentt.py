"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.dist.normal import sigma_of
from finetti.ir import Tensor, ops


def logp(value: Tensor, nu: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    z = (value - mu) / sigma
    half = 0.5 * (nu + 1.0)
    norm = ops.gammaln(half) - ops.gammaln(0.5 * nu) - 0.5 * ops.log(math.pi * nu) - ops.log(sigma)
    return norm - half * ops.log1p(z * z / nu)


def draw(shape: Any, nu: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    half = 0.5 * nu
    mixed = half / ops.random.standard_gamma(half, shape=shape)
    return mu + sigma * ops.random.standard_normal(shape=shape) * ops.sqrt(mixed)


def logcdf(value: Tensor, nu: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    z = (value - mu) / sigma
    # The smaller tail is accurate; the other is what it leaves of 1.
    tail = 0.5 * ops.betainc(0.5 * nu, 0.5, nu / (nu + z * z))
    return ops.where(z < 0.0, ops.log(tail), ops.log1p(-tail))


def icdf(q: Tensor, nu: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    tail = ops.minimum(q, 1.0 - q)
    share = ops.betaincinv(0.5 * nu, 0.5, 2.0 * tail)
    z = ops.sqrt(nu * (1.0 / share - 1.0))
    return mu + sigma * ops.where(q < 0.5, -z, z)


def mean(nu: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return ops.where(nu > 1.0, mu, np.nan)


def var(nu: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    finite = sigma * sigma * nu / (nu - 2.0)
    return ops.where(nu > 2.0, finite, ops.where(nu > 1.0, np.inf, np.nan))


StudentT = Distribution(
    "StudentT",
    params={
        "nu": Param(support.positive),
        "mu": Param(support.real, 0.0),
        "sigma": Param(support.positive, 1.0),
    },
    support=lambda nu, mu, sigma: support.real,
    density=logp,
    draw=draw,
    center=lambda nu, mu, sigma: mu,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    ccdf=lambda value, nu, mu, sigma: logcdf(-value, nu, -mu, sigma),
    alternatives=(Alternative(("lam",), ("sigma",), lambda lam: {"sigma": sigma_of(lam)}),),
    scipy="stats.t(df=nu, loc=mu, scale=sigma)",
    samples=(
        {"nu": 1.0, "mu": 0.0, "sigma": 1.0},
        {"nu": 3.5, "mu": -2.0, "sigma": 0.3},
        {"nu": [5.0, 40.0], "mu": [0.0, 7.0], "sigma": [2.0, 0.01]},
    ),
    tol=1e-11,
)
