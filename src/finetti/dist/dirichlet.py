"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param, require
from finetti.dist.gamma import log_standard_gamma
from finetti.errors import ShapeError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def logp(value: Tensor, a: Tensor) -> Tensor:
    kernel = ops.sum_(ops.xlogy(a - 1.0, value), -1)
    norm = ops.gammaln(ops.sum_(a, -1)) - ops.sum_(ops.gammaln(a), -1)
    # At a 0 the density of a < 1 is infinite; as PyMC, that then counts as outside.
    inside = (value > 0.0) | (a >= 1.0)
    return require(ops.all_(inside, -1), kernel + norm)


def draw(shape: Any, a: Tensor) -> Tensor:
    return ops.softmax(log_standard_gamma(shape, a))


def mean(a: Tensor) -> Tensor:
    return a / ops.sum_(a, -1, keepdims=True)


def var(a: Tensor) -> Tensor:
    share = mean(a)
    return share * (1.0 - share) / (ops.sum_(a, -1, keepdims=True) + 1.0)


def event_shape(a: Shape) -> Shape:
    if not a or a[-1] < 2:
        raise ShapeError(
            f"a has shape {tuple(map(int, a))}: expected at least two numbers in its last axis, "
            "one for each category, e.g. a=[1, 1, 1]."
        )
    return a[-1:]


Dirichlet = Distribution(
    "Dirichlet",
    params={"a": Param(support.positive, ndim=1)},
    support=lambda a: support.simplex,
    density=logp,
    draw=draw,
    center=mean,
    mean=mean,
    var=var,
    event_ndim=1,
    event_shape=event_shape,
    scipy="stats.dirichlet(a)",
    samples=({"a": [1.0, 1.0, 1.0]}, {"a": [0.5, 2.0, 3.5, 0.05]}, {"a": [30.0, 400.0]}),
    tol=1e-11,
    notes={"cdf": "PyMC has none either", "quantile": "not defined for vectors"},
)
