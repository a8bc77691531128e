"""The run of a model without latent sites: the same density at every draw, as in NumPyro."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from finetti.infer.nuts import Adapted, NutsDraws
from finetti.infer.options import Options

Array = Any


def nothing_moves(step_size: float, compiled: Any, options: Options) -> NutsDraws:
    """The draws of a model without latent sites.

    Parameters
    ----------
    step_size : float
        What the kernel was given.
    compiled : callable
        The density, of no values.
    options : Options
        The sizes of the run.
    """
    value, _ = compiled(np.empty(0))

    def stats(count: int) -> dict[str, Array]:
        full = partial(np.full, (options.chains, count))
        return {
            "diverging": full(False), "n_steps": full(1), "acceptance_rate": full(1.0),
            "lp": full(value), "energy": full(-value), "step_size_bar": full(step_size),
        }  # fmt: skip

    empty = np.empty((options.chains, options.draws, 0))
    adapted = Adapted(np.empty((options.chains, 0)), np.full(options.chains, step_size))
    warmup = np.empty((options.chains, options.tune, 0)) if options.keep_warmup else None
    warmup_stats = stats(options.tune) if options.keep_warmup else None
    return NutsDraws(
        empty, stats(options.draws), warmup, warmup_stats, 0.0, False, options.chains, adapted
    )
