"""The beta distribution."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param, require
from finetti.dist.gamma import log_standard_gamma
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    kernel = ops.xlogy(alpha - 1.0, value) + ops.xlog1py(beta - 1.0, -value)
    return kernel - ops.betaln(alpha, beta)


def draw(shape: Any, alpha: Tensor, beta: Tensor) -> Tensor:
    # In logarithms: for small parameters both gamma numbers of the ratio may underflow.
    return ops.sigmoid(log_standard_gamma(shape, alpha) - log_standard_gamma(shape, beta))


def logcdf(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return ops.log(ops.betainc(alpha, beta, ops.clip(value, 0.0, 1.0)))


def icdf(q: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return ops.betaincinv(alpha, beta, q)


def mean(alpha: Tensor, beta: Tensor) -> Tensor:
    return alpha / (alpha + beta)


def var(alpha: Tensor, beta: Tensor) -> Tensor:
    total = alpha + beta
    return alpha * beta / (total * total * (total + 1.0))


def from_mu_nu(mu: Tensor, nu: Tensor) -> dict[str, Tensor]:
    """Shapes of a mean and a sample size."""
    return {"alpha": mu * nu, "beta": (1.0 - mu) * nu}


def from_mu_sigma(mu: Tensor, sigma: Tensor) -> dict[str, Tensor]:
    """Shapes of a mean and a standard deviation."""
    nu = mu * (1.0 - mu) / (sigma * sigma) - 1.0
    # The square would hide that a negative sigma is invalid.
    return from_mu_nu(mu, require(sigma > 0.0, nu, math.nan))


Beta = Distribution(
    "Beta",
    params={"alpha": Param(support.positive), "beta": Param(support.positive)},
    support=lambda alpha, beta: support.unit_interval,
    density=logp,
    draw=draw,
    center=mean,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    ccdf=lambda value, alpha, beta: logcdf(1.0 - value, beta, alpha),
    alternatives=(
        Alternative(("mu", "sigma"), ("alpha", "beta"), from_mu_sigma),
        Alternative(("mu", "nu"), ("alpha", "beta"), from_mu_nu),
    ),
    scipy="stats.beta(alpha, beta)",
    samples=(
        {"alpha": 1.0, "beta": 1.0},
        {"alpha": 0.5, "beta": 0.5},
        {"alpha": 0.3, "beta": 0.2},
        {"alpha": [2.0, 10.0, 300.0], "beta": [5.0, 90.0, 20.0]},
    ),
    tol=1e-11,
)
