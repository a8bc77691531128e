"""Numbers of which some are only known to lie on one side of what was seen, or between two.

`one_side` and `between` are told which those are, as in NumPyro; `censored` finds them at its
bounds, as in PyMC.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param, known, require
from finetti.dist.bounds import (
    checked_bounds,
    inside,
    known_bounds,
    may_be_infinite,
    own_bounds,
)
from finetti.dist.compose import Component, undefined
from finetti.errors import ParameterError
from finetti.ir import INT, Tensor, ops
from finetti.ir.types import Shape

_FLAG = Param(support.boolean)
_LEAST = float(np.log(100.0 * np.finfo(float).tiny))


@cache
def one_side(record: Distribution, left: bool) -> Distribution:
    """The record of numbers that, where `censored`, are at most (`left`) or at least the true."""
    base = Component(record, "base_")

    def density(value: Tensor, censored: Tensor, **params: Tensor) -> Tensor:
        own = base.of(params)
        below = record.logcdf(value, **own)
        tail = below if left else ops.log1mexp(ops.minimum(below, 0.0))
        seen = record.logp(value, **own)
        return ops.where(ops.not_equal(censored, 0), ops.maximum(tail, _LEAST), seen)

    side = "Left" if left else "Right"
    return Distribution(
        f"{side}Censored{record.name}",
        key=f"{side}Censored({record.key})",
        params={"censored": _FLAG, **base.declared()},
        support=lambda **params: record.support(**base.of(params)),
        density=density,
        draw=lambda shape, **params: record.draw(shape, **base.of(params)),
        center=lambda **params: record.center(**base.of(params)),
        mean=undefined("censored numbers"),
        var=undefined("censored numbers"),
        discrete=record.discrete,
        scipy="",
        samples=(),
        made_by=(one_side, record, left),
    )


def _pair(**shapes: Shape) -> Shape:
    return (2,)


@cache
def between(record: Distribution) -> Distribution:
    """The record of pairs of bounds: of a number between them, or, with both flags, outside.

    With one flag the number lies below the second, or above the first; where both bounds are equal
    it was seen.
    """
    base = Component(record, "base_")

    def density(
        value: Tensor, left_censored: Tensor, right_censored: Tensor, **params: Tensor
    ) -> Tensor:
        own = base.of(params)
        left, right = ops.not_equal(left_censored, 0), ops.not_equal(right_censored, 0)
        only_left, only_right = left & ~right, right & ~left
        low, high = value[..., 0], value[..., 1]
        # A bound that does not count may be infinite.
        low, high = ops.where(only_left, high, low), ops.where(only_right, low, high)
        near = ops.absolute(low - high) <= 1e-8 + 1e-5 * ops.absolute(high)
        seen = near & ~left & ~right
        first = ops.where(only_left, -np.inf, record.logcdf(low, **own))
        last = ops.where(only_right, 0.0, record.logcdf(high, **own))
        apart = ops.where(seen, -1.0, ops.minimum(first - last, -1e-300))
        inside = last + ops.log1mexp(apart)
        inside = ops.where(only_right, ops.log1mexp(ops.minimum(first, -1e-300)), inside)
        inside = ops.where(seen, record.logp(low, **own), inside)
        outside = ops.log1mexp(ops.where(left & right, inside, -1.0))
        return ops.where(left & right, outside, inside)

    def draw(shape: Any, **params: Tensor) -> Tensor:
        drawn = ops.expand_dims(record.draw(shape[:-1], **base.of(params)), -1)
        return ops.concatenate([drawn, drawn], -1)

    return Distribution(
        f"IntervalCensored{record.name}",
        key=f"IntervalCensored({record.key})",
        params={"left_censored": _FLAG, "right_censored": _FLAG, **base.declared()},
        support=lambda **params: support.real_vector,
        density=density,
        draw=draw,
        center=undefined("censored numbers"),
        mean=undefined("censored numbers"),
        var=undefined("censored numbers"),
        event_ndim=1,
        event_shape=_pair,
        scipy="",
        samples=(),
        made_by=(between, record),
    )


# -- PyMC's: what lies beyond a bound is seen at the bound ----------------------------------------


def _within(inner: support.Support, bound: Tensor) -> bool:
    """Whether a bound is known to be a finite number inside a support, not at its edge."""
    if may_be_infinite(bound):
        return False
    value = known(bound)
    least, most = own_bounds(inner)
    above = least is None or bool((value > np.asarray(_numbers(least))).all())
    below = most is None or bool((value < np.asarray(_numbers(most))).all())
    return above and below


def _numbers(bound: Any) -> Any:
    value = known(ops.as_tensor(bound))
    return np.nan if value is None else value


def _density(base: Component) -> Callable[..., Tensor]:
    record = base.record

    def density(value: Tensor, **params: Tensor) -> Tensor:
        own = base.of(params)
        sure = record.support(**own)
        sides = []
        # A whole number at the upper bound stands for itself too.
        step = 1.0 if record.discrete else 0.0
        for name, tail, shift in (
            ("lower", record.logcdf, 0.0),
            ("upper", record.logccdf, step),
        ):
            if name not in params:
                continue
            bound = params[name]
            at = ops.equal(value, bound)
            if not _within(sure, bound):  # what is not chosen must not be infinite
                safe = record.center(**own)
                bound, value = ops.where(at, bound, safe), ops.where(at, safe, value)
            sides.append((at, tail(bound - shift, **own)))
        result = record.logp(value, **own)
        for at, mass in sides:
            result = ops.where(at, mass, result)
        if len(sides) == 2:
            result = require(params["lower"] <= params["upper"], result)
        return result

    return density


def _censored_logcdf(base: Component) -> Callable[..., Tensor]:
    def logcdf(value: Tensor, **params: Tensor) -> Tensor:
        low, high = known_bounds(params)
        result = base.record.logcdf(value, **base.of(params))
        result = ops.where(value < low, -np.inf, result)
        return ops.where(value >= high, 0.0, result)

    return logcdf


def _clipped(x: Tensor, params: dict[str, Tensor], discrete: bool) -> Tensor:
    low, high = known_bounds(params)
    x = ops.maximum(x, low) if "lower" in params else x
    x = ops.minimum(x, high) if "upper" in params else x
    return ops.cast(x, INT) if discrete else x


def _censored_center(**params: Tensor) -> Tensor:
    low, high = known_bounds(params)
    below, above = ops.equal(low, -np.inf), ops.isinf(high)
    first = ops.where(above, 0.0, high - 1.0)
    middle = 0.5 * (ops.where(below, 0.0, low) + ops.where(above, 0.0, high))
    return ops.where(below, first, ops.where(above, low + 1.0, middle))


@cache
def censored_of(record: Distribution, lower: bool, upper: bool) -> Distribution:
    """The record of numbers of which those beyond a bound are seen at it."""
    base = Component(record, "base_")
    bounds = [name for name, there in (("lower", lower), ("upper", upper)) if there]
    narrowed = inside(base, lower, upper)

    def between_bounds(**params: Any) -> support.Support:
        low, high = params.get("lower"), params.get("upper")
        if record.discrete:
            return narrowed(**params)
        return support.interval(low, high, kind="mixed")

    def quantile(q: Tensor, **params: Tensor) -> Tensor:
        return _clipped(record.icdf(q, **base.of(params)), params, record.discrete)

    def draw(shape: Any, **params: Tensor) -> Tensor:
        return _clipped(record.draw(shape, **base.of(params)), params, record.discrete)

    return Distribution(
        f"Censored{record.name}",
        key=f"Censored({record.key}, {lower}, {upper})",
        params={**base.declared(), **{name: Param(support.extended_real) for name in bounds}},
        support=between_bounds,
        density=_density(base),
        draw=draw,
        center=_censored_center,
        mean=undefined("censored numbers"),
        var=undefined("censored numbers"),
        cdf=_censored_logcdf(base) if record.cdf else None,
        quantile=quantile if record.quantile else None,
        discrete=record.discrete,
        scipy="",
        samples=(),
        made_by=(censored_of, record, lower, upper),
    )


def censored(
    record: Distribution, params: dict[str, Any], lower: Any, upper: Any, where: str
) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a censored distribution; None leaves a side open.

    Raises
    ------
    ParameterError
        For distributions of vectors, bounds in the wrong order, and fractions as bounds of whole
        numbers.
    """
    bounds = checked_bounds(record, params, lower, upper, where)
    for name, bound in bounds.items():
        number = known(ops.as_tensor(bound)) if record.discrete else None
        if number is not None and (number != np.floor(number)).any():
            raise ParameterError(
                f"{where}: {name}={bound!r}: {record.name} has whole numbers, so its bounds are "
                "whole numbers too."
            )
    if not bounds:
        return record, params
    made = censored_of(record, "lower" in bounds, "upper" in bounds)
    return made, {**Component(record, "base_").named(params), **bounds}
