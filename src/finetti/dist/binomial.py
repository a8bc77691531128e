"""The binomial distribution, by a probability or by its log odds."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.ir import INT, Tensor, ops


def log_choose(n: Tensor, k: Tensor) -> Tensor:
    """Logarithm of the binomial coefficient."""
    return ops.gammaln(n + 1.0) - ops.gammaln(k + 1.0) - ops.gammaln(n - k + 1.0)


def logp(value: Tensor, n: Tensor, p: Tensor) -> Tensor:
    return log_choose(n, value) + ops.xlogy(value, p) + ops.xlog1py(n - value, -p)


def draw(shape: Any, n: Tensor, p: Tensor) -> Tensor:
    return ops.random.binomial(_whole(n), p, shape=shape)


def logcdf(value: Tensor, n: Tensor, p: Tensor) -> Tensor:
    k = ops.floor(value)
    inside = ops.clip(k, 0, n - 1)
    body = ops.log(ops.betainc(n - inside, inside + 1.0, 1.0 - p))
    return ops.where(k < 0, -float("inf"), ops.where(k < n, body, 0.0))


def logccdf(value: Tensor, n: Tensor, p: Tensor) -> Tensor:
    k = ops.floor(value)
    inside = ops.clip(k, 0, n - 1)
    body = ops.log(ops.betainc(inside + 1.0, n - inside, p))
    return ops.where(k < 0, 0.0, ops.where(k < n, body, -float("inf")))


def logit_logp(value: Tensor, n: Tensor, logit_p: Tensor) -> Tensor:
    return log_choose(n, value) + value * logit_p - n * ops.softplus(logit_p)


def _whole(n: Tensor) -> Tensor:
    return n if n.node.type.dtype == INT else ops.cast(n, INT)


Logit = Distribution(
    "Binomial",
    key="Binomial(logit_p)",
    params={"n": Param(support.counts), "logit_p": Param(support.real)},
    support=lambda n, logit_p: support.integers(0, n),
    density=logit_logp,
    draw=lambda shape, n, logit_p: draw(shape, n, ops.sigmoid(logit_p)),
    center=lambda n, logit_p: ops.round_(n * ops.sigmoid(logit_p)),
    mean=lambda n, logit_p: n * ops.sigmoid(logit_p),
    var=lambda n, logit_p: n * ops.sigmoid(logit_p) * ops.sigmoid(-logit_p),
    cdf=lambda value, n, logit_p: logcdf(value, n, ops.sigmoid(logit_p)),
    ccdf=lambda value, n, logit_p: logccdf(value, n, ops.sigmoid(logit_p)),
    discrete=True,
    scipy="stats.binom(n, special.expit(logit_p))",
    samples=({"n": 10, "logit_p": 0.3}, {"n": [5, 1000], "logit_p": [-4.0, 2.5]}),
    tol=1e-11,
    notes={"quantile": "PyMC has none either"},
)

Binomial = Distribution(
    "Binomial",
    params={"n": Param(support.counts), "p": Param(support.unit_interval)},
    support=lambda n, p: support.integers(0, n),
    density=logp,
    draw=draw,
    center=lambda n, p: ops.round_(n * p),
    mean=lambda n, p: n * p,
    var=lambda n, p: n * p * (1.0 - p),
    cdf=logcdf,
    ccdf=logccdf,
    discrete=True,
    alternatives=(
        Alternative(("logit_p",), ("p",), lambda logit_p: {"logit_p": logit_p}, record=Logit),
    ),
    scipy="stats.binom(n, p)",
    samples=(
        {"n": 10, "p": 0.3},
        {"n": 1, "p": 0.999},
        {"n": [5, 20, 1000], "p": [0.0, 1.0, 0.12]},
    ),
    tol=1e-11,
    notes={"quantile": "PyMC has none either"},
)
