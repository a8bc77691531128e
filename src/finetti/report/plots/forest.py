"""`plot_forest`: one line for each scalar and chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.report.plots import estimates
from finetti.report.plots.backend import pyplot
from finetti.report.plots.data import Series, finish, series_of
from finetti.results.diagnostics import ess, rhat


def plot_forest(  # noqa: PLR0913, a user's keywords
    data: Any,
    kind: str = "forestplot",
    model_names: Sequence[str] | None = None,
    var_names: str | Sequence[str] | None = None,
    filter_vars: str | None = None,
    transform: Callable[..., Any] | None = None,
    coords: Mapping[str, Any] | None = None,
    combined: bool = False,
    hdi_prob: float | None = None,
    rope: Any = None,
    quartiles: bool = True,
    ess: bool = False,
    r_hat: bool = False,
    colors: Any = "cycle",
    textsize: float | None = None,
    linewidth: float | None = None,
    markersize: float | None = None,
    legend: bool = True,
    figsize: tuple[float, float] | None = None,
    ax: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
) -> Any:
    """Intervals side by side, as ArviZ 0.x draws them.

    Parameters
    ----------
    data
        A result or a list of them.
    kind
        "forestplot" or "ridgeplot".
    model_names
        Names of the results.
    var_names, filter_vars, coords, transform
        Which variables and elements.
    combined
        One line for all chains.
    hdi_prob
        Of the thin line, 0.94.
    rope
        An interval to shade.
    quartiles
        A thick line from quartile to quartile.
    ess, r_hat
        Further panels with the diagnostics.
    colors
        A colour, a list of them, or "cycle".
    textsize, linewidth, markersize, legend, figsize
        Looks.
    ax, backend, backend_kwargs, show
        As for `plot_posterior`.

    Returns
    -------
    ndarray of Axes
    """
    if kind not in ("forestplot", "ridgeplot"):
        raise NotYetSupported(f"plot_forest: kind={kind!r}: there are forestplot and ridgeplot.")
    several = list(data) if isinstance(data, (list, tuple)) else [data]
    selection = {"var_names": var_names, "filter_vars": filter_vars, "coords": coords,
                 "transform": transform}  # fmt: skip
    found = [{one.label: one for one in series_of(each, **selection)} for each in several]
    titles = list(dict.fromkeys(label for each in found for label in each))
    axes = _panels(len(titles), [bool(ess), bool(r_hat)], ax, figsize, backend_kwargs)
    palette = [f"C{k % 10}" for k in range(len(several))] if colors == "cycle" else (
        [colors] * len(several) if isinstance(colors, str) else list(colors))  # fmt: skip
    prob = 0.94 if hdi_prob is None else hdi_prob
    looks = {"linewidth": linewidth or 1.5, "markersize": markersize or 5}
    for row, title in enumerate(reversed(titles)):
        for number, each in enumerate(found):
            if title in each:
                offset = (len(found) - 1 - 2 * number) * 0.3 / len(found)
                _draw(axes[0], each[title], row + offset, kind, combined, quartiles, prob,
                      {**looks, "color": palette[number]})  # fmt: skip
                _diagnostics(axes[1:], each[title], row + offset, [ess, r_hat], palette[number])
    _labels(axes[0], titles, prob, rope, textsize)
    if len(several) > 1 and legend:
        names = model_names or [f"model {k}" for k in range(len(several))]
        for name, color in zip(names, palette, strict=False):
            axes[0].plot([], [], color=color, label=name)
        axes[0].legend()
    finish(show, backend)
    return axes


def _panels(rows: int, more: Sequence[bool], ax: Any, figsize: Any, options: Any) -> np.ndarray:
    plt = pyplot()
    if ax is not None:
        return np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    size = (7 + 2 * sum(more), max(1.5, 0.45 * rows + 1)) if figsize is None else figsize
    ratios = [3] + [1] * sum(more)
    _, axes = plt.subplots(1, 1 + sum(more), **{
        "figsize": size, "sharey": True, "squeeze": False, "layout": "constrained",
        "gridspec_kw": {"width_ratios": ratios}, **(options or {})})  # fmt: skip
    return axes.ravel()  # type: ignore[no-any-return]


def _draw(
    ax: Any, one: Series, height: float, kind: str, combined: bool, quartiles: bool, prob: float,
    looks: Mapping[str, Any],
) -> None:  # fmt: skip
    line = {"color": looks["color"], "linewidth": looks["linewidth"]}
    if kind == "ridgeplot":
        x, y = estimates.density(one.values)
        top = height + 1.2 * y / max(y.max(initial=0.0), 1e-300)
        ax.fill_between(x, height, top, color=looks["color"], alpha=0.6, zorder=-height)
        ax.plot(x, top, color="k", linewidth=0.8, zorder=-height)
        return
    chains = one.values.reshape(1, -1) if combined else one.values
    for number, values in enumerate(chains):
        place = height + (0.0 if len(chains) == 1 else 0.12 * ((len(chains) - 1) / 2 - number))
        ax.plot(estimates.hdi(values, prob), (place, place), **line)
        if quartiles:
            ends = np.percentile(values, [25, 75])
            ax.plot(ends, (place, place), **{**line, "linewidth": 2 * looks["linewidth"]})
        middle = np.median(values) if quartiles else np.mean(values)
        ax.plot(middle, place, "o", color=looks["color"], markersize=looks["markersize"],
                markerfacecolor="w")  # fmt: skip


def _diagnostics(axes: Any, one: Series, height: float, wanted: list[bool], color: str) -> None:
    values = np.asarray(one.values, float)[..., None]
    columns: list[tuple[str, Callable[[Any], Any]]] = [("ess", ess), ("r_hat", rhat)]
    panels = iter(axes)
    for (name, compute), asked in zip(columns, wanted, strict=True):
        if asked:
            panel = next(panels)
            panel.plot(float(np.ravel(compute(values))[0]), height, "o", color=color)
            panel.set_title(name)


def _labels(ax: Any, titles: list[str], prob: float, rope: Any, textsize: Any) -> None:
    names = [title.replace("\n", "[") + "]" if "\n" in title else title for title in titles]
    ax.set_yticks(range(len(titles)))
    ax.set_yticklabels(names[::-1], fontsize=textsize)
    ax.set_ylim(-0.7, len(titles) - 0.3)
    ax.set_title(f"{prob * 100:.1f}% HDI", fontsize=textsize)
    if rope is not None:
        ax.axvspan(*rope, color="C2", alpha=0.3)
