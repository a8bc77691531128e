"""The discrete uniform distribution: whole numbers between two bounds, both included."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param, require
from finetti.ir import INT, Tensor, ops


def _count(lower: Tensor, upper: Tensor) -> Tensor:
    return ops.floor(upper) - ops.floor(lower) + 1.0


def logp(value: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return require(lower <= upper, -ops.log(_count(lower, upper)))


def icdf(q: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    # Rounding must not lead beyond a quantile that is exact, nor below the first number.
    place = ops.ceil(q * _count(lower, upper) * (1.0 - 1e-15)) - 1.0
    return ops.cast(ops.floor(lower) + ops.maximum(place, 0.0), INT)


def draw(shape: Any, lower: Tensor, upper: Tensor) -> Tensor:
    place = ops.floor(ops.random.uniform(shape=shape) * _count(lower, upper))
    return ops.cast(ops.floor(lower) + place, INT)


def logcdf(value: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    low = ops.floor(lower)
    k = ops.clip(ops.floor(value), low - 1.0, ops.floor(upper))
    return require(lower <= upper, ops.log(k - low + 1.0) - ops.log(_count(lower, upper)))


def center(lower: Tensor, upper: Tensor) -> Tensor:
    low = ops.floor(lower)
    return ops.maximum(ops.floor(0.5 * (low + ops.floor(upper))), low)


def _between(lower: Any, upper: Any) -> support.Support:
    # For tensors and for arrays.
    return support.integers(np.floor(lower), np.floor(upper))


DiscreteUniform = Distribution(
    "DiscreteUniform",
    params={"lower": Param(support.real), "upper": Param(support.real)},
    support=_between,
    density=logp,
    draw=draw,
    center=center,
    mean=lambda lower, upper: 0.5 * (ops.floor(lower) + ops.floor(upper)),
    var=lambda lower, upper: (ops.square(_count(lower, upper)) - 1.0) / 12.0,
    cdf=logcdf,
    quantile=icdf,
    discrete=True,
    scipy="stats.randint(np.floor(lower), np.floor(upper) + 1)",
    samples=(
        {"lower": 0, "upper": 10},
        {"lower": -3.5, "upper": 7.2},
        {"lower": [1851, 0], "upper": [1962, 1]},
    ),
)
