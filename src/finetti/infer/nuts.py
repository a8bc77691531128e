"""Running the native NUTS."""

from __future__ import annotations

from typing import Any

from finetti import _core
from finetti.errors import ParameterError
from finetti.infer.options import Options, nuts_config
from finetti.infer.progress import Progress
from finetti.infer.running import Adapted, FailedRun, NutsDraws, carry_out, nothing_to_walk
from finetti.model.compile import Array, CompiledDensity

NOTHING_LEARNED = Adapted()


def run_nuts(
    compiled: CompiledDensity,
    options: Options,
    initial: Array,
    progress: Progress,
    given: Adapted = NOTHING_LEARNED,
) -> NutsDraws:
    """Sample all chains.

    Parameters
    ----------
    compiled : CompiledDensity
        What to sample.
    options : Options
        Sizes, seed and settings.
    initial : ndarray
        [chain, n] unconstrained starts, before the jitter.
    progress : Progress
        Where snapshots go.
    given : Adapted
        A metric and step sizes to begin with: kept where nothing is adapted.

    Raises
    ------
    SamplingError
        When a chain could not start or go on.
    KeyboardInterrupt
        When it was interrupted before any draw was kept.
    """
    config = _config(options, given)
    blocks = [compiled.new_block() for _ in range(options.chains)]
    try:
        run = _core.NutsRun(
            config, compiled.fn_address, [block.address for block in blocks], initial,
            options.seed, (compiled, blocks), *given.contiguous(),
        )  # fmt: skip
    except ValueError as error:
        raise ParameterError(f"sample: {error}.") from None
    return carry_out(
        run,
        options,
        progress,
        stats=lambda: (run.stats, run.warmup_stats),
        adapted=lambda: Adapted.of(run, given.blocks),
    )


def _config(options: Options, given: Adapted) -> Any:
    settings = {
        "draws": options.draws,
        "tune": options.tune,
        "store_warmup": options.stores_warmup,
        "dense_blocks": [block.tolist() for block in given.blocks],
        **options.nuts,
    }
    if options.retries is not None:
        settings["init_retries"] = options.retries
    if not options.jitter:
        settings["init_jitter"] = 0.0
    return nuts_config(settings, "sample")


__all__ = ["Adapted", "FailedRun", "NutsDraws", "nothing_to_walk", "run_nuts"]
