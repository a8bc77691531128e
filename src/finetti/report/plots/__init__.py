"""Plots of results, as ArviZ 0.x and PyMC3 spell them, on matplotlib's axes.

Names of ArviZ: plot_trace plot_posterior plot_forest plot_density plot_autocorr plot_pair
plot_joint plot_energy plot_kde plot_dist plot_hdi plot_ppc plot_compare

Names of PyMC3: traceplot forestplot densityplot autocorrplot pairplot energyplot kdeplot
compareplot plot_hpd plot_ppc plot_posterior plot_trace

Every function takes a result, a trace or a mapping of arrays, and the keywords of either time
(`varnames`, `alpha`, `credible_interval`). Where ArviZ 0.x is installed its own function draws;
with ArviZ 1, or without ArviZ, the one in this package does. Axes come back as in ArviZ 0.x.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, ParameterError
from finetti.results.container import arviz_is_legacy

# ArviZ's name -> the module here that has a function of that name.
PLOTS: dict[str, str] = {
    "plot_autocorr": "chains", "plot_compare": "predictive", "plot_density": "posterior",
    "plot_dist": "arrays", "plot_energy": "chains", "plot_forest": "forest", "plot_hdi": "arrays",
    "plot_joint": "pair", "plot_kde": "arrays", "plot_pair": "pair", "plot_posterior": "posterior",
    "plot_ppc": "predictive", "plot_trace": "trace",
}  # fmt: skip
# PyMC3's name -> ArviZ's.
LEGACY: dict[str, str] = {
    "autocorrplot": "plot_autocorr", "compareplot": "plot_compare", "densityplot": "plot_density",
    "energyplot": "plot_energy", "forestplot": "plot_forest", "kdeplot": "plot_kde",
    "pairplot": "plot_pair", "plot_hpd": "plot_hdi", "traceplot": "plot_trace",
}  # fmt: skip
# Keywords of earlier versions -> today's.
RENAMED: dict[str, str] = {
    "credible_interval": "hdi_prob", "hpd_markers": "hdi_markers", "rhat": "r_hat",
    "text_size": "textsize", "varnames": "var_names",
}  # fmt: skip
_LEVELS = ("alpha", "alpha_level")  # 1 - the probability of the interval
_WITH_LEVELS = ("plot_forest", "plot_density", "plot_posterior", "plot_hdi")
# Functions whose second argument was the names of the variables once, and is not now.
_NAMES_FIRST = ("plot_forest", "plot_pair", "plot_density")
_NOT_IN_LEGACY = ("plot_joint",)  # ArviZ 0.x dropped it
_FOREST = ("main", "xtitle", "xlim", "vline")


def modern(name: str, keywords: dict[str, Any]) -> dict[str, Any]:
    """Keywords of any time in today's spelling.

    Parameters
    ----------
    name
        ArviZ's name of the function.
    keywords
        As the user gave them.
    """
    result: dict[str, Any] = {}
    for key, value in keywords.items():
        if key == "plot_transformed":
            if value:
                raise NotYetSupported(
                    f"{name}: plot_transformed=True: name the unconstrained values instead, e.g. "
                    "var_names=['sigma_log__'] of a trace that has them."
                )
        elif key == "kde_plot":
            result["kind"] = "kde" if value else "hist"
        elif key in _LEVELS and name in _WITH_LEVELS and not (name == "plot_hdi" and value > 0.5):
            result["hdi_prob"] = 1.0 - value
        elif key == "lines" and isinstance(value, dict):
            result["lines"] = [(variable, {}, numbers) for variable, numbers in value.items()]
        elif key == "ax" and name == "plot_trace":
            result["axes"] = value
        else:
            today = RENAMED.get(key, key)
            if today in result:
                raise ParameterError(f"{name}: {key}= and {today}= are one thing: give one.")
            result[today] = value
    return result


def _function(name: str) -> Callable[..., Any]:
    """The function that draws in this environment."""
    if arviz_is_legacy() and name not in _NOT_IN_LEGACY:
        return getattr(import_module("arviz.plots"), name)  # type: ignore[no-any-return]
    return getattr(import_module(f"finetti.report.plots.{PLOTS[name]}"), name)  # type: ignore[no-any-return]


def draw(name: str, *args: Any, **keywords: Any) -> Any:
    """Call a plot by ArviZ's name, with keywords of any time.

    Parameters
    ----------
    name
        E.g. "plot_trace".
    *args, **keywords
        What the user gave.
    """
    keywords = modern(name, keywords)
    named = "var_names" in keywords
    if name in _NAMES_FIRST and len(args) == 2 and not named and _names(args[-1]):
        args, keywords = args[:1], {"var_names": args[-1], **keywords}
    looks = {key: keywords.pop(key) for key in _FOREST if name == "plot_forest" and key in keywords}
    axes = _function(name)(*args, **keywords)
    if looks:
        _decorate(np.ravel(np.asarray(axes, dtype=object))[0], looks)
    return axes


def _names(value: Any) -> bool:
    if isinstance(value, str):
        return value not in ("forestplot", "ridgeplot", "posterior", "prior", "sample_stats")
    return isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)


def _decorate(ax: Any, looks: dict[str, Any]) -> None:
    """PyMC3's own words for a forest plot."""
    if looks.get("main") is not None:
        ax.set_title(looks["main"])
    if looks.get("xtitle") is not None:
        ax.set_xlabel(looks["xtitle"])
    if looks.get("xlim") is not None:
        ax.set_xlim(*looks["xlim"])
    if looks.get("vline") is not None:
        ax.axvline(looks["vline"], color="k", linestyle="--")


def _made(public: str, name: str) -> Callable[..., Any]:
    def plot(*args: Any, **keywords: Any) -> Any:
        return draw(name, *args, **keywords)

    plot.__name__ = plot.__qualname__ = public
    plot.__doc__ = f"ArviZ's `{name}`, on matplotlib, with keywords of any time."
    return plot


def __getattr__(name: str) -> Any:
    target = LEGACY.get(name, name)
    if target not in PLOTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = globals()[name] = _made(name, target)
    return function


def __dir__() -> list[str]:
    return sorted([*PLOTS, *LEGACY])
