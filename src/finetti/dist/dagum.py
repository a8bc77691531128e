"""The Dagum distribution (Burr's third): a positive number with a heavy tail, as incomes."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, p: Tensor, a: Tensor, b: Tensor) -> Tensor:
    low = ops.log(value)
    body = (a * p - 1.0) * low - a * p * ops.log(b)
    return ops.log(a * p) + body - (p + 1.0) * ops.softplus(a * (low - ops.log(b)))


def draw(shape: Any, p: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return icdf(ops.random.uniform(shape=shape), p, a, b)


def logcdf(value: Tensor, p: Tensor, a: Tensor, b: Tensor) -> Tensor:
    inside = ops.where(value > 0.0, value, 1.0)
    body = -p * ops.softplus(a * (ops.log(b) - ops.log(inside)))
    return ops.where(value > 0.0, body, -np.inf)


def icdf(q: Tensor, p: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return b * ops.exp(-ops.log(ops.expm1(-ops.log(q) / p)) / a)


def _raw(order: float, p: Tensor, a: Tensor, b: Tensor) -> Tensor:
    safe = ops.where(a > order, a, order + 1.0)
    moment = p * b**order * ops.exp(ops.betaln(1.0 - order / safe, p + order / safe))
    return ops.where(a > order, moment, np.inf)


def mean(p: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return _raw(1.0, p, a, b)


def var(p: Tensor, a: Tensor, b: Tensor) -> Tensor:
    first = ops.where(a > 2.0, _raw(1.0, p, a, b), 0.0)
    return _raw(2.0, p, a, b) - ops.square(first)


Dagum = Distribution(
    "Dagum",
    params={
        "p": Param(support.positive),
        "a": Param(support.positive),
        "b": Param(support.positive),
    },
    support=lambda p, a, b: support.nonnegative,
    density=logp,
    draw=draw,
    center=lambda p, a, b: icdf(ops.as_tensor(0.5), p, a, b),
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.burr(a, p, scale=b)",
    samples=({"p": 1.5, "a": 5.0, "b": 1.0}, {"p": [0.7, 2.0], "a": [3.0, 6.0], "b": [0.2, 4.0]}),
    tol=1e-11,
)
