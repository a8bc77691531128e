"""PyMC3's Bound: a distribution cut off at bounds, without making up for what is cut off."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.compose import Component, undefined
from finetti.errors import NotYetSupported, ParameterError
from finetti.ir import Tensor, ops

_KINDS = ("real", "positive", "nonnegative", "unit_interval", "interval", "integers", "boolean")
_NOTES = {"cdf": "the density is not normalised", "quantile": "the density is not normalised"}


def _own_bounds(inner: support.Support) -> tuple[Any, Any]:
    if inner.kind in ("positive", "nonnegative"):
        return 0.0, None
    return inner.lower, inner.upper


def _tighter(a: Any, b: Any, choose: Callable[..., Any], pick: Callable[..., Any]) -> Any:
    """The tighter of two bounds of which each may be missing."""
    if a is None or b is None:
        return b if a is None else a
    x, y = ops.constant_value(ops.as_tensor(a)), ops.constant_value(ops.as_tensor(b))
    return pick(x, y) if x is not None and y is not None else choose(a, b)


def _support(base: Component, low: bool, high: bool) -> Callable[..., support.Support]:
    def of(**params: Any) -> support.Support:
        inner = base.record.support(**base.of(params))
        lower, upper = _own_bounds(inner)
        lower = _tighter(lower, params["lower"] if low else None, ops.maximum, np.maximum)
        upper = _tighter(upper, params["upper"] if high else None, ops.minimum, np.minimum)
        if base.record.discrete:
            return support.integers(lower, upper)
        return support.interval(lower, upper)

    return of


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
        support=_support(base, low, high),
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
    if record.event_ndim or record.support(**params).kind not in _KINDS:
        raise ParameterError(f"{where}: Bound takes distributions of single numbers, not {record}.")
    lower = None if _is(lower, -np.inf) else lower
    upper = None if _is(upper, np.inf) else upper
    if lower is None and upper is None:
        return record, params
    given = {f"base_{name}": x for name, x in params.items()}
    bounds = {name: x for name, x in (("lower", lower), ("upper", upper)) if x is not None}
    return bound_of(record, lower is not None, upper is not None), {**given, **bounds}


def _is(bound: Any, infinity: float) -> bool:
    value = None if bound is None else ops.constant_value(ops.as_tensor(bound))
    return value is not None and bool((value == infinity).all())
