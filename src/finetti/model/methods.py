"""What a model computes: log densities, gradients, initial points, reports."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.errors import ModelError, NotYetSupported, ParameterError, did_you_mean
from finetti.ir import Node, Tensor, ops, rebuild, topological
from finetti.ir.ops import leaf
from finetti.ir.ops.leaf import new_input
from finetti.model.compile import (
    Array,
    Layout,
    PointFunction,
    compile_density,
    compile_outputs,
)
from finetti.model.forward import draw_tensors
from finetti.model.frozen import Frozen, freeze_model
from finetti.model.hessian import compile_hessian, hessian_graph
from finetti.model.logdensity import Density, Factor, build
from finetti.model.points import PointMethods
from finetti.model.text import model_text
from finetti.model.variables import VarList, rv_nodes
from finetti.passes.grad import gradient

_LATER = {
    "profile": "profiling",
    "to_graphviz": "this method (write pm.model_to_graphviz(model))",
    "table": "the table of a model",
    "logp_dlogp_function": "this function; use compile_logp and compile_dlogp",
    "replace_rvs_by_values": "this function; pass the expression to compile_fn",
}  # fmt: skip


def refuse(where: str, keywords: Mapping[str, Any]) -> None:
    """Refuse keywords that PyMC passes on to its compiler."""
    if keywords:
        raise NotYetSupported(
            f"{where}: {', '.join(f'{name}=' for name in keywords)} belongs to PyMC's compiler; "
            "finetti takes backend='native' or 'reference' only. Leave it out."
        )


class ModelMethods(PointMethods):
    """The computing half of `Model`."""

    root: Any
    free_RVs: VarList
    observed_RVs: VarList
    deterministics: VarList
    potentials: VarList
    data_vars: VarList
    named_vars: dict[str, Tensor]
    rvs_to_values: dict[Tensor, Tensor]
    rvs_to_initial_values: dict[Tensor, Any]
    observations: dict[Tensor, Tensor]

    # -- lists
    @property
    def basic_RVs(self) -> VarList:
        """Free and observed random variables."""
        return self.free_RVs + self.observed_RVs

    @property
    def unobserved_RVs(self) -> VarList:
        """Free random variables and deterministics."""
        return self.free_RVs + self.deterministics

    @property
    def value_vars(self) -> VarList:
        """The unconstrained values of the free variables."""
        return VarList(self.rvs_to_values[rv] for rv in self.free_RVs)

    @property
    def continuous_value_vars(self) -> VarList:
        """The unconstrained values that are real numbers."""
        return VarList(v for v in self.value_vars if v.dtype.kind == "f")

    @property
    def discrete_value_vars(self) -> VarList:
        """The values that are whole numbers."""
        return VarList(v for v in self.value_vars if v.dtype.kind != "f")

    # -- graphs
    def _state(self) -> tuple[Any, ...]:
        root = self.root
        return (
            len(root.named_vars),
            tuple(handle.version for handle in self._data_handles()),
            tuple(dim.length for dim in root.dims.known.values()),
        )

    def _data_handles(self) -> list[Any]:
        """Every exchangeable value that the graph uses, registered with the model or not."""
        root = self.root
        cache, count = root.__dict__.setdefault("_cache", {}), len(root.named_vars)
        if "handles" not in cache or cache["handles"][0] != count:
            tensors = [*root.named_vars.values(), *root.observations.values()]
            roots = [tensor.node for tensor in tensors if tensor.node.dynamic]
            handles = [node.attrs[0] for node in topological(roots) if node.op is leaf.data]
            cache["handles"] = (count, list(dict.fromkeys(handles)))
        return cache["handles"][1]  # type: ignore[no-any-return]

    def _remembered(self, what: str, make: Callable[[], Any]) -> Any:
        """What was made for the present variables and data, made again when they have changed."""
        state, cache = self._state(), self.root.__dict__.setdefault("_cache", {})
        if what not in cache or cache[what][0] != state:
            cache[what] = (state, make())
        return cache[what][1]

    def frozen(self) -> Frozen:
        """The generative graph with the present data."""
        return self._remembered("frozen", lambda: freeze_model(self.root))  # type: ignore[no-any-return]

    def density(self) -> Density:
        """The joint log density as a graph, with the present data."""
        return self._remembered("density", lambda: build(self.frozen()))  # type: ignore[no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        own = {key: value for key, value in self.__dict__.items() if key != "_cache"}
        tensors = [*self.named_vars.values(), *self.observations.values()]
        # Arguments come before what uses them, so that pickle and deepcopy, which recurse, meet
        # only nodes whose arguments they know: a loop of thousands of steps is a deep graph.
        return {"_graph": topological([tensor.node for tensor in tensors]), **own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({key: value for key, value in state.items() if key != "_graph"})

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        twin.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return twin

    def copy(self) -> Any:
        """An independent model with the same variables; take them by name from the copy."""
        return copy.deepcopy(self)

    __copy__ = copy

    def _names(self, vars: Any, where: str) -> list[str]:
        """Names of terms from variables, their values, potentials, or names."""
        if vars is None:
            return [var.name for var in [*self.basic_RVs, *self.potentials]]
        names = []
        for var in vars if isinstance(vars, (list, tuple)) else [vars]:
            name = var if isinstance(var, str) else var.name
            for rv in self.free_RVs:
                if name == self.rvs_to_values[rv].name:
                    name = rv.name
            terms = [term.name for term in [*self.basic_RVs, *self.potentials]]
            if name not in terms:
                raise ModelError(
                    f"{where}: {name!r} is no random variable and no potential of the model. "
                    f"{did_you_mean(str(name), terms)}"
                )
            names.append(name)
        return names

    def _factors(self, vars: Any, where: str) -> list[Factor]:
        return self.density().select(self._names(vars, where))

    def logp(self, vars: Any = None, jacobian: bool = True, sum: bool = True) -> Any:
        """The log density as a tensor over the unconstrained values.

        Parameters
        ----------
        vars : variable or list, optional
            Only these terms: random variables or potentials.
        jacobian : bool
            With the log-determinants of the transforms.
        sum : bool
            One number; a list of elementwise terms otherwise.
        """
        factors = self._factors(vars, "logp")
        if not sum:
            return [factor.elementwise(jacobian) for factor in factors]
        total = ops.as_tensor(0.0)
        for factor in factors:
            total = ops.add(total, factor.total(jacobian))
        return total

    def dlogp(self, vars: Any = None, jacobian: bool = True) -> Tensor:
        """The gradient of the log density, flat, as a tensor over the unconstrained values."""
        grads = gradient(self.logp(jacobian=jacobian).node, self._inputs(vars, "dlogp"))
        flat = [Tensor(grad).flatten() for grad in grads]
        return ops.concatenate(flat) if flat else ops.zeros((0,))

    def d2logp(self, vars: Any = None, jacobian: bool = True, negate_output: bool = True) -> Tensor:
        """The Hessian [n, n] of the log density as a tensor over the unconstrained values.

        Parameters
        ----------
        vars : variable or list, optional
            With respect to these free variables only.
        jacobian : bool
            With the log-determinants of the transforms.
        negate_output : bool
            Of the negative log density, PyMC's default.
        """
        total = self.logp(jacobian=jacobian)
        inputs = self._inputs(vars, "d2logp")
        return hessian_graph((-total if negate_output else total).node, inputs)

    def _inputs(self, vars: Any, where: str) -> list[Node]:
        names = None if vars is None else self._names(vars, where)
        return [
            value.input
            for value in self.density().values
            if not value.discrete and (names is None or value.name in names)
        ]

    # -- functions
    def compile_logp(
        self,
        vars: Any = None,
        jacobian: bool = True,
        sum: bool = True,
        *,
        backend: str | None = None,
        **compile_kwargs: Any,
    ) -> PointFunction:
        """The log density as a function of a point (a dict as `initial_point` gives).

        Parameters
        ----------
        vars, jacobian, sum
            As for `logp`.
        backend : str, optional
            "native" (default) or "reference".
        """
        refuse("compile_logp", compile_kwargs)
        return self._following_data(
            lambda: self.compile_fn(self.logp(vars, jacobian, sum), backend=backend)
        )

    def _following_data(self, make: Callable[[], PointFunction]) -> PointFunction:
        """A function that `set_data` changes too, as PyMC's functions of shared data do."""

        def data_state() -> tuple[Any, ...]:
            return self._state()[1:]

        return make().following(data_state, make)  # type: ignore[no-any-return]

    def compile_dlogp(
        self,
        vars: Any = None,
        jacobian: bool = True,
        *,
        backend: str | None = None,
        **compile_kwargs: Any,
    ) -> PointFunction:
        """The gradient of the log density, flat, as a function of a point.

        Parameters
        ----------
        vars : variable or list, optional
            With respect to these free variables only.
        jacobian : bool
            With the log-determinants of the transforms.
        backend : str, optional
            "native" (default) or "reference".
        """
        refuse("compile_dlogp", compile_kwargs)

        def make() -> PointFunction:
            density = self.density()
            if vars is None and jacobian and not any(value.discrete for value in density.values):
                compiled = compile_density(self, backend, density)
                return PointFunction(compiled, compiled.layout, True, "gradient")
            return self.compile_fn(self.dlogp(vars, jacobian), backend=backend)

        return self._following_data(make)

    def compile_d2logp(
        self,
        vars: Any = None,
        jacobian: bool = True,
        negate_output: bool = True,
        *,
        backend: str | None = None,
        **compile_kwargs: Any,
    ) -> PointFunction:
        """The Hessian of the log density as a function of a point.

        Parameters
        ----------
        vars : variable or list, optional
            With respect to these free variables only.
        jacobian : bool
            With the log-determinants of the transforms.
        negate_output : bool
            Of the negative log density, PyMC's default.
        backend : str, optional
            "native" (default) or "reference".
        """
        refuse("compile_d2logp", compile_kwargs)

        def make() -> PointFunction:
            inputs = self._inputs(vars, "compile_d2logp")
            compiled = compile_hessian(self.density(), inputs, jacobian, negate_output, backend)
            return PointFunction(compiled, compiled.layout, True)

        return self._following_data(make)

    def compile_fn(
        self,
        outs: Any,
        *,
        inputs: Sequence[Any] | None = None,
        point_fn: bool = True,
        backend: str | None = None,
        **compile_kwargs: Any,
    ) -> Any:
        """Compile expressions of the model.

        Parameters
        ----------
        outs : tensor or list of tensors
            Expressions of random variables, or of their unconstrained values.
        inputs : list of variables, optional
            What the function takes: unconstrained values (the default: all of them), or random
            variables and deterministics, whose own values are then taken.
        point_fn : bool
            Take one dict of values by name; otherwise one argument for each input.
        backend : str, optional
            "native" (default) or "reference".
        """
        refuse("compile_fn", compile_kwargs)
        single = not isinstance(outs, (list, tuple))
        tensors = [ops.as_tensor(out) for out in ([outs] if single else outs)]

        def make() -> PointFunction:
            nodes, leaves = self._over_inputs(tensors, inputs)
            function = compile_outputs(nodes, leaves, backend)
            return PointFunction(function, Layout.of(leaves), single)

        wrapped = self._following_data(make)
        if point_fn:
            return wrapped
        names = wrapped.layout.names
        return lambda *args, **named: wrapped({**dict(zip(names, args, strict=False)), **named})

    def _over_inputs(
        self, tensors: list[Tensor], inputs: Sequence[Any] | None
    ) -> tuple[list[Node], list[Node]]:
        density = self.density()
        own = {value.value_name: value.input for value in density.values}
        if inputs is None:
            return density.express(tensors), density.inputs
        leaves, given = [], {}
        for tensor in inputs:
            if tensor.node.op.name == "input":
                leaves.append(own.get(tensor.name or tensor.node.attrs[0], tensor.node))
                continue
            (node,) = density.frozen.freeze([tensor])
            twin = new_input(tensor.name or f"input_{len(leaves)}", node.shape, node.type.dtype)
            given[node] = twin.node
            leaves.append(twin.node)
        if not given:
            return density.express(tensors), leaves
        nodes = rebuild(density.frozen.freeze(tensors), given)
        for node in rv_nodes(nodes):
            raise ParameterError(
                f"compile_fn: the outputs also depend on a {node.attrs[0].name} variable that is "
                "not among `inputs`. Add it."
            )
        return nodes, leaves

    def str_repr(self) -> str:
        """The model as text, one variable a line."""
        return model_text(self)

    def __repr__(self) -> str:
        counts = [
            f"{len(variables)} {name}"
            for variables, name in (
                (self.free_RVs, "free"), (self.observed_RVs, "observed"),
                (self.deterministics, "deterministic"), (self.potentials, "potential"),
            )
            if variables
        ]  # fmt: skip
        return f"<Model {self.root.name or ''}: {', '.join(counts) or 'empty'}>".replace(" :", ":")

    def later(self, name: str) -> None:
        """Refuse a method of PyMC's models that is not there yet."""
        if name in _LATER:
            raise NotYetSupported(f"Model.{name}: {_LATER[name]} is not there yet.")


def eval_tensor(tensor: Tensor, inputs_to_values: Mapping[Any, Any] | None = None) -> Array:
    """The value of a tensor; random variables are drawn.

    Parameters
    ----------
    tensor : Tensor
        What to evaluate.
    inputs_to_values : mapping, optional
        Tensor -> the value to use for it.
    """
    given = {key.node: np.asarray(value) for key, value in (inputs_to_values or {}).items()}
    (result,) = draw_tensors([tensor], 1, None, given, backend="reference")
    return np.array(result[0])
