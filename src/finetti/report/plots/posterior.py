"""`plot_posterior` and `plot_density`: distributions with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.errors import ParameterError
from finetti.report.plots import estimates
from finetti.report.plots.data import Series, axes_for, finish, limited, series_of
from finetti.report.plots.shapes import draw_distribution, rounded, without_ticks


def plot_posterior(  # noqa: PLR0913, a user's keywords
    data: Any,
    var_names: str | Sequence[str] | None = None,
    filter_vars: str | None = None,
    transform: Callable[..., Any] | None = None,
    coords: Mapping[str, Any] | None = None,
    grid: tuple[int, int] | None = None,
    figsize: tuple[float, float] | None = None,
    textsize: float | None = None,
    hdi_prob: float | str | None = None,
    round_to: Any = None,
    point_estimate: str | None = "auto",
    group: str = "posterior",
    rope: Any = None,
    ref_val: Any = None,
    rope_color: str = "C2",
    ref_val_color: str = "C1",
    kind: str | None = None,
    bins: Any = None,
    ax: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
    **line: Any,
) -> Any:
    """The distribution of every scalar with its mean and interval, as ArviZ 0.x draws it.

    Parameters
    ----------
    data
        A result, a trace, a mapping of arrays, or an array.
    var_names, filter_vars, coords, group, transform
        Which variables and elements, of which group, and what is applied to them.
    grid, figsize, textsize
        Rows and columns, inches, size of the texts.
    hdi_prob
        Probability of the interval, 0.94; "hide" for none.
    round_to
        Significant digits: None for two, a number of decimals, or "3g".
    point_estimate
        "mean", "median", "mode" or None.
    rope, ref_val
        An interval and a value to compare with: for all panels, one for each, or by name.
    rope_color, ref_val_color
        Their colours.
    kind
        "kde" or "hist"; by default bars for whole numbers.
    bins
        Of the bars.
    ax, backend, backend_kwargs, show
        The user's own axes, "matplotlib", options of `plt.subplots`, whether to call `plt.show`.
    **line
        matplotlib's options of the density.

    Returns
    -------
    Axes, or an array of them
    """
    chosen = series_of(data, var_names=var_names, filter_vars=filter_vars, coords=coords,
                       group=group, transform=transform)  # fmt: skip
    chosen = limited(chosen, "plot_posterior")
    axes, flat = axes_for(len(chosen), ax, figsize, grid, backend_kwargs)
    prob = 0.94 if hdi_prob is None else hdi_prob
    for place, (one, panel) in enumerate(zip(chosen, flat, strict=False)):
        draw_distribution(panel, one.values, kind or "auto", bins=bins,
                          line={"linewidth": 1.5, "color": "C0", **line},
                          bars={"color": "C0"})  # fmt: skip
        without_ticks(panel)
        panel.set_title(one.label, fontsize=textsize)
        size = {"fontsize": textsize} if textsize else {}
        _write_estimate(panel, one, point_estimate, round_to, size)
        if prob != "hide":
            _draw_interval(panel, one, float(prob), round_to, size)
        value = _of(ref_val, one, place, "ref_val")
        if value is not None:
            _compare(panel, one, float(value), ref_val_color, round_to, size)
        limits = _of(rope, one, place, "rope", pair=True)
        if limits is not None:
            _draw_rope(panel, one, limits, rope_color, round_to, size)
    finish(show, backend)
    return axes


def _of(given: Any, one: Series, place: int, word: str, pair: bool = False) -> Any:
    """What a keyword says for one panel."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        entry = given.get(one.name)
        if entry is None:
            return None
        first = entry[0] if isinstance(entry, (list, tuple)) else entry
        return first[word] if isinstance(first, Mapping) else entry
    several = np.ndim(given) > (1 if pair else 0)
    if several and place >= len(given):
        raise ParameterError(f"{word}={given!r}: expected one entry for each panel.")
    return given[place] if several else given


def _write_estimate(ax: Any, one: Series, kind: str | None, round_to: Any, size: Any) -> None:
    value = estimates.point_estimate(one.values, kind)
    if value is None:
        return
    name = "mean" if kind == "auto" else kind
    ax.text(value, ax.get_ylim()[1] * 0.8, f"{name}={rounded(value, round_to)}", ha="center",
            **size)  # fmt: skip


def _draw_interval(ax: Any, one: Series, prob: float, round_to: Any, size: Any) -> None:
    low, high = estimates.hdi(one.values, prob)
    top = ax.get_ylim()[1]
    ax.plot((low, high), (top * 0.02,) * 2, color="k", linewidth=4, solid_capstyle="butt")
    for place, side in ((low, "right"), (high, "left")):
        ax.text(place, top * 0.07, rounded(place, round_to), ha=side, **size)
    ax.text((low + high) / 2, top * 0.3, f"{prob * 100:g}% HDI", ha="center", **size)


def _compare(ax: Any, one: Series, value: float, color: str, round_to: Any, size: Any) -> None:
    below = float((one.values < value).mean())
    text = f"{below * 100:.1f}% <{rounded(value, round_to)}< {(1 - below) * 100:.1f}%"
    ax.axvline(value, ymin=0.05, ymax=0.75, color=color, alpha=0.65)
    ax.text(float(one.values.mean()), ax.get_ylim()[1] * 0.6, text, color=color, ha="center",
            **size)  # fmt: skip


def _draw_rope(ax: Any, one: Series, rope: Any, color: str, round_to: Any, size: Any) -> None:
    low, high = map(float, rope)
    inside = float(((one.values > low) & (one.values <= high)).mean())
    top = ax.get_ylim()[1]
    ax.plot((low, high), (top * 0.02,) * 2, color=color, linewidth=10, alpha=0.7,
            solid_capstyle="butt")  # fmt: skip
    text = f"{inside * 100:.1f}% in ROPE"
    ax.text((low + high) / 2, top * 0.15, text, color=color, ha="center", **size)
    for place, side in ((low, "right"), (high, "left")):
        ax.text(place, top * 0.2, rounded(place, round_to), color=color, ha=side, **size)


def plot_density(  # noqa: PLR0913, a user's keywords
    data: Any,
    group: str = "posterior",
    data_labels: Sequence[str] | None = None,
    var_names: str | Sequence[str] | None = None,
    filter_vars: str | None = None,
    transform: Callable[..., Any] | None = None,
    hdi_prob: float | None = None,
    point_estimate: str | None = "auto",
    colors: Any = "cycle",
    outline: bool = True,
    hdi_markers: str = "",
    shade: float = 0.0,
    grid: tuple[int, int] | None = None,
    figsize: tuple[float, float] | None = None,
    textsize: float | None = None,
    ax: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
) -> Any:
    """Densities within their highest-density interval, several results on top of each other.

    Parameters
    ----------
    data
        A result or a list of them.
    group, var_names, filter_vars, transform
        Which variables, of which group.
    data_labels
        Names of the results.
    hdi_prob
        Where the curves end, 0.94.
    point_estimate
        "mean", "median", "mode" or None.
    colors
        A colour, a list of them, or "cycle".
    outline, hdi_markers, shade
        Whether the curve is drawn, a marker at its ends, and how dark the area is.
    grid, figsize, textsize, ax, backend, backend_kwargs, show
        As for `plot_posterior`.

    Returns
    -------
    Axes, or an array of them
    """
    several = list(data) if isinstance(data, (list, tuple)) else [data]
    selection = {"var_names": var_names, "filter_vars": filter_vars, "group": group,
                 "transform": transform}  # fmt: skip
    groups = [{one.label: one for one in series_of(each, **selection)} for each in several]
    titles = limited(list(dict.fromkeys(label for group_ in groups for label in group_)),
                     "plot_density")  # fmt: skip
    axes, flat = axes_for(len(titles), ax, figsize, grid, backend_kwargs)
    names = list(data_labels or [f"{k}" for k in range(len(several))])
    palette = [f"C{k % 10}" for k in range(len(several))] if colors == "cycle" else (
        [colors] * len(several) if isinstance(colors, str) else list(colors))  # fmt: skip
    prob = 0.94 if hdi_prob is None else hdi_prob
    for title, panel in zip(titles, flat, strict=False):
        for found, color, name in zip(groups, palette, names, strict=True):
            if title in found:
                values = found[title].values
                low, high = estimates.hdi(values, prob)
                _draw_curve(panel, found[title], (low, high), color, outline, shade, name)
                if hdi_markers:
                    panel.plot((low, high), (0, 0), hdi_markers, color=color)
                point = estimates.point_estimate(values, point_estimate)
                if point is not None:
                    panel.plot(point, 0, "o", color=color, markeredgecolor="k")
        without_ticks(panel)
        panel.set_title(title, fontsize=textsize)
    if len(several) > 1:
        flat[0].legend()
    finish(show, backend)
    return axes


def _draw_curve(
    ax: Any, one: Series, limits: tuple[float, float], color: str, outline: bool, shade: float,
    name: str,
) -> None:  # fmt: skip
    if one.discrete:
        ax.hist(one.values.ravel(), estimates.bins_of(one.values), density=True, color=color,
                alpha=shade or 0.5, histtype="stepfilled", label=name)  # fmt: skip
        return
    x, y = estimates.density(one.values)
    inside = (x >= limits[0]) & (x <= limits[1])
    if outline:
        ax.plot(x[inside], y[inside], color=color, label=name)
        ax.plot([x[inside][0]] * 2, [0, y[inside][0]], color=color)
        ax.plot([x[inside][-1]] * 2, [0, y[inside][-1]], color=color)
    if shade:
        ax.fill_between(x[inside], y[inside], color=color, alpha=shade)
