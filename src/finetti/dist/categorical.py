"""The categorical distribution, by probabilities or by unnormalised log probabilities."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.errors import ShapeError
from finetti.ir import INT, Tensor, ops
from finetti.ir.types import Shape


def picked(table: Tensor, value: Tensor) -> Tensor:
    """``table[..., value]``, where leading axes of the table broadcast with those of the value."""
    value = value if value.node.type.dtype == INT else ops.cast(value, INT)
    inside = ops.clip(value, 0, table.shape[-1] - 1)
    batch = table.ndim - 1
    rows = [
        ops.reshape(ops.arange(length), (-1,) + (1,) * (batch - 1 - axis))
        for axis, length in enumerate(table.shape[:-1])
    ]
    return ops.getitem(table, (*rows, inside))


def logp(value: Tensor, p: Tensor) -> Tensor:
    # One logarithm a category, unless every value has probabilities of its own.
    return picked(ops.log(p), value) if p.ndim == 1 else ops.log(picked(p, value))


def draw(shape: Any, p: Tensor) -> Tensor:
    return ops.random.categorical(p, shape=shape)


def most_likely(p: Tensor) -> Tensor:
    """The first position of the largest element."""
    hit = ops.equal(p, ops.max_(p, -1, keepdims=True))
    return ops.sum_(ops.equal(ops.cumsum(ops.cast(hit, INT), axis=-1), 0), -1)


def mean(p: Tensor) -> Tensor:
    return ops.sum_(p * ops.arange(p.shape[-1]), -1)


def var(p: Tensor) -> Tensor:
    k = ops.arange(p.shape[-1])
    return ops.sum_(p * (k * k), -1) - ops.square(mean(p))


def logcdf(value: Tensor, p: Tensor) -> Tensor:
    body = ops.log(picked(ops.cumsum(p, axis=-1), value))
    last = p.shape[-1] - 1
    return ops.where(value < 0, -float("inf"), ops.where(value < last, body, 0.0))


def logit_logp(value: Tensor, logit_p: Tensor) -> Tensor:
    return picked(logit_p, value) - ops.logsumexp(logit_p, -1)


def _no_event(**shapes: Shape) -> Shape:
    ((name, shape),) = shapes.items()
    if not shape or not shape[-1]:
        raise ShapeError(
            f"{name} has shape {tuple(map(int, shape))}: expected its last axis to run over the "
            f"categories, e.g. {name}=[0.2, 0.3, 0.5]."
        )
    return ()


def _support(**params: Tensor) -> support.Support:
    (p,) = params.values()
    return support.integers(0, p.shape[-1] - 1)


_numbers = "stats.rv_discrete(values=(np.arange(len({0})), {0}))"

Logit = Distribution(
    "Categorical",
    key="Categorical(logit_p)",
    params={"logit_p": Param(support.real, ndim=1)},
    support=_support,
    density=logit_logp,
    draw=lambda shape, logit_p: draw(shape, ops.softmax(logit_p)),
    center=lambda logit_p: most_likely(logit_p),
    mean=lambda logit_p: mean(ops.softmax(logit_p)),
    var=lambda logit_p: var(ops.softmax(logit_p)),
    cdf=lambda value, logit_p: logcdf(value, ops.softmax(logit_p)),
    discrete=True,
    event_shape=_no_event,
    scipy=_numbers.format("special.softmax(logit_p)"),
    samples=({"logit_p": [0.3, -1.0, 2.0, 40.0]}, {"logit_p": [5.0, 5.0]}),
    notes={"quantile": "PyMC has none either"},
)

Categorical = Distribution(
    "Categorical",
    params={"p": Param(support.probabilities, ndim=1)},
    support=_support,
    density=logp,
    draw=draw,
    center=lambda p: most_likely(p),
    mean=mean,
    var=var,
    cdf=logcdf,
    discrete=True,
    event_shape=_no_event,
    alternatives=(
        Alternative(("logit_p",), ("p",), lambda logit_p: {"logit_p": logit_p}, record=Logit),
    ),
    scipy=_numbers.format("p"),
    samples=({"p": [0.2, 0.3, 0.5]}, {"p": [0.0, 0.25, 0.75]}),
    notes={"quantile": "PyMC has none either"},
)
