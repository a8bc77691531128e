"""PyMC3's trace: draws asked for by name, by slice, by number.

It also is what the installed ArviZ takes: an attribute that no trace has is looked up in the
InferenceData, which is built when somebody asks, as `lazy.py` does it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from finetti.errors import ParameterError, SamplingError, ShapeError, did_you_mean
from finetti.results.container import from_datasets, inference_data_class
from finetti.results.datasets import draws_to_datasets
from finetti.results.lazy import container_is_imported
from finetti.results.trace import Array, Draws, Group

# PyMC3's names of statistics -> the names of today
STATS = {
    "depth": "tree_depth", "tree_size": "n_steps", "mean_tree_accept": "acceptance_rate",
    "model_logp": "lp",
}  # fmt: skip
_NOT_SLICED = ("warmup_posterior", "warmup_sample_stats", "prior", "prior_predictive",
               "sample_stats_prior", "observed_data", "constant_data",
               "predictions_constant_data")  # fmt: skip


class Source(Protocol):
    """What a trace knows of the model that it came from."""

    def names(self, posterior: Group) -> list[str]:
        """What it can answer for, in PyMC3's order: unconstrained values first."""

    def derived(self, name: str, posterior: Group) -> Array:
        """The draws of an unconstrained value."""

    def log_likelihood(self, draws: Draws) -> Group:
        """The elementwise log likelihood of each observed variable."""


@dataclass(frozen=True)
class Stored:
    """A source without a model: unconstrained values that were kept in a file."""

    values: Mapping[str, Array]

    def names(self, posterior: Group) -> list[str]:
        """Their names."""
        return list(self.values)

    def derived(self, name: str, posterior: Group) -> Array:
        """One of them."""
        return self.values[name]

    def log_likelihood(self, draws: Draws) -> Group:
        """Refused: there is no model."""
        raise ParameterError(
            "the trace does not know its model, so it has no log likelihood: pass model=, or load "
            "the trace with load_trace(directory, model=model)."
        )


@dataclass(frozen=True)
class Report:
    """What is known of a run beside its draws."""

    n_tune: int
    n_draws: int
    t_sampling: float
    messages: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was warned of."""
        return not self.messages


class MissingVariable(ParameterError, KeyError, AttributeError):
    """A trace has no variable and no statistic of that name."""

    def __str__(self) -> str:
        return str(self.args[0])


class MultiTrace:
    """Draws of several chains, as PyMC3 hands them out.

    ``trace["mu"]`` and ``trace.mu`` give all draws with the chains one after another,
    ``trace[100:]`` a trace, ``trace[-1]`` a point of the last chain, and ``trace["mu", 100::2]``
    what ``get_values("mu", burn=100, thin=2)`` does.

    Parameters
    ----------
    draws : Draws
        The plain result; or a list of the traces that a callback of `sample` gets, of which the
        first draws are kept that all have.
    source : Source, optional
        The model's side: names, unconstrained values, log likelihoods.
    chains : sequence of int, optional
        Their numbers; from 0 by default.
    """

    def __init__(
        self,
        draws: Draws | Sequence[Any],
        source: Source | None = None,
        chains: Sequence[int] | None = None,
    ):
        if not isinstance(draws, Draws):
            draws, source, chains = _side_by_side(draws)
        self._draws = draws
        self._source: Source = Stored({}) if source is None else source
        self._chains = list(range(draws.chains)) if chains is None else list(map(int, chains))
        self._container: Any = None
        self._removed: set[str] = set()

    @classmethod
    def from_draws(
        cls, draws: Draws, source: Source | None = None, chain_idx: int = 0
    ) -> MultiTrace:
        """The trace of a run whose first chain has the number `chain_idx`."""
        return cls(draws, source, range(chain_idx, chain_idx + draws.chains))

    # -- what there is
    @property
    def varnames(self) -> list[str]:
        """Names of variables: unconstrained values, then the variables and deterministics."""
        present = self._draws.posterior
        names = dict.fromkeys([*self._source.names(present), *present])
        return [name for name in names if name not in self._removed]

    @property
    def stat_names(self) -> set[str]:
        """Names of the sampler's statistics, PyMC3's too."""
        here = self._draws.sample_stats
        return {*here, *(old for old, new in STATS.items() if new in here)}

    @property
    def chains(self) -> list[int]:
        """The chains' numbers."""
        return list(self._chains)

    @property
    def nchains(self) -> int:
        """How many chains."""
        return len(self._chains)

    @property
    def report(self) -> Report:
        """About the run."""
        attrs = self._draws.attrs
        return Report(
            int(attrs.get("tuning_steps", 0)),
            self._draws.draws,
            float(attrs.get("sampling_time", 0.0)),
            tuple(attrs.get("warnings", ())),
        )

    def __len__(self) -> int:
        return self._draws.draws

    def __repr__(self) -> str:
        shown = (self.nchains, len(self), len(self.varnames))
        return "<MultiTrace: {} chains, {} iterations, {} variables>".format(*shown)

    # -- draws
    def get_values(
        self,
        varname: Any,
        burn: int = 0,
        thin: int = 1,
        combine: bool = True,
        chains: int | Iterable[int] | None = None,
        squeeze: bool = True,
    ) -> Any:
        """The draws of a variable.

        Parameters
        ----------
        varname : str or variable
            Which; unconstrained values too (``sigma_log__``).
        burn, thin : int
            Leave out the first `burn` draws of each chain, then take each `thin`-th.
        combine : bool
            One array with the chains one after another; otherwise a list with one for each.
        chains : int or iterable of int, optional
            Of these chains only.
        squeeze : bool
            With ``combine=False`` and a single chain: the array instead of a list of it.
        """
        return self._pick(self._variable(varname), burn, thin, combine, chains, squeeze)

    def get_sampler_stats(
        self,
        stat_name: str,
        burn: int = 0,
        thin: int = 1,
        combine: bool = True,
        chains: int | Iterable[int] | None = None,
        squeeze: bool = True,
    ) -> Any:
        """A statistic of the sampler, in the form that `get_values` gives."""
        here = self._draws.sample_stats
        name = stat_name if stat_name in here else STATS.get(stat_name, stat_name)
        if name not in here:
            raise MissingVariable(
                f"the trace has no statistic {stat_name!r}. {did_you_mean(stat_name, here)}"
            )
        return self._pick(here[name], burn, thin, combine, chains, squeeze)

    def point(self, idx: int, chain: int | None = None) -> dict[str, Array]:
        """One draw by name; of the last chain by default."""
        place = self._places([self._chains[-1] if chain is None else chain])[0]
        if not -len(self) <= idx < len(self):
            raise IndexError(f"the trace has {len(self)} draws in a chain, asked for number {idx}")
        return {name: self._variable(name)[place, idx] for name in self.varnames}

    def points(self, chains: Iterable[int] | None = None) -> Iterator[dict[str, Array]]:
        """Every draw by name, one chain after another."""
        wanted = self._chains if chains is None else list(chains)
        pairs = itertools.product(wanted, range(len(self)))
        return (self.point(idx, chain) for chain, idx in pairs)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self._sliced(key)
        if isinstance(key, (int, np.integer)):
            return self.point(int(key))
        burn, thin = 0, 1
        if isinstance(key, tuple) and len(key) == 2 and isinstance(key[1], slice):
            key, part = key
            burn, thin = part.start or 0, part.step or 1
        name = self._name(key)
        if self._has(name):
            return self.get_values(name, burn=burn, thin=thin)
        if name in self.stat_names:
            return self.get_sampler_stats(name, burn=burn, thin=thin)
        if isinstance(key, str) and key.strip("/").partition("/")[0] in self._draws.groups:
            return self.to_inference_data()[key]
        raise self._missing(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "_draws" not in self.__dict__:
            raise AttributeError(name)
        if self._has(name):
            return self.get_values(name)
        if name in self.stat_names:
            return self.get_sampler_stats(name)
        if name == "log_likelihood" and not self._draws.log_likelihood:
            # Old ArviZ computed it from the model; nobody else pays for it.
            return from_datasets(draws_to_datasets(self.with_log_likelihood())).log_likelihood
        return getattr(self.to_inference_data(), name)

    def __contains__(self, key: object) -> bool:
        return self._has(self._name(key)) or key in self._draws.groups

    def __iter__(self) -> Iterator[Any]:
        raise SamplingError(
            "a trace has no order of its own: write `trace.points()` for one draw after another, "
            "`trace.varnames` for the names."
        )

    # -- changes
    def add_values(self, vals: Mapping[str, Any], overwrite: bool = False) -> None:
        """Add variables; each array holds the draws of all chains, one chain after another."""
        new = dict(self._draws.posterior)
        for name, value in vals.items():
            array = np.asarray(value)
            if self._has(name) and not overwrite:
                raise ParameterError(f"add_values: the trace has {name!r}; pass overwrite=True.")
            if array.ndim == 0 or len(array) != self.nchains * len(self):
                raise ShapeError(
                    f"add_values: {name!r} has shape {array.shape}, expected {self.nchains} chains "
                    f"x {len(self)} draws = {self.nchains * len(self)} along its first axis."
                )
            new[name] = array.reshape(self.nchains, len(self), *array.shape[1:])
            self._removed.discard(name)
        self._change(replace(self._draws, posterior=new))

    def remove_values(self, name: str) -> None:
        """Take a variable out."""
        if not self._has(name):
            raise self._missing(name)
        self._removed.add(name)
        kept = {key: value for key, value in self._draws.posterior.items() if key != name}
        self._change(replace(self._draws, posterior=kept))

    def replace_draws(self, draws: Draws) -> None:
        """Exchange the plain result, as adding groups of predictions does."""
        self._draws = draws
        if self._container is not None:
            self._container.extend(draws_to_datasets(draws), join="right")

    def _change(self, draws: Draws) -> None:
        self._draws, self._container = draws, None

    # -- ArviZ
    def plain_draws(self) -> Draws:
        """The plain result."""
        return self._draws

    @property
    def source(self) -> Source:
        """The model's side."""
        return self._source

    def with_log_likelihood(self, source: Source | None = None) -> Draws:
        """The plain result with the elementwise log likelihood, which `loo` and `waic` need."""
        if self._draws.log_likelihood:
            return self._draws
        found = (source or self._source).log_likelihood(self._draws)
        return self._draws.with_groups({"log_likelihood": found})

    def to_inference_data(self) -> Any:
        """The container that the installed ArviZ takes."""
        if self._container is None:
            draws = self._draws
            if self._chains != list(range(self.nchains)):
                draws = replace(draws, coords={**draws.coords, "chain": self._chains})
            self._container = from_datasets(draws_to_datasets(draws))
        return self._container

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        # ArviZ and xarray test for their own class; isinstance(x, MultiTrace) holds all the same
        known = self._container is not None or container_is_imported()
        return inference_data_class() if known else MultiTrace

    def __reduce__(self) -> tuple[Any, ...]:
        return MultiTrace, (self._draws, self._source, self._chains)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()

    def __copy__(self) -> MultiTrace:
        return MultiTrace(self._draws, self._source, self._chains)

    def __deepcopy__(self, memo: dict[int, Any]) -> MultiTrace:
        return self.__copy__()  # draws are never written into

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *filter(str.isidentifier, self.varnames)})

    # -- inside
    @staticmethod
    def _name(key: Any) -> str:
        return key if isinstance(key, str) else str(getattr(key, "name", key))

    def _has(self, name: str) -> bool:
        if name in self._removed:
            return False
        here = self._draws.posterior
        return name in here or (name.endswith("_") and name in self._source.names(here))

    def _missing(self, name: str) -> MissingVariable:
        return MissingVariable(
            f"the trace has no variable {name!r}. {did_you_mean(name, self.varnames)}"
        )

    def _variable(self, key: Any) -> Array:
        name = self._name(key)
        if name in self._draws.posterior:
            return self._draws.posterior[name]
        if not self._has(name):
            raise self._missing(name)
        return self._source.derived(name, self._draws.posterior)

    def _places(self, chains: int | Iterable[int] | None) -> list[int]:
        wanted = [chains] if isinstance(chains, (int, np.integer)) else chains
        wanted = self._chains if wanted is None else list(wanted)
        for chain in wanted:
            if chain not in self._chains:
                raise ParameterError(f"the trace has no chain {chain}; it has {self._chains}.")
        return [self._chains.index(int(chain)) for chain in wanted]

    def _pick(  # noqa: PLR0913, the options of get_values
        self, array: Array, burn: int, thin: int, combine: bool, chains: Any, squeeze: bool
    ) -> Any:
        if combine and squeeze and chains is None and (burn, thin) == (0, 1):
            return array.reshape(-1, *array.shape[2:])  # a view where that is possible
        each = [array[place, burn::thin] for place in self._places(chains)]
        if combine:
            joined = np.concatenate(each)
            return joined if squeeze else [joined]
        return each[0] if squeeze and len(each) == 1 else each

    def _sliced(self, part: slice) -> MultiTrace:
        def cut(group: Group) -> dict[str, Array]:
            return {name: array[:, part] for name, array in group.items()}

        groups = {
            name: cut(group) for name, group in self._draws.items() if name not in _NOT_SLICED
        }
        source = self._source
        if isinstance(source, Stored):
            source = Stored(cut(source.values))
        trace = MultiTrace(self._draws.with_groups(groups), source, self._chains)
        trace._removed = set(self._removed)
        return trace


def _side_by_side(traces: Sequence[Any]) -> tuple[Draws, Source, list[int]]:
    """Traces of single chains, as far as all of them go."""
    if not traces:
        raise ParameterError("MultiTrace: expected at least one chain's trace.")
    count = min(map(len, traces))
    whole = merge_traces([trace.as_multitrace()[:count] for trace in traces])
    return whole.plain_draws(), whole.source, whole.chains


def merge_traces(mtraces: Sequence[MultiTrace]) -> MultiTrace:
    """Join traces of one model; their chains must have different numbers.

    Parameters
    ----------
    mtraces : list of MultiTrace
        As many draws in a chain each; ``sample(chain_idx=4)`` numbers chains from 4.
    """
    first, *others = mtraces
    numbers = [chain for trace in mtraces for chain in trace.chains]
    if len(set(numbers)) < len(numbers):
        raise ParameterError(
            f"merge_traces: chains are not unique: {numbers}. Number them with "
            "`sample(chain_idx=...)`."
        )
    if any(len(trace) != len(first) for trace in others):
        lengths = [len(trace) for trace in mtraces]
        raise ParameterError(f"merge_traces: chains are of different lengths: {lengths}.")
    groups: dict[str, Group] = {}
    for name in ("posterior", "sample_stats"):
        parts = [trace.plain_draws().group(name) for trace in mtraces]
        shared = [key for key in parts[0] if all(key in part for part in parts)]
        groups[name] = {key: np.concatenate([part[key] for part in parts]) for key in shared}
    source = first.source
    if isinstance(source, Stored):
        stored = [trace.source.values if isinstance(trace.source, Stored) else {}
                  for trace in mtraces]  # fmt: skip
        shared = [key for key in stored[0] if all(key in part for part in stored)]
        source = Stored({key: np.concatenate([part[key] for part in stored]) for key in shared})
    return MultiTrace(first.plain_draws().with_groups(groups), source, numbers)
