"""PyMC3's statistics of a trace: spelling; the numbers are `finetti.results`' and ArviZ's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import finetti
from finetti.dialects.notes import note
from finetti.dialects.shims.arviz import interval_prob
from finetti.errors import NotYetSupported, ParameterError
from finetti.infer.source import ModelSource
from finetti.model.context import current, modelcontext
from finetti.report.variables import read_variables
from finetti.results import diagnostics, elpd
from finetti.results.arviz import to_draws
from finetti.results.datasets import group_to_dataset
from finetti.results.lazy import untouched_draws
from finetti.results.multitrace import MultiTrace
from finetti.results.trace import Array, Draws

_FIRST, _LAST = 0.1, 0.5


def summary(trace: Any, varnames: Any = None, **kwargs: Any) -> Any:
    """A table of estimates and diagnostics, as a pandas DataFrame with the columns of 3.11.

    Parameters
    ----------
    trace : MultiTrace or InferenceData
        What `sample` returned.
    varnames : list, optional
        Names or variables; also `var_names`.
    **kwargs
        ArviZ's (``hdi_prob``, ``round_to``, ``kind``, ...) and PyMC3's ``alpha``, ``start``,
        ``include_transformed``, ``stat_funcs`` and ``extend``.
    """
    names = _names(varnames, kwargs)
    prob = _prob(kwargs)
    start = int(kwargs.pop("start", 0) or 0)
    if kwargs.pop("batches", None) is not None:
        raise NotYetSupported("summary: batches= is not there: errors come from autocorrelations.")
    digits = kwargs.pop("round_to", None)
    data: Any = trace_arrays(trace, names, bool(kwargs.pop("include_transformed", False)), start)
    table = finetti.summary(data, hdi_prob=prob, **kwargs).to_dataframe()
    if digits in ("none", "None"):
        return table
    return table.round(3 if digits is None else digits)


def df_summary(trace: Any, varnames: Any = None, **kwargs: Any) -> Any:
    """`summary` under the name it had before 3.3."""
    note("pm.df_summary", "pm.summary")
    return summary(trace, varnames, **kwargs)


def hdi(x: Any, hdi_prob: float | None = None, **kwargs: Any) -> Any:
    """The narrowest interval that holds a probability.

    Parameters
    ----------
    x : array, MultiTrace or InferenceData
        Draws along the first axis of an array.
    hdi_prob : float, optional
        0.94 by default; also `credible_interval`, or `alpha` for 1 minus it.
    var_names, varnames : list, optional
        Of a trace.

    Returns
    -------
    ndarray or xarray.Dataset
        The bounds in a new last axis.
    """
    if hdi_prob is not None:
        kwargs["hdi_prob"] = hdi_prob
    prob = _prob(kwargs)
    names = _names(kwargs.pop("varnames", None), kwargs)
    _nothing_left(kwargs, "hdi")
    if not isinstance(x, np.ndarray | list | tuple):
        return _measured(x, names, lambda draws: diagnostics.hdi(draws, prob), ("hdi",))
    array = np.asarray(x, float)
    bounds = diagnostics.hdi(array.reshape(1, len(array), -1), prob)
    return np.reshape(bounds, (*array.shape[1:], 2))


def hpd(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`hdi` under the name it had up to 3.8; a second position is `alpha`."""
    note("pm.hpd", "az.hdi")
    if args:
        kwargs["alpha"] = args[0]
    return hdi(x, **kwargs)


def rhat(trace: Any, var_names: Any = None, **kwargs: Any) -> Any:
    """The convergence measure of each variable, as an xarray.Dataset."""
    return _diagnostic("rhat", diagnostics.rhat, trace, var_names, kwargs)


def gelman_rubin(trace: Any, varnames: Any = None, **kwargs: Any) -> Any:
    """`rhat` under the name it had up to 3.6."""
    note("pm.gelman_rubin", "az.rhat")
    return rhat(trace, varnames, **kwargs)


def ess(trace: Any, var_names: Any = None, **kwargs: Any) -> Any:
    """The effective number of draws of each variable, as an xarray.Dataset."""
    method = kwargs.pop("method", "bulk")
    return _diagnostic("ess", lambda x: diagnostics.ess(x, method), trace, var_names, kwargs)


def effective_n(trace: Any, varnames: Any = None, **kwargs: Any) -> Any:
    """`ess` of the mean under the name it had up to 3.6."""
    note("pm.effective_n", "az.ess")
    return ess(trace, varnames, **{"method": "mean", **kwargs})


def mcse(trace: Any, var_names: Any = None, **kwargs: Any) -> Any:
    """The standard error of the mean of each variable, as an xarray.Dataset."""
    method = kwargs.pop("method", "mean")
    return _diagnostic("mcse", lambda x: diagnostics.mcse(x, method), trace, var_names, kwargs)


def bfmi(trace: Any) -> Array:
    """The energy diagnostic of each chain."""
    stats = _draws(trace).sample_stats
    if "energy" not in stats:
        raise ParameterError("bfmi: the trace has no energies; they come with NUTS.")
    return diagnostics.bfmi(stats["energy"])


def geweke(x: Any, first: float = _FIRST, last: float = _LAST, intervals: int = 20) -> Any:
    """Compare the beginnings of a chain with its end: [start, z score] in each row.

    Parameters
    ----------
    x : array or MultiTrace
        Draws along the first axis; a trace gives a dict of chains and names.
    first, last : float
        Which share of the draws each side has.
    intervals : int
        How many beginnings.
    """
    if isinstance(x, MultiTrace):
        names = [name for name in x.varnames if not name.endswith("_")]
        return {
            chain: {
                name: geweke(x.get_values(name, chains=chain), first, last, intervals)
                for name in names
            }
            for chain in x.chains
        }
    array = np.asarray(x, float)
    if array.ndim > 1:
        return [geweke(column, first, last, intervals) for column in array.T]
    return diagnostics.geweke(array, first, last, intervals)


def trace_cov(trace: MultiTrace, vars: Any = None, model: Any = None) -> Array:
    """The covariance matrix of a trace's variables, element by element.

    Parameters
    ----------
    trace : MultiTrace
        What `sample` returned.
    vars : list, optional
        Variables or names; the model's sampled values (unconstrained) by default.
    model : Model, optional
        The open model by default.
    """
    note("pm.trace_cov", "numpy.cov of the draws")
    chosen = _names(vars, {})
    if chosen is None:
        chosen = [value.name for value in modelcontext(model).root.value_vars]
    columns = [trace.get_values(name).reshape(len(trace) * trace.nchains, -1) for name in chosen]
    return np.cov(np.concatenate(columns, axis=1).T)


def waic(trace: Any, model: Any = None, pointwise: bool = False, scale: str | None = None) -> Any:
    """The widely applicable information criterion, on the log scale as in 3.11.

    ``result.waic``, ``.p_waic`` and ``.waic_se``; ``.WAIC`` is on the deviance scale, as up to 3.6.
    """
    return elpd.waic(_pointwise(trace, model), scale or "log")


def _efficiency(trace: Any) -> float:
    """Effective draws per draw, as ArviZ estimates them for loo."""
    arrays = [x.reshape(*x.shape[:2], -1) for x in trace_arrays(trace, None).values()]
    if not arrays or arrays[0].shape[0] == 1:
        return 1.0
    means = np.concatenate([np.atleast_1d(diagnostics.ess(x, "mean")) for x in arrays])
    return float(np.mean(means) / (arrays[0].shape[0] * arrays[0].shape[1]))


def loo(trace: Any, model: Any = None, pointwise: bool = False, scale: str | None = None) -> Any:
    """Leave-one-out cross-validation by Pareto-smoothed importance sampling.

    ``result.loo``, ``.p_loo`` and ``.loo_se``; ``.LOO`` is on the deviance scale, as up to 3.6.
    """
    return elpd.loo(_pointwise(trace, model), scale or "log", _efficiency(trace))


def compare(
    dataset_dict: Any, ic: str | None = None, method: str | None = None, **kwargs: Any
) -> Any:
    """Order models by their expected predictive density, as a pandas DataFrame.

    Parameters
    ----------
    dataset_dict : dict
        Name (or model) -> trace.
    ic : str, optional
        "loo" (default) or "waic".
    method : str, optional
        How weights are made: "stacking" (default), "pseudo-BMA" and "BB-pseudo-BMA" as in ArviZ.
    **kwargs
        ``scale``: "log" or "deviance"; ``b_samples``, ``alpha`` and ``seed`` of the bootstrap.
    """
    if not isinstance(dataset_dict, Mapping):
        raise ParameterError("compare: expected a dict of name (or model) to trace.")
    kind = (ic or "loo").lower()
    if kind not in ("loo", "waic"):
        raise ParameterError(f"compare: ic={ic!r}: expected 'loo' or 'waic'.")
    scale = kwargs.pop("scale", None) or "log"
    results = {}
    for place, (key, trace) in enumerate(dataset_dict.items()):
        is_model = hasattr(key, "register_rv")
        name = (key.name or f"model_{place}") if is_model else key
        results[name] = (loo if kind == "loo" else waic)(
            trace, key if is_model else None, scale=scale
        )
    if any(hasattr(key, "register_rv") for key in dataset_dict):
        note("pm.compare({model: trace})", "az.compare({'name': idata})")
    bootstrap = {key: kwargs.pop(key) for key in ("b_samples", "alpha", "seed") if key in kwargs}
    _nothing_left(kwargs, "compare")
    return elpd.compare(results, method or "stacking", **bootstrap)


# -- inside --------------------------------------------------------------------------------------


def _nothing_left(kwargs: Mapping[str, Any], where: str) -> None:
    for key, value in kwargs.items():
        raise ParameterError(f"{where}: unknown keyword {key}={value!r}.")


def _names(given: Any, kwargs: dict[str, Any]) -> list[str] | None:
    """Names from `varnames`, `var_names` or the position of either."""
    if "varnames" in kwargs:
        note("varnames=", "var_names=")
    chosen = kwargs.pop("var_names", None)
    chosen = kwargs.pop("varnames", None) if chosen is None else chosen
    chosen = given if chosen is None else chosen
    if chosen is None:
        return None
    chosen = [chosen] if isinstance(chosen, str) or hasattr(chosen, "node") else chosen
    return [name if isinstance(name, str) else name.name for name in chosen]


def _prob(kwargs: dict[str, Any]) -> float:
    for key in ("hdi_prob", "credible_interval"):
        value = kwargs.pop(key, None)
        if value is not None:
            if key != "hdi_prob":
                note(f"{key}=", "hdi_prob=")
            return float(value)
    alpha = kwargs.pop("alpha", None)
    if alpha is None:
        return interval_prob()
    note("alpha=", "hdi_prob=1 - alpha")
    return 1.0 - float(alpha)


def _draws(trace: Any) -> Draws:
    plain = untouched_draws(trace)
    return to_draws(trace) if plain is None else plain


def trace_arrays(
    trace: Any, names: list[str] | None = None, transformed: bool = False, start: int = 0
) -> dict[str, Array]:
    """Name -> [chain, draw, ...]."""
    if type(trace) is MultiTrace:
        plain = [n for n in trace.varnames if transformed or not n.endswith("_")]
        wanted = plain if names is None else names
        return {
            name: np.stack(trace.get_values(name, burn=start, combine=False, squeeze=False))
            for name in wanted
        }
    found = {v.name: v.values[:, start:] for v in read_variables(trace)}
    for name in names or ():
        if name not in found:
            raise ParameterError(f"the trace has no {name!r}; it has {', '.join(found)}.")
    return found if names is None else {name: found[name] for name in names}


def _measured(trace: Any, names: list[str] | None, measure: Any, more: tuple[str, ...] = ()) -> Any:
    """A measure of every scalar as an xarray.Dataset with the trace's dims."""
    arrays = trace_arrays(trace, names)
    found = {}
    for name, array in arrays.items():
        chains, draws, *event = array.shape
        values = measure(array.reshape(chains, draws, -1))
        found[name] = np.reshape(values, (*event, *np.shape(values)[1:]))
    draws_of = Draws() if type(trace) is dict else _draws(trace)
    dims = {
        name: [*_dims(draws_of, name, array.ndim - len(more)), *more]
        for name, array in found.items()
    }
    labels = {"hdi": ["lower", "higher"]} if more else {}
    return group_to_dataset("observed_data", found, {**draws_of.coords, **labels}, dims)


def _dims(draws: Draws, name: str, ndim: int) -> list[str | None]:
    given = list(draws.dims.get(name) or [])
    return [*given, *[None] * ndim][:ndim]


def _diagnostic(where: str, measure: Any, trace: Any, var_names: Any, kwargs: Any) -> Any:
    kwargs.pop("include_transformed", None)  # unconstrained values are left out of the dataset
    names = _names(var_names, kwargs)
    _nothing_left(kwargs, where)
    if isinstance(trace, np.ndarray):
        return float(measure(trace[..., None])[0])
    return _measured(trace, names, measure)


def _pointwise(trace: Any, model: Any) -> Array:
    """The elementwise log likelihood [chain, draw, points] of the one observed variable."""
    plain = _draws(trace)
    group = plain.group("log_likelihood")
    if not group:
        source = getattr(trace, "source", None) if type(trace) is MultiTrace else None
        found = current(error_if_none=False) if model is None else model
        if found is not None:
            source = ModelSource(found)
        if source is None:
            raise ParameterError("the trace has no log likelihood: pass model=.")
        group = source.log_likelihood(plain)
    if len(group) != 1:
        raise ParameterError(
            f"waic and loo need one observed variable, the model has {len(group)}: "
            f"{', '.join(group) or 'none'}. Compute them with ArviZ and var_name=."
        )
    (values,) = group.values()
    return np.reshape(values, (*values.shape[:2], -1))


__all__ = ["bfmi", "compare", "df_summary", "effective_n", "ess", "gelman_rubin", "geweke", "hdi",
           "hpd", "loo", "mcse", "rhat", "summary", "trace_arrays", "waic"]  # fmt: skip
