"""The C++ kernels by their addresses: special functions by scipy, linear algebra by numpy."""

from __future__ import annotations

import ctypes
import itertools
import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp
from finetti._core import kernel_addresses

ADDRESSES = kernel_addresses()
DOUBLE, POINTER, SIZE, INT = ctypes.c_double, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


def special(name: str, count: int) -> Callable[..., np.ndarray]:
    """A special function of `count` doubles, over arrays."""
    kind = ctypes.CFUNCTYPE(DOUBLE, *[DOUBLE] * count)
    function = np.vectorize(kind(ADDRESSES[f"finetti_{name}"]), otypes=[float])

    def call(*arguments: object) -> np.ndarray:
        with np.errstate(all="ignore"):
            return function(*arguments)

    return call


def linear(name: str, *arguments: type) -> Callable[..., None]:
    """A kernel of linear algebra; arrays are passed as pointers."""
    function = ctypes.CFUNCTYPE(None, *arguments)(ADDRESSES[f"finetti_{name}"])

    def call(*values: object) -> None:
        function(*(v.ctypes.data if isinstance(v, np.ndarray) else v for v in values))

    return call


# -- special functions ---------------------------------------------------------------------------

EDGES = np.array(
    [0.0, -0.0, 1, 2, -1, -2, -0.5, -1.5, -3.7, math.inf, -math.inf, math.nan]
    + [1e-5, 0.5, 3, 1e308, 1e-305, 170.0, 1e6, -170.3]
)
UNARY = {
    "digamma": (sp.digamma, ((0.001, 30), (-9, 0), (1e3, 1e9))),
    "erfcx": (sp.erfcx, ((-26, 60), (-1, 1))),
    "erfinv": (sp.erfinv, ((-1, 1), (-1e-8, 1e-8), (1 - 1e-9, 1))),
    "gammaln": (sp.gammaln, ((0.001, 30), (-9, 0), (1e3, 1e9))),
    "i0e": (sp.i0e, ((-60, 60), (19, 21), (1e3, 1e6))),
    "i1e": (sp.i1e, ((-60, 60), (19, 21), (-1e-5, 1e-5))),
    "log_ndtr": (sp.log_ndtr, ((-40, 8), (-2, 2), (-1e6, -1e3))),
    "ndtr": (sp.ndtr, ((-30, 8), (-2, 2))),
    "ndtri": (sp.ndtri, ((0, 1), (0, 1e-9), (1e-300, 1e-299))),
    "trigamma": (lambda x: sp.polygamma(1, x), ((0.001, 30), (1e3, 1e9))),
}


@pytest.mark.parametrize("name", UNARY)
def test_special_functions(name: str, rng: np.random.Generator) -> None:
    reference, ranges = UNARY[name]
    for low, high in ranges:
        x = rng.uniform(low, high, 500)
        # scipy's own error at x dominates in the far tail of ndtr
        assert np.allclose(special(name, 1)(x), reference(x), rtol=5e-13, atol=1e-14)


@pytest.mark.parametrize("name", UNARY)
def test_special_functions_at_edges(name: str) -> None:
    reference = UNARY[name][0]
    with np.errstate(all="ignore"):
        assert np.allclose(
            special(name, 1)(EDGES), reference(EDGES), rtol=1e-13, atol=1e-300, equal_nan=True
        )


def test_digamma_of_signed_zeros() -> None:
    digamma = special("digamma", 1)
    assert digamma(0.0) == -math.inf
    assert digamma(-0.0) == math.inf


@pytest.mark.parametrize("order", [0, 1, 2, 3, 7, 20, 60])
def test_polygamma(order: int, rng: np.random.Generator) -> None:
    x = np.concatenate([rng.uniform(0.05, 20, 60), rng.uniform(-6, 0, 20), [1.0, 1e5]])
    got = special("polygamma", 2)(order, x)
    expected = np.array([float(mp.polygamma(order, mp.mpf(float(v)))) for v in x])
    assert np.allclose(got, expected, rtol=2e-13, atol=0)


def test_polygamma_of_what_is_no_order() -> None:
    assert np.isnan(special("polygamma", 2)([-1.0, 0.5, math.nan], 1.0)).all()


@pytest.mark.parametrize("largest", [1.0, 30.0, 1e5])
def test_incomplete_gamma(largest: float, rng: np.random.Generator) -> None:
    a = np.exp(rng.uniform(-8, np.log(largest), 800))
    spread = 2 / np.sqrt(1 + a) + (a < 3)
    x = a * np.exp(rng.normal(size=800) * spread)
    assert np.allclose(special("gammainc", 2)(a, x), sp.gammainc(a, x), rtol=1e-12, atol=1e-290)
    assert np.allclose(special("gammaincc", 2)(a, x), sp.gammaincc(a, x), rtol=1e-12, atol=1e-290)


def test_incomplete_gamma_of_large_parameters(rng: np.random.Generator) -> None:
    a = np.exp(rng.uniform(np.log(1.1e6), np.log(1e8), 300))
    x = a + rng.normal(size=300) * np.sqrt(a)
    assert np.allclose(special("gammainc", 2)(a, x), sp.gammainc(a, x), rtol=1e-11)
    # far beyond, the distribution is normal with a skewness of 2 / sqrt(a)
    assert np.isclose(special("gammainc", 2)(1e14, 1e14 - 4.9e7), sp.ndtr(-4.9), rtol=1e-5)


@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
def test_incomplete_gamma_at_edges(name: str) -> None:
    values = np.array([0.0, 1.0, 0.5, -1.0, math.inf, math.nan, 1e-300])
    a, x = np.meshgrid(values, values)
    expected = getattr(sp, name)(a, x)
    assert np.allclose(special(name, 2)(a, x), expected, rtol=1e-13, equal_nan=True)


@pytest.mark.parametrize("largest", [1.0, 30.0, 1e4])
def test_incomplete_beta(largest: float, rng: np.random.Generator) -> None:
    a, b = np.exp(rng.uniform(-5, np.log(largest), (2, 800)))
    mean, n = a / (a + b), a + b
    x = np.clip(mean + rng.normal(size=800) * np.sqrt(mean * (1 - mean) / (n + 1)), 1e-9, 1 - 1e-9)
    # where the answer is 1 minus nearly 1, that difference bounds what can be reached
    assert np.allclose(special("betainc", 3)(a, b, x), sp.betainc(a, b, x), rtol=5e-13, atol=2e-15)


def test_incomplete_beta_at_edges() -> None:
    betainc = special("betainc", 3)
    assert betainc(2.0, 3.0, 0.0) == 0
    assert betainc(2.0, 3.0, 1.0) == 1
    outside = [(-1.0, 1.0, 0.5), (1.0, 0.0, 0.5), (1.0, 1.0, 1.5), (1.0, 1.0, -0.1)]
    assert all(math.isnan(betainc(*point)) for point in outside)


# -- linear algebra ------------------------------------------------------------------------------

SIZES = [(1, 1, 1), (3, 4, 2), (7, 9, 11), (1, 30, 40), (40, 30, 1), (13, 300, 17), (64, 64, 64)]


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("form", ["", "_tn", "_nt", "_tt"])
def test_matmul(form: str, shape: tuple[int, int, int], rng: np.random.Generator) -> None:
    n, k, m = shape
    a, b = rng.normal(size=(n, k)), rng.normal(size=(k, m))
    out = np.full((n, m), np.nan)
    stored_a = a.T.copy() if "_t" in form else a
    stored_b = b.T.copy() if form.endswith("t") else b
    product = linear(f"matmul{form}", SIZE, SIZE, SIZE, POINTER, POINTER, POINTER)
    product(n, k, m, stored_a, stored_b, out)
    assert np.allclose(out, a @ b, rtol=1e-12, atol=1e-13 * k)


def definite(n: int, rng: np.random.Generator) -> np.ndarray:
    root = rng.normal(size=(n, n))
    return root @ root.T + n * np.eye(n)


cholesky = linear("cholesky", SIZE, POINTER, POINTER)
solve = linear("solve_triangular", SIZE, SIZE, POINTER, POINTER, POINTER, INT, INT)


@pytest.mark.parametrize("n", [1, 2, 8, 31, 32, 33, 64, 100])
def test_cholesky(n: int, rng: np.random.Generator) -> None:
    a = definite(n, rng)
    out = np.full((n, n), np.nan)
    cholesky(n, np.where(np.tri(n), a, np.nan), out)
    assert np.allclose(out, np.linalg.cholesky(a), rtol=1e-12, atol=1e-13)
    assert (out[np.triu_indices(n, 1)] == 0).all()
    cholesky(n, a, a)
    assert np.array_equal(a, out)


@pytest.mark.parametrize("where", [0, 20, 40, 69])
def test_cholesky_of_what_is_not_definite(where: int, rng: np.random.Generator) -> None:
    for bad in (-1.0, 0.0, math.nan, math.inf):
        a = definite(70, rng)
        a[where, where] = bad
        out = np.zeros((70, 70))
        cholesky(70, a, out)
        assert np.isnan(out).all()


@pytest.mark.parametrize("n", [1, 2, 9, 32, 33, 70])
@pytest.mark.parametrize("m", [1, 2, 8, 19])
def test_solve_triangular(n: int, m: int, rng: np.random.Generator) -> None:
    a = rng.normal(size=(n, n)) / n + 2 * np.eye(n)
    b = rng.normal(size=(n, m))
    for lower, trans in itertools.product((0, 1), (0, 1)):
        triangle = np.tri(n, dtype=bool) if lower else np.tri(n, dtype=bool).T
        out = np.full((n, m), np.nan)
        solve(n, m, np.where(triangle, a, np.nan), b, out, lower, trans)
        full = np.where(triangle, a, 0.0)
        assert np.allclose(out, np.linalg.solve(full.T if trans else full, b), rtol=1e-11)
        again = b.copy()
        solve(n, m, a, again, again, lower, trans)
        assert np.array_equal(again, out)


@pytest.mark.parametrize("bad", [0.0, math.nan])
def test_solve_triangular_with_a_bad_diagonal(bad: float) -> None:
    a, out = np.eye(5), np.zeros((5, 2))
    a[3, 3] = bad
    solve(5, 2, a, np.ones((5, 2)), out, 1, 0)
    assert np.isnan(out).all()


# -- many small matrices, and the factor's adjoint -------------------------------------------------

BATCHES = [1, 3, 8, 9, 21]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 12, 13])
@pytest.mark.parametrize("batch", BATCHES)
def test_many_factors(batch: int, n: int, rng: np.random.Generator) -> None:
    a = np.stack([definite(n, rng) for _ in range(batch)])
    a[batch // 2, n - 1, n - 1] = -1.0
    out = np.zeros((batch, n, n))
    linear("cholesky_many", SIZE, SIZE, POINTER, POINTER)(batch, n, a, out)
    assert np.isnan(out[batch // 2]).all()
    good = np.arange(batch) != batch // 2
    assert np.allclose(out[good], np.linalg.cholesky(a[good]), rtol=1e-12, atol=1e-13)
    assert (np.triu(out[good], 1) == 0).all()


@pytest.mark.parametrize("n", [1, 2, 7, 12, 13])
@pytest.mark.parametrize("batch", BATCHES)
def test_many_solutions(batch: int, n: int, rng: np.random.Generator) -> None:
    a = rng.normal(size=(batch, n, n)) / n + 2 * np.eye(n)
    b = rng.normal(size=(batch, n, 2))
    solve_many = linear("solve_triangular_many", *[SIZE] * 3, *[POINTER] * 3, INT, INT)
    for lower, trans in itertools.product((0, 1), (0, 1)):
        full = np.tril(a) if lower else np.triu(a)
        out = np.zeros(b.shape)
        solve_many(batch, n, 2, a, b, out, lower, trans)
        turned = np.swapaxes(full, 1, 2) if trans else full
        assert np.allclose(out, np.linalg.solve(turned, b), rtol=1e-11)
    a[batch - 1, 0, 0] = 0.0
    solve_many(batch, n, 2, a, b, out, 1, 0)
    assert np.isnan(out[batch - 1]).all()
    assert np.isfinite(out[: batch - 1]).all()


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (12, 12, 12), (3, 20, 2), (13, 2, 3)])
@pytest.mark.parametrize("batch", BATCHES)
def test_many_products(batch: int, shape: tuple[int, int, int], rng: np.random.Generator) -> None:
    n, k, m = shape
    a, b = rng.normal(size=(batch, n, k)), rng.normal(size=(batch, k, m))
    out = np.zeros((batch, n, m))
    linear("matmul_many", *[SIZE] * 4, *[POINTER] * 3)(batch, n, k, m, a, b, out)
    assert np.allclose(out, a @ b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 8, 31, 32, 33, 64, 100])
def test_cholesky_adjoint(n: int, rng: np.random.Generator) -> None:
    factors = np.stack([np.linalg.cholesky(definite(n, rng)) for _ in range(2)])
    g, out = rng.normal(size=factors.shape), np.zeros(factors.shape)
    read = np.tri(n, dtype=bool)  # nothing above the diagonal is
    arguments = [np.where(read, x, np.nan) for x in (g, factors)]
    linear("cholesky_adjoint", SIZE, SIZE, *[POINTER] * 3)(2, n, *arguments, out)
    for adjoint, gradient, factor in zip(out, g, factors, strict=True):
        phi = np.tril(factor.T @ np.tril(gradient))
        phi[np.diag_indices(n)] *= 0.5
        expected = np.linalg.solve(factor.T, np.linalg.solve(factor.T, phi.T).T)
        assert np.allclose(adjoint, (expected + expected.T) / 2, rtol=1e-9, atol=1e-12)
