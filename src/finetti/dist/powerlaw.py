"""Power laws above a bound, or between two."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.pareto import Pareto
from finetti.dist.respell import respelled
from finetti.ir import Tensor, ops

_below_minus_one = support.interval(None, -1.0, words="numbers < -1")

# The density is proportional to value ** alpha.
LowerTruncatedPowerLaw = respelled(
    Pareto,
    "PowerLaw(lower)",
    {"alpha": Param(_below_minus_one), "lower": Param(support.positive)},
    lambda alpha, lower: {"alpha": -1.0 - alpha, "m": lower},
    scipy="stats.pareto(np.subtract(-1, alpha), scale=lower)",
    samples=({"alpha": [-3.5, -1.4], "lower": [1.0, 0.2]},),
)


def _log_integral(alpha: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Log of the integral of x ** alpha from `lower` to `upper`, smooth where alpha is -1."""
    power = alpha + 1.0
    width = ops.log(upper) - ops.log(lower)
    z = power * width
    near = ops.absolute(z) < 1e-4
    far = ops.where(near, 1.0, z)
    # log(expm1(z) / z), by its series where both are small.
    series = z * (0.5 + z / 24.0)
    body = ops.log(ops.expm1(far) / far)
    return power * ops.log(lower) + ops.log(width) + ops.where(near, series, body)


def logp(value: Tensor, alpha: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return alpha * ops.log(value) - _log_integral(alpha, lower, upper)


def draw(shape: Any, alpha: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return icdf(ops.random.uniform(shape=shape), alpha, lower, upper)


def logcdf(value: Tensor, alpha: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    inside = ops.clip(value, lower, upper)
    inside = ops.where(inside > lower, inside, upper)
    share = _log_integral(alpha, lower, inside) - _log_integral(alpha, lower, upper)
    return ops.where(value > lower, share, -np.inf)


def icdf(q: Tensor, alpha: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    power = alpha + 1.0
    width = ops.log(upper) - ops.log(lower)
    near = ops.absolute(power * width) < 1e-9
    safe = ops.where(near, 1.0, power)
    body = ops.log1p(q * ops.expm1(safe * width)) / safe
    return lower * ops.exp(ops.where(near, q * width, body))


def _moment(order: float, alpha: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    above = _log_integral(alpha + order, lower, upper)
    return ops.exp(above - _log_integral(alpha, lower, upper))


def mean(alpha: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return _moment(1.0, alpha, lower, upper)


def var(alpha: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return _moment(2.0, alpha, lower, upper) - ops.square(mean(alpha, lower, upper))


DoublyTruncatedPowerLaw = Distribution(
    "PowerLaw",
    params={
        "alpha": Param(support.real),
        "lower": Param(support.positive),
        "upper": Param(support.positive),
    },
    support=lambda alpha, lower, upper: support.interval(lower, upper),
    density=logp,
    draw=draw,
    center=lambda alpha, lower, upper: ops.sqrt(lower * upper),
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    scipy="twins.power_law(alpha, lower, upper)",
    samples=(
        {"alpha": -1.0, "lower": 0.5, "upper": 4.0},
        {"alpha": [-2.5, 1.5], "lower": [0.1, 1.0], "upper": [3.0, 2.0]},
    ),
    tol=1e-11,
)
