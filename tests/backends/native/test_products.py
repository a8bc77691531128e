"""Sums of logarithms by products: equal to the sums for all lengths and all sizes of terms."""

import numpy as np
import pytest
from tests.backends.test_random_graphs import compare_density

from finetti.backends.native import compile_density
from finetti.ir import ops

LENGTHS = [3, 16, 17, 100, 2000, 2001, 40_003]


def value(total, x, point):
    return compile_density(total.node, [x.node])(np.atleast_1d(point))[0]


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0])
def test_softplus(n, scale):
    y = scale * np.random.default_rng(n).normal(size=n)
    x = ops.new_input("x", (1,))
    found = value(-ops.sum_(ops.softplus(x + y)), x, 0.2)
    np.testing.assert_allclose(found, -np.logaddexp(0.0, 0.2 + y).sum(), rtol=1e-13)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e90, 1e160])
def test_squares_of_any_size(n, scale):
    y = scale * np.random.default_rng(n).normal(size=n)
    x = ops.new_input("x", (1,))
    z = y * ops.exp(x)
    found = value(ops.sum_(ops.log1p(z * z)), x, 0.1)
    with np.errstate(over="ignore"):
        expected = np.log1p((y * np.exp(0.1)) ** 2).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_digits_of_small_sums():
    x = ops.new_input("x", (1,))
    found = value(ops.sum_(ops.softplus(x + np.zeros(500))), x, -60.0)
    np.testing.assert_allclose(found, 500 * np.exp(-60.0), rtol=1e-13)


@pytest.mark.parametrize("n", [20, 3000])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_infinite_and_undefined_terms(n, bad):
    y = np.zeros(n)
    y[n // 2] = bad
    x = ops.new_input("x", (1,))
    for total in (ops.sum_(ops.softplus(x + y)), ops.sum_(ops.log1p((x + y) * (x + y)))):
        np.testing.assert_equal(value(total, x, 0.5), bad)


@pytest.mark.parametrize("n", [12, 300, 5000])
def test_terms_that_stay(n):
    """Other terms, factors, and logarithms that are used twice."""
    y = np.random.default_rng(n).normal(size=n)
    x, s = ops.new_input("x", (2,)), ops.new_input("s", ())
    eta = x[0] + x[1] * y
    tail = ops.softplus(eta)
    total = ops.sum_(y * eta - 2.0 * tail - ops.exp(s) * (tail + ops.log1p(eta * eta)))
    total = total + ops.sum_(ops.sqrt(tail)) - ops.sum_(ops.logaddexp(eta, s * y))
    compare_density(total, [x, s], np.array([0.3, -0.8, 0.2]))


def test_rows_in_groups():
    rng = np.random.default_rng(2)
    group, y = rng.integers(0, 9, 900), rng.normal(size=900)
    a, b = ops.new_input("a", (9,)), ops.new_input("b", (3,))
    eta = a[group] + ops.matmul(ops.as_tensor(rng.normal(size=(900, 3))), b)
    compare_density(ops.sum_(y * eta - ops.softplus(eta)), [a, b], 0.3 * rng.normal(size=12))
