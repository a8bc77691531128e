"""Kernels: what `MCMC` runs. NUTS and HMC are finetti's own; the others are refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from finetti.dialects.numpyro.infer.initialization import init_to_uniform
from finetti.dialects.numpyro.infer.inverse_mass import checked_dense
from finetti.dialects.numpyro.infer.util import check_positive
from finetti.errors import NotYetSupported, ParameterError

__all__ = ["HMC", "MCMCKernel", "NUTS"]


class MCMCKernel:
    """The base of kernels. Kernels of your own are refused: finetti's sampler calls no Python."""

    sample_field = "z"
    default_fields: tuple[str, ...] = ("z",)
    is_ensemble_kernel = False


class HMC(MCMCKernel):
    """Hamiltonian Monte Carlo with paths of one length.

    Parameters
    ----------
    model : callable, optional
        The model; or else `potential_fn`.
    potential_fn : callable, optional
        Minus a log density, written in JAX, of a pytree of arrays.
    kinetic_fn : None
        Not there.
    step_size : float
        The step size that adaptation starts with, or that is kept.
    inverse_mass_matrix : array or dict, optional
        Variances of the unconstrained values in the order of the sites' names, their covariance
        matrix, or {tuple of site names: one of both}: where the adaptation begins, or what is
        kept with adapt_mass_matrix=False. Where the metric is not dense, the diagonal counts.
    adapt_step_size, adapt_mass_matrix : bool
        What is adapted in the warm-up.
    dense_mass : bool or list
        True for one matrix of all values, or a list of tuples of site names whose values have
        one together. It pays where these are strongly correlated; 2000 numbers at most.
    target_accept_prob : float
        The acceptance that the step size is tuned to.
    num_steps : int, optional
        Leapfrog steps of a path.
    trajectory_length : float
        Length of a path where `num_steps` is None.
    init_strategy : callable
        Where sampling starts.
    find_heuristic_step_size : bool
        Accepted: the first step size is always searched.
    forward_mode_differentiation : bool
        Accepted: it changes no value.
    regularize_mass_matrix : bool
        Whether few draws count less in a matrix; variances need no such help.
    """

    default_fields = ("z", "diverging")

    def __init__(  # noqa: PLR0913, a user's keywords
        self,
        model: Callable[..., Any] | None = None,
        potential_fn: Callable[..., Any] | None = None,
        kinetic_fn: Any = None,
        step_size: float = 1.0,
        inverse_mass_matrix: Any = None,
        adapt_step_size: bool = True,
        adapt_mass_matrix: bool = True,
        dense_mass: Any = False,
        target_accept_prob: float = 0.8,
        num_steps: int | None = None,
        trajectory_length: float | None = 2 * math.pi,
        init_strategy: Any = init_to_uniform,
        find_heuristic_step_size: bool = False,
        forward_mode_differentiation: bool = False,
        regularize_mass_matrix: bool = True,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "model")}
        given.pop("__class__", None)
        self._set(model, given)
        if (num_steps is None) == (trajectory_length is None) and num_steps is None:
            raise ParameterError("HMC: give num_steps or trajectory_length.")
        if num_steps is not None and (num_steps != int(num_steps) or num_steps < 1):
            raise ParameterError(f"HMC: num_steps={num_steps!r}, expected a whole number >= 1.")
        if trajectory_length is not None:
            check_positive(trajectory_length, "trajectory_length", "HMC")
        self._num_steps, self._trajectory_length = num_steps, trajectory_length

    def _set(self, model: Any, given: dict[str, Any]) -> None:
        where = type(self).__name__
        potential_fn = given["potential_fn"]
        if (model is None) == (potential_fn is None):
            raise ValueError(f"{where}: only one of `model` or `potential_fn` must be specified.")
        if given["kinetic_fn"] is not None:
            raise NotYetSupported(f"{where}: kinetic_fn= is not there: the energy is Gaussian.")
        if not 0.0 < float(given["target_accept_prob"]) < 1.0:
            raise ParameterError(
                f"{where}: target_accept_prob={given['target_accept_prob']!r}, expected a number "
                "between 0 and 1."
            )
        check_positive(given["step_size"], "step_size", where)
        self._model, self._potential_fn = model, potential_fn
        self._init_strategy = given["init_strategy"]
        self._given = given
        self._max_tree_depth: Any = None
        self._dense = checked_dense(given["dense_mass"], where)

    @property
    def model(self) -> Any:
        """The model; None where there is a potential function."""
        return self._model

    @property
    def potential_fn(self) -> Any:
        """The potential function; None where there is a model."""
        return self._potential_fn

    @property
    def inverse_mass_matrix(self) -> Any:
        """The variances to begin with; None where they are all learned."""
        return self._given["inverse_mass_matrix"]

    @property
    def dense_mass(self) -> bool | list[tuple[str, ...]]:
        """Which sites have a dense metric."""
        return self._dense

    @property
    def step_size(self) -> float:
        """The step size to begin with."""
        return float(self._given["step_size"])

    def fields(self) -> dict[str, Any]:
        """The settings as fields of the sampler's configuration."""
        given = self._given
        fields = {
            "adapt_step_size": bool(given["adapt_step_size"]),
            "adapt_metric": bool(given["adapt_mass_matrix"]),
            "regularize_dense": bool(given["regularize_mass_matrix"]),
            "target_accept": float(given["target_accept_prob"]),
        }
        if float(given["step_size"]) != 1.0 or not given["adapt_step_size"]:
            fields["initial_step"] = float(given["step_size"])
        if not given["adapt_step_size"]:
            fields["step_size_jitter"] = 0.0  # the user has said which step
        return fields

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()


class NUTS(HMC):
    """The No-U-Turn sampler.

    Parameters
    ----------
    model : callable, optional
        The model; or else `potential_fn`.
    potential_fn : callable, optional
        Minus a log density, written in JAX, of a pytree of arrays.
    max_tree_depth : int or pair of int
        At most 2**max_tree_depth leapfrog steps a draw (in the warm-up, and afterwards).
    kinetic_fn, step_size, inverse_mass_matrix, adapt_step_size, adapt_mass_matrix, dense_mass,
    target_accept_prob, init_strategy, find_heuristic_step_size, forward_mode_differentiation,
    regularize_mass_matrix : optional
        As for `HMC`.
    """

    def __init__(  # noqa: PLR0913, a user's keywords
        self,
        model: Callable[..., Any] | None = None,
        potential_fn: Callable[..., Any] | None = None,
        kinetic_fn: Any = None,
        step_size: float = 1.0,
        inverse_mass_matrix: Any = None,
        adapt_step_size: bool = True,
        adapt_mass_matrix: bool = True,
        dense_mass: Any = False,
        target_accept_prob: float = 0.8,
        trajectory_length: float | None = None,
        max_tree_depth: Any = 10,
        init_strategy: Any = init_to_uniform,
        find_heuristic_step_size: bool = False,
        forward_mode_differentiation: bool = False,
        regularize_mass_matrix: bool = True,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "model")}
        given.pop("__class__", None)
        if trajectory_length is not None:
            raise ParameterError(
                "NUTS: trajectory_length= is HMC's: NUTS finds the length of each path. Bound it "
                "with max_tree_depth=."
            )
        self._set(model, given)
        pair = isinstance(max_tree_depth, (tuple, list))
        depths = max_tree_depth if pair else [max_tree_depth]
        if len(depths) != 1 + pair or not all(d in range(1, 31) for d in depths):
            raise ParameterError(
                f"NUTS: max_tree_depth={max_tree_depth!r}, expected a whole number from 1 to "
                "30, or a pair of them."
            )
        self._max_tree_depth = max_tree_depth
        self._depths = int(depths[0]), int(depths[-1])

    def fields(self) -> dict[str, Any]:
        warmup, draws = self._depths
        return {**super().fields(), "max_treedepth": draws, "warmup_treedepth": warmup}


def _refused(name: str, reason: str) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        raise NotYetSupported(f"numpyro.infer.{name}: {reason}")

    return type(name, (MCMCKernel,), {"__init__": __init__, "__doc__": f"Refused: {reason}"})


_OTHER = "this kernel is not there yet: use NUTS."
_DISCRETE = (
    "kernels for discrete sites are not there yet: sum them out with "
    "`dist.MixtureSameFamily` or `jax.scipy.special.logsumexp`, and use NUTS."
)
REFUSED = {
    **{name: _refused(name, _OTHER) for name in ("AIES", "BarkerMH", "ESS", "SA", "HMCECS")},
    **{name: _refused(name, _DISCRETE) for name in (
        "CustomGibbs", "DiscreteGibbs", "DiscreteHMCGibbs", "Gibbs", "HMCGibbs", "MixedHMC")},
}  # fmt: skip
