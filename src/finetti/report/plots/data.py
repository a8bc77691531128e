"""What is plotted: the draws of every scalar with its label, and the axes to plot them on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, ParameterError, warn
from finetti.report.plots.backend import pyplot
from finetti.report.variables import Variable, read_variables, select_coords, select_names

MAX_SUBPLOTS = 40  # ArviZ's limit


@dataclass(frozen=True)
class Series:
    """The draws of one scalar.

    Parameters
    ----------
    name
        The variable it belongs to.
    part
        Which element, as text; empty for a scalar.
    values
        [chain, draw].
    """

    name: str
    part: str
    values: np.ndarray

    @property
    def label(self) -> str:
        """Title of its panel: the name, and the element below it."""
        return f"{self.name}\n{self.part}" if self.part else self.name

    @property
    def discrete(self) -> bool:
        """Whether its values are whole numbers."""
        return self.values.dtype.kind in "biu"


def variables_of(
    data: Any,
    var_names: str | Sequence[str] | None = None,
    filter_vars: str | None = None,
    coords: Mapping[str, Any] | None = None,
    group: str | None = None,
    transform: Callable[..., Any] | None = None,
) -> list[Variable]:
    """The variables to plot, by ArviZ's rules for names and coords.

    Parameters
    ----------
    data
        A result, a trace, a mapping of arrays, or an array.
    var_names, filter_vars, coords
        Which variables and elements.
    group
        The posterior by default.
    transform
        Applied to the values.
    """
    # the posterior is the default of a result, and all there is of plain arrays
    chosen = None if group == "posterior" else group
    found = select_names(read_variables(data, chosen), var_names, filter_vars)
    if coords:
        found = select_coords(found, coords)
    if transform is None:
        return found
    return [
        Variable(v.name, np.asarray(transform(v.values)), v.dims, v.labels, v.index) for v in found
    ]


def elements(variable: Variable) -> list[Series]:
    """Every scalar of a variable."""
    values = variable.values.reshape(*variable.values.shape[:2], -1)
    names = variable.element_names()
    begin = len(variable.name) + 1
    return [
        Series(variable.name, label[begin:-1], values[:, :, place])
        for place, label in enumerate(names)
    ]


def series_of(data: Any, **selection: Any) -> list[Series]:
    """Every scalar to plot; `selection` as for `variables_of`."""
    return [one for variable in variables_of(data, **selection) for one in elements(variable)]


def limited(items: Sequence[Any], function: str, panels_each: int = 1) -> list[Any]:
    """As many as fit on a figure; a warning says what is left out.

    Parameters
    ----------
    items
        One for each panel.
    function
        Who asks.
    panels_each
        Panels that one item takes.
    """
    most = MAX_SUBPLOTS // panels_each
    if len(items) > most:
        warn(
            f"{function} has {len(items)} variables to plot, more than fit on a figure: only the "
            f"first {most} are shown. Choose some with var_names= or coords=.",
        )
    return list(items[:most])


def grid_of(count: int, max_columns: int = 4, min_columns: int = 3) -> tuple[int, int]:
    """Rows and columns for a number of panels, with few empty places."""
    if count <= max_columns:
        return 1, count
    ideal = min(max(round(count**0.5), min_columns), max_columns)
    for offset in (0, 1, -1, 2, -2):
        columns = min(max(ideal + offset, min_columns), max_columns)
        if count % columns == 0:
            return count // columns, columns
    return count // ideal + 1, ideal


def axes_for(
    count: int,
    ax: Any = None,
    figsize: tuple[float, float] | None = None,
    grid: tuple[int, int] | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
) -> tuple[Any, list[Any]]:
    """What the user gets, and one axes for each panel.

    Parameters
    ----------
    count
        The number of panels.
    ax
        The user's own axes.
    figsize
        In inches.
    grid
        Rows and columns.
    backend_kwargs
        For `plt.subplots`.
    """
    plt = pyplot()
    if ax is not None:
        flat = [one for one in np.atleast_1d(np.asarray(ax, dtype=object)).ravel()]
        if len(flat) < count:
            raise ParameterError(f"{len(flat)} axes came for {count} panels.")
        return ax, flat
    rows, columns = grid if grid is not None else grid_of(count)
    figsize = (4.6 * columns, 3.4 * rows) if figsize is None else figsize
    options = {"figsize": figsize, "layout": "constrained", **(backend_kwargs or {})}
    _, axes = plt.subplots(rows, columns, **options)
    flat = list(np.atleast_1d(np.asarray(axes, dtype=object)).ravel())
    for empty in flat[count:]:
        empty.set_axis_off()
    return axes, flat


def finish(show: bool | None, backend: str | None) -> None:
    """ArviZ's two last keywords."""
    plt = pyplot()
    if backend not in (None, "matplotlib"):
        raise NotYetSupported(f"backend={backend!r}: plots are matplotlib's here. Leave it out.")
    if show:
        plt.show()
