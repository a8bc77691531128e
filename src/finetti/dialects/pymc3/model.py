"""PyMC3's Model: observed expressions, points, and the functions that were attributes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from finetti.dialects.notes import note
from finetti.dialects.pymc3.variables import Variable
from finetti.dist.bijectors import Bijector
from finetti.errors import ModelError, NotYetSupported, did_you_mean
from finetti.ir import Node, Tensor, ops
from finetti.model import context
from finetti.model.compile import Array, Layout, evaluate
from finetti.model.model import Model as Today
from finetti.model.model import UnknownVariable
from finetti.model.variables import VarList, dist_of, params_of
from finetti.results.multitrace_files import series

Point = Mapping[str, Any]
# Names of transforms: today's -> PyMC3's
TRANSFORMS = {
    "simplex": "stickbreaking", "cholesky-cov-packed": "cholesky_cov_packed",
}  # fmt: skip
_LATER = {
    "bijection": "use model.compile_logp()", "logp_array": "use model.compile_logp()",
    "dlogp_array": "use model.compile_dlogp()", "profile": "time model.compile_logp() instead",
    "add_random_variable": "write `pm.Normal(name, ...)` inside the model",
    "logp_dlogp_function": "use model.compile_logp() and model.compile_dlogp()",
}  # fmt: skip


class Model(Today):
    """A probabilistic model with PyMC3's attributes.

    Parameters
    ----------
    name : str
        Prefix of the names of its variables.
    model : Model, optional
        The outer model.
    theano_config : None
        Refused: there is no Theano.
    coords : mapping, optional
        Dimension name -> labels.
    check_bounds : bool
        As today.
    """

    observes_expressions = True
    observed_fix_shapes = False
    separator = "_"
    missing_suffix = "missing"

    def __init__(
        self,
        name: str = "",
        model: Any = None,
        theano_config: Any = None,
        coords: Mapping[str, Any] | None = None,
        check_bounds: bool = True,
    ):
        if theano_config:
            raise NotYetSupported(
                f"Model(theano_config={theano_config!r}): there is no Theano; leave it out."
            )
        super().__init__(name, coords, check_bounds)

    def variable_type(self, node: Node, name: str | None = None) -> Variable:  # type: ignore[override]
        """A named variable that knows its model."""
        variable = Variable(node, name)
        variable.model = self.root
        return variable

    def value_name(self, rv: Tensor, bijector: Bijector) -> str:
        """PyMC3's name of an unconstrained value."""
        name = TRANSFORMS.get(bijector.name, bijector.name)
        if name == "interval":
            support = dist_of(rv.node).support(**params_of(rv.node))
            lower, upper = _finite(support.lower), _finite(support.upper)
            if lower != upper:
                name = "lowerbound" if lower else "upperbound"
        return f"{rv.name}_{name}__"

    @classmethod
    def get_contexts(cls) -> list[Any]:
        """The open models, outermost first."""
        model: Any = context.current(error_if_none=False)
        return [] if model is None else [*reversed(model._lineage())]

    def __getitem__(self, key: str) -> Tensor:
        try:
            return super().__getitem__(key)
        except UnknownVariable:
            for value in self.root.value_vars:
                if value.name in (key, self._prefixed(key)):
                    return value  # type: ignore[no-any-return]
            raise

    def __getattr__(self, name: str) -> Any:
        tables = self.__dict__.get("named_vars")
        if tables is not None and not name.startswith("__"):
            if name in _LATER:
                raise NotYetSupported(f"Model.{name} is not there: {_LATER[name]}.")
            if name.endswith("__"):
                return self[name]
        return super().__getattr__(name)

    # -- lists
    @property
    def vars(self) -> VarList:
        """The values that are sampled: unconstrained ones where there is a transform."""
        note("model.vars", "model.value_vars")
        return self.value_vars

    @property
    def cont_vars(self) -> VarList:
        """Those that are real numbers."""
        return self.continuous_value_vars

    @property
    def disc_vars(self) -> VarList:
        """Those that are whole numbers."""
        return self.discrete_value_vars

    @property
    def ndim(self) -> int:
        """How many numbers are sampled."""
        return sum(int(value.node.type.size) for value in self.value_vars)

    # -- points
    @property
    def test_point(self) -> dict[str, Array]:
        """Where sampling starts: values by name."""
        note("model.test_point", "model.initial_point()")
        return self.initial_point()

    def test_values(self, tensors: list[Tensor]) -> list[Array]:
        """Expressions at the test point."""
        density = self.root.density()
        nodes = density.express(tensors)
        point = self.initial_point()
        values = {value.input: point[value.value_name] for value in density.values}
        return evaluate(nodes, values)

    def loose_point(self, point: Point) -> dict[str, Any]:
        """A point of unconstrained values: names of variables are translated or left out."""
        root = self.root
        names: dict[str, str] = {root.rvs_to_values[rv].name or "": rv.name for rv in root.free_RVs}
        known = {*names, *root.named_vars}
        for name in point:
            if name not in known:
                raise ModelError(f"point: the model has no {name!r}. {did_you_mean(name, known)}")
        given = {
            name if name in point else rv: point[name if name in point else rv]
            for name, rv in names.items()
            if name in point or rv in point
        }
        lacking = [n for n, rv in names.items() if n not in given and rv not in given]
        if lacking:
            raise ModelError(f"point: no value for {lacking[0]!r}; it has {', '.join(point)}.")
        return self.start_point(given, 0)

    def term(self, name: str, total: bool) -> Callable[[Point], Any]:
        """One term of the log density as a function of a point."""
        factor = self.root.density().factor(name)
        tensor = factor.total() if total else factor.elementwise()
        return self._function(tensor)

    def _function(self, outputs: Any) -> Callable[[Point], Any]:
        function = self.compile_fn(outputs)
        return lambda point: function(self.loose_point(point))

    # -- functions
    def logp(self, vars: Any = None, jacobian: bool = True, sum: bool = True) -> Any:
        """The log density at a point; as a tensor when no point is given."""
        if not isinstance(vars, Mapping):
            return super().logp(vars, jacobian, sum)
        note("model.logp(point)", "model.compile_logp()(point)")
        return self._remembered("logp3", lambda: self._function(self.logpt))(vars)

    def logp_nojac(self, point: Point) -> Any:
        """The log density without Jacobians at a point."""
        return self._function(super().logp(jacobian=False))(point)

    fastlogp = logp

    def dlogp(self, vars: Any = None, jacobian: Any = None) -> Any:
        """The gradient as a function of a point, flat."""
        if jacobian is not None:  # today's method, which returns a tensor
            return super().dlogp(vars, jacobian)
        note("model.dlogp(vars)", "model.compile_dlogp(vars)")
        function = self.compile_dlogp(vars)
        return lambda point: function(self.loose_point(point))

    fastdlogp = dlogp

    def fn(self, outs: Any, mode: Any = None, *args: Any, **kwargs: Any) -> Callable[[Point], Any]:
        """Expressions as a function of a point."""
        if mode is not None or args or kwargs:
            raise NotYetSupported("Model.fn: mode= and more belong to Theano; leave them out.")
        return self._function(outs)

    fastfn = makefn = fn

    @property
    def logpt(self) -> Tensor:
        """The log density as a tensor."""
        return super().logp()  # type: ignore[no-any-return]

    @property
    def varlogpt(self) -> Tensor:
        """The terms of the free variables as a tensor."""
        return super().logp(list(self.free_RVs))  # type: ignore[no-any-return]

    @property
    def datalogpt(self) -> Tensor:
        """The terms of the observed variables and the potentials as a tensor."""
        terms = [*self.observed_RVs, *self.potentials]
        return super().logp(terms) if terms else ops.as_tensor(0.0)  # type: ignore[no-any-return]

    def check_test_point(self, test_point: Point | None = None, round_vals: int = 2) -> Any:
        """The log density of each random variable at the test point, as a pandas Series."""
        note("model.check_test_point()", "model.point_logps()")
        point = self.initial_point() if test_point is None else self.loose_point(test_point)
        names = {rv.name: self.rvs_to_values[rv].name or "" for rv in self.root.free_RVs}
        found: dict[str, Any] = {
            names.get(name, name): value
            for name, value in self.point_logps(point, round_vals).items()
        }
        return series(found, "Log-probability of test_point")

    def flatten(self, vars: Any = None, order: Any = None, inputvar: Any = None) -> Any:
        """Refused: it belongs to Theano."""
        raise NotYetSupported("Model.flatten belongs to Theano: use model.compile_logp(point).")

    def dict_to_array(self, point: Point) -> Array:
        """A point as one vector."""
        layout = Layout.of(self.root.density().inputs)
        return layout.pack(self.loose_point(point), "dict_to_array")


def _finite(bound: Any) -> bool:
    """Whether a bound is there."""
    if bound is None:
        return False
    value = ops.constant_value(ops.as_tensor(bound))
    return value is None or not bool(np.isinf(value).all())
