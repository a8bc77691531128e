"""Running several steps, one after another in every draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finetti import _core
from finetti.errors import ParameterError, SamplingError
from finetti.infer.options import Options
from finetti.infer.progress import Progress
from finetti.infer.running import Adapted, NutsDraws, carry_out
from finetti.infer.steps.arraystep import PythonChains
from finetti.infer.steps.compound import BlockedStep
from finetti.infer.steps.workplace import Workplace
from finetti.model.compile import Array, compile_outputs, map_rows
from finetti.model.logdensity import Density

DROPPED = ("tune",)  # statistics that say nothing of the kept draws


def run_steps(
    steps: Sequence[BlockedStep],
    density: Density,
    options: Options,
    initial: Array,
    progress: Progress,
) -> NutsDraws:
    """Sample all chains.

    Parameters
    ----------
    steps : sequence of step methods
        In the order in which they move.
    density : Density
        Of the variables they move.
    options : Options
        Sizes, seed and settings.
    initial : ndarray
        [chain, n] unconstrained starts.
    progress : Progress
        Where snapshots go.

    Raises
    ------
    SamplingError
        When a chain could not start or go on.
    KeyboardInterrupt
        When it was interrupted before any draw was kept.
    """
    place = Workplace(density, options.chains, options.seed, options.backend)
    kernels = []
    for step in steps:
        kernel = step.kernel(place)
        kernel.name = repr(step)
        kernels.append(kernel)
    try:
        run = _core.StepRun(
            kernels, options.draws, options.tune, options.stores_warmup,
            np.ascontiguousarray(initial, float), options.seed, place.keep,
        )  # fmt: skip
    except ValueError as error:
        raise ParameterError(f"sample: {error}") from None
    result = carry_out(
        run,
        options,
        progress,
        stats=lambda: (joined(run.stats), joined(run.warmup_stats)),
        adapted=lambda: _adapted(steps, kernels, place),
        blame=lambda: _raise_users(place),
    )
    _with_whole_lp(result, density, options.backend)
    return result


def _adapted(
    steps: Sequence[BlockedStep], kernels: Sequence[Any], place: Workplace
) -> Adapted | None:
    """What was learned, where one Hamiltonian step moves everything."""
    if len(kernels) != 1 or not isinstance(kernels[0], _core.HamiltonianStep):
        return None
    index = place.conditional(steps[0].names).index
    if len(index) != place.layout.n:
        return None
    blocks = tuple(index[block] for block in kernels[0].config.dense_blocks)
    return Adapted.of(kernels[0], blocks, index)


def _raise_users(place: Workplace) -> None:
    """An error in a step of the user's own is shown with its traceback."""
    for calls in place.keep:
        if isinstance(calls, PythonChains) and calls.error is not None:
            kind = type(calls.error).__name__
            raise SamplingError(f"sample: {calls.label}: {kind}: {calls.error}") from calls.error


def joined(stats: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """The steps' statistics by name; what several steps have gets an axis of steps, as in PyMC."""
    names = dict.fromkeys(name for row in stats for name in row if name not in DROPPED)
    columns = {name: [row[name] for row in stats if name in row] for name in names}
    return {
        name: arrays[0] if len(arrays) == 1 else np.stack(arrays, -1)
        for name, arrays in columns.items()
    }


def _with_whole_lp(result: NutsDraws, density: Density, backend: str | None) -> None:
    """A step knows the terms that it touches; `lp` is the density of all that is walked."""
    if "lp" not in result.stats:
        return
    function = compile_outputs([density.logp().node], density.inputs, backend)
    for stats, draws in (
        (result.stats, result.draws),
        (result.warmup_stats, result.warmup_draws),
    ):
        if stats is not None and draws is not None:
            rows = map_rows(function, draws.reshape(-1, draws.shape[-1]))
            stats["lp"] = rows.reshape(draws.shape[:2])
