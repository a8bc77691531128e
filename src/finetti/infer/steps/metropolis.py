"""Random-walk Metropolis, and its population relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti import _core
from finetti.errors import ParameterError
from finetti.infer.steps.compound import BlockedStep, Competence
from finetti.infer.steps.gibbs import (
    BinaryGibbsMetropolis,
    BinaryMetropolis,
    CategoricalGibbsMetropolis,
    elements_of,
    positive,
)
from finetti.infer.steps.proposals import (
    CauchyProposal,
    LaplaceProposal,
    MultivariateNormalProposal,
    NormalProposal,
    PoissonProposal,
    Proposal,
    UniformProposal,
    chosen_proposal,
)
from finetti.infer.steps.workplace import Workplace

__all__ = [
    "BinaryGibbsMetropolis", "BinaryMetropolis", "CategoricalGibbsMetropolis", "CauchyProposal",
    "DEMetropolis", "DEMetropolisZ", "LaplaceProposal", "Metropolis", "MultivariateNormalProposal",
    "NormalProposal", "PoissonProposal", "Proposal", "UniformProposal",
]  # fmt: skip


class Metropolis(BlockedStep):
    """Random-walk Metropolis: one step for each variable unless ``blocked=True``.

    Every element of a variable is proposed and accepted by itself, elements that are independent
    given the rest all at once. Discrete vectors that are one value (a multinomial's counts) and
    proposals with a covariance move as a whole.

    Parameters
    ----------
    vars : list of tensors, optional
        What to move; every free variable by default.
    S : array_like, optional
        Scale of the proposal, one for each element, or a covariance. 1 by default.
    proposal_dist : class, optional
        NormalProposal (default), UniformProposal, CauchyProposal, LaplaceProposal, PoissonProposal
        or MultivariateNormalProposal.
    scaling : float
        A factor of the proposal, which the warm-up tunes.
    tune : bool
        Whether it does.
    tune_interval : int
        After how many draws.
    model : Model, optional
        The open model by default.
    mode : None
        PyMC's.
    blocked : bool
        One step for all variables.
    **kwargs
        PyMC's: rng, initial_point and compile_kwargs, which have no meaning here.
    """

    name = "metropolis"
    default_blocked = False
    stats_dtypes_shapes = dict.fromkeys(("accept", "accepted", "scaling"), (np.float64, []))

    def __init__(  # noqa: PLR0913, a user's keywords as PyMC spells them
        self,
        vars: Any = None,
        S: Any = None,
        proposal_dist: Any = None,
        scaling: Any = 1.0,
        tune: bool = True,
        tune_interval: int = 100,
        model: Any = None,
        mode: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vars, model, **kwargs)
        self.proposal_dist = chosen_proposal(proposal_dist, S, "Metropolis")
        self.scaling = positive(scaling, "scaling", "Metropolis")
        self.tune, self.tune_interval = bool(tune), tune_interval

    def kernel(self, place: Workplace) -> Any:
        part = place.conditional(self.names)
        whole = isinstance(self.proposal_dist, MultivariateNormalProposal) or any(
            value.discrete and place.rv(value.name).dist.event_ndim for value in part.values
        )
        how = elements_of(part, 2, whole)
        step = _core.MetropolisStep(*place.map(how.output, part.index))
        how.settle(step)
        step.one_at_a_time = not whole and not how.elementwise and part.size > 1
        step.proposal = self.proposal_dist.kind
        step.scale = self.proposal_dist.scale(part.size, repr(self))
        step.scaling, step.tune, step.tune_interval = self.scaling, self.tune, self.tune_interval
        step.discrete = [v.discrete for v in part.values for _ in range(v.input.type.size)]
        return step

    @classmethod
    def competence(cls, var: Any, has_grad: bool = True) -> Competence:
        return Competence.COMPATIBLE


class DEMetropolis(BlockedStep):
    """Differential evolution: jumps along the difference of two other chains (ter Braak 2006).

    Parameters
    ----------
    vars : list of tensors, optional
        What to move; every continuous variable by default.
    S : array_like, optional
        Scale of the noise on top of a jump. 1 by default.
    proposal_dist : class, optional
        Of the noise; NormalProposal by default.
    lamb : float, optional
        The factor of a jump; ``2.38 / sqrt(2 n)`` by default.
    scaling : float
        The factor of the noise.
    tune : {"scaling", "lambda", None}
        Which of the two the warm-up tunes.
    tune_interval : int
        After how many draws.
    model : Model, optional
        The open model by default.
    mode : None
        PyMC's.
    **kwargs
        PyMC's: rng, initial_point and compile_kwargs, which have no meaning here.
    """

    name = "DEMetropolis"
    continuous_only = True
    of_population = True
    stats_dtypes_shapes = dict.fromkeys(
        ("accept", "accepted", "scaling", "lambda"), (np.float64, [])
    )

    def __init__(  # noqa: PLR0913, a user's keywords as PyMC spells them
        self,
        vars: Any = None,
        S: Any = None,
        proposal_dist: Any = None,
        lamb: float | None = None,
        scaling: Any = 0.001,
        tune: str | None = "scaling",
        tune_interval: int = 100,
        model: Any = None,
        mode: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vars, model, **kwargs)
        where = type(self).__name__
        self.proposal_dist = chosen_proposal(proposal_dist, S, where)
        self.scaling = positive(scaling, "scaling", where)
        self.lamb = None if lamb is None else positive(lamb, "lamb", where)
        if tune not in ("scaling", "lambda", None):
            raise ParameterError(
                f"{where}: tune={tune!r}: expected 'scaling', 'lambda' or None, what to tune."
            )
        self.tune: str | None = tune
        self.tune_interval = tune_interval

    def kernel(self, place: Workplace) -> Any:
        return self._settled(_core.DEMetropolisStep, place)

    def _settled(self, kind: Any, place: Workplace) -> Any:
        part = place.conditional(self.names)
        step = kind(*place.map(part.joint, part.index))
        step.proposal = self.proposal_dist.kind
        step.scale = self.proposal_dist.scale(part.size, repr(self))
        step.lamb = 2.38 / np.sqrt(2 * part.size) if self.lamb is None else self.lamb
        step.scaling, step.tune_interval = self.scaling, self.tune_interval
        step.tune = "none" if self.tune is None else self.tune
        return step

    @classmethod
    def competence(cls, var: Any, has_grad: bool = True) -> Competence:
        continuous = var.dtype.kind == "f"
        return Competence.COMPATIBLE if continuous else Competence.INCOMPATIBLE


class DEMetropolisZ(DEMetropolis):
    """Differential evolution with the chain's own past for the other chains (ter Braak 2008).

    Parameters
    ----------
    vars, S, proposal_dist, lamb, scaling, tune, tune_interval
        As for `DEMetropolis`.
    tune_drop_fraction : float
        Which part of the past is forgotten when the warm-up ends.
    model : Model, optional
        The open model by default.
    mode : None
        PyMC's.
    **kwargs
        PyMC's: rng, initial_point and compile_kwargs, which have no meaning here.
    """

    name = "DEMetropolisZ"
    of_population = False

    def __init__(  # noqa: PLR0913, a user's keywords as PyMC spells them
        self,
        vars: Any = None,
        S: Any = None,
        proposal_dist: Any = None,
        lamb: float | None = None,
        scaling: Any = 0.001,
        tune: str | None = "scaling",
        tune_interval: int = 100,
        tune_drop_fraction: float = 0.9,
        model: Any = None,
        mode: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vars, S, proposal_dist, lamb, scaling, tune, tune_interval, model, mode, **kwargs
        )
        if not 0.0 <= tune_drop_fraction <= 1.0:
            raise ParameterError(
                f"DEMetropolisZ: tune_drop_fraction={tune_drop_fraction!r}: expected a number "
                "between 0 and 1."
            )
        self.tune_drop_fraction = float(tune_drop_fraction)

    def kernel(self, place: Workplace) -> Any:
        step = self._settled(_core.DEMetropolisZStep, place)
        step.tune_drop_fraction = self.tune_drop_fraction
        return step
