"""Distributions made of others: what mixtures, walks and covariances share.

A component is a record and its parameters. Its parameters are the composed distribution's own,
under a prefix; `Component` finds them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from finetti.dist.base import Distribution, Param, rv, stretched_params
from finetti.errors import NotYetSupported, ParameterError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


@dataclass(frozen=True)
class Component:
    """A distribution inside of another one.

    Parameters
    ----------
    record : Distribution
        It.
    prefix : str
        Before the names of its parameters.
    axes : int
        How many axes of its batch belong to the composed distribution's event.
    """

    record: Distribution
    prefix: str
    axes: int = 0

    def declared(self) -> dict[str, Param]:
        """The composed distribution's parameters for it."""
        return {
            self.prefix + name: Param(param.constraint, param.default, param.ndim + self.axes)
            for name, param in self.record.params.items()
        }

    def of(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Its own parameters (or their shapes) among the composed distribution's."""
        return {name: params[self.prefix + name] for name in self.record.params}

    def named(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Its own parameters under the composed distribution's names."""
        return {self.prefix + name: x for name, x in params.items()}

    def with_axis(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Its parameters with one more axis at the end of the batch, unless they are scalars."""
        own = self.of(params)
        for name, x in own.items():
            core = self.record.params[name].ndim
            if x.ndim > core:
                own[name] = ops.expand_dims(x, -1 - core)
        return own

    def event_shape(self, shapes: Mapping[str, Shape]) -> Shape:
        """The shape of one value of it."""
        return self.record.event_shape(**self.of(shapes))


def take_apart(x: Any, where: str, what: str) -> tuple[Distribution, dict[str, Tensor]]:
    """The record and parameters of a variable made by `.dist(...)`.

    Raises
    ------
    ParameterError
        For anything else, and for a variable that belongs to a model.
    """
    if not isinstance(x, Tensor) or x.node.op is not rv:
        raise ParameterError(
            f"{where}: {what}={x!r}: expected a distribution without a name, e.g. "
            "`pm.Normal.dist(0, 1)`."
        )
    if x.name is not None:
        raise ParameterError(
            f"{where}: {what} is the model's variable {x.name!r}: expected a distribution of its "
            f"own. Write `pm.{x.node.attrs[0].name}.dist(...)` with the same parameters."
        )
    return stretched_params(x)


def undefined(name: str) -> Any:
    """A column of a record that has no formula."""

    def refuse(*args: Any, **params: Any) -> Any:
        raise NotYetSupported(f"the moments of {name} are not written yet: draw values instead")

    return refuse
