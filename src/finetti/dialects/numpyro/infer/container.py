"""A run as the container that ArviZ takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti.infer.groups import data_groups
from finetti.results.trace import Draws


def dims_of(site: Any) -> list[str | None]:
    """Names of a site's axes: its plates', and None for the others."""
    frames = {frame.dim: frame.name for frame in site.message.get("cond_indep_stack", ())}
    event = site.message.get("infer", {}).get("event_dims", ())
    ndim = len(site.shape)
    events = site.message.get("event_dim", 0)
    batch = [frames.get(axis - (ndim - events)) for axis in range(ndim - events)]
    named = list(event) if len(event) == events else [None] * events
    return [*batch, *named]


def draws_of(result: Any, thinning: int, tune: int) -> Draws:
    """What the container is made of: posterior, sample_stats and observed_data.

    Parameters
    ----------
    result : Result
        A run.
    thinning : int
        Keep every so many-th draw.
    tune : int
        Draws of the warm-up.
    """

    def thin(x: np.ndarray) -> np.ndarray:
        return x if thinning == 1 else x[:, thinning - 1 :: thinning]

    target = result.target
    dims: Mapping[str, Any] = {}
    groups: dict[str, Any] = {}
    if target.translated is not None:
        sites = target.translated.sites
        dims = {
            name: dims_of(site)
            for name, site in sites.items()
            if site.kind in ("latent", "observed") and any(dims_of(site))
        }
        groups = data_groups(target.model, target.density.frozen)
    draws = Draws(
        posterior={name: thin(x) for name, x in result.samples.items()},
        sample_stats={name: thin(x) for name, x in result.run.stats.items()},
        dims=dims,
        attrs={
            "sampling_time": result.run.seconds,
            "tuning_steps": tune,
            "gradient_evaluations": result.run.gradients,
            "random_seed": result.seed,
        },
    )
    return draws.with_groups(groups)
