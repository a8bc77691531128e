"""Products, Cholesky factors and triangular solves, over leading batch axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.errors import ShapeError
from finetti.ir.node import rebuild
from finetti.ir.opdef import OpDef
from finetti.ir.ops.elementwise import multiply, where
from finetti.ir.ops.leaf import new_input
from finetti.ir.ops.pullback import pullback
from finetti.ir.ops.reduce import sum_
from finetti.ir.ops.shape import as_tensor, broadcast_to, expand_dims, reshape, transpose
from finetti.ir.tensor import Tensor
from finetti.ir.types import FLOAT, TensorType, broadcast


def _matmul_type(a: TensorType, b: TensorType) -> TensorType:
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"matrix product of {a} and {b}: inner lengths must agree")
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    return TensorType(FLOAT, (*batch, a.shape[-2], b.shape[-1]))


_matmul = OpDef(
    "matmul", "linalg", infer=_matmul_type, native="matmul", jax="jax.numpy.matmul",
    numpy=lambda a, b: np.matmul(np.asarray(a, float), np.asarray(b, float)),
    vjp=lambda g, y, a, b: (_matmul(g, matrix_transpose(b)), _matmul(matrix_transpose(a), g)),
    samples=(lambda rng: (rng.normal(size=(3, 4)), rng.normal(size=(4, 2))),
             lambda rng: (rng.normal(size=(30, 4)), rng.normal(size=(4, 1))),
             lambda rng: (rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 2)))),
)  # fmt: skip


def matrix_transpose(x: Any) -> Tensor:
    """Swap the last two axes."""
    x = as_tensor(x)
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def matmul(a: Any, b: Any) -> Tensor:
    """The matrix product ``a @ b`` as NumPy: 1-d operands are vectors, leading axes are batches."""
    a, b = as_tensor(a), as_tensor(b)
    if not a.ndim or not b.ndim:
        raise ShapeError(f"`@` of {a!r} and {b!r}: a scalar operand; multiply with `*` instead")
    left, right = a.ndim == 1, b.ndim == 1
    if a.shape[-1] != b.shape[0 if right else -2]:
        raise ShapeError(
            f"matrix product of shapes {tuple(a.node.shape)} and {tuple(b.node.shape)}: the last "
            f"axis of the first ({a.node.shape[-1]}) must match "
            f"{'the length' if right else 'the second last axis'} of the other "
            f"({b.node.shape[0 if right else -2]}). Transpose one with `.T`?"
        )
    if left and right:
        return sum_(multiply(a, b))
    product = _matmul(expand_dims(a, 0) if left else a, expand_dims(b, 1) if right else b)
    if left or right:
        shape = product.shape
        return reshape(product, (*shape[:-2], shape[-1]) if left else shape[:-1])
    return product


def outer(a: Any, b: Any) -> Tensor:
    """All products of an element of `a` with one of `b`."""
    a, b = as_tensor(a), as_tensor(b)
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


def tril(x: Any, k: int = 0) -> Tensor:
    """The lower triangle, zeros above the k-th diagonal."""
    x = as_tensor(x)
    return where(np.tri(x.shape[-2], x.shape[-1], k, dtype=bool), x, _zero(x))


def triu(x: Any, k: int = 0) -> Tensor:
    """The upper triangle, zeros below the k-th diagonal."""
    x = as_tensor(x)
    return where(~np.tri(x.shape[-2], x.shape[-1], k - 1, dtype=bool), x, _zero(x))


def _zero(x: Tensor) -> float | int:
    return 0.0 if x.node.type.dtype == FLOAT else 0


def _square_type(x: TensorType) -> TensorType:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"cholesky of {x}: expected a square matrix")
    return TensorType(FLOAT, x.shape)


def _cholesky_reference(x: Any) -> np.ndarray:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        # Not positive definite is a value, so that a density there is NaN and not an exception.
        return np.full(np.shape(x), np.nan)


def _half_lower(n: Any) -> np.ndarray:
    return np.tril(np.ones((n, n))) - 0.5 * np.eye(n)


def _adjoint_reference(g: Any, y: Any) -> np.ndarray:
    # Murray (2016), arXiv:1602.07527, eq. 10: symmetric adjoint L^-T Phi(L^T G) L^-1.
    y = np.tril(y)
    transposed = np.swapaxes(y, -1, -2)
    if not np.isfinite(y).all() or (np.diagonal(y, axis1=-2, axis2=-1) == 0).any():
        return np.full(np.shape(y), np.nan)
    phi = (transposed @ np.tril(g)) * _half_lower(np.shape(y)[-1])
    inner = np.swapaxes(np.linalg.solve(transposed, phi), -1, -2)
    outer_ = np.linalg.solve(transposed, inner)
    return np.asarray(0.5 * (outer_ + np.swapaxes(outer_, -1, -2)))


def _adjoint_formula(g: Tensor, y: Tensor) -> Tensor:
    """What `_adjoint_reference` computes, in operations that have gradients."""
    phi = _matmul(matrix_transpose(tril(y)), tril(g)) * _half_lower(int(y.shape[-1]))
    inner = matrix_transpose(solve_triangular(y, phi, trans=True))
    outer_ = solve_triangular(y, inner, trans=True)
    return 0.5 * (outer_ + matrix_transpose(outer_))


def _adjoint_vjp(h: Tensor, z: Tensor, g: Tensor, y: Tensor) -> Any:
    # Of inputs in their places, as g may depend on y: its way to y is not this rule's.
    ins = [new_input(name, x.node.shape) for name, x in zip("gy", (g, y), strict=True)]
    parts = pullback([_adjoint_formula(*ins).node], [h], [x.node for x in ins])
    found = [part.node for part in parts if part is not None]
    own = {x.node: actual.node for x, actual in zip(ins, (g, y), strict=True)}
    return tuple(map(Tensor, rebuild(found, own)))


def _factor(shape: tuple[int, ...]) -> Any:
    def sample(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        root = np.tril(rng.normal(size=shape)) * 0.3 + 2.0 * np.eye(shape[-1])
        return rng.normal(size=shape), root

    return sample


_cholesky_adjoint = OpDef(
    "cholesky_adjoint", "linalg", infer=lambda g, y: TensorType(FLOAT, y.shape),
    numpy=_adjoint_reference, native="kernel", jax="finetti.backends.jax.cholesky_adjoint",
    vjp=_adjoint_vjp, samples=tuple(_factor(s) for s in ((1, 1), (3, 3), (12, 12), (2, 3, 3))),
    tol=1e-10,
)  # fmt: skip


def _definite(shape: tuple[int, ...]) -> Any:
    def sample(rng: np.random.Generator) -> tuple[np.ndarray]:
        root = rng.normal(size=shape)
        return (root @ np.swapaxes(root, -1, -2) + shape[-1] * np.eye(shape[-1]),)

    return sample


_cholesky = OpDef(
    "cholesky", "linalg", infer=_square_type, numpy=_cholesky_reference, native="cholesky",
    jax="finetti.backends.jax.cholesky", vjp=lambda g, y, x: (_cholesky_adjoint(g, y),),
    samples=tuple(_definite(s) for s in ((1, 1), (3, 3), (12, 12), (2, 3, 3))), tol=1e-10,
    notes={"gradient": "of the symmetric part, as only the lower triangle is read"},
)  # fmt: skip


def cholesky(x: Any, lower: bool = True) -> Tensor:
    """The lower Cholesky factor; NaN when the matrix is not positive definite."""
    factor = _cholesky(x)
    return factor if lower else matrix_transpose(factor)


def _solve_type(a: TensorType, b: TensorType, lower: bool, trans: bool) -> TensorType:
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != a.shape[-2] or a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"triangular solve of {a} and {b}: expected (n, n) and (n, k)")
    return TensorType(FLOAT, (*broadcast(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]))


def _solve_reference(a: Any, b: Any, lower: bool, trans: bool) -> np.ndarray:
    a = np.tril(a) if lower else np.triu(a)
    a = np.swapaxes(a, -1, -2) if trans else a
    if np.isnan(a).any() or (np.diagonal(a, axis1=-2, axis2=-1) == 0).any():
        return np.full(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) + b.shape[-2:], np.nan)
    return np.linalg.solve(a, b)


def _solve_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor, lower: bool, trans: bool) -> Any:
    to_b = _solve(a, g, lower=lower, trans=not trans)
    to_a = -_matmul(to_b, matrix_transpose(y))
    to_a = matrix_transpose(to_a) if trans else to_a
    return (tril(to_a) if lower else triu(to_a), to_b)


def _triangular(shape: tuple[int, ...], right: tuple[int, ...], **attrs: bool) -> Any:
    def sample(rng: np.random.Generator) -> Any:
        a = rng.normal(size=shape) * 0.3 + 2.0 * np.eye(shape[-1])
        return (np.tril(a) if attrs["lower"] else np.triu(a), rng.normal(size=right)), attrs

    return sample


_solve = OpDef(
    "solve_triangular", "linalg", attr_names=("lower", "trans"), infer=_solve_type,
    numpy=_solve_reference, native="solve_triangular", jax="finetti.backends.jax.solve_triangular",
    vjp=_solve_vjp, tol=1e-10,
    samples=(_triangular((4, 4), (4, 2), lower=True, trans=False),
             _triangular((4, 4), (4, 1), lower=True, trans=True),
             _triangular((3, 3), (3, 5), lower=False, trans=False),
             _triangular((2, 3, 3), (2, 3, 1), lower=False, trans=True)),
)  # fmt: skip


def solve_triangular(a: Any, b: Any, trans: Any = False, lower: bool = True) -> Tensor:
    """Solve ``a x = b`` (or ``a.T x = b``) with a triangular matrix.

    Parameters
    ----------
    a : tensor, shape (..., n, n)
        Only the triangle named by `lower` is read.
    b : tensor, shape (..., n) or (..., n, k)
    trans : bool
        Solve with the transpose.
    lower : bool, default True
        Whether `a` is lower triangular.
    """
    a, b = as_tensor(a), as_tensor(b)
    trans = trans in (True, 1, "T")
    if b.ndim == a.ndim - 1:
        column = _solve(a, expand_dims(b, -1), lower=lower, trans=trans)
        return reshape(column, column.shape[:-1])
    return _solve(a, b, lower=lower, trans=trans)


def quadratic_form(chol: Any, x: Any) -> Tensor:
    """Squared length of ``chol^-1 x`` over the last axis of `x`, for batches of `x`."""
    x, chol = as_tensor(x), as_tensor(chol)
    if x.ndim > 1 and chol.ndim == 2:
        rows = reshape(x, (-1, x.shape[-1]))
        z = solve_triangular(chol, rows.T)
        return reshape(sum_(z * z, axis=0), x.shape[:-1])
    z = _solve(chol, expand_dims(x, -1), lower=True, trans=False)
    return sum_(z * z, axis=(-1, -2))


__all__ = ["broadcast_to", "cholesky", "matmul", "matrix_transpose", "outer", "quadratic_form",
           "solve_triangular", "tril", "triu"]  # fmt: skip
