"""Compiled functions: every length and tail, groups, infinities, memory of one's own."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from finetti.backends.native import compile_density, compile_map
from finetti.backends.native.layout import LANES, LONGEST_PIECE, group_rows
from finetti.backends.native.link import host_target
from finetti.backends.native.plan import Plan, describe
from finetti.backends.reference import evaluate
from finetti.backends.rows import ReferenceCompiled
from finetti.ir import ops
from finetti.passes.grad import gradient


def compare(density, inputs, point, rtol=1e-12):
    nodes = [tensor.node for tensor in inputs]
    values, start = {}, 0
    for node in nodes:
        values[node] = point[start : start + node.type.size].reshape(node.shape)
        start += node.type.size
    expected, *parts = evaluate([density.node, *gradient(density.node, nodes)], values)
    lp, grad = compile_density(density.node, nodes)(point)
    np.testing.assert_allclose(lp, expected, rtol=rtol, atol=1e-12)
    flat = np.concatenate([p.ravel() for p in parts])
    np.testing.assert_allclose(grad, flat, rtol=rtol, atol=1e-11)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 100])
def test_every_length(n):
    rng = np.random.default_rng(n)
    x, s = ops.new_input("x", (n,)), ops.new_input("s", ())
    data = rng.normal(size=n)
    density = ops.sum_(ops.exp(x * s) * data) - ops.sum_(ops.square(x - data)) + s
    compare(density, [x, s], rng.normal(size=n + 1) * 0.5)


@pytest.mark.parametrize("reduce", [ops.max_, ops.min_, ops.prod, ops.sum_])
@pytest.mark.parametrize("shape", [(5,), (21,), (7, 9), (40, 3), (3, 40)])
def test_reductions_along_each_axis(reduce, shape):
    rng = np.random.default_rng(1)
    x = ops.new_input("x", shape)
    density = ops.as_tensor(0.0)
    for axis in [*range(len(shape)), None]:
        density = density + ops.sum_(ops.tanh(reduce(ops.exp(0.1 * x), axis)))
    compare(density, [x], rng.normal(size=int(np.prod(shape))), rtol=1e-10)


@pytest.mark.parametrize("groups", [1, 3, 17, 200])
@pytest.mark.parametrize("rows", [33, 64, 500])
def test_grouped_rows(groups, rows):
    rng = np.random.default_rng(groups * rows)
    index = rng.integers(0, groups, size=rows)
    a, b, s = (ops.new_input(n, sh) for n, sh in (("a", (groups,)), ("b", (groups,)), ("s", ())))
    slope, y = rng.normal(size=rows), rng.normal(size=rows)
    z = (y - a[index] - b[index] * slope) / ops.exp(s)
    density = ops.sum_(-0.5 * z * z - s) - ops.sum_(a * a) - ops.sum_(b * b)
    compare(density, [a, b, s], rng.normal(size=2 * groups + 1) * 0.3, rtol=1e-11)


def test_two_crossed_factors():
    rng = np.random.default_rng(2)
    i, j = rng.integers(0, 9, 300), rng.integers(0, 14, 300)
    a, b = ops.new_input("a", (9,)), ops.new_input("b", (14,))
    density = -ops.sum_(ops.square(rng.normal(size=300) - a[i] - b[j]))
    compare(density, [a, b], rng.normal(size=23), rtol=1e-11)


@pytest.mark.parametrize("shape", [(50, 3), (50, 16), (50, 17), (9, 40), (1, 30), (200, 90)])
def test_matrix_times_vector(shape):
    rng = np.random.default_rng(3)
    matrix, beta = rng.normal(size=shape), ops.new_input("beta", (shape[1],))
    eta = matrix @ beta
    density = ops.sum_(rng.normal(size=shape[0]) * eta - ops.softplus(eta)) - ops.sum_(beta * beta)
    compare(density, [beta], rng.normal(size=shape[1]) * 0.2, rtol=1e-10)


def test_multivariate_normal():
    rng = np.random.default_rng(4)
    x = ops.new_input("x", (6,))
    root = rng.normal(size=(6, 6))
    chol = ops.cholesky(root @ root.T + np.eye(6) * ops.exp(ops.mean(x)))
    density = -0.5 * ops.quadratic_form(chol, x) - ops.sum_(ops.log(ops.diagonal(chol)))
    compare(density, [x], rng.normal(size=6), rtol=1e-9)


def test_infinities_and_nan_come_through():
    x = ops.new_input("x", (20,))
    density = compile_density(ops.sum_(ops.where(x > 0, ops.log(x), -np.inf)).node, [x.node])
    point = np.ones(20)
    assert density(point)[0] == 0.0
    point[7] = -1.0
    assert density(point)[0] == -np.inf
    point[7] = np.nan
    assert density(point)[0] == -np.inf  # NaN > 0 is false, as in NumPy
    overflow = compile_density((-ops.sum_(ops.exp(x))).node, [x.node])
    assert overflow(np.full(20, 800.0))[0] == -np.inf
    assert np.isnan(overflow(np.full(20, np.nan))[0])


def test_one_block_per_thread():
    rng = np.random.default_rng(5)
    x = ops.new_input("x", (300,))
    index = rng.integers(0, 300, 900)
    density = compile_density(ops.sum_(ops.tanh(ops.exp(x * 0.1)[index]) ** 2).node, [x.node])
    points = rng.normal(size=(16, 300))
    expected = [density(p)[0] for p in points]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda p: density(p)[0], points)) == expected


def test_maps_keep_shapes_and_dtypes():
    x = ops.new_input("x", (2, 3))
    outputs = [np.exp(x), x > 0, ops.sum_(x > 0, axis=1), x[1, 2], x.T]
    function = compile_map([o.node for o in outputs], [x.node])
    point = np.array([0.5, -1.0, 2.0, -0.25, 0.0, 3.0])
    expected = evaluate(outputs, {x.node: point.reshape(2, 3)})
    for got, want in zip(function(point), expected, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-15)


def test_group_layout_covers_every_row_once():
    rng = np.random.default_rng(6)
    bins = rng.integers(0, 11, 1000)
    layout = group_rows(bins)
    counted = np.zeros(1000, int)
    for k in range(layout.slices):
        for lane in range(LANES):
            for step in range(layout.steps[k]):
                slot = layout.first[k] + step * LANES + lane
                if layout.counted[slot]:
                    counted[layout.rows[slot]] += 1
                assert bins[layout.rows[slot]] == layout.bins[k * LANES + lane]
    assert (counted == 1).all() and layout.steps.max() <= LONGEST_PIECE


def test_a_hierarchy_is_one_loop_per_stage():
    index = np.arange(900) % 85
    a, s = ops.new_input("a", (85,)), ops.new_input("s", ())
    z = (np.ones(900) - a[index]) * ops.exp(-s)
    plan = Plan([(a.node, 0)], ops.sum_(z * z).node)
    assert "loop over 900" in describe(plan)
    assert len([key for key in plan.loops if key[1] == 900]) == 1


def test_the_gradient_of_some_inputs():
    x, y, z = (ops.new_input(name, (3,)) for name in "xyz")
    logp, nodes = ops.sum_(x * y * ops.exp(z)), [x.node, y.node, z.node]
    wrt = [z.node, x.node]
    point = np.linspace(0.1, 0.9, 9)
    value, whole = compile_density(logp.node, nodes)(point)
    expected = np.concatenate([whole[6:], whole[:3]])
    for part in (
        compile_density(logp.node, nodes, wrt=wrt),
        ReferenceCompiled([logp.node], nodes, density=True, wrt=wrt),
    ):
        lp, grad = part(point)
        np.testing.assert_allclose(lp, value, rtol=1e-14)
        np.testing.assert_allclose(grad, expected, rtol=1e-14)


def test_bits_are_the_same_with_and_without_avx512(monkeypatch):
    rng = np.random.default_rng(7)
    x = ops.new_input("x", (100,))
    index = rng.integers(0, 100, 400)
    total = ops.sum_(ops.exp(x[index] * 0.1)) - ops.sum_(ops.softplus(x))
    total = total + ops.sum_(ops.log1p(x * x))
    point = rng.normal(size=100)
    wide = compile_density(total.node, [x.node])(point)
    narrow_target = host_target(without=("avx512",))
    monkeypatch.setattr("finetti.backends.native.compiled.host_target", lambda: narrow_target)
    narrow = compile_density(total.node, [x.node])(point)
    assert wide[0] == narrow[0]
    np.testing.assert_array_equal(wide[1], narrow[1])
