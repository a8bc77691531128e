"""Lines of a regression, drawn from its posterior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.report.plots.backend import pyplot


def _line(x: Any, sample: Any) -> Any:
    return sample["Intercept"] + sample["x"] * x


def plot_posterior_predictive_glm(
    trace: Any, eval: Any = None, lm: Callable[..., Any] | None = None, samples: int = 30,
    **kwargs: Any,
) -> None:  # fmt: skip
    """Draw regression lines of random draws into the current axes, as PyMC3 did.

    Parameters
    ----------
    trace
        A MultiTrace: ``trace[i]`` is a draw, a dict.
    eval : array_like, optional
        Where the lines are computed; 100 numbers from 0 to 1 by default.
    lm : callable, optional
        ``lm(eval, sample)``; ``sample["Intercept"] + sample["x"] * eval`` by default.
    samples : int
        How many lines.
    **kwargs
        Matplotlib's, of a line.
    """
    plt = pyplot()
    x = np.linspace(0, 1, 100) if eval is None else np.asarray(eval)
    looks = {"lw": 0.2, "c": "k", **kwargs}
    for alias, name in (("linewidth", "lw"), ("color", "c")):
        if alias in looks:
            looks.pop(name)
    for place in np.random.randint(0, len(trace), samples):
        plt.plot(x, (lm or _line)(x, trace[int(place)]), **looks)
        looks.pop("label", None)  # one entry of the legend for all
    plt.title("Posterior predictive")
