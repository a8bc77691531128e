"""PyMC3's sampling functions: today's under the old words, with the old kinds of results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import finetti
from finetti.dialects.notes import note
from finetti.dialects.pymc3.names import OTHER_INITS
from finetti.dialects.pymc3.variables import numpy_seed
from finetti.errors import NotYetSupported, ParameterError, did_you_mean, warn
from finetti.infer.options import names_list
from finetti.infer.source import ModelSource
from finetti.infer.traces import read_trace
from finetti.ir import Tensor
from finetti.model.context import modelcontext
from finetti.results import multitrace_files
from finetti.results.multitrace import MultiTrace
from finetti.results.trace import Array

# `sample` of 3.11, in its order, and its defaults
DEFAULTS: dict[str, Any] = {
    "draws": 1000, "step": None, "init": "auto", "n_init": None, "start": None, "trace": None,
    "chain_idx": 0, "chains": None, "cores": None, "tune": 1000, "progressbar": True, "model": None,
    "random_seed": None, "discard_tuned_samples": True, "compute_convergence_checks": True,
    "callback": None, "jitter_max_retries": None,
}  # fmt: skip
# words of other versions -> those of 3.11
OLDER = {"njobs": "cores", "nchains": "chains", "chain": "chain_idx", "step_kwargs": "nuts_kwargs"}
TODAY = {"start": "initvals", "nuts_kwargs": "nuts"}
_WITHOUT_MEANING = ("pickle_backend", "use_mmap", "exception")
_MOST_CORES = 4


def sample(draws: int = 1000, *args: Any, **kwargs: Any) -> Any:
    """Draw from the posterior.

    Parameters
    ----------
    draws : int
        Draws of each chain.
    *args, **kwargs
        As in PyMC3 3.11: ``step, init, n_init, start, trace, chain_idx, chains, cores, tune,
        progressbar, model, random_seed, ...``; also ``njobs``, ``nchains``, ``nuts_kwargs``, and
        today's ``initvals``, ``target_accept`` and so on.

    Returns
    -------
    MultiTrace
        Or an InferenceData with ``return_inferencedata=True``.
    """
    given = _bound((draws, *args), kwargs)
    model = modelcontext(given.pop("model"))
    first = int(given.pop("chain_idx") or 0)
    container = given.pop("return_inferencedata", None)
    keep_warmup = not given["discard_tuned_samples"]
    given["init"] = _init(given["init"])
    given["n_init"] = None  # it only counts for init="advi"
    _jobs(given)
    start = given.pop("start")
    if start is not None:
        note("start=", "initvals=")
        given["initvals"] = _starts(model, start)
    kept = given["trace"]
    if kept is not None and not isinstance(kept, MultiTrace):
        given["trace"] = None
        if isinstance(kept, str):
            if kept.lower() != "ndarray":  # the default backend
                raise NotYetSupported(
                    f"sample: trace={kept!r}: draws are kept in memory; write them with "
                    "`pm.save_trace(trace, directory)`."
                )
        else:
            note("trace=[variables]", "var_names=[names]")
            given["var_names"] = [getattr(var, "name", var) for var in kept]
    if given.get("var_names") is None:
        given["var_names"] = _kept(model)
    if given["random_seed"] is None:
        given["random_seed"] = numpy_seed()
    if container:
        wanted = given.pop("idata_kwargs", None) or {}
        given["idata_kwargs"] = {"log_likelihood": bool(model.root.observed_RVs), **wanted}
        return finetti.sample(**given, model=model)
    note("pm.sample(...) returning a MultiTrace", "idata.posterior")
    trace = finetti.sample(**given, model=model, return_inferencedata=False)
    if keep_warmup:
        trace = _with_warmup(trace)
    plain = trace.plain_draws()
    return MultiTrace.from_draws(plain, trace.source, first)


def _bound(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Every keyword by the name of 3.11, today's names for those that only were renamed."""
    order = list(DEFAULTS)
    if len(args) > len(order):
        raise ParameterError(f"sample got {len(args)} positional arguments: {', '.join(order)}.")
    values = dict(zip(order, args, strict=False))
    if len(args) > 1:
        note("pm.sample(draws, step, ...) by position", "step= and the others by name")
    if len(args) > 2 and isinstance(args[2], Mapping):  # before 3.0 it was draws, step, start
        values["start"] = values.pop("init")
    for key, value in kwargs.items():
        name = OLDER.get(key, key)
        if name != key:
            note(f"{key}=", f"{TODAY.get(name, name)}=")
        if key in _WITHOUT_MEANING:
            note(f"{key}=", "leave it out: chains are threads")
            continue
        if name in values:
            raise ParameterError(f"sample: {name} came twice, once by position or another name.")
        values[name] = value
    if values.get("nuts_kwargs") is not None:
        note("nuts_kwargs=", "nuts=")
        values["nuts"] = values["nuts_kwargs"]
    values.pop("nuts_kwargs", None)
    return {**DEFAULTS, **values}


def _init(init: Any) -> Any:
    name = "auto" if init is None else str(init).lower()
    if name not in OTHER_INITS:
        return name
    warn(
        f"sample: init={init!r} is not there; the start is jittered and the mass matrix adapted "
        "instead, as init='jitter+adapt_diag' does. The posterior is the same.",
    )
    note(f"init={init!r}", "leave it out")
    return "jitter+adapt_diag"


def _jobs(given: dict[str, Any]) -> None:
    """PyMC3's defaults: four cores at most, and at least two chains."""
    cores = given["cores"]
    if cores is None:
        cores = min(_MOST_CORES, os.cpu_count() or 1)
    if given["chains"] is None:
        given["chains"] = max(2, cores)
    given["cores"] = min(cores, given["chains"])


def _starts(model: Any, start: Any) -> Any:
    """Initial values without what PyMC3's points hold beside them."""
    if isinstance(start, Mapping):
        return _start(model, start)
    if not isinstance(start, Iterable):
        return start  # which `sample` refuses
    return [_start(model, x) if isinstance(x, Mapping) else x for x in start]


def _start(model: Any, point: Mapping[str, Any]) -> dict[str, Any]:
    root = model.root
    values = {rv.name: root.rvs_to_values[rv].name for rv in root.free_RVs}
    free = {*values, *values.values()}
    kept = {}
    for key, value in point.items():
        name = key.name if isinstance(key, Tensor) else str(key)
        if name.endswith("_") and not name.endswith("__") and f"{name}_" in free:
            name += "_"  # 3.0's x_log_
        if name in free:
            kept[name] = value
        elif name not in root.named_vars:
            raise ParameterError(f"start: the model has no {name!r}. {did_you_mean(name, free)}")
    # a point has a variable and its unconstrained value: the latter is exact
    return {name: x for name, x in kept.items() if values.get(name, name) == name or
            values[name] not in kept}  # fmt: skip


def _kept(model: Any) -> list[str] | None:
    """What a trace holds; None for all. Data with gaps are not in it, only what was missing."""
    root = model.root
    whole = {
        name.removesuffix("_observed")
        for name in (rv.name for rv in root.observed_RVs)
        if name.endswith("_observed")
    } & {var.name for var in root.deterministics}
    if not whole:
        return None
    return [var.name for var in root.unobserved_RVs if var.name not in whole]


def _with_warmup(trace: MultiTrace) -> MultiTrace:
    """The draws with those of the warm-up in front, as PyMC3 keeps them."""
    draws = trace.plain_draws()
    groups = {}
    for name in ("posterior", "sample_stats"):
        before, after = draws.group(f"warmup_{name}"), draws.group(name)
        groups[name] = {
            key: np.concatenate([before[key], value], axis=1)
            for key, value in after.items()
            if key in before
        }
    return MultiTrace(draws.with_groups(groups), trace.source)


# -- predictive sampling -------------------------------------------------------------------------


def sample_posterior_predictive(  # noqa: PLR0913, a user's keywords as PyMC3 spells them
    trace: Any,
    samples: int | None = None,
    model: Any = None,
    vars: Any = None,
    var_names: Any = None,
    size: int | None = None,
    keep_size: bool | None = None,
    random_seed: Any = None,
    progressbar: bool = True,
    mode: Any = None,
) -> dict[str, Array]:
    """Draw data from the posterior.

    Parameters
    ----------
    trace : MultiTrace, InferenceData or list of dict
        Posterior draws.
    samples : int, optional
        How many of the draws to use, from the first one on; all by default.
    model : Model, optional
        The open model by default.
    vars, var_names : list, optional
        Variables or names; the observed ones by default.
    size : int, optional
        Draws of the data for each draw of the posterior, in an axis after the first.
    keep_size : bool
        Return [chain, draw, ...] instead of [chain * draw, ...].
    random_seed : int, optional
        NumPy's global stream by default.
    progressbar : bool
        Accepted: it is too fast for a bar.
    mode : None
        Refused: it belongs to Theano.

    Returns
    -------
    dict
        Name -> array.
    """
    where = "sample_posterior_predictive"
    if mode is not None:
        raise NotYetSupported(f"{where}: mode={mode!r} belongs to Theano; leave it out.")
    if keep_size and (samples is not None or size is not None):
        raise ParameterError(f"{where}: give keep_size=True, or samples= and size=, not both.")
    if samples is not None:
        note("samples=", "idata.sel(draw=slice(0, n))")
    note(f"pm.{where}(...) returning a dict", "idata.posterior_predictive")
    model = modelcontext(model)
    names = _wanted(model, vars, var_names, where)
    draws = read_trace(trace, where)
    values, chains = dict(draws.values), draws.chains
    if samples is not None or size is not None:
        count = draws.count if samples is None else int(samples)
        repeats = 1 if size is None else int(size)
        index = np.repeat(np.arange(count) % draws.count, repeats)
        values = {k: v.reshape(draws.count, *v.shape[2:])[None, index] for k, v in values.items()}
    found = finetti.sample_posterior_predictive(
        values,
        model=model,
        var_names=names,
        random_seed=numpy_seed() if random_seed is None else random_seed,
        return_inferencedata=False,
    )
    return {name: _folded(found[name], size, bool(keep_size), chains) for name in names}


def _wanted(model: Any, vars: Any, var_names: Any, where: str) -> list[str]:
    if vars is not None:
        note("vars=", "var_names=")
    _one_of_two(vars, var_names, where)
    chosen = names_list(vars if var_names is None else var_names, where, "var_names")
    if chosen is not None:
        return chosen
    return [_whole(model.root, rv.name) for rv in model.root.observed_RVs]


def _whole(root: Any, name: str) -> str:
    """An observed variable's name; of one with missing elements that of all elements."""
    whole = name.removesuffix("_observed")
    joined = whole != name and f"{whole}_{root.missing_suffix}" in root.named_vars
    return whole if joined else name


def _one_of_two(vars: Any, var_names: Any, where: str) -> None:
    if vars is not None and var_names is not None:
        raise ParameterError(f"{where}: give var_names=, or vars=, not both.")


def _folded(array: Array, size: int | None, keep: bool, chains: int) -> Array:
    if keep:
        return array
    flat = array.reshape(-1, *array.shape[2:])
    return flat if size is None else flat.reshape(-1, int(size), *flat.shape[1:])


def sample_ppc(*args: Any, **kwargs: Any) -> dict[str, Array]:
    """`sample_posterior_predictive` under the name it had up to 3.5."""
    note("pm.sample_ppc", "pm.sample_posterior_predictive")
    return sample_posterior_predictive(*args, **kwargs)


def fast_sample_posterior_predictive(
    trace: Any,
    samples: int | None = None,
    model: Any = None,
    var_names: Any = None,
    keep_size: bool = False,
    random_seed: Any = None,
) -> dict[str, Array]:
    """`sample_posterior_predictive`, which is fast."""
    note("pm.fast_sample_posterior_predictive", "pm.sample_posterior_predictive")
    return sample_posterior_predictive(
        trace, samples, model, None, var_names, None, keep_size, random_seed
    )


def sample_posterior_predictive_w(
    traces: Sequence[Any],
    samples: int | None = None,
    models: Sequence[Any] | None = None,
    weights: Sequence[float] | None = None,
    random_seed: Any = None,
    progressbar: bool = True,
) -> dict[str, Array]:
    """Draw data from several models, each by its weight.

    Parameters
    ----------
    traces : list
        One for each model.
    samples : int, optional
        How many in all; as many as the shortest trace has draws by default.
    models : list of Model, optional
        The open model for all of them by default.
    weights : list of float, optional
        Equal by default; they need not sum to 1.
    random_seed : int, optional
        NumPy's global stream by default.
    progressbar : bool
        Accepted: it is too fast for a bar.
    """
    note("pm.sample_posterior_predictive_w", "az.weight_predictions")
    models = [modelcontext(None)] * len(traces) if models is None else list(models)
    share = np.ones(len(traces)) if weights is None else np.asarray(weights, float)
    if not len(traces) == len(models) == len(share):
        raise ParameterError(
            f"sample_posterior_predictive_w: {len(traces)} traces, {len(models)} models and "
            f"{len(share)} weights: give as many of each."
        )
    counts = [read_trace(trace, "sample_posterior_predictive_w").count for trace in traces]
    total = min(counts) if samples is None else int(samples)
    each = np.floor(total * share / share.sum()).astype(int)
    rng = np.random.default_rng(numpy_seed() if random_seed is None else random_seed)
    parts = []
    for trace, model, count, many in zip(traces, models, counts, each, strict=True):
        if many:
            rows = rng.choice(count, size=many, replace=many > count)
            values = {
                name: value.reshape(count, *value.shape[2:])[None, rows]
                for name, value in read_trace(trace, "trace").values.items()
            }
            seed = int(rng.integers(2**62))
            parts.append(sample_posterior_predictive(values, model=model, random_seed=seed))
    shared = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: np.concatenate([part[name] for part in parts]) for name in shared}


def sample_ppc_w(*args: Any, **kwargs: Any) -> dict[str, Array]:
    """`sample_posterior_predictive_w` under the name it had up to 3.5."""
    note("pm.sample_ppc_w", "az.weight_predictions")
    return sample_posterior_predictive_w(*args, **kwargs)


def sample_prior_predictive(
    samples: int = 500,
    model: Any = None,
    vars: Any = None,
    var_names: Any = None,
    random_seed: Any = None,
) -> dict[str, Array]:
    """Draw parameters and data from the prior.

    Parameters
    ----------
    samples : int
        How many.
    model : Model, optional
        The open model by default.
    vars, var_names : list, optional
        Variables or names; all by default, unconstrained values too.
    random_seed : int, optional
        NumPy's global stream by default.

    Returns
    -------
    dict
        Name -> array [samples, ...].
    """
    where = "sample_prior_predictive"
    note(f"pm.{where}(...) returning a dict", "idata.prior, idata.prior_predictive")
    model = modelcontext(model)
    _one_of_two(vars, var_names, where)
    chosen = names_list(vars if var_names is None else var_names, where, "var_names")
    source = ModelSource(model)
    values = [model.root.rvs_to_values[rv].name for rv in model.root.free_RVs]
    inner = [name for name in values if name not in model.root.named_vars]
    plain = None
    if chosen is not None:
        wanted = [name for name in chosen if name in inner]
        plain = None if wanted else chosen
        inner = wanted
    found = finetti.sample_prior_predictive(
        samples,
        model=model,
        var_names=plain,
        random_seed=numpy_seed() if random_seed is None else random_seed,
        return_inferencedata=False,
    )
    group = {name: np.asarray(value)[None] for name, value in found.items()}
    result = dict(found) | {name: source.derived(name, group)[0] for name in inner}
    return result if chosen is None else {name: result[name] for name in chosen}


# -- files ---------------------------------------------------------------------------------------


def save_trace(trace: MultiTrace, directory: Any = None, overwrite: bool = False) -> str:
    """Write a trace into a directory: `finetti.results.multitrace_files.save_trace`."""
    note("pm.save_trace(trace, directory)", "idata.to_netcdf(path)")
    return multitrace_files.save_trace(trace, directory, overwrite)


def load_trace(directory: Any, model: Any = None) -> MultiTrace:
    """Read what `save_trace` wrote.

    Parameters
    ----------
    directory : path
        Where it is.
    model : Model, optional
        The open model by default; without one, a trace has no log likelihoods.
    """
    note("pm.load_trace(directory)", "az.from_netcdf(path)")
    found: Any = finetti.Model.current(error_if_none=False) if model is None else model
    return multitrace_files.load_trace(directory, None if found is None else ModelSource(found))


def trace_to_dataframe(
    trace: MultiTrace,
    chains: Any = None,
    varnames: Sequence[str] | None = None,
    include_transformed: bool = False,
) -> Any:
    """A column for each scalar: `finetti.results.multitrace_files.trace_to_dataframe`."""
    note("pm.trace_to_dataframe(trace)", "idata.to_dataframe()")
    return multitrace_files.trace_to_dataframe(trace, chains, varnames, include_transformed)
