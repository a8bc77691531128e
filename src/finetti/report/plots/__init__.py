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

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, ParameterError, nearest
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
# Functions that only PyMC3 had -> the module here that has them.
OWN: dict[str, str] = {"plot_posterior_predictive_glm": "regression"}
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
# Matplotlib's keywords that PyMC3's kdeplot handed on to the curve.
_CURVE = ("alpha", "c", "color", "linestyle", "linewidth", "ls", "lw")
# Columns of PyMC3's compare -> those of ArviZ 0.x's plot of it.
_COMPARED = {
    "loo": "elpd_loo", "waic": "elpd_waic", "d_loo": "elpd_diff", "d_waic": "elpd_diff",
    "loo_scale": "scale", "waic_scale": "scale",
}  # fmt: skip
# Keywords that PyMC3's plots had and ArviZ's have not -> values that change nothing.
_GONE: dict[str, dict[str, tuple[Any, ...]]] = {
    "plot_trace": {
        "alpha": (0.35,), "bw": (4.5,), "live_plot": (False,), "priors": (),
        "prior_alpha": (1,), "prior_style": ("--",), "refresh_every": (100,), "roundto": (3,),
        "skip_first": (0,),
    },
    "plot_forest": {
        "chain_spacing": (0.05, 0.1), "gs": (), "plot_kwargs": (), "quartiles": (True,),
    },
    "plot_autocorr": {"burn": (0,), "symmetric_plot": (False,)},
    "plot_energy": {"frame": (True,), "kwargs_shade": (), "shade": (), "kind": ("kde", "hist")},
    "plot_pair": {"gs": (), "kwargs_divergence": (), "sub_varnames": ()},
    "plot_kde": {"kwargs_shade": (), "shade": ()},
}  # fmt: skip
# How PyMC3's plots looked -> ArviZ's keywords for it, where the function has them.
_LOOKS: dict[tuple[str, str], Callable[[Any], dict[str, Any]]] = {
    ("plot_trace", "alpha"): lambda x: {"trace_kwargs": {"alpha": x}},
    ("plot_energy", "shade"): lambda x: {"fill_alpha": (x, x)},
    ("plot_kde", "shade"): lambda x: {"fill_kwargs": {"alpha": x}},
    ("plot_pair", "hexbin"): lambda x: {"kind": "hexbin" if x else "scatter"},
}
_FOREST = ("main", "xtitle", "xlim", "vline", "ylabels")


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
        elif _looks(name, key, value):
            result |= _LOOKS[name, key](value)
        elif _gone(name, key, value):
            continue
        elif key == "models" and name in ("plot_forest", "plot_density"):
            result["model_names" if name == "plot_forest" else "data_labels"] = value
        elif key == "kde_plot":
            result["kind"] = "kde" if value else "hist"
        elif key in _LEVELS and name in _WITH_LEVELS and not (name == "plot_hdi" and value > 0.5):
            result["hdi_prob"] = 1.0 - value
        elif key == "lines" and isinstance(value, dict):
            result["lines"] = [
                (variable, {}, numbers)
                for variable, numbers in value.items()
                if not variable.endswith("__")
            ]  # unconstrained: it has no panel
        elif key == "ax" and name == "plot_trace":
            result["axes"] = value
        else:
            today = RENAMED.get(key, key)
            if today in result:
                raise ParameterError(f"{name}: {key}= and {today}= are one thing: give one.")
            result[today] = value
    return result


def _looks(name: str, key: str, value: Any) -> bool:
    row = _LOOKS.get((name, key))
    return row is not None and value is not None and set(row(value)) <= _parameters(name)


def _gone(name: str, key: str, value: Any) -> bool:
    """Whether a keyword of PyMC3's has a value that changes nothing; refuses other values."""
    if key not in _GONE.get(name, {}) or key in _parameters(name):
        return False
    if value is not None and not any(value is same or value == same for same in _GONE[name][key]):
        raise NotYetSupported(
            f"{name}: {key}={value!r}: only PyMC3's own plot had it; leave it out."
        )
    return True


def _parameters(name: str) -> frozenset[str]:
    return frozenset(inspect.signature(_function(name)).parameters)


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
    if name == "plot_kde":
        curve = {key: keywords.pop(key) for key in _CURVE if key in keywords}
        if curve:
            keywords["plot_kwargs"] = {**curve, **(keywords.get("plot_kwargs") or {})}
    if name == "plot_compare" and args and hasattr(args[0], "rename"):
        args = (args[0].rename(columns=_COMPARED), *args[1:])
    looks = {key: keywords.pop(key) for key in _FOREST if name == "plot_forest" and key in keywords}
    grid = keywords.pop("grid", None) if name == "plot_trace" else None
    axes = _function(name)(*args, **keywords)
    if grid:
        for ax in np.ravel(np.asarray(axes, dtype=object)):
            ax.grid(True)
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
    if looks.get("ylabels") is not None:
        places, labels = ax.get_yticks(), list(looks["ylabels"])
        if len(places) != len(labels):
            raise ParameterError(
                f"plot_forest: ylabels has {len(labels)} entries for {len(places)} lines."
            )
        ax.set_yticks(sorted(places, reverse=True), labels)  # from the top
    if looks.get("vline") is not None:
        ax.axvline(looks["vline"], color="k", linestyle="--")


def _made(public: str, name: str) -> Callable[..., Any]:
    def plot(*args: Any, **keywords: Any) -> Any:
        return draw(name, *args, **keywords)

    plot.__name__ = plot.__qualname__ = public
    plot.__doc__ = f"ArviZ's `{name}`, on matplotlib, with keywords of any time."
    return plot


def __getattr__(name: str) -> Any:
    if name in OWN:
        return getattr(import_module(f"finetti.report.plots.{OWN[name]}"), name)
    target = LEGACY.get(name, name)
    if target not in PLOTS:
        close = nearest(name, [*PLOTS, *LEGACY, *OWN])
        near = f" The nearest names there are: {', '.join(close)}." if close else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{near}")
    function = globals()[name] = _made(name, target)
    return function


def __dir__() -> list[str]:
    return sorted([*PLOTS, *LEGACY, *OWN])
