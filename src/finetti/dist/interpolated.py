"""A density that is given at points and linear between them."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.categorical import picked
from finetti.errors import ShapeError
from finetti.ir import INT, Tensor, ops
from finetti.ir.types import Shape


def _areas(x: Tensor, pdf: Tensor) -> Tensor:
    """The areas of the trapezia."""
    return 0.5 * (x[..., 1:] - x[..., :-1]) * (pdf[..., 1:] + pdf[..., :-1])


def _total(x: Tensor, pdf: Tensor) -> Tensor:
    return ops.sum_(_areas(x, pdf), -1)


def _before(areas: Tensor) -> Tensor:
    """The area left of each point."""
    return ops.concatenate([ops.zeros((*areas.shape[:-1], 1)), ops.cumsum(areas, -1)], -1)


def _place(value: Tensor, edges: Tensor) -> Tensor:
    """The number of the piece that a value is in."""
    inner = edges[..., 1:-1]
    return ops.sum_(ops.cast(ops.expand_dims(value, -1) >= inner, INT), -1)


def _slopes(x: Tensor, pdf: Tensor) -> Tensor:
    return (pdf[..., 1:] - pdf[..., :-1]) / (x[..., 1:] - x[..., :-1])


def _height(value: Tensor, k: Tensor, x: Tensor, pdf: Tensor) -> Tensor:
    return picked(pdf, k) + picked(_slopes(x, pdf), k) * (value - picked(x, k))


def logp(value: Tensor, x_points: Tensor, pdf_points: Tensor) -> Tensor:
    k = _place(value, x_points)
    height = ops.maximum(_height(value, k, x_points, pdf_points), 0.0)
    return ops.log(height / _total(x_points, pdf_points))


def logcdf(value: Tensor, x_points: Tensor, pdf_points: Tensor) -> Tensor:
    areas = _areas(x_points, pdf_points)
    inside = ops.clip(value, x_points[..., 0], x_points[..., -1])
    k = _place(inside, x_points)
    both = picked(pdf_points, k) + _height(inside, k, x_points, pdf_points)
    area = picked(_before(areas), k) + 0.5 * (inside - picked(x_points, k)) * both
    return ops.log(ops.minimum(area / ops.sum_(areas, -1), 1.0))


def icdf(q: Tensor, x_points: Tensor, pdf_points: Tensor) -> Tensor:
    areas = _areas(x_points, pdf_points)
    before = _before(areas)
    target = q * ops.sum_(areas, -1)
    k = _place(target, before)
    rest = target - picked(before, k)
    left, slope = picked(pdf_points, k), picked(_slopes(x_points, pdf_points), k)
    root = ops.sqrt(ops.maximum(left * left + 2.0 * slope * rest, 0.0))
    # The stable root of a quadratic: no division by a slope that may be 0.
    both = left + root
    step = ops.where(both > 0.0, 2.0 * rest / ops.where(both > 0.0, both, 1.0), 0.0)
    return picked(x_points, k) + step


def draw(shape: Any, x_points: Tensor, pdf_points: Tensor) -> Tensor:
    return icdf(ops.random.uniform(shape=shape), x_points, pdf_points)


def center(x_points: Tensor, pdf_points: Tensor) -> Tensor:
    # As PyMC: the trapezium rule for the mean.
    return _total(x_points, x_points * pdf_points) / _total(x_points, pdf_points)


def _moment(power: int, x: Tensor, pdf: Tensor) -> Tensor:
    # Simpson's rule is exact for the cubic pieces.
    low, high = x[..., :-1], x[..., 1:]
    inner = 2.0 * (0.5 * (low + high)) ** power * (pdf[..., 1:] + pdf[..., :-1])
    ends = high**power * pdf[..., 1:] + low**power * pdf[..., :-1]
    return ops.sum_((high - low) * (inner + ends), -1) / 6.0 / _total(x, pdf)


def mean(x_points: Tensor, pdf_points: Tensor) -> Tensor:
    return _moment(1, x_points, pdf_points)


def var(x_points: Tensor, pdf_points: Tensor) -> Tensor:
    return _moment(2, x_points, pdf_points) - ops.square(mean(x_points, pdf_points))


def event_shape(x_points: Shape, pdf_points: Shape) -> Shape:
    if not x_points or x_points[-1:] != pdf_points[-1:] or x_points[-1] < 2:
        raise ShapeError(
            f"x_points has shape {tuple(map(int, x_points))} and pdf_points "
            f"{tuple(map(int, pdf_points))}: expected two vectors of equal length, at least 2."
        )
    return ()


def _rising(x: Any) -> Any:
    return (x[..., 1:] > x[..., :-1]).all(-1)


def _some_mass(p: Any) -> Any:
    return (p >= 0.0).all(-1) & (p > 0.0).any(-1)


def _points(x_points: Any, pdf_points: Any) -> support.Support:
    return support.interval(x_points[..., 0], x_points[..., -1])


Interpolated = Distribution(
    "Interpolated",
    params={
        "x_points": Param(
            support.Support("real_vector", "numbers that increase", _rising, event_ndim=1), ndim=1
        ),
        "pdf_points": Param(
            support.Support("real_vector", "numbers >= 0, not all 0", _some_mass, event_ndim=1),
            ndim=1,
        ),
    },
    support=_points,
    density=logp,
    draw=draw,
    center=center,
    mean=mean,
    var=var,
    cdf=logcdf,
    quantile=icdf,
    event_shape=event_shape,
    scipy="twins.polygon(x_points, pdf_points)",
    samples=(
        {"x_points": [-1.0, 0.0, 0.5, 2.0], "pdf_points": [0.1, 2.0, 2.0, 0.2]},
        {"x_points": [0.0, 1.0, 4.0], "pdf_points": [0.5, 0.1, 3.0]},
    ),
    tol=1e-11,
)
