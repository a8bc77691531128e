"""Numbers with more zeros than another distribution has: inflated, or behind a hurdle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.compose import Component
from finetti.errors import NotYetSupported
from finetti.ir import INT, Tensor, ops


def _gate(params: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The logarithm of the probability of a zero, that of the rest, and the probability."""
    if "gate" in params:
        gate = params["gate"]
        return ops.log(gate), ops.log1p(-gate), gate
    logit = params["gate_logits"]
    return -ops.softplus(-logit), -ops.softplus(logit), ops.sigmoid(logit)


def _declared(logits: bool, base: Component) -> dict[str, Param]:
    own = Param(support.real) if logits else Param(support.unit_interval)
    return {"gate_logits" if logits else "gate": own, **base.declared()}


@cache
def inflated_of(record: Distribution, logits: bool) -> Distribution:
    """The record of 0 with probability `gate`, else of a count."""
    base = Component(record, "base_")

    def density(value: Tensor, **params: Tensor) -> Tensor:
        zero, rest, _ = _gate(params)
        counted = rest + record.logp(value, **base.of(params))
        return ops.where(ops.equal(value, 0), ops.logaddexp(zero, counted), counted)

    def draw(shape: Any, **params: Tensor) -> Tensor:
        counted = ops.random.uniform(shape=shape) >= _gate(params)[2]
        return ops.cast(counted, INT) * record.draw(shape, **base.of(params))

    def mean(**params: Tensor) -> Tensor:
        return (1.0 - _gate(params)[2]) * record.mean(**base.of(params))

    def var(**params: Tensor) -> Tensor:
        own, share = base.of(params), 1.0 - _gate(params)[2]
        first = record.mean(**own)
        return share * (first * first + record.var(**own)) - ops.square(share * first)

    return Distribution(
        f"ZeroInflated{record.name}",
        key=f"ZeroInflated({record.key}, {logits})",
        params=_declared(logits, base),
        support=lambda **params: record.support(**base.of(params)),
        density=density,
        draw=draw,
        center=lambda **params: record.center(**base.of(params)),
        mean=mean,
        var=var,
        discrete=True,
        scipy="",
        samples=(),
        made_by=(inflated_of, record, logits),
    )


def _with_zero(inner: support.Support) -> support.Support:
    if inner.kind in ("positive", "nonnegative"):
        return replace(support.nonnegative, kind="mixed", words="numbers >= 0")
    return inner


@cache
def hurdle_of(record: Distribution, logits: bool) -> Distribution:
    """The record of 0 with probability `gate`, else of a number that is not 0."""
    base = Component(record, "base_")

    def rest(params: Mapping[str, Tensor]) -> Tensor:
        """The probability that the number itself is not 0, as a logarithm."""
        if not record.discrete:
            return ops.as_tensor(0.0)
        return ops.log1mexp(record.logp(0, **base.of(params)))

    def density(value: Tensor, **params: Tensor) -> Tensor:
        zero, over, _ = _gate(params)
        at_zero = ops.equal(value, 0)
        inner = record.logp(ops.where(at_zero, 1, value), **base.of(params))
        return ops.where(at_zero, zero, over + inner - rest(params))

    def draw(shape: Any, **params: Tensor) -> Tensor:
        if record.discrete:
            raise NotYetSupported(
                f"draws of {record.name} behind a hurdle are not written for graphs: zeros have to "
                "be drawn again until none is left"
            )
        over = ops.cast(ops.random.uniform(shape=shape) >= _gate(params)[2], "float64")
        return over * record.draw(shape, **base.of(params))

    def mean(**params: Tensor) -> Tensor:
        share = (1.0 - _gate(params)[2]) * ops.exp(-rest(params))
        return share * record.mean(**base.of(params))

    def var(**params: Tensor) -> Tensor:
        own = base.of(params)
        share = (1.0 - _gate(params)[2]) * ops.exp(-rest(params))
        square = ops.square(record.mean(**own)) + record.var(**own)
        return share * square - ops.square(mean(**params))

    return Distribution(
        f"Hurdle{record.name}",
        key=f"Hurdle({record.key}, {logits})",
        params=_declared(logits, base),
        support=lambda **params: _with_zero(record.support(**base.of(params))),
        density=density,
        draw=draw,
        center=lambda **params: record.center(**base.of(params)),
        mean=mean,
        var=var,
        discrete=record.discrete,
        scipy="",
        samples=(),
        made_by=(hurdle_of, record, logits),
    )
