"""`MCMC`: runs a kernel, holds the draws, prints the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from finetti.dialects.numpyro import diagnostics
from finetti.dialects.numpyro.infer.container import draws_of
from finetti.dialects.numpyro.infer.device import to_jax
from finetti.dialects.numpyro.infer.kernels import HMC, MCMCKernel
from finetti.dialects.numpyro.infer.running import Result, Settings, run, sites_of
from finetti.dialects.numpyro.infer.states import Engine, HMCState, adapt_state
from finetti.dialects.numpyro.infer.util import unconstrain_fn
from finetti.errors import NotYetSupported, ParameterError
from finetti.results.arviz import make_result

__all__ = ["MCMC"]

Array = Any

# NumPyro's fields of a state -> the engine's statistic; the step size is that before jitter
FIELDS = {
    "diverging": "diverging", "energy": "energy", "num_steps": "n_steps",
    "accept_prob": "acceptance_rate", "adapt_state.step_size": "step_size_bar",
}  # fmt: skip
MADE = ("potential_energy", "mean_accept_prob")
CHAIN_METHODS = ("parallel", "sequential", "vectorized")


class MCMC:
    """Sampling with a kernel.

    Parameters
    ----------
    sampler : NUTS or HMC
        The kernel.
    num_warmup : int
        Draws that adapt and are not kept.
    num_samples : int
        Draws.
    num_chains : int
        Chains. They are threads: all run at once, as far as there are cores.
    thinning : int
        Keep every so many-th draw.
    postprocess_fn : None
        Only None: draws are the sites' values and the deterministic sites.
    chain_method : str or callable
        "sequential" runs one chain after another; all others run them at once.
    progress_bar : bool
        Show progress.
    progress_rate, jit_model_args : optional
        Accepted: nothing is compiled by JAX, and no bar slows the sampler.
    """

    def __init__(  # noqa: PLR0913, a user's keywords
        self,
        sampler: Any,
        *,
        num_warmup: int,
        num_samples: int,
        num_chains: int = 1,
        thinning: int = 1,
        postprocess_fn: Any = None,
        chain_method: Any = "parallel",
        progress_bar: bool = True,
        progress_rate: Any = None,
        jit_model_args: bool = False,
    ) -> None:
        if not isinstance(sampler, HMC):
            what = "a kernel of your own" if isinstance(sampler, MCMCKernel) else repr(sampler)
            raise NotYetSupported(f"MCMC: {what}: only NUTS and HMC are there.")
        sizes = {"num_warmup": (num_warmup, 0), "num_samples": (num_samples, 1),
                 "num_chains": (num_chains, 1), "thinning": (thinning, 1)}  # fmt: skip
        for name, (value, least) in sizes.items():
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if not whole or value < least:
                raise ValueError(f"MCMC: {name}={value!r}, expected a whole number >= {least}.")
        if postprocess_fn is not None:
            raise NotYetSupported(
                "MCMC: postprocess_fn= is not there yet: apply it to `get_samples()`."
            )
        if not callable(chain_method) and chain_method not in CHAIN_METHODS:
            raise ValueError(
                "Only supporting the following methods to draw chains:"
                f' "sequential", "parallel", or "vectorized"; got {chain_method!r}'
            )
        self.sampler = sampler
        self._num_warmup, self._num_samples = int(num_warmup), int(num_samples)
        self.num_chains, self.thinning = int(num_chains), int(thinning)
        self.chain_method, self.progress_bar = chain_method, bool(progress_bar)
        self.postprocess_fn = None
        self._args: tuple[Any, ...] = ()
        self._kwargs: dict[str, Any] = {}
        self._result: Result | None = None
        self._states: dict[str, Any] = {}
        self._samples: Any = None
        self._last_state: Any = None
        self._warmup_state: HMCState | None = None
        self._draws: Any = None
        self._hidden: set[str] = set()

    # -- sizes
    @property
    def num_warmup(self) -> int:
        """Draws of the warm-up."""
        return self._num_warmup

    @num_warmup.setter
    def num_warmup(self, value: int) -> None:
        self._num_warmup = int(value)

    @property
    def num_samples(self) -> int:
        """Draws that are asked for, before thinning."""
        return self._num_samples

    @num_samples.setter
    def num_samples(self, value: int) -> None:
        self._num_samples = int(value)

    # -- running
    def run(
        self,
        rng_key: Any,
        *args: Any,
        extra_fields: Iterable[str] = (),
        init_params: Any = None,
        **kwargs: Any,
    ) -> None:
        """Sample.

        Parameters
        ----------
        rng_key : key
            A random key; the same key gives the same draws.
        *args, **kwargs
            The model's arguments.
        extra_fields : tuple of str
            Fields of the sampler's state to keep: potential_energy, energy, num_steps, accept_prob,
            mean_accept_prob, diverging, adapt_state.step_size, or "~z.<site>" to leave a site out.
        init_params : dict or pytree, optional
            Unconstrained starting values, with an axis of chains in front if there are several.

        Notes
        -----
        After `warmup`, or with a `post_warmup_state`, it goes on from there: with that metric and
        step size, and no warm-up.
        """
        if init_params is not None and self.sampler.model is not None:
            if not isinstance(init_params, dict):
                raise ParameterError("MCMC.run: init_params: expected a dict by sites' names.")
        fields = self._checked_fields(extra_fields)
        self._args, self._kwargs = args, kwargs
        state = self._warmup_state
        if state is not None and init_params is not None and self.sampler.model is not None:
            raise ParameterError(
                "MCMC.run: init_params= and post_warmup_state both say where to start. Leave "
                "init_params out, or set `mcmc.post_warmup_state = None`, which warms up again."
            )
        if state is not None and self.sampler.model is None:
            init_params = state.z  # for its structure
        settings = Settings(
            self._num_warmup if state is None else 0, self._num_samples, self.num_chains,
            self.progress_bar, self.chain_method == "sequential",
        )  # fmt: skip
        result = run(self.sampler, settings, rng_key, (args, kwargs), init_params, state)
        done = self._num_samples + (self._num_warmup if state is None else int(np.max(state.i)))
        self._keep(result, result.samples, result.run.stats, fields)
        self._last_state = self._state(result, result.samples, result.run.stats, rng_key, done)

    def warmup(
        self,
        rng_key: Any,
        *args: Any,
        extra_fields: Iterable[str] = (),
        collect_warmup: bool = False,
        init_params: Any = None,
        **kwargs: Any,
    ) -> None:
        """Run the warm-up only; each `run` goes on where it ended, without a warm-up.

        Parameters
        ----------
        rng_key, *args, extra_fields, init_params, **kwargs
            As for `run`.
        collect_warmup : bool
            Keep the warm-up's draws, for `get_samples`.
        """
        fields = self._checked_fields(extra_fields)
        self._args, self._kwargs = args, kwargs
        self._warmup_state = None
        settings = Settings(
            self._num_warmup, 1, self.num_chains, self.progress_bar,
            self.chain_method == "sequential", keep_warmup=True,
        )  # fmt: skip
        result = run(self.sampler, settings, rng_key, (args, kwargs), init_params)
        if collect_warmup and result.warmup is not None:
            self._keep(result, result.warmup, result.run.warmup_stats or {}, fields)
        else:
            self._keep(result, result.samples, result.run.stats, fields)
            self._samples = None
        self._last_state = self._warmup_state = self._state(
            result, result.samples, result.run.stats, rng_key, self._num_warmup
        )

    @staticmethod
    def _checked_fields(extra_fields: Iterable[str]) -> tuple[str, ...]:
        fields = tuple(extra_fields)
        if isinstance(extra_fields, str):
            raise ParameterError("MCMC.run: extra_fields: expected a tuple of names.")
        for name in fields:
            known = name in FIELDS or name in MADE or name.startswith(("z.", "~z."))
            if not known:
                raise NotYetSupported(
                    f"MCMC.run: extra_fields has {name!r}; there are "
                    f"{', '.join([*FIELDS, *MADE])}, 'z.<site>' and '~z.<site>'."
                )
        return fields

    def _keep(
        self, result: Result, draws: dict[str, Array], stats: dict[str, Array],
        fields: tuple[str, ...],
    ) -> None:  # fmt: skip
        self._result, self._draws = result, None
        thin = self._thin
        left_out = {name[3:] for name in fields if name.startswith("~z.")}
        self._hidden = result.target.deterministics
        samples = {n: thin(draws[n]) for n in result.target.names if n not in left_out}
        rebuild = result.target.rebuild
        self._samples = samples if rebuild is None else rebuild(samples)
        self._states = {
            name: thin(self._field(name, stats))
            for name in dict.fromkeys(("diverging", *fields))
            if not name.startswith(("z.", "~z."))
        }
        z_fields = [name for name in fields if name.startswith("z.")]
        if z_fields:
            whole = self._unconstrained({n: thin(draws[n]) for n in result.target.names})
            self._states.update({name: whole[name[2:]] for name in z_fields})

    def _thin(self, x: Array) -> Array:
        if self.thinning == 1:
            return x
        return x[:, self.thinning - 1 :: self.thinning]

    @staticmethod
    def _field(name: str, stats: dict[str, Array]) -> Array:
        if name == "potential_energy":
            return -np.asarray(stats["lp"])
        if name == "mean_accept_prob":
            rate = np.asarray(stats["acceptance_rate"])
            return np.cumsum(rate, axis=1) / np.arange(1, rate.shape[1] + 1)
        return np.asarray(stats[FIELDS[name]])

    def _state(
        self, result: Result, draws: dict[str, Array], stats: dict[str, Array], rng_key: Any,
        done: int,
    ) -> HMCState:  # fmt: skip
        single = self.num_chains == 1

        def last(x: Array) -> Any:
            return to_jax(np.asarray(x)[0, -1] if single else np.asarray(x)[:, -1])

        names = [n for n in result.target.names if n not in result.target.deterministics]
        point = {n: np.asarray(draws[n])[:, -1:] for n in names}

        def unconstrained() -> Any:
            if result.target.rebuild is not None:
                return result.target.rebuild({n: last(draws[n]) for n in names})
            whole = self._unconstrained(point)
            return {n: to_jax(v[0, 0] if single else v[:, 0]) for n, v in whole.items()}

        values = {name: last(self._field(name, stats)) for name in (*FIELDS, *MADE)
                  if "." not in name}  # fmt: skip
        adapted = result.run.adapted
        assert adapted is not None
        sites, named = sites_of(result.target)
        parts = result.parts
        values["adapt_state"] = adapt_state(adapted, parts, sites, named is not None)
        values["i"] = done
        x = np.array(result.run.draws[:, -1])
        engine = Engine(sites, x, adapted, parts)
        return HMCState(values, unconstrained, rng_key, engine)

    def _unconstrained(self, draws: dict[str, Array]) -> dict[str, Any]:
        """Unconstrained values [chain, draw, ...] of the latent sites, by NumPyro's transforms."""
        model, args, kwargs = self.sampler.model, self._args, self._kwargs
        assert self._result is not None
        hidden = self._result.target.deterministics

        def one(point: dict[str, Any]) -> dict[str, Any]:
            return unconstrain_fn(model, args, kwargs, point)

        latent = {n: to_jax(v) for n, v in draws.items() if n not in hidden}
        if not latent:
            return {}
        found = jax.vmap(jax.vmap(one))(latent)
        return {n: np.asarray(found[n]) for n in latent}

    # -- states
    @property
    def last_state(self) -> Any:
        """The state of every chain after its last draw."""
        return self._last_state

    @property
    def post_warmup_state(self) -> Any:
        """A state that each `run` goes on from, without a warm-up; settable.

        It may be this object's `last_state`, or that of another `MCMC` of the same model, for
        instance after pickling. None warms up again.
        """
        return self._warmup_state

    @post_warmup_state.setter
    def post_warmup_state(self, state: Any) -> None:
        if state is not None and not isinstance(state, HMCState):
            raise ParameterError(
                f"MCMC.post_warmup_state: expected the `last_state` of an MCMC, or None, got "
                f"{type(state).__name__}."
            )
        self._warmup_state = state

    def transfer_states_to_host(self) -> None:
        """Make the draws NumPy arrays."""
        self._samples = jax.tree_util.tree_map(np.asarray, self._samples)
        self._states = {name: np.asarray(x) for name, x in self._states.items()}

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._result is not None:  # compiled code stays in its process
            state["_draws"] = draws_of(self._result, self.thinning, self._num_warmup)
        state["_result"] = None
        return state

    # -- results
    def _drawn(self, who: str) -> Any:
        assert self._samples is not None, f"`run` must be called before `{who}`."
        return self._samples

    def get_samples(self, group_by_chain: bool = False) -> Any:
        """The draws: name -> array, the chains one after another.

        Parameters
        ----------
        group_by_chain : bool
            With an axis of chains in front.
        """
        samples = self._drawn("get_samples")
        return jax.tree_util.tree_map(to_jax if group_by_chain else _joined, samples)

    def get_extra_fields(self, group_by_chain: bool = False) -> dict[str, Any]:
        """The sampler's fields that `run` was asked to keep, and `diverging`.

        Parameters
        ----------
        group_by_chain : bool
            With an axis of chains in front.
        """
        self._drawn("get_extra_fields")
        give = to_jax if group_by_chain else _joined
        return {name: give(x) for name, x in self._states.items()}

    def print_summary(self, prob: float = 0.9, exclude_deterministic: bool = True) -> None:
        """Print a table of the draws, and how many diverged.

        Parameters
        ----------
        prob : float
            The share of draws that the intervals hold.
        exclude_deterministic : bool
            Leave deterministic sites out.
        """
        samples = self._drawn("print_summary")
        if isinstance(samples, dict) and exclude_deterministic:
            samples = {name: x for name, x in samples.items() if name not in self._hidden}
        diagnostics.print_summary(samples, prob=prob)
        print(f"Number of divergences: {int(np.sum(np.asarray(self._states['diverging'])))}")

    def to_inferencedata(self) -> Any:
        """The result as the container that the installed ArviZ takes, without JAX."""
        self._drawn("to_inferencedata")
        if self._result is None:
            return make_result(self._draws)
        return make_result(draws_of(self._result, self.thinning, self._num_warmup))


def _joined(x: Any) -> Any:
    # by NumPy: JAX would compile the change of shape
    return to_jax(np.asarray(x).reshape((x.shape[0] * x.shape[1], *x.shape[2:])))
