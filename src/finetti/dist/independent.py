"""Independent numbers or vectors as one event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from finetti.dist.base import Distribution, Param, dist_shape
from finetti.dist.bijectors import Bijector, bijector_for
from finetti.dist.support import Support
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def independent_support(inner: Support, axes: int) -> Support:
    """Members with more axes, all of whose parts are members."""
    last = tuple(range(-axes, 0))

    def each(test: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
        def every(value: Any) -> Any:
            assert test is not None
            ok = test(value)
            if ok is None:
                return None
            return ops.all_(ok, last) if isinstance(ok, Tensor) else ok.all(last)

        return None if test is None else every

    bijector = bijector_for(inner)
    return replace(
        inner,
        test=each(inner.test),
        exact=each(inner.exact),
        event_ndim=inner.event_ndim + axes,
        bijector=None if bijector is None else _wider(bijector, axes),
    )


def _wider(inner: Bijector, axes: int) -> Bijector:
    last = tuple(range(-axes, 0))
    return replace(
        inner,
        log_det=lambda u: ops.sum_(inner.log_det(u), last),
        event_ndim=inner.event_ndim + axes,
    )


@cache
def independent_of(record: Distribution, axes: int) -> Distribution:
    """The record whose last axes of the batch belong to the event."""
    if not axes:
        return record
    last = tuple(range(-axes, 0))

    def event_shape(**shapes: Shape) -> Shape:
        own = dist_shape(record, shapes)
        return own[len(own) - record.event_ndim - axes :]

    return Distribution(
        record.name,
        key=f"Independent({record.key}, {axes})",
        params={
            name: Param(param.constraint, param.default, param.ndim + axes)
            for name, param in record.params.items()
        },
        support=lambda **params: independent_support(record.support(**params), axes),
        density=lambda value, **params: ops.sum_(record.logp(value, **params), last),
        draw=record.draw,
        center=record.center,
        mean=record.mean,
        var=record.var,
        discrete=record.discrete,
        event_ndim=record.event_ndim + axes,
        event_shape=event_shape,
        scipy="",
        samples=(),
        notes={"cdf": "not defined for vectors", "quantile": "not defined for vectors"},
        made_by=(independent_of, record, axes),
    )
