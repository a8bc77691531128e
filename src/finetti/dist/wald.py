"""The Wald (inverse normal) distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param, require
from finetti.dist.normal import HALF_LOG_2PI
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, lam: Tensor, alpha: Tensor) -> Tensor:
    x = value - alpha
    z = (x - mu) / mu
    kernel = 0.5 * ops.log(lam) - 1.5 * ops.log(x) - 0.5 * lam * (z * z) / x
    return require(x > 0.0, kernel - HALF_LOG_2PI)


def draw(shape: Any, mu: Tensor, lam: Tensor, alpha: Tensor) -> Tensor:
    return alpha + ops.random.wald(mu, lam, shape=shape)


def logcdf(value: Tensor, mu: Tensor, lam: Tensor, alpha: Tensor) -> Tensor:
    inside = value > alpha
    x = ops.where(inside, value - alpha, 1.0)
    root = ops.sqrt(lam / x)
    first = ops.log_ndtr(root * (x / mu - 1.0))
    second = 2.0 * lam / mu + ops.log_ndtr(-root * (x / mu + 1.0))
    return ops.where(inside, ops.logaddexp(first, second), -np.inf)


Wald = Distribution(
    "Wald",
    params={
        "mu": Param(support.positive),
        "lam": Param(support.positive),
        "alpha": Param(support.nonnegative, 0.0),
    },
    support=lambda mu, lam, alpha: support.positive,
    density=logp,
    draw=draw,
    center=lambda mu, lam, alpha: mu + alpha,
    mean=lambda mu, lam, alpha: mu + alpha,
    var=lambda mu, lam, alpha: mu * mu * mu / lam,
    cdf=logcdf,
    alternatives=(
        Alternative(("mu", "phi"), ("mu", "lam"), lambda mu, phi: {"mu": mu, "lam": mu * phi}),
        Alternative(("lam", "phi"), ("mu", "lam"), lambda lam, phi: {"mu": lam / phi, "lam": lam}),
        Alternative(("mu",), ("mu", "lam"), lambda mu: {"mu": mu, "lam": 1.0}),
    ),
    scipy="stats.invgauss(mu / lam, loc=alpha, scale=lam)",
    samples=(
        {"mu": 1.0, "lam": 1.0, "alpha": 0.0},
        {"mu": 3.0, "lam": 0.5, "alpha": 0.7},
        {"mu": [0.2, 10.0], "lam": [3.0, 20.0], "alpha": [0.0, 1.0]},
    ),
    tol=1e-11,
    notes={"quantile": "PyMC has none either"},
)
