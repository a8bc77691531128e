"""From a model to functions that run: the only part of `model` that knows the backends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finetti.backends import native, reference
from finetti.backends.rows import ReferenceCompiled, map_rows
from finetti.errors import ParameterError, ShapeError, did_you_mean
from finetti.ir import FLOAT, Node, Tensor, ops, rebuild
from finetti.ir.ops.leaf import new_input
from finetti.model import logdensity
from finetti.model.frozen import freeze_model

Array = npt.NDArray[Any]
Point = Mapping[str, Any]

BACKENDS = ("native", "reference")


@dataclass(frozen=True)
class Layout:
    """How the values of a model lie in one vector.

    Parameters
    ----------
    names : list of str
        Value names, in order.
    shapes : list of tuple
        Their shapes.
    dtypes : list of str
        Their dtypes.
    """

    names: list[str]
    shapes: list[tuple[int, ...]]
    dtypes: list[str]

    @classmethod
    def of(cls, inputs: Sequence[Node]) -> Layout:
        """The layout of input nodes, one after another."""
        return cls(
            [node.attrs[0] for node in inputs],
            [tuple(map(int, node.shape)) for node in inputs],
            [node.type.dtype for node in inputs],
        )

    @property
    def slices(self) -> list[slice]:
        """Where each value lies."""
        edges = np.cumsum([0, *(int(np.prod(shape, dtype=int)) for shape in self.shapes)])
        return [slice(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]

    @property
    def n(self) -> int:
        """The length of the vector."""
        return sum(int(np.prod(shape, dtype=int)) for shape in self.shapes)

    def ordered(self, point: Point, where: str = "point") -> list[Any]:
        """The values of a point in order, checked for names and shapes.

        Raises
        ------
        ParameterError
            For a missing or an unknown name; names the nearest valid one.
        ShapeError
            For a value of another shape.
        """
        unknown = [name for name in point if name not in self.names]
        if unknown:
            raise ParameterError(
                f"{where}: {unknown[0]!r} is no value of the model. "
                f"{did_you_mean(unknown[0], self.names)} Values are unconstrained, under the names "
                "that `model.initial_point()` has."
            )
        for name, shape in zip(self.names, self.shapes, strict=True):
            if name not in point:
                raise ParameterError(
                    f"{where}: no value for {name!r}. Expected {', '.join(map(repr, self.names))}, "
                    "as in `model.initial_point()`."
                )
            if np.shape(point[name]) != shape:
                raise ShapeError(
                    f"{where}: {name!r} has shape {np.shape(point[name])}, expected {shape}."
                )
        return [point[name] for name in self.names]

    def pack(self, point: Point, where: str = "point") -> Array:
        """A point as one vector, checked as `ordered` does."""
        x = np.empty(self.n)
        for value, part in zip(self.ordered(point, where), self.slices, strict=True):
            x[part] = np.asarray(value, float).ravel()
        return x

    def unpack(self, x: Array) -> dict[str, Array]:
        """One vector (or rows of them) as named arrays."""
        lead = x.shape[:-1]
        return {
            name: x[..., part].reshape((*lead, *shape)).astype(dtype)
            for name, shape, dtype, part in zip(
                self.names, self.shapes, self.dtypes, self.slices, strict=True
            )
        }


def check_backend(backend: str | None, where: str) -> str:
    """The backend's name; None means native.

    Raises
    ------
    ParameterError
        For a name that is none of them.
    """
    if backend is None:
        return "native"
    if backend not in BACKENDS:
        raise ParameterError(
            f"{where}: backend={backend!r}. {did_you_mean(str(backend), BACKENDS)}"
        )
    return backend


def as_floats(outputs: Sequence[Node], inputs: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """The same graph over float inputs only: whole numbers arrive as floats and are cast."""
    replaced: dict[Node, Node] = {}
    floats = []
    for node in inputs:
        if node.type.dtype == FLOAT:
            floats.append(node)
            continue
        twin = new_input(node.attrs[0], tuple(map(int, node.shape)))
        replaced[node] = ops.cast(twin, node.type.dtype).node
        floats.append(twin.node)
    return (rebuild(outputs, replaced) if replaced else list(outputs)), floats


def compile_outputs(
    outputs: Sequence[Node], inputs: Sequence[Node], backend: str | None = None
) -> Any:
    """A compiled map from inputs to outputs.

    Parameters
    ----------
    outputs : list of Node
        What to compute.
    inputs : list of Node
        `input` nodes, which lie one after another in x.
    backend : str, optional
        "native" (default) or "reference".
    """
    outputs, inputs = as_floats(outputs, inputs)
    if check_backend(backend, "compile") == "reference":
        return ReferenceCompiled(outputs, inputs, density=False)
    return native.compile_map(outputs, inputs)


@dataclass(frozen=True)
class CompiledDensity:
    """The log density of a model and its gradient as one native function.

    Parameters
    ----------
    density : Density
        The graph it was made of.
    layout : Layout
        Names and places of the unconstrained values.
    function : object
        What the backend made.
    """

    density: logdensity.Density
    layout: Layout
    function: Any

    @property
    def n(self) -> int:
        """The number of unconstrained values."""
        return self.layout.n

    @property
    def names(self) -> list[str]:
        """Names of the unconstrained values, in order."""
        return self.layout.names

    @property
    def fn_address(self) -> int:
        """The function's address."""
        return int(self.function.fn_address)

    def new_block(self) -> Any:
        """Constants and scratch memory for one thread."""
        return self.function.new_block()

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Log density and gradient at a vector of unconstrained values."""
        return self.function(np.ascontiguousarray(x, float))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class CompiledMap:
    """Named outputs as one native function of the unconstrained values.

    Parameters
    ----------
    layout : Layout
        Names and places of the inputs.
    outputs : Layout
        Names and places of the outputs.
    function : object
        What the backend made.
    """

    layout: Layout
    outputs: Layout
    function: Any

    def rows(self, x: Array) -> dict[str, Array]:
        """The outputs for every row of `x`, in one native loop."""
        return self.outputs.unpack(map_rows(self.function, x))


def compile_density(
    model: Any, backend: str | None = None, density: logdensity.Density | None = None
) -> CompiledDensity:
    """The model's log density (with Jacobians) and its gradient.

    Parameters
    ----------
    model : Model
        Its present data are built in: compile again after `set_data`.
    backend : str, optional
        "native" (default) or "reference".
    density : Density, optional
        Its graph, when there is one already.
    """
    density = build_density(model) if density is None else density
    inputs, logp = density.inputs, density.logp().node
    if check_backend(backend, "compile_density") == "reference":
        function: Any = ReferenceCompiled([logp], inputs, density=True)
    else:
        function = native.compile_density(logp, inputs)
    return CompiledDensity(density, Layout.of(inputs), function)


def compile_logp(
    density: logdensity.Density, jacobian: bool = True, backend: str | None = None
) -> Any:
    """The log density and its gradient as a function of a vector of all values.

    Whole numbers are moved too, with zeros in their places of the gradient.

    Parameters
    ----------
    density : Density
        The graph.
    jacobian : bool
        With the log-determinants of the transforms.
    backend : str, optional
        "native" (default) or "reference".
    """
    (logp,), inputs = as_floats([density.logp(jacobian=jacobian).node], density.inputs)
    if check_backend(backend, "compile_logp") == "reference":
        return ReferenceCompiled([logp], inputs, density=True)
    return native.compile_density(logp, inputs)


def compile_gradient(
    logp: Node, inputs: Sequence[Node], wrt: Sequence[Node], backend: str | None = None
) -> Any:
    """A log density over all inputs, with its gradient in the place of some of them only.

    Parameters
    ----------
    logp : Node
        A float scalar.
    inputs : list of Node
        `input` nodes, which lie one after another in x.
    wrt : list of Node
        The inputs whose gradient is wanted, in the order of the result.
    backend : str, optional
        "native" (default) or "reference".
    """
    (logp,), inputs = as_floats([logp], inputs)
    if check_backend(backend, "compile") == "reference":
        return ReferenceCompiled([logp], inputs, density=True, wrt=wrt)
    return native.compile_density(logp, inputs, wrt=wrt)


def compile_named(
    density: logdensity.Density, names: Sequence[str], backend: str | None = None
) -> CompiledMap:
    """The values of variables and deterministics by name.

    Parameters
    ----------
    density : Density
        The graph.
    names : sequence of str
        Free variables, deterministics, observed variables or potentials.
    backend : str, optional
        "native" (default) or "reference".
    """
    nodes = [density.named[name] for name in names]
    function = compile_outputs(nodes, density.inputs, backend)
    return CompiledMap(Layout.of(density.inputs), named_layout(names, nodes), function)


def named_layout(names: Sequence[str], nodes: Sequence[Node]) -> Layout:
    """The layout of outputs under names."""
    return Layout(
        list(names),
        [tuple(map(int, node.shape)) for node in nodes],
        [node.type.dtype for node in nodes],
    )


def build_density(model: Any) -> logdensity.Density:
    """The model's log density as a graph, with the present data."""
    return logdensity.build(freeze_model(model))


class PointFunction:
    """A compiled function of a point: a dict under the names of the unconstrained values.

    Parameters
    ----------
    function : object
        A compiled map or density.
    layout : Layout
        Of its inputs.
    single : bool
        Return the one output itself.
    what : str
        "map" or "gradient".
    """

    def __init__(self, function: Any, layout: Layout, single: bool, what: str = "map"):
        self.f = function
        self.layout = layout
        self._single = single
        self._what = what
        self._state: Callable[[], Any] | None = None

    def following(self, state: Callable[[], Any], again: Callable[[], PointFunction]) -> Any:
        """The same function, made `again` whenever `state()` is another than now."""
        self._state, self._again, self._present = state, again, state()
        return self

    def __call__(self, point: Point | None = None, /, **named: Any) -> Any:
        if self._state is not None and self._state() != self._present:
            fresh = self._again()
            self.f, self.layout, self._present = fresh.f, fresh.layout, self._state()
        x = self.layout.pack({**(point or {}), **named})
        result = self.f(x)
        if self._what == "gradient":
            return result[1]
        return result[0] if self._single else list(result)


def evaluate(
    outputs: Sequence[Node | Tensor], values: Mapping[Node, Any] | None = None
) -> list[Any]:
    """Numbers of nodes that need no compiling, e.g. of constants and given values."""
    return list(reference.evaluate(outputs, dict(values or {})))
