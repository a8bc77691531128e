"""The triangular distribution."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param, require
from finetti.ir import Tensor, ops


def _share(part: Tensor, whole: Tensor) -> Tensor:
    # The mode can be a bound: a part of nothing is all of it.
    return ops.where(whole > 0.0, part / ops.where(whole > 0.0, whole, 1.0), 1.0)


def logp(value: Tensor, lower: Tensor, upper: Tensor, c: Tensor) -> Tensor:
    below = _share(value - lower, c - lower)
    above = _share(upper - value, upper - c)
    height = ops.log(2.0 * ops.where(value < c, below, above) / (upper - lower))
    return require((lower <= c) & (c <= upper), height)


def icdf(q: Tensor, lower: Tensor, upper: Tensor, c: Tensor) -> Tensor:
    width = upper - lower
    below = lower + ops.sqrt(q * width * (c - lower))
    above = upper - ops.sqrt((1.0 - q) * width * (upper - c))
    return ops.where(q * width < c - lower, below, above)


def draw(shape: Any, lower: Tensor, upper: Tensor, c: Tensor) -> Tensor:
    return icdf(ops.random.uniform(shape=shape), lower, upper, c)


def logcdf(value: Tensor, lower: Tensor, upper: Tensor, c: Tensor) -> Tensor:
    x = ops.clip(value, lower, upper)
    width = upper - lower
    below = 2.0 * ops.log(x - lower) - ops.log(width * (c - lower))
    above = ops.log1p(-(upper - x) * _share(upper - x, upper - c) / width)
    inside = (lower <= c) & (c <= upper)
    return require(inside, ops.where((x < c) | (x <= lower), below, above))


def var(lower: Tensor, upper: Tensor, c: Tensor) -> Tensor:
    squares = lower * lower + upper * upper + c * c
    return (squares - lower * upper - lower * c - upper * c) / 18.0


Triangular = Distribution(
    "Triangular",
    params={
        "lower": Param(support.real, 0.0),
        "upper": Param(support.real, 1.0),
        "c": Param(support.real, 0.5),
    },
    support=lambda lower, upper, c: support.interval(lower, upper),
    density=logp,
    draw=draw,
    center=lambda lower, upper, c: (lower + upper + c) / 3.0,
    mean=lambda lower, upper, c: (lower + upper + c) / 3.0,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    scipy="stats.triang((c - lower) / (upper - lower), loc=lower, scale=upper - lower)",
    samples=(
        {"lower": 0.0, "upper": 1.0, "c": 0.5},
        {"lower": [-3.0, 1.0], "upper": [5.0, 1.5], "c": [4.0, 1.2]},
    ),
    tol=1e-11,
)
