"""What several plots draw: one distribution, a bar of an interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti.report.plots import estimates


def draw_distribution(  # noqa: PLR0913, a user's keywords
    ax: Any,
    values: Any,
    kind: str = "auto",
    *,
    width: float | None = None,
    bins: Any = None,
    rug: bool = False,
    rotated: bool = False,
    line: Mapping[str, Any] | None = None,
    bars: Mapping[str, Any] | None = None,
    cumulative: bool = False,
) -> None:
    """A density estimate, or bars for whole numbers.

    Parameters
    ----------
    ax
        Where.
    values
        The draws.
    kind
        "kde", "hist" or "auto".
    width
        Of the kernel.
    bins
        Of the bars.
    rug
        Mark every draw at the bottom.
    rotated
        Exchange the axes.
    line, bars
        matplotlib's options of the two.
    cumulative
        Draw the distribution function.
    """
    array = np.asarray(values)
    if kind in ("hist", "histogram") or kind == "auto" and array.dtype.kind in "biu":
        options = {"alpha": 0.6, "density": True, **(bars or {})}
        orientation = "horizontal" if rotated else "vertical"
        bins = estimates.bins_of(array) if bins is None else bins
        ax.hist(array.astype(float).ravel(), bins=bins, orientation=orientation,
                cumulative=cumulative, **options)  # fmt: skip
    else:
        grid, heights = estimates.density(array, width)
        if cumulative:
            heights = np.cumsum(heights) / max(heights.sum(), 1e-300)
        pair = (heights, grid) if rotated else (grid, heights)
        ax.plot(*pair, **(line or {}))
        lower, upper = ax.get_xlim() if rotated else ax.get_ylim()
        # the limits that matplotlib chose, from zero on: later curves may be higher
        top = max(1.05 * float(np.max(heights, initial=0.0)), upper if lower == 0 else 0.0)
        (ax.set_xlim if rotated else ax.set_ylim)(0, top or 1.0)
    if rug:
        flat = estimates.finite(array)
        place = (np.zeros_like(flat), flat) if rotated else (flat, np.zeros_like(flat))
        ax.plot(*place, "_" if rotated else "|", color="k", alpha=0.35)


def without_ticks(ax: Any) -> None:
    """No frame and no numbers beside a density."""
    ax.set_yticks([])
    for side in ("left", "top", "right"):
        ax.spines[side].set_visible(False)


def rounded(number: float, round_to: Any = None) -> str:
    """A number with two significant digits (or as `round_to` says) for a label."""
    if round_to in (None, "auto"):
        digits = 2
        if number != 0 and np.isfinite(number):
            whole = len(str(int(abs(number))))
            digits = max(digits, whole)
        return f"{number:.{digits}g}"
    if isinstance(round_to, str) and round_to.endswith("g"):
        return f"{number:.{round_to}}"
    return f"{number:.{int(round_to)}f}"
