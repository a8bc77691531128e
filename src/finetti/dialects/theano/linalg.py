"""`tensor.nlinalg`, `tensor.slinalg`, `tensor.linalg`, and `tensor.nnet`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from finetti.dialects.theano.deferred import lift
from finetti.dialects.theano.tensor import NAMES
from finetti.errors import NotYetSupported, ParameterError
from finetti.ir import Tensor, ops


def solve(
    a: Any, b: Any, assume_a: str = "gen", lower: bool = False, check_finite: bool = True,
    **options: Any,
) -> Tensor:  # fmt: skip
    """Solve ``a x = b``.

    Parameters
    ----------
    a, b
        A square matrix, a vector or a matrix.
    assume_a
        "gen", "sym" or "pos": what is known of the matrix.
    lower
        Which half of a symmetric matrix is read.
    """
    _options("solve", options, ("transposed", "overwrite_a", "overwrite_b", "b_ndim"))
    a = ops.as_tensor(a)
    if assume_a in ("sym", "pos", "symmetric", "positive definite", "her"):
        half = ops.tril(a) if lower else ops.triu(a)
        a = half + ops.matrix_transpose(half) - ops.diag(ops.diagonal(half))
    elif assume_a not in ("gen", "general"):
        raise ParameterError(f"solve: assume_a={assume_a!r}: expected 'gen', 'sym' or 'pos'.")
    return ops.solve(a, b)


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
    check_finite: bool = True, **options: Any,
) -> Tensor:  # fmt: skip
    """Solve with a triangular matrix, the upper one by default.

    Parameters
    ----------
    a, b
        A triangular matrix, a vector or a matrix.
    trans
        Solve with the transpose.
    lower
        Which triangle is read.
    unit_diagonal
        Not there.
    """
    _options("solve_triangular", options, ("b_ndim", "overwrite_b"))
    if unit_diagonal:
        raise NotYetSupported("solve_triangular with unit_diagonal=True: put ones there.")
    return ops.solve_triangular(a, b, trans, lower)


def solve_lower_triangular(a: Any, b: Any) -> Tensor:
    """Solve with a lower triangular matrix."""
    return ops.solve_triangular(a, b)


def solve_upper_triangular(a: Any, b: Any) -> Tensor:
    """Solve with an upper triangular matrix."""
    return ops.solve_triangular(a, b, lower=False)


def solve_symmetric(a: Any, b: Any) -> Tensor:
    """Solve with a symmetric matrix."""
    return solve(a, b, "sym")


def cho_solve(c_and_lower: Any, b: Any, check_finite: bool = True, **options: Any) -> Tensor:
    """Solve with the matrix whose Cholesky factor is given.

    Parameters
    ----------
    c_and_lower
        The factor, and whether it is the lower one.
    b
        A vector or a matrix.
    """
    _options("cho_solve", options, ("b_ndim", "overwrite_b"))
    factor, lower = c_and_lower
    return ops.cho_solve(factor if lower else ops.matrix_transpose(factor), b)


def cholesky(x: Any, lower: bool = True, on_error: str = "raise", **options: Any) -> Tensor:
    """The Cholesky factor; NaN when the matrix is not positive definite.

    Parameters
    ----------
    x
        A symmetric matrix.
    lower
        Which factor.
    on_error
        "raise" or "nan"; NaN makes the log density -inf, where the sampler turns back.
    """
    _options("cholesky", options, ("check_finite", "overwrite_a", "destructive"))
    return ops.cholesky(x, lower)


def _configured(f: Callable[..., Any]) -> Callable[..., Any]:
    """Theano's classes of operations: settings first, the arguments in a second call."""

    def make(**settings: Any) -> Callable[..., Any]:
        return lift(functools.partial(f, **settings))

    return make


def _structured(A_structure: str = "general", lower: bool = False, **_: Any) -> Any:
    """`Solve(A_structure=...)` of Theano."""
    if A_structure == "symmetric":
        return lift(solve_symmetric)
    if A_structure in ("lower_triangular", "upper_triangular"):
        return lift(functools.partial(solve_triangular, lower=A_structure == "lower_triangular"))
    return lift(solve)


def matrix_dot(*args: Any) -> Tensor:
    """The product of several matrices."""
    return functools.reduce(ops.dot, args)


def eigh(a: Any, UPLO: str = "L") -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of a symmetric matrix."""
    return ops.eigh(_half(a, UPLO))


def eigvalsh(a: Any, b: Any = None, lower: bool = True) -> Tensor:
    """Eigenvalues of a symmetric matrix."""
    if b is not None:
        raise NotYetSupported("eigvalsh with a second matrix is not there.")
    return ops.eigh(_half(a, "L" if lower else "U"))[0]


def _half(a: Any, uplo: str) -> Tensor:
    return ops.as_tensor(a) if uplo == "L" else ops.matrix_transpose(ops.as_tensor(a))


def _options(where: str, options: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in options:
        if name not in known:
            raise ParameterError(f"{where}: unknown keyword {name}=. Leave it out.")


_LINALG: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (
        cho_solve, cholesky, eigh, eigvalsh, matrix_dot, solve, solve_lower_triangular,
        solve_symmetric, solve_triangular, solve_upper_triangular)},
    **{name: NAMES[name] for name in (
        "block_diag", "diag", "diagonal", "expm", "extract_diag", "norm", "kron", "trace",
        "logdet")},
    "alloc_diag": ops.diag, "det": ops.det, "inv": ops.inv, "matrix_inverse": ops.inv,
    "matrix_power": ops.matrix_power, "slogdet": ops.slogdet,
}  # fmt: skip

LINALG: dict[str, Any] = {
    **{name: lift(f) for name, f in _LINALG.items()},
    "Cholesky": _configured(cholesky), "Solve": _structured, "Det": lambda: LINALG["det"],
    "MatrixInverse": lambda: LINALG["inv"], "AllocDiag": lambda **_: LINALG["alloc_diag"],
    "ExtractDiag": lambda **_: LINALG["diagonal"], "Eigh": lambda **_: LINALG["eigh"],
}  # fmt: skip


# -- nnet -----------------------------------------------------------------------------------------


def softmax(c: Any, axis: int | None = -1) -> Tensor:
    """exp(c) normalised row by row; a vector is one row, as Theano has it.

    Parameters
    ----------
    c
        A matrix, or a vector, which becomes a matrix of one row.
    axis
        Aesara's: along which axis.
    """
    c = ops.as_tensor(c)
    return ops.softmax(ops.expand_dims(c, 0) if c.ndim == 1 else c, axis)


def logsoftmax(c: Any, axis: int | None = -1) -> Tensor:
    """log(softmax(c)) without overflow.

    Parameters
    ----------
    c, axis
        As for `softmax`.
    """
    c = ops.as_tensor(c)
    return ops.log_softmax(ops.expand_dims(c, 0) if c.ndim == 1 else c, axis)


def relu(x: Any, alpha: Any = 0) -> Tensor:
    """`x` where it is positive, `alpha` times it elsewhere.

    Parameters
    ----------
    x, alpha
        Numbers.
    """
    return ops.maximum(x, 0.0) if alpha == 0 else ops.where(ops.greater(x, 0), x, alpha * x)


def elu(x: Any, alpha: Any = 1) -> Tensor:
    """`x` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Parameters
    ----------
    x, alpha
        Numbers.
    """
    below = ops.expm1(ops.minimum(x, 0.0))
    return ops.where(ops.greater(x, 0), x, alpha * below)


def hard_sigmoid(x: Any) -> Tensor:
    """A straight line from 0 to 1 in the place of the sigmoid."""
    return ops.clip(0.2 * ops.as_tensor(x) + 0.5, 0.0, 1.0)


def binary_crossentropy(output: Any, target: Any) -> Tensor:
    """``-(target log(output) + (1 - target) log(1 - output))``."""
    output, target = ops.as_tensor(output), ops.as_tensor(target)
    return -(target * ops.log(output) + (1.0 - target) * ops.log1p(-output))


def categorical_crossentropy(coding_dist: Any, true_dist: Any) -> Tensor:
    """``-sum(true log(coding))`` row by row; `true_dist` may be class numbers."""
    coding, true = ops.as_tensor(coding_dist), ops.as_tensor(true_dist)
    if true.ndim == coding.ndim:
        return -ops.sum_(true * ops.log(coding), -1)
    rows = ops.arange(coding.shape[0])
    return -ops.log(ops.getitem(coding, (rows, true)))


_NNET: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (
        binary_crossentropy, categorical_crossentropy, elu, hard_sigmoid, logsoftmax, relu,
        softmax)},
    "sigmoid": ops.sigmoid, "softplus": ops.softplus, "ultra_fast_sigmoid": ops.sigmoid,
    "softsign": lambda x: ops.divide(x, 1.0 + ops.absolute(x)), "softmax_graph": softmax,
    "selu": lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
}  # fmt: skip
NNET: dict[str, Any] = {name: lift(f) for name, f in _NNET.items()}
