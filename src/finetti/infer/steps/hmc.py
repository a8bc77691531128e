"""Steps that follow the gradient: NUTS, and Hamiltonian Monte Carlo of a fixed length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti import _core
from finetti.errors import NotYetSupported, ParameterError, ShapeError, warn
from finetti.infer.nuts import Adapted
from finetti.infer.options import nuts_config, nuts_settings
from finetti.infer.steps.compound import NEUTRAL, BlockedStep, Competence
from finetti.infer.steps.gibbs import positive
from finetti.infer.steps.workplace import Workplace
from finetti.model.compile import Array, Layout
from finetti.model.conditional import conditional
from finetti.model.logdensity import Density

__all__ = ["NUTS", "HamiltonianMC"]

WITHOUT_EFFECT = (
    "without effect in finetti, which learns the scales of the variables from the first draws on"
)
NUTS_STATS = (
    "lp", "energy", "energy_error", "max_energy_error", "acceptance_rate", "step_size",
    "step_size_bar", "tree_depth", "n_steps", "reached_max_treedepth", "diverging",
    "index_in_trajectory",
)  # fmt: skip


def inverse_mass_of(scaling: Any, is_cov: bool, where: str) -> Any:
    """PyMC's `scaling` as variances or a covariance; None where there is none, or no effect."""
    if scaling is None:
        return None
    if isinstance(scaling, Mapping):
        warn(f"{where}: scaling= {WITHOUT_EFFECT}; a vector or matrix would be used.")
        return None
    values = np.asarray(scaling, float)
    if values.ndim == 2:
        return covariance_of(values, is_cov, f"{where}: scaling")
    if values.ndim != 1:
        raise ShapeError(
            f"{where}: scaling has the shape {values.shape}: expected a vector of variances or a "
            "covariance matrix (with is_cov=True), or their inverses."
        )
    with np.errstate(divide="ignore", over="ignore"):
        variances = values if is_cov else 1.0 / values
    bad = ~((variances >= 1e-20) & (variances <= 1e20))
    if bad.any():
        kind = "variances" if is_cov else "precisions (is_cov=False)"
        raise ParameterError(
            f"{where}: scaling[{int(np.argmax(bad))}] is {values[bad][0]:g}; {kind} must be "
            "positive and finite, between 1e-20 and 1e20."
        )
    return variances


def covariance_of(matrix: Array, is_cov: bool, what: str) -> Array:
    """A symmetric positive definite matrix, or its inverse, checked.

    Parameters
    ----------
    matrix : ndarray
        Two axes.
    is_cov : bool
        False for a precision matrix.
    what : str
        Its name in messages.
    """
    kind = "covariance" if is_cov else "precision"
    if matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"{what} has the shape {matrix.shape}: expected a square {kind} matrix.")
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise ParameterError(f"{what}[{i}, {j}] is {matrix[i, j]:g}: expected finite numbers.")
    size = np.sqrt(np.abs(np.outer(np.diag(matrix), np.diag(matrix))))
    apart = np.abs(matrix - matrix.T)
    if (apart > 1e-5 * size).any():
        i, j = np.unravel_index(np.argmax(apart), apart.shape)
        raise ParameterError(
            f"{what} is not symmetric: [{i}, {j}] is {matrix[i, j]:g}, [{j}, {i}] is "
            f"{matrix[j, i]:g}."
        )
    half = 0.5 * (matrix + matrix.T)
    try:
        factor = np.linalg.cholesky(half)
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(half)[0]
        raise ParameterError(
            f"{what} is not positive definite: its smallest eigenvalue is {least:.3g}."
        ) from None
    if is_cov:
        return half
    inverse = np.linalg.solve(factor, np.eye(len(half)))
    return inverse.T @ inverse


class _Hamiltonian(BlockedStep):
    continuous_only = True
    static = False

    def __init__(self, vars: Any, keywords: Mapping[str, Any], model: Any) -> None:
        where = type(self).__name__
        rest = dict(keywords)
        self.inverse_mass = inverse_mass_of(
            rest.pop("scaling", None), bool(rest.pop("is_cov", False)), where
        )
        self.given = Adapted()
        self.dense = False  # whether the metric is one matrix
        if rest.pop("state", None) is not None:
            warn(f"{where}: state= {WITHOUT_EFFECT}.")
        if rest.pop("potential", None) is not None:
            raise NotYetSupported(f"{where}: potential= is a part of PyMC's that is not there.")
        rest.pop("dtype", None)
        scale = rest.pop("step_scale", None)
        self.step_scale = None if scale is None else positive(scale, "step_scale", where)
        early = rest.pop("early_max_treedepth", 8)
        if early != 8:
            raise NotYetSupported(f"{where}: early_max_treedepth={early!r} is not there yet.")
        self.settings = self._rand(rest, where)
        neutral = {key: rest.pop(key) for key in list(rest) if key in NEUTRAL}
        self.settings |= nuts_settings(where, rest)
        nuts_config(self.settings, where)
        super().__init__(vars, model, **neutral)

    @staticmethod
    def _rand(rest: dict[str, Any], where: str) -> dict[str, Any]:
        if "step_rand" not in rest:
            return {}
        rand = rest.pop("step_rand")
        if rand is not None:
            raise NotYetSupported(
                f"{where}: step_rand={rand!r}: the step size is jittered by a uniform factor; "
                "step_rand=None switches that off."
            )
        return {"step_size_jitter": 0.0}

    def fields(self, size: int) -> dict[str, Any]:
        """Fields of the sampler's configuration for a block of `size` elements."""
        if self.step_scale is None:
            return dict(self.settings)
        return {**self.settings, "initial_step": self.step_scale / max(1, size) ** 0.25}

    def begins_with(self, density: Density, chains: int) -> Adapted:
        """The metric and the step sizes to begin with, of the whole vector of values."""
        if self.inverse_mass is None and not self.dense:
            return self.given
        part = conditional(density, self.names)  # its elements in the order of the names
        blocks = (part.index,) if self.dense or self.inverse_mass.ndim == 2 else ()
        if self.inverse_mass is None:
            return Adapted(blocks=blocks)
        matrix = self.inverse_mass
        if len(matrix) != part.size:
            raise ShapeError(
                f"{self!r}: scaling has {len(matrix)} {'rows' if blocks else 'entries'}; its "
                f"variables have {part.size} unconstrained values: give one for each."
            )
        metric = np.ones(Layout.of(density.inputs).n)
        metric[part.index] = np.diag(matrix) if blocks else matrix
        matrices = (np.tile(matrix, (chains, 1, 1)),) if blocks else ()
        return Adapted(np.tile(metric, (chains, 1)), None, blocks, matrices)

    def kernel(self, place: Workplace) -> Any:
        part = place.conditional(self.names)
        step = _core.HamiltonianStep(*place.gradient(part))
        given = self.begins_with(place.density, place.chains).within(part.index)
        blocks = [block.tolist() for block in given.blocks]
        config = nuts_config({**self.fields(part.size), "dense_blocks": blocks}, repr(self))
        config.init_jitter = 0.0  # where a compound starts is where its initial point is
        step.config = config
        step.start_with(*given.contiguous())
        return step

    @classmethod
    def competence(cls, var: Any, has_grad: bool = True) -> Competence:
        if var.dtype.kind == "f" and has_grad:
            return Competence.COMPATIBLE if cls.static else Competence.PREFERRED
        return Competence.INCOMPATIBLE


class NUTS(_Hamiltonian):
    """The No-U-Turn sampler.

    Parameters
    ----------
    vars : list of tensors, optional
        What to move; every continuous variable by default.
    max_treedepth : int
        At most 2**max_treedepth leapfrog steps a draw.
    early_max_treedepth : int
        PyMC's; only its default.
    model : Model, optional
        The open model by default.
    **kwargs
        target_accept, Emax, adapt_step_size, gamma, k, t0 and step_scale as in PyMC. A vector
        `scaling` of precisions (with is_cov=True: of variances) of the unconstrained values is
        where the adaptation begins; with adapt_metric=False it is kept. So is a precision or
        covariance matrix, and the metric stays a matrix. A point to take curvatures at has no
        effect, which a warning says.
    """

    name = "nuts"
    stats_dtypes_shapes = dict.fromkeys(NUTS_STATS, (np.float64, []))

    def __init__(
        self,
        vars: Any = None,
        max_treedepth: int = 10,
        early_max_treedepth: int = 8,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        keywords = {**kwargs, "max_treedepth": max_treedepth}
        super().__init__(vars, {**keywords, "early_max_treedepth": early_max_treedepth}, model)


class HamiltonianMC(_Hamiltonian):
    """Hamiltonian Monte Carlo with paths of one length.

    Parameters
    ----------
    vars : list of tensors, optional
        What to move; every continuous variable by default.
    path_length : float
        How far each draw travels.
    max_steps : int
        At most so many leapfrog steps a draw.
    model : Model, optional
        The open model by default.
    **kwargs
        As for `NUTS`; target_accept is 0.65 by default.
    """

    name = "hmc"
    static = True
    stats_dtypes_shapes = dict.fromkeys((*NUTS_STATS, "path_length", "accepted"), (np.float64, []))

    def __init__(
        self,
        vars: Any = None,
        path_length: float = 2.0,
        max_steps: int = 1024,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vars, {"target_accept": 0.65, **kwargs}, model)
        self.settings.setdefault("step_size_jitter", 0.15)
        self.path_length = positive(path_length, "path_length", "HamiltonianMC")
        if max_steps != int(max_steps) or max_steps < 1:
            raise ParameterError(
                f"HamiltonianMC: max_steps={max_steps!r}: expected a whole number >= 1."
            )
        self.max_steps = int(max_steps)

    def kernel(self, place: Workplace) -> Any:
        step = super().kernel(place)
        step.static = True
        step.path_length, step.max_steps = self.path_length, self.max_steps
        return step
