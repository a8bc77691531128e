"""The joint log density as a graph over unconstrained values, term by term."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from finetti.errors import ModelError, did_you_mean
from finetti.ir import FLOAT, Node, Tensor, ops, rebuild
from finetti.ir.node import make
from finetti.ir.ops.leaf import input_
from finetti.ir.types import TensorType
from finetti.model.frozen import Frozen, FrozenRV


@dataclass(frozen=True)
class Value:
    """A free variable seen from the sampler.

    Parameters
    ----------
    name : str
        Name of the random variable.
    value_name : str
        Name of its unconstrained value, PyMC's (``sigma_log__``).
    input : Node
        The unconstrained value in the graph.
    constrained : Node
        The variable's own value, a function of the inputs.
    """

    name: str
    value_name: str
    input: Node
    constrained: Node

    @property
    def discrete(self) -> bool:
        """Whether it takes whole numbers, which NUTS cannot move."""
        return self.input.type.dtype != FLOAT


@dataclass(frozen=True)
class Factor:
    """One term of the log density.

    Parameters
    ----------
    name : str
        Name of the random variable or the potential.
    kind : str
        "free", "observed" or "potential".
    term : Tensor
        Its log density, elementwise, without the Jacobian.
    log_det : Tensor or None
        Log-determinant of its transform.
    value : Tensor
        The variable's value, or the potential's.
    params : dict
        Parameter name -> tensor (empty for potentials).
    dist : Distribution or None
        Its record (None for potentials).
    """

    name: str
    kind: str
    term: Tensor
    log_det: Tensor | None
    value: Tensor
    params: dict[str, Tensor]
    dist: Any = None

    def elementwise(self, jacobian: bool = True) -> Tensor:
        """The term for each element (each event of a vector-valued distribution)."""
        if not jacobian or self.log_det is None:
            return self.term
        log_det = self.log_det
        extra = log_det.ndim - self.term.ndim
        if extra > 0:
            log_det = ops.sum_(log_det, tuple(range(-extra, 0)))
        return ops.add(self.term, log_det)

    def total(self, jacobian: bool = True) -> Tensor:
        """The term as one number."""
        total = _total(self.term)
        if jacobian and self.log_det is not None:
            total = ops.add(total, _total(self.log_det))
        return total


@dataclass(frozen=True)
class Density:
    """The joint log density of a frozen model.

    Parameters
    ----------
    frozen : Frozen
        Where it came from.
    values : list of Value
        The free variables, in the order in which the point holds them.
    factors : list of Factor
        Terms: free and observed variables in the order of registration, then potentials.
    named : dict
        Name of every variable, deterministic and potential -> node over the inputs.
    replaced : dict
        Node of the frozen graph -> node over the inputs.
    """

    frozen: Frozen
    values: list[Value]
    factors: list[Factor]
    named: dict[str, Node]
    replaced: dict[Node, Node]

    @property
    def inputs(self) -> list[Node]:
        """The unconstrained values."""
        return [value.input for value in self.values]

    def factor(self, name: str) -> Factor:
        """The term called `name`."""
        for factor in self.factors:
            if factor.name == name:
                return factor
        raise ModelError(
            f"the model has no term {name!r}. {did_you_mean(name, [f.name for f in self.factors])}"
        )

    def select(self, names: Iterable[str] | None) -> list[Factor]:
        """The terms called `names`, all of them when None."""
        return self.factors if names is None else [self.factor(name) for name in names]

    def logp(self, names: Iterable[str] | None = None, jacobian: bool = True) -> Tensor:
        """The sum of terms."""
        total = ops.as_tensor(0.0)
        for factor in self.select(names):
            total = ops.add(total, factor.total(jacobian))
        return total

    def express(self, outputs: Sequence[Tensor]) -> list[Node]:
        """Expressions over the model's variables, as functions of the inputs."""
        return rebuild(self.frozen.freeze(outputs), self.replaced)


def _total(term: Tensor) -> Tensor:
    return ops.sum_(term) if term.ndim else term


def bijector_of(rv: FrozenRV, params: dict[str, Tensor]) -> Any:
    """The transform of a free variable with its present parameters; None when it has none."""
    choose = rv.transform
    if choose is None:
        return None
    if isinstance(choose, Automatic):
        return choose(rv.dist.support(**params))
    return choose


@dataclass(frozen=True)
class Automatic:
    """The transform that follows from the support."""

    choose: Callable[[Any], Any]

    def __call__(self, support: Any) -> Any:
        return self.choose(support)


def build(frozen: Frozen) -> Density:
    """Replace every random variable by its value, and write down the terms."""
    replaced: dict[Node, Node] = {}
    values: list[Value] = []
    factors: list[Factor] = []
    named: dict[str, Node] = {}
    for rv in frozen.rvs:
        args = rebuild(rv.node.args, replaced)
        params = dict(zip(rv.dist.params, map(Tensor, args), strict=True))
        if rv.observed is not None:
            value, log_det = Tensor(rebuild([rv.data], replaced)[0]), None
        else:
            value, log_det, entry = _free_value(rv, params)
            values.append(entry)
        replaced[rv.node] = named[rv.name] = value.node
        kind = "free" if rv.observed is None else "observed"
        # The map that follows from the support leads into it; one that the user chose may not.
        inside = rv.observed is None and isinstance(rv.transform, Automatic)
        term = rv.dist.logp(value, inside=inside, **params)
        factors.append(Factor(rv.name, kind, term, log_det, value, params, rv.dist))
    for name, node in frozen.named.items():
        (named[name],) = rebuild([node], replaced)
        if node not in replaced:
            replaced[node] = named[name]
    for name in frozen.potentials:
        term = Tensor(named[name])
        factors.append(Factor(name, "potential", term, None, term, {}))
    return Density(frozen, values, factors, named, replaced)


def _free_value(rv: FrozenRV, params: dict[str, Tensor]) -> tuple[Tensor, Tensor | None, Value]:
    dtype = rv.node.type.dtype
    bijector = bijector_of(rv, params)
    shape = rv.shape if bijector is None else _unconstrained_shape(bijector, rv.shape)
    point = Tensor(make(input_, (), (rv.value_name, TensorType(dtype, shape))))
    if bijector is None:
        value, log_det = point, None
    else:
        value, log_det = bijector.backward(point), bijector.log_det(point)
    return value, log_det, Value(rv.name, rv.value_name, point.node, value.node)


def _unconstrained_shape(bijector: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(int, bijector.unconstrained_shape(shape)))
