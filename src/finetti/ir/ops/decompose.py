"""Dense linear algebra of general and symmetric matrices, over leading batch axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, ShapeError
from finetti.ir.opdef import OpDef
from finetti.ir.ops.elementwise import absolute, exp, multiply, sqrt, where
from finetti.ir.ops.indexing import diagonal
from finetti.ir.ops.linalg import matmul, matrix_transpose, solve_triangular
from finetti.ir.ops.reduce import max_, sum_
from finetti.ir.ops.shape import (
    as_tensor,
    broadcast_to,
    concatenate,
    expand_dims,
    eye,
    reshape,
    zeros,
)  # fmt: skip
from finetti.ir.tensor import Tensor
from finetti.ir.types import FLOAT, TensorType, broadcast

__all__ = ["block_diag", "cho_solve", "det", "eigh", "expm", "inv", "kron", "logdet",
           "matrix_power", "norm", "slogdet", "solve", "trace"]  # fmt: skip


def _square(x: TensorType, what: str) -> int:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{what} of {x}: expected a square matrix")
    return x.shape[-1]


def _matrices(*shapes: tuple[int, ...]) -> tuple[Any, ...]:
    """Well-conditioned general matrices."""
    return tuple(
        (lambda rng, s=s: (rng.normal(size=s) * 0.5 + 2.0 * np.eye(s[-1]),)) for s in shapes
    )


# -- linear systems ------------------------------------------------------------------------------


def _solve_type(a: TensorType, b: TensorType) -> TensorType:
    n = _square(a, "solve")
    if b.ndim != a.ndim or b.shape[:-1] != a.shape[:-2] + (n,):
        raise ShapeError(f"solve of {a} and {b}: expected (..., n, n) and (..., n, k)")
    return TensorType(FLOAT, b.shape)


def _solve_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    to_b = _solve(matrix_transpose(a), g)
    return -matmul(to_b, matrix_transpose(y)), to_b


def _system(shape: tuple[int, ...], k: int) -> Any:
    def sample(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=shape) + 3.0 * np.eye(shape[-1]), rng.normal(size=(*shape[:-1], k))

    return sample


_solve = OpDef(
    "solve", "linalg", infer=_solve_type, numpy="finetti.ir.reference.solve", native="kernel",
    jax="finetti.backends.jax.solve", vjp=_solve_vjp, tol=1e-10,
    samples=tuple(
        _system(*case) for case in (
            ((1, 1), 1), ((3, 3), 2), ((12, 12), 1), ((2, 3, 3), 4), ((3, 3), 0), ((0, 0), 2))
    ),
)  # fmt: skip


def solve(a: Any, b: Any) -> Tensor:
    """Solve ``a x = b`` with a square matrix; NaN when it is singular.

    Parameters
    ----------
    a : tensor, shape (..., n, n)
    b : tensor, shape (n,) or (..., n, k)
    """
    a, b = as_tensor(a), as_tensor(b)
    if b.ndim == 1:
        column = solve(a, expand_dims(b, -1))
        return reshape(column, column.shape[:-1])
    if a.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"solve of {a!r} and {b!r}: expected (..., n, n) and (n,) or (..., n, k)")
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    a, b = (broadcast_to(m, (*batch, *m.shape[-2:])) for m in (a, b))
    return _solve(a, b)


def inv(a: Any) -> Tensor:
    """The inverse of a square matrix; NaN when it is singular."""
    a = as_tensor(a)
    return solve(a, eye(_square(a.node.type, "inverse")))


def cho_solve(chol: Any, b: Any) -> Tensor:
    """Solve ``L L.T x = b`` given the lower Cholesky factor."""
    return solve_triangular(chol, solve_triangular(chol, b), trans=True)


# -- determinants --------------------------------------------------------------------------------


def _slogdet_type(a: TensorType) -> TensorType:
    _square(a, "determinant")
    return TensorType(FLOAT, (*a.shape[:-2], 2))


def _slogdet_vjp(g: Tensor, y: Tensor, a: Tensor) -> tuple[Tensor]:
    share = expand_dims(g[..., 1], (-2, -1))
    return (share * inv(matrix_transpose(a)),)


_slogdet = OpDef(
    "slogdet", "linalg", infer=_slogdet_type, numpy="finetti.ir.reference.slogdet",
    native="kernel", jax="finetti.backends.jax.slogdet", vjp=_slogdet_vjp, tol=1e-10,
    samples=(*_matrices((1, 1), (3, 3), (12, 12), (2, 3, 3)),
             lambda rng: (np.array([[0.0, 2.0], [3.0, 1.0]]),)),
)  # fmt: skip


def slogdet(a: Any) -> tuple[Tensor, Tensor]:
    """Sign of the determinant, and logarithm of its absolute value."""
    both = _slogdet(as_tensor(a))
    return both[..., 0], both[..., 1]


def logdet(a: Any) -> Tensor:
    """The logarithm of the absolute value of the determinant."""
    return slogdet(a)[1]


def det(a: Any) -> Tensor:
    """The determinant."""
    sign, size = slogdet(a)
    return sign * exp(size)


# -- symmetric matrices --------------------------------------------------------------------------


def _eigh_type(a: TensorType) -> TensorType:
    n = _square(a, "eigh")
    return TensorType(FLOAT, (*a.shape[:-2], n + 1, n))


def _eigh_vjp(g: Tensor, y: Tensor, a: Tensor) -> tuple[Tensor]:
    n = a.shape[-1]
    values, vectors = y[..., 0, :], y[..., 1:, :]
    gap = expand_dims(values, -2) - expand_dims(values, -1)
    # Equal eigenvalues have no eigenvectors of their own to differentiate.
    equal = gap == 0.0
    turn = where(equal, 0.0, 1.0 / where(equal, 1.0, gap))
    transposed = matrix_transpose(vectors)
    inner = turn * matmul(transposed, g[..., 1:, :]) + np.eye(n) * expand_dims(g[..., 0, :], -2)
    result = matmul(matmul(vectors, inner), transposed)
    return (0.5 * (result + matrix_transpose(result)),)


def _symmetric(shape: tuple[int, ...]) -> Any:
    def sample(rng: np.random.Generator) -> tuple[np.ndarray]:
        root = rng.normal(size=shape)
        return (root + np.swapaxes(root, -1, -2) + np.diag(np.arange(shape[-1]) * 2.0),)

    return sample


_eigh = OpDef(
    "eigh", "linalg", infer=_eigh_type, numpy="finetti.ir.reference.eigh", native="kernel",
    jax="finetti.backends.jax.eigh", vjp=_eigh_vjp, tol=1e-9,
    samples=tuple(map(_symmetric, ((1, 1), (3, 3), (8, 8), (2, 3, 3)))),
    notes={"gradient": "of the symmetric part, as only the lower triangle is read"},
)  # fmt: skip


def eigh(a: Any) -> tuple[Tensor, Tensor]:
    """Eigenvalues of a symmetric matrix in rising order, and eigenvectors as columns.

    The first element of each eigenvector that is not zero is positive.
    """
    both = _eigh(as_tensor(a))
    return both[..., 0, :], both[..., 1:, :]


# -- the exponential -----------------------------------------------------------------------------


def _expm_type(a: TensorType) -> TensorType:
    _square(a, "expm")
    return TensorType(FLOAT, a.shape)


def _expm_vjp(g: Tensor, y: Tensor, a: Tensor) -> tuple[Tensor]:
    # exp of [[A, G], [0, A]] holds the derivative in the direction G above its diagonal
    # (Najfeld and Havel 1995); the adjoint is the derivative at the transpose.
    n = a.shape[-1]
    t = matrix_transpose(a)
    upper = concatenate([t, g], -1)
    lower = concatenate([zeros(a.shape), t], -1)
    return (expm(concatenate([upper, lower], -2))[..., :n, n:],)


expm = OpDef(
    "expm", "linalg", infer=_expm_type, numpy="finetti.ir.reference.expm", native="kernel",
    jax="jax.scipy.linalg.expm", vjp=_expm_vjp, tol=1e-10,
    samples=(*_matrices((1, 1), (3, 3), (2, 3, 3)), lambda rng: (rng.normal(size=(5, 5)) * 4.0,),
             lambda rng: (rng.normal(size=(4, 4)) * 0.01,)),
)  # fmt: skip

# -- what is made of the above -------------------------------------------------------------------


def trace(x: Any, offset: int = 0) -> Tensor:
    """The sum of a diagonal of the last two axes."""
    return sum_(diagonal(x, offset), -1)


def kron(a: Any, b: Any) -> Tensor:
    """The Kronecker product."""
    a, b = as_tensor(a), as_tensor(b)
    ndim = max(a.ndim, b.ndim)
    a = reshape(a, (*(1,) * (ndim - a.ndim), *a.shape))
    b = reshape(b, (*(1,) * (ndim - b.ndim), *b.shape))
    left = reshape(a, tuple(n for length in a.shape for n in (length, 1)))
    right = reshape(b, tuple(n for length in b.shape for n in (1, length)))
    shape = tuple(m * n for m, n in zip(a.shape, b.shape, strict=True))
    return reshape(multiply(left, right), shape)


def block_diag(*matrices: Any) -> Tensor:
    """The matrix with the given ones along its diagonal and zeros elsewhere."""
    parts = [as_tensor(m) for m in matrices]
    if not parts or any(m.ndim != 2 for m in parts):
        raise ShapeError(f"block_diag of {parts}: expected matrices")
    columns: Any = sum(m.shape[1] for m in parts)
    rows, before = [], 0
    for m in parts:
        after = columns - before - m.shape[1]
        sides = [zeros((m.shape[0], before)), m, zeros((m.shape[0], after))]
        rows.append(concatenate([side for side in sides if side.node.shape[1]], 1))
        before = before + m.shape[1]
    return concatenate(rows, 0)


def matrix_power(a: Any, n: int) -> Tensor:
    """A square matrix to a whole power, by repeated squaring."""
    a = as_tensor(a)
    size = _square(a.node.type, "matrix_power")
    a, n = (inv(a), -n) if n < 0 else (a, n)
    result = None
    while n:
        if n & 1:
            result = a if result is None else matmul(result, a)
        n >>= 1
        a = matmul(a, a) if n else a
    return broadcast_to(eye(size), a.shape) if result is None else result


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The length of vectors over the given axes (all when None), as `numpy.linalg.norm`.

    `ord` may be None or "fro" (Euclidean), and 1, 2 or infinity for one axis.
    """
    x = as_tensor(x)
    one = x.ndim == 1 if axis is None else isinstance(axis, (int, np.integer))
    if ord in (None, "fro") or ord == 2 and one:
        return sqrt(sum_(x * x, axis, keepdims))
    if one and ord in (1, math.inf):
        return (sum_ if ord == 1 else max_)(absolute(x), axis, keepdims)
    raise NotYetSupported(
        f"norm with ord={ord!r} over axis={axis}: None, 1, 2 and inf of vectors are"
    )
