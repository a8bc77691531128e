"""The multivariate normal distribution, by the Cholesky factor of its covariance."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.dist.normal import HALF_LOG_2PI
from finetti.errors import ParameterError, ShapeError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def logp(value: Tensor, mu: Tensor, chol: Tensor) -> Tensor:
    n = chol.shape[-1]
    log_det = ops.sum_(ops.log(ops.diagonal(chol)), -1)
    return -0.5 * ops.quadratic_form(chol, value - mu) - log_det - HALF_LOG_2PI * n


def draw(shape: Any, mu: Tensor, chol: Tensor) -> Tensor:
    z = ops.expand_dims(ops.random.standard_normal(shape=shape), -1)
    return mu + ops.squeeze(ops.matmul(ops.tril(chol), z), -1)


def var(mu: Tensor, chol: Tensor) -> Tensor:
    return ops.sum_(ops.square(ops.tril(chol)), -1) + ops.zeros_like(mu)


def event_shape(mu: Shape, chol: Shape) -> Shape:
    if len(chol) < 2 or chol[-1] != chol[-2]:
        raise ShapeError(
            f"the covariance has shape {tuple(map(int, chol))}: expected square matrices"
        )
    if mu and mu[-1] not in (1, chol[-1]):
        raise ShapeError(
            f"mu has {int(mu[-1])} elements in its last axis, the covariance {int(chol[-1])} rows"
        )
    return chol[-1:]


def _matrix(name: str, x: Tensor) -> Tensor:
    if x.ndim < 2 or x.node.shape[-1] != x.node.shape[-2]:
        raise ShapeError(
            f"MvNormal: {name} has shape {x.node.shape}: expected a square matrix. For independent "
            "components use `pm.Normal` with a vector, or `np.diag(...)`."
        )
    return x


def from_cov(cov: Tensor) -> dict[str, Tensor]:
    """Cholesky factor of a covariance."""
    return {"chol": ops.cholesky(_matrix("cov", cov))}


def from_tau(tau: Tensor) -> dict[str, Tensor]:
    """Cholesky factor of the inverse of a precision matrix.

    With the order of the rows reversed, tau is U U^T with an upper triangular U, so that the lower
    triangular U^-T is the factor of its inverse.
    """
    flip = (Ellipsis, slice(None, None, -1), slice(None, None, -1))
    upper = ops.cholesky(_matrix("tau", tau)[flip])[flip]
    one = ops.broadcast_to(np.eye(int(tau.shape[-1])), tau.shape)
    return {"chol": ops.solve_triangular(upper, one, trans=True, lower=False)}


def from_chol(chol: Tensor, lower: Any) -> dict[str, Tensor]:
    """The lower factor of a lower or an upper one."""
    flag = lower if isinstance(lower, bool) else ops.constant_value(lower)
    if flag is None or np.ndim(flag) or flag not in (0, 1):
        raise ParameterError(f"MvNormal: lower={flag}: expected True or False.")
    return {"chol": chol if flag else ops.matrix_transpose(_matrix("chol", chol))}


MvNormal = Distribution(
    "MvNormal",
    params={"mu": Param(support.real, 0.0, ndim=1), "chol": Param(support.cholesky, ndim=2)},
    support=lambda mu, chol: support.real_vector,
    density=logp,
    draw=draw,
    center=lambda mu, chol: mu,
    mean=lambda mu, chol: mu + ops.zeros_like(ops.diagonal(chol)),
    var=var,
    event_ndim=1,
    event_shape=event_shape,
    alternatives=(
        Alternative(("cov",), ("chol",), from_cov),
        Alternative(("tau",), ("chol",), from_tau),
        Alternative(("chol", "lower"), ("chol",), from_chol),
    ),
    scipy="stats.multivariate_normal(mu, chol @ chol.T)",
    samples=(
        {"mu": [0.0, 1.0], "chol": [[1.0, 0.0], [0.0, 1.0]]},
        {"mu": [0.0, 1.0, -1.0], "chol": [[1.4, 0.0, 0.0], [0.4, 0.9, 0.0], [-0.2, 0.3, 0.6]]},
        {"mu": [3.0], "chol": [[0.1]]},
    ),
    tol=1e-11,
    notes={"cdf": "PyMC has none either", "quantile": "not defined for vectors"},
)
