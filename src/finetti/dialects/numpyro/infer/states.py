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
from finetti.dialects.numpyro.infer.inverse_mass import (
    Part,
    as_numpyro,
    inverse_mass,
    metric_of,
    parts_in,
    roots,
)
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
        {tuple of site names: variances or covariance matrix}; only that where `z` is no dict.
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
    learned : Adapted, optional
        The metric and the step sizes.
    parts : list of Part
        How NumPyro's inverse mass matrix is made of it.
    """

    sites: Mapping[str, int]
    x: Array | None
    learned: Adapted | None
    parts: list[Part]


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
            engine = replace(engine, learned=None)
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


def adapt_state(
    adapted: Adapted, parts: list[Part], sites: Mapping[str, int], named: bool
) -> AdaptState:
    """NumPyro's form of what was learned.

    Parameters
    ----------
    adapted : Adapted
        The metric and the step sizes of every chain.
    parts : list of Part
        What stands together.
    sites : dict
        Site -> the number of its values, in the engine's order.
    named : bool
        False for plain arrays.
    """
    assert adapted.steps is not None
    single = len(adapted.steps) == 1
    masses = inverse_mass(adapted, parts, sites)
    square = [roots(values) for values in masses]
    forms = (masses, [pair[0] for pair in square], [pair[1] for pair in square])
    return AdaptState(
        to_jax(adapted.steps[0] if single else adapted.steps),
        *(as_numpyro(form, parts, named, single) for form in forms),
    )


def resumed(state: HMCState, sites: Mapping[str, int], chains: int) -> tuple[Adapted, list[Part]]:
    """The metric and the step sizes that a state goes on with, and its parts.

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
    if engine.learned is not None:
        return engine.learned, engine.parts
    matrix = state.adapt_state.inverse_mass_matrix
    if chains == 1:
        matrix = jax.tree_util.tree_map(lambda x: np.asarray(x)[None], matrix)
    parts = parts_in(matrix, sites)
    metric = metric_of(matrix, parts, sites, chains, each=True)
    steps = np.ravel(np.asarray(state.adapt_state.step_size, float))
    if not (np.isfinite(steps) & (steps > 0)).all():
        raise ParameterError(f"post_warmup_state: step_size={steps}, expected numbers > 0.")
    return replace(metric, steps=steps), parts


def _listed(sites: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {size}" for name, size in sites.items())
