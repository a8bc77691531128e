"""ArviZ 0.x's names, keywords and defaults, on whichever ArviZ is installed."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from finetti.dialects.notes import note
from finetti.dialects.shims.arviz_line import written_for_today
from finetti.dialects.shims.patching import Undo, answer_missing, put
from finetti.errors import FinettiError, NotYetSupported, ParameterError
from finetti.infer.source import ModelSource
from finetti.report import plots
from finetti.report.plots import estimates
from finetti.report.summary import summary as own_summary
from finetti.results.arviz import to_inference_data
from finetti.results.container import arviz_is_legacy, as_datasets, from_datasets
from finetti.results.datasets import group_to_dataset
from finetti.results.multitrace import MultiTrace
from finetti.results.trace import Draws

_PROB = 0.94  # ArviZ 0.x's
_HDI_KEY, _CI_KEY = "stats.hdi_prob", "stats.ci_prob"


def arviz(module: ModuleType) -> list[Undo]:
    """What scripts for ArviZ 0.x call, where the installed ArviZ lacks or has changed it."""
    undo: list[Undo] = []
    legacy = arviz_is_legacy()
    for name in plots.PLOTS:
        if name in vars(module):
            undo.append(put(module, name, _plot(name, vars(module)[name], legacy)))
    changed = {"from_numpyro": _from_numpyro}
    if not legacy:
        changed |= {"summary": _summary, "hdi": _hdi, "extract": _extract, "compare": _compare,
                    "from_dict": _from_dict, "loo": _without_ic}  # fmt: skip
        undo += _settings(getattr(module, "rcParams", None))
    for name, make in changed.items():
        if hasattr(module, name):
            original = getattr(module, name)
            today = make(original)
            undo.append(put(module, name, today if legacy else _by_script(today, original)))
    return undo + answer_missing(module, _missing(module))


def _by_script(changed: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """ArviZ's own function for scripts that were written for this ArviZ."""

    @functools.wraps(changed)
    def chosen(*args: Any, **keywords: Any) -> Any:
        return (original if written_for_today() else changed)(*args, **keywords)

    return chosen


def _missing(module: ModuleType) -> dict[str, tuple[Callable[[], Any], str]]:
    rows: dict[str, tuple[Callable[[], Any], str]] = {}

    def add(name: str, value: Any, today: str) -> None:
        if name not in vars(module):
            rows[name] = (lambda: value, today)

    for name in plots.PLOTS:
        add(name, functools.partial(plots.draw, name), _TODAY.get(name, f"az.{name}"))
    add("plot_hpd", functools.partial(plots.draw, "plot_hdi"), "az.plot_hdi")
    add("hpd", _hpd, "az.hdi")
    add("from_pymc3", from_trace, "what pm.sample returns")
    add("from_pymc", from_trace, "what pm.sample returns")
    today = "sample_posterior_predictive(idata, predictions=True)"
    add("from_pymc3_predictions", from_predictions, today)
    add("convert_to_inference_data", convert, "az.convert_to_datatree")
    if "extract_dataset" not in vars(module):
        rows["extract_dataset"] = (lambda: vars(module)["extract"], "az.extract")
    for name, today in (("effective_sample_size", "ess"), ("gelman_rubin", "rhat")):
        if name not in vars(module):
            rows[name] = (functools.partial(getattr, module, today), f"az.{today}")
    add("waic", _waic, "az.loo")
    return rows


_TODAY = {
    "plot_posterior": "az.plot_dist", "plot_density": "az.plot_dist", "plot_kde": "az.plot_dist",
    "plot_hdi": "az.plot_ci", "plot_ppc": "az.plot_ppc_dist", "plot_joint": "az.plot_pair",
}  # fmt: skip


# -- plots ----------------------------------------------------------------------------------------


def _plot(name: str, original: Callable[..., Any], legacy: bool) -> Callable[..., Any]:
    """The plot with 0.x's keywords; a call in ArviZ 1's own words goes to ArviZ 1."""
    own = getattr(import_module(f"finetti.report.plots.{plots.PLOTS[name]}"), name)
    takes = set(inspect.signature(own).parameters)
    words = set(inspect.signature(original).parameters) - takes

    @functools.wraps(original)
    def plot(*args: Any, **keywords: Any) -> Any:
        modern = plots.modern(name, keywords)
        if legacy:
            return original(*args, **modern)
        if written_for_today():
            return original(*args, **keywords)
        if _HDI_KEY in _chosen and "hdi_prob" in takes:
            modern.setdefault("hdi_prob", interval_prob())
        todays = words & set(keywords) or keywords.get("backend") not in (None, "matplotlib")
        if todays or name == "plot_dist" and _is_tree(args[0] if args else keywords.get("dt")):
            return original(*args, **keywords)
        return plots.draw(name, *args, **modern)

    return plot


def _is_tree(value: Any) -> bool:
    return hasattr(value, "children") or hasattr(value, "posterior") or isinstance(value, Mapping)


# -- settings -------------------------------------------------------------------------------------


def _settings(params: Any) -> list[Undo]:
    """`rcParams["stats.hdi_prob"]` of 0.x, as the setting that took its place."""
    owner = type(params)
    if params is None or _HDI_KEY in params or _CI_KEY not in params:
        return []
    ask, tell = owner.__getitem__, owner.__setitem__

    def get(self: Any, key: str) -> Any:
        return interval_prob() if key == _HDI_KEY else ask(self, key)

    def put_in(self: Any, key: str, value: Any) -> None:
        if key == _HDI_KEY:
            note(f'az.rcParams["{_HDI_KEY}"]', f'az.rcParams["{_CI_KEY}"]')
            _chosen[_HDI_KEY] = float(value)
            key = _CI_KEY
        tell(self, key, value)

    return [put(owner, "__getitem__", get), put(owner, "__setitem__", put_in), _chosen.clear]


_chosen: dict[str, float] = {}  # what the script set


def interval_prob() -> float:
    """The probability of intervals: what the script has set, or 0.x's."""
    module: Any = sys.modules.get("arviz")
    if module is not None and arviz_is_legacy():
        settings = module.rcParams
        return float(settings[_CI_KEY if _CI_KEY in settings else _HDI_KEY])
    return _chosen.get(_HDI_KEY, _PROB)


# -- numbers --------------------------------------------------------------------------------------


def _summary(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def summary(data: Any, var_names: Any = None, *args: Any, **keywords: Any) -> Any:
        if args or {"ci_prob", "ci_kind", "sample_dims"} & set(keywords):
            return original(data, var_names, *args, **keywords)
        if "credible_interval" in keywords:
            keywords["hdi_prob"] = keywords.pop("credible_interval")
        keywords.setdefault("hdi_prob", interval_prob())
        round_to = keywords.pop("round_to", None)
        if keywords.get("fmt", "wide") != "wide":
            raise NotYetSupported(f"az.summary: fmt={keywords['fmt']!r}: there is 'wide'.")
        frame = own_summary(data, var_names, round_to="none", **keywords).to_dataframe()
        if round_to in ("none", "None"):
            return frame
        if round_to in (None, "auto"):
            digits = {"ess_bulk": 0, "ess_tail": 0, "r_hat": 2}
            return frame.round({str(column): digits.get(str(column), 3) for column in frame})
        return frame.round(int(round_to))

    return summary


def _hdi(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def hdi(ary: Any, hdi_prob: float | None = None, *args: Any, **keywords: Any) -> Any:
        if "prob" in keywords or args:
            return original(ary, *(() if hdi_prob is None else (hdi_prob,)), *args, **keywords)
        if "credible_interval" in keywords:
            hdi_prob = keywords.pop("credible_interval")
        prob = interval_prob() if hdi_prob is None else hdi_prob
        if isinstance(ary, (np.ndarray, list, tuple)):
            _only("az.hdi", keywords, ("skipna",))
            return _array_hdi(np.asarray(ary), prob)
        found = original(ary, prob=prob, **keywords)
        if hasattr(found, "to_dataset") and hasattr(found, "children"):  # 0.x gives a Dataset
            found = found.to_dataset()
        if "ci_bound" not in getattr(found, "dims", ()):
            return found
        return found.rename(ci_bound="hdi").assign_coords(hdi=["lower", "higher"])

    return hdi


def _array_hdi(array: np.ndarray, prob: float) -> np.ndarray:
    """[chain, draw, *shape] to [*shape, 2]; with one or two axes [draw, *shape], as 0.x has it."""
    shape = array.shape[1:] if array.ndim <= 2 else array.shape[2:]
    rows = array.reshape(-1, int(np.prod(shape, dtype=int)))
    bounds = np.array([estimates.hdi(column, prob) for column in rows.T])
    return bounds.reshape(*shape, 2)


def _hpd(ary: Any, credible_interval: float | None = None, **keywords: Any) -> np.ndarray:
    """`az.hpd` of earlier versions: draws along the first axis."""
    _only("az.hpd", keywords, ())
    array = np.asarray(ary)
    prob = interval_prob() if credible_interval is None else credible_interval
    return _array_hdi(array[None] if array.ndim > 1 else array, prob)


def _extract(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def extract(data: Any, group: str = "posterior", *args: Any, **keywords: Any) -> Any:
        if args:  # 0.x: combined is the third
            keywords["combined"], *rest = args
            if rest:
                raise ParameterError("az.extract: write what comes after combined by name.")
        if "rng" in keywords:
            keywords["random_seed"] = keywords.pop("rng")
        return original(data, group, **keywords)

    return extract


def _compare(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def compare(compare_dict: Any, ic: str | None = None, *args: Any, **keywords: Any) -> Any:
        if ic not in (None, "loo", "LOO"):
            raise NotYetSupported(
                f"az.compare: ic={ic!r}: ArviZ 1 compares by loo only. Leave ic= out."
            )
        keywords.pop("scale", None) if keywords.get("scale") == "log" else None
        return original(compare_dict, *args, **keywords)

    return compare


def _without_ic(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def loo(data: Any, *args: Any, **keywords: Any) -> Any:
        if keywords.get("scale") == "log":
            del keywords["scale"]
        return original(data, *args, **keywords)

    return loo


def _waic(data: Any, *args: Any, **keywords: Any) -> Any:
    own = getattr(import_module("finetti"), "waic", None)
    if own is None:
        raise NotYetSupported("az.waic: ArviZ 1 dropped it. Write az.loo(data).")
    return own(data, *args, **keywords)


# -- results --------------------------------------------------------------------------------------


def convert(obj: Any, group: str = "posterior", **keywords: Any) -> Any:
    """A result out of a trace, `Draws`, a DataTree or a mapping.

    Parameters
    ----------
    obj
        What is converted.
    group
        Where the arrays of a mapping go.
    """
    _only("az.convert_to_inference_data", keywords, ("coords", "dims"))
    if isinstance(obj, Draws):
        return to_inference_data(obj)
    for method in ("to_inference_data", "to_inferencedata"):
        if callable(getattr(obj, method, None)):
            return getattr(obj, method)()
    if isinstance(obj, Mapping) and not all(isinstance(v, Mapping) for v in obj.values()):
        obj = {group: obj}
    return from_datasets(as_datasets(obj))


def from_trace(
    trace: Any = None, *, prior: Any = None, posterior_predictive: Any = None,
    log_likelihood: Any = None, model: Any = None, coords: Any = None, dims: Any = None,
    **keywords: Any,
) -> Any:  # fmt: skip
    """`az.from_pymc3`: a trace and predictions in one result.

    Parameters
    ----------
    trace
        What `pm.sample` returned.
    prior, posterior_predictive
        Mappings of name to draws, [draw, ...] or [chain, draw, ...].
    log_likelihood
        Whether it is added; it is by default, where the trace knows a model with observed data.
    model
        Not needed: a trace knows what it came from.
    coords, dims
        Labels, for results whose model has none.
    """
    _only("az.from_pymc3", keywords, ("save_warmup", "density_dist_obs"))
    note("az.from_pymc3(trace)", "what pm.sample returns")
    if isinstance(log_likelihood, (list, tuple, str)):
        raise NotYetSupported(
            f"az.from_pymc3: log_likelihood={log_likelihood!r}: expected True or False."
        )
    if isinstance(trace, MultiTrace) and log_likelihood is not False:
        trace = _with_log_likelihood(trace, model)
    # a result of its own: groups are added to it
    result = from_datasets({} if trace is None else dict(as_datasets(convert(trace))))
    chains = result.posterior.sizes["chain"] if trace is not None else 1
    groups = {"posterior_predictive": posterior_predictive, "prior": prior}
    for name, values in groups.items():
        if values is not None:
            rows = {key: _by_chain(np.asarray(v), chains if name != "prior" else 1)
                    for key, v in values.items()}  # fmt: skip
            result.add_groups({name: rows})
    if not coords and not dims:
        return result
    named = as_datasets(result)
    return from_datasets({k: _labelled(one, coords or {}, dims or {}) for k, one in named.items()})


def _labelled(dataset: Any, coords: Mapping[str, Any], dims: Mapping[str, Any]) -> Any:
    """A group with the user's names of axes and labels, where the model gave none."""
    for name in [name for name in dims if name in dataset]:
        own = [dim for dim in dataset[name].dims if dim not in ("chain", "draw")]
        wanted = [dims[name]] if isinstance(dims[name], str) else list(dims[name])
        changes = {
            old: new
            for old, new in zip(own, wanted, strict=False)
            if new is not None and new != old
        }
        array = dataset[name].drop_vars([old for old in changes if old in dataset.coords])
        dataset = dataset.drop_vars(name).assign({name: array.rename(changes)})
    kept = {name: labels for name, labels in coords.items() if name in dataset.dims}
    return dataset.assign_coords(kept)


def from_predictions(
    predictions: Mapping[str, Any], posterior_trace: Any = None, model: Any = None,
    coords: Any = None, dims: Any = None, idata_orig: Any = None, inplace: bool = False,
) -> Any:  # fmt: skip
    """`az.from_pymc3_predictions`: draws for new data as the group ``predictions``.

    Parameters
    ----------
    predictions
        Name to draws, [draw, ...] or [chain, draw, ...].
    posterior_trace, idata_orig
        What they were drawn from; the second gets the group, a copy of it unless `inplace`.
    model
        Not needed.
    coords, dims
        Labels and names of the dimensions.
    inplace
        See above.
    """
    note("az.from_pymc3_predictions", "sample_posterior_predictive(idata, predictions=True)")
    source = idata_orig if posterior_trace is None else posterior_trace
    chains = 1 if source is None else convert(source).posterior.sizes["chain"]
    rows = {name: _by_chain(np.asarray(x), chains) for name, x in predictions.items()}
    group = group_to_dataset("predictions", rows, coords, dims)
    if idata_orig is None:
        return from_datasets({"predictions": group})
    result = convert(idata_orig) if inplace else copy.deepcopy(convert(idata_orig))
    result.extend({"predictions": group}, join="right")
    return result


def _with_log_likelihood(trace: MultiTrace, model: Any) -> Draws:
    try:
        return trace.with_log_likelihood(None if model is None else ModelSource(model))
    except FinettiError as error:
        warnings.warn(
            f"az.from_pymc3: the log likelihood is left out: {error}", UserWarning, stacklevel=3
        )
        return trace.plain_draws()


def _by_chain(values: np.ndarray, chains: int) -> np.ndarray:
    if len(values) % chains:
        return values[None]
    return values.reshape(chains, -1, *values.shape[1:])


def _from_numpyro(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def from_numpyro(posterior: Any = None, *args: Any, **keywords: Any) -> Any:
        own = getattr(posterior, "to_inference_data", None)
        if callable(own) and type(posterior).__module__.startswith("finetti."):
            return own(*args, **keywords)
        return original(posterior, *args, **keywords)

    return from_numpyro


def _from_dict(original: Callable[..., Any]) -> Callable[..., Any]:
    options = set(inspect.signature(original).parameters)

    @functools.wraps(original)
    def from_dict(data: Any = None, *args: Any, **keywords: Any) -> Any:
        if data is not None and all(isinstance(v, Mapping) for v in data.values()):
            return original(data, *args, **keywords)
        names = [key for key in keywords if key not in options]
        groups = {key: keywords.pop(key) for key in names}
        if data is not None:
            groups["posterior"] = data
        groups = {key: value for key, value in groups.items() if value is not None}
        return original(groups, *args, **keywords)

    return from_dict


def _only(where: str, keywords: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in keywords:
        if name not in known:
            raise NotYetSupported(f"{where}: {name}= is not there. Leave it out.")
