"""Negative binomial counts whose probability is a beta number."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import beta, negativebinomial, support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    rising = ops.gammaln(n + value) - ops.gammaln(n) - ops.gammaln(value + 1.0)
    return rising + ops.betaln(alpha + value, beta + n) - ops.betaln(alpha, beta)


def draw(shape: Any, alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    p = _beta_draw(shape, beta, alpha)
    return negativebinomial.np_draw(shape, n, p)


_beta_draw = beta.draw


def mean(alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    return ops.where(beta > 1.0, n * alpha / (beta - 1.0), np.inf)


def var(alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    top = n * alpha * (n + beta - 1.0) * (alpha + beta - 1.0)
    return ops.where(beta > 2.0, top / (ops.square(beta - 1.0) * (beta - 2.0)), np.inf)


BetaNegativeBinomial = Distribution(
    "BetaNegativeBinomial",
    params={
        "alpha": Param(support.positive),
        "beta": Param(support.positive),
        "n": Param(support.positive),
    },
    support=lambda alpha, beta, n: support.counts,
    density=logp,
    draw=draw,
    center=lambda alpha, beta, n: ops.floor(n * alpha / beta),
    mean=mean,
    var=var,
    discrete=True,
    scipy="stats.betanbinom(n, beta, alpha)",
    samples=(
        {"alpha": 2.0, "beta": 5.0, "n": 4.0},
        {"alpha": [0.7, 3.0], "beta": [6.0, 9.0], "n": [2.0, 20.0]},
    ),
    tol=1e-10,
    notes={"cdf": "a sum without a closed form", "quantile": "as cdf"},
)
