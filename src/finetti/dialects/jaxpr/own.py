"""Graphs of ours that a traced program calls through JAX: they come back as they were built.

Such a call is traced as a function whose name is a row here, so that the walk takes the graph
itself instead of translating what it was translated to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

from finetti.ir import Tensor

Shapes = tuple[tuple[int, ...], ...]
PREFIX = "finetti_graph_"


@dataclass(frozen=True, eq=False)
class Graph:
    """What builds a graph, and the shapes of its inputs.

    Parameters
    ----------
    build : callable
        From tensors to the graph's output.
    shapes : tuple
        The shapes that the inputs have; in a batch (`jax.vmap`) they are others.
    name : str
        The name of the function that JAX sees.
    """

    build: Callable[..., Tensor]
    shapes: Shapes
    name: str


_NUMBERS = count()
_GRAPHS: WeakValueDictionary[str, Graph] = WeakValueDictionary()


def own_graph(build: Callable[..., Tensor], shapes: Shapes) -> Graph:
    """A new row, which lives as long as somebody holds it."""
    graph = Graph(build, shapes, f"{PREFIX}{next(_NUMBERS)}")
    _GRAPHS[graph.name] = graph
    return graph


def graph_of(name: str, eqn: Any) -> Graph | None:
    """The graph that an equation calls by the name of its function, else None."""
    graph = _GRAPHS.get(name) if name.startswith(PREFIX) else None
    if graph is None or tuple(tuple(v.aval.shape) for v in eqn.invars) != graph.shapes:
        return None
    return graph
