"""Named arrays to `xarray.Dataset` and back, one dataset a group.

Nothing is lost on the way: dims that do not fit their array fall back to the default names with a
warning, because an error here would come after the sampling is paid for.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from finetti.errors import warn
from finetti.results.trace import DATA_GROUPS, GROUP_ORDER, Array, Draws, Group

if TYPE_CHECKING:
    import xarray

SAMPLE_DIMS = ("chain", "draw")
# attributes of the run; PyMC keeps them on the groups that the run wrote
_RUN_GROUPS = ("posterior", "sample_stats", "warmup_posterior", "warmup_sample_stats")
# written anew whenever a dataset is built
_OWN_ATTRS = (
    "created_at",
    "creation_library",
    "creation_library_version",
    "creation_library_language",
    "sample_dims",
)


def draws_to_datasets(draws: Draws) -> dict[str, xarray.Dataset]:
    """One dataset for each group of `draws`, in ArviZ's order."""
    created = datetime.datetime.now(datetime.UTC).isoformat()
    return {
        name: group_to_dataset(
            name, group, draws.coords, draws.dims, _group_attrs(name, draws.attrs, created)
        )
        for name, group in draws.items()
    }


def group_to_dataset(
    group: str,
    arrays: Group,
    coords: Mapping[str, Any] | None = None,
    dims: Mapping[str, Sequence[str | None]] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xarray.Dataset:
    """Build the dataset of one group; every dimension gets a coordinate.

    Parameters
    ----------
    group
        Its name; groups of data have no chain and draw dimensions.
    arrays
        Variable name to array.
    coords, dims, attrs
        As in `Draws`.
    """
    import xarray

    leading = () if group in DATA_GROUPS else SAMPLE_DIMS
    coords, dims = coords or {}, dims or {}
    sizes: dict[str, int] = {}
    data: dict[str, tuple[tuple[str, ...], Array]] = {}
    for name, array in arrays.items():
        array = np.asarray(array)
        names = (*leading, *_event_dims(name, array.shape[len(leading) :], dims.get(name), arrays))
        if any(sizes.get(dim, size) != size for dim, size in zip(names, array.shape, strict=True)):
            _warn_dims(name, f"{names} has other lengths in another variable of {group}")
            names = (*leading, *_default_dims(name, array.ndim - len(leading)))
        sizes.update(zip(names, array.shape, strict=True))
        data[name] = (names, array)
    labels = {dim: _labels(dim, size, coords.get(dim)) for dim, size in sizes.items()}
    return xarray.Dataset(
        data, {dim: (dim, values) for dim, values in labels.items()}, dict(attrs or {})
    )


def datasets_to_draws(datasets: Mapping[str, xarray.Dataset]) -> Draws:
    """The plain form of the groups that finetti knows; other groups are left out."""
    groups: dict[str, dict[str, Array]] = {}
    coords: dict[str, Any] = {}
    dims: dict[str, list[str | None]] = {}
    attrs: dict[str, Any] = {}
    for group in GROUP_ORDER:
        if group not in datasets:
            continue
        dataset = datasets[group]
        leading = () if group in DATA_GROUPS else SAMPLE_DIMS
        groups[group] = {}
        for key, variable in dataset.data_vars.items():
            name = str(key)
            array = variable.transpose(*leading, ...)
            groups[group][name] = array.to_numpy()
            event = [str(dim) for dim in array.dims[len(leading) :]]
            if not any(dims.get(name, ())):  # a group may know the names that another lacks
                dims[name] = [None if d.startswith(f"{name}_dim_") else d for d in event]
            for dim in event:
                if dim in dataset.coords:
                    coords.setdefault(dim, dataset.coords[dim].to_numpy())
        if group in _RUN_GROUPS:
            attrs = {**dataset.attrs, **attrs}
    for key in _OWN_ATTRS:
        attrs.pop(key, None)
    named = {dim for names in dims.values() for dim in names}
    return Draws(
        coords={dim: values for dim, values in coords.items() if dim in named},
        dims={name: names for name, names in dims.items() if any(names)},
        attrs=attrs,
    ).with_groups(groups)


def _group_attrs(group: str, run: Mapping[str, Any], created: str) -> dict[str, Any]:
    version = _version()
    attrs: dict[str, Any] = {
        "created_at": created,
        "creation_library": "finetti",
        "creation_library_version": version,
        "creation_library_language": "Python",
        "inference_library": run.get("inference_library", "finetti"),
        "inference_library_version": run.get("inference_library_version", version),
    }
    if group not in DATA_GROUPS:
        attrs["sample_dims"] = list(SAMPLE_DIMS)
    if group in _RUN_GROUPS:
        attrs.update(run)
    return attrs


@functools.cache
def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow, see container

    try:
        return version("finetti")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "unknown"


def _default_dims(name: str, count: int) -> list[str]:
    return [f"{name}_dim_{axis}" for axis in range(count)]


def _event_dims(
    name: str, shape: tuple[int, ...], given: Sequence[str | None] | None, taken: Group
) -> list[str]:
    defaults = _default_dims(name, len(shape))
    if given is None:
        return defaults
    if len(given) != len(shape):
        _warn_dims(name, f"{tuple(given)} names {len(given)} dimensions of the shape {shape}")
        return defaults
    if len(set(given) - {None}) != sum(dim is not None for dim in given):
        _warn_dims(name, f"{tuple(given)} repeats a name")
        return defaults
    clash = [dim for dim in given if dim is not None and dim in taken]
    if clash:
        _warn_dims(name, f"{clash[0]!r} is also the name of a variable of this group")
    return [
        default if dim is None or dim in clash else dim
        for dim, default in zip(given, defaults, strict=True)
    ]


def _warn_dims(name: str, reason: str) -> None:
    warn(
        f"dims of {name!r}: {reason}; the result uses {name}_dim_0, ... instead",
    )


def _labels(dim: str, size: int, given: Any) -> Array:
    if given is None:
        return np.arange(size)
    if len(given) != size:
        warn(
            f"coords[{dim!r}] has {len(given)} labels and the result has {size} entries; "
            "the result numbers them instead",
        )
        return np.arange(size)
    labels = np.asarray(given) if not _has_tuples(given) else np.empty(0)
    if labels.ndim == 1 and labels.shape[0] == size:
        return labels
    # labels that are sequences themselves (a pandas MultiIndex) stay one object an entry
    objects = np.empty(size, dtype=object)
    for position, label in enumerate(given):
        objects[position] = label
    return objects


def _has_tuples(given: Any) -> bool:
    return not isinstance(given, np.ndarray) and any(isinstance(v, tuple | list) for v in given)
