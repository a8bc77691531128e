"""`plot_pair` and `plot_joint`: draws of two variables against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finetti.errors import ParameterError
from finetti.report.plots import estimates
from finetti.report.plots.backend import pyplot
from finetti.report.plots.data import MAX_SUBPLOTS, Series, finish, limited, series_of
from finetti.report.plots.shapes import draw_distribution
from finetti.report.plots.trace import _divergent

_KINDS = ("scatter", "kde", "hexbin")


def plot_pair(  # noqa: PLR0913, a user's keywords
    data: Any,
    group: str = "posterior",
    var_names: str | Sequence[str] | None = None,
    filter_vars: str | None = None,
    coords: Mapping[str, Any] | None = None,
    marginals: bool = False,
    figsize: tuple[float, float] | None = None,
    textsize: float | None = None,
    kind: str | Sequence[str] = "scatter",
    gridsize: Any = "auto",
    divergences: bool = False,
    ax: Any = None,
    divergences_kwargs: Mapping[str, Any] | None = None,
    scatter_kwargs: Mapping[str, Any] | None = None,
    kde_kwargs: Mapping[str, Any] | None = None,
    hexbin_kwargs: Mapping[str, Any] | None = None,
    marginal_kwargs: Mapping[str, Any] | None = None,
    point_estimate: str | None = None,
    reference_values: Mapping[str, Any] | None = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
) -> Any:
    """Every pair of scalars in a triangle of panels, as ArviZ 0.x draws them.

    Parameters
    ----------
    data
        A result, a trace, or a mapping of arrays.
    group, var_names, filter_vars, coords
        Which variables and elements.
    marginals
        Distributions along the diagonal.
    figsize, textsize
        Looks.
    kind
        "scatter", "kde", "hexbin", or several of them.
    gridsize
        Of the hexagons.
    divergences
        Mark divergent draws.
    scatter_kwargs, kde_kwargs, hexbin_kwargs, divergences_kwargs, marginal_kwargs
        matplotlib's options of the parts.
    point_estimate
        Mark the "mean", "median" or "mode".
    reference_values
        Label -> value to mark.
    ax, backend, backend_kwargs, show
        As for `plot_posterior`.

    Returns
    -------
    Axes, or an array of them
    """
    kinds = [kind] if isinstance(kind, str) else list(kind)
    wrong = [one for one in kinds if one not in _KINDS]
    if wrong:
        raise ParameterError(f"plot_pair: kind={wrong[0]!r}: expected one of {_KINDS}.")
    chosen = series_of(data, group=group, var_names=var_names, filter_vars=filter_vars,
                       coords=coords)  # fmt: skip
    if len(chosen) < 2:
        raise ParameterError("plot_pair: a single scalar has no pair: choose two or more.")
    chosen = _fitting(chosen, marginals)
    bad = _divergent(data) if divergences else None
    options = {"scatter": scatter_kwargs or {}, "kde": kde_kwargs or {},
               "hexbin": {"gridsize": 40 if gridsize == "auto" else gridsize,
                          **(hexbin_kwargs or {})}}  # fmt: skip
    axes, grid = _triangle(len(chosen), marginals, ax, figsize, backend_kwargs)
    for (row, column), panel in grid.items():
        x, y = chosen[column], chosen[row]
        if row == column:
            draw_distribution(panel, x.values, **(marginal_kwargs or {}))
            panel.set_yticks([])
        else:
            _draw_pair(panel, x, y, kinds, options)
            if bad is not None and bad.any():
                marks = {"color": "C1", "s": 8, "zorder": 5, **(divergences_kwargs or {})}
                panel.scatter(x.values[bad], y.values[bad], **marks)
            _mark(panel, x, y, point_estimate, reference_values)
        if row == len(chosen) - 1:
            panel.set_xlabel(x.label, fontsize=textsize)
        if column == 0 and row != column:
            panel.set_ylabel(y.label, fontsize=textsize)
    finish(show, backend)
    return axes


def _fitting(chosen: list[Series], marginals: bool) -> list[Series]:
    most = 2
    while (most + 1) * (most + 1 if marginals else most) <= MAX_SUBPLOTS:
        most += 1
    return limited(chosen, "plot_pair", MAX_SUBPLOTS // most)


def _triangle(
    count: int, marginals: bool, ax: Any, figsize: Any, options: Any
) -> tuple[Any, dict[tuple[int, int], Any]]:
    plt = pyplot()
    side = count if marginals else count - 1
    if ax is None:
        size = (3.0 * side + 1, 2.7 * side + 1) if figsize is None else figsize
        _, made = plt.subplots(side, side, **{
            "figsize": size, "squeeze": False, "layout": "constrained", "sharex": "col",
            **(options or {})})  # fmt: skip
    else:
        made = np.atleast_2d(np.asarray(ax, dtype=object))
    if made.shape[0] < side or made.shape[1] < side:
        raise ParameterError(f"plot_pair: axes of shape {made.shape}, expected {(side, side)}.")
    used: dict[tuple[int, int], Any] = {}
    for i in range(side):
        for j in range(side):
            if j <= i:
                used[i if marginals else i + 1, j] = made[i, j]
            elif ax is None:
                made[i, j].set_visible(False)
    return (made[0, 0] if side == 1 and ax is None else made), used


def _draw_pair(ax: Any, x: Series, y: Series, kinds: list[str], options: Any) -> None:
    a, b = (np.asarray(one.values, float).ravel() for one in (x, y))
    if "scatter" in kinds:
        ax.plot(a, b, **{"marker": ".", "linestyle": "", "alpha": 0.2, "markersize": 3,
                         "color": "C0", **_without_size(options["scatter"])})  # fmt: skip
    if "hexbin" in kinds:
        ax.hexbin(a, b, mincnt=1, **options["hexbin"])
    if "kde" in kinds:
        contour(ax, a, b, options["kde"])


def _without_size(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of `scatter` as `plot` spells them."""
    options = dict(given)
    if "s" in options:
        options["markersize"] = np.sqrt(options.pop("s"))
    return options


def contour(ax: Any, x: np.ndarray, y: np.ndarray, given: Mapping[str, Any]) -> None:
    """Lines of equal density that hold 30 to 94 % of the draws.

    Parameters
    ----------
    ax
        Where.
    x, y
        The draws.
    given
        ArviZ's options of a two-dimensional estimate.
    """
    options = dict(given)
    probabilities = options.pop("hdi_probs", None) or (0.94, 0.8, 0.6, 0.3)
    filled = {"cmap": "viridis", **(options.pop("contourf_kwargs", None) or {})}
    lines = {"colors": "k", "linewidths": 0.6, **(options.pop("contour_kwargs", None) or {})}
    for name in ("fill_last", "contour", "pcolormesh_kwargs"):
        options.pop(name, None)
    if options:
        raise ParameterError(f"kde_kwargs: unknown {next(iter(options))!r}.")
    a, b, z = estimates.density2d(x, y)
    levels = estimates.levels_holding(z, probabilities)
    ax.contourf(a, b, z, levels=[*levels, z.max() * 1.0001], **filled)
    ax.contour(a, b, z, levels=levels, **lines)


def _mark(ax: Any, x: Series, y: Series, kind: str | None, values: Any) -> None:
    if kind is not None:
        place = [estimates.point_estimate(one.values, kind) for one in (x, y)]
        ax.axvline(place[0], color="k", linestyle="--", linewidth=0.8)
        ax.axhline(place[1], color="k", linestyle="--", linewidth=0.8)
        ax.plot(*place, "s", color="k")
    if values is not None:
        labels = [{k.replace(" ", "\n"): v for k, v in values.items()} | dict(values)][0]
        if x.label in labels and y.label in labels:
            ax.plot(labels[x.label], labels[y.label], "o", color="C2", markeredgecolor="k")


def plot_joint(
    data: Any,
    var_names: str | Sequence[str] | None = None,
    coords: Mapping[str, Any] | None = None,
    kind: str = "scatter",
    **options: Any,
) -> Any:
    """Two scalars against each other, with their distributions.

    Parameters
    ----------
    data, var_names, coords, kind
        As for `plot_pair`; exactly two scalars.
    **options
        As for `plot_pair`.

    Returns
    -------
    ndarray of Axes
    """
    if len(series_of(data, var_names=var_names, coords=coords)) != 2:
        raise ParameterError("plot_joint: expected exactly two scalars: choose with var_names=.")
    return plot_pair(data, var_names=var_names, coords=coords, kind=kind, marginals=True, **options)
