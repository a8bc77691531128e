"""PyMC3's Bound: a distribution cut off at bounds, without making up for what is cut off."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.bounds import checked_bounds, inside
from finetti.dist.compose import Component, undefined
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops

_NOTES = {"cdf": "the density is not normalised", "quantile": "the density is not normalised"}


def _draw(base: Component, low: bool, high: bool) -> Callable[..., Tensor]:
    def draw(shape: Any, **params: Tensor) -> Tensor:
        record, own = base.record, base.of(params)
        if record.cdf is None or record.quantile is None:
            raise NotYetSupported(
                f"Bound of {record.name} has no random values here: its quantiles are not known."
            )
        # a whole number at the lower bound is kept, so the mass below it ends one before
        below = ops.ceil(params["lower"]) - 1.0 if low and record.discrete else params.get("lower")
        start = ops.exp(record.logcdf(below, **own)) if low else 0.0
        end = ops.exp(record.logcdf(params["upper"], **own)) if high else 1.0
        u = ops.random.uniform(shape=tuple(shape))
        return record.icdf(start + u * (end - start), **own)

    return draw


def _center(low: bool, high: bool, discrete: bool) -> Callable[..., Tensor]:
    def center(**params: Tensor) -> Tensor:
        if low and high:
            middle = 0.5 * (params["lower"] + params["upper"])
        else:
            middle = params["lower"] + 1.0 if low else params["upper"] - 1.0
        return ops.floor(middle) if discrete else middle

    return center


@cache
def bound_of(inner: Distribution, low: bool, high: bool) -> Distribution:
    """The record of a distribution with a lower bound, an upper bound, or both."""
    base = Component(inner, "base_")
    bounds = [name for name, there in (("lower", low), ("upper", high)) if there]

    def density(value: Tensor, **params: Tensor) -> Tensor:
        return inner.logp(value, **base.of(params))

    return Distribution(
        f"Bound{inner.name}",
        key=f"Bound({inner.key}, {', '.join(bounds)})",
        params={**base.declared(), **{name: Param(support.extended_real) for name in bounds}},
        support=inside(base, low, high),
        density=density,
        draw=_draw(base, low, high),
        center=_center(low, high, inner.discrete),
        mean=undefined("Bound"),
        var=undefined("Bound"),
        scipy="",
        samples=(),
        discrete=inner.discrete,
        notes=_NOTES,
        normalised=False,
        made_by=(bound_of, inner, low, high),
    )


def bound(
    record: Distribution, params: dict[str, Any], lower: Any, upper: Any, where: str
) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a bounded distribution; None leaves a side open.

    Raises
    ------
    ParameterError
        For distributions of vectors.
    """
    bounds = checked_bounds(record, params, lower, upper, where)
    if not bounds:
        return record, params
    given = Component(record, "base_").named(params)
    return bound_of(record, "lower" in bounds, "upper" in bounds), {**given, **bounds}
