"""Distributions as components of others."""

from __future__ import annotations

from typing import Any

from finetti.dialects.numpyro.distributions.base import Distribution
from finetti.dist.composed import Composed, Part
from finetti.errors import NotYetSupported


def component(d: Distribution, prefix: str, where: str) -> tuple[Part, dict[str, Any]]:
    """A distribution as a component, and its parameters under the prefix.

    Raises
    ------
    NotYetSupported
        For one that is no record: of the user's own, masked, or made by transforms.
    """
    lowered = d._lower()
    if lowered is None or lowered.mask is not None:
        what = "is masked" if lowered is not None else "has no record"
        raise NotYetSupported(
            f"{where}: its component {type(d).__name__} {what}. Expected distributions of "
            "`numpyro.distributions`, as they are or expanded or with `.to_event`."
        )
    part = Part(
        prefix,
        lowered.record,
        tuple(lowered.params),
        lowered.expand_shape,
        lowered.event_dims_reinterpreted,
    )
    return part, {prefix + name: x for name, x in lowered.params.items()}


def composed(
    make: Any,
    parts: list[tuple[Part, dict[str, Any]]],
    own: dict[str, Any],
    static: tuple[Any, ...] = (),
    convert: Any = None,
) -> tuple[Composed, dict[str, Any]]:
    """What makes a record of components, and all parameters."""
    params = dict(own)
    for _, inner in parts:
        params |= inner
    return Composed(make, tuple(part for part, _ in parts), static, convert), params
