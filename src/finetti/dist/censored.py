"""Numbers of which some are only known to lie on one side of what was seen, or between two."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.compose import Component, undefined
from finetti.ir import Tensor, ops
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
