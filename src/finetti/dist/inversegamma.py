"""The inverse gamma distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param, require
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    norm = alpha * ops.log(beta) - ops.gammaln(alpha)
    return norm - (alpha + 1.0) * ops.log(value) - beta / value


def draw(shape: Any, alpha: Tensor, beta: Tensor) -> Tensor:
    return beta / ops.random.standard_gamma(alpha, shape=shape)


def logcdf(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    inside = value > 0.0
    share = ops.gammaincc(alpha, beta / ops.where(inside, value, 1.0))
    return ops.where(inside, ops.log(share), -np.inf)


def logccdf(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    inside = value > 0.0
    share = ops.gammainc(alpha, beta / ops.where(inside, value, 1.0))
    return ops.where(inside, ops.log(share), 0.0)


def icdf(q: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return beta / ops.gammaincinv(alpha, 1.0 - q)


def center(alpha: Tensor, beta: Tensor) -> Tensor:
    # The mean, or the mode where there is no mean.
    return beta / ops.where(alpha > 1.0, alpha - 1.0, alpha + 1.0)


def mean(alpha: Tensor, beta: Tensor) -> Tensor:
    return ops.where(alpha > 1.0, beta / (alpha - 1.0), np.inf)


def var(alpha: Tensor, beta: Tensor) -> Tensor:
    finite = ops.square(beta / (alpha - 1.0)) / (alpha - 2.0)
    return ops.where(alpha > 2.0, finite, np.inf)


def from_mu_sigma(mu: Tensor, sigma: Tensor) -> dict[str, Tensor]:
    """Shape and scale of a mean and a standard deviation."""
    alpha = 2.0 + ops.square(mu / sigma)
    # The square would hide that a negative sigma is invalid.
    return {"alpha": require(sigma > 0.0, alpha, math.nan), "beta": mu * (alpha - 1.0)}


InverseGamma = Distribution(
    "InverseGamma",
    params={"alpha": Param(support.positive), "beta": Param(support.positive)},
    support=lambda alpha, beta: support.positive,
    density=logp,
    draw=draw,
    center=center,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    ccdf=logccdf,
    alternatives=(
        Alternative(("mu", "sigma"), ("alpha", "beta"), from_mu_sigma),
        Alternative(("alpha",), ("alpha", "beta"), lambda alpha: {"alpha": alpha, "beta": 1.0}),
    ),
    scipy="stats.invgamma(alpha, scale=beta)",
    samples=(
        {"alpha": 3.0, "beta": 1.0},
        {"alpha": 0.8, "beta": 2.0},
        {"alpha": [2.5, 80.0], "beta": [0.1, 30.0]},
    ),
    tol=1e-11,
)
