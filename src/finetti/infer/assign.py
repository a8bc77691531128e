"""Which step moves which variable: the user's steps first, PyMC's choice for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finetti.errors import ModelError, ParameterError, warn
from finetti.infer.options import Options
from finetti.infer.steps import STEP_METHODS
from finetti.infer.steps.arraystep import as_step
from finetti.infer.steps.compound import BlockedStep, CompoundStep, flattened
from finetti.infer.steps.hmc import NUTS
from finetti.model.conditional import leaves, without, without_gradient
from finetti.model.logdensity import Density


@dataclass(frozen=True)
class Plan:
    """How a model is sampled.

    Parameters
    ----------
    core : Density
        Of the variables that steps move.
    leaves : list of str
        Variables that are drawn from their distributions afterwards.
    steps : list of step methods
        As the user arranged them, then those that were chosen for the rest.
    automatic : bool
        Whether all steps were chosen here.
    """

    core: Density
    leaves: list[str]
    steps: list[BlockedStep]
    automatic: bool

    @property
    def step(self) -> BlockedStep:
        """All steps as one."""
        return self.steps[0] if len(self.steps) == 1 else CompoundStep(self.steps)

    @property
    def kernels(self) -> list[BlockedStep]:
        """The single steps in order."""
        return [inner for step in self.steps for inner in flattened(step)]

    @property
    def only_nuts(self) -> NUTS | None:
        """The step, when it is NUTS of all walked variables."""
        kernels = self.kernels
        if len(kernels) != 1 or type(kernels[0]) is not NUTS:
            return None
        walked = {value.name for value in self.core.values}
        return kernels[0] if set(kernels[0].names) == walked else None


def assign(model: Any, density: Density, options: Options) -> Plan:
    """Find a step for every variable.

    Parameters
    ----------
    model : Model
        The model.
    density : Density
        Its log density.
    options : Options
        With the user's steps, and settings for those chosen here.
    """
    given = [as_step(step, model) for step in _listed(options.step)]
    free = {value.name for value in density.values}
    for step in given:
        for name in step.names:
            if name not in free:
                raise ModelError(
                    f"sample: {step!r} moves {name!r}, which is no free variable of this model. "
                    "Was the step made for another one?"
                )
    chosen = {n for step in given for part in flattened(step) if part.chosen for n in part.names}
    unmoved = leaves(density, chosen)
    core = without(density, unmoved)
    kept = [step for step in (step.without(unmoved) for step in given) if step is not None]
    moved = {name for step in kept for name in step.names}
    rest = [value.name for value in core.values if value.name not in moved]
    plan = Plan(core, unmoved, kept + _automatic(model, core, rest, options), not given)
    _check_population(plan, options)
    return plan


def _listed(step: Any) -> list[Any]:
    if step is None:
        return []
    return list(step) if isinstance(step, (list, tuple)) else [step]


def _automatic(
    model: Any, core: Density, names: Sequence[str], options: Options
) -> list[BlockedStep]:
    """PyMC's choice: the most competent method for each variable, the first of equals."""
    groups: dict[type[BlockedStep], list[str]] = {}
    rough = without_gradient(core) if names else set()
    for name in names:
        competences = [method.competence(model.root[name], name not in rough)
                       for method in STEP_METHODS]  # fmt: skip
        method = STEP_METHODS[competences.index(max(competences))]
        groups.setdefault(method, []).append(name)
    unused = set(options.step_keywords) - {method.name for method in groups}
    if unused:
        raise ParameterError(
            f"sample: {sorted(unused)[0]}={options.step_keywords[sorted(unused)[0]]!r}: no step "
            "of that kind is chosen here. Settings of a step that you make yourself go to the step."
        )
    if options.nuts and NUTS not in groups:
        raise ParameterError(
            f"sample: {', '.join(options.nuts)}: settings of NUTS, but no variable is left to it "
            "here. Give them to the step that you make, e.g. `pm.NUTS(target_accept=0.9)`."
        )
    steps = []
    for method, members in groups.items():
        variables = [model.root[name] for name in members]
        keywords: Mapping[str, Any] = options.step_keywords.get(method.name, {})
        step: BlockedStep = method(variables, model=model, **keywords)
        if isinstance(step, NUTS):
            step.settings, step.dense = {**step.settings, **options.nuts}, options.dense
        steps.append(step)
    return steps


def _check_population(plan: Plan, options: Options) -> None:
    if not any(getattr(step, "of_population", False) for step in plan.kernels):
        return
    size = sum(value.input.type.size for value in plan.core.values)
    if options.chains < 3:
        raise ParameterError(
            f"sample: DEMetropolis needs at least 3 chains, got chains={options.chains}. For the "
            f"{size} dimensions of this model give at least {size + 1}."
        )
    if options.chains <= size:
        warn(
            "DEMetropolis should be used with more chains than dimensions! "
            f"(The model has {size} dimensions.)",
        )
