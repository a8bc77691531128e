"""The Bernoulli distribution, by a probability or by its log odds."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, p: Tensor) -> Tensor:
    return ops.where(ops.equal(value, 1), ops.log(p), ops.log1p(-p))


def draw(shape: Any, p: Tensor) -> Tensor:
    return ops.cast(ops.random.uniform(shape=shape) < p, "int64")


def logcdf(value: Tensor, p: Tensor) -> Tensor:
    return ops.where(value < 0, -float("inf"), ops.where(value < 1, ops.log1p(-p), 0.0))


def icdf(q: Tensor, p: Tensor) -> Tensor:
    return ops.where(q <= 1.0 - p, 0, 1)


def logit_logp(value: Tensor, logit_p: Tensor) -> Tensor:
    return -ops.softplus((1.0 - 2.0 * value) * logit_p)


Logit = Distribution(
    "Bernoulli",
    key="Bernoulli(logit_p)",
    params={"logit_p": Param(support.real)},
    support=lambda logit_p: support.boolean,
    density=logit_logp,
    draw=lambda shape, logit_p: draw(shape, ops.sigmoid(logit_p)),
    center=lambda logit_p: ops.where(logit_p < 0.0, 0, 1),
    mean=lambda logit_p: ops.sigmoid(logit_p),
    var=lambda logit_p: ops.sigmoid(logit_p) * ops.sigmoid(-logit_p),
    cdf=lambda value, logit_p: logcdf(value, ops.sigmoid(logit_p)),
    quantile=lambda q, logit_p: icdf(q, ops.sigmoid(logit_p)),
    discrete=True,
    scipy="stats.bernoulli(special.expit(logit_p))",
    samples=({"logit_p": 0.3}, {"logit_p": [-4.0, 0.0, 2.5]}),
)

Bernoulli = Distribution(
    "Bernoulli",
    params={"p": Param(support.unit_interval)},
    support=lambda p: support.boolean,
    density=logp,
    draw=draw,
    center=lambda p: ops.where(p < 0.5, 0, 1),
    mean=lambda p: p,
    var=lambda p: p * (1.0 - p),
    cdf=logcdf,
    quantile=icdf,
    discrete=True,
    alternatives=(
        Alternative(("logit_p",), ("p",), lambda logit_p: {"logit_p": logit_p}, record=Logit),
    ),
    scipy="stats.bernoulli(p)",
    samples=({"p": 0.3}, {"p": [0.0, 1.0, 0.9]}),
)
