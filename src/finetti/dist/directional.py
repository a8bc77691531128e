"""Directions: normal vectors projected on a sphere, and angles that depend on each other."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.categorical import picked
from finetti.dist.compose import Component, undefined
from finetti.dist.independent import independent_support
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape

_NOTES = {"cdf": "not defined for directions", "quantile": "not defined for directions"}
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


# -- projected normal ----------------------------------------------------------------------------


def _unit(x: Tensor) -> Tensor:
    return x / ops.sqrt(ops.sum_(x * x, -1, keepdims=True))


def projected_logp(value: Tensor, mu: Tensor) -> Tensor:
    """The integral of a normal density along the ray of a direction."""
    t = ops.sum_(mu * value, -1)
    across = -0.5 * (ops.sum_(mu * mu, -1) - t * t)
    height = ops.exp(-0.5 * t * t - _HALF_LOG_2PI)
    below = 0.5 * ops.erfc(-math.sqrt(0.5) * t)
    n = int(mu.shape[-1])
    if n == 2:
        return across - _HALF_LOG_2PI + ops.log(height + t * below)
    if n == 3:
        return across - 2.0 * _HALF_LOG_2PI + ops.log(t * height + (1.0 + t * t) * below)
    raise NotYetSupported(
        f"the density of a projected normal direction in {n} dimensions is not written: it is for "
        "2 and 3"
    )


def _on_sphere(x: Any) -> Any:
    return abs((x * x).sum(-1) - 1.0) <= 1e-6


_sphere = support.Support("sphere", "vectors of length 1", _on_sphere, event_ndim=1)

ProjectedNormal = Distribution(
    "ProjectedNormal",
    params={"mu": Param(support.real, ndim=1)},
    support=lambda mu: _sphere,
    density=projected_logp,
    draw=lambda shape, mu: _unit(mu + ops.random.standard_normal(shape=shape)),
    center=lambda mu: _unit(mu),
    mean=lambda mu: _unit(mu),
    var=undefined("ProjectedNormal"),
    event_ndim=1,
    event_shape=lambda mu: mu[-1:],
    scipy="",
    samples=(),
    notes=_NOTES,
)


# -- two angles ----------------------------------------------------------------------------------

_angles = independent_support(support.circle, 1)
_TERMS = 50


def _log_bessel(m: np.ndarray, x: Tensor) -> Tensor:
    """log I_m(x) by its series, in a new last axis of m, for x > 0."""
    k = np.arange(250.0)
    lgamma = np.vectorize(math.lgamma)
    terms = (2.0 * k + m[:, None]) * ops.expand_dims(ops.log(0.5 * x), (-1, -2))
    return ops.logsumexp(terms - lgamma(k + 1.0) - lgamma(k + m[:, None] + 1.0), -1)


def _log_norm(kappa1: Tensor, kappa2: Tensor, weight: Tensor) -> Tensor:
    m = np.arange(float(_TERMS))
    lgamma = np.vectorize(math.lgamma)
    choose = lgamma(2.0 * m + 1.0) - 2.0 * lgamma(m + 1.0)
    ratio = 0.25 * ops.square(weight) / (kappa1 * kappa2)
    ratio = ops.maximum(ratio, np.finfo(float).tiny)
    series = choose + m * ops.log(ops.expand_dims(ratio, -1))
    terms = series + _log_bessel(m, kappa1) + _log_bessel(m, kappa2)
    return math.log(4.0 * math.pi**2) + ops.logsumexp(terms, -1)


def sine_logp(
    value: Tensor, mu1: Tensor, mu2: Tensor, kappa1: Tensor, kappa2: Tensor, weight: Tensor
) -> Tensor:
    """Two von Mises angles and the product of their sines."""
    first, second = value[..., 0] - mu1, value[..., 1] - mu2
    own = kappa1 * ops.cos(first) + kappa2 * ops.cos(second)
    both = weight * ops.sin(first) * ops.sin(second)
    return own + both - _log_norm(kappa1, kappa2, weight)


def _wrapped(x: Tensor) -> Tensor:
    return ops.arctan2(ops.sin(x), ops.cos(x))


def _pair(mu1: Tensor, mu2: Tensor, **rest: Tensor) -> Tensor:
    zero = mu1 + mu2 - mu1 - mu2
    return ops.stack([_wrapped(mu1 + zero), _wrapped(mu2 + zero)], -1)


# The first angle is drawn from a table of its distribution function: its cells are far smaller
# than what draws can tell.
_CELLS = 14


def _first_angle(u: Tensor, kappa1: Tensor, kappa2: Tensor, weight: Tensor) -> Tensor:
    """The first angle, around 0, that has the probability u below it."""
    edges = np.linspace(-np.pi, np.pi, 2**_CELLS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    one, two, w = (ops.expand_dims(x, -1) for x in (kappa1, kappa2, weight))
    size = ops.sqrt(ops.square(two) + ops.square(w * np.sin(middle)))
    log_height = one * np.cos(middle) + ops.log(ops.i0e(size)) + size
    below = ops.cumsum(ops.softmax(log_height), -1)
    cell = ops.zeros(u.shape)
    for power in range(_CELLS - 1, -1, -1):  # the first cell that reaches u
        further = cell + float(2**power)
        cell = ops.where(picked(below, further - 1.0) < u, further, cell)
    high = picked(below, cell)
    low = ops.where(cell > 0.0, picked(below, cell - 1.0), 0.0)
    share = (u - low) / ops.where(high > low, high - low, 1.0)
    return edges[0] + (cell + share) * (edges[1] - edges[0])


def sine_draw(
    shape: Any, mu1: Tensor, mu2: Tensor, kappa1: Tensor, kappa2: Tensor, weight: Tensor
) -> Tensor:
    """The first angle, then the second, which is a von Mises angle."""
    batch = tuple(shape[:-1])
    first = _first_angle(ops.random.uniform(shape=batch), kappa1, kappa2, weight)
    pull = weight * ops.sin(first)
    around, size = ops.arctan2(pull, kappa2), ops.sqrt(ops.square(kappa2) + ops.square(pull))
    second = ops.random.vonmises(around, size, shape=batch)
    return ops.stack([_wrapped(first + mu1), _wrapped(second + mu2)], -1)


def _two(**shapes: Shape) -> Shape:
    return (2,)


SineBivariateVonMises = Distribution(
    "SineBivariateVonMises",
    params={
        "mu1": Param(support.real),
        "mu2": Param(support.real),
        "kappa1": Param(support.positive),
        "kappa2": Param(support.positive),
        "weight": Param(support.real),
    },
    support=lambda **params: _angles,
    density=sine_logp,
    draw=sine_draw,
    center=_pair,
    mean=_pair,
    var=undefined("SineBivariateVonMises"),
    event_ndim=1,
    event_shape=_two,
    scipy="",
    samples=(),
    notes=_NOTES,
)


# -- leaning to a side ---------------------------------------------------------------------------


@cache
def skewed_of(record: Distribution) -> Distribution:
    """The record of angles around `record`'s centre that lean to a side."""
    base = Component(record, "base_")

    def lean(value: Tensor, skewness: Tensor, params: dict[str, Tensor]) -> Tensor:
        around = ops.as_tensor(record.mean(**base.of(params)))
        turned = ops.sin(_wrapped(value - around))
        return ops.sum_(skewness * turned, -1)

    def density(value: Tensor, skewness: Tensor, **params: Tensor) -> Tensor:
        own = record.logp(value, **base.of(params))
        return own + ops.log1p(lean(value, skewness, params))

    def draw(shape: Any, skewness: Tensor, **params: Tensor) -> Tensor:
        drawn = record.draw(shape, **base.of(params))
        around = ops.as_tensor(record.mean(**base.of(params)))
        u = ops.random.uniform(shape=shape[:-1])
        keep = ops.expand_dims(u <= 0.5 * (1.0 + lean(drawn, skewness, params)), -1)
        return _wrapped(ops.where(keep, drawn, 2.0 * around - drawn))

    return Distribution(
        f"SineSkewed{record.name}",
        key=f"SineSkewed({record.key})",
        params={"skewness": Param(support.real, ndim=1), **base.declared()},
        support=lambda **params: _angles,
        density=density,
        draw=draw,
        center=lambda skewness, **params: record.mean(**base.of(params)),
        mean=lambda skewness, **params: record.mean(**base.of(params)),
        var=undefined("SineSkewed"),
        event_ndim=record.event_ndim,
        event_shape=lambda skewness, **shapes: skewness[-1:],
        scipy="",
        samples=(),
        notes=_NOTES,
        made_by=(skewed_of, record),
    )
