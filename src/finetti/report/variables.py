"""Named draws out of whatever a user has: our result, arrays, a DataTree, an InferenceData.

Nothing here imports xarray or ArviZ; their objects are known by what they answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from finetti.errors import DimsError, DtypeError, ParameterError, ShapeError, did_you_mean
from finetti.results.labels import axis_labels
from finetti.results.lazy import untouched_draws

SAMPLE_DIMS = ("chain", "draw")


@runtime_checkable
class HasPosterior(Protocol):
    """What a result must offer; `dims` and `coords` as in `results.trace.Draws` are welcome."""

    posterior: Any


@dataclass(frozen=True)
class Variable:
    """The draws of one variable, `[chain, draw, *shape]`, with what labels its elements."""

    name: str
    values: npt.NDArray[Any]
    dims: tuple[str | None, ...]
    labels: tuple[tuple[Any, ...], ...]
    # labels of dimensions that a selection of one label took away; None stands for the next axis
    index: tuple[Any, ...]

    def element_names(self) -> list[str]:
        """`theta[Boston]`, `beta[0, 1]`, or the bare name of a scalar, in C order."""
        names = []
        for position in np.ndindex(*self.values.shape[2:]):
            remaining = iter(labels[i] for labels, i in zip(self.labels, position, strict=True))
            parts = [str(next(remaining) if part is None else part[0]) for part in self.index]
            names.append(f"{self.name}[{', '.join(parts)}]" if parts else self.name)
        return names


def read_variables(data: Any, group: str | None = None) -> list[Variable]:
    """Every variable of `group` ("posterior", or the prior where there is no posterior).

    Parameters
    ----------
    data
        A result of finetti, a mapping of name to array `[chain, draw, ...]`, one such array,
        an `xarray.DataTree`, `Dataset` or `DataArray`, or an `arviz.InferenceData`.
    group
        The group to read.
    """
    data = untouched_draws(data) or data
    found, dims, coords = _find_group(data, group)
    if hasattr(found, "data_vars"):
        return [_from_xarray(str(name), array) for name, array in found.data_vars.items()]
    variables = []
    for name, array in found.items():
        if hasattr(array, "dims") and hasattr(array, "coords"):
            variables.append(_from_xarray(str(name), array))
        else:
            variables.append(_from_array(str(name), array, dims.get(name), coords))
    return variables


def drawn_exactly(data: Any) -> list[str]:
    """Names of variables that the sampler did not walk but drew given the others."""
    data = untouched_draws(data) or data
    attrs = getattr(data, "attrs", {}) or {}
    if "drawn_exactly" not in attrs:
        attrs = getattr(_group_of(data, "posterior"), "attrs", None) or {}
    return [name for name in str(attrs.get("drawn_exactly", "")).split(", ") if name]


def _find_group(data: Any, group: str | None) -> tuple[Any, Mapping[str, Any], Mapping[str, Any]]:
    wanted = ("posterior", "prior") if group is None else (group,)
    nothing: dict[str, Any] = {}
    if hasattr(data, "data_vars") and not hasattr(data, "children"):  # a Dataset
        return data, nothing, nothing
    if hasattr(data, "dims") and hasattr(data, "coords") and hasattr(data, "to_numpy"):
        return {data.name or "x": data}, nothing, nothing  # a DataArray
    if isinstance(data, (np.ndarray, list)):
        return {"x": data}, nothing, nothing
    for name in wanted:
        found = _group_of(data, name)
        if found is not None:
            dims, coords = getattr(data, "dims", None), getattr(data, "coords", None)
            plain = not hasattr(found, "data_vars")
            return (
                found,
                dims if plain and isinstance(dims, Mapping) else nothing,
                coords if plain and isinstance(coords, Mapping) else nothing,
            )
    if isinstance(data, Mapping) and group is None and not hasattr(data, "children"):
        return data, nothing, nothing
    if getattr(data, "data_vars", None):  # one group of a DataTree
        return data, nothing, nothing
    raise ParameterError(
        f"summary: no group {' or '.join(map(repr, wanted))} in this {type(data).__name__}. Pass "
        "what sample() returned, a dict of arrays [chain, draw, ...], a DataTree or an "
        "InferenceData"
    )


def _group_of(data: Any, name: str) -> Any:
    group_method = getattr(data, "group", None)
    if callable(group_method) and not hasattr(data, "children"):  # results.trace.Draws
        return group_method(name) or None
    if isinstance(data, Mapping):
        found = data.get(name)
        return found if isinstance(found, Mapping) or hasattr(found, "data_vars") else None
    return getattr(data, name, None)


def _from_xarray(name: str, array: Any) -> Variable:
    missing = [dim for dim in SAMPLE_DIMS if dim not in array.dims]
    if missing:
        raise DimsError(
            f"summary: {name} has dims {tuple(array.dims)}; {' and '.join(missing)} missing. "
            "Only draws can be summarised"
        )
    values = array.transpose(*SAMPLE_DIMS, ...).to_numpy()
    dims = tuple(str(dim) for dim in array.dims if dim not in SAMPLE_DIMS)
    coords = {dim: array.coords[dim].to_numpy() for dim in dims if dim in array.coords}
    return _from_array(name, values, dims, coords)


def _from_array(
    name: str, array: Any, dims: Sequence[str | None] | None, coords: Mapping[str, Any]
) -> Variable:
    values = np.asarray(array)
    if values.dtype.kind not in "biuf":
        raise DtypeError(
            f"summary: {name} has dtype {values.dtype}; only real numbers, integers and bools "
            "can be summarised. Leave it out with var_names"
        )
    if values.ndim == 0:
        raise ShapeError(f"summary: {name} is a single number; expected draws [chain, draw, ...]")
    if values.ndim == 1:
        values = values[None]  # one row of draws is one chain
    shape = values.shape[2:]
    names = tuple(dims) if dims is not None and len(dims) == len(shape) else (None,) * len(shape)
    labels = tuple(tuple(axis_labels(i, n, names, coords)) for i, n in enumerate(shape))
    return Variable(name, values, names, labels, (None,) * len(shape))


def select_names(
    variables: Sequence[Variable],
    var_names: str | Sequence[str] | None,
    filter_vars: str | None = None,
) -> list[Variable]:
    """The variables that `var_names` asks for, by ArviZ's rules (`~name` leaves one out).

    Parameters
    ----------
    variables
        All of them.
    var_names
        Names, or patterns under `filter_vars`; `None` takes all.
    filter_vars
        `None`: the names as they are; `"like"`: substrings; `"regex"`: regular expressions.
    """
    if filter_vars not in (None, "like", "regex"):
        raise ParameterError(
            f"summary: filter_vars must be None, 'like' or 'regex', got {filter_vars!r}"
        )
    if var_names is None:
        return list(variables)
    patterns = [var_names] if isinstance(var_names, str) else list(var_names)
    known = [variable.name for variable in variables]
    excluded = [p[1:] for p in patterns if p.startswith("~") and p not in known]
    included = [p for p in patterns if not p.startswith("~") or p in known]
    chosen = _matching(included, known, filter_vars) if included or not excluded else known
    dropped = _matching(excluded, known, filter_vars)
    by_name = {variable.name: variable for variable in variables}
    return [by_name[name] for name in chosen if name not in dropped]


def _matching(patterns: Iterable[str], known: Sequence[str], filter_vars: str | None) -> list[str]:
    found: dict[str, None] = {}
    for pattern in patterns:
        if filter_vars == "like":
            names = [name for name in known if pattern in name]
        elif filter_vars == "regex":
            names = [name for name in known if re.search(pattern, name)]
        else:
            names = [pattern] if pattern in known else []
        if not names:
            how = f" with filter_vars={filter_vars!r}" if filter_vars else ""
            raise ParameterError(
                f"summary: var_names: no variable matches {pattern!r}{how}. "
                f"{did_you_mean(pattern, known)}"
            )
        found.update(dict.fromkeys(names))
    return list(found)


def select_coords(variables: Sequence[Variable], coords: Mapping[str, Any]) -> list[Variable]:
    """Keep the labels that `coords` names: dimension name to a label, a list or a slice.

    A variable without the dimension stays whole. A single label takes its dimension away, but
    stays in the elements' names. `chain` and `draw` select by number.
    """
    known = {dim for variable in variables for dim in variable.dims if dim is not None}
    for dim in coords:
        if dim not in known and dim not in SAMPLE_DIMS:
            raise DimsError(f"summary: coords: no dim {dim!r}. {did_you_mean(str(dim), known)}")
    chosen = list(variables)
    for dim, wanted in coords.items():
        if dim in SAMPLE_DIMS:
            chosen = [_select_sample(v, SAMPLE_DIMS.index(dim), dim, wanted) for v in chosen]
        else:
            chosen = [_select_labels(v, dim, wanted) if dim in v.dims else v for v in chosen]
    return chosen


def _select_sample(variable: Variable, axis: int, dim: str, wanted: Any) -> Variable:
    positions = _positions(list(range(variable.values.shape[axis])), dim, wanted)
    return replace(variable, values=np.take(variable.values, positions, axis=axis))


def _select_labels(variable: Variable, dim: str, wanted: Any) -> Variable:
    axis = variable.dims.index(dim)
    positions = _positions(variable.labels[axis], dim, wanted)
    values = np.take(variable.values, positions, axis=axis + 2)
    labels, dims, index = list(variable.labels), list(variable.dims), list(variable.index)
    labels[axis] = tuple(labels[axis][i] for i in positions)
    if np.ndim(wanted) == 0 and not isinstance(wanted, slice):
        place = [i for i, part in enumerate(index) if part is None][axis]
        index[place] = labels.pop(axis)
        del dims[axis]
        values = values[(slice(None),) * (axis + 2) + (0,)]
    return Variable(variable.name, values, tuple(dims), tuple(labels), tuple(index))


def _positions(labels: Sequence[Any], dim: str, wanted: Any) -> list[int]:
    def find(label: Any) -> int:
        for position, known in enumerate(labels):
            if known == label:
                return position
        shown = ", ".join(map(str, labels[:8])) + (", ..." if len(labels) > 8 else "")
        raise DimsError(f"summary: coords: {dim} has no label {label!r}. Its labels: {shown}")

    if isinstance(wanted, slice):  # both ends belong to it, as in xarray
        if wanted.step is not None and not isinstance(wanted.step, int):
            raise DimsError(f"summary: coords: {dim}: the step of a slice must be an int")
        start = 0 if wanted.start is None else find(wanted.start)
        stop = len(labels) if wanted.stop is None else find(wanted.stop) + 1
        return list(range(len(labels)))[start : stop : wanted.step]
    return [find(label) for label in np.ravel(np.asarray(wanted, dtype=object)).tolist()]
