"""From a support to the reals and back: the only place where that map is chosen.

The maps, their names and their Jacobians are PyMC's, so that unconstrained values and log densities
of a model agree with PyMC's number by number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.dist.support import Support
from finetti.ir import Tensor, ops


def _same_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape


@dataclass(frozen=True, eq=False)
class Bijector:
    """A map between constrained and unconstrained values.

    Parameters
    ----------
    name : str
        The value variable of ``x`` is called ``x_{name}__``.
    forward, backward : callable
        From constrained values to unconstrained ones, and back.
    log_det : callable
        Logarithm of the absolute Jacobian determinant of `backward`, one number an event.
    event_ndim : int
        How many trailing axes are mapped together.
    unconstrained_shape : callable
        The shape of unconstrained values for a constrained shape.
    """

    name: str
    forward: Callable[[Any], Tensor]
    backward: Callable[[Any], Tensor]
    log_det: Callable[[Any], Tensor]
    event_ndim: int = 0
    unconstrained_shape: Callable[[tuple[int, ...]], tuple[int, ...]] = _same_shape

    def value_name(self, name: str) -> str:
        """The name of the unconstrained value of the variable called `name`."""
        return f"{name}_{self.name}__"


def _both_tails(u: Any) -> Tensor:
    # log(sigmoid(u)) + log(sigmoid(-u)), the derivative of sigmoid, without underflow.
    u = ops.as_tensor(u)
    return -(ops.softplus(-u) + ops.softplus(u))


log = Bijector("log", forward=ops.log, backward=ops.exp, log_det=ops.as_tensor)
logodds = Bijector("logodds", forward=ops.logit, backward=ops.sigmoid, log_det=_both_tails)
circular = Bijector(
    "circular",
    forward=ops.as_tensor,
    backward=lambda u: ops.arctan2(ops.sin(u), ops.cos(u)),
    log_det=ops.zeros_like,
)


def interval(lower: Any, upper: Any) -> Bijector:
    """The map of an interval; None (or an infinite number) leaves a side open."""
    lower, upper = _finite(lower, -np.inf), _finite(upper, np.inf)
    if lower is None and upper is None:
        return Bijector("interval", ops.as_tensor, ops.as_tensor, ops.zeros_like)
    if upper is None and not _partly_infinite(lower):
        return Bijector(
            "interval", lambda x: ops.log(x - lower), lambda u: lower + ops.exp(u), ops.as_tensor
        )
    if lower is None and not _partly_infinite(upper):
        return Bijector(
            "interval", lambda x: ops.log(upper - x), lambda u: upper - ops.exp(u), ops.as_tensor
        )
    if _partly_infinite(lower) or _partly_infinite(upper):
        return _elementwise_interval(lower, upper)
    width = upper - lower
    return Bijector(
        "interval",
        forward=lambda x: ops.log(x - lower) - ops.log(upper - x),
        backward=lambda u: lower + width * ops.sigmoid(u),
        log_det=lambda u: ops.log(width) + _both_tails(u),
    )


def _partly_infinite(bound: Tensor | None) -> bool:
    value = None if bound is None else ops.constant_value(bound)
    return value is not None and bool(np.isinf(value).any())


def _elementwise_interval(lower: Tensor | None, upper: Tensor | None) -> Bijector:
    """The map of intervals of which some have one bound or none."""
    low = ops.as_tensor(-np.inf if lower is None else lower)
    high = ops.as_tensor(np.inf if upper is None else upper)
    below, above = ops.isinf(low), ops.isinf(high)
    low, high = ops.where(below, 0.0, low), ops.where(above, 0.0, high)
    cases = (
        (below & above, interval(None, None)),
        (below, interval(None, high)),
        (above, interval(low, None)),
    )
    # Where a side is open the width does not count.
    bounded = interval(low, ops.where(below | above, low + 1.0, high))

    def chosen(part: str) -> Callable[[Any], Tensor]:
        def function(x: Any) -> Tensor:
            result = getattr(bounded, part)(x)
            for condition, case in reversed(cases):
                result = ops.where(condition, getattr(case, part)(x), result)
            return result

        return function

    return Bijector("interval", chosen("forward"), chosen("backward"), chosen("log_det"))


def _finite(bound: Any, infinity: float) -> Tensor | None:
    if bound is None:
        return None
    bound = ops.as_tensor(bound)
    value = ops.constant_value(bound)
    return None if value is not None and (value == infinity).all() else bound


# -- the simplex: centred log ratios without the last ---------------------------------------------


def _simplex_forward(x: Any) -> Tensor:
    logs = ops.log(x)
    return logs[..., :-1] - ops.mean(logs, -1, keepdims=True)


def _completed(u: Any) -> Tensor:
    # The n unconstrained numbers and the one that makes them sum to zero.
    u = ops.as_tensor(u)
    return ops.concatenate([u, -ops.sum_(u, -1, keepdims=True)], axis=-1)


def _simplex_log_det(u: Any) -> Tensor:
    full = _completed(u)
    n = full.shape[-1]
    # PyMC's log n + n sum(u) - n logsumexp([u + sum(u), 0]), where sum(u) cancels.
    return np.log(float(n)) - float(n) * ops.logsumexp(full, -1)


simplex = Bijector(
    "simplex",
    forward=_simplex_forward,
    backward=lambda u: ops.softmax(_completed(u)),
    log_det=_simplex_log_det,
    event_ndim=1,
    unconstrained_shape=lambda shape: (*shape[:-1], shape[-1] - 1),
)


# -- increasing numbers: the first, then logarithms of the steps ----------------------------------


def _ordered_backward(u: Any) -> Tensor:
    u = ops.as_tensor(u)
    return ops.cumsum(ops.concatenate([u[..., :1], ops.exp(u[..., 1:])], axis=-1), axis=-1)


def _ordered_forward(x: Any) -> Tensor:
    x = ops.as_tensor(x)
    return ops.concatenate([x[..., :1], ops.log(x[..., 1:] - x[..., :-1])], axis=-1)


def ordered(positive: bool = False, ascending: bool = True) -> Bijector:
    """The map of vectors whose elements increase (decrease when not `ascending`)."""

    def turned(x: Any) -> Tensor:
        x = ops.as_tensor(x)
        return x if ascending else ops.flip(x, -1)

    def forward(x: Any) -> Tensor:
        u = _ordered_forward(turned(x))
        return ops.concatenate([ops.log(u[..., :1]), u[..., 1:]], axis=-1) if positive else u

    def backward(u: Any) -> Tensor:
        x = ops.cumsum(ops.exp(u), axis=-1) if positive else _ordered_backward(u)
        return turned(x)

    def log_det(u: Any) -> Tensor:
        u = ops.as_tensor(u)
        return ops.sum_(u if positive else u[..., 1:], -1)

    return Bijector("ordered", forward, backward, log_det, event_ndim=1)


# Support kind -> its map; None: the values are unconstrained, or not continuous.
_BIJECTORS: dict[str, Callable[[Support], Bijector | None]] = {
    "real": lambda support: None,
    "real_vector": lambda support: None,
    "integers": lambda support: None,
    "boolean": lambda support: None,
    "count_vector": lambda support: None,
    "mixed": lambda support: None,
    "positive": lambda support: log,
    "nonnegative": lambda support: log,
    "unit_interval": lambda support: logodds,
    "interval": lambda support: interval(support.lower, support.upper),
    "simplex": lambda support: simplex,
    "circle": lambda support: circular,
}


def bijector_for(support: Support) -> Bijector | None:
    """The map that a variable with this support is sampled through; None when it needs none."""
    if support.bijector is not None:
        return support.bijector  # type: ignore[no-any-return]
    return _BIJECTORS[support.kind](support)
