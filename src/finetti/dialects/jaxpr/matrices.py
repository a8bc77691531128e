"""JAX's products and factorisations of matrices."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops

Rule = Callable[..., Any]


def _dot_general(params: Any, x: Tensor, y: Tensor) -> Tensor:
    (left, right), (left_batch, right_batch) = (
        tuple(tuple(map(int, part)) for part in pair) for pair in params["dimension_numbers"]
    )
    batch = len(left_batch)
    plain = left_batch == right_batch == tuple(range(batch)) and len(left) == 1
    if (
        plain
        and left[0] == x.ndim - 1
        and (
            (batch == 0 and x.ndim <= 2 and y.ndim <= 2 and right[0] == 0)
            or (x.ndim == y.ndim == batch + 2 and right[0] == batch)
        )
    ):
        return _product(x, y)
    letters = iter(string.ascii_letters)
    terms = [[""] * x.ndim, [""] * y.ndim]
    for axes in (zip(left_batch, right_batch, strict=True), zip(left, right, strict=True)):
        for a, b in axes:
            terms[0][a] = terms[1][b] = next(letters)
    terms = [[label or next(letters) for label in term] for term in terms]
    gone = {terms[0][a] for a in left}
    shared = [terms[0][a] for a in left_batch]
    rest = [c for term in terms for c in term if c not in gone and c not in shared]
    subscripts = ",".join("".join(term) for term in terms) + "->" + "".join([*shared, *rest])
    return ops.einsum(subscripts, x, y)


def _product(x: Tensor, y: Tensor) -> Tensor:
    return ops.dot(x, y) if x.ndim < 3 else ops.matmul(x, y)


def _cholesky(params: Any, x: Tensor) -> Tensor:
    if params.get("symmetrize_input"):
        x = 0.5 * (x + ops.matrix_transpose(x))
    return ops.cholesky(x)


def _triangular_solve(params: Any, a: Tensor, b: Tensor) -> Tensor:
    if params["conjugate_a"] or params["unit_diagonal"]:
        if params["unit_diagonal"]:
            n = int(a.shape[-1])
            a = ops.where(np.eye(n, dtype=bool), 1.0, a)
    lower, trans = bool(params["lower"]), bool(params["transpose_a"])
    if params["left_side"]:
        return ops.solve_triangular(a, b, trans=trans, lower=lower)
    # x a = b is a' x' = b'
    solved = ops.solve_triangular(a, ops.matrix_transpose(b), trans=not trans, lower=lower)
    return ops.matrix_transpose(solved)


def _eigh(params: Any, x: Tensor) -> list[Tensor]:
    if params.get("subset_by_index") is not None:
        raise NotYetSupported("JAX's eigh of some eigenvalues only.")
    if params.get("lower", True) is False:
        x = ops.matrix_transpose(x)
    values, vectors = ops.eigh(x)
    return [vectors, values]


MATRICES: dict[str, Rule] = {
    "dot_general": _dot_general, "cholesky": _cholesky, "triangular_solve": _triangular_solve,
    "eigh": _eigh,
}  # fmt: skip
