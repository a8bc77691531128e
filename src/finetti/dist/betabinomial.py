"""The beta-binomial distribution: successes in n trials, with a beta probability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.dist import beta as beta_
from finetti.dist import binomial, support
from finetti.dist.base import Distribution, Param, known
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops


def logp(value: Tensor, alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    weight = ops.betaln(value + alpha, n - value + beta) - ops.betaln(alpha, beta)
    return binomial.log_choose(n, value) + weight


def draw(shape: Any, alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    return binomial.draw(shape, n, beta_.draw(shape, alpha, beta))


def summed_logcdf(value: Tensor, n: Tensor, density: Callable[[Any], Tensor], name: str) -> Tensor:
    """Log probability of the counts from 0 to `value`, one by one.

    ``density(k)`` takes whole numbers in a new last axis; `n` is the largest count, a number.
    """
    limit = known(n)
    if limit is None:
        raise NotYetSupported(f"logcdf of {name}: n must be a number, as all counts are summed.")
    k = np.arange(int(limit.max()) + 1)
    terms = ops.where(k <= ops.expand_dims(value, -1), density(k), -np.inf)
    # Rounding must not make a probability larger than 1.
    return ops.where(value < 0, -np.inf, ops.minimum(ops.logsumexp(terms, -1), 0.0))


def logcdf(value: Tensor, alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    a, b, m = (ops.expand_dims(x, -1) for x in (alpha, beta, n))

    def density(k: Any) -> Tensor:
        inside = ops.minimum(k, m)
        return ops.where(k <= m, logp(inside, a, b, m), -np.inf)

    body = summed_logcdf(value, n, density, "BetaBinomial")
    return ops.where(value < n, body, 0.0)


def mean(alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    return n * alpha / (alpha + beta)


def var(alpha: Tensor, beta: Tensor, n: Tensor) -> Tensor:
    total = alpha + beta
    return n * alpha * beta * (total + n) / (total * total * (total + 1.0))


BetaBinomial = Distribution(
    "BetaBinomial",
    params={
        "alpha": Param(support.positive),
        "beta": Param(support.positive),
        "n": Param(support.counts),
    },
    support=lambda alpha, beta, n: support.integers(0, n),
    density=logp,
    draw=draw,
    center=lambda alpha, beta, n: ops.round_(mean(alpha, beta, n)),
    mean=mean,
    var=var,
    cdf=logcdf,
    discrete=True,
    scipy="stats.betabinom(n, alpha, beta)",
    samples=(
        {"alpha": 2.0, "beta": 3.0, "n": 10},
        {"alpha": [0.5, 20.0], "beta": [0.7, 3.0], "n": [5, 60]},
    ),
    tol=1e-10,
    notes={"quantile": "PyMC has none either"},
)
