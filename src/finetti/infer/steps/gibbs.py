"""Steps for variables with few values: binary and categorical."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti import _core
from finetti.errors import ParameterError
from finetti.infer.steps.compound import BlockedStep, Competence
from finetti.infer.steps.workplace import Workplace
from finetti.ir import Node
from finetti.model.conditional import Conditional
from finetti.model.variables import dist_of, params_of

PROPOSALS = ("uniform", "proportional")


def positive(value: Any, keyword: str, where: str) -> float:
    """A positive number, also as an array of one."""
    array = np.asarray(value, float)
    if array.size != 1 or not 0.0 < float(array.ravel()[0]) < np.inf:
        raise ParameterError(f"{where}: {keyword}={value!r}: expected a positive number.")
    return float(array.ravel()[0])


@dataclass(frozen=True)
class Elements:
    """What a step that updates single elements evaluates.

    Parameters
    ----------
    output : Node
        Log densities of the elements, or of the block.
    elementwise : bool
        Which of the two.
    colors : list of int
        One for each element, where it is the first.
    """

    output: Node
    elementwise: bool
    colors: list[int]

    def settle(self, step: Any) -> None:
        """Tell a kernel."""
        step.elementwise, step.colors = self.elementwise, self.colors


def elements_of(part: Conditional, evaluations: int, whole: bool = False) -> Elements:
    """The cheaper way of updating elements: all of a colour at once, or one after another.

    Parameters
    ----------
    part : Conditional
        What moves.
    evaluations : int
        How often a colour is evaluated for each time that a single element is.
    whole : bool
        The elements move as one.
    """
    if whole or part.size < 2:
        return Elements(part.joint, False, [])
    colors = part.colors
    many = max(colors) + 1
    at_once = many == 1 or many * evaluations <= part.size
    return Elements(part.elementwise, True, colors) if at_once else Elements(part.joint, False, [])


def categories(dist: Any, params: dict[str, Any]) -> int | None:
    """How many values 0, 1, ... a distribution has: 2 for Bernoulli; None for others."""
    if dist.name == "Bernoulli":
        return 2
    if dist.name == "Categorical":
        (p,) = params.values()
        return int(p.shape[-1])
    return None


def categories_of(rv: Any) -> int | None:
    """The same of a variable in a model."""
    return categories(dist_of(rv.node), params_of(rv.node))


def checked_order(order: Any, where: str) -> list[int]:
    """PyMC's `order`: the empty list for "random", else a permutation."""
    if isinstance(order, str):
        if order == "random":
            return []
    elif isinstance(order, (Sequence, np.ndarray)):
        numbers = [int(place) for place in order]
        if sorted(numbers) == list(range(len(numbers))):
            return numbers
    raise ParameterError(
        f"{where}: order={order!r}: expected 'random', or a permutation of 0, 1, ..., one number "
        "for each element."
    )


class _ByCategories(BlockedStep):
    """For variables whose values are 0, 1, ..., K - 1."""

    discrete_only = True
    largest: int | None = None

    @classmethod
    def _names(cls, vars: Any, model: Any) -> list[str]:
        names = super()._names(vars, model)
        counts = {name: categories_of(model.root[name]) for name in names}
        if vars is None:
            names = [name for name in names if cls._suits(counts[name])] or names
        for name in names:
            if not cls._suits(counts[name]):
                most = f"{cls.largest} " if cls.largest is not None else ""
                raise ParameterError(
                    f"{cls.__name__}: {name!r} is {dist_of(model.root[name].node).name}; this step "
                    f"moves Bernoulli variables and Categorical ones of {most}categories. Use "
                    "Metropolis for it."
                )
        return names

    @classmethod
    def _suits(cls, count: int | None) -> bool:
        return count is not None and (cls.largest is None or count <= cls.largest)


class BinaryMetropolis(_ByCategories):
    """Metropolis for binary variables: flips some elements, accepts all flips or none.

    Parameters
    ----------
    vars : list of tensors
        Bernoulli variables, or Categorical ones of two categories.
    scaling : float
        Each element flips with probability ``1 - 0.5**scaling``.
    tune : bool
        PyMC's; there is nothing that it tunes.
    tune_interval : int
        PyMC's.
    model : Model, optional
        The open model by default.
    **kwargs
        PyMC's: rng, initial_point and compile_kwargs, which have no meaning here.
    """

    name = "binary_metropolis"
    largest = 2
    stats_dtypes_shapes = dict.fromkeys(("accept", "p_jump"), (np.float64, []))

    def __init__(  # noqa: PLR0913, a user's keywords as PyMC spells them
        self,
        vars: Any = None,
        scaling: Any = 1.0,
        tune: bool = True,
        tune_interval: int = 100,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vars, model, **kwargs)
        self.scaling = positive(scaling, "scaling", "BinaryMetropolis")
        self.tune, self.tune_interval = bool(tune), tune_interval

    def kernel(self, place: Workplace) -> Any:
        part = place.conditional(self.names)
        step = _core.BinaryMetropolisStep(*place.map(part.joint, part.index))
        step.scaling, step.tune, step.tune_interval = self.scaling, self.tune, self.tune_interval
        return step

    @classmethod
    def competence(cls, var: Any, has_grad: bool = True) -> Competence:
        binary = categories_of(var) == 2
        return Competence.COMPATIBLE if binary else Competence.INCOMPATIBLE


class BinaryGibbsMetropolis(_ByCategories):
    """Metropolis within Gibbs for binary variables: every element by itself.

    Parameters
    ----------
    vars : list of tensors
        Bernoulli variables, or Categorical ones of two categories.
    order : "random" or list of int
        In which order elements are visited.
    transit_p : float
        How often an element is tried.
    model : Model, optional
        The open model by default.
    **kwargs
        PyMC's: rng, initial_point and compile_kwargs, which have no meaning here.
    """

    name = "binary_gibbs_metropolis"
    largest = 2

    def __init__(
        self,
        vars: Any = None,
        order: Any = "random",
        transit_p: float = 0.8,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vars, model, **kwargs)
        self.order = checked_order(order, "BinaryGibbsMetropolis")
        if not 0.0 < transit_p <= 1.0:
            raise ParameterError(
                f"BinaryGibbsMetropolis: transit_p={transit_p!r}: expected a probability above 0."
            )
        self.transit_p = float(transit_p)

    def kernel(self, place: Workplace) -> Any:
        part = place.conditional(self.names)
        how = elements_of(part, 2)
        step = _core.BinaryGibbsStep(*place.map(how.output, part.index))
        how.settle(step)
        step.order, step.transit_p = self.order, self.transit_p
        return step

    @classmethod
    def competence(cls, var: Any, has_grad: bool = True) -> Competence:
        return Competence.IDEAL if categories_of(var) == 2 else Competence.INCOMPATIBLE


class CategoricalGibbsMetropolis(_ByCategories):
    """Metropolis within Gibbs for categorical and binary variables: every element by itself.

    Parameters
    ----------
    vars : list of tensors
        Categorical or Bernoulli variables.
    proposal : {"uniform", "proportional"}
        Any other category, or another one in proportion to its probability (Liu 1996).
    order : "random" or list of int
        In which order elements are visited.
    model : Model, optional
        The open model by default.
    **kwargs
        PyMC's: rng, initial_point and compile_kwargs, which have no meaning here.
    """

    name = "categorical_gibbs_metropolis"

    def __init__(
        self,
        vars: Any = None,
        proposal: str = "uniform",
        order: Any = "random",
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vars, model, **kwargs)
        where = type(self).__name__
        self.order = checked_order(order, where)
        if proposal not in (*PROPOSALS, "exact"):
            raise ParameterError(
                f"{where}: proposal={proposal!r}: expected 'uniform' or 'proportional'."
            )
        self.proposal = proposal

    def kernel(self, place: Workplace) -> Any:
        part = place.conditional(self.names)
        how = elements_of(part, 2 if self.proposal == "uniform" else 1)
        step = _core.CategoricalGibbsStep(*place.map(how.output, part.index))
        how.settle(step)
        step.order, step.proposal = self.order, self.proposal
        step.categories = []
        for value in part.values:
            rv = place.rv(value.name)
            count = categories(rv.dist, rv.params)
            if count is None:
                raise ParameterError(
                    f"{type(self).__name__}: {value.name!r} has no known number of categories; use "
                    "pm.Metropolis() for it."
                )
            step.categories += [count] * value.input.type.size
        return step

    @classmethod
    def competence(cls, var: Any, has_grad: bool = True) -> Competence:
        count = categories_of(var)
        if count is None:
            return Competence.INCOMPATIBLE
        categorical = dist_of(var.node).name == "Categorical"
        return Competence.IDEAL if categorical and count > 2 else Competence.COMPATIBLE


class ElemwiseCategorical(CategoricalGibbsMetropolis):
    """PyMC3's Gibbs step for categorical variables: every element is drawn given the rest.

    Parameters
    ----------
    vars : list of tensors
        Categorical or Bernoulli variables.
    values : None
        PyMC3's list of the categories; all of them here.
    model : Model, optional
        The open model by default.
    **kwargs
        PyMC's: rng, initial_point and compile_kwargs, which have no meaning here.
    """

    name = "elemwise_categorical"

    def __init__(
        self, vars: Any = None, values: Any = None, model: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(vars, "exact", "random", model, **kwargs)
        if values is None:
            return
        given = [int(value) for value in np.ravel(values)]
        for name in self.names:
            count = categories_of(self.model.root[name])
            if given != list(range(count or 0)):
                raise ParameterError(
                    f"ElemwiseCategorical: values={values!r}, but {name!r} takes the values 0 to "
                    f"{(count or 0) - 1}. Leave values out."
                )
