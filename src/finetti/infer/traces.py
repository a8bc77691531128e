"""Posterior draws in whatever form they come, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.errors import ParameterError, ShapeError
from finetti.results.arviz import to_draws
from finetti.results.lazy import untouched_draws
from finetti.results.trace import Array, Draws


@dataclass(frozen=True)
class Trace:
    """Draws by name.

    Parameters
    ----------
    values : mapping
        Variable name -> [chain, draw, *shape].
    data : mapping
        Name -> what the model's data were.
    coords : mapping
        Dimension name -> labels.
    sample_coords : mapping
        Labels of "chain" and "draw" where they are not 0, 1, 2, ...
    """

    values: Mapping[str, Array]
    data: Mapping[str, Array]
    coords: Mapping[str, Any]
    sample_coords: Mapping[str, Any]

    @property
    def chains(self) -> int:
        """How many chains."""
        return next(iter(self.values.values())).shape[0]

    @property
    def count(self) -> int:
        """How many draws in all."""
        shape = next(iter(self.values.values())).shape
        return int(shape[0] * shape[1])

    def rows(self, name: str, shape: tuple[int, ...]) -> Array:
        """The draws of one variable as [chain * draw, *shape]."""
        array = self.values[name]
        if array.shape[2:] != shape:
            raise ShapeError(
                f"the trace has {name!r} in shape {array.shape[2:]}, the model in shape {shape}. "
                "Was the trace drawn with another model, or with other data?"
            )
        return np.reshape(array, (self.count, *shape))


def read_trace(trace: Any, where: str) -> Trace:
    """Read draws.

    Parameters
    ----------
    trace : InferenceData, DataTree, Dataset, list of dict, or mapping
        What `sample` returned, one of its groups, a list of points, or name -> [chain, draw, ...].
    where : str
        Who asks, for messages.
    """
    if isinstance(trace, Draws):
        draws = trace
        return Trace(_posterior(draws, where), draws.constant_data, draws.coords, {})
    if isinstance(trace, (list, tuple)) and trace and all(isinstance(p, Mapping) for p in trace):
        names = trace[0].keys()
        values = {
            name: np.stack([np.asarray(point[name]) for point in trace])[None] for name in names
        }
        return Trace(values, {}, {}, {})
    # A Dataset, or the node of one group; the root of a tree has data_vars too, but no chains.
    if hasattr(trace, "data_vars") and ("chain" in trace.dims or not hasattr(trace, "children")):
        return _of_dataset(trace, where)
    if isinstance(trace, Mapping) and all(hasattr(v, "shape") for v in trace.values()):
        return Trace({name: np.asarray(v) for name, v in trace.items()}, {}, {}, {})
    draws = to_draws(trace)
    return Trace(_posterior(draws, where), draws.constant_data, draws.coords, _labels(trace))


def _posterior(draws: Draws, where: str) -> Mapping[str, Array]:
    values = draws.posterior or draws.group("prior")
    if not values:
        raise ParameterError(
            f"{where}: the trace has no posterior group; its groups are "
            f"{', '.join(draws.groups) or 'none'}. Pass what `pm.sample` returned."
        )
    return values


def _of_dataset(dataset: Any, where: str) -> Trace:
    lacking = [dim for dim in ("chain", "draw") if dim not in dataset.dims]
    if lacking:
        raise ParameterError(
            f"{where}: the dataset has dims {tuple(dataset.dims)}, expected chain and draw among "
            "them."
        )
    values = {
        str(name): variable.transpose("chain", "draw", ...).to_numpy()
        for name, variable in dataset.data_vars.items()
    }
    coords = {str(name): coord.to_numpy() for name, coord in dataset.coords.items()}
    sample: dict[str, Any] = {name: coords[name] for name in ("chain", "draw") if name in coords}
    return Trace(values, {}, coords, sample)


def _labels(trace: Any) -> dict[str, Any]:
    """Labels of chains and draws, where they are not plain numbers from 0."""
    if untouched_draws(trace) is not None:
        return {}
    group = getattr(trace, "posterior", None)
    found = {}
    for name in ("chain", "draw"):
        if group is None or name not in group.coords:
            continue
        labels = np.asarray(group.coords[name])
        if not np.array_equal(labels, np.arange(len(labels))):
            found[name] = labels
    return found
