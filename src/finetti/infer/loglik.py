"""Elementwise log densities of observed data, and of priors, over posterior draws."""

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
from finetti.results.arviz import extend_inference_data
from finetti.results.datasets import draws_to_datasets
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
    """Elementwise log densities as functions of the free variables: observed ones are data."""
    replaced: dict[Node, Node] = {}
    for rv in frozen.observed:
        (replaced[rv.node],) = rebuild([rv.data], replaced)
    terms = []
    for name in names:
        rv = frozen.rv(name)
        args = rebuild(rv.node.args, replaced)
        params = dict(zip(rv.dist.params, map(Tensor, args), strict=True))
        value = Tensor(replaced.get(rv.node, rv.node))
        terms.append(rv.dist.logp(value, **params).node)
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
        Add the group to `idata` and return that; otherwise return the group, a Dataset.
    model : Model, optional
        The open model by default.
    sample_dims : None
        Only chain and draw.
    progressbar : bool
        Accepted: all draws are computed in one native loop, too fast for a bar.
    backend : str, optional
        "native" (default) or "reference".
    """
    where = "compute_log_likelihood"
    _check_dims(sample_dims, where)
    model = modelcontext(model)
    arrays = log_likelihood_arrays(idata, model, var_names, backend)
    return _with_group(idata, model, "log_likelihood", arrays, extend_inferencedata, where)


def compute_log_prior(
    idata: Any,
    *,
    var_names: Sequence[str] | None = None,
    extend_inferencedata: bool = True,
    model: Any = None,
    sample_dims: Sequence[str] | None = None,
    progressbar: bool = True,
    backend: str | None = None,
) -> Any:
    """Add the elementwise log density of the priors, which sensitivity checks need, to a result.

    Parameters
    ----------
    idata : InferenceData
        With a posterior group.
    var_names : list of str, optional
        Free variables; all by default.
    extend_inferencedata, model, sample_dims, progressbar, backend
        As for `compute_log_likelihood`.
    """
    where = "compute_log_prior"
    _check_dims(sample_dims, where)
    model = modelcontext(model)
    frozen: Frozen = model.density().frozen
    names = [rv.name for rv in frozen.free]
    chosen = names_list(var_names, where, "var_names") or names
    for name in chosen:
        if name not in names:
            raise ParameterError(
                f"{where}: {name!r} is no free variable of the model. {did_you_mean(name, names)}"
            )
    arrays = _arrays(idata, frozen, chosen, backend, where)
    return _with_group(idata, model, "log_prior", arrays, extend_inferencedata, where)


def _check_dims(sample_dims: Sequence[str] | None, where: str) -> None:
    if sample_dims is not None and list(sample_dims) != ["chain", "draw"]:
        raise NotYetSupported(f"{where}: sample_dims={sample_dims!r} is not there yet.")


def _with_group(
    idata: Any, model: Any, group: str, arrays: dict[str, Array], extend: bool, where: str
) -> Any:
    """A result with the group, or the group alone."""
    coords = {**coords_of(model), **read_trace(idata, where).sample_coords}
    draws = Draws(coords=coords, dims=dims_of(model)).with_groups({group: arrays})
    return extend_inference_data(idata, draws) if extend else draws_to_datasets(draws)[group]


def log_likelihood_arrays(
    idata: Any, model: Any, var_names: Any, backend: str | None = None
) -> dict[str, Array]:
    """Elementwise log likelihoods [chain, draw, ...] by the name of the observed variable."""
    density: Density = model.density()
    names = observed_names(density, var_names, "compute_log_likelihood")
    return _arrays(idata, density.frozen, names, backend, "compute_log_likelihood")


def _arrays(
    idata: Any, frozen: Frozen, names: Sequence[str], backend: str | None, where: str
) -> dict[str, Array]:
    """Elementwise log densities [chain, draw, ...] of some random variables."""
    trace = read_trace(idata, where)
    known = {}
    for rv in frozen.free:
        if rv.name not in trace.values:
            raise ModelError(
                f"{where}: the trace has no {rv.name!r}, which the model needs. Was it left out "
                "with var_names?"
            )
        known[rv.node] = trace.rows(rv.name, rv.shape)
    terms = _terms(frozen, names)
    values = dict(zip(names, compute(terms, trace.count, known, backend), strict=True))
    return stacked(values, trace.chains)
