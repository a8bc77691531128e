"""Missing observations become free variables of the same distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist.base import make_rv
from finetti.errors import NotYetSupported, ParameterError, SupportError, warn
from finetti.ir import INT, Tensor, ops
from finetti.model.data import as_array
from finetti.model.variables import dist_of, params_of

Array = np.ndarray[Any, Any]


class ImputationWarning(UserWarning):
    """Observed data have missing values, which are sampled with the parameters."""


def missing_in(observed: Any, owner: str) -> tuple[Array, Array] | None:
    """Data and the mask of what is missing (masked, NaN, None); None when nothing is.

    Parameters
    ----------
    observed : object
        As the user gave it.
    owner : str
        Who asks, for messages.
    """
    if observed is None or isinstance(observed, Tensor):
        return None
    mask: Array | None = None
    if np.ma.isMaskedArray(observed):
        mask, observed = np.ma.getmaskarray(observed), observed.data
    array = as_array(observed, f"{owner}: observed")
    gaps = np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, bool)
    mask = gaps if mask is None else mask | gaps
    return (array, mask) if mask.any() else None


def register_imputed(
    model: Any, rv: Tensor, name: str, data: tuple[Array, Array], dims: Any, **options: Any
) -> Tensor:
    """Add the observed and the missing elements of a variable as two variables.

    Parameters
    ----------
    model : Model
        Where to.
    rv : Tensor
        The whole variable, not yet in the model, in its final shape.
    name : str
        Of the deterministic that holds both parts in their places; the parts are called
        ``name_observed`` and ``name_unobserved`` (or what the model's dialect says).
    data : tuple
        As `missing_in` gives it.
    dims : tuple of str or None
        Of the whole.
    **options
        Transform and initial value of the missing elements.

    Returns
    -------
    Tensor
        The whole: use this one in the model.
    """
    dist, (values, mask) = dist_of(rv.node), data
    owner = f"{dist.name} {name!r}"
    shape = tuple(map(int, rv.node.shape))
    if dist.event_ndim:
        raise NotYetSupported(
            f"{owner}: {int(mask.sum())} of {mask.size} observed values are missing. Elements of a "
            "vector-valued distribution cannot be imputed yet: drop those rows."
        )
    try:
        values, mask = np.broadcast_to(values, shape), np.broadcast_to(mask, shape)
    except ValueError:
        raise ParameterError(
            f"{owner}: observed data of shape {values.shape} for a variable of shape {shape}."
        ) from None
    warn(
        f"Data in {name} contains missing values and will be automatically imputed from the "
        "sampling distribution.",
        ImputationWarning,
    )
    known, gaps = np.nonzero(~mask), np.nonzero(mask)
    present = _whole_numbers(values[known], rv, owner)
    observed = make_rv(dist, _elements(rv, known), (len(known[0]),), where=owner)
    missing = make_rv(dist, _elements(rv, gaps), (len(gaps[0]),), where=owner)
    seen = model.register_rv(observed, f"{name}_observed", observed=present)
    hidden = model.register_rv(missing, f"{name}_{model.missing_suffix}", **options)
    whole = ops.cast(ops.zeros(shape), rv.node.type.dtype)
    whole = ops.set_at(ops.set_at(whole, known, seen), gaps, hidden)
    named = Tensor(whole.node, model.name_for(name))
    model.register_expression(named, "deterministics", dims)
    return named


def _elements(rv: Tensor, places: tuple[Array, ...]) -> dict[str, Tensor]:
    """The parameters of some elements of a variable."""
    shape, dist = tuple(map(int, rv.node.shape)), dist_of(rv.node)
    chosen = {}
    for name, param in params_of(rv.node).items():
        event = dist.params[name].ndim
        if param.ndim <= event:  # one for all elements
            chosen[name] = param
            continue
        own = tuple(map(int, param.shape[param.ndim - event :])) if event else ()
        chosen[name] = ops.broadcast_to(param, (*shape, *own))[places]
    return chosen


def _whole_numbers(values: Array, rv: Tensor, owner: str) -> Array:
    """Counts that came as floats because NaN stood among them."""
    if rv.node.type.dtype != INT or values.dtype.kind != "f":
        return values
    if (values != np.round(values)).any():
        raise SupportError(f"{owner}: its observed data must be whole numbers, got {values[:3]}.")
    return values.astype(int)
