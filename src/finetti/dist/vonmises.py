"""The von Mises distribution of angles. Its mean and variance are the circular ones."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, kappa: Tensor) -> Tensor:
    # cos(x) - 1 = -2 sin(x/2)^2 keeps its digits where kappa is large.
    half = ops.sin(0.5 * (value - mu))
    return -2.0 * kappa * (half * half) - ops.log(ops.i0e(kappa)) - math.log(2.0 * math.pi)


def draw(shape: Any, mu: Tensor, kappa: Tensor) -> Tensor:
    return ops.random.vonmises(mu, kappa, shape=shape)


VonMises = Distribution(
    "VonMises",
    params={"mu": Param(support.real, 0.0), "kappa": Param(support.positive, 1.0)},
    support=lambda mu, kappa: support.circle,
    density=logp,
    draw=draw,
    center=lambda mu, kappa: mu,
    mean=lambda mu, kappa: mu,
    var=lambda mu, kappa: 1.0 - ops.i1e(kappa) / ops.i0e(kappa),
    scipy="twins.on_the_circle(mu, kappa)",
    samples=({"mu": 0.0, "kappa": 1.0}, {"mu": [1.0, -2.0], "kappa": [0.3, 40.0]}),
    tol=1e-11,
    notes={"cdf": "PyMC has none either", "quantile": "PyMC has none either"},
)
