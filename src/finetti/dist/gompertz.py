"""The Gompertz distribution: a time to failure whose hazard grows exponentially."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, eta: Tensor, b: Tensor) -> Tensor:
    x = b * value
    return ops.log(eta) + ops.log(b) + x - eta * ops.expm1(x)


def draw(shape: Any, eta: Tensor, b: Tensor) -> Tensor:
    return ops.log1p(ops.random.standard_exponential(shape=shape) / eta) / b


def logcdf(value: Tensor, eta: Tensor, b: Tensor) -> Tensor:
    body = ops.log1mexp(-eta * ops.expm1(b * ops.maximum(value, 0.0)))
    return ops.where(value > 0.0, body, -np.inf)


def icdf(q: Tensor, eta: Tensor, b: Tensor) -> Tensor:
    return ops.log1p(-ops.log1p(-q) / eta) / b


# With value = log1p(exp(w) / eta) / b the moments are integrals over all w of functions that are
# smooth and die away fast, so that equal steps have all digits.
_STEP = 0.25
_NODES = np.arange(-60.0, 4.0, _STEP)


def _integral(function: Callable[[Tensor], Tensor], eta: Tensor) -> Tensor:
    w = ops.as_tensor(_NODES) - ops.expand_dims(ops.log(eta), -1)
    terms = np.exp(-np.exp(_NODES)) * ops.sigmoid(w) * function(w)
    return _STEP * ops.sum_(terms, -1)


def mean(eta: Tensor, b: Tensor) -> Tensor:
    return _integral(ops.ones_like, eta) / b


def var(eta: Tensor, b: Tensor) -> Tensor:
    square = 2.0 * _integral(ops.softplus, eta) / (b * b)
    return square - ops.square(mean(eta, b))


Gompertz = Distribution(
    "Gompertz",
    params={"eta": Param(support.positive), "b": Param(support.positive)},
    support=lambda eta, b: support.nonnegative,
    density=logp,
    draw=draw,
    center=lambda eta, b: ops.log1p(ops.log(2.0) / eta) / b,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.gompertz(eta, scale=1 / b)",
    samples=({"eta": 1.0, "b": 1.0}, {"eta": [0.3, 2.0], "b": [0.2, 3.0]}),
    tol=1e-11,
)
