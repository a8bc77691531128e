"""Running the native NUTS: start, poll, show progress, stop on Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti import _core
from finetti.backends.native.callback import raise_users
from finetti.errors import SamplingError
from finetti.infer.logs import log
from finetti.infer.options import Options, nuts_config
from finetti.infer.progress import Progress
from finetti.model.compile import Array, CompiledDensity

FIRST_WAIT = 0.002  # seconds; short runs are not held up by polling
LONGEST_WAIT = 0.1


@dataclass(frozen=True)
class Adapted:
    """What a warm-up learns: where a run begins with it, or how it ended.

    Parameters
    ----------
    metric : ndarray, optional
        [chain, n] variances of the unconstrained values: the diagonal of the inverse mass matrix.
    steps : ndarray, optional
        [chain] step sizes.
    """

    metric: Array | None = None
    steps: Array | None = None

    def contiguous(self) -> tuple[Array | None, Array | None]:
        """Both as the sampler takes them."""
        metric, steps = (
            None if part is None else np.ascontiguousarray(part, float)
            for part in (self.metric, self.steps)
        )
        return metric, steps


@dataclass(frozen=True)
class NutsDraws:
    """What came out of a run.

    Parameters
    ----------
    draws : ndarray
        Unconstrained values, [chain, draw, n].
    stats : dict
        Name -> [chain, draw].
    warmup_draws, warmup_stats
        The same for the warm-up; None where it was not kept.
    seconds : float
        Wall time.
    interrupted : bool
        Whether it was stopped before its end.
    gradients : int
        Evaluations of the density, all chains together, warm-up included.
    adapted : Adapted, optional
        The metric and the step sizes at the end, where one step moved everything along gradients.
    """

    draws: Array
    stats: dict[str, Array]
    warmup_draws: Array | None
    warmup_stats: dict[str, Array] | None
    seconds: float
    interrupted: bool
    gradients: int
    adapted: Adapted | None = None


class FailedRun(SamplingError):
    """A chain could not start or go on; `points` are where the chains were."""

    def __init__(self, message: str, points: Array):
        super().__init__(message)
        self.points = points


def run_nuts(
    compiled: CompiledDensity,
    options: Options,
    initial: Array,
    progress: Progress,
    given: Adapted = Adapted(),
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
    config = _config(options)
    blocks = [compiled.new_block() for _ in range(options.chains)]
    run = _core.NutsRun(
        config, compiled.fn_address, [block.address for block in blocks], initial, options.seed,
        (compiled, blocks), *given.contiguous(),
    )  # fmt: skip
    began = time.perf_counter()
    interrupted = follow(run, options.cores, progress)
    seconds = time.perf_counter() - began
    if any(run.errors):
        raise_users(run.errors)
        raise FailedRun(failures(run.errors), np.asarray(run.last_points))
    adapted = Adapted(np.asarray(run.metric), np.asarray(run.step_sizes))
    stats = (run.stats, run.warmup_stats)
    return collect(run, stats, options, seconds, interrupted, adapted)


def failures(errors: Sequence[str]) -> str:
    """The chains' messages, each said once."""
    chains: dict[str, list[str]] = {}
    for chain, text in enumerate(errors):
        if text:
            chains.setdefault(text, []).append(str(chain))
    return "; ".join(
        f"chain{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}: {text}"
        for text, numbers in chains.items()
    )


def _config(options: Options) -> Any:
    settings = {
        "draws": options.draws,
        "tune": options.tune,
        "store_warmup": options.keep_warmup,
        **options.nuts,
    }
    if options.retries is not None:
        settings["init_retries"] = options.retries
    if not options.jitter:
        settings["init_jitter"] = 0.0
    return nuts_config(settings, "sample")


def follow(run: Any, cores: int, progress: Progress) -> bool:
    """Wait for the run; True when the user stopped it."""
    wait = FIRST_WAIT
    interrupted = False
    run.start(cores)
    try:
        while not run.join(wait):
            wait = min(2 * wait, LONGEST_WAIT)
            progress.update(run.poll())
    except KeyboardInterrupt:
        interrupted = True
        run.stop()
        while not run.join(LONGEST_WAIT):
            pass
    finally:
        progress.finish(run.poll())
    return interrupted


def collect(
    run: Any,
    stats: tuple[dict[str, Array], dict[str, Array]],
    options: Options,
    seconds: float,
    interrupted: bool,
    adapted: Adapted | None = None,
) -> NutsDraws:
    """What a run has kept; `stats` are those of the draws and of the warm-up."""
    keep_warmup = options.keep_warmup and options.tune > 0
    chains, draws = np.arange(options.chains), options.draws
    if interrupted:
        kept = [max(0, finished - options.tune) for finished in run.finished]
        chains, draws = rectangle(kept)
        if not draws:
            log.info("Sampling interrupted during tuning: there are no draws to return.")
            raise KeyboardInterrupt
        log.info(
            "Sampling interrupted: returning %d draws of %d chain%s.",
            draws, len(chains), "s" if len(chains) > 1 else "",
        )  # fmt: skip
    whole = len(chains) == options.chains and draws == options.draws

    def cut(array: Array) -> Array:
        return array if whole else array[chains, :draws]

    if adapted is not None and adapted.metric is not None and adapted.steps is not None:
        adapted = Adapted(adapted.metric[chains], adapted.steps[chains])
    return NutsDraws(
        cut(run.draws),
        {name: cut(values) for name, values in stats[0].items()},
        run.warmup_draws[chains] if keep_warmup else None,
        {name: values[chains] for name, values in stats[1].items()} if keep_warmup else None,
        seconds,
        interrupted,
        int(sum(run.gradients)),
        adapted,
    )


def nothing_to_walk(options: Options) -> NutsDraws:
    """A run of a model whose variables are all drawn from their distributions."""
    empty = np.empty((options.chains, options.draws, 0))
    return NutsDraws(empty, {}, None, None, 0.0, False, 0)


def rectangle(finished: Sequence[int]) -> tuple[Array, int]:
    """Which chains, and how many draws of each, keep the most of an interrupted run."""
    lengths = np.asarray(finished)
    order = np.argsort(-lengths, kind="stable")
    totals = (1 + np.arange(len(lengths))) * lengths[order]
    best = int(np.argmax(totals))
    return np.sort(order[: best + 1]), int(lengths[order[best]])
