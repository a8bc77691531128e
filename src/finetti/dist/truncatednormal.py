"""The normal distribution between two bounds, each of which can be infinite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import normal, support
from finetti.dist.base import Distribution, Param, known, require
from finetti.dist.normal import HALF_LOG_2PI, PRECISION
from finetti.ir import Tensor, ops
from finetti.ir.ops.special import mills_inverse


def _infinite(bound: Tensor) -> np.ndarray | None:
    """Which elements of a bound are infinite; None when that is not known."""
    value = None if bound.node.dynamic else known(bound)
    return None if value is None else np.isinf(value)


def _standard(bound: Tensor, mu: Tensor, sigma: Tensor) -> Tensor | None:
    """A bound in standard deviations from the mean; None when it is infinite."""
    infinite = _infinite(bound)
    if infinite is not None and infinite.all():
        return None
    if infinite is None or infinite.any():
        # 0 * inf in a gradient would be NaN.
        open_ = ops.isinf(bound)
        return ops.where(open_, bound, (ops.where(open_, mu, bound) - mu) / sigma)
    return (bound - mu) / sigma


def log_mass(a: Tensor | None, b: Tensor | None) -> Tensor:
    """Log probability of a standard normal number between two bounds; None for no bound."""
    if a is None:
        return ops.as_tensor(0.0) if b is None else ops.log_ndtr(b)
    if b is None:
        return ops.log_ndtr(-a)
    # The difference of the two smaller tails.
    flip = a > 0.0
    upper = ops.log_ndtr(ops.where(flip, -a, b))
    return ops.logdiffexp(upper, ops.log_ndtr(ops.where(flip, -b, a)))


def _bounds(
    mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor
) -> tuple[Tensor | None, Tensor | None]:
    return _standard(lower, mu, sigma), _standard(upper, mu, sigma)


def logp(value: Tensor, mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    a, b = _bounds(mu, sigma, lower, upper)
    result = normal.logp(value, mu, sigma) - log_mass(a, b)
    return require(lower <= upper, result)


def logcdf(value: Tensor, mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    a, b = _bounds(mu, sigma, lower, upper)
    z = (ops.clip(value, lower, upper) - mu) / sigma
    result = ops.where(value < upper, log_mass(a, z) - log_mass(a, b), 0.0)
    result = ops.where(value > lower, result, -np.inf)
    return require(lower <= upper, result)


def ndtri_exp(log_q: Tensor) -> Tensor:
    """The standard normal quantile of exp(log_q), accurate far out in the lower tail."""
    far = ops.clip(log_q, -1e300, -2.0)
    x = -ops.sqrt(-2.0 * far)
    # Newton's steps on a concave function that rises: from below they stay below, and converge.
    for _ in range(6):
        x = x - (ops.log_ndtr(x) - far) / mills_inverse(x)
    near = ops.ndtri(ops.exp(ops.maximum(log_q, -2.0)))
    return ops.where(log_q > -2.0, near, ops.where(ops.equal(log_q, -np.inf), -np.inf, x))


def icdf(q: Tensor, mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    a, b = _bounds(mu, sigma, lower, upper)
    mass = log_mass(a, b)
    below, above = ops.log(q) + mass, ops.log1p(-q) + mass
    below = below if a is None else ops.logaddexp(ops.log_ndtr(a), below)
    above = above if b is None else ops.logaddexp(ops.log_ndtr(-b), above)
    left = below <= -math.log(2.0)
    z = ndtri_exp(ops.minimum(ops.where(left, below, above), 0.0))
    x = ops.clip(mu + sigma * ops.where(left, z, -z), lower, upper)
    return require(lower <= upper, x, np.nan)


def draw(shape: Any, mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return icdf(ops.random.uniform(shape=shape), mu, sigma, lower, upper)


def center(mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    below, above = ops.equal(lower, -np.inf), ops.equal(upper, np.inf)
    bounded = ops.where(above, lower + 1.0, 0.5 * (lower + upper))
    return ops.where(below, ops.where(above, mu, upper - 1.0), bounded)


def _moments(
    mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor
) -> tuple[Tensor | float, Tensor | float]:
    """The mean and the excess of the square of the standardised number."""
    a, b = _bounds(mu, sigma, lower, upper)
    mass = log_mass(a, b)
    first: Tensor | float = 0.0
    second: Tensor | float = 0.0
    for z, sign in ((a, 1.0), (b, -1.0)):
        if z is not None:
            height = sign * ops.exp(-0.5 * (z * z) - HALF_LOG_2PI - mass)
            first = first + height
            second = second + ops.where(ops.isinf(z), 0.0, z * height)
    return first, second


def mean(mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    return mu + sigma * _moments(mu, sigma, lower, upper)[0]


def var(mu: Tensor, sigma: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    first, second = _moments(mu, sigma, lower, upper)
    return sigma * sigma * (1.0 + second - first * first)


TruncatedNormal = Distribution(
    "TruncatedNormal",
    params={
        "mu": Param(support.real, 0.0),
        "sigma": Param(support.positive, 1.0),
        "lower": Param(support.extended_real, -np.inf),
        "upper": Param(support.extended_real, np.inf),
    },
    support=lambda mu, sigma, lower, upper: support.interval(lower, upper),
    density=logp,
    draw=draw,
    center=center,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    alternatives=(PRECISION,),
    scipy="stats.truncnorm((lower - mu) / sigma, (upper - mu) / sigma, loc=mu, scale=sigma)",
    samples=(
        {"mu": 0.0, "sigma": 1.0, "lower": -np.inf, "upper": np.inf},
        {"mu": 0.5, "sigma": 2.0, "lower": 0.0, "upper": np.inf},
        {"mu": 0.5, "sigma": 2.0, "lower": -np.inf, "upper": -1.0},
        {"mu": [0.0, 1.0], "sigma": [1.0, 0.5], "lower": [-1.0, 2.5], "upper": [2.0, 4.0]},
        {"mu": [0.0, 1.0], "sigma": [1.0, 0.5], "lower": [-np.inf, 0.0], "upper": [1.0, np.inf]},
    ),
    tol=1e-10,
)
