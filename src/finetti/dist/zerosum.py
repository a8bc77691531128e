"""Normal numbers that sum to zero along their last axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.bijectors import Bijector
from finetti.dist.normal import HALF_LOG_2PI
from finetti.errors import ParameterError, ShapeError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def _extended(x: Tensor, axis: int) -> Tensor:
    """One element more along an axis, so that they sum to zero and lengths are kept."""
    n = float(x.shape[axis]) + 1.0
    total = ops.sum_(x, axis, keepdims=True)
    norm = total / (math.sqrt(n) + n)
    return ops.concatenate([x, norm - total / math.sqrt(n)], axis) - norm


def _shortened(x: Tensor, axis: int) -> Tensor:
    n = float(x.shape[axis])
    rest = (slice(None),) * (-axis - 1)
    total = -x[(..., slice(-1, None), *rest)] * math.sqrt(n)
    return x[(..., slice(None, -1), *rest)] + total / (math.sqrt(n) + n)


@cache
def zerosum(axes: int) -> Bijector:
    """An isometry from one element fewer along each of the last axes."""

    def backward(u: Any) -> Tensor:
        u = ops.as_tensor(u)
        for axis in range(-axes, 0):
            u = _extended(u, axis)
        return u

    def forward(x: Any) -> Tensor:
        x = ops.as_tensor(x)
        for axis in range(-axes, 0):
            x = _shortened(x, axis)
        return x

    return Bijector(
        "zerosum",
        forward,
        backward,
        log_det=lambda u: ops.zeros(ops.as_tensor(u).shape[: ops.as_tensor(u).ndim - axes]),
        event_ndim=axes,
        unconstrained_shape=lambda shape: (
            *shape[: len(shape) - axes],
            *(length - 1 for length in shape[len(shape) - axes :]),
        ),
    )


def _sums_to_zero(axes: int) -> Callable[[Any], Any]:
    """Whether events sum to zero along each of their axes."""

    def test(x: Any) -> Any:
        last = range(-axes, 0)
        near = [(abs(x.mean(axis)) <= 1e-9).reshape(*x.shape[: x.ndim - axes], -1) for axis in last]
        result = near[0].all(-1)
        for other in near[1:]:
            result = result & other.all(-1)
        return result

    return test


def _event_shape(axes: int) -> Callable[..., Shape]:
    def event_shape(sigma: Shape, where: Shape) -> Shape:
        if any(length != 1 for length in sigma[max(len(sigma) - axes, 0) :]):
            raise ShapeError(
                f"sigma has shape {tuple(map(int, sigma))}: expected length 1 along the {axes} "
                "axes that sum to zero; for a sigma of each event write `sigma[:, None]`."
            )
        return where[len(where) - axes :]

    return event_shape


def _logp(axes: int) -> Callable[..., Tensor]:
    def logp(value: Tensor, sigma: Tensor, where: Tensor) -> Tensor:
        free = math.prod(int(length) - 1 for length in where.shape[where.ndim - axes :])
        # one sigma for each event
        one = ops.reshape(sigma, sigma.shape[:-axes]) if sigma.ndim >= axes else ops.sum_(sigma)
        z = value / sigma
        norm = (HALF_LOG_2PI + ops.log(one)) * float(free)
        return -0.5 * ops.sum_(z * z, tuple(range(-axes, 0))) - norm

    return logp


@cache
def zero_sum_of(axes: int) -> Distribution:
    """The record for events of that many axes.

    `where` has the shape of an event; its values do not count.
    """

    def draw(shape: Any, sigma: Tensor, where: Tensor) -> Tensor:
        z = ops.random.standard_normal(shape=shape)
        for axis in range(-axes, 0):
            z = z - ops.mean(z, axis, keepdims=True)
        return sigma * z

    def var(sigma: Tensor, where: Tensor) -> Tensor:
        share = math.prod(1.0 - 1.0 / int(n) for n in where.shape[where.ndim - axes :])
        return share * sigma * sigma + ops.zeros(where.shape)

    inside = support.Support(
        "zerosum",
        "numbers that sum to zero along the last axes",
        _sums_to_zero(axes),
        event_ndim=axes,
        bijector=zerosum(axes),
    )
    return Distribution(
        "ZeroSumNormal",
        key=f"ZeroSumNormal({axes})",
        params={
            "sigma": Param(support.positive, 1.0, axes),
            "where": Param(support.real, 0.0, axes),
        },
        support=lambda sigma, where: inside,
        density=_logp(axes),
        draw=draw,
        center=lambda sigma, where: ops.zeros(where.shape),
        mean=lambda sigma, where: ops.zeros(where.shape),
        var=var,
        event_ndim=axes,
        event_shape=_event_shape(axes),
        scipy="",
        samples=(),
        notes={"cdf": "PyMC has none either", "quantile": "not defined for vectors"},
        made_by=(zero_sum_of, axes),
    )


def zero_sum_normal(
    sigma: Any, event: Sequence[int], where: str
) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters for events of the given shape."""
    if any(int(length) < 1 for length in event):
        raise ParameterError(f"{where}: an axis that sums to zero has no elements: {tuple(event)}.")
    return zero_sum_of(len(event)), {"sigma": sigma, "where": ops.zeros(tuple(event))}
