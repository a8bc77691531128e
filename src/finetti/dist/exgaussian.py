"""The sum of a normal and an exponential number."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, sigma: Tensor, nu: Tensor) -> Tensor:
    z = (value - mu) / sigma
    s = sigma / nu
    t = (s - z) * math.sqrt(0.5)
    # Each form cancels where the other one does not.
    near = ops.log(ops.erfcx(ops.maximum(t, 0.0))) - 0.5 * (z * z) - math.log(2.0)
    far = s * (0.5 * s - z) + ops.log_ndtr(ops.maximum(z - s, 0.0))
    return ops.where(t > 0.0, near, far) - ops.log(nu)


def draw(shape: Any, mu: Tensor, sigma: Tensor, nu: Tensor) -> Tensor:
    normal = mu + sigma * ops.random.standard_normal(shape=shape)
    return normal + nu * ops.random.standard_exponential(shape=shape)


def logcdf(value: Tensor, mu: Tensor, sigma: Tensor, nu: Tensor) -> Tensor:
    whole = ops.log_ndtr((value - mu) / sigma)
    return ops.logdiffexp(whole, ops.log(nu) + logp(value, mu, sigma, nu))


ExGaussian = Distribution(
    "ExGaussian",
    params={
        "mu": Param(support.real, 0.0),
        "sigma": Param(support.positive, 1.0),
        "nu": Param(support.positive),
    },
    support=lambda mu, sigma, nu: support.real,
    density=logp,
    draw=draw,
    center=lambda mu, sigma, nu: mu + nu,
    mean=lambda mu, sigma, nu: mu + nu,
    var=lambda mu, sigma, nu: sigma * sigma + nu * nu,
    cdf=logcdf,
    scipy="stats.exponnorm(nu / sigma, loc=mu, scale=sigma)",
    samples=(
        {"mu": 0.0, "sigma": 1.0, "nu": 1.0},
        {"mu": [1.0, -2.0], "sigma": [0.2, 3.0], "nu": [5.0, 1.0]},
    ),
    tol=1e-11,
    notes={"quantile": "PyMC has none either"},
)
