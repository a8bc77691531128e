"""Cholesky factors of Wishart and inverse Wishart matrices, by the factor of the scale matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.dist.maps import bijector
from finetti.dist.matrixmaps import lower_cholesky, strict_triangle
from finetti.dist.mvnormal import from_cov, from_tau
from finetti.errors import ShapeError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def _log_gamma(a: Tensor, n: int) -> Tensor:
    """The logarithm of the multivariate gamma function."""
    each = ops.gammaln(ops.expand_dims(a, -1) - 0.5 * np.arange(n))
    return ops.sum_(each, -1) + 0.25 * n * (n - 1) * math.log(math.pi)


def _log_diagonal(x: Tensor) -> Tensor:
    return ops.log(ops.diagonal(x))


def _norm(nu: Tensor, chol: Tensor) -> Tensor:
    n = int(chol.shape[-1])
    return _log_gamma(0.5 * nu, n) + n * math.log(2.0) * (0.5 * nu - 1.0)


def _squares(a: Tensor, b: Tensor) -> Tensor:
    """The sum of squares of a^-1 b."""
    # With fewer axes it would count as vectors.
    b = b if b.ndim >= a.ndim else ops.broadcast_to(b, a.shape)
    ratio = ops.solve_triangular(a, b)
    return ops.sum_(ratio * ratio, (-2, -1))


def logp(value: Tensor, nu: Tensor, chol: Tensor) -> Tensor:
    powers = ops.expand_dims(nu, -1) - 1.0 - np.arange(float(chol.shape[-1]))
    terms = ops.sum_(powers * _log_diagonal(value), -1)
    scale = nu * ops.sum_(_log_diagonal(chol), -1)
    return terms - scale - 0.5 * _squares(chol, value) - _norm(nu, chol)


def inverse_logp(value: Tensor, nu: Tensor, chol: Tensor) -> Tensor:
    powers = ops.expand_dims(nu, -1) + 1.0 + np.arange(float(chol.shape[-1]))
    terms = ops.sum_(powers * _log_diagonal(value), -1)
    scale = nu * ops.sum_(_log_diagonal(chol), -1)
    return scale - terms - 0.5 * _squares(value, chol) - _norm(nu, chol)


def _bartlett(shape: Any, degrees: Tensor) -> Tensor:
    """Factors of standard Wishart matrices, with these degrees of freedom on the diagonal."""
    batch, n = tuple(shape[:-2]), int(shape[-1])
    squares = 2.0 * ops.random.standard_gamma(0.5 * degrees, shape=(*batch, n))
    lower = ops.random.standard_normal(shape=(*batch, n * (n - 1) // 2))
    diagonal = ops.expand_dims(ops.sqrt(squares), -1) * np.eye(n)
    return strict_triangle(lower, n) + diagonal


def draw(shape: Any, nu: Tensor, chol: Tensor) -> Tensor:
    degrees = ops.expand_dims(nu, -1) - np.arange(float(shape[-1]))
    return ops.matmul(chol, _bartlett(shape, degrees))


def inverse_draw(shape: Any, nu: Tensor, chol: Tensor) -> Tensor:
    n = int(shape[-1])
    degrees = ops.expand_dims(nu, -1) + (np.arange(float(n)) - n + 1.0)
    inverse = ops.solve_triangular(_bartlett(shape, degrees), ops.broadcast_to(np.eye(n), shape))
    return ops.matmul(chol, inverse)


def mean(nu: Tensor, chol: Tensor) -> Tensor:
    k = ops.expand_dims(nu, -1) - np.arange(float(chol.shape[-1]))
    roots = math.sqrt(2.0) * ops.exp(ops.gammaln(0.5 * (k + 1.0)) - ops.gammaln(0.5 * k))
    return chol * ops.expand_dims(roots, -2)


def var(nu: Tensor, chol: Tensor) -> Tensor:
    n = int(chol.shape[-1])
    k = ops.expand_dims(nu, -1) - np.arange(float(n))
    squares = np.tril(np.ones((n, n)), -1) + ops.expand_dims(k, -1) * np.eye(n)
    return ops.matmul(chol * chol, squares) - ops.square(mean(nu, chol))


def inverse_mean(nu: Tensor, chol: Tensor) -> Tensor:
    # NumPyro's: the factor of the mean of the matrix.
    rest = nu - float(chol.shape[-1]) - 1.0
    root = ops.sqrt(ops.where(rest > 0.0, rest, np.nan))
    return chol / ops.expand_dims(root, (-1, -2))


def inverse_var(nu: Tensor, chol: Tensor) -> Tensor:
    return ops.full_like(chol * ops.expand_dims(nu, (-1, -2)), np.nan)


def event_shape(nu: Shape, chol: Shape) -> Shape:
    if len(chol) < 2 or chol[-1] != chol[-2]:
        raise ShapeError(f"the scale matrix has shape {tuple(map(int, chol))}: expected a square")
    return chol[-2:]


def _support(nu: Tensor, chol: Tensor) -> support.Support:
    return support.Support(
        "lower_cholesky",
        "lower triangular matrices with a positive diagonal",
        support.cholesky.test,
        event_ndim=2,
        bijector=bijector(lower_cholesky, "cholesky"),
    )


def center(nu: Tensor, chol: Tensor) -> Tensor:
    return chol * ops.expand_dims(ops.sqrt(nu), (-1, -2))


_columns: dict[str, Any] = dict(
    params={"nu": Param(support.positive), "chol": Param(support.cholesky, ndim=2)},
    support=_support,
    event_ndim=2,
    event_shape=event_shape,
    alternatives=(
        Alternative(("scale_matrix",), ("chol",), lambda scale_matrix: from_cov(scale_matrix)),
        Alternative(("rate_matrix",), ("chol",), lambda rate_matrix: from_tau(rate_matrix)),
    ),
    scipy="",
    samples=(),
    notes={"cdf": "not defined for matrices", "quantile": "not defined for matrices"},
)

WishartCholesky = Distribution(
    "WishartCholesky", density=logp, draw=draw, center=center, mean=mean, var=var, **_columns
)

InverseWishartCholesky = Distribution(
    "InverseWishartCholesky",
    density=inverse_logp,
    draw=inverse_draw,
    center=lambda nu, chol: chol / ops.expand_dims(ops.sqrt(nu), (-1, -2)),
    mean=inverse_mean,
    var=inverse_var,
    **_columns,
)
