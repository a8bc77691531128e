"""Lower triangular matrices in vectors, and the maps of Cholesky factors to the reals."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from finetti.dist.bijectors import Bijector
from finetti.ir import Tensor, ops


def packed_length(n: int) -> int:
    """How many numbers a lower triangle has."""
    return n * (n + 1) // 2


def diagonal_places(n: int) -> np.ndarray:
    """Where the diagonal is in a packed triangle, which goes row by row."""
    return np.cumsum(np.arange(1, n + 1)) - 1


def unpacked(n: int, packed: Any) -> Tensor:
    """The lower triangular matrix of a vector of its rows, one after another."""
    packed = ops.as_tensor(packed)
    rows, cols = np.tril_indices(n)
    # Above the diagonal stands an element that does not count.
    place = np.full((n, n), packed_length(n), np.int64)
    place[rows, cols] = np.arange(packed_length(n))
    padded = ops.concatenate([packed, ops.zeros((*packed.shape[:-1], 1))], -1)
    return padded[..., place]


@cache
def packed_cholesky(n: int) -> Bijector:
    """Logarithms of the diagonal of a packed Cholesky factor; PyMC's name and volume."""
    is_diagonal = np.isin(np.arange(packed_length(n)), diagonal_places(n))

    def forward(x: Any) -> Tensor:
        x = ops.as_tensor(x)
        return ops.where(is_diagonal, ops.log(ops.where(is_diagonal, x, 1.0)), x)

    def backward(u: Any) -> Tensor:
        u = ops.as_tensor(u)
        return ops.where(is_diagonal, ops.exp(ops.where(is_diagonal, u, 0.0)), u)

    def log_det(u: Any) -> Tensor:
        return ops.sum_(ops.as_tensor(u)[..., diagonal_places(n)], -1)

    return Bijector("cholesky-cov-packed", forward, backward, log_det, event_ndim=1)


def _spiral(n: int) -> np.ndarray:
    """Which unconstrained number stands where below the diagonal, in PyMC's order.

    The places of a triangle of n - 1 rows: `fill_triangular` of TensorFlow Probability.
    """
    m = n - 1
    order = np.arange(packed_length(m))
    square = np.concatenate([order[m:], order[::-1]]).reshape(m, m) if m else np.empty((0, 0), int)
    place = np.full((n, n), packed_length(m), np.int64)
    for i in range(m):
        place[i + 1, : i + 1] = square[i, : i + 1]
    return place


@cache
def cholesky_corr(n: int) -> Bijector:
    """Rows of a correlation's Cholesky factor: free numbers and a 1, scaled to length 1."""
    place = _spiral(n)
    many = packed_length(n - 1)
    rows = np.empty(many, np.int64)
    cols = np.empty(many, np.int64)
    for i, j in zip(*np.tril_indices(n, -1), strict=True):
        rows[place[i, j]], cols[place[i, j]] = i, j

    def scaled(u: Any) -> tuple[Tensor, Tensor]:
        u = ops.as_tensor(u)
        padded = ops.concatenate([u, ops.zeros((*u.shape[:-1], 1))], -1)
        free = padded[..., place] + np.eye(n)
        return free, ops.sum_(free * free, -1)

    def forward(x: Any) -> Tensor:
        x = ops.as_tensor(x)
        ratio = x / ops.expand_dims(ops.diagonal(x), -1)
        return ratio[..., rows, cols]

    def backward(u: Any) -> Tensor:
        free, squares = scaled(u)
        return free / ops.expand_dims(ops.sqrt(squares), -1)

    def log_det(u: Any) -> Tensor:
        # The diagonal is 1 / sqrt(squares); row i has volume (i + 2) log of it.
        _, squares = scaled(u)
        return -0.5 * ops.sum_(np.arange(2.0, 2.0 + n) * ops.log(squares), -1)

    return Bijector(
        "cholesky_corr",
        forward,
        backward,
        log_det,
        event_ndim=2,
        unconstrained_shape=lambda shape: (*shape[:-2], many),
    )
