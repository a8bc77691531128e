"""What every run of the native core shares: wait for it, show progress, stop it, take its draws."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.backends.native.callback import raise_users
from finetti.errors import SamplingError
from finetti.infer.logs import log
from finetti.infer.options import Options
from finetti.infer.progress import Progress
from finetti.model.compile import Array

FIRST_WAIT = 0.002  # seconds; short runs are not held up by polling
LONGEST_WAIT = 0.1
Stats = dict[str, Array]


def _nobody() -> None:
    """No Python of the user's own takes part."""


@dataclass(frozen=True)
class Adapted:
    """What a warm-up learns: where a run begins with it, or how it ended.

    Parameters
    ----------
    metric : ndarray, optional
        [chain, n] variances of the unconstrained values: the diagonal of the inverse mass matrix.
    steps : ndarray, optional
        [chain] step sizes.
    blocks : tuple of ndarray
        Elements that have a dense metric together, in the order of the matrix.
    matrices : tuple of ndarray
        [chain, size, size] of each block; none where they are all learned.
    """

    metric: Array | None = None
    steps: Array | None = None
    blocks: tuple[Array, ...] = ()
    matrices: tuple[Array, ...] = ()

    @classmethod
    def of(cls, run: Any, blocks: tuple[Array, ...], index: Array | None = None) -> Adapted:
        """What a run of the core ended with; `index` are the places of its elements."""
        metric, rows = np.asarray(run.metric), np.asarray(run.dense_metric)
        if index is not None:
            metric, moved = np.empty_like(metric), metric
            metric[:, index] = moved
        ends = np.cumsum([len(block) ** 2 for block in blocks])
        matrices = tuple(
            part.reshape(len(rows), len(block), len(block))
            for part, block in zip(np.split(rows, ends[:-1], 1), blocks, strict=False)
        )
        return cls(metric, np.asarray(run.step_sizes), blocks, matrices)

    def of_chains(self, chains: Array) -> Adapted:
        """That of some chains."""
        metric, steps = (None if x is None else x[chains] for x in (self.metric, self.steps))
        return Adapted(metric, steps, self.blocks, tuple(m[chains] for m in self.matrices))

    def within(self, index: Array) -> Adapted:
        """The same for a part of the elements, with blocks counted in this part."""
        metric = None if self.metric is None else self.metric[:, index]
        place = {element: i for i, element in enumerate(np.asarray(index).tolist())}
        blocks = tuple(np.array([place[i] for i in block.tolist()]) for block in self.blocks)
        return Adapted(metric, self.steps, blocks, self.matrices)

    def contiguous(self) -> tuple[Array | None, Array | None, Array | None]:
        """Metric, step sizes and matrices as the sampler takes them."""
        dense = [matrix.reshape(len(matrix), -1) for matrix in self.matrices]
        parts = (self.metric, self.steps, np.concatenate(dense, 1) if dense else None)
        metric, steps, rows = (
            None if part is None else np.ascontiguousarray(part, float) for part in parts
        )
        return metric, steps, rows


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


def carry_out(
    run: Any,
    options: Options,
    progress: Progress,
    stats: Callable[[], tuple[Stats, Stats]],
    adapted: Callable[[], Adapted | None],
    blame: Callable[[], None] = _nobody,
) -> NutsDraws:
    """Start a run, wait for it, and take what it has kept.

    Parameters
    ----------
    run : NutsRun or StepRun
        Of the core.
    options : Options
        Sizes, and who watches.
    progress : Progress
        Where snapshots go.
    stats, adapted : callable
        The statistics of the draws and of the warm-up, and what was learned, once it has ended.
    blame : callable
        Raises the error of a user's own Python that takes part.

    Raises
    ------
    FailedRun
        When a chain could not start or go on.
    KeyboardInterrupt
        When it was interrupted before any draw was kept.
    """
    began = time.perf_counter()
    interrupted = follow(run, options, progress)
    seconds = time.perf_counter() - began
    if any(run.errors):
        raise_users(run.errors)
        blame()
        raise FailedRun(failures(run.errors), np.asarray(run.last_points))
    return collect(run, stats(), options, seconds, interrupted, adapted())


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


def follow(run: Any, options: Options, progress: Progress) -> bool:
    """Wait for the run; True when the user stopped it."""
    wait, watch = FIRST_WAIT, options.watch
    run.start(options.cores)
    try:
        while not run.join(wait):
            wait = min(2 * wait, LONGEST_WAIT)
            progress.update(run.poll())
            if watch is not None:
                watch(run)
        if watch is not None:
            watch(run)
    except BaseException as error:
        run.stop()
        while not run.join(LONGEST_WAIT):
            pass
        if not isinstance(error, KeyboardInterrupt):
            raise
        return True
    finally:
        progress.finish(run.poll())
    return False


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
        finished = run.finished if options.watch is None else options.watch.told
        kept = [max(0, count - options.tune) for count in finished]
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
        adapted = adapted.of_chains(chains)
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
