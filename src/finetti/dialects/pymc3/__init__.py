"""What a script gets for `import pymc3`: PyMC3 3.11's words, translated into today's.

Distributions, the model, `sample` and statistics are this package's own; every other name is
finetti's. What is translated is noted (`dialects.notes`); what is not there is refused by name.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from types import ModuleType
from typing import Any

import finetti
from finetti.dialects.notes import note
from finetti.dialects.pymc.submodules import ForwardModule, forwarded
from finetti.dialects.pymc3.missing import explain
from finetti.dialects.pymc3.names import OLD, SAME
from finetti.dialects.pymc3.names import SPECIAL as SPECIAL_NAMES
from finetti.report.plots import LEGACY, OWN, PLOTS

__version__ = "3.11.5+finetti"

_HERE = "finetti.dialects.pymc3"
# Name -> the module that has it. A name that ends in "." stands for the module itself.
_OWN: dict[str, str] = {
    "Model": f"{_HERE}.model",
    **dict.fromkeys(("Data", "MutableData", "ConstantData"), f"{_HERE}.data"),
    **dict.fromkeys(
        ("sample", "sample_posterior_predictive", "sample_ppc", "sample_prior_predictive",
         "fast_sample_posterior_predictive", "sample_posterior_predictive_w", "sample_ppc_w",
         "save_trace", "load_trace", "trace_to_dataframe"),
        f"{_HERE}.sampling",
    ),
    **dict.fromkeys(
        ("bfmi", "compare", "df_summary", "effective_n", "ess", "gelman_rubin", "geweke", "hdi",
         "hpd", "loo", "mcse", "rhat", "summary", "trace_cov", "waic"),
        f"{_HERE}.stats",
    ),
    **dict.fromkeys(("autocorr", "autocov", "mc_error", "quantiles"), f"{_HERE}.stats_arrays"),
    **dict.fromkeys(("floatX", "intX", "smartfloatX"), f"{_HERE}.numbers"),
    **dict.fromkeys(("MultiTrace", "merge_traces"), "finetti.results.multitrace"),
    **dict.fromkeys(
        ("expand_packed_triangular", "invlogit", "invprobit", "logaddexp", "logit", "logsumexp",
         "probit"),
        "finetti.dialects.pymc.math",
    ),
    "transforms": f"{_HERE}.transforms.",
    "math": "finetti.dialects.pymc.math.",
}  # fmt: skip
_MODULES = """
    backends backends.base backends.ndarray backends.text blocking data
    distributions distributions.bound distributions.continuous distributions.discrete
    distributions.distribution distributions.mixture distributions.multivariate
    distributions.simulator distributions.timeseries exceptions
    model model_graph sampling stats step_methods step_methods.arraystep step_methods.compound
    step_methods.hmc step_methods.hmc.nuts step_methods.gibbs step_methods.metropolis
    step_methods.slicer theanof tuning tuning.scaling tuning.starting util
""".split()
_FORWARDED = frozenset(["", *_MODULES])
# Modules with names of their own; those that this installation lacks are not there.
_REAL = {
    "distributions.dist_math": f"{_HERE}.dist_math",
    "distributions.transforms": f"{_HERE}.transforms",
    "glm": f"{_HERE}.glm",
    "math": "finetti.dialects.pymc.math",
    "plots": "finetti.report.plots",
    "transforms": f"{_HERE}.transforms",
}
_LAST = {name.rpartition(".")[2]: name for name in _REAL}
# Modules whose names are the root's too.
_OPEN = ("glm",)


def module(name: str) -> ModuleType:
    """The module for `pymc3.<name>`, for `pymc3` itself when the name is empty.

    Raises
    ------
    LookupError
        There is none; the text says what to write.
    """
    if name in _REAL and _is_there(_REAL[name]):
        return importlib.import_module(_REAL[name])
    if name in _FORWARDED:
        return _forward(name)
    raise LookupError(str(explain(name.partition(".")[0], _names())))


def _forward(name: str) -> ForwardModule:
    return forwarded(name, _get, __dir__, "pymc3", _FORWARDED)


def _is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _get(name: str) -> Any:
    """A name of PyMC3's root."""
    if name in ("__version__", "__all__"):
        return __version__ if name == "__version__" else _names()
    path = _OWN.get(name)
    if path is not None:
        found = importlib.import_module(path.rstrip("."))
        return found if path.endswith(".") else getattr(found, name)
    if name in OLD or name in SAME:
        return importlib.import_module(f"{_HERE}.faces").FACES[name]
    if name in SPECIAL_NAMES or name == "Bound":
        return importlib.import_module(f"{_HERE}.special").SPECIAL[name]
    if name in _LAST and _is_there(_REAL[_LAST[name]]):
        return module(_LAST[name])
    for place in _OPEN:
        if _is_there(_REAL[place]):
            found = importlib.import_module(_REAL[place])
            if name in getattr(found, "__all__", ()):
                return getattr(found, name)
    if name in PLOTS or name in LEGACY or name in OWN:
        return _plot(name)
    if name in dir(finetti) and not name.startswith("_"):
        return getattr(finetti, name)
    raise explain(name, _names())


@functools.cache
def _plot(name: str) -> Any:
    """A plot; one under its old name notes that when it is called."""
    function = getattr(importlib.import_module(_REAL["plots"]), name)
    if name not in LEGACY:
        return function

    @functools.wraps(function)
    def plot(*args: Any, **kwargs: Any) -> Any:
        note(f"pm.{name}", f"az.{LEGACY[name]}")
        return function(*args, **kwargs)

    return plot


def _names() -> list[str]:
    own = {*_OWN, *OLD, *SAME, *SPECIAL_NAMES, "Bound", *PLOTS, *LEGACY, *OWN}
    for place in _OPEN:
        if _is_there(_REAL[place]):
            own |= set(getattr(importlib.import_module(_REAL[place]), "__all__", ()))
    return sorted(own | {name for name in dir(finetti) if not name.startswith("_")})


def __getattr__(name: str) -> Any:
    if name.startswith("__") and name not in ("__all__", "__version__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _get(name)


def __dir__() -> list[str]:
    return [*_names(), "__version__"]
