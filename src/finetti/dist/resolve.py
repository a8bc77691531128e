"""From the parameters a user gave to those that a distribution's functions take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finetti.dist.base import Alternative, Distribution, as_param, known
from finetti.errors import ParameterError, did_you_mean
from finetti.ir import Tensor, ops


def parameter_names(dist: Distribution) -> tuple[str, ...]:
    """Every name that a parameter of this distribution goes by."""
    names = dict.fromkeys(dist.params)
    for alternative in dist.alternatives:
        names.update(dict.fromkeys(alternative.names))
    return tuple(names)


def resolve(
    dist: Distribution, given: Mapping[str, Any], where: str = ""
) -> tuple[Distribution, dict[str, Any]]:
    """The record and its own parameters that mean what was given.

    Parameters
    ----------
    dist : Distribution
    given : mapping
        Parameters by name; None counts as not given.
    where : str, optional
        How error messages begin, e.g. "Normal 'x'".

    Raises
    ------
    ParameterError
        When a name is unknown, or when none or several parametrisations are given.
    """
    where = where or dist.name
    values = {name: value for name, value in given.items() if value is not None}
    valid = parameter_names(dist)
    for name in values:
        if name not in valid:
            raise ParameterError(
                f"{where}: unknown parameter {name}={values[name]!r}. {did_you_mean(name, valid)}"
            )
    chosen = _choose(dist, values, where)
    own = {name for name in dist.params if chosen is None or name not in chosen.replaces}
    params = _with_defaults(dist, {n: v for n, v in values.items() if n in own}, own, where)
    if chosen is None:
        return dist, params
    tensors = {name: _tensor(name, values[name], where) for name in chosen.names}
    converted = {name: _folded(x) for name, x in chosen.convert(**tensors).items()}
    return chosen.record or dist, {**params, **converted}


def _tensor(name: str, value: Any, where: str) -> Any:
    return value if isinstance(value, bool) else as_param(name, value, where)


def _folded(x: Any) -> Tensor:
    """A parameter made of numbers only is a number; data can change, so they stay."""
    x = ops.as_tensor(x)
    value = None if x.node.dynamic else known(x)
    return x if value is None else ops.as_tensor(value)


def _choose(dist: Distribution, values: Mapping[str, Any], where: str) -> Alternative | None:
    if not dist.alternatives:
        return None
    replaced = dist.alternatives[0].replaces
    options: dict[frozenset[str], Alternative | None] = {frozenset(replaced): None}
    options.update((frozenset(a.names), a) for a in dist.alternatives)
    every = frozenset().union(*options)
    came = frozenset(values) & every
    if came in options:
        return options[came]
    if not came and all(dist.params[name].default is not None for name in replaced):
        return None
    order = [name for name in parameter_names(dist) if name in came]
    sets = [replaced, *(a.names for a in dist.alternatives)]
    expected = " or ".join(f"({', '.join(names)})" for names in sets)
    got = f"got {', '.join(order)}" if order else "got none of its parameters"
    raise ParameterError(f"{where}: {got}; expected exactly one of the sets {expected}.")


def _with_defaults(
    dist: Distribution, values: dict[str, Any], own: set[str], where: str
) -> dict[str, Any]:
    for name in dist.params:
        if name in own and name not in values:
            default = dist.params[name].default
            if default is None:
                needed = ", ".join(n for n in dist.params if dist.params[n].default is None)
                raise ParameterError(f"{where}: parameter {name} is missing; it needs {needed}.")
            values[name] = default
    return values
