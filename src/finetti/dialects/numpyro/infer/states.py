"""What a run ended with, as NumPyro's states, and how the engine goes on from one.

A state holds the engine's own point, metric and step sizes beside NumPyro's fields: they go on
without rounding to JAX's precision, and NumPyro's fields are read where a user has replaced them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax
import numpy as np

from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.infer.device import to_jax
from finetti.errors import ParameterError
from finetti.infer.nuts import Adapted

__all__: list[str] = []

Array = Any


class AdaptState(NamedTuple):
    """What the warm-up has learned.

    Parameters
    ----------
    step_size : array
        Before jitter.
    inverse_mass_matrix : dict or array
        {tuple of site names: variances}; only the variances where `z` is no dict.
    mass_matrix_sqrt, mass_matrix_sqrt_inv : dict or array
        Of that.
    ss_state, mm_state, window_idx, rng_key : None
        NumPyro's, for an adaptation that goes on; here it is over.
    """

    step_size: Any
    inverse_mass_matrix: Any = None
    mass_matrix_sqrt: Any = None
    mass_matrix_sqrt_inv: Any = None
    ss_state: Any = None
    mm_state: Any = None
    window_idx: Any = None
    rng_key: Any = None


@dataclass(frozen=True)
class Engine:
    """Where the engine stands; None for what is to be read from NumPyro's fields.

    Parameters
    ----------
    sites : dict
        Site -> the number of its unconstrained values, in the engine's order.
    x : ndarray, optional
        [chain, n] the points.
    metric, steps : ndarray, optional
        [chain, n] and [chain].
    """

    sites: Mapping[str, int]
    x: Array | None
    metric: Array | None
    steps: Array | None


class HMCState:
    """The last state of every chain.

    Parameters
    ----------
    values : dict
        Field -> its value.
    unconstrained : callable
        Makes `z`, which takes JAX to compute.
    key : random key
        What the run was given.
    engine : Engine
        Where the engine stands.
    """

    def __init__(
        self, values: dict[str, Any], unconstrained: Callable[[], Any], key: Any, engine: Engine
    ) -> None:
        self.__dict__.update(values)
        self._unconstrained, self._key, self._engine = unconstrained, key, engine

    i: int
    adapt_state: AdaptState

    @cached_property
    def z(self) -> Any:
        """Unconstrained values of the latent sites."""
        return self._unconstrained()

    @cached_property
    def rng_key(self) -> Any:
        """A key that no run has used yet; one for each of several chains."""
        chains = np.size(self.adapt_state.step_size)
        key = self._key
        if isinstance(key, (int, np.integer)):
            key = jax.random.key(int(key))
        if not handlers.is_prng_key(key):
            return jax.vmap(lambda one: jax.random.fold_in(one, self.i))(key)
        key = jax.random.fold_in(key, self.i)
        return key if chains == 1 else jax.random.split(key, chains)

    def _replace(self, **fields: Any) -> HMCState:
        """The same state with some fields changed, as of a named tuple."""
        known = {name for name in (*self.__dict__, "z", "rng_key") if not name.startswith("_")}
        unknown = sorted(set(fields) - known)
        if unknown:
            raise ValueError(f"Got unexpected field names: {unknown}")
        engine = self._engine
        if "z" in fields:
            engine = replace(engine, x=None)
        if "adapt_state" in fields:
            engine = replace(engine, metric=None, steps=None)
        other = object.__new__(HMCState)
        other.__dict__.update({**self.__dict__, **fields, "_engine": engine})
        return other

    def __getstate__(self) -> dict[str, Any]:
        # the functions that make them stay in this process; new kinds of keys cannot be pickled
        key = self.rng_key
        if jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
            key = (str(jax.random.key_impl(key)), np.asarray(jax.random.key_data(key)))
        hidden = {"z": self.z, "_unconstrained": None, "_key": None}
        return {**self.__dict__, **hidden, "rng_key": key}

    def __setstate__(self, state: dict[str, Any]) -> None:
        key = state["rng_key"]
        if isinstance(key, tuple):
            key = jax.random.wrap_key_data(key[1], impl=key[0])
        self.__dict__.update({**state, "rng_key": key})


# -- the metric ----------------------------------------------------------------------------------


def places(sites: Mapping[str, int]) -> dict[str, Array]:
    """Site -> where its values lie in the engine's vector."""
    ends = np.cumsum([0, *sites.values()])
    return {name: np.arange(ends[i], ends[i + 1]) for i, name in enumerate(sites)}


def adapt_state(adapted: Adapted, sites: Mapping[str, int], names: Any) -> AdaptState:
    """NumPyro's form of what was learned.

    Parameters
    ----------
    adapted : Adapted
        The metric and the step sizes of every chain.
    sites : dict
        Site -> the number of its values, in the engine's order.
    names : list of str or None
        The names that the metric's key is made of; None for a plain array.
    """
    assert adapted.metric is not None and adapted.steps is not None
    single = len(adapted.steps) == 1
    where = places(sites)
    order = np.concatenate([where[name] for name in sorted(where)])
    variances = adapted.metric[:, order]

    def given(x: Array) -> Any:
        return to_jax(x[0] if single else x)

    def named(x: Array) -> Any:
        return given(x) if names is None else {tuple(sorted(names)): given(x)}

    return AdaptState(
        given(adapted.steps), named(variances), named(1 / np.sqrt(variances)),
        named(np.sqrt(variances)), rng_key=None,
    )  # fmt: skip


def metric_of(given: Any, sites: Mapping[str, int], chains: int, each: bool = False) -> Array:
    """The engine's metric [chain, n] for NumPyro's inverse mass matrix.

    Parameters
    ----------
    given : array or dict
        Variances of the unconstrained values in the order of the sites' names, or {tuple of site
        names: variances}. The engine's metric is the diagonal of a matrix.
    sites : dict
        Site -> the number of its values, in the engine's order.
    chains : int
        How many.
    each : bool
        Whether there is an axis of chains in front.
    """
    where = places(sites)
    blocks = given if isinstance(given, Mapping) else {tuple(sorted(where)): given}
    metric = np.ones((chains, sum(sites.values())))
    seen: set[str] = set()
    for key, block in blocks.items():
        names = (key,) if isinstance(key, str) else tuple(key)
        for name in names:
            if name not in where or name in seen:
                what = "twice" if name in seen else "which is no latent site"
                raise ParameterError(
                    f"inverse_mass_matrix: has {name!r} {what}; they are "
                    f"{', '.join(map(repr, sorted(where)))}."
                )
            seen.add(name)
        index = np.concatenate([where[name] for name in names])
        values = np.asarray(block, float)
        if values.ndim == (3 if each else 2) and values.shape[-1] == values.shape[-2]:
            values = np.diagonal(values, axis1=-2, axis2=-1)
        wanted = (chains, len(index)) if each else (len(index),)
        if values.shape != wanted:
            sizes = ", ".join(f"{name}: {sites[name]}" for name in names)
            raise ParameterError(
                f"inverse_mass_matrix: shape {values.shape}, expected {wanted}, one variance for "
                f"each unconstrained value ({sizes})."
            )
        metric[:, index] = values
    if not ((metric >= 1e-20) & (metric <= 1e20)).all():
        raise ParameterError(
            "inverse_mass_matrix: expected positive finite variances, between 1e-20 and 1e20."
        )
    return metric


def resumed(state: HMCState, sites: Mapping[str, int], chains: int) -> Adapted:
    """The metric and the step sizes that a state goes on with.

    Raises
    ------
    ParameterError
        Where the state is of another model or number of chains.
    """
    engine = state._engine
    count = np.size(state.adapt_state.step_size)
    if dict(engine.sites) != dict(sites) or list(engine.sites) != list(sites):
        raise ParameterError(
            f"post_warmup_state: it has {_listed(engine.sites)} (site: unconstrained values), and "
            f"this model has {_listed(sites)}."
        )
    if count != chains:
        raise ParameterError(f"post_warmup_state: it has {count} chains; num_chains is {chains}.")
    metric, steps = engine.metric, engine.steps
    if metric is None:
        matrix = state.adapt_state.inverse_mass_matrix
        if chains == 1:
            matrix = jax.tree_util.tree_map(lambda x: np.asarray(x)[None], matrix)
        metric = metric_of(matrix, sites, chains, each=True)
    if steps is None:
        steps = np.ravel(np.asarray(state.adapt_state.step_size, float))
        if not (np.isfinite(steps) & (steps > 0)).all():
            raise ParameterError(f"post_warmup_state: step_size={steps}, expected numbers > 0.")
    return Adapted(metric, steps)


def _listed(sites: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {size}" for name, size in sites.items())
