"""`plot_dist`, `plot_kde` and `plot_hdi`: plots of plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, ParameterError, ShapeError
from finetti.report.plots import estimates
from finetti.report.plots.backend import pyplot
from finetti.report.plots.data import axes_for, finish
from finetti.report.plots.pair import contour
from finetti.report.plots.shapes import draw_distribution


def plot_dist(  # noqa: PLR0913, a user's keywords
    values: Any,
    values2: Any = None,
    color: str = "C0",
    kind: str = "auto",
    cumulative: bool = False,
    label: str | None = None,
    rotated: bool = False,
    rug: bool = False,
    bw: Any = "default",
    figsize: tuple[float, float] | None = None,
    plot_kwargs: Mapping[str, Any] | None = None,
    hist_kwargs: Mapping[str, Any] | None = None,
    fill_kwargs: Mapping[str, Any] | None = None,
    ax: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
) -> Any:
    """The distribution of an array: bars for whole numbers, else a density estimate.

    Parameters
    ----------
    values, values2
        Numbers; with a second array a density in the plane.
    color, label, rotated, rug, figsize
        Looks.
    kind
        "auto", "kde" or "hist".
    cumulative
        The distribution function.
    bw
        Width of the kernel; a name takes the default rule.
    plot_kwargs, hist_kwargs, fill_kwargs
        matplotlib's options.
    ax, backend, backend_kwargs, show
        As for `plot_posterior`; the present axes by default.

    Returns
    -------
    Axes
    """
    panel = _here(ax, figsize, backend_kwargs)
    if values2 is not None:
        contour(panel, _flat(values), _flat(values2), {})
    else:
        array = _plain(values)
        given = {"color": color, "label": label}
        bars = kind == "hist" or kind == "auto" and array.dtype.kind in "biu"
        draw_distribution(panel, array, "hist" if bars else "kde", rug=rug, rotated=rotated,
                          cumulative=cumulative, width=_width(bw),
                          line={**given, **(plot_kwargs or {})},
                          bars={**given, **(hist_kwargs or {})})  # fmt: skip
        if fill_kwargs and not bars:
            x, y = estimates.density(array, _width(bw))
            panel.fill_between(x, y, **{"color": color, "alpha": 0.2, **fill_kwargs})
    if label:
        panel.legend()
    finish(show, backend)
    return panel


def plot_kde(  # noqa: PLR0913, a user's keywords
    values: Any,
    values2: Any = None,
    cumulative: bool = False,
    rug: bool = False,
    label: str | None = None,
    bw: Any = "default",
    quantiles: Any = None,
    rotated: bool = False,
    contour: bool = True,
    hdi_probs: Any = None,
    figsize: tuple[float, float] | None = None,
    plot_kwargs: Mapping[str, Any] | None = None,
    fill_kwargs: Mapping[str, Any] | None = None,
    contour_kwargs: Mapping[str, Any] | None = None,
    contourf_kwargs: Mapping[str, Any] | None = None,
    ax: Any = None,
    legend: bool = True,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
    **line: Any,
) -> Any:
    """A density estimate of an array, or of two in the plane.

    Parameters
    ----------
    values, values2
        Numbers.
    cumulative, rug, label, bw, rotated, figsize, ax, backend, backend_kwargs, show
        As for `plot_dist`.
    quantiles
        Split the area under the curve at these.
    contour, hdi_probs, contour_kwargs, contourf_kwargs
        Of the density in the plane.
    plot_kwargs, fill_kwargs, legend, **line
        Looks.

    Returns
    -------
    Axes
    """
    panel = _here(ax, figsize, backend_kwargs)
    if values2 is not None:
        _in_the_plane(panel, values, values2, {
            "hdi_probs": hdi_probs, "contour_kwargs": contour_kwargs,
            "contourf_kwargs": contourf_kwargs})  # fmt: skip
        finish(show, backend)
        return panel
    array = np.asarray(_plain(values), float)
    options = {"label": label, **(plot_kwargs or {}), **line}
    draw_distribution(panel, array, "kde", width=_width(bw), rug=rug, rotated=rotated,
                      cumulative=cumulative, line=options)  # fmt: skip
    x, y = estimates.density(array, _width(bw))
    if quantiles is not None:
        edges = np.quantile(estimates.finite(array), quantiles)
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            inside = (x >= low) & (x <= high)
            panel.fill_between(x[inside], y[inside], **{"alpha": 0.5, **(fill_kwargs or {})})
    elif fill_kwargs:
        panel.fill_between(x, y, **{"alpha": 0.2, **fill_kwargs})
    if legend and label:
        panel.legend()
    finish(show, backend)
    return panel


def _in_the_plane(panel: Any, values: Any, values2: Any, options: Mapping[str, Any]) -> None:
    contour(panel, _flat(values), _flat(values2), options)


def plot_hdi(  # noqa: PLR0913, a user's keywords
    x: Any,
    y: Any = None,
    hdi_prob: float | None = None,
    hdi_data: Any = None,
    color: str = "C1",
    smooth: bool = True,
    smooth_kwargs: Mapping[str, Any] | None = None,
    figsize: tuple[float, float] | None = None,
    fill_kwargs: Mapping[str, Any] | None = None,
    plot_kwargs: Mapping[str, Any] | None = None,
    ax: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
) -> Any:
    """A band of highest-density intervals along `x`.

    Parameters
    ----------
    x
        Positions.
    y
        Draws, [chain, draw, *x.shape] or [draw, *x.shape].
    hdi_prob
        Of the interval, 0.94.
    hdi_data
        The band itself, [*x.shape, 2].
    color, figsize, fill_kwargs, plot_kwargs
        Looks.
    smooth, smooth_kwargs
        Smooth the band with a Savitzky-Golay filter on an even grid; its options.
    ax, backend, backend_kwargs, show
        As for `plot_dist`.

    Returns
    -------
    Axes
    """
    positions = _plain(x).ravel()
    band = _band(positions, y, 0.94 if hdi_prob is None else hdi_prob, hdi_data)
    order = np.argsort(positions, kind="stable")
    positions, band = positions[order], band[order]
    if smooth and positions.dtype.kind in "fiu" and len(positions) > 3:
        positions, band = _smooth(positions.astype(float), band, smooth_kwargs)
    panel = _here(ax, figsize, backend_kwargs)
    edge = {"color": color, "alpha": 0, **(plot_kwargs or {})}
    panel.plot(positions, band[:, 0], **edge)
    panel.plot(positions, band[:, 1], **edge)
    panel.fill_between(positions, band[:, 0], band[:, 1],
                       **{"color": color, "alpha": 0.5, "linewidth": 0, **(fill_kwargs or {})})  # fmt: skip # noqa: E501
    finish(show, backend)
    return panel


def _band(positions: np.ndarray, y: Any, prob: float, given: Any) -> np.ndarray:
    if (y is None) == (given is None):
        raise ParameterError("plot_hdi: give the draws y=, or the band hdi_data=, not both.")
    if given is not None:
        if hasattr(given, "data_vars"):
            given = next(iter(given.data_vars.values()))
        return np.asarray(given, float).reshape(len(positions), 2)
    draws = np.asarray(_plain(y), float)
    if draws.size % len(positions) or draws.shape[-1] != len(positions):
        raise ShapeError(
            f"plot_hdi: y has shape {draws.shape}; its last axis must be x's, of length "
            f"{len(positions)}."
        )
    rows = draws.reshape(-1, len(positions))
    return np.array([estimates.hdi(column, prob) for column in rows.T])


def _smooth(x: np.ndarray, band: np.ndarray, given: Mapping[str, Any] | None) -> Any:
    from scipy.signal import savgol_filter

    options = {"window_length": 55, "polyorder": 2, **(given or {})}
    even = np.linspace(x.min(), x.max(), 200)
    even[0] = (even[0] + even[1]) / 2
    lines = [savgol_filter(np.interp(even, x, edge), axis=0, **options) for edge in band.T]
    return even, np.stack(lines, axis=1)


def _width(bw: Any) -> float | None:
    if isinstance(bw, str):
        return None
    if not isinstance(bw, (int, float, np.number)):
        raise NotYetSupported(f"bw={bw!r}: a number, or a name for the default rule.")
    return float(bw)


def _plain(values: Any) -> np.ndarray:
    convert = getattr(values, "to_numpy", None)
    return np.asarray(values if convert is None else convert())


def _flat(values: Any) -> np.ndarray:
    return estimates.finite(_plain(values))


def _here(ax: Any, figsize: Any, options: Any) -> Any:
    plt = pyplot()
    if ax is not None:
        return ax
    if figsize is None and not options:
        return plt.gca()
    return axes_for(1, None, figsize, None, options)[0]
