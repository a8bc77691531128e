"""Draws of data: from the prior, and from the posterior, for the same or for new data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, ParameterError, ShapeError, did_you_mean, warn
from finetti.infer.groups import coords_of, data_groups, dims_of, stacked
from finetti.infer.logs import listing, log
from finetti.infer.options import names_list
from finetti.infer.traces import Trace, read_trace
from finetti.ir import Node, topological
from finetti.model.compile import Array
from finetti.model.context import modelcontext
from finetti.model.forward import draw_all, seed_number
from finetti.model.frozen import Frozen, FrozenRV
from finetti.results.arviz import extend_inference_data, make_result
from finetti.results.trace import Draws

POTENTIALS = (
    "The effect of Potentials on other parameters is ignored during {} predictive sampling. "
    "This is likely to lead to invalid or biased predictive samples."
)


class ImplicitFreezeWarning(UserWarning):
    """A variable keeps its posterior draws although what it depends on has changed."""


def _nodes(frozen: Frozen) -> dict[str, Node]:
    """Name -> node of the frozen graph: random variables and deterministics."""
    return {
        **{rv.name: rv.node for rv in frozen.rvs},
        **{name: frozen.named[name] for name in frozen.deterministics},
    }


def _check_names(names: Sequence[str], valid: Mapping[str, Any], where: str) -> None:
    for name in names:
        if name not in valid:
            raise ParameterError(
                f"{where}: {name!r} is no random variable and no deterministic of the model. "
                f"{did_you_mean(name, valid)}"
            )


def _dependents(frozen: Frozen) -> list[str]:
    """Deterministics that depend on an observed variable."""
    observed = {rv.node for rv in frozen.observed}
    return [
        name
        for name in frozen.deterministics
        if observed.intersection(topological([frozen.named[name]]))
    ]


def sample_prior_predictive(  # noqa: PLR0913, a user's keywords as PyMC spells them
    draws: int = 500,
    model: Any = None,
    var_names: Sequence[str] | None = None,
    random_seed: Any = None,
    return_inferencedata: bool = True,
    idata_kwargs: Mapping[str, Any] | None = None,
    backend: str | None = None,
    samples: int | None = None,
) -> Any:
    """Draw parameters and data from the model without its data.

    Parameters
    ----------
    draws : int
        How many.
    model : Model, optional
        The open model by default.
    var_names : list of str, optional
        What to return; every variable by default.
    random_seed : int, sequence, Generator or None
        The same seed gives the same draws.
    return_inferencedata : bool
        False returns a dict of arrays [draw, ...].
    idata_kwargs : None
        Not supported yet.
    backend : str, optional
        "native" (default) or "reference".
    samples : int, optional
        What `draws` was called before PyMC 5.16.

    Returns
    -------
    InferenceData or dict
        With the groups prior, prior_predictive (observed variables), observed_data and
        constant_data.
    """
    where = "sample_prior_predictive"
    if idata_kwargs:
        raise NotYetSupported(f"{where}: idata_kwargs={idata_kwargs!r} is not there yet.")
    if samples is not None:
        if draws not in (500, samples):
            raise ParameterError(f"{where}: draws={draws!r} and samples={samples!r}: give draws.")
        draws = samples
    if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)) or draws < 1:
        raise ParameterError(f"{where}: draws={draws!r}, expected a whole number >= 1.")
    model = modelcontext(model)
    frozen: Frozen = model.frozen()
    if frozen.potentials:
        warn(POTENTIALS.format("prior"))
    nodes = _nodes(frozen)
    names = names_list(var_names, where, "var_names") or list(nodes)
    _check_names(names, nodes, where)
    labels = {node: name for name, node in nodes.items()}
    known: dict[Node, Array] = {}
    outputs = [nodes[name] for name in names]
    values = draw_all(outputs, int(draws), known, seed_number(random_seed), labels, backend)
    log.info("Sampling: %s", listing(sorted(labels[node] for node in known if node in labels)))
    arrays = dict(zip(names, values, strict=True))
    if not return_inferencedata:
        return {name: np.array(value) for name, value in arrays.items()}
    observed = {rv.name for rv in frozen.observed}
    groups: dict[str, Any] = {
        "prior": {k: v for k, v in stacked(arrays, 1).items() if k not in observed},
        "prior_predictive": {k: v for k, v in stacked(arrays, 1).items() if k in observed},
        **data_groups(model, frozen),
    }
    return make_result(Draws(coords=coords_of(model), dims=dims_of(model)).with_groups(groups))


@dataclass(frozen=True)
class Lists:
    """The names that the user gave: to return, to draw anew, to keep."""

    wanted: list[str] | None
    again: list[str] | None
    fixed: list[str]


@dataclass(frozen=True)
class Plan:
    """Which variables come from the trace, and which are drawn.

    Parameters
    ----------
    kept : list of str
        Variables and deterministics whose values are taken from the trace.
    names : list of str
        What is returned.
    """

    kept: list[str]
    names: list[str]


def sample_posterior_predictive(  # noqa: PLR0913, a user's keywords as PyMC spells them
    trace: Any,
    model: Any = None,
    *,
    var_names: Sequence[str] | str | None = None,
    sample_vars: Sequence[str] | str | None = None,
    freeze_vars: Sequence[str] | str | None = None,
    sample_dims: Sequence[str] | None = None,
    random_seed: Any = None,
    progressbar: bool | str = True,
    progressbar_theme: Any = None,
    return_inferencedata: bool = True,
    extend_inferencedata: bool = False,
    predictions: bool = False,
    idata_kwargs: Mapping[str, Any] | None = None,
    backend: str | None = None,
) -> Any:
    """Draw data (or any variable) given posterior draws.

    Free variables keep their posterior draws. A variable whose shape has changed with new data
    (another length after `set_data`) is drawn anew, given the others.

    Parameters
    ----------
    trace : InferenceData, Dataset, list of dict or mapping of arrays
        Posterior draws.
    model : Model, optional
        The open model by default.
    var_names : list of str, optional
        What to return: observed variables and what depends on them by default.
    sample_vars : list of str, optional
        Variables to draw anew although the trace has them.
    freeze_vars : list of str, optional
        Variables and deterministics to take from the trace whatever has changed.
    sample_dims : None
        Only chain and draw.
    random_seed : int, sequence, Generator or None
        The same seed gives the same draws.
    progressbar, progressbar_theme
        Accepted: all draws are made at once, too fast for a bar.
    return_inferencedata : bool
        False returns a dict of arrays [chain, draw, ...].
    extend_inferencedata : bool
        Add the group to `trace` and return that.
    predictions : bool
        Call the groups predictions and predictions_constant_data.
    idata_kwargs : None
        Not supported yet.
    backend : str, optional
        "native" (default) or "reference".

    Returns
    -------
    InferenceData or dict
        With the group posterior_predictive (or predictions).
    """
    where = "sample_posterior_predictive"
    if idata_kwargs:
        raise NotYetSupported(f"{where}: idata_kwargs={idata_kwargs!r} is not there yet.")
    if sample_dims is not None and list(sample_dims) != ["chain", "draw"]:
        raise NotYetSupported(f"{where}: sample_dims={sample_dims!r} is not there yet.")
    model = modelcontext(model)
    frozen: Frozen = model.frozen()
    if frozen.potentials:
        warn(POTENTIALS.format("posterior"))
    draws = read_trace(trace, where)
    lists = Lists(
        names_list(var_names, where, "var_names"),
        names_list(sample_vars, where, "sample_vars"),
        names_list(freeze_vars, where, "freeze_vars") or [],
    )
    plan = _plan(model, frozen, draws, lists)
    arrays = _draw(frozen, draws, plan, seed_number(random_seed), backend)
    if not return_inferencedata:
        return arrays
    result = _result(model, frozen, arrays, draws, predictions)
    return extend_inference_data(trace, result) if extend_inferencedata else make_result(result)


def _draw(
    frozen: Frozen, draws: Trace, plan: Plan, seed: int, backend: str | None
) -> dict[str, Array]:
    nodes = _nodes(frozen)
    labels = {node: name for name, node in nodes.items()}
    known = {nodes[name]: draws.rows(name, _shape(nodes[name])) for name in plan.kept}
    before = set(known)
    outputs = [nodes[name] for name in plan.names]
    values = draw_all(outputs, draws.count, known, seed, labels, backend)
    drawn = sorted(labels[node] for node in known if node not in before and node in labels)
    log.info("Sampling: %s", listing(drawn))
    arrays = dict(zip(plan.names, values, strict=True))
    for name, value in arrays.items():  # the trace's own arrays stay the trace's
        if name in plan.kept or not value.flags.writeable:
            arrays[name] = value.copy()
    return stacked(arrays, draws.chains)


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(map(int, node.shape))


def _check_frozen(fixed: Sequence[str], again: Sequence[str], trace: Trace, where: str) -> None:
    for name in fixed:
        if name in again:
            raise ParameterError(f"{where}: {name!r} is in sample_vars and in freeze_vars.")
        if name not in trace.values:
            raise ParameterError(
                f"{where}: freeze_vars has {name!r}, which the trace does not have. "
                f"{did_you_mean(name, trace.values)}"
            )


def _plan(model: Any, frozen: Frozen, trace: Trace, lists: Lists) -> Plan:
    where, nodes = "sample_posterior_predictive", _nodes(frozen)
    again, fixed = lists.again or [], lists.fixed
    for given in (lists.wanted or [], again, fixed):
        _check_names(given, nodes, where)
    _check_frozen(fixed, again, trace, where)
    names = lists.wanted if lists.wanted is not None else lists.again
    if names is None:
        names = [rv.name for rv in frozen.observed] + _dependents(frozen)
    kept = [name for name in fixed if name in frozen.named]
    fresh: list[str] = []
    for rv in frozen.rvs:
        absent = rv.name not in trace.values or rv.name in again
        anew = rv.name not in fixed and (absent or _resized(rv, trace))
        (fresh if anew else kept).append(rv.name)
    _warn_frozen(model, frozen, trace, fresh, [name for name in kept if name not in fixed])
    return Plan(kept, list(dict.fromkeys(names)))


def _resized(rv: FrozenRV, trace: Trace) -> bool:
    if trace.values[rv.name].shape[2:] == rv.shape:
        return False
    if rv.tensor.node.dynamic:  # its length follows data or dims
        return True
    raise ShapeError(
        f"sample_posterior_predictive: the trace has {rv.name!r} in shape "
        f"{trace.values[rv.name].shape[2:]}, the model in shape {rv.shape}, and no data or dims "
        "decide its shape. Was the trace drawn with another model?"
    )


def _warn_frozen(
    model: Any, frozen: Frozen, trace: Trace, fresh: Sequence[str], kept: Sequence[str]
) -> None:
    """Warn of variables that keep their draws although something above them has changed."""
    observed = {rv.name for rv in frozen.observed}
    changed = {
        tensor.node: tensor.name
        for tensor in model.root.data_vars
        if tensor.name in trace.data
        and not np.array_equal(tensor.get_value(borrow=True), trace.data[tensor.name])
    }
    moved: dict[Any, str] = {
        rv.tensor.node: rv.name for rv in frozen.rvs if rv.name in fresh and rv.name not in observed
    }
    reasons = []
    for rv in frozen.rvs:
        if rv.name not in kept:
            continue
        above = set(topological([rv.tensor.node])) - {rv.tensor.node}
        data = sorted(name for node, name in changed.items() if node in above)
        parents = sorted(name for node, name in moved.items() if node in above)
        parts = [f"upstream Data/coords changed ({', '.join(data)})"] if data else []
        parts += [f"ancestor is resampled ({', '.join(parents)})"] if parents else []
        if parts:
            reasons.append(f"{rv.name!r} ({'; '.join(parts)})")
    if reasons:
        warn(
            "The following trace variables were implicitly frozen, but something in their upstream "
            f"suggests you may have wanted them resampled: {'; '.join(reasons)}. To resample them, "
            "pass them in `sample_vars`; to silence this warning while keeping the trace values, "
            "pass them in `freeze_vars`.",
            ImplicitFreezeWarning,
        )


def _result(
    model: Any, frozen: Frozen, arrays: dict[str, Array], trace: Trace, predictions: bool
) -> Draws:
    data = data_groups(model, frozen)
    groups: dict[str, Any]
    if predictions:
        groups = {"predictions": arrays, "predictions_constant_data": data["constant_data"]}
    else:
        groups = {"posterior_predictive": arrays, **data}
    coords = {**coords_of(model), **trace.sample_coords}
    return Draws(coords=coords, dims=dims_of(model)).with_groups(groups)


def compute_deterministics(*args: Any, **kwargs: Any) -> Any:
    """Refused: use ``sample_posterior_predictive(trace, var_names=[...])``."""
    raise NotYetSupported(
        "compute_deterministics is not there yet: "
        "`pm.sample_posterior_predictive(trace, var_names=['name'])` computes deterministics too."
    )
