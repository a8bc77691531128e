"""Distributions whose log density is a function of the user's.

The function is called once, with a symbol for the value. What it takes from around it, other
variables and data, becomes parameters of the record: a density must be a function of what it is
given, or the graph could not be rewritten.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.errors import FinettiError, NotYetSupported, ParameterError
from finetti.ir import FLOAT, INT, Node, Tensor, ops, rebuild, topological
from finetti.ir.ops.leaf import const, new_input

_serial = itertools.count()
_NOTES = {"cdf": "none was given", "quantile": "none was given"}


@dataclass(frozen=True, eq=False)
class Traced:
    """A user's log density as a graph.

    Parameters
    ----------
    value : Node
        The symbol for the value.
    params : tuple of Node
        The symbols for the parameters that were passed, then what the function took from around it.
    result : Node
        The log density, one number for each value; `event_ndim` axes make up one value.
    event_ndim : int
        See above.
    """

    value: Node
    params: tuple[Node, ...]
    result: Node
    event_ndim: int

    def at(self, value: Tensor, params: Sequence[Tensor]) -> Tensor:
        """The log density for other tensors."""
        replaced = dict(zip(self.params, (x.node for x in params), strict=True))
        replaced[self.value] = value.node
        return Tensor(rebuild([self.result], replaced)[0])


def trace(
    logp: Callable[..., Any],
    shape: tuple[int, ...],
    dtype: str,
    params: Mapping[str, Tensor] | Sequence[Tensor],
    owner: str,
) -> tuple[Traced, list[Tensor]]:
    """Call a log density with symbols.

    Parameters
    ----------
    logp : callable
        ``logp(value, *params)``, or ``logp(value, **params)`` for a mapping.
    shape, dtype
        Of the value.
    params : mapping or sequence of Tensor
        What it is called with.
    owner : str
        Who asks, for messages.

    Returns
    -------
    Traced
    list of Tensor
        The parameters, then what the function took from around it.
    """
    serial = next(_serial)  # equal symbols are one node, and a density may call another one
    value = new_input(f"value_{serial}", tuple(map(int, shape)), dtype)
    given = list(params.values()) if isinstance(params, Mapping) else list(params)
    symbols = [
        new_input(f"param_{serial}_{k}", tuple(map(int, x.node.shape)), x.node.type.dtype)
        for k, x in enumerate(given)
    ]
    try:
        if isinstance(params, Mapping):
            result = logp(value, **dict(zip(params, symbols, strict=True)))
        else:
            result = logp(value, *symbols)
    except FinettiError as error:
        raise type(error)(f"{owner}: its logp failed: {error}") from error
    tensor = _checked(result, owner)
    events = value.ndim - tensor.ndim
    lengths = tuple(map(int, tensor.node.shape))
    if events < 0 or lengths != tuple(map(int, value.node.shape))[: tensor.ndim]:
        tensor, events = ops.sum_(tensor), value.ndim
    own = {value.node, *(symbol.node for symbol in symbols)}
    taken = _taken(tensor.node, own)
    nodes = (*(symbol.node for symbol in symbols), *taken)
    return Traced(value.node, nodes, tensor.node, events), [*given, *map(Tensor, taken)]


def _checked(result: Any, owner: str) -> Tensor:
    try:
        tensor = ops.as_tensor(result)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"{owner}: its logp returned {result!r}: expected a tensor, made with `pm.math` or "
            "NumPy's functions."
        ) from error
    return tensor if tensor.node.type.dtype == FLOAT else ops.cast(tensor, FLOAT)


def _taken(result: Node, own: set[Node]) -> list[Node]:
    """What a graph uses beside its own symbols: the largest parts that do not depend on these."""
    order = topological([result])
    moving = set(own)
    for node in order:
        if any(arg in moving for arg in node.args):
            moving.add(node)
    edge = [arg for node in order if node in moving for arg in node.args if arg not in moving]
    edge += [] if result in moving else [result]
    return [node for node in dict.fromkeys(edge) if any(map(_varies, topological([node])))]


def _varies(node: Node) -> bool:
    """Whether a node brings something in that is no constant."""
    return node.op.name == "rv" or node.op.family == "random" or not (node.args or node.op is const)


def custom(
    name: str,
    traced: Traced,
    params: Sequence[Tensor],
    *,
    dtype: str = FLOAT,
    start: Any = None,
    random: Callable[..., Any] | None = None,
) -> tuple[Distribution, dict[str, Tensor]]:
    """The record of a traced log density, and its parameters.

    Parameters
    ----------
    name : str
        What users call it.
    traced : Traced
        The log density.
    params : sequence of Tensor
        What it depends on, as `trace` gives it.
    dtype : str
        Of values.
    start : array_like, optional
        Where sampling starts; 0 by default.
    random : callable, optional
        As `Distribution.host_draw`, with the parameters in order.
    """
    record = record_of(name, traced, dtype, start, random)
    return record, dict(zip(record.params, params, strict=True))


def record_of(
    name: str, traced: Traced, dtype: str, start: Any, random: Callable[..., Any] | None
) -> Distribution:
    """The record alone; also how it is unpickled."""
    names = [f"param_{k}" for k in range(len(traced.params))]
    event = tuple(map(int, traced.value.shape))[traced.value.type.ndim - traced.event_ndim :]

    def density(value: Tensor, **given: Tensor) -> Tensor:
        return traced.at(value, [given[key] for key in names])

    def host_draw(rng: np.random.Generator, shape: Any, **given: Any) -> Any:
        assert random is not None
        return random(rng, shape, [given[key] for key in names])

    def draw(shape: Any, **given: Tensor) -> Tensor:
        raise NotYetSupported(
            f"{name}: random values were asked for, but it was written without `random=`."
        )

    def undefined(**given: Tensor) -> Tensor:
        raise NotYetSupported(f"{name}: the moments of a user's distribution are not known.")

    return Distribution(
        name,
        params={
            key: Param(support.extended_real, ndim=node.type.ndim)
            for key, node in zip(names, traced.params, strict=True)
        },
        support=lambda **given: _support(dtype, traced.event_ndim),
        density=density,
        draw=draw,
        center=lambda **given: ops.as_tensor(0.0 if start is None else start),
        mean=undefined,
        var=undefined,
        scipy="",
        samples=(),
        discrete=dtype != FLOAT,
        event_ndim=traced.event_ndim,
        event_shape=lambda **shapes: event,
        notes=_NOTES,
        made_by=(record_of, name, traced, dtype, start, random),
        host_draw=None if random is None else host_draw,
        normalised=False,  # nobody knows
    )


def _support(dtype: str, event_ndim: int) -> support.Support:
    if dtype == INT:
        return support.Support("integers", "whole numbers", None, event_ndim, discrete=True)
    return support.Support("real", "real numbers", None, event_ndim, infinite=True)
