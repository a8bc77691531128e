"""Data that is laid out anew for the loops: blocks of rows of matrices, rows in kinds of bins."""

import numpy as np
import pytest
from tests.backends.test_random_graphs import compare_density

from finetti.backends.native import compile_density, compiled
from finetti.backends.native.grouped import GroupedBody
from finetti.backends.native.layout import (
    BLOCK_ROWS,
    LANES,
    Pack,
    cross_rows,
    crossed_steps,
    row_blocks,
)
from finetti.backends.native.plan import BLOCKED_COLUMNS, FUSED_COLUMNS, Plan, describe
from finetti.backends.native.target import host_target
from finetti.ir import ops
from finetti.passes.simplify import simplify


def regression(n, k, narrow=3):
    """A logistic regression on two matrices, with terms whose gradients come in later stages."""
    rng = np.random.default_rng(1000 * n + k)
    X, Z, y = rng.normal(size=(n, k)), rng.normal(size=(n, narrow)), rng.normal(size=n)
    w, z, s = ops.new_input("w", (k,)), ops.new_input("z", (narrow,)), ops.new_input("s", ())
    eta = ops.matmul(ops.as_tensor(X), w[::-1]) + ops.matmul(ops.as_tensor(Z), z)
    total = ops.sum_(y * eta - ops.softplus(eta)) - ops.exp(s) * ops.sum_(ops.tanh(eta))
    total = total + 0.1 * ops.max_(eta) - 0.5 * ops.sum_(w * w)
    return total, [w, z, s], 0.2 * rng.normal(size=k + narrow + 1)


ROWS = [BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 40, 63, 64, 65, 100, 257]


@pytest.mark.parametrize("n", ROWS)
@pytest.mark.parametrize("k", [2, FUSED_COLUMNS, FUSED_COLUMNS + 1, 18, 31, 64, 100])
def test_products_with_constant_matrices(n, k):
    compare_density(*regression(n, k))


@pytest.mark.parametrize(
    "shape", [(40, 40), (33, 300), (300, 33), (BLOCKED_COLUMNS + 8, 40), (40, 600)]
)
@pytest.mark.parametrize("transposed", [False, True])
def test_wide_products_either_way(shape, transposed):
    rng = np.random.default_rng(sum(shape))
    matrix = ops.as_tensor(rng.normal(size=shape))
    matrix = matrix.T if transposed else matrix
    x = ops.new_input("x", (matrix.shape[1],))
    total = ops.sum_(ops.tanh(ops.matmul(matrix, ops.sin(x)))) + ops.sum_(x)
    compare_density(total, [x], 0.2 * rng.normal(size=int(matrix.shape[1])))


def test_both_products_with_a_matrix_are_made_in_one_loop():
    rng = np.random.default_rng(0)
    X, w = ops.as_tensor(rng.normal(size=(1000, 100))), ops.new_input("w", (100,))
    total = ops.sum_(ops.softplus(ops.matmul(X, w)))
    made = compile_density(total.node, [w.node])
    assert describe(made.plan).count("loop over 1000") == 1
    assert "kernel" not in describe(made.plan)
    assert made._constants.nbytes < 1.1 * 8 * 1000 * 100


def test_two_wide_matrices_in_one_loop():
    rng = np.random.default_rng(1)
    a, b = ops.new_input("a", (20,)), ops.new_input("b", (41,))
    eta = ops.matmul(ops.as_tensor(rng.normal(size=(70, 20))), a)
    eta = eta * ops.matmul(ops.as_tensor(rng.normal(size=(70, 41))), b)
    compare_density(ops.sum_(ops.tanh(eta)), [a, b], 0.3 * rng.normal(size=61))


def test_infinities_and_nan_of_a_row_reach_the_sum():
    X = np.ones((40, 20))
    w = ops.new_input("w", (20,))
    total = ops.sum_(ops.exp(ops.matmul(ops.as_tensor(X), w)))
    function = compile_density(total.node, [w.node])
    assert function(np.full(20, 100.0))[0] == np.inf
    assert np.isnan(function(np.full(20, np.nan))[0])


@pytest.mark.parametrize("rows", [8, 32])
@pytest.mark.parametrize("n", [32, 33, 40, 63])
def test_blocks_of_rows(rows, n):
    matrix = np.arange(n * 3.0).reshape(n, 3)
    pack = Pack()
    offset = pack.put("matrix", *row_blocks(matrix, rows))
    blocks = pack.block()[offset : offset + 8 * 3 * rows * -(-n // rows)].view(float)
    for i, block in enumerate(blocks.reshape(-1, 3, rows)):
        start = min(i * rows, n - rows)
        np.testing.assert_array_equal(block.T, matrix[start : start + rows])


def crossed(rows, groups):
    """A regression on indices of several kinds, through some of which more is read than others."""
    rng = np.random.default_rng(rows + sum(groups))
    indices = [rng.integers(0, count, size=rows) for count in groups]
    effects = [ops.new_input(f"a{i}", (count,)) for i, count in enumerate(groups)]
    slope = ops.new_input("b", (groups[0],))
    mean = slope[indices[0]] * rng.normal(size=rows)
    for effect, index in zip(effects, indices, strict=True):
        mean = mean + effect[index]
    total = ops.sum_(ops.sin(rng.normal(size=rows) - mean)) - ops.sum_(slope * slope)
    return total, [*effects, slope], 0.3 * rng.normal(size=sum(groups) + groups[0])


@pytest.mark.parametrize("rows", [32, 100, 515])
@pytest.mark.parametrize("groups", [(5, 7), (40, 3), (3, 40), (400, 600), (6, 1), (9, 5, 4)])
def test_rows_in_several_kinds_of_bins(rows, groups):
    compare_density(*crossed(rows, groups))


def test_crossed_rows_are_walked_by_the_bins_most_used(monkeypatch):
    walked = []
    begin = GroupedBody.__init__

    def watched(self, e, way, outline=None):
        walked.append(int(way.bins.positions.max()) + 1)
        begin(self, e, way, outline)

    monkeypatch.setattr(GroupedBody, "__init__", watched)
    for groups in ((40, 12), (12, 40)):
        total, inputs, _ = crossed(600, groups)
        compile_density(total.node, [tensor.node for tensor in inputs])
    assert walked == [40, 12]


@pytest.mark.parametrize("model", [regression(100, 40), regression(65, 5), crossed(515, (9, 5))])
def test_narrower_vectors_give_the_same_bits(model, monkeypatch):
    total, inputs, point = model
    nodes = [tensor.node for tensor in inputs]
    monkeypatch.setenv("FINETTI_CACHE", "0")
    wide = compile_density(total.node, nodes)(point)
    narrow = host_target(without=("avx512",))
    monkeypatch.setattr(compiled, "host_target", lambda: narrow)
    other = compile_density(total.node, nodes)(point)
    assert wide[0] == other[0]
    np.testing.assert_array_equal(wide[1], other[1])


@pytest.mark.parametrize("n", [1, 3, 10, 40])
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("trans", [True, False])
def test_solutions_with_constant_triangles(n, lower, trans):
    rng = np.random.default_rng(n)
    triangle = rng.normal(size=(n, n)) / n + 2 * np.eye(n)
    x = ops.new_input("x", (n,))
    solved = ops.solve_triangular(triangle, ops.tanh(x), trans=trans, lower=lower)
    compare_density(ops.sum_(solved * solved), [x], rng.normal(size=n))


def test_a_constant_triangle_that_is_singular_gives_nan():
    triangle = np.diag([1.0, 0.0, 2.0])
    x = ops.new_input("x", (3,))
    total = ops.sum_(ops.solve_triangular(triangle, x))
    assert np.isnan(compile_density(total.node, [x.node])(np.ones(3))[0])


@pytest.mark.parametrize("batch", [2, 9])
@pytest.mark.parametrize("n", [2, 5])
def test_batches_of_small_matrices(batch, n):
    rng = np.random.default_rng(batch)
    x = ops.new_input("x", (batch, n, n))
    covariance = ops.matmul(x, ops.transpose(x, (0, 2, 1))) + np.eye(n)
    factor = ops.cholesky(covariance)
    z = ops.solve_triangular(factor, rng.normal(size=(batch, n)))
    total = ops.sum_(z * z) + ops.sum_(ops.log(ops.diagonal(factor)))
    compare_density(total, [x], rng.normal(size=batch * n * n))


def test_what_is_simple_is_left_alone():
    x = ops.new_input("x", (4,))
    (once,) = simplify([ops.sum_(ops.log(ops.sigmoid(x)) - x / 3.0).node])
    assert once.settled
    assert simplify([once]) == [once]
    assert Plan([(once, 0)]).order  # and it still compiles


@pytest.mark.parametrize("rows, groups", [(400, (20, 20)), (900, (40, 12)), (77, (9, 5))])
def test_the_layout_of_two_kinds_of_bins_covers_every_row_once(rows, groups):
    rng = np.random.default_rng(rows)
    bins, others = (rng.integers(0, count, size=rows) for count in groups)
    layout = cross_rows(bins, others)
    assert len(layout.rows) == LANES * crossed_steps(bins, others)
    np.testing.assert_array_equal(np.sort(layout.rows[layout.counted]), np.arange(rows))
    slices = np.repeat(np.arange(layout.slices), layout.steps)
    lanes = layout.bins.reshape(-1, LANES)[slices].ravel()
    np.testing.assert_array_equal(lanes[layout.counted], bins[layout.rows[layout.counted]])
    common = layout.shared(others)
    assert common is not None
    of_rows = np.repeat(common, LANES)[layout.counted]
    np.testing.assert_array_equal(of_rows, others[layout.rows[layout.counted]])


def answers(persons, items, share, columns):
    """Who answered which item, most of them all."""
    rng = np.random.default_rng(persons + items)
    person, item = np.divmod(np.flatnonzero(rng.uniform(size=persons * items) < share), items)
    ability, slope = ops.new_input("ability", (persons,)), ops.new_input("slope", (items,))
    b = ops.new_input("b", (columns,))
    X = ops.as_tensor(rng.normal(size=(len(person), columns)))
    eta = slope[item] * (ability[person] - 0.3) + ops.matmul(X, b)
    total = ops.sum_(rng.integers(0, 2, len(person)) * eta - ops.softplus(eta))
    return total, [ability, slope, b], 0.4 * rng.normal(size=persons + items + columns)


@pytest.mark.parametrize("persons, items", [(150, 20), (20, 150), (33, 33), (9, 70)])
@pytest.mark.parametrize("share", [1.0, 0.9, 0.4])
@pytest.mark.parametrize("columns", [1, 5])
def test_a_table_of_answers(persons, items, share, columns):
    compare_density(*answers(persons, items, share, columns))


def test_a_full_table_is_read_without_gathers():
    total, inputs, _ = answers(150, 20, 1.0, 2)
    ir = compile_density(total.node, [tensor.node for tensor in inputs]).ir
    loop = ir[ir.index("\nsteps") :]
    assert "llvm.masked.gather" not in loop[: loop.index("\nflush")]
