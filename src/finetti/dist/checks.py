"""Checks of numbers, and what is said about those that are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti.dist.base import Distribution, known, rv_params
from finetti.dist.support import Support
from finetti.errors import NotYetSupported, SupportError
from finetti.ir import Node, Tensor


def check_data(x: Tensor | Node, values: Any, name: str) -> np.ndarray:
    """Observed values in the dtype of their distribution.

    Parameters
    ----------
    x : Tensor
        The random variable, made by `make_rv`.
    values : array_like
        Numbers observed of it.
    name : str
        The variable's name, for messages.

    Raises
    ------
    SupportError
        When a value is outside the support; parameters count as far as they are known numbers.
    """
    dist, params = rv_params(x)
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise SupportError(
            f"observed data of '{name}' ({dist.name}) have dtype {array.dtype}: expected numbers. "
            "Convert them first, e.g. with `pandas.factorize` or `.astype(float)`."
        )
    missing = np.isnan(array) if array.dtype.kind == "f" else np.zeros((), bool)
    if missing.any():
        where = _place(np.argwhere(missing)[0])
        raise NotYetSupported(
            f"observed data of '{name}' ({dist.name}) have {int(missing.sum())} missing values "
            f"(NaN), the first {where}; imputing them is not supported yet. Drop these rows, or "
            "model them as a variable of their own."
        )
    support = dist.support(**{key: _or_nan(param) for key, param in params.items()})
    with np.errstate(all="ignore"):
        ok = support.check(array) | _unknown_bounds(support, array)
    if not ok.all():
        first = np.argwhere(~ok)[0]
        bad = array[tuple(first)] if first.size else array
        shown = np.array2string(np.asarray(bad), precision=6)
        raise SupportError(
            f"observed data of '{name}' ({dist.name}): {_place(first)} is {shown}, outside the "
            f"support ({support.words}). {int((~ok).sum())} of {ok.size} values are; check the "
            "data, or choose a distribution that allows them."
        )
    return array.astype(dist.dtype)


def _place(index: np.ndarray) -> str:
    if not index.size:
        return "the value"
    rest = f"[{', '.join(map(str, index.tolist()))}]" if index.size > 1 else ""
    return f"row {int(index[0])}" + (f" (at {rest})" if rest else "")


def _or_nan(param: Tensor) -> Any:
    value = known(param)
    return np.full(param.node.shape, np.nan) if value is None else value


def _unknown_bounds(support: Support, array: np.ndarray) -> np.ndarray:
    """Where a bound of the support is not known: membership is decided by the other one."""
    if support.lower is None and support.upper is None:
        return np.zeros((), bool)
    low, high = np.asarray(support.lower, float), np.asarray(support.upper, float)
    whole = (array == np.floor(array)) if support.discrete else np.isfinite(array)
    inside = (np.isnan(low) | (array >= low)) & (np.isnan(high) | (array <= high)) & whole
    return np.asarray((np.isnan(low) | np.isnan(high)) & inside)


def bad_parameters(dist: Distribution, values: Mapping[str, np.ndarray]) -> list[str]:
    """A sentence for each parameter whose numbers are not valid."""
    found = []
    for name, param in dist.params.items():
        array = np.asarray(values[name])
        with np.errstate(all="ignore"):
            ok = param.constraint.check(array)
        if not ok.all():
            first = np.argwhere(~ok)[0]
            shown = np.array2string(array[tuple(first)] if first.size else array, precision=6)
            at = f" at {first.tolist()}" if first.size else ""
            found.append(f"{name} is {shown}{at}, expected {param.constraint.words}")
    return found
