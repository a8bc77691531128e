"""The Rice distribution: the length of a vector of two normal numbers."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, nu: Tensor, sigma: Tensor) -> Tensor:
    x, b = value / sigma, nu / sigma
    gap = x - b
    return ops.log(x) - 0.5 * (gap * gap) + ops.log(ops.i0e(x * b)) - ops.log(sigma)


def draw(shape: Any, nu: Tensor, sigma: Tensor) -> Tensor:
    along = nu + sigma * ops.random.standard_normal(shape=shape)
    across = sigma * ops.random.standard_normal(shape=shape)
    return ops.sqrt(along * along + across * across)


def mean(nu: Tensor, sigma: Tensor) -> Tensor:
    quarter = 0.25 * ops.square(nu / sigma)
    laguerre = (1.0 + 2.0 * quarter) * ops.i0e(quarter) + 2.0 * quarter * ops.i1e(quarter)
    return sigma * math.sqrt(0.5 * math.pi) * laguerre


def var(nu: Tensor, sigma: Tensor) -> Tensor:
    return 2.0 * sigma * sigma + nu * nu - ops.square(mean(nu, sigma))


Rice = Distribution(
    "Rice",
    params={"nu": Param(support.nonnegative), "sigma": Param(support.positive)},
    support=lambda nu, sigma: support.positive,
    density=logp,
    draw=draw,
    center=lambda nu, sigma: ops.maximum(nu, sigma),
    mean=mean,
    var=var,
    alternatives=(
        Alternative(("nu",), ("nu", "sigma"), lambda nu: {"nu": nu, "sigma": 1.0}),
        Alternative(("b",), ("nu", "sigma"), lambda b: {"nu": b, "sigma": 1.0}),
        Alternative(
            ("b", "sigma"),
            ("nu", "sigma"),
            lambda b, sigma: {"nu": b * sigma, "sigma": sigma},
        ),
    ),
    scipy="stats.rice(nu / sigma, scale=sigma)",
    samples=({"nu": 1.0, "sigma": 1.0}, {"nu": [0.0, 10.0], "sigma": [1.5, 3.0]}),
    tol=1e-11,
    notes={"cdf": "PyMC has none either", "quantile": "PyMC has none either"},
)
