"""Maps of vectors to triangular and positive definite matrices; elements in NumPyro's order."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from finetti.dist.maps import Map, _log_one_minus_tanh2, _softplus_inverse
from finetti.errors import ShapeError
from finetti.ir import Tensor, ops


def _rows(length: int, strict: bool) -> int:
    """How many rows a triangle of that many elements has."""
    n = round((math.sqrt(1.0 + 8.0 * length) - 1.0) / 2.0)
    if n * (n + 1) // 2 != length:
        raise ShapeError(
            f"a vector of {length} elements is no triangle of a matrix: expected 1, 3, 6, 10, ..."
        )
    return n + strict


def strict_triangle(x: Tensor, n: int) -> Tensor:
    """The matrix with these elements below its diagonal, row by row; zero elsewhere."""
    many = n * (n - 1) // 2
    place = np.full((n, n), many, np.int64)
    place[np.tril_indices(n, -1)] = np.arange(many)
    padded = ops.concatenate([x, ops.zeros((*x.shape[:-1], 1))], -1)
    return padded[..., place]


def below(y: Tensor, offset: int = -1) -> Tensor:
    """The elements below the diagonal, row by row."""
    rows, columns = np.tril_indices(int(y.shape[-1]), offset)
    return y[..., rows, columns]


def _diagonal_matrix(x: Tensor) -> Tensor:
    return ops.expand_dims(x, -1) * np.eye(int(x.shape[-1]))


# -- factors of correlations ---------------------------------------------------------------------


def _corr(x: Tensor) -> Tensor:
    n = _rows(int(x.shape[-1]), strict=True)
    t = strict_triangle(ops.tanh(x), n)
    rest = ops.cumprod(ops.sqrt(1.0 - t * t), -1)
    one = ops.ones((*rest.shape[:-1], 1))
    return (t + np.eye(n)) * ops.concatenate([one, rest[..., :-1]], -1)


def _corr_inverse(y: Tensor) -> Tensor:
    rest = 1.0 - ops.cumsum(y * y, -1)
    before = ops.concatenate([ops.ones((*rest.shape[:-1], 1)), rest[..., :-1]], -1)
    return ops.arctanh(below(y) / ops.sqrt(below(before)))


def _corr_log_det(x: Tensor, y: Tensor) -> Tensor:
    each = _log_one_minus_tanh2(x)
    n = _rows(int(x.shape[-1]), strict=True)
    # What the elements before it in the row have left over, of each element's volume.
    lefts = ops.cumsum(strict_triangle(each, n), -1)
    return 0.5 * ops.sum_(below(lefts, -2), -1) + ops.sum_(each, -1)


corr_cholesky = Map("corr cholesky", _corr, _corr_inverse, _corr_log_det, {}, 1, 2)


# -- factors of covariances: elements below the diagonal, then the diagonal ----------------------


def _split(x: Tensor) -> tuple[Tensor, Tensor]:
    n = _rows(int(x.shape[-1]), strict=False)
    many = int(x.shape[-1]) - n
    return strict_triangle(x[..., :many], n), x[..., many:]


def _lower(x: Tensor) -> Tensor:
    matrix, diagonal = _split(x)
    return matrix + _diagonal_matrix(ops.exp(diagonal))


lower_cholesky = Map(
    "lower cholesky",
    _lower,
    lambda y: ops.concatenate([below(y), ops.log(ops.diagonal(y))], -1),
    lambda x, y: ops.sum_(_split(x)[1], -1),
    {},
    1,
    2,
)


def _soft(x: Tensor) -> Tensor:
    matrix, diagonal = _split(x)
    return matrix + _diagonal_matrix(ops.softplus(diagonal))


softplus_lower_cholesky = Map(
    "softplus lower cholesky",
    _soft,
    lambda y: ops.concatenate([below(y), _softplus_inverse(ops.diagonal(y))], -1),
    lambda x, y: -ops.sum_(ops.softplus(-_split(x)[1]), -1),
    {},
    1,
    2,
)


def _scaled(x: Tensor) -> Tensor:
    matrix, diagonal = _split(x)
    unit = matrix + np.eye(int(matrix.shape[-1]))
    return unit * ops.expand_dims(ops.softplus(diagonal), -1)


def _scaled_inverse(y: Tensor) -> Tensor:
    diagonal = ops.diagonal(y)
    return ops.concatenate(
        [below(y / ops.expand_dims(diagonal, -1)), _softplus_inverse(diagonal)], -1
    )


def _scaled_log_det(x: Tensor, y: Tensor) -> Tensor:
    diagonal = _split(x)[1]
    powers = np.arange(float(diagonal.shape[-1]))
    return ops.sum_(ops.log(ops.diagonal(y)) * powers - ops.softplus(-diagonal), -1)


scaled_unit_lower_cholesky = Map(
    "scaled unit lower cholesky", _scaled, _scaled_inverse, _scaled_log_det, {}, 1, 2
)


# -- positive definite matrices ------------------------------------------------------------------


def _gram(y: Tensor) -> Tensor:
    return ops.matmul(y, ops.matrix_transpose(y))


def _factor_log_det(x: Tensor, y: Tensor) -> Tensor:
    n = int(x.shape[-1])
    powers = -np.arange(float(n), 0.0, -1.0)
    return ops.sum_(powers * ops.log(ops.diagonal(y)), -1) - n * math.log(2.0)


def _corr_factor_log_det(x: Tensor, y: Tensor) -> Tensor:
    powers = -np.arange(float(x.shape[-1]) - 1.0, -1.0, -1.0)
    return ops.sum_(powers * ops.log(ops.diagonal(y)), -1)


cholesky = Map("cholesky", ops.cholesky, _gram, _factor_log_det, {}, 2, 2)
corr_matrix_cholesky = Map(
    "corr matrix cholesky", ops.cholesky, _gram, _corr_factor_log_det, {}, 2, 2
)


# -- series --------------------------------------------------------------------------------------


def _times(matrix: Tensor, y: Tensor) -> Tensor:
    return ops.squeeze(ops.matmul(matrix, ops.expand_dims(y, -1)), -1)


def _recursive(x: Tensor, transition_matrix: Tensor, initial_value: Tensor) -> Tensor:
    y: Any = initial_value
    values = []
    for k in range(int(x.shape[-2])):
        y = _times(transition_matrix, y) + x[..., k, :]
        values.append(y)
    return ops.stack(values, -2)


def _recursive_inverse(y: Tensor, transition_matrix: Tensor, initial_value: Tensor) -> Tensor:
    batch = y.shape[:-2]
    first = ops.broadcast_to(initial_value, (*batch, initial_value.shape[-1]))
    before = ops.concatenate([ops.expand_dims(first, -2), y[..., :-1, :]], -2)
    return y - ops.matmul(before, ops.matrix_transpose(transition_matrix))


@cache
def recursive_linear() -> Map:
    """States that follow linearly from the one before, plus what is given."""
    return Map(
        "recursive linear",
        _recursive,
        _recursive_inverse,
        lambda x, y, transition_matrix, initial_value: ops.zeros(x.shape[:-2]),
        {"transition_matrix": 2, "initial_value": 1},
        2,
        2,
    )
