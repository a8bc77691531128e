"""Mixtures: a value of one of several distributions, chosen by weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param, rv_params
from finetti.dist.compose import Component, take_apart
from finetti.dist.normal import PRECISION, Normal
from finetti.errors import ParameterError, ShapeError, warn
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape

Parts = tuple[Component, ...]


def _inner(parts: Parts, params: dict[str, Tensor]) -> list[tuple[Distribution, dict[str, Tensor]]]:
    return [(part.record, part.of(params)) for part in parts]


def _weights(params: dict[str, Tensor], events: int) -> Tensor:
    """The weights with an axis for each one of an event."""
    w = params["w"]
    return ops.reshape(w, (*w.shape, *(1,) * events)) if events else w


def _each(parts: Parts, function: Callable[..., Tensor], value: Any, params: Any) -> Tensor:
    """Something of every component for each value, in a new last axis."""
    if len(parts) == 1:  # a vector of components
        axis = -1 - parts[0].record.event_ndim
        ((record, own),) = _inner(parts, params)
        return function(record, ops.expand_dims(value, axis), own)
    terms = [function(record, value, own) for record, own in _inner(parts, params)]
    shape = np.broadcast_shapes(*(term.node.shape for term in terms))
    return ops.stack([ops.broadcast_to(term, shape) for term in terms], -1)


def _logp(parts: Parts) -> Callable[..., Tensor]:
    def logp(value: Tensor, **params: Tensor) -> Tensor:
        terms = _each(parts, lambda dist, x, own: dist.logp(x, **own), value, params)
        return ops.logsumexp(ops.log(params["w"]) + terms, -1)

    return logp


def _logcdf(parts: Parts) -> Callable[..., Tensor]:
    def logcdf(value: Tensor, **params: Tensor) -> Tensor:
        terms = _each(parts, lambda dist, x, own: dist.logcdf(x, **own), value, params)
        return ops.logsumexp(ops.log(params["w"]) + terms, -1)

    return logcdf


def _draw(parts: Parts) -> Callable[..., Tensor]:
    events = parts[0].record.event_ndim

    def draw(shape: Any, **params: Tensor) -> Tensor:
        batch, event = tuple(shape[: len(shape) - events]), tuple(shape[len(shape) - events :])
        which = ops.random.categorical(params["w"], shape=batch)
        inner = _inner(parts, params)
        if len(parts) == 1:
            (record, own), many = inner[0], params["w"].shape[-1]
            all_ = record.draw((*batch, many, *event), **own)
            place = ops.reshape(which, (*batch, *(1,) * (events + 1)))
            picked = ops.take_along(
                all_, ops.broadcast_to(place, (*batch, 1, *event)), axis=len(batch)
            )
            return ops.squeeze(picked, len(batch))
        which = ops.reshape(which, (*batch, *(1,) * events))
        record, own = inner[-1]
        value = record.draw(shape, **own)
        for k, (record, own) in enumerate(inner[:-1]):
            value = ops.where(ops.equal(which, k), record.draw(shape, **own), value)
        return value

    return draw


def _column(parts: Parts, column: str, params: dict[str, Tensor]) -> Tensor:
    """A column of every component, in a new axis before the event."""
    events = parts[0].record.event_ndim
    terms = [ops.as_tensor(getattr(dist, column)(**own)) for dist, own in _inner(parts, params)]
    if len(parts) == 1:
        return terms[0]
    shape = np.broadcast_shapes(*(term.node.shape for term in terms))
    return ops.stack([ops.broadcast_to(term, shape) for term in terms], -1 - events)


def _mean(parts: Parts, column: str = "mean") -> Callable[..., Tensor]:
    events = parts[0].record.event_ndim

    def mean(**params: Tensor) -> Tensor:
        terms = _weights(params, events) * _column(parts, column, params)
        return ops.sum_(terms, -1 - events)

    return mean


def _var(parts: Parts) -> Callable[..., Tensor]:
    events = parts[0].record.event_ndim
    mean = _mean(parts)

    def var(**params: Tensor) -> Tensor:
        squares = ops.square(_column(parts, "mean", params)) + _column(parts, "var", params)
        total = ops.sum_(_weights(params, events) * squares, -1 - events)
        return total - ops.square(mean(**params))

    return var


def _center(parts: Parts) -> Callable[..., Tensor]:
    mean = _mean(parts, "center")
    if parts[0].record.discrete:
        return lambda **params: ops.round_(mean(**params))
    return mean


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return isinstance(a, Tensor) and isinstance(b, Tensor) and a.node is b.node
    return bool(np.array_equal(a, b))


def _support(parts: Parts) -> Callable[..., support.Support]:
    def of(**params: Any) -> support.Support:
        members = [part.record.support(**part.of(params)) for part in parts]
        first = members[0]
        if len(parts) == 1 and first.kind in ("interval", "integers"):
            return _any_of(members, first.discrete)
        alike = all(
            m.kind == first.kind and _same(m.lower, first.lower) and _same(m.upper, first.upper)
            for m in members
        )
        return first if alike else _any_of(members, first.discrete)

    return of


def _any_of(members: Sequence[support.Support], discrete: bool) -> support.Support:
    """What lies in one of several supports; the components' densities test which."""
    kinds = {member.kind for member in members}
    if kinds <= {"positive", "nonnegative"}:
        return support.nonnegative
    words = " or ".join(dict.fromkeys(member.words for member in members))
    return support.Support("mixed", words, event_ndim=members[0].event_ndim, discrete=discrete)


def _event_shape(parts: Parts) -> Callable[..., Shape]:
    def event_shape(**shapes: Shape) -> Shape:
        w = shapes["w"]
        if not w or (len(parts) > 1 and w[-1] not in (1, len(parts))):
            many = f"{len(parts)} components" if len(parts) > 1 else "the components"
            raise ShapeError(
                f"w has shape {tuple(map(int, w))}: expected its last axis to run over {many}, "
                "e.g. w=[0.3, 0.7]."
            )
        events = {part.event_shape(shapes) for part in parts}
        if len(events) > 1:
            raise ShapeError(f"the components' values have different shapes: {sorted(events)}")
        return events.pop()

    return event_shape


def columns(parts: Parts) -> dict[str, Any]:
    """The columns of a mixture's record."""
    record = parts[0].record
    params = {"w": Param(support.probabilities, ndim=1)}
    for part in parts:
        params.update(part.declared())
    without = [part.record.name for part in parts if part.record.cdf is None]
    notes = {"quantile": "PyMC has none either"}
    if without:
        notes["cdf"] = f"{without[0]} has none"
    return dict(
        params=params, support=_support(parts), density=_logp(parts), draw=_draw(parts),
        center=_center(parts), mean=_mean(parts), var=_var(parts),
        cdf=None if without else _logcdf(parts), discrete=record.discrete,
        event_ndim=record.event_ndim, event_shape=_event_shape(parts), notes=notes,
    )  # fmt: skip


@cache
def mixture_of(*records: Distribution) -> Distribution:
    """The record of a mixture; of a vector of components when there is one record."""
    single = len(records) == 1
    parts = tuple(
        Component(record, f"component{k}_", int(single)) for k, record in enumerate(records)
    )
    key = f"Mixture({', '.join(record.key for record in records)})"
    return Distribution(
        "Mixture",
        key=key,
        made_by=(mixture_of, *records),
        scipy="",
        samples=(),
        **columns(parts),
    )


def mixture(w: Any, comp_dists: Any, where: str) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a mixture of variables made by `.dist(...)`.

    Raises
    ------
    ParameterError
        When components are not distributions, or differ in kind.
    """
    several = comp_dists if isinstance(comp_dists, (list, tuple)) else [comp_dists]
    if not several:
        raise ParameterError(f"{where}: comp_dists is empty: give distributions, made by `.dist`.")
    if len(several) == 1 and comp_dists is not several[0]:
        warn(
            f"{where}: a single component is a mixture over its last axis. Leave the list out to "
            "say so.",
        )
    pairs = [take_apart(x, where, "comp_dists") for x in several]
    if len({(record.discrete, record.event_ndim) for record, _ in pairs}) > 1:
        kinds = ", ".join(record.name for record, _ in pairs)
        raise ParameterError(
            f"{where}: the components {kinds} cannot be mixed: all must be discrete or all "
            "continuous, and all have values with the same number of axes."
        )
    record = mixture_of(*(record for record, _ in pairs))
    params: dict[str, Any] = {"w": w}
    for k, (_, own) in enumerate(pairs):
        params |= {f"component{k}_{name}": x for name, x in own.items()}
    return record, params


def warn_without_map(rv: Tensor, where: str) -> None:
    """Say that a mixture which is sampled has no map to the real line."""
    record, params = rv_params(rv)
    if record.support(**params).kind == "mixed" and not record.discrete:
        warn(
            f"{where}: its components have different supports, so that no map to the real line is "
            "safe for all. Choose one with transform=.",
        )


NormalMixture = Distribution(
    "NormalMixture",
    alternatives=(PRECISION,),
    scipy="twins.mixture(w, [stats.norm(*row) for row in np.broadcast(mu, sigma)])",
    samples=(
        {"w": [0.1, 0.2, 0.7], "mu": [-2.0, 0.0, 1.0], "sigma": [0.3, 1.0, 2.0]},
        {"w": [0.5, 0.5], "mu": [0.0, 3.0], "sigma": 1.0},
    ),
    tol=1e-11,
    **columns((Component(Normal, "", 1),)),
)
