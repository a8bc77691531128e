"""Bounds around a distribution: what bounded, truncated and censored ones share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, known
from finetti.dist.compose import Component
from finetti.errors import ParameterError
from finetti.ir import Tensor, ops

KINDS = (
    "real", "positive", "nonnegative", "unit_interval", "interval", "integers", "boolean",
    "circle",
)  # fmt: skip


def own_bounds(inner: support.Support) -> tuple[Any, Any]:
    """The bounds of a support of numbers; None where there is none."""
    if inner.kind in ("positive", "nonnegative"):
        return 0.0, None
    return inner.lower, inner.upper


def tighter(a: Any, b: Any, choose: Callable[..., Any], pick: Callable[..., Any]) -> Any:
    """The tighter of two bounds of which each may be missing."""
    if a is None or b is None:
        return b if a is None else a
    x, y = ops.constant_value(ops.as_tensor(a)), ops.constant_value(ops.as_tensor(b))
    return pick(x, y) if x is not None and y is not None else choose(a, b)


def inside(base: Component, low: bool, high: bool) -> Callable[..., support.Support]:
    """The support of a distribution that is kept between its parameters `lower` and `upper`."""

    def of(**params: Any) -> support.Support:
        lower, upper = own_bounds(base.record.support(**base.of(params)))
        lower = tighter(lower, params["lower"] if low else None, ops.maximum, np.maximum)
        upper = tighter(upper, params["upper"] if high else None, ops.minimum, np.minimum)
        if base.record.discrete:
            return support.integers(lower, upper)
        return support.interval(lower, upper)

    return of


def may_be_infinite(bound: Tensor) -> bool:
    """Whether a bound is, or could become, infinite."""
    value = None if bound.node.dynamic else known(bound)
    return value is None or bool(np.isinf(value).any())


def known_bounds(params: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """The parameters `lower` and `upper`, infinite where there is none."""
    low, high = params.get("lower", -np.inf), params.get("upper", np.inf)
    return ops.as_tensor(low), ops.as_tensor(high)


def checked_bounds(
    record: Distribution, params: Mapping[str, Any], lower: Any, upper: Any, where: str
) -> dict[str, Any]:
    """The bounds that were given, without those that are missing or infinite everywhere.

    Raises
    ------
    ParameterError
        For distributions of vectors, and for numbers in the wrong order.
    """
    if record.event_ndim or record.support(**params).kind not in KINDS:
        raise ParameterError(
            f"{where}: bounds are for distributions of single numbers, not for {record.name}."
        )
    lower = None if _is(lower, -np.inf) else lower
    upper = None if _is(upper, np.inf) else upper
    low, high = (_number(bound) for bound in (lower, upper))
    if low is not None and high is not None and not (low <= high).all():
        raise ParameterError(
            f"{where}: lower={lower!r} lies above upper={upper!r}: expected lower <= upper."
        )
    return {name: x for name, x in (("lower", lower), ("upper", upper)) if x is not None}


def _number(bound: Any) -> np.ndarray | None:
    return None if bound is None else ops.constant_value(ops.as_tensor(bound))


def _is(bound: Any, infinity: float) -> bool:
    value = _number(bound)
    return value is not None and bool((value == infinity).all())
