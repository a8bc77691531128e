"""The bridge to ArviZ: `Draws` to the container that the installed ArviZ takes, and back.

xarray and ArviZ 0.x are heavy (0.4 s and 1.2 s of CPU), so they are imported when the first result
is built and never with finetti. `preload` starts that import beside a running sampler.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from finetti.results.container import as_datasets, from_datasets, inference_data_class
from finetti.results.datasets import datasets_to_draws, draws_to_datasets
from finetti.results.lazy import (
    LazyResult,
    container_is_imported,
    replace_draws,
    untouched_draws,
)
from finetti.results.trace import Draws


def to_inference_data(draws: Draws) -> Any:
    """Put draws into the container that the installed ArviZ takes.

    Parameters
    ----------
    draws
        The plain result.

    Returns
    -------
    InferenceData
        A subclass of `arviz.InferenceData` with ArviZ 0.x, of `xarray.DataTree` otherwise.
    """
    return from_datasets(draws_to_datasets(draws))


def make_result(draws: Draws) -> Any:
    """What `sample` hands out: the container, built now or on first touch.

    With its library imported already (`import arviz` at the top of a script) the container is built
    at once. Otherwise a stand-in is returned that becomes it when it is first touched, so that a
    script that never touches it does not pay for the import.
    """
    return to_inference_data(draws) if container_is_imported() else LazyResult(draws)


def to_draws(result: Any) -> Draws:
    """The plain form of a result.

    Parameters
    ----------
    result
        `Draws`, a result of finetti, a DataTree, an InferenceData, or a mapping of group name to
        Dataset.
    """
    if isinstance(result, Draws):
        return result
    untouched = untouched_draws(result)
    if untouched is not None:
        return untouched
    return datasets_to_draws(as_datasets(result))


def extend_inference_data(result: Any, new: Draws) -> Any:
    """Add the groups of `new` to a result in place, replacing those it has; returns the result.

    Parameters
    ----------
    result
        A result of finetti, or any DataTree or InferenceData.
    new
        Usually the groups of predictions.
    """
    untouched = untouched_draws(result)
    if untouched is not None and replace_draws(result, _merged(untouched, new)):
        return result
    groups = draws_to_datasets(new)
    if callable(getattr(result, "_put", None)):
        result.extend(groups, join="right")
    elif hasattr(result, "children"):
        result.update(_tree_nodes(groups))
    else:
        for name in groups:
            if name in result.groups():
                delattr(result, name)
        result.add_groups(groups)
    return result


def preload() -> threading.Thread:
    """Import the container library in a daemon thread, to be ready when the sampler is."""
    thread = threading.Thread(target=_preload, name="finetti-preload", daemon=True)
    thread.start()
    return thread


def _merged(old: Draws, new: Draws) -> Draws:
    return old.with_groups(
        dict(new.items()), coords={**old.coords, **new.coords}, dims={**old.dims, **new.dims}
    )


def _tree_nodes(datasets: Mapping[str, Any]) -> dict[str, Any]:
    """The groups as nodes of a plain DataTree."""
    import xarray

    return {name: xarray.DataTree(dataset=dataset) for name, dataset in datasets.items()}


def _preload() -> None:
    try:
        inference_data_class()
    except Exception:  # the build itself meets the same error and reports it
        return


def __getattr__(name: str) -> Any:
    # the class is built when somebody asks for it, never at import
    if name == "InferenceData":
        return inference_data_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
