"""The gamma distribution."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param, require
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    kernel = ops.xlogy(alpha - 1.0, value) - beta * value
    # At 0 the density of alpha < 1 is infinite; as PyMC, 0 then counts as outside.
    inside = (value > 0.0) | (alpha >= 1.0)
    return require(inside, kernel + alpha * ops.log(beta) - ops.gammaln(alpha))


def log_standard_gamma(shape: Any, alpha: Tensor) -> Tensor:
    """Logarithm of gamma numbers with rate 1, without underflow for small `alpha`.

    Marsaglia and Tsang (2000), section 8: a gamma(alpha + 1) number times u^(1/alpha).
    """
    larger = ops.log(ops.random.standard_gamma(alpha + 1.0, shape=shape))
    return larger - ops.random.standard_exponential(shape=shape) / alpha


def draw(shape: Any, alpha: Tensor, beta: Tensor) -> Tensor:
    return ops.random.standard_gamma(alpha, shape=shape) / beta


def logcdf(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return ops.log(ops.gammainc(alpha, beta * ops.maximum(value, 0.0)))


def logccdf(value: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return ops.log(ops.gammaincc(alpha, beta * ops.maximum(value, 0.0)))


def icdf(q: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return ops.gammaincinv(alpha, q) / beta


def from_mu_sigma(mu: Tensor, sigma: Tensor) -> dict[str, Tensor]:
    """Shape and rate of a mean and a standard deviation."""
    beta = mu / (sigma * sigma)
    # The square would hide that a negative sigma is invalid.
    return {"alpha": require(sigma > 0.0, mu * beta, math.nan), "beta": beta}


Gamma = Distribution(
    "Gamma",
    params={"alpha": Param(support.positive), "beta": Param(support.positive)},
    support=lambda alpha, beta: support.nonnegative,
    density=logp,
    draw=draw,
    center=lambda alpha, beta: alpha / beta,
    mean=lambda alpha, beta: alpha / beta,
    var=lambda alpha, beta: alpha / (beta * beta),
    cdf=logcdf,
    quantile=icdf,
    ccdf=logccdf,
    alternatives=(Alternative(("mu", "sigma"), ("alpha", "beta"), from_mu_sigma),),
    scipy="stats.gamma(alpha, scale=1 / beta)",
    samples=(
        {"alpha": 1.0, "beta": 1.0},
        {"alpha": 0.3, "beta": 2.0},
        {"alpha": [2.0, 80.0, 1.0], "beta": [0.1, 3.0, 50.0]},
    ),
    tol=1e-11,
)
