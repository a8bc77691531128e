"""`plot_autocorr` and `plot_energy`: how the chains moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finetti.errors import ParameterError
from finetti.report.plots import estimates
from finetti.report.plots.data import Series, axes_for, finish, limited, series_of
from finetti.report.variables import read_variables
from finetti.results.diagnostics import bfmi as bfmi_of


def plot_autocorr(  # noqa: PLR0913, a user's keywords
    data: Any,
    var_names: str | Sequence[str] | None = None,
    filter_vars: str | None = None,
    max_lag: int | None = None,
    combined: bool = False,
    coords: Mapping[str, Any] | None = None,
    grid: tuple[int, int] | None = None,
    figsize: tuple[float, float] | None = None,
    textsize: float | None = None,
    ax: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
) -> Any:
    """Autocorrelations of every scalar, a panel a chain.

    Parameters
    ----------
    data
        A result, a trace, or a mapping of arrays.
    var_names, filter_vars, coords
        Which variables and elements.
    max_lag
        100, or the length of a chain.
    combined
        One panel for all chains.
    grid, figsize, textsize, ax, backend, backend_kwargs, show
        As for `plot_posterior`.

    Returns
    -------
    Axes, or an array of them
    """
    chosen = series_of(data, var_names=var_names, filter_vars=filter_vars, coords=coords)
    rows = [
        Series(one.name, one.part, values)
        for one in chosen
        for values in (one.values.reshape(1, -1) if combined else one.values)
    ]
    rows = limited(rows, "plot_autocorr")
    axes, flat = axes_for(len(rows), ax, figsize, grid, backend_kwargs)
    for one, panel in zip(rows, flat, strict=False):
        lags = min(100 if max_lag is None else max_lag, one.values.size)
        heights = estimates.autocorrelation(one.values)[:lags]
        band = 1.96 / np.sqrt(one.values.size)
        panel.fill_between([0, lags], -band, band, color="0.75")
        panel.vlines(np.arange(len(heights)), 0, heights, linewidth=1.5)
        panel.set_ylim(-1, 1)
        panel.set_xlim(0, lags)
        panel.set_title(one.label, fontsize=textsize)
    finish(show, backend)
    return axes


def plot_energy(  # noqa: PLR0913, a user's keywords
    data: Any,
    kind: str | None = None,
    bfmi: bool = True,
    figsize: tuple[float, float] | None = None,
    legend: bool = True,
    fill_alpha: tuple[float, float] = (1, 0.75),
    fill_color: tuple[str, str] = ("C0", "C5"),
    textsize: float | None = None,
    fill_kwargs: Mapping[str, Any] | None = None,
    plot_kwargs: Mapping[str, Any] | None = None,
    ax: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
) -> Any:
    """The distribution of the energy, and of its change from draw to draw.

    Parameters
    ----------
    data
        A result with the statistic `energy`.
    kind
        "kde" or "hist".
    bfmi
        Write the fraction of missing information of each chain.
    figsize, legend, fill_alpha, fill_color, textsize, fill_kwargs, plot_kwargs
        Looks.
    ax, backend, backend_kwargs, show
        As for `plot_posterior`.

    Returns
    -------
    Axes
    """
    stats = {v.name: v.values for v in read_variables(data, "sample_stats")}
    if "energy" not in stats:
        raise ParameterError("plot_energy: the result has no statistic 'energy': sample with NUTS.")
    energy = np.asarray(stats["energy"], float)
    if kind not in (None, "kde", "hist"):
        raise ParameterError(f"plot_energy: kind={kind!r}: expected 'kde' or 'hist'.")
    axes, (panel,) = axes_for(1, ax, figsize or (8, 6), None, backend_kwargs)
    parts = (("Marginal Energy", energy - energy.mean()), ("Energy transition",
                                                           np.diff(energy, axis=1)))  # fmt: skip
    for (name, values), alpha, color in zip(parts, fill_alpha, fill_color, strict=True):
        if kind == "hist":
            panel.hist(values.ravel(), bins="auto", density=True, alpha=alpha, color=color,
                       label=name)  # fmt: skip
            continue
        x, y = estimates.density(values)
        panel.fill_between(x, y, alpha=alpha, color=color, label=name, **(fill_kwargs or {}))
        panel.plot(x, y, color=color, **(plot_kwargs or {}))
    if bfmi:
        for chain, value in enumerate(np.atleast_1d(bfmi_of(energy))):
            panel.plot([], [], " ", label=f"chain {chain} BFMI = {float(value):.2f}")
    panel.set_yticks([])
    if legend:
        panel.legend(fontsize=textsize)
    finish(show, backend)
    return axes
