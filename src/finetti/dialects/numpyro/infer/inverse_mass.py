"""NumPyro's inverse mass matrices, and the engine's metric that they mean.

NumPyro's is a dict {tuple of site names: vector or matrix} in the order of the names; the engine
has variances of all elements in its own order, and matrices of dense blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from finetti.dialects.numpyro.infer.device import to_jax
from finetti.errors import ParameterError
from finetti.infer.nuts import Adapted
from finetti.infer.steps.hmc import covariance_of

__all__: list[str] = []

Array = Any
WHAT = "inverse_mass_matrix"


class Part(NamedTuple):
    """Sites whose inverse mass stands together.

    Parameters
    ----------
    names : tuple of str
        In the order of the vector or matrix.
    dense : bool
        Whether it is a matrix.
    """

    names: tuple[str, ...]
    dense: bool


def places(sites: Mapping[str, int]) -> dict[str, Array]:
    """Site -> where its values lie in the engine's vector."""
    ends = np.cumsum([0, *sites.values()])
    return {name: np.arange(ends[i], ends[i + 1]) for i, name in enumerate(sites)}


def _index(names: tuple[str, ...], sites: Mapping[str, int]) -> Array:
    where = places(sites)
    return np.concatenate([where[name] for name in names])


# -- what is dense -------------------------------------------------------------------------------


def checked_dense(dense_mass: Any, where: str) -> bool | list[tuple[str, ...]]:
    """NumPyro's `dense_mass`: a bool, or a list of tuples of site names."""
    if isinstance(dense_mass, (bool, np.bool_)):
        return bool(dense_mass)
    if isinstance(dense_mass, (list, tuple)):
        bad = [k for k in dense_mass if not isinstance(k, (tuple, list)) or not k]
        bad += [k for k in dense_mass if k not in bad and not all(isinstance(n, str) for n in k)]
        if not bad:
            return [tuple(names) for names in dense_mass]
    raise ParameterError(
        f"{where}: dense_mass={dense_mass!r}, expected True, False, or a list of tuples of site "
        "names: dense_mass=[('x', 'y')] makes the values of x and y dense together."
    )


def parts_of(
    dense_mass: bool | list[tuple[str, ...]], given: Any, sites: Mapping[str, int], named: bool
) -> list[Part]:
    """The parts in NumPyro's order: the dense ones, those the user gives, all other sites.

    Parameters
    ----------
    dense_mass : bool or list
        As `checked_dense` gives it.
    given : array, dict or None
        The user's inverse mass matrix.
    sites : dict
        Site -> the number of its values.
    named : bool
        Whether sites have names of the user's.
    """
    everything = tuple(sorted(sites))
    if isinstance(dense_mass, bool):
        blocks = [everything] if dense_mass else []
    elif not named:
        raise ParameterError(
            f"dense_mass={dense_mass!r}: the potential function's parameters are no dict, so they "
            "have no names. Give True or False."
        )
    else:
        blocks = dense_mass
    keys = [] if given is None else list(_as_dict(given, sites))
    parts = [Part(names, True) for names in blocks]
    parts += [Part(names, False) for names in keys if names not in blocks]
    _check_names(parts, sites, WHAT if not isinstance(dense_mass, list) else "dense_mass")
    seen = {name for part in parts for name in part.names}
    rest = tuple(name for name in everything if name not in seen)
    return [*parts, Part(rest, False)] if rest else parts


def _check_names(parts: list[Part], sites: Mapping[str, int], what: str) -> None:
    seen: dict[str, tuple[str, ...]] = {}
    for names, _ in parts:
        for name in names:
            if name not in sites:
                raise ParameterError(
                    f"{what}: has {name!r} which is no latent site; they are "
                    f"{', '.join(map(repr, sorted(sites)))}."
                )
            if name in seen:
                hint = "" if seen[name] == names else (
                    f", in {seen[name]!r} and {names!r}: dense_mass and inverse_mass_matrix "
                    "need the same tuples of names"
                )  # fmt: skip
                raise ParameterError(f"{what}: has {name!r} twice{hint}.")
            seen[name] = names


def _as_dict(given: Any, sites: Mapping[str, int]) -> dict[tuple[str, ...], Any]:
    if not isinstance(given, Mapping):
        return {tuple(sorted(sites)): given}
    return {(key,) if isinstance(key, str) else tuple(key): x for key, x in given.items()}


# -- into the engine -----------------------------------------------------------------------------


def metric_of(
    given: Any, parts: list[Part], sites: Mapping[str, int], chains: int, each: bool = False
) -> Adapted:
    """The engine's metric for NumPyro's inverse mass matrix.

    Parameters
    ----------
    given : array, dict or None
        Variances of the unconstrained values in the order of the sites' names, or their
        covariance matrix, or {tuple of site names: one of both}. Of a matrix of sites that are
        not dense the diagonal counts; variances of dense ones are a diagonal matrix.
    parts : list of Part
        What is dense.
    sites : dict
        Site -> the number of its values, in the engine's order.
    chains : int
        How many.
    each : bool
        Whether there is an axis of chains in front.
    """
    blocks = tuple(_index(part.names, sites) for part in parts if part.dense)
    if given is None:
        return Adapted(blocks=blocks)
    values = _as_dict(given, sites)
    metric = np.ones((chains, sum(sites.values())))
    matrices = []
    for part in parts:
        index = _index(part.names, sites)
        block = values.get(part.names)
        if block is None:
            block = np.ones((chains, len(index)) if each else len(index))
        matrix = _per_chain(block, part, sites, chains, each)
        metric[:, index] = np.diagonal(matrix, axis1=1, axis2=2) if part.dense else matrix
        if part.dense:
            matrices.append(matrix)
    if not ((metric >= 1e-20) & (metric <= 1e20)).all():
        raise ParameterError(f"{WHAT}: expected positive finite variances, between 1e-20 and 1e20.")
    return Adapted(metric, None, blocks, tuple(matrices))


def _per_chain(given: Any, part: Part, sites: Mapping[str, int], chains: int, each: bool) -> Array:
    """[chain, size] of a diagonal part, [chain, size, size] of a dense one."""
    values = np.asarray(given, float)
    size = sum(sites[name] for name in part.names)
    front = (chains,) if each else ()
    if values.shape not in ((*front, size), (*front, size, size)):
        sizes = ", ".join(f"{name}: {sites[name]}" for name in part.names)
        matrix = f" or {(*front, size, size)}"
        raise ParameterError(
            f"{WHAT}: shape {values.shape}, expected {(*front, size)}{matrix}, one variance for "
            f"each unconstrained value ({sizes}), or their covariances."
        )
    is_matrix = values.ndim == len(front) + 2
    if not part.dense:
        values = np.diagonal(values, axis1=-2, axis2=-1) if is_matrix else values
        return values if each else np.tile(values, (chains, 1))
    if is_matrix:
        what = f"{WHAT}[{', '.join(map(repr, part.names))}]"
        rows = [covariance_of(matrix, True, what) for matrix in values.reshape(-1, size, size)]
    else:
        rows = [np.diag(row) for row in values.reshape(-1, size)]
    return np.stack(rows if each else rows * chains)


# -- and out of it -------------------------------------------------------------------------------


def inverse_mass(adapted: Adapted, parts: list[Part], sites: Mapping[str, int]) -> list[Array]:
    """[chain, ...] of every part: variances, or a matrix."""
    assert adapted.metric is not None
    dense = iter(adapted.matrices)
    return [
        next(dense) if part.dense else adapted.metric[:, _index(part.names, sites)]
        for part in parts
    ]


def roots(values: Array) -> tuple[Array, Array]:
    """NumPyro's square roots of the mass matrix and of its inverse, for every chain."""
    if values.ndim == 2:
        return 1 / np.sqrt(values), np.sqrt(values)
    turned = np.linalg.cholesky(values[:, ::-1, ::-1])[:, ::-1, ::-1]
    lower = np.swapaxes(turned, -2, -1)
    return np.tril(np.linalg.inv(lower)), lower


def as_numpyro(values: list[Array], parts: list[Part], named: bool, single: bool) -> Any:
    """In NumPyro's form: a dict by the names, without the axis of one chain."""
    arrays = [to_jax(x[0] if single else x) for x in values]
    if not named:
        return arrays[0]
    return {part.names: x for part, x in zip(parts, arrays, strict=True)}


def parts_in(matrix: Any, sites: Mapping[str, int]) -> list[Part]:
    """The parts of a state's inverse mass matrix, which has an axis of chains."""
    values = _as_dict(matrix, sites)
    parts = [Part(names, np.ndim(x) == 3) for names, x in values.items()]
    _check_names(parts, sites, WHAT)
    return parts
