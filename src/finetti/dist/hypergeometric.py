"""The hypergeometric distribution: k of N are successes, n are taken without putting back."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param, require
from finetti.dist.betabinomial import summed_logcdf
from finetti.dist.binomial import log_choose
from finetti.ir import Tensor, ops


def _lowest(N: Any, k: Any, n: Any) -> Any:
    return np.maximum(0, n - N + k)


def _valid(N: Tensor, k: Tensor, n: Tensor) -> Tensor:
    return (k <= N) & (n <= N)


def logp(value: Tensor, N: Tensor, k: Tensor, n: Tensor) -> Tensor:
    ways = log_choose(k, value) + log_choose(N - k, n - value) - log_choose(N, n)
    return require(_valid(N, k, n), ways)


def draw(shape: Any, N: Tensor, k: Tensor, n: Tensor) -> Tensor:
    return ops.random.hypergeometric(k, N - k, n, shape=shape)


def logcdf(value: Tensor, N: Tensor, k: Tensor, n: Tensor) -> Tensor:
    all_, good, taken = (ops.expand_dims(x, -1) for x in (N, k, n))
    low, high = _lowest(all_, good, taken), ops.minimum(good, taken)

    def density(count: Any) -> Tensor:
        inside = ops.clip(count, low, high)
        there = (count >= low) & (count <= high)
        return ops.where(there, logp(inside, all_, good, taken), -np.inf)

    body = summed_logcdf(value, n, density, "HyperGeometric")
    whole = ops.where(value < ops.minimum(k, n), body, 0.0)
    return require(_valid(N, k, n), whole)


def center(N: Tensor, k: Tensor, n: Tensor) -> Tensor:
    # The mode.
    return ops.floor((n + 1.0) * (k + 1.0) / (N + 2.0))


def var(N: Tensor, k: Tensor, n: Tensor) -> Tensor:
    share = k / N
    return n * share * (1.0 - share) * (N - n) / (N - 1.0)


def _counts(N: Any, k: Any, n: Any) -> support.Support:
    return support.integers(_lowest(N, k, n), np.minimum(k, n))


HyperGeometric = Distribution(
    "HyperGeometric",
    params={
        "N": Param(support.counts),
        "k": Param(support.counts),
        "n": Param(support.counts),
    },
    support=_counts,
    density=logp,
    draw=draw,
    center=center,
    mean=lambda N, k, n: n * (k / N),
    var=var,
    cdf=logcdf,
    discrete=True,
    scipy="stats.hypergeom(N, k, n)",
    samples=(
        {"N": 50, "k": 10, "n": 12},
        {"N": [20, 200], "k": [15, 100], "n": [12, 30]},
    ),
    tol=1e-10,
    notes={"quantile": "PyMC has none either"},
)
