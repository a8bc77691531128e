"""The Laplace distribution, and the one with different rates below and above its mode."""

from __future__ import annotations

import math
from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.dist.respell import respelled
from finetti.ir import Tensor, ops


def logp(value: Tensor, mu: Tensor, b: Tensor) -> Tensor:
    return -ops.absolute(value - mu) / b - ops.log(b) - math.log(2.0)


def draw(shape: Any, mu: Tensor, b: Tensor) -> Tensor:
    up = ops.random.standard_exponential(shape=shape)
    return mu + b * (up - ops.random.standard_exponential(shape=shape))


def logcdf(value: Tensor, mu: Tensor, b: Tensor) -> Tensor:
    z = (value - mu) / b
    upper = ops.log1p(-0.5 * ops.exp(-ops.maximum(z, 0.0)))
    return ops.where(z < 0.0, z - math.log(2.0), upper)


def icdf(q: Tensor, mu: Tensor, b: Tensor) -> Tensor:
    size = ops.log(2.0 * ops.minimum(q, 1.0 - q))
    return mu + b * ops.where(q < 0.5, size, -size)


def asymmetric_logp(value: Tensor, kappa: Tensor, mu: Tensor, b: Tensor) -> Tensor:
    z = (value - mu) * b
    return ops.log(b / (kappa + 1.0 / kappa)) - ops.where(z < 0.0, -z / kappa, z * kappa)


def asymmetric_draw(shape: Any, kappa: Tensor, mu: Tensor, b: Tensor) -> Tensor:
    up = ops.random.standard_exponential(shape=shape) / kappa
    return mu + (up - ops.random.standard_exponential(shape=shape) * kappa) / b


def asymmetric_logcdf(value: Tensor, kappa: Tensor, mu: Tensor, b: Tensor) -> Tensor:
    z = (value - mu) * b
    square = kappa * kappa
    below = z / kappa + ops.log(square / (1.0 + square))
    above = ops.log1p(-ops.exp(-kappa * ops.maximum(z, 0.0)) / (1.0 + square))
    return ops.where(z < 0.0, below, above)


def asymmetric_icdf(q: Tensor, kappa: Tensor, mu: Tensor, b: Tensor) -> Tensor:
    square = kappa * kappa
    below = kappa * ops.log(q * (1.0 + 1.0 / square))
    above = -ops.log((1.0 - q) * (1.0 + square)) / kappa
    return mu + ops.where(q < square / (1.0 + square), below, above) / b


def asymmetric_mean(kappa: Tensor, mu: Tensor, b: Tensor) -> Tensor:
    return mu + (1.0 / kappa - kappa) / b


def kappa_of(q: Tensor) -> dict[str, Tensor]:
    """The asymmetry that puts the probability `q` below the mode."""
    return {"kappa": ops.sqrt(q / (1.0 - q))}


Laplace = Distribution(
    "Laplace",
    params={"mu": Param(support.real), "b": Param(support.positive)},
    support=lambda mu, b: support.real,
    density=logp,
    draw=draw,
    center=lambda mu, b: mu,
    mean=lambda mu, b: mu,
    var=lambda mu, b: 2.0 * b * b,
    cdf=logcdf,
    quantile=icdf,
    ccdf=lambda value, mu, b: logcdf(-value, -mu, b),
    scipy="stats.laplace(loc=mu, scale=b)",
    samples=({"mu": 0.0, "b": 1.0}, {"mu": [1.0, -40.0], "b": [0.2, 30.0]}),
)

AsymmetricLaplace = Distribution(
    "AsymmetricLaplace",
    params={
        "kappa": Param(support.positive),
        "mu": Param(support.real),
        "b": Param(support.positive),
    },
    support=lambda kappa, mu, b: support.real,
    density=asymmetric_logp,
    draw=asymmetric_draw,
    center=asymmetric_mean,
    mean=asymmetric_mean,
    var=lambda kappa, mu, b: (1.0 / (kappa * kappa) + kappa * kappa) / (b * b),
    cdf=asymmetric_logcdf,
    quantile=asymmetric_icdf,
    alternatives=(Alternative(("q",), ("kappa",), kappa_of),),
    scipy="stats.laplace_asymmetric(kappa, loc=mu, scale=1 / b)",
    samples=(
        {"kappa": 1.0, "mu": 0.0, "b": 1.0},
        {"kappa": [0.4, 3.0], "mu": [1.0, -2.0], "b": [2.0, 0.1]},
    ),
)


def _from_quantile(mu: Tensor, scale: Tensor, quantile: Tensor) -> dict[str, Tensor]:
    # The check function of quantile regression: slopes `quantile` above the mode, the rest below.
    return {**kappa_of(quantile), "mu": mu, "b": ops.sqrt(quantile * (1.0 - quantile)) / scale}


_by_scale = {"mu": Param(support.real), "scale": Param(support.positive)}

# The scale is the reciprocal of b.
ByScale = respelled(
    AsymmetricLaplace,
    "AsymmetricLaplace(scale)",
    {**_by_scale, "kappa": Param(support.positive)},
    lambda mu, scale, kappa: {"mu": mu, "b": 1.0 / scale, "kappa": kappa},
    scipy="stats.laplace_asymmetric(kappa, loc=mu, scale=scale)",
    samples=({"mu": [1.0, -2.0], "scale": [2.0, 0.1], "kappa": [0.4, 3.0]},),
)

ByQuantile = respelled(
    AsymmetricLaplace,
    "AsymmetricLaplace(scale, quantile)",
    {**_by_scale, "quantile": Param(support.unit_interval)},
    _from_quantile,
    scipy="stats.laplace_asymmetric(np.sqrt(np.divide(quantile, np.subtract(1, quantile))), "
    "loc=mu, scale=scale / np.sqrt(np.multiply(quantile, np.subtract(1, quantile))))",
    samples=({"mu": [1.0, -2.0], "scale": [2.0, 0.1], "quantile": [0.4, 0.9]},),
)
