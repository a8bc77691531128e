"""`plot_ppc` and `plot_compare`: models against data and against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, ParameterError
from finetti.report.plots import estimates
from finetti.report.plots.data import axes_for, finish, limited
from finetti.report.variables import read_variables


def plot_ppc(  # noqa: PLR0913, a user's keywords
    data: Any,
    kind: str = "kde",
    alpha: float | None = None,
    mean: bool = True,
    observed: bool | None = None,
    color: str | None = None,
    colors: Sequence[str] | None = None,
    grid: tuple[int, int] | None = None,
    figsize: tuple[float, float] | None = None,
    textsize: float | None = None,
    data_pairs: Mapping[str, str] | None = None,
    var_names: str | Sequence[str] | None = None,
    num_pp_samples: int | None = None,
    random_seed: Any = None,
    legend: bool = True,
    ax: Any = None,
    backend: str | None = None,
    backend_kwargs: Mapping[str, Any] | None = None,
    group: str = "posterior",
    show: bool | None = None,
) -> Any:
    """Data and what the model predicts for them, as ArviZ 0.x draws them.

    Parameters
    ----------
    data
        A result with `posterior_predictive` and `observed_data`.
    kind
        "kde" or "cumulative".
    alpha, color, colors, textsize, legend, grid, figsize
        Looks.
    mean, observed
        Whether the mean prediction and the data are drawn.
    data_pairs
        Name of the data -> name of their prediction.
    var_names
        Which data.
    num_pp_samples, random_seed
        How many of the predictions are drawn, and which.
    group
        "posterior" or "prior".
    ax, backend, backend_kwargs, show
        As for `plot_posterior`.

    Returns
    -------
    Axes, or an array of them
    """
    if kind not in ("kde", "cumulative"):
        raise NotYetSupported(f"plot_ppc: kind={kind!r}: there are 'kde' and 'cumulative'.")
    predicted = {v.name: v for v in read_variables(data, f"{group}_predictive")}
    real = _plain_group(data, "observed_data")
    observed = group == "posterior" if observed is None else observed
    names = [var_names] if isinstance(var_names, str) else list(var_names or real)
    missing = [name for name in names if name not in real]
    if missing:
        raise ParameterError(f"plot_ppc: no observed data {missing[0]!r}: {sorted(real)}.")
    names = limited(names, "plot_ppc")
    palette = list(colors or [color or "C0", "k", "C1"])
    axes, flat = axes_for(len(names), ax, figsize, grid, backend_kwargs)
    rng = np.random.default_rng(random_seed)
    for name, panel in zip(names, flat, strict=False):
        draws = predicted[(data_pairs or {}).get(name, name)].values
        rows = draws.reshape(draws.shape[0] * draws.shape[1], -1)
        count = min(len(rows), 500 if num_pp_samples is None else num_pp_samples)
        chosen = rows[rng.choice(len(rows), count, replace=False)]
        faint = min(0.2, 10 / max(count, 1)) if alpha is None else alpha
        for k, row in enumerate(chosen):
            label = f"{group.capitalize()} predictive" if k == 0 else None
            _curve(panel, row, kind, color=palette[0], alpha=faint, label=label)
        if observed:
            _curve(panel, real[name], kind, color=palette[1], label="Observed")
        if mean:
            _curve(panel, chosen, kind, color=palette[2], linestyle="--",
                   label=f"{group.capitalize()} predictive mean")  # fmt: skip
        panel.set_xlabel(name, fontsize=textsize)
        if kind == "kde":
            panel.set_yticks([])
        if legend:
            panel.legend()
    finish(show, backend)
    return axes


def _plain_group(data: Any, group: str) -> dict[str, np.ndarray]:
    found = getattr(data, group, None)
    if found is None and hasattr(data, "group"):
        found = data.group(group)
    if found is None and isinstance(data, Mapping):
        found = data.get(group)
    if not found:
        raise ParameterError(f"plot_ppc: the result has no group {group!r}.")
    items = found.data_vars.items() if hasattr(found, "data_vars") else found.items()
    return {str(name): np.asarray(value) for name, value in items}


def _curve(ax: Any, values: Any, kind: str, **options: Any) -> None:
    array = np.asarray(values)
    if kind == "cumulative":
        ordered = np.sort(array, axis=None)
        ax.step(ordered, np.linspace(0, 1, ordered.size), where="post", **options)
    elif array.dtype.kind in "biu":
        edges = estimates.bins_of(array)
        heights = np.histogram(array, edges, density=True)[0]
        ax.step((edges[:-1] + edges[1:]) / 2, heights, where="mid", **options)
    else:
        ax.plot(*estimates.density(array), **options)


def plot_compare(
    comp_df: Any,
    insample_dev: bool = False,
    plot_standard_error: bool = True,
    plot_ic_diff: bool = False,
    order_by_rank: bool = True,
    figsize: tuple[float, float] | None = None,
    title: bool = True,
    ax: Any = None,
    **other: Any,
) -> Any:
    """The models of a table of `compare`, with their standard errors.

    Parameters
    ----------
    comp_df
        What `compare` returned.
    insample_dev, plot_standard_error, plot_ic_diff
        Further marks.
    order_by_rank
        The best model on top.
    figsize, title, ax
        Looks.
    **other
        `textsize`, `legend`, `plot_kwargs`, `backend`, `backend_kwargs` and `show`.

    Returns
    -------
    Axes
    """
    show, backend = other.pop("show", None), other.pop("backend", None)
    axes, (panel,) = axes_for(1, ax, figsize or (7, 0.6 * len(comp_df) + 1.2))
    names = [str(c) for c in comp_df.columns]
    column = next((c for c in names if c.split("_")[0] in ("elpd", "loo", "waic", "LOO", "WAIC")
                   or c in ("elpd", "loo", "waic", "WAIC", "LOO")), None)  # fmt: skip
    if column is None:
        raise ParameterError(f"plot_compare: {names} has no column with an information criterion.")
    table = comp_df.sort_values("rank") if order_by_rank and "rank" in names else comp_df
    heights = np.arange(len(table))[::-1].astype(float)
    error = table["se"] if plot_standard_error and "se" in names else None
    panel.errorbar(table[column].astype(float), heights, xerr=error, fmt="o", color="k",
                   markerfacecolor="w")  # fmt: skip
    if plot_ic_diff and "dse" in names:
        panel.errorbar(table[column].iloc[1:], heights[1:] + 0.25, xerr=table["dse"].iloc[1:],
                       fmt="^", color="0.5")  # fmt: skip
    penalty = next((c for c in names if c.startswith("p_") or c == "p"), None)
    if insample_dev and penalty:
        panel.plot(table[column] + table[penalty], heights, "o", color="k")
    panel.axvline(float(table[column].iloc[0]), color="0.5", linestyle="--")
    panel.set_yticks(heights, [str(name) for name in table.index])
    panel.set_ylim(-0.6, len(table) - 0.4)
    panel.set_xlabel(column)
    if title:
        panel.set_title("Model comparison, best on top")
    finish(show, backend)
    return axes
