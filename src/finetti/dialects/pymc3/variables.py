"""What PyMC3's variables answer beside a tensor's methods: `random`, `logp`, `distribution`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti.backends import reference
from finetti.dialects.notes import note
from finetti.dist.base import stretched_params
from finetti.dist.functions import logcdf, logp
from finetti.errors import ModelError, ParameterError
from finetti.ir import Node, Tensor
from finetti.model.compile import Array
from finetti.model.context import current
from finetti.model.forward import draw_tensors
from finetti.model.variables import is_rv


def numpy_seed() -> int:
    """A seed from NumPy's global stream, so that `np.random.seed` decides, as it did."""
    high, low = np.random.randint(0, 2**31 - 1, size=2)
    return int(high) * 2**31 + int(low)


def random_values(node: Node, model: Any, point: Any, size: Any) -> Any:
    """Draws of a variable, the parents at a point or drawn too: [*size, *shape]."""
    given: dict[Node, Array] = {}
    for name, value in (point or {}).items():
        known = model.named_vars.get(name) if model is not None else None
        if known is not None and known.node is not node:
            given[known.node] = np.asarray(value)
    lead = () if size is None else tuple(map(int, np.atleast_1d(size)))
    count = int(np.prod(lead, dtype=int))
    (rows,) = draw_tensors([Tensor(node)], max(count, 1), numpy_seed(), given)
    return rows[0] if size is None else np.reshape(rows[:count], (*lead, *rows.shape[1:]))


class Dist(Tensor):
    """A distribution without a name: to be put into others, or asked itself."""

    def __init__(self, node: Node, model: Any = None):
        super().__init__(node)
        self.model = current(error_if_none=False) if model is None else model

    def logp(self, value: Any) -> Tensor:
        """Its log density at a value, elementwise."""
        note("Dist.dist(...).logp(value)", "pm.logp(Dist.dist(...), value)")
        return logp(Tensor(self.node), value)

    def logcdf(self, value: Any) -> Tensor:
        """The log of its distribution function at a value."""
        note("Dist.dist(...).logcdf(value)", "pm.logcdf(Dist.dist(...), value)")
        return logcdf(Tensor(self.node), value)

    def random(self, point: Mapping[str, Any] | None = None, size: Any = None) -> Any:
        """Random values.

        Parameters
        ----------
        point : dict, optional
            Values of the model's variables that it depends on; drawn when left out.
        size : int or tuple of int, optional
            How many; the axes of one value come after them.
        """
        note(".random(size=n)", "pm.draw(variable, draws=n)")
        return random_values(self.node, self.model, point, size)

    def default(self) -> Array:
        """Where sampling would start."""
        record, params = stretched_params(Tensor(self.node))
        return reference.evaluate([record.start(self.node.shape, **params)])[0]

    @property
    def mean(self) -> Tensor:
        """Its mean."""
        record, params = stretched_params(Tensor(self.node))
        return record.mean(**params)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        record, params = stretched_params(Tensor(self.node))
        if name in params:
            return params[name]
        if name == "sd" and "sigma" in params:
            return params["sigma"]
        return super().__getattr__(name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Dist, (self.node,)


class Tag:
    """Theano's scratch pad of a variable: its test value."""

    def __init__(self, variable: Variable):
        self._variable = variable

    @property
    def test_value(self) -> Array:
        """Where sampling starts."""
        return self._variable.init_value


class Variable(Tensor):
    """A named variable of a PyMC3 model."""

    model: Any = None

    def _own(self, asked: str) -> Any:
        if self.model is None or not is_rv(self.node):
            raise ModelError(
                f"{self.name!r} is no random variable of a model, so it has no {asked}."
            )
        return self.model

    @property
    def distribution(self) -> Dist:
        """Its distribution."""
        return Dist(self.node, self._own("distribution"))

    def random(self, point: Mapping[str, Any] | None = None, size: Any = None) -> Any:
        """Random values from the prior: `Dist.random`."""
        model = self._own("random values")
        note(".random(size=n)", "pm.draw(variable, draws=n)")
        return random_values(self.node, model, point, size)

    def logp(self, point: Mapping[str, Any]) -> Any:
        """Its term of the log density at a point, with the Jacobian."""
        model = self._own("logp")
        if not isinstance(point, Mapping):
            raise ParameterError(
                f"{self.name}.logp takes a point, a dict as `model.test_point` is. At a value: "
                f"`{self.name}.distribution.logp(value)`."
            )
        note("variable.logp(point)", "model.compile_logp(vars=[variable])(point)")
        return model.term(self.name, True)(point)

    def logp_elemwise(self, point: Mapping[str, Any]) -> Any:
        """The same, elementwise."""
        model = self._own("logp")
        note("variable.logp_elemwise(point)", "model.compile_logp(vars=[v], sum=False)(point)")
        return model.term(self.name, False)(point)

    @property
    def logpt(self) -> Tensor:
        """Its term of the log density as a tensor."""
        total: Tensor = self._own("logp").density().factor(self.name).total()
        return total

    @property
    def transformed(self) -> Tensor:
        """Its unconstrained value."""
        value: Tensor = self._own("transformed value").rvs_to_values[self]
        return value

    @property
    def observations(self) -> Array:
        """Its data."""
        return self._own("observations").rvs_to_values[self].eval()  # type: ignore[no-any-return]

    @property
    def init_value(self) -> Array:
        """Where sampling starts."""
        if self.model is None:
            raise ModelError(f"{self.name!r} belongs to no model, so it has no test value.")
        return self.model.test_values([self])[0]  # type: ignore[no-any-return]

    @property
    def tag(self) -> Tag:
        """Holds `test_value`."""
        note("variable.tag.test_value", "model.initial_point()")
        return Tag(self)

    @property
    def dshape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(map(int, self.node.shape))

    @property
    def dsize(self) -> int:
        """How many numbers it has."""
        return self.node.type.size

    def __reduce__(self) -> tuple[Any, ...]:
        # the model comes as state, after the variable exists: it holds the variable itself
        return Variable, (self.node, self.name), {"model": self.model}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


__all__ = ["Dist", "Tag", "Variable", "numpy_seed", "random_values"]
