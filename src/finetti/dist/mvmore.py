"""Normal vectors whose covariance has a structure: few factors and a diagonal, or a circle."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Param
from finetti.dist.mvnormal import MvNormal
from finetti.dist.respell import respelled
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape

_MU = Param(support.real, 0.0, ndim=1)


def low_rank(mu: Tensor, factor: Tensor, diagonal: Tensor) -> dict[str, Any]:
    """The Cholesky factor of factor factor^T plus a diagonal."""
    rest = ops.expand_dims(diagonal, -1) * ops.eye(int(diagonal.shape[-1]))
    cov = ops.matmul(factor, ops.matrix_transpose(factor)) + rest
    return {"mu": mu, "chol": ops.cholesky(cov)}


def _last(mu: Shape, factor: Shape, diagonal: Shape) -> Shape:
    return diagonal[-1:]


# The covariance is factor factor^T plus a diagonal.
LowRank = respelled(
    MvNormal,
    "MvNormal(low rank)",
    {"mu": _MU, "factor": Param(support.real, ndim=2), "diagonal": Param(support.positive, ndim=1)},
    low_rank,
    event_shape=_last,
    scipy="stats.multivariate_normal(mu, factor @ factor.T + np.diag(diagonal))",
    samples=(
        {"mu": [0.0, 1.0, -1.0], "factor": [[1.0], [0.5], [-0.3]], "diagonal": [0.4, 1.0, 0.2]},
    ),
)


def circulant(mu: Tensor, row: Tensor) -> dict[str, Any]:
    """The Cholesky factor of a circulant matrix, by its first row."""
    n = np.arange(int(row.shape[-1]))
    return {"mu": mu, "chol": ops.cholesky(row[..., (n[:, None] - n) % len(n)])}


def circulant_of(mu: Tensor, spectrum: Tensor) -> dict[str, Any]:
    """The covariance's first row from the Fourier transform of it, which is real."""
    n = int(mu.shape[-1])
    k = np.arange(n // 2 + 1)
    # Frequencies that are not their own mirror image count twice.
    twice = np.where((k == 0) | (2 * k == n), 1.0, 2.0)
    waves = twice[:, None] * np.cos(2.0 * np.pi * k[:, None] * np.arange(n) / n) / n
    row = ops.sum_(ops.expand_dims(spectrum, -1) * waves, -2)
    return circulant(mu, row)


# The covariance is the same between neighbours all around a circle.
Circulant = respelled(
    MvNormal,
    "MvNormal(circulant)",
    {"mu": _MU, "row": Param(support.real, ndim=1)},
    circulant,
    event_shape=lambda mu, row: row[-1:],
    scipy="stats.multivariate_normal(mu, np.asarray(row)[np.subtract.outer(range(3), range(3))])",
    samples=({"mu": [0.0, 1.0, -1.0], "row": [1.0, 0.3, 0.3]},),
)

CirculantSpectrum = respelled(
    MvNormal,
    "MvNormal(spectrum)",
    {"mu": Param(support.real, ndim=1), "spectrum": Param(support.positive, ndim=1)},
    circulant_of,
    event_shape=lambda mu, spectrum: mu[-1:],
    scipy="stats.multivariate_normal(mu, np.array([[1.0, 0.3, 0.3], [0.3, 1.0, 0.3], "
    "[0.3, 0.3, 1.0]]))",
    samples=({"mu": [0.0, 1.0, -1.0], "spectrum": [1.6, 0.7]},),
)
