"""Distributions of numbers between two bounds, of which one can be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.compose import Component
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops

# The centre of those that are symmetric: by it the smaller tail is found.
_CENTERS = {
    "Cauchy": "alpha", "Laplace": "mu", "Logistic": "mu", "Normal": "mu", "SoftLaplace": "mu",
    "StudentT": "mu",
}  # fmt: skip


class _Tails:
    """Log probabilities below and above a number."""

    def __init__(self, base: Component, params: Mapping[str, Tensor]) -> None:
        self.record, self.own = base.record, base.of(params)
        center = _CENTERS.get(self.record.key)
        self.center = None if center is None else self.own[center]

    def below(self, x: Tensor) -> Tensor:
        return self.record.logcdf(x, **self.own)

    def above(self, x: Tensor) -> Tensor:
        if self.center is not None:
            return self.below(2.0 * self.center - x)
        if self.record.key == "Gamma":
            return ops.log(ops.gammaincc(self.own["alpha"], self.own["beta"] * x))
        return ops.log1mexp(self.below(x))

    def between(self, low: Tensor, high: Tensor) -> Tensor:
        """From the smaller tails, which keep their digits."""
        lower = ops.logdiffexp(self.below(high), self.below(low))
        upper = ops.logdiffexp(self.above(low), self.above(high))
        return ops.where(self.below(low) < -np.log(2.0), lower, upper)


def _mass(tails: _Tails, params: Mapping[str, Tensor]) -> Tensor:
    low, high = params.get("lower"), params.get("upper")
    if high is None:
        return tails.above(low)  # type: ignore[arg-type]
    return tails.below(high) if low is None else tails.between(low, high)


def _logcdf(base: Component) -> Callable[..., Tensor]:
    def logcdf(value: Tensor, **params: Tensor) -> Tensor:
        tails = _Tails(base, params)
        low, high = params.get("lower"), params.get("upper")
        inside = value if low is None else ops.maximum(value, low)
        inside = inside if high is None else ops.minimum(inside, high)
        share = tails.below(inside) if low is None else tails.between(low, inside)
        share = share - _mass(tails, params)
        share = share if low is None else ops.where(value > low, share, -np.inf)
        return share if high is None else ops.where(value < high, share, 0.0)

    return logcdf


def _icdf(base: Component) -> Callable[..., Tensor]:
    def icdf(q: Tensor, **params: Tensor) -> Tensor:
        tails = _Tails(base, params)
        low, high, mass = params.get("lower"), params.get("upper"), _mass(tails, params)
        from_left = ops.log(q) + mass
        from_left = from_left if low is None else ops.logaddexp(tails.below(low), from_left)
        x = base.record.icdf(ops.exp(from_left), **tails.own)
        if tails.center is not None:
            from_right = ops.log1p(-q) + mass
            if high is not None:
                from_right = ops.logaddexp(tails.above(high), from_right)
            mirrored = base.record.icdf(ops.exp(from_right), **tails.own)
            x = ops.where(from_left < -np.log(2.0), x, 2.0 * tails.center - mirrored)
        x = x if low is None else ops.maximum(x, low)
        return x if high is None else ops.minimum(x, high)

    return icdf


def _center(**params: Tensor) -> Tensor:
    low, high = params.get("lower"), params.get("upper")
    if low is None:
        return ops.as_tensor(high) - 1.0
    return low + 1.0 if high is None else 0.5 * (low + high)


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
    ratio = _mass(_Tails(base, shifted), shifted) - _mass(_Tails(base, params), params)
    return rising / beta**order * ops.exp(ratio)


@cache
def truncated_of(record: Distribution, lower: bool, upper: bool) -> Distribution:
    """The record between the bounds `lower` and `upper`, of those there are."""
    base = Component(record, "base_")
    bounds = [name for name, there in (("lower", lower), ("upper", upper)) if there]
    icdf = _icdf(base)

    def density(value: Tensor, **params: Tensor) -> Tensor:
        mass = _mass(_Tails(base, params), params)
        return record.logp(value, **base.of(params)) - mass

    def inside(**params: Any) -> support.Support:
        low, high = params.get("lower"), params.get("upper")
        if low is None and record.support(**base.of(params)).kind != "real":
            low = 0.0
        return support.interval(low, high)

    return Distribution(
        f"Truncated{record.name}",
        key=f"Truncated({record.key}, {lower}, {upper})",
        params={**{name: Param(support.extended_real) for name in bounds}, **base.declared()},
        support=inside,
        density=density,
        draw=lambda shape, **params: icdf(ops.random.uniform(shape=shape), **params),
        center=_center,
        mean=_moment(base, "mean"),
        var=_moment(base, "var"),
        cdf=_logcdf(base),
        quantile=icdf if record.quantile else None,
        scipy="",
        samples=(),
        made_by=(truncated_of, record, lower, upper),
    )
