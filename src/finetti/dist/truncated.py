"""Distributions of numbers between two bounds, of which one can be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import support, truncatednormal
from finetti.dist.base import Distribution, Param, require
from finetti.dist.bounds import checked_bounds, inside, known_bounds, may_be_infinite
from finetti.dist.compose import Component
from finetti.errors import NotYetSupported
from finetti.ir import INT, Tensor, ops

# The centre of those that are symmetric: by it the smaller tail is found.
_CENTERS = {
    "Cauchy": "alpha", "Laplace": "mu", "Logistic": "mu", "Normal": "mu", "SoftLaplace": "mu",
    "StudentT": "mu",
}  # fmt: skip


class _Tails:
    """Log probabilities below and above a bound, which can be infinite."""

    def __init__(self, base: Component, params: Mapping[str, Tensor]) -> None:
        self.record, self.own = base.record, base.of(params)
        center = _CENTERS.get(self.record.key)
        self.center = None if center is None else self.own[center]
        self.low, self.high = params.get("lower"), params.get("upper")
        if self.record.discrete:  # a whole number at the lower bound is kept
            self.low = None if self.low is None else ops.ceil(self.low) - 1.0
            self.high = None if self.high is None else ops.floor(self.high)

    def below(self, x: Tensor) -> Tensor:
        return self._tail(x, lambda x: self.record.logcdf(x, **self.own), -np.inf, 0.0)

    def above(self, x: Tensor) -> Tensor:
        if self.center is not None:
            return self.below(2.0 * self.center - x)
        return self._tail(x, lambda x: self.record.logccdf(x, **self.own), 0.0, -np.inf)

    def _tail(
        self, x: Tensor, tail: Callable[[Tensor], Tensor], least: float, most: float
    ) -> Tensor:
        if not may_be_infinite(x):
            return tail(x)
        open_ = ops.isinf(x)
        limit = ops.where(x < 0.0, least, most)
        safe = ops.where(open_, self.record.center(**self.own), x)
        return ops.where(open_, limit, tail(safe))

    def between(self, low: Tensor, high: Tensor) -> Tensor:
        """From the smaller tails, which keep their digits."""
        lower = ops.logdiffexp(self.below(high), self.below(low))
        if self.center is None and self.record.ccdf is None:
            return lower
        upper = ops.logdiffexp(self.above(low), self.above(high))
        return ops.where(self.below(low) < -np.log(2.0), lower, upper)

    def mass(self) -> Tensor:
        if self.high is None:
            return self.above(self.low)  # type: ignore[arg-type]
        return self.below(self.high) if self.low is None else self.between(self.low, self.high)


def _logcdf(base: Component) -> Callable[..., Tensor]:
    def logcdf(value: Tensor, **params: Tensor) -> Tensor:
        tails = _Tails(base, params)
        low, high = tails.low, tails.high
        point = value if low is None else ops.maximum(value, low)
        point = point if high is None else ops.minimum(point, high)
        share = tails.below(point) if low is None else tails.between(low, point)
        share = share - tails.mass()
        share = share if low is None else ops.where(value > low, share, -np.inf)
        return share if high is None else ops.where(value < high, share, 0.0)

    return logcdf


def _icdf(base: Component) -> Callable[..., Tensor]:
    def icdf(q: Tensor, **params: Tensor) -> Tensor:
        tails = _Tails(base, params)
        mass = tails.mass()
        from_left = ops.log(q) + mass
        if tails.low is not None:
            from_left = ops.logaddexp(tails.below(tails.low), from_left)
        x = base.record.icdf(ops.exp(from_left), **tails.own)
        if tails.center is not None:
            from_right = ops.log1p(-q) + mass
            if tails.high is not None:
                from_right = ops.logaddexp(tails.above(tails.high), from_right)
            mirrored = base.record.icdf(ops.exp(from_right), **tails.own)
            x = ops.where(from_left < -np.log(2.0), x, 2.0 * tails.center - mirrored)
        x = x if tails.low is None else ops.maximum(x, tails.low + float(base.record.discrete))
        x = x if tails.high is None else ops.minimum(x, tails.high)
        return ops.cast(x, INT) if base.record.discrete else x

    return icdf


def _center(base: Component) -> Callable[..., Tensor]:
    def center(**params: Tensor) -> Tensor:
        """That of the base where it lies between the bounds, as PyMC."""
        own = base.record.center(**base.of(params))
        low, high = known_bounds(params)
        below, above = ops.isinf(low), ops.isinf(high)
        middle = 0.5 * (ops.where(below, high, low) + ops.where(above, low, high))
        one_side = ops.where(above, low + 1.0, high - 1.0)
        other = ops.where(below | above, one_side, middle)
        if base.record.discrete:
            return ops.where((own >= low) & (own <= high), own, ops.floor(other))
        return ops.where((own > low) & (own < high), own, other)

    return center


def _moment(base: Component, column: str) -> Callable[..., Tensor]:
    def moment(**params: Tensor) -> Tensor:
        if base.record.key == "Cauchy":
            return ops.full_like(base.of(params)["alpha"], np.nan)
        if base.record.key == "Gamma":
            first, second = (_gamma_moment(base, params, order) for order in (1.0, 2.0))
            return first if column == "mean" else second - ops.square(first)
        raise NotYetSupported(
            f"the moments of {base.record.name} between bounds are not written: draw values instead"
        )

    return moment


def _gamma_moment(base: Component, params: Mapping[str, Tensor], order: float) -> Tensor:
    own = base.of(params)
    alpha, beta = own["alpha"], own["beta"]
    shifted = {**params, "base_alpha": alpha + order}
    rising = alpha if order == 1.0 else alpha * (alpha + 1.0)
    ratio = _Tails(base, shifted).mass() - _Tails(base, params).mass()
    return rising / beta**order * ops.exp(ratio)


def _refused_draw(record: Distribution) -> Callable[..., Tensor]:
    def draw(shape: Any, **params: Tensor) -> Tensor:
        raise NotYetSupported(
            f"random values of {record.name} between bounds are found by rejection, which cannot "
            "be part of another distribution: give it a name of its own."
        )

    return draw


def _by_rejection(base: Component, tries: int) -> tuple[Any, Any, int]:
    def accept(value: Tensor, **params: Tensor) -> Tensor:
        low, high = known_bounds(params)
        return (value >= low) & (value <= high)

    return lambda shape, **params: base.record.draw(shape, **base.of(params)), accept, tries


@cache
def truncated_of(
    record: Distribution, lower: bool, upper: bool, tries: int = 10_000
) -> Distribution:
    """The record between the bounds `lower` and `upper`, of those there are.

    Without a quantile function its random values are found by rejection, in at most `tries`.
    """
    base = Component(record, "base_")
    bounds = [name for name, there in (("lower", lower), ("upper", upper)) if there]
    icdf = _icdf(base) if record.quantile else None

    def density(value: Tensor, **params: Tensor) -> Tensor:
        result = record.logp(value, **base.of(params)) - _Tails(base, params).mass()
        return require(params["lower"] <= params["upper"], result) if len(bounds) == 2 else result

    def draw(shape: Any, **params: Tensor) -> Tensor:
        assert icdf is not None
        return icdf(ops.random.uniform(shape=shape), **params)

    return Distribution(
        f"Truncated{record.name}",
        key=f"Truncated({record.key}, {lower}, {upper})",
        params={**{name: Param(support.extended_real) for name in bounds}, **base.declared()},
        support=inside(base, lower, upper),
        density=density,
        draw=_refused_draw(record) if icdf is None else draw,
        redraw=_by_rejection(base, tries) if icdf is None else None,
        center=_center(base),
        mean=_moment(base, "mean"),
        var=_moment(base, "var"),
        cdf=_logcdf(base) if record.cdf else None,
        quantile=icdf,
        discrete=record.discrete,
        scipy="",
        samples=(),
        made_by=(truncated_of, record, lower, upper, tries),
    )


def truncated(
    record: Distribution, params: dict[str, Any], lower: Any, upper: Any, tries: int, where: str
) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a distribution between two bounds; None leaves a side open.

    Raises
    ------
    ParameterError
        For distributions of vectors, and bounds in the wrong order.
    NotYetSupported
        Where the probability of what is left is not known.
    """
    bounds = checked_bounds(record, params, lower, upper, where)
    if not bounds:
        return record, params
    if record is truncatednormal.normal.Normal:
        return truncatednormal.TruncatedNormal, {**_OPEN, **params, **bounds}
    if record.cdf is None:
        reason = record.notes.get("cdf", "it is not written yet")
        raise NotYetSupported(
            f"{where}: {record.name} cannot be truncated, as its distribution function is not "
            f"known ({reason})."
        )
    made = truncated_of(record, "lower" in bounds, "upper" in bounds, tries)
    return made, {**Component(record, "base_").named(params), **bounds}


_OPEN = {"lower": -np.inf, "upper": np.inf}
