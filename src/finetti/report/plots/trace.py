"""`plot_trace`: the distribution of every variable, and its values draw by draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.errors import FinettiError, NotYetSupported, ParameterError
from finetti.report.plots.backend import pyplot
from finetti.report.plots.data import Series, elements, finish, limited, variables_of
from finetti.report.plots.shapes import draw_distribution
from finetti.report.variables import read_variables

_DASHES = ("-", "--", ":", "-.")


def plot_trace(  # noqa: PLR0913, a user's keywords
    data: Any,
    var_names: str | Sequence[str] | None = None,
    filter_vars: str | None = None,
    transform: Callable[..., Any] | None = None,
    coords: Mapping[str, Any] | None = None,
    divergences: str | bool | None = "auto",
    kind: str = "trace",
    figsize: tuple[float, float] | None = None,
    rug: bool = False,
    lines: Sequence[tuple[str, Any, Any]] | None = None,
    compact: bool = True,
    combined: bool = False,
    legend: bool = False,
    plot_kwargs: Mapping[str, Any] | None = None,
    hist_kwargs: Mapping[str, Any] | None = None,
    trace_kwargs: Mapping[str, Any] | None = None,
    axes: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    show: bool | None = None,
) -> Any:
    """Distributions on the left, traces on the right, as ArviZ 0.x draws them.

    Parameters
    ----------
    data
        A result, a trace, or a mapping of arrays [chain, draw, ...].
    var_names, filter_vars, coords
        Which variables and elements.
    transform
        Applied to the values.
    divergences
        "bottom" or "top": where divergent draws are marked; None leaves them out.
    kind
        "trace", "rank_bars" or "rank_vlines".
    figsize
        In inches.
    rug
        Mark every draw.
    lines
        Reference lines: (name, selection, value or values).
    compact
        One row a variable, its elements in one panel.
    combined
        All chains in one line.
    legend
        Of the chains.
    plot_kwargs, hist_kwargs, trace_kwargs
        matplotlib's options of the densities, the bars and the traces.
    axes
        The user's own, [rows, 2].
    backend, backend_kwargs, show
        "matplotlib", options of `plt.subplots`, and whether to call `plt.show`.

    Returns
    -------
    ndarray of Axes, [rows, 2]
    """
    plt = pyplot()
    if kind not in ("trace", "rank_bars", "rank_vlines"):
        raise ParameterError(f"plot_trace: kind={kind!r}: expected 'trace' or 'rank_bars'.")
    rows = _rows(data, compact, dict(var_names=var_names, filter_vars=filter_vars, coords=coords,
                                     transform=transform))  # fmt: skip
    rows = limited(rows, "plot_trace", 2)
    if axes is None:
        size = (12, max(2.0 * len(rows), 2.0)) if figsize is None else figsize
        options = {"figsize": size, "squeeze": False, "layout": "constrained"}
        _, axes = plt.subplots(len(rows), 2, **{**options, **(backend_kwargs or {})})
    axes = np.atleast_2d(np.asarray(axes, dtype=object))
    bad = _divergent(data) if divergences else None
    for (left, right), (title, members) in zip(axes, rows, strict=False):
        _draw_row(left, right, members, combined, rug, kind,
                  (plot_kwargs or {}, hist_kwargs or {}, trace_kwargs or {}))  # fmt: skip
        if bad is not None and bad.any():
            _mark(left, right, members, bad, divergences == "top")
        for ax in (left, right):
            ax.set_title(title)
        if legend:
            _chains_legend(left, members, combined)
    _reference_lines(axes, rows, lines, compact)
    finish(show, backend)
    return axes


def _rows(data: Any, compact: bool, selection: dict[str, Any]) -> list[tuple[str, list[Series]]]:
    found = variables_of(data, **selection)
    if compact:
        return [(variable.name, elements(variable)) for variable in found]
    return [(one.label, [one]) for variable in found for one in elements(variable)]


def _chains_legend(ax: Any, members: list[Series], combined: bool) -> None:
    chains = 1 if combined else members[0].values.shape[0]
    several = len(members) > 1
    for chain in range(chains):
        style = {"color": "k" if several else f"C{chain % 10}",
                 "linestyle": _DASHES[chain % 4] if several else "-"}  # fmt: skip
        ax.plot([], [], label="all chains" if combined else f"chain {chain}", **style)
    ax.legend()


def _draw_row(
    left: Any, right: Any, members: list[Series], combined: bool, rug: bool, kind: str,
    options: tuple[Mapping[str, Any], ...],
) -> None:  # fmt: skip
    lines, bars, traces = options
    several = len(members) > 1
    for place, one in enumerate(members):
        chains = one.values.reshape(1, -1) if combined else one.values
        for number, values in enumerate(chains):
            color = f"C{(place if several else number) % 10}"
            style = {"color": color, "linestyle": _DASHES[number % 4] if several else "-"}
            draw_distribution(left, values, rug=rug, line={**style, "linewidth": 1.2, **lines},
                              bars={"color": color, **bars})  # fmt: skip
            if kind == "trace":
                right.plot(values, **{**style, "alpha": 0.35, "linewidth": 0.8, **traces})
        if kind != "trace":
            _ranks(right, one.values, kind)
    left.set_yticks([])
    if kind == "trace":
        right.set_xlim(0, max(members[0].values.shape[-1] - 1, 1) * (
            members[0].values.shape[0] if combined else 1))  # fmt: skip


def _ranks(ax: Any, values: np.ndarray, kind: str) -> None:
    order = np.argsort(np.argsort(values.ravel(), kind="stable")).reshape(values.shape)
    edges = np.linspace(0, values.size, 21)
    expected = values.shape[1] / 20
    for chain, ranks in enumerate(order):
        counts = np.histogram(ranks, edges)[0] / expected * 0.8
        middle, color = (edges[:-1] + edges[1:]) / 2, f"C{chain % 10}"
        if kind == "rank_bars":
            ax.bar(middle, counts, width=edges[1], bottom=chain, color=color, alpha=0.8)
        else:
            ax.vlines(middle, chain + 0.8, chain + counts, color=color)
        ax.axhline(chain + 0.8, color="k", linestyle="--", linewidth=0.5)
    ax.set_yticks(range(len(order)))
    ax.set_xlabel("rank")


def _divergent(data: Any) -> np.ndarray | None:
    try:
        found = {v.name: v.values for v in read_variables(data, "sample_stats")}
    except FinettiError:  # a result without statistics has no divergences to mark
        return None
    for name in ("diverging", "divergences"):
        if name in found:
            return found[name].astype(bool)
    return None


def _mark(left: Any, right: Any, members: list[Series], bad: np.ndarray, top: bool) -> None:
    for one in members:
        if bad.shape != one.values.shape:
            continue
        for ax, marks in ((left, one.values[bad]), (right, np.nonzero(bad)[1])):
            place = ax.get_ylim()[1 if top else 0]
            ax.plot(marks, np.full(len(marks), place), "|", color="k", markersize=12, alpha=0.2)


def _reference_lines(axes: Any, rows: list[Any], lines: Any, compact: bool) -> None:
    for entry in lines or []:
        if len(entry) != 3:
            raise ParameterError(f"plot_trace: lines has {entry!r}: expected (name, {{}}, values).")
        name, selection, values = entry
        if selection and compact:
            raise NotYetSupported(
                f"plot_trace: lines for {selection!r} of {name!r}: write compact=False for a panel "
                "of its own, or a list of values with the selection {}."
            )
        wanted = ", ".join(map(str, selection.values())) if selection else None
        flat = np.ravel(np.asarray(values, float))
        for (left, right), (_, members) in zip(axes, rows, strict=False):
            if members[0].name != name or (wanted is not None and members[0].part != wanted):
                continue
            for value in flat:
                left.axvline(value, color="k", linewidth=1.5, alpha=0.4)
                right.axhline(value, color="k", linewidth=1.5, alpha=0.4)
