"""Elementwise log likelihoods of observed data over posterior draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finetti.errors import ModelError, NotYetSupported, ParameterError, did_you_mean
from finetti.infer.groups import coords_of, dims_of, stacked
from finetti.infer.options import names_list
from finetti.infer.traces import read_trace
from finetti.ir import Node, Tensor, rebuild
from finetti.model.compile import Array, compile_outputs, map_rows, named_layout
from finetti.model.context import modelcontext
from finetti.model.forward import compute
from finetti.model.frozen import Frozen
from finetti.model.logdensity import Density
from finetti.results.arviz import extend_inference_data, make_result
from finetti.results.trace import Draws


def observed_names(density: Density, wanted: Any, where: str) -> list[str]:
    """Observed variables: those asked for, or all with True or None."""
    names = [rv.name for rv in density.frozen.observed]
    chosen = None if wanted is True else names_list(wanted, where, "var_names")
    if chosen is None:
        return names
    for name in chosen:
        if name not in names:
            raise ParameterError(
                f"{where}: {name!r} is no observed variable of the model. "
                + (did_you_mean(name, names) if names else "It has none.")
            )
    return chosen


def log_likelihood_rows(
    density: Density, x: Array, wanted: Any, backend: str | None
) -> dict[str, Array]:
    """Elementwise log likelihoods at rows of unconstrained values."""
    names = observed_names(density, wanted, "sample: idata_kwargs['log_likelihood']")
    terms = [density.factor(name).term.node for name in names]
    if not terms:
        return {}
    function = compile_outputs(terms, density.inputs, backend)
    return named_layout(names, terms).unpack(map_rows(function, x))


def _terms(frozen: Frozen, names: Sequence[str]) -> list[Node]:
    """Elementwise log likelihoods as functions of the free variables: observed ones are data."""
    replaced: dict[Node, Node] = {}
    for rv in frozen.observed:
        (replaced[rv.node],) = rebuild([rv.data], replaced)
    terms = []
    for name in names:
        rv = frozen.rv(name)
        args = rebuild(rv.node.args, replaced)
        params = dict(zip(rv.dist.params, map(Tensor, args), strict=True))
        terms.append(rv.dist.logp(Tensor(replaced[rv.node]), **params).node)
    return terms


def compute_log_likelihood(
    idata: Any,
    *,
    var_names: Sequence[str] | None = None,
    extend_inferencedata: bool = True,
    model: Any = None,
    sample_dims: Sequence[str] | None = None,
    progressbar: bool = True,
    backend: str | None = None,
) -> Any:
    """Add the elementwise log likelihood, which `arviz.loo` needs, to a result.

    Parameters
    ----------
    idata : InferenceData
        With a posterior group.
    var_names : list of str, optional
        Observed variables; all by default.
    extend_inferencedata : bool
        Add the group to `idata` and return that; otherwise return a new result.
    model : Model, optional
        The open model by default.
    sample_dims : None
        Only chain and draw.
    progressbar : bool
        Accepted: all draws are computed in one native loop, too fast for a bar.
    backend : str, optional
        "native" (default) or "reference".
    """
    if sample_dims is not None and list(sample_dims) != ["chain", "draw"]:
        raise NotYetSupported(
            f"compute_log_likelihood: sample_dims={sample_dims!r} is not there yet."
        )
    model = modelcontext(model)
    arrays = log_likelihood_arrays(idata, model, var_names, backend)
    sample_coords = read_trace(idata, "compute_log_likelihood").sample_coords
    draws = Draws(
        log_likelihood=arrays, coords={**coords_of(model), **sample_coords}, dims=dims_of(model)
    )
    return extend_inference_data(idata, draws) if extend_inferencedata else make_result(draws)


def log_likelihood_arrays(
    idata: Any, model: Any, var_names: Any, backend: str | None = None
) -> dict[str, Array]:
    """Elementwise log likelihoods [chain, draw, ...] by the name of the observed variable."""
    density: Density = model.density()
    frozen = density.frozen
    trace = read_trace(idata, "compute_log_likelihood")
    names = observed_names(density, var_names, "compute_log_likelihood")
    known = {}
    for rv in frozen.free:
        if rv.name not in trace.values:
            raise ModelError(
                f"compute_log_likelihood: the trace has no {rv.name!r}, which the model needs. Was "
                "it left out with var_names?"
            )
        known[rv.node] = trace.rows(rv.name, rv.shape)
    terms = _terms(frozen, names)
    values = dict(zip(names, compute(terms, trace.count, known, backend), strict=True))
    return stacked(values, trace.chains)
