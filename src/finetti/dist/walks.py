"""Series in time: random walks and autoregressive processes.

The parameter `time` has one element for each moment; only its length counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import normal, support
from finetti.dist.base import Distribution, Param
from finetti.dist.compose import Component, take_apart, undefined
from finetti.errors import ParameterError, ShapeError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape

_NOTES = {"cdf": "PyMC has none either", "quantile": "not defined for vectors"}
_TIME = Param(support.real, ndim=1)


def _moments(time: Tensor) -> int:
    return time.shape[-1]


# -- random walks --------------------------------------------------------------------------------


def _joined(first: Tensor, steps: Tensor) -> Tensor:
    """The running sum of a first number and steps along the last axis."""
    return ops.cumsum(ops.concatenate([ops.expand_dims(first, -1), steps], -1), -1)


def _walk_column(init: Component, step: Component, column: str) -> Callable[..., Tensor]:
    """A column that adds up along the walk."""

    def function(time: Tensor, **params: Tensor) -> Tensor:
        first = ops.as_tensor(getattr(init.record, column)(**init.of(params)))
        each = ops.as_tensor(getattr(step.record, column)(**step.of(params)))
        each = ops.expand_dims(each, -1)
        batch = ops.add(ops.expand_dims(first, -1), each).shape[:-1]
        steps = ops.broadcast_to(each, (*batch, _moments(time) - 1))
        return _joined(ops.broadcast_to(first, batch), steps)

    return function


def _walk_logp(init: Component, step: Component) -> Callable[..., Tensor]:
    def logp(value: Tensor, time: Tensor, **params: Tensor) -> Tensor:
        first = init.record.logp(value[..., 0], **init.of(params))
        change = value[..., 1:] - value[..., :-1]
        return first + ops.sum_(step.record.logp(change, **step.with_axis(params)), -1)

    return logp


def _walk_draw(init: Component, step: Component) -> Callable[..., Tensor]:
    def draw(shape: Any, time: Tensor, **params: Tensor) -> Tensor:
        batch = tuple(shape[:-1])
        steps = step.record.draw((*batch, shape[-1] - 1), **step.with_axis(params))
        return _joined(init.record.draw(batch, **init.of(params)), steps)

    return draw


def _length(time: Shape, **shapes: Shape) -> Shape:
    return time[-1:]


@cache
def walk_of(init: Distribution, step: Distribution) -> Distribution:
    """The record of a walk that begins with `init` and moves by `step`."""
    first, each = Component(init, "init_"), Component(step, "")
    return Distribution(
        "GaussianRandomWalk" if step is normal.Normal else "RandomWalk",
        key=f"RandomWalk({init.key}, {step.key})",
        params={"time": _TIME, **first.declared(), **each.declared()},
        support=lambda **params: support.real_vector,
        density=_walk_logp(first, each),
        draw=_walk_draw(first, each),
        center=_walk_column(first, each, "center"),
        mean=_walk_column(first, each, "mean"),
        var=_walk_column(first, each, "var"),
        event_ndim=1,
        event_shape=_length,
        scipy="",
        samples=(),
        notes=_NOTES,
        made_by=(walk_of, init, step),
    )


def _scalar(x: Any, where: str, what: str) -> tuple[Distribution, dict[str, Tensor]]:
    record, params = take_apart(x, where, what)
    if record.discrete or record.event_ndim:
        raise ParameterError(
            f"{where}: {what} is {record.name}: expected a distribution of real numbers, e.g. "
            "`pm.Normal.dist(0, 1)`."
        )
    return record, params


def random_walk(
    init_dist: Any, innovation_dist: Any, length: int, where: str
) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a walk through `length` moments."""
    init, first = _scalar(init_dist, where, "init_dist")
    step, each = _scalar(innovation_dist, where, "innovation_dist")
    return walk_of(init, step), {
        "time": ops.zeros((length,)),
        **{f"init_{name}": x for name, x in first.items()},
        **each,
    }


def _steps_var(sigma: Tensor, time: Tensor) -> Tensor:
    return ops.expand_dims(sigma * sigma, -1) * np.arange(1.0, _moments(time) + 1.0)


def _steps_logp(value: Tensor, sigma: Tensor, time: Tensor) -> Tensor:
    zero = ops.zeros((*value.shape[:-1], 1))
    change = value - ops.concatenate([zero, value[..., :-1]], -1)
    each = normal.logp(change, ops.as_tensor(0.0), ops.expand_dims(sigma, -1))
    return ops.sum_(each, -1)


# A walk from 0, whose first number is its first step.
StepsFromZero = Distribution(
    "GaussianRandomWalk",
    key="GaussianRandomWalk(from 0)",
    params={"sigma": Param(support.positive, 1.0), "time": _TIME},
    support=lambda sigma, time: support.real_vector,
    density=_steps_logp,
    draw=lambda shape, sigma, time: ops.cumsum(
        ops.expand_dims(sigma, -1) * ops.random.standard_normal(shape=shape), -1
    ),
    center=lambda sigma, time: ops.zeros(time.shape),
    mean=lambda sigma, time: ops.zeros(time.shape),
    var=_steps_var,
    event_ndim=1,
    event_shape=_length,
    scipy="stats.multivariate_normal(np.zeros(3), "
    "sigma**2 * np.minimum.outer(np.arange(1, 4), np.arange(1, 4)))",
    samples=({"sigma": 0.7, "time": [0.0, 0.0, 0.0]},),
    notes=_NOTES,
)


# -- autoregressive processes --------------------------------------------------------------------


def _expected(value: Tensor, rho: Tensor, order: int, constant: bool) -> Tensor:
    """What each number after the first ones is expected to be."""
    end = value.shape[-1]
    total: Any = rho[..., :1] if constant else 0.0
    for lag in range(1, order + 1):
        weight = rho[..., lag - 1 + constant]
        total = total + ops.expand_dims(weight, -1) * value[..., order - lag : end - lag]
    return total  # type: ignore[no-any-return]


def _ar_logp(order: int, constant: bool, init: Component) -> Callable[..., Tensor]:
    def logp(value: Tensor, rho: Tensor, sigma: Tensor, time: Tensor, **params: Tensor) -> Tensor:
        begin = init.record.logp(value[..., :order], **init.of(params))
        begin = begin if init.record.event_ndim else ops.sum_(begin, -1)
        expected = _expected(value, rho, order, constant)
        scale = ops.expand_dims(sigma, -1)
        return begin + ops.sum_(normal.logp(value[..., order:], expected, scale), -1)

    return logp


def _ar_draw(order: int, constant: bool, init: Component) -> Callable[..., Tensor]:
    def draw(shape: Any, rho: Tensor, sigma: Tensor, time: Tensor, **params: Tensor) -> Tensor:
        batch, many = tuple(shape[:-1]), int(shape[-1])
        begin = init.record.draw((*batch, order), **init.of(params))
        values = [begin[..., k] for k in range(order)]
        noise = ops.random.standard_normal(shape=(*batch, many - order))
        for k in range(many - order):
            new = sigma * noise[..., k]
            if constant:
                new = new + rho[..., 0]
            for lag in range(1, order + 1):
                new = new + rho[..., lag - 1 + constant] * values[-lag]
            values.append(new)
        return ops.stack(values, -1)

    return draw


def _ar_center(init: Component) -> Callable[..., Tensor]:
    # As PyMC: the last of the first numbers, for all moments.
    def center(time: Tensor, **params: Tensor) -> Tensor:
        first = ops.as_tensor(init.record.center(**init.of(params)))
        last = first[..., -1:] if first.ndim else first
        return last + ops.zeros((_moments(time),))

    return center


@cache
def ar_of(order: int, constant: bool, init: Distribution) -> Distribution:
    """The record of an autoregressive process whose first numbers follow `init`."""
    first = Component(init, "init_", 0 if init.event_ndim else 1)

    def event_shape(rho: Shape, time: Shape, **shapes: Shape) -> Shape:
        if rho[-1] != order + constant:
            raise ShapeError(
                f"rho has {int(rho[-1])} numbers in its last axis: expected {order + constant} for "
                f"order {order}" + (" and the constant." if constant else ".")
            )
        return time[-1:]

    return Distribution(
        "AR",
        key=f"AR({order}, {constant}, {init.key})",
        params={
            "rho": Param(support.real, ndim=1),
            "sigma": Param(support.positive, 1.0),
            "time": _TIME,
            **first.declared(),
        },
        support=lambda **params: support.real_vector,
        density=_ar_logp(order, constant, first),
        draw=_ar_draw(order, constant, first),
        center=lambda rho, sigma, **params: _ar_center(first)(**params),
        mean=undefined("AR"),
        var=undefined("AR"),
        event_ndim=1,
        event_shape=event_shape,
        scipy="",
        samples=(),
        notes=_NOTES,
        made_by=(ar_of, order, constant, init),
    )


def autoregressive(
    rho: Tensor, init_dist: Any, order: int, constant: bool, where: str
) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters but for `sigma` and `time`."""
    init, params = take_apart(init_dist, where, "init_dist")
    if init.discrete or init.event_ndim > 1:
        raise ParameterError(
            f"{where}: init_dist is {init.name}: expected a distribution of real numbers or of "
            "vectors of them."
        )
    own = {f"init_{name}": x for name, x in params.items()}
    return ar_of(order, constant, init), {"rho": rho, **own}
