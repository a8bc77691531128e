"""The kernels of order, running results and dense linear algebra at sizes beyond the samples."""

import numpy as np
import pytest
from finetti._core import kernel_addresses

from finetti.backends.native import compile_density, compile_map
from finetti.backends.native.kernels import KERNELS
from finetti.backends.reference import evaluate
from finetti.ir import OPS, ops
from finetti.passes.grad import gradient


def test_every_kernel_exists_and_every_kernel_operation_has_one():
    assert {kernel.symbol for kernel in KERNELS.values()} <= set(kernel_addresses())
    assert {op.name for op in OPS.values() if op.native == "kernel"} <= set(KERNELS)


def both(function, array):
    x = ops.new_input("x", array.shape)
    result = function(x)
    (expected,) = evaluate([result], {x.node: array})
    (got,) = compile_map([result.node], [x.node])(array.ravel())
    return got, expected


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("n", [1, 2, 5, 32, 33, 90])
def test_solve_and_determinant(n, rng):
    a, b = rng.normal(size=(n, n)), rng.normal(size=(n, 3))
    got, expected = both(lambda x: ops.solve(x, b), a)
    np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-9)
    got, expected = both(lambda x: ops.slogdet(x)[1], a)
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11)
    got, expected = both(lambda x: ops.slogdet(x)[0], a)
    assert got == expected


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_singular_and_infinite_matrices_are_values(bad, rng):
    a = rng.normal(size=(3, 4, 4))
    a[1, 2] = bad
    got, expected = both(ops.inv, a)
    np.testing.assert_allclose(got, expected, rtol=1e-11)
    assert np.isnan(got[1]).all()
    assert np.isfinite(got[[0, 2]]).all()
    got, expected = both(ops.expm, a)
    np.testing.assert_allclose(got, expected, rtol=1e-10)
    got, expected = both(lambda x: ops.slogdet(x)[1], a[:1] * 0.0)
    assert got[0] == expected[0] == -np.inf


@pytest.mark.parametrize("n", [1, 2, 3, 10, 60])
def test_eigenvectors(n, rng):
    root = rng.normal(size=(n, n))
    a = root + root.T
    (values, vectors), expected = zip(
        *(both(lambda x, k=k: ops.eigh(x)[k], a) for k in (0, 1)), strict=True
    )
    np.testing.assert_allclose(values, expected[0], rtol=1e-11, atol=1e-12 * n)
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, a, atol=1e-12 * n)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(n), atol=1e-13 * n)
    np.testing.assert_allclose(vectors, expected[1], atol=1e-8)


@pytest.mark.parametrize(
    "matrix", [np.eye(4), np.zeros((4, 4)), np.diag([3.0, -1.0, 3.0, 0.0]), np.ones((5, 5))]
)
def test_eigenvalues_that_repeat(matrix):
    got, expected = both(lambda x: ops.eigh(x)[0], matrix)
    np.testing.assert_allclose(got, expected, atol=1e-14)
    x = ops.new_input("x", matrix.shape)
    density = ops.sum_(ops.exp(-ops.eigh(x)[0]))
    _, grad = compile_density(density.node, [x.node])(matrix.ravel())
    # d tr f(A) = f'(A), whether eigenvalues repeat or not
    values, vectors = np.linalg.eigh(matrix)
    want = -(vectors * np.exp(-values)) @ vectors.T
    np.testing.assert_allclose(grad.reshape(matrix.shape), want, atol=1e-13)


@pytest.mark.parametrize("scale", [0.0, 1e-8, 0.3, 3.0, 60.0])
@pytest.mark.parametrize("n", [1, 3, 25])
def test_exponential(n, scale, rng):
    a = rng.normal(size=(n, n)) * scale / np.sqrt(n)
    got, expected = both(ops.expm, a)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(200,), (7, 31), (31, 7), (3, 20, 4), (1, 1), (0, 3), (3, 0)])
def test_order_and_running_results(shape, rng):
    array = np.round(rng.normal(size=shape), 1)
    if array.size > 20:
        array.flat[::9] = np.nan
        array.flat[5::11] = np.inf
    for axis in range(len(shape)):
        for function in (ops.argsort, ops.sort, ops.cumprod, ops.cumsum, ops.cummax, ops.cummin):
            got, expected = both(lambda x, f=function, a=axis: f(x, a), array)
            np.testing.assert_allclose(got, expected, rtol=1e-12)
        if shape[axis]:
            got, expected = both(lambda x, a=axis: ops.argmax(x, a), array)
            np.testing.assert_array_equal(got, expected)


def test_kernels_feed_each_other_and_loops(rng):
    x = ops.new_input("x", (6, 6))
    spread = ops.exp(-0.1 * ops.square(x))
    covariance = spread @ ops.matrix_transpose(spread) + 2.0 * np.eye(6)
    values, vectors = ops.eigh(covariance)
    density = (
        ops.logdet(covariance) + ops.sum_(ops.cumprod(values / 4.0))
        + ops.sum_(ops.expm(-0.1 * covariance)) + ops.sum_(ops.sort(x, 0) * np.arange(6.0)[:, None])
        + ops.sum_(ops.square(vectors) * np.arange(36.0).reshape(6, 6))
        + ops.sum_(ops.solve(covariance, ops.recurrence(0.3, x)))
    )  # fmt: skip
    point = rng.normal(size=36)
    want = evaluate(
        [density.node, *gradient(density.node, [x.node])], {x.node: point.reshape(6, 6)}
    )
    lp, grad = compile_density(density.node, [x.node])(point)
    np.testing.assert_allclose(lp, want[0], rtol=1e-11)
    np.testing.assert_allclose(grad, want[1].ravel(), rtol=1e-8, atol=1e-9)
