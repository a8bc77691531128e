"""The Kumaraswamy distribution."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, a: Tensor, b: Tensor) -> Tensor:
    kernel = ops.xlogy(a - 1.0, value) + ops.xlog1py(b - 1.0, -ops.power(value, a))
    return ops.log(a) + ops.log(b) + kernel


def icdf(q: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return ops.exp(ops.log1mexp(ops.log1p(-q) / b) / a)


def draw(shape: Any, a: Tensor, b: Tensor) -> Tensor:
    return icdf(ops.random.uniform(shape=shape), a, b)


def logcdf(value: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return ops.log1mexp(b * ops.log1p(-ops.power(ops.clip(value, 0.0, 1.0), a)))


def moment(k: float, a: Tensor, b: Tensor) -> Tensor:
    """The mean of the k-th power."""
    return b * ops.exp(ops.betaln(1.0 + k / a, b))


def var(a: Tensor, b: Tensor) -> Tensor:
    return moment(2.0, a, b) - ops.square(moment(1.0, a, b))


Kumaraswamy = Distribution(
    "Kumaraswamy",
    params={"a": Param(support.positive), "b": Param(support.positive)},
    support=lambda a, b: support.unit_interval,
    density=logp,
    draw=draw,
    center=lambda a, b: moment(1.0, a, b),
    mean=lambda a, b: moment(1.0, a, b),
    var=var,
    cdf=logcdf,
    quantile=icdf,
    scipy="twins.power_of(stats.beta(1, b), 1 / a)",
    samples=({"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 3.0}, {"a": [0.7, 3.0], "b": [2.0, 0.6]}),
    tol=1e-11,
)
