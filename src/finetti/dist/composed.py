"""Records that are made once the parameters of their components are tensors.

A component may be given in any parametrisation, repeated along axes, or with axes of its batch in
the event. `Composed` is a function of the parameters by name, and equal to its equals, so that what
is compiled for one serves the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from finetti.dist.base import Distribution, stretched
from finetti.dist.independent import independent_of
from finetti.dist.resolve import resolve
from finetti.ir import FLOAT, INT, Tensor, ops

Params = dict[str, Any]


def as_numbers(record: Distribution, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters as floats, but for those that are whole numbers by nature."""

    def number(name: str, x: Tensor) -> Tensor:
        whole = name in record.params and record.params[name].constraint.discrete
        return ops.cast(x, FLOAT) if x.node.type.dtype == INT and not whole else x

    return {name: number(name, ops.as_tensor(x)) for name, x in given.items()}


def made(
    record: Distribution | Composed, given: Mapping[str, Tensor]
) -> tuple[Distribution, Params]:
    """The record and its own parameters, of one or of what makes one."""
    if isinstance(record, Composed):
        return record(**given)
    return resolve(record, as_numbers(record, given))


@dataclass(frozen=True)
class Part:
    """A component.

    Parameters
    ----------
    prefix : str
        Before the names of its parameters.
    record : Distribution or Composed
        It.
    names : tuple of str
        The parameters that are given.
    batch : tuple of int, optional
        The shape of its batch, where that is larger than its parameters say.
    axes : int
        How many axes of that batch belong to the event.
    """

    prefix: str
    record: Distribution | Composed
    names: tuple[str, ...]
    batch: tuple[int, ...] | None = None
    axes: int = 0

    def made(self, tensors: Mapping[str, Tensor]) -> tuple[Distribution, Params]:
        """The record and its own parameters, without the prefix."""
        record, own = made(self.record, {n: tensors[self.prefix + n] for n in self.names})
        own = {name: ops.as_tensor(x) for name, x in own.items()}
        if self.batch is not None:
            own = stretched(record, own, self.batch)
        return independent_of(record, self.axes), own


@dataclass(frozen=True)
class Composed:
    """A record made of others.

    Parameters
    ----------
    make : callable
        ``make(*records, *static) -> Distribution``.
    parts : tuple of Part
        The components, in the order of `make`.
    static : tuple
        Further arguments of `make`.
    convert : callable, optional
        From the other parameters as given to the record's own.
    """

    make: Callable[..., Distribution]
    parts: tuple[Part, ...]
    static: tuple[Any, ...] = ()
    convert: Callable[..., Params] | None = None

    def __call__(self, **tensors: Any) -> tuple[Distribution, Params]:
        """The record and its own parameters."""
        inner = {part.prefix + name for part in self.parts for name in part.names}
        own = {name: x for name, x in tensors.items() if name not in inner}
        own = self.convert(**own) if self.convert else own
        records = []
        for part in self.parts:
            record, params = part.made(tensors)
            records.append(record)
            own |= {part.prefix + name: x for name, x in params.items()}
        return self.make(*records, *self.static), own
