"""The geometric distribution: the number of trials up to the first success."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import INT, Tensor, ops


def logp(value: Tensor, p: Tensor) -> Tensor:
    return ops.log(p) + ops.xlog1py(value - 1, -p)


def draw(shape: Any, p: Tensor) -> Tensor:
    rate = -ops.log1p(-p)
    return 1 + ops.cast(ops.floor(ops.random.standard_exponential(shape=shape) / rate), INT)


def logcdf(value: Tensor, p: Tensor) -> Tensor:
    k = ops.maximum(ops.floor(value), 0)
    return ops.log1mexp(ops.xlog1py(k, -p))


def icdf(q: Tensor, p: Tensor) -> Tensor:
    # SciPy's and PyMC's way: rounding must not lead beyond a quantile that is exact.
    k = ops.ceil(ops.log1p(-q) / ops.log1p(-p))
    before = ops.maximum(k - 1.0, 0.0)
    return ops.where(ops.exp(logcdf(before, p)) >= q, before, k)


Geometric = Distribution(
    "Geometric",
    params={"p": Param(support.unit_interval)},
    support=lambda p: support.integers(1, words="whole numbers >= 1"),
    density=logp,
    draw=draw,
    center=lambda p: ops.round_(1.0 / p),
    mean=lambda p: 1.0 / p,
    var=lambda p: (1.0 - p) / (p * p),
    cdf=logcdf,
    quantile=icdf,
    discrete=True,
    scipy="stats.geom(p)",
    samples=({"p": 0.3}, {"p": [0.02, 0.9]}),
    tol=1e-11,
)
