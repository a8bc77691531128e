"""Normal matrices whose rows and columns are correlated."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.normal import HALF_LOG_2PI
from finetti.errors import ShapeError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def _log_det(chol: Tensor) -> Tensor:
    return ops.sum_(ops.log(ops.diagonal(chol)), -1)


def logp(value: Tensor, mu: Tensor, row: Tensor, column: Tensor) -> Tensor:
    n, p = float(row.shape[-1]), float(column.shape[-1])
    half = ops.solve_triangular(row, value - mu)
    z = ops.solve_triangular(column, ops.matrix_transpose(half))
    norm = p * _log_det(row) + n * _log_det(column) + HALF_LOG_2PI * n * p
    return -0.5 * ops.sum_(z * z, (-2, -1)) - norm


def draw(shape: Any, mu: Tensor, row: Tensor, column: Tensor) -> Tensor:
    z = ops.random.standard_normal(shape=shape)
    return mu + ops.matmul(ops.matmul(row, z), ops.matrix_transpose(column))


def _variances(chol: Tensor) -> Tensor:
    return ops.sum_(chol * chol, -1)


def var(mu: Tensor, row: Tensor, column: Tensor) -> Tensor:
    rows = ops.expand_dims(_variances(row), -1)
    return rows * ops.expand_dims(_variances(column), -2) + ops.zeros_like(mu)


def event_shape(mu: Shape, row: Shape, column: Shape) -> Shape:
    event = (*row[-1:], *column[-1:])
    if len(event) < 2 or any(m not in (1, n) for m, n in zip(mu[-2:], event[-len(mu) :])):  # noqa: B905
        raise ShapeError(
            f"mu has shape {tuple(map(int, mu))}, the factors of rows and columns "
            f"{tuple(map(int, row))} and {tuple(map(int, column))}: expected square factors of "
            "the length of the rows' and the columns' axis."
        )
    return event


MatrixNormal = Distribution(
    "MatrixNormal",
    params={
        "mu": Param(support.real, ndim=2),
        "row": Param(support.cholesky, ndim=2),
        "column": Param(support.cholesky, ndim=2),
    },
    support=lambda mu, row, column: support.Support("real", "real matrices", event_ndim=2),
    density=logp,
    draw=draw,
    center=lambda mu, row, column: mu,
    mean=lambda mu, row, column: mu,
    var=var,
    event_ndim=2,
    event_shape=event_shape,
    scipy="",
    samples=(),
    notes={"cdf": "not defined for matrices", "quantile": "not defined for matrices"},
)
