"""Every name of `pm.math` against NumPy and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg as sl
import scipy.special as sp

import finetti.dialects.pymc.math as math
from finetti.backends.reference import evaluate
from finetti.errors import NotYetSupported, ShapeError
from finetti.ir import Tensor

X = np.array([[0.3, 0.9, 0.55], [0.05, 0.71, 0.2]])
Y = np.array([0.4, 0.2, 0.55])
B, C = X > 0.4, Y > 0.3
PD = np.array([[2.0, 0.6], [0.6, 1.0]])
LOWER = np.tril(PD)

# What the table does not hold, as the result is not one tensor, or the argument is one.
SEVERAL = {"broadcast_arrays", "eigh", "inc_subtensor", "set_subtensor", "slogdet", "split"}

# name, arguments, and the value that NumPy or SciPy gives them
ROWS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("abs", (-X,), X), ("abs_", (-X,), X), ("all", (B, 0), B.all(0)), ("any", (B, 0), B.any(0)),
    ("arange", (4,), np.arange(4)), ("arccos", (X,), np.arccos(X)),
    ("arccosh", (X + 1,), np.arccosh(X + 1)), ("arcsin", (X,), np.arcsin(X)),
    ("arcsinh", (-X,), np.arcsinh(-X)), ("arctan", (X,), np.arctan(X)),
    ("arctan2", (X - 0.5, Y - 0.4), np.arctan2(X - 0.5, Y - 0.4)),
    ("arctanh", (X,), np.arctanh(X)), ("as_tensor", ([1, 2],), [1, 2]),
    ("betainc", (2.0, 3.0, X), sp.betainc(2.0, 3.0, X)), ("betaln", (X, Y), sp.betaln(X, Y)),
    ("broadcast_to", (Y, (2, 3)), np.broadcast_to(Y, (2, 3))),
    ("cast", (B, "int64"), B.astype(int)),
    ("ceil", (X,), np.ceil(X)), ("cholesky", (PD,), np.linalg.cholesky(PD)),
    ("clip", (X, 0.2, 0.6), X.clip(0.2, 0.6)), ("concatenate", ([X, X], 1), np.hstack([X, X])),
    ("constant", (3.5,), 3.5), ("cos", (X,), np.cos(X)), ("cosh", (X,), np.cosh(X)),
    ("cumsum", (X, 1), X.cumsum(1)), ("diag", (Y,), np.diag(Y)), ("digamma", (X,), sp.digamma(X)),
    ("dot", (X, Y), X @ Y), ("eq", (X, Y), X == Y), ("erf", (X,), sp.erf(X)),
    ("erfc", (X,), sp.erfc(X)), ("erfcinv", (X,), sp.erfcinv(X)), ("erfinv", (X,), sp.erfinv(X)),
    ("exp", (X,), np.exp(X)), ("expand_dims", (Y, 0), Y[None]), ("expm1", (X,), np.expm1(X)),
    ("expand_packed_triangular", (2, [1.0, 2.0, 3.0]), [[1.0, 0.0], [2.0, 3.0]]),
    ("eye", (3,), np.eye(3)), ("floor", (X,), np.floor(X)),
    ("flat_outer", (Y, Y), np.outer(Y, Y).ravel()), ("flatten", (X,), X.ravel()),
    ("flatten_list", ([X, Y],), np.concatenate([X.ravel(), Y])), ("full", ((2,), 3.0), [3.0, 3.0]),
    ("full_like", (Y, 2.0), np.full(3, 2.0)), ("gammainc", (2.0, X), sp.gammainc(2.0, X)),
    ("gammaincc", (2.0, X), sp.gammaincc(2.0, X)), ("gammaln", (X,), sp.gammaln(X)),
    ("ge", (X, Y), X >= Y), ("gt", (X, Y), X > Y), ("invert", (B,), ~B),
    ("invlogit", (X,), sp.expit(X)), ("invprobit", (X,), sp.ndtr(X)), ("isinf", (X,), np.isinf(X)),
    ("isnan", (X,), np.isnan(X)), ("le", (X, Y), X <= Y), ("log", (X,), np.log(X)),
    ("log10", (X,), np.log10(X)), ("log1mexp", (-X,), np.log(-np.expm1(-X))),
    ("log1p", (X,), np.log1p(X)), ("log1pexp", (X,), np.log1p(np.exp(X))),
    ("log2", (X,), np.log2(X)), ("linspace", (0, 1, 5), np.linspace(0, 1, 5)),
    ("power", (X, 2), X**2),
    ("log_softmax", (X, 0), sp.log_softmax(X, 0)), ("log_softmax", (X,), sp.log_softmax(X)),
    ("logaddexp", (X, Y), np.logaddexp(X, Y)),
    ("logdiffexp", (X + 1, Y), np.log(np.exp(X + 1) - np.exp(Y))),
    ("logit", (X,), sp.logit(X)), ("logsumexp", (X,), sp.logsumexp(X)),
    ("logsumexp", (X, 1), sp.logsumexp(X, 1)), ("lt", (X, Y), X < Y), ("matmul", (X, Y), X @ Y),
    ("max", (X,), X.max()), ("maximum", (X, Y), np.maximum(X, Y)), ("mean", (X, 0), X.mean(0)),
    ("min", (X, 0), X.min(0)), ("minimum", (X, Y), np.minimum(X, Y)), ("moveaxis", (X, 0, 1), X.T),
    ("neq", (X, Y), X != Y), ("not_", (B,), ~B), ("ones", (3,), np.ones(3)),
    ("ones_like", (X,), np.ones((2, 3))), ("or_", (B, C, C), B | C), ("and_", (B, C), B & C),
    ("outer", (Y, Y), np.outer(Y, Y)), ("polygamma", (1, X), sp.polygamma(1, X)),
    ("pow", (X, 2.5), X**2.5), ("probit", (X,), sp.ndtri(X)), ("prod", (X,), X.prod()),
    ("repeat", (Y, 2), Y.repeat(2)), ("reshape", (X, (3, 2)), X.reshape(3, 2)),
    ("round", (X,), np.round(X)), ("sgn", (Y - 0.4,), np.sign(Y - 0.4)),
    ("sigmoid", (X,), sp.expit(X)),
    ("sin", (X,), np.sin(X)), ("sinh", (X,), np.sinh(X)), ("softmax", (X, 1), sp.softmax(X, 1)),
    ("softmax", (X,), sp.softmax(X)), ("softplus", (X,), np.log1p(np.exp(X))),
    ("solve_triangular", (LOWER, [1.0, 2.0]), np.linalg.solve(LOWER, [1.0, 2.0])),
    ("sqr", (X,), X * X), ("sqrt", (X,), np.sqrt(X)), ("square", (X,), X * X),
    ("squeeze", (Y[None],), Y), ("stack", ([Y, Y], 1), np.stack([Y, Y], 1)),
    ("stack", (Y, Y), np.stack([Y, Y])), ("std", (X,), X.std()), ("sum", (X, 0), X.sum(0)),
    ("swapaxes", (X, 0, 1), X.T), ("switch", (B, X, Y), np.where(B, X, Y)),
    ("take", (Y, [2, 0]), Y[[2, 0]]), ("tan", (X,), np.tan(X)), ("tanh", (X,), np.tanh(X)),
    ("tile", (Y, 2), np.tile(Y, 2)), ("trace", (PD,), np.trace(PD)), ("transpose", (X,), X.T),
    ("tril", (PD,), np.tril(PD)), ("triu", (PD,), np.triu(PD)), ("var", (X, 0), X.var(0)),
    ("where", (B, X, Y), np.where(B, X, Y)), ("zeros", (3,), np.zeros(3)),
    ("zeros_like", (X,), np.zeros((2, 3))),
    ("argmax", (X, 1), X.argmax(1)), ("argmin", (X,), X.argmin()), ("argsort", (X,), X.argsort()),
    ("betaincinv", (2.0, 3.0, X), sp.betaincinv(2.0, 3.0, X)),
    ("block_diag", (PD, X), sl.block_diag(PD, X)),
    ("block_diagonal", ([PD, X],), sl.block_diag(PD, X)),
    ("cho_solve", ((LOWER, True), X), np.linalg.solve(LOWER @ LOWER.T, X)),
    ("cho_solve", ((LOWER.T, False), X), np.linalg.solve(LOWER @ LOWER.T, X)),
    ("cumprod", (X, 1), X.cumprod(1)), ("det", (PD,), np.linalg.det(PD)),
    ("diagonal", (X, 1), np.diagonal(X, 1)), ("einsum", ("ij,j->i", X, Y), X @ Y),
    ("erfcx", (X,), sp.erfcx(X)), ("expm", (PD,), sl.expm(PD)), ("flip", (X, 0), np.flip(X, 0)),
    ("gamma", (X,), sp.gamma(X)), ("gammaincinv", (2.0, X), sp.gammaincinv(2.0, X)),
    ("gammainccinv", (2.0, X), sp.gammainccinv(2.0, X)), ("i0", (X,), sp.i0(X)),
    ("i1", (X,), sp.i1(X)), ("ifelse", (B, X, Y), np.where(B, X, Y)),
    ("isfinite", (X,), np.isfinite(X)), ("iv", (2.0, X), sp.iv(2.0, X)),
    ("ive", (2.0, X), sp.ive(2.0, X)), ("kron", (PD, X), np.kron(PD, X)),
    ("kronecker", (PD, X, Y), np.kron(np.kron(PD, X), Y)), ("log_ndtr", (X,), sp.log_ndtr(X)),
    ("logdet", (PD,), np.log(np.linalg.det(PD))), ("matrix_inverse", (PD,), np.linalg.inv(PD)),
    ("ndtr", (X,), sp.ndtr(X)), ("ndtri", (X,), sp.ndtri(X)), ("norm", (X,), np.linalg.norm(X)),
    ("roll", (X, 1), np.roll(X, 1)), ("solve", (PD, X), np.linalg.solve(PD, X)),
    ("sort", (X,), np.sort(X)), ("tensordot", (X, Y, 1), X @ Y),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "expected"), ROWS)
def test_function(name: str, args: tuple[Any, ...], expected: Any) -> None:
    result = getattr(math, name)(*args)
    assert isinstance(result, Tensor)
    np.testing.assert_allclose(evaluate([result])[0], expected, rtol=1e-12, atol=1e-15)


def test_every_name_is_tested() -> None:
    assert set(math.__all__) == {name for name, _, _ in ROWS} | SEVERAL


def test_results_in_parts() -> None:
    values, vectors = evaluate(math.eigh(PD))
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, PD, atol=1e-14)
    np.testing.assert_allclose(evaluate(math.slogdet(PD)), np.linalg.slogdet(PD))
    np.testing.assert_array_equal(evaluate(math.split(Y, 3)), Y[:, None])


def test_writing_into_a_copy() -> None:
    y = math.as_tensor(Y)
    np.testing.assert_array_equal(evaluate([math.set_subtensor(y[1:], 7.0)])[0], [0.4, 7.0, 7.0])
    np.testing.assert_array_equal(evaluate([math.inc_subtensor(y[:1], 1.0)])[0], [1.4, 0.2, 0.55])
    np.testing.assert_array_equal(evaluate([y[:1].set(1.0)])[0], [1.0, 0.2, 0.55])


def test_broadcast_arrays() -> None:
    one, two = math.broadcast_arrays(X, Y)
    assert one.shape == two.shape == (2, 3)


def test_missing_names() -> None:
    with pytest.raises(NotYetSupported, match="pm.math.kron_dot"):
        math.kron_dot  # noqa: B018
    with pytest.raises(AttributeError, match="Did you mean 'sigmoid'"):
        math.sigmod  # noqa: B018
    with pytest.raises(NotYetSupported, match="negative"):
        math.log1mexp(X, negative_input=False)
    with pytest.raises(NotYetSupported, match="ndim=2"):
        math.flatten(X, ndim=2)
    with pytest.raises(NotYetSupported, match="sparse"):
        math.block_diagonal([X], sparse=True)
    with pytest.raises(ShapeError, match="at least two"):
        math.and_(B)
