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
logodds = Bijector(
    "logodds", forward=ops.logit, backward=ops.sigmoid, log_det=_both_tails
)


def interval(lower: Any, upper: Any) -> Bijector:
    """The map of an interval; None (or an infinite number) leaves a side open."""
    lower, upper = _finite(lower, -np.inf), _finite(upper, np.inf)
    if lower is None and upper is None:
        return Bijector("interval", ops.as_tensor, ops.as_tensor, ops.zeros_like)
    if upper is None:
        return Bijector(
            "interval", lambda x: ops.log(x - lower), lambda u: lower + ops.exp(u), ops.as_tensor
        )
    if lower is None:
        return Bijector(
            "interval", lambda x: ops.log(upper - x), lambda u: upper - ops.exp(u), ops.as_tensor
        )
    width = upper - lower
    return Bijector(
        "interval",
        forward=lambda x: ops.log(x - lower) - ops.log(upper - x),
        backward=lambda u: lower + width * ops.sigmoid(u),
        log_det=lambda u: ops.log(width) + _both_tails(u),
    )


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

# Support kind -> its map; None: the values are unconstrained, or not continuous.
_BIJECTORS: dict[str, Callable[[Support], Bijector | None]] = {
    "real": lambda support: None,
    "real_vector": lambda support: None,
    "integers": lambda support: None,
    "boolean": lambda support: None,
    "positive": lambda support: log,
    "nonnegative": lambda support: log,
    "unit_interval": lambda support: logodds,
    "interval": lambda support: interval(support.lower, support.upper),
    "simplex": lambda support: simplex,
}


def bijector_for(support: Support) -> Bijector | None:
    """The map that a variable with this support is sampled through; None when it needs none."""
    return _BIJECTORS[support.kind](support)
