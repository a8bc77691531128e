"""The sampler's plain result: named NumPy arrays, nothing else.

Everything inside finetti works on `Draws`; `results.arviz` turns it into the container that
the installed ArviZ takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from finetti.errors import ParameterError, ShapeError, did_you_mean

Array: TypeAlias = npt.NDArray[Any]
Group: TypeAlias = Mapping[str, Array]

SAMPLED_GROUPS = (
    "posterior",
    "posterior_predictive",
    "predictions",
    "log_likelihood",
    "log_prior",
    "sample_stats",
    "prior",
    "prior_predictive",
    "sample_stats_prior",
    "warmup_posterior",
    "warmup_sample_stats",
)
DATA_GROUPS = ("observed_data", "constant_data", "predictions_constant_data")
# the order of ArviZ's schema, in which results list their groups
GROUP_ORDER = (*SAMPLED_GROUPS[:9], *DATA_GROUPS, *SAMPLED_GROUPS[9:])

_NAMED_FIELDS = (
    "posterior",
    "sample_stats",
    "warmup_posterior",
    "warmup_sample_stats",
    "observed_data",
    "constant_data",
    "log_likelihood",
)


@dataclass(frozen=True)
class Draws:
    """Draws, their statistics and the data they came from.

    Arrays of a sampled group are `[chain, draw, *shape]`; arrays of a data group are `[*shape]`.

    Parameters
    ----------
    posterior, sample_stats
        Variable or statistic name to array.
    warmup_posterior, warmup_sample_stats
        The same for the warm-up, where it was kept.
    observed_data, constant_data
        The model's data.
    log_likelihood
        Pointwise log likelihood, one array for each observed variable.
    predictive
        Further groups: `prior`, `prior_predictive`, `posterior_predictive`, `predictions`,
        `predictions_constant_data`, `log_prior`.
    coords
        Dimension name to its labels; `None` stands for 0, 1, 2, ...
    dims
        Variable name to the names of its dimensions (chain and draw left out); `None` for a
        dimension without a name.
    attrs
        What belongs to the whole run: `sampling_time`, `tuning_steps`, `inference_library`, ...
    """

    posterior: Group = field(default_factory=dict)
    sample_stats: Group = field(default_factory=dict)
    warmup_posterior: Group | None = None
    warmup_sample_stats: Group | None = None
    observed_data: Group = field(default_factory=dict)
    constant_data: Group = field(default_factory=dict)
    log_likelihood: Group | None = None
    predictive: Mapping[str, Group] = field(default_factory=dict)
    coords: Mapping[str, Sequence[Any] | Array | None] = field(default_factory=dict)
    dims: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.predictive:
            if name in _NAMED_FIELDS or name not in GROUP_ORDER:
                valid = [group for group in GROUP_ORDER if group not in _NAMED_FIELDS]
                raise ParameterError(
                    f"Draws: predictive[{name!r}] is no group of predictions. "
                    f"{did_you_mean(name, valid)}"
                )
        for name, group in self.items():
            if name in SAMPLED_GROUPS:
                _check_leading(name, group)

    def items(self) -> Iterator[tuple[str, Group]]:
        """Every group that holds something, in ArviZ's order."""
        for name in GROUP_ORDER:
            group = self.group(name)
            if group:
                yield name, group

    def group(self, name: str) -> Group:
        """The group `name`; empty when there is none."""
        found = getattr(self, name) if name in _NAMED_FIELDS else self.predictive.get(name)
        return {} if found is None else found

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups that hold something."""
        return tuple(name for name, _ in self.items())

    @property
    def chains(self) -> int:
        """Number of chains in the posterior (0 without one)."""
        return next((array.shape[0] for array in self.posterior.values()), 0)

    @property
    def draws(self) -> int:
        """Draws of each chain in the posterior (0 without one)."""
        return next((array.shape[1] for array in self.posterior.values()), 0)

    def flat(self, name: str, group: str = "posterior") -> Array:
        """The draws of one variable with the chains concatenated: `[chain * draw, *shape]`."""
        arrays = self.group(group)
        if name not in arrays:
            raise ParameterError(f"{group} has no {name!r}. {did_you_mean(name, arrays)}")
        array = arrays[name]
        return array.reshape(-1, *array.shape[2:])

    def with_groups(self, groups: Mapping[str, Group], **changes: Any) -> Draws:
        """A copy with `groups` added; a group that is already there is replaced."""
        named: dict[str, Any] = {k: group for k, group in groups.items() if k in _NAMED_FIELDS}
        other = {name: group for name, group in groups.items() if name not in _NAMED_FIELDS}
        return replace(self, predictive={**self.predictive, **other}, **named, **changes)


def _check_leading(group: str, arrays: Group) -> None:
    first: tuple[str, tuple[int, ...]] | None = None
    for name, array in arrays.items():
        if np.ndim(array) < 2:
            raise ShapeError(
                f"Draws: {group}[{name!r}] has shape {np.shape(array)}; expected (chain, draw, ...)"
            )
        if first is None:
            first = (name, array.shape[:2])
        elif array.shape[:2] != first[1]:
            raise ShapeError(
                f"Draws: {group}[{name!r}] has (chain, draw) = {array.shape[:2]} and "
                f"{group}[{first[0]!r}] has {first[1]}; give every variable the same"
            )
