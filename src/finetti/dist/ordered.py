"""Categories in an order, cut out of a logistic distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import categorical, support
from finetti.dist.base import Distribution, Param
from finetti.errors import ShapeError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def _edges(eta: Tensor, cutpoints: Tensor) -> tuple[Tensor, Tensor]:
    """Both edges of each category's interval, in the logistic distribution around 0."""
    z = cutpoints - ops.expand_dims(eta, -1)
    end = ops.full((*z.shape[:-1], 1), np.inf)
    return ops.concatenate([-end, z], -1), ops.concatenate([z, end], -1)


def log_between(low: Tensor, high: Tensor) -> Tensor:
    """log(sigmoid(high) - sigmoid(low)), accurate in both tails."""
    return ops.log1mexp(low - high) - ops.softplus(-high) - ops.softplus(low)


def logp(value: Tensor, eta: Tensor, cutpoints: Tensor) -> Tensor:
    if cutpoints.ndim > 1:
        return categorical.picked(log_between(*_edges(eta, cutpoints)), value)
    # The two edges of each value's own category only; how far they are apart is not eta's.
    end = ops.full((1,), np.inf)
    low, high = ops.concatenate([-end, cutpoints]), ops.concatenate([cutpoints, end])
    apart = categorical.picked(ops.log1mexp(low - high), value)
    low, high = (categorical.picked(edge, value) - eta for edge in (low, high))
    return apart - ops.softplus(-high) - ops.softplus(low)


def probabilities(eta: Any, cutpoints: Any) -> Tensor:
    """The probability of each category, in a new last axis."""
    return ops.exp(log_between(*_edges(ops.as_tensor(eta), ops.as_tensor(cutpoints))))


def draw(shape: Any, eta: Tensor, cutpoints: Tensor) -> Tensor:
    return categorical.draw(shape, probabilities(eta, cutpoints))


def logcdf(value: Tensor, eta: Tensor, cutpoints: Tensor) -> Tensor:
    _, high = _edges(eta, cutpoints)
    body = -ops.softplus(-categorical.picked(high, value))
    return ops.where(value < 0, -np.inf, body)


def event_shape(eta: Shape, cutpoints: Shape) -> Shape:
    if not cutpoints or not cutpoints[-1]:
        raise ShapeError(
            f"cutpoints has shape {tuple(map(int, cutpoints))}: expected at least one number, one "
            "fewer than there are categories, e.g. cutpoints=[-1, 0, 1]."
        )
    return ()


def _ascending(x: Any) -> Any:
    return (x[..., 1:] >= x[..., :-1]).all(-1)


_probabilities = "1 / (1 + np.exp(eta - np.append(cutpoints, np.inf)))"

OrderedLogistic = Distribution(
    "OrderedLogistic",
    params={
        "eta": Param(support.real),
        "cutpoints": Param(
            support.Support("real_vector", "numbers in ascending order", _ascending, event_ndim=1),
            ndim=1,
        ),
    },
    support=lambda eta, cutpoints: support.integers(0, cutpoints.shape[-1]),
    density=logp,
    draw=draw,
    center=lambda eta, cutpoints: categorical.most_likely(probabilities(eta, cutpoints)),
    mean=lambda eta, cutpoints: categorical.mean(probabilities(eta, cutpoints)),
    var=lambda eta, cutpoints: categorical.var(probabilities(eta, cutpoints)),
    cdf=logcdf,
    discrete=True,
    event_shape=event_shape,
    scipy="stats.rv_discrete(values=(np.arange(len(cutpoints) + 1), "
    f"np.diff({_probabilities}, prepend=0)))",
    samples=({"eta": 0.3, "cutpoints": [-1.0, 0.0, 2.0]}, {"eta": -2.0, "cutpoints": [1.0]}),
    tol=1e-10,
    notes={"quantile": "PyMC has none either"},
)
