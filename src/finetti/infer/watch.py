"""`sample(callback=...)`: the user's function is told of every draw.

Chains are native threads that call no Python. The thread that waits for them tells the function
what they have made since it last looked: each chain's draws in order, the chains side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from finetti.model.compile import Array, Layout
from finetti.results.multitrace import MultiTrace


class Draw(NamedTuple):
    """What a callback gets of one draw, as in PyMC.

    Parameters
    ----------
    chain : int
        Its number.
    is_last : bool
        Whether no draw of this chain comes after it.
    draw_idx : int
        Its place in the chain, from 0, warm-up included.
    tuning : bool
        Whether it belongs to the warm-up.
    stats : list of dict
        The statistics of each step method.
    point : dict
        Unconstrained values by name.
    """

    chain: int
    is_last: bool
    draw_idx: int
    tuning: bool
    stats: list[dict[str, Any]]
    point: dict[str, Array]


class ChainTrace:
    """One chain so far, warm-up included: ``len(trace)``, ``trace["mu"]``, ``trace[-1]``.

    Everything else is asked of a `MultiTrace` of that chain, computed when it is needed.
    """

    def __init__(self, chain: int, rows: Callable[[int], Array], read: Callable[..., MultiTrace]):
        self.chain = chain
        self._rows, self._read = rows, read
        self._count = 0
        self._known: tuple[int, MultiTrace | None] = (0, None)

    def __len__(self) -> int:
        return self._count

    def as_multitrace(self) -> MultiTrace:
        """The draws so far."""
        count, known = self._known
        if known is None or count != self._count:
            known = self._read(self._rows(self._count), self.chain)
            self._known = (self._count, known)
        return known

    def __getitem__(self, index: Any) -> Any:
        return self.as_multitrace()[index]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.as_multitrace(), name)


class Watch:
    """Tells a callback of the draws of a run.

    Parameters
    ----------
    callback : callable
        ``callback(trace=ChainTrace, draw=Draw)``; a KeyboardInterrupt in it ends the run.
    layout : Layout
        Of the walked values.
    read : callable
        ``read(rows, chain)``: a trace of walked values.
    chains, tune, draws : int
        Sizes of the run.
    """

    def __init__(
        self,
        callback: Callable[..., Any],
        layout: Layout,
        read: Callable[[Array, int], MultiTrace],
        chains: int,
        tune: int,
        draws: int,
    ):
        self.callback, self.layout, self.read = callback, layout, read
        self.tune, self.draws = tune, draws
        self.told = [0] * chains
        self._traces: list[ChainTrace] = []

    def __call__(self, run: Any) -> None:
        """Tell of what is new."""
        warmup, kept = (run.warmup_draws if self.tune else None), run.draws
        stats = [_by_step(run.warmup_stats), _by_step(run.stats)]
        if not self._traces:
            self._traces = [self._trace(chain, warmup, kept) for chain in range(len(self.told))]
        made = list(run.finished)
        while True:
            behind = [chain for chain, told in enumerate(self.told) if told < made[chain]]
            if not behind:
                return
            chain = min(behind, key=self.told.__getitem__)
            index = self.told[chain]
            tuning = index < self.tune
            place = index if tuning else index - self.tune
            row = (warmup if tuning and warmup is not None else kept)[chain, place]
            step_stats = [
                {name: values[chain, place] for name, values in step.items()}
                for step in stats[not tuning]
            ]
            self.told[chain] += 1
            trace = self._traces[chain]
            trace._count = self.told[chain]
            last = index + 1 == self.tune + self.draws
            draw = Draw(chain, last, index, tuning, step_stats, self._point(row))
            self.callback(trace=trace, draw=draw)

    def _trace(self, chain: int, warmup: Array | None, kept: Array) -> ChainTrace:
        def rows(count: int) -> Array:
            after = kept[chain, : max(0, count - self.tune)]
            return after if warmup is None else np.concatenate([warmup[chain, :count], after])

        return ChainTrace(chain, rows, self.read)

    def _point(self, row: Array) -> dict[str, Array]:
        layout = self.layout
        parts = zip(layout.names, layout.slices, layout.shapes, layout.dtypes, strict=True)
        return {
            name: np.asarray(row[part], dtype).reshape(shape) for name, part, shape, dtype in parts
        }


def _by_step(stats: Any) -> list[Mapping[str, Array]]:
    """The statistics of each step; NUTS by itself has them in one dict."""
    return [stats] if isinstance(stats, Mapping) else list(stats)
