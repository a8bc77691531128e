"""Symmetric proposals of random-walk steps: a name for the kernel, and NumPy draws for anyone."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from finetti.errors import NotYetSupported, ShapeError

Array = npt.NDArray[Any]


class Proposal:
    """Zero-mean steps.

    Parameters
    ----------
    s : array_like
        The scale, one for each element.
    """

    kind: ClassVar[str] = ""

    def __init__(self, s: Any) -> None:
        self.s = np.asarray(s, float)

    def scale(self, size: int, where: str) -> list[float]:
        """What the kernel takes: a scale for each of `size` elements.

        Raises
        ------
        ShapeError
            When there are more or fewer.
        """
        if self.s.ndim and self.s.shape != (size,):
            raise ShapeError(
                f"{where}: S has shape {self.s.shape} for {size} elements: give one number, or "
                f"{size} of them."
            )
        return [float(v) for v in np.broadcast_to(self.s, (size,))]

    def __call__(self, rng: Any = None) -> Array:
        """One step."""
        return self._draw(np.random.default_rng() if rng is None else rng)

    def _draw(self, rng: np.random.Generator) -> Array:
        raise NotImplementedError


class NormalProposal(Proposal):
    """Normal steps with standard deviation s."""

    kind = "normal"

    def _draw(self, rng: np.random.Generator) -> Array:
        return np.asarray(rng.normal(scale=self.s))


class UniformProposal(Proposal):
    """Steps between -s and s."""

    kind = "uniform"

    def _draw(self, rng: np.random.Generator) -> Array:
        return np.asarray(rng.uniform(-self.s, self.s))


class CauchyProposal(Proposal):
    """Cauchy steps of scale s."""

    kind = "cauchy"

    def _draw(self, rng: np.random.Generator) -> Array:
        return np.asarray(rng.standard_cauchy(self.s.shape) * self.s)


class LaplaceProposal(Proposal):
    """Double exponential steps of scale s."""

    kind = "laplace"

    def _draw(self, rng: np.random.Generator) -> Array:
        return np.asarray(rng.laplace(scale=self.s))


class PoissonProposal(Proposal):
    """Whole steps: a Poisson number of mean s, less s."""

    kind = "poisson"

    def _draw(self, rng: np.random.Generator) -> Array:
        return np.asarray(rng.poisson(self.s) - self.s)


class MultivariateNormalProposal(Proposal):
    """Normal steps with covariance s."""

    kind = "multivariate_normal"

    def __init__(self, s: Any) -> None:
        super().__init__(s)
        if self.s.ndim != 2 or self.s.shape[0] != self.s.shape[1]:
            raise ShapeError(f"MultivariateNormalProposal: s has shape {self.s.shape}: not square.")
        self.n = len(self.s)
        self.chol = np.linalg.cholesky(self.s)

    def scale(self, size: int, where: str) -> list[float]:
        if self.n != size:
            raise ShapeError(
                f"{where}: S is a covariance of {self.n} elements, the step has {size}."
            )
        return [float(v) for v in self.chol.ravel()]

    def _draw(self, rng: np.random.Generator) -> Array:
        return np.asarray(self.chol @ rng.normal(size=self.n))


def chosen_proposal(proposal_dist: Any, S: Any, where: str) -> Proposal:
    """The proposal that PyMC's two keywords mean.

    Raises
    ------
    NotYetSupported
        For a proposal of the user's own.
    """
    scale = np.asarray(1.0 if S is None else S, float)
    if proposal_dist is None:
        return MultivariateNormalProposal(scale) if scale.ndim == 2 else NormalProposal(scale)
    if isinstance(proposal_dist, Proposal) and S is None:
        return proposal_dist
    if isinstance(proposal_dist, type) and issubclass(proposal_dist, Proposal):
        return proposal_dist(scale)
    raise NotYetSupported(
        f"{where}: proposal_dist={proposal_dist!r}: expected one of NormalProposal, "
        "UniformProposal, CauchyProposal, LaplaceProposal, PoissonProposal and "
        "MultivariateNormalProposal. For another one write a step of your own: a subclass of "
        "`pm.step_methods.arraystep.ArrayStep` with `astep`."
    )
