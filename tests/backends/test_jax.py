"""Every operation and random graphs in JAX against the reference: values and derivatives."""

import numpy as np
import pytest
from tests.backends.agreement import by_jax, expected, values_of
from tests.backends.random_graphs import random_graph, random_outputs
from tests.backends.random_steps import stress_graph
from tests.backends.test_random_graphs import close
from tests.ir.test_ops import build
from tests.optional import required

from finetti.backends.jax_lowering import density, lower
from finetti.backends.reference import evaluate
from finetti.errors import NotYetSupported
from finetti.ir import FLOAT, OPS, Tensor, ops, rebuild
from finetti.passes.grad import gradient

jax = required("jax", 'pip install "finetti[jax]"')

WITH_JAX = [name for name, op in OPS.items() if op.jax is not None and op.samples]
# XLA takes numbers below 2.2e-308 for zero, so none of those.
EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-300, 1e300, -1e300, np.inf, -np.inf, np.nan, 1e-9,
         710.0, -746.0)  # fmt: skip
# Where JAX gives another limit, or NaN: the gamma functions at poles and at -inf.
POLES = (0.0, -np.inf, -1.0, -3.0, -746.0)
OTHER_LIMITS = {"gammaln": (-np.inf,), "digamma": (0.0,), "gamma": POLES}


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def cases(name):
    """All samples of one operation, each over inputs of its own, and their values."""
    results, values = [], {}
    for k, sample in enumerate(OPS[name].samples):
        result, inputs, given = build(OPS[name], sample)
        # Inputs of equal names and shapes are one node: tell the samples apart.
        fresh = {node: ops.new_input(f"{k}:{node.attrs[0]}", node.shape).node for node in inputs}
        (node,) = rebuild([result.node], fresh)
        results.append(node)
        values.update({fresh[node]: given[node] for node in inputs})
    return results, values


@pytest.mark.parametrize("name", WITH_JAX)
def test_values(name):
    results, values = cases(name)
    got = lower(results, list(values))(*values.values())
    for one, other in zip(got, evaluate(results, values), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(one, other, rtol=OPS[name].tol, atol=OPS[name].tol)


@pytest.mark.parametrize("name", [n for n in WITH_JAX if OPS[n].vjp is not None])
def test_gradients(name):
    results, values = cases(name)
    rng = np.random.default_rng(7)
    total = ops.as_tensor(0.0)
    for node in results:
        if node.type.dtype == FLOAT:
            total = total + ops.sum_(Tensor(node) * rng.normal(size=node.shape))
    inputs = list(values)
    if not inputs:
        return
    want = evaluate(gradient(total.node, inputs), values)
    slopes = jax.grad(density(total.node, inputs), tuple(range(len(inputs))))
    got = jax.jit(slopes)(*values.values())
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


def floats(count):
    """Names of elementwise operations of so many floats."""
    for name in WITH_JAX:
        op = OPS[name]
        if op.family == "elementwise" and not op.attr_names:
            args = op.samples[0](np.random.default_rng(0))
            if len(args) == count and all(np.asarray(x).dtype == float for x in args):
                yield name


@pytest.mark.parametrize("name", list(floats(1)))
def test_edges_of_the_domain(name):
    x = ops.new_input("x", (len(EDGES),))
    node = OPS[name](x).node
    (want,) = evaluate([node], {x.node: np.array(EDGES)})
    (got,) = lower([node], [x.node])(np.array(EDGES))
    apart = np.isin(EDGES, OTHER_LIMITS.get(name, ()))
    # near its zeros at 1 and 2 JAX's logarithm of the gamma function has an absolute error
    floor = 2e-15 if name == "gammaln" else 0.0
    np.testing.assert_allclose(
        np.where(apart, 0, got), np.where(apart, 0, want), rtol=1e-12, atol=floor
    )


@pytest.mark.parametrize("name", [n for n in floats(2) if not n.startswith("gammainc")])
def test_edges_of_two_arguments(name):
    grids = [grid.ravel() for grid in np.meshgrid(EDGES, EDGES)]
    inputs = [ops.new_input(f"x{k}", grid.shape) for k, grid in enumerate(grids)]
    node = OPS[name](*inputs).node
    (want,) = evaluate([node], {t.node: grid for t, grid in zip(inputs, grids, strict=True)})
    (got,) = lower([node], [t.node for t in inputs])(*grids)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-300)


def test_incomplete_gamma_ends_at_any_argument():
    a, x = (grid.ravel() for grid in np.meshgrid(np.abs(EDGES), np.abs(EDGES)))
    p, q = ops.new_input("p", a.shape), ops.new_input("q", a.shape)
    graph = [OPS["gammainc"](p, q).node, OPS["gammaincc"](p, q).node]
    want = evaluate(graph, {p.node: a, q.node: x})
    for one, other in zip(lower(graph, [p.node, q.node])(a, x), want, strict=True):
        settled = ~np.isnan(one)  # NaN, not a wrong number, where a series does not settle
        assert settled.mean() > 0.7
        np.testing.assert_allclose(one[settled], other[settled], rtol=1e-11, atol=1e-14)


def test_a_matrix_without_a_factor_or_an_inverse_is_nan_throughout():
    good, bad = np.eye(2) + 0.5, np.array([[1.0, 2.0], [2.0, 1.0]])
    x = ops.new_input("x", (2, 2, 2))
    (factor,) = lower([ops.cholesky(x).node], [x.node])(np.stack([good, bad]))
    np.testing.assert_allclose(factor[0], np.linalg.cholesky(good), rtol=1e-14)
    assert np.isnan(factor[1]).all()
    singular = np.array([[1.0, 0.0], [1.0, 0.0]])
    for graph in (ops.solve_triangular(x, np.ones((2, 2, 1))), ops.solve(x, np.ones((2, 2, 1)))):
        (solved,) = lower([graph.node], [x.node])(np.stack([good, singular]))
        assert np.isfinite(solved[0]).all() and np.isnan(solved[1]).all()


def test_only_the_lower_triangle_of_a_matrix_is_factored():
    x = np.array([[2.0, np.nan], [0.5, 1.0]])
    node = ops.new_input("x", (2, 2))
    (factor,) = lower([ops.cholesky(node).node], [node.node])(x)
    np.testing.assert_allclose(factor @ factor.T, [[2.0, 0.5], [0.5, 1.0]], rtol=1e-14)


def test_an_extreme_that_was_rounded_otherwise_is_found():
    from finetti.backends.jax import places_of  # noqa: PLC0415, needs JAX

    x = np.array([[1.0, 3.0, 3.0], [2.0, -1.0, 0.5], [np.nan, 1.0, 5.0]])
    largest = [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
    got = places_of(x, x.max(1, keepdims=True), axes=(1,), op=OPS["max"])
    np.testing.assert_array_equal(got, largest)
    off = np.nextafter(x.max(1, keepdims=True), np.inf)
    got = places_of(x, off, axes=(1,), op=OPS["max"])
    np.testing.assert_array_equal(got, [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    smallest = places_of(x[:2], np.float64(-1.5), axes=(0, 1), op=OPS["min"])
    np.testing.assert_array_equal(smallest, [[0, 0, 0], [0, 1, 0]])
    y = ops.new_input("y", (2, 3))
    graph = ops.sum_(ops.max_(y * 0.7 + x[:2], 0)).node
    made = lower(gradient(graph, [y.node]), [y.node]).lower(x[:2]).as_text()
    assert "argmax" in made


SLICED = [
    (..., None, slice(None, None, -1)), (1, slice(None, None, 2)), (slice(3, None, -3), -1),
    (slice(-3, -1),), (slice(2, 2), 0), (slice(0, 1, 7), slice(None, 1, -2)), (slice(None),),
    (None,),
]  # fmt: skip


@pytest.mark.parametrize("key", SLICED, ids=str)
def test_the_adjoint_of_slices(key):
    x = ops.new_input("x", (4, 5))
    part = ops.getitem(x, key)
    weights = np.random.default_rng(1).normal(size=part.node.shape)
    (slope,) = gradient(ops.sum_(part * weights * x[0, 0]).node, [x.node])
    value = {x.node: np.random.default_rng(2).normal(size=(4, 5))}
    (want,) = evaluate([slope], value)
    np.testing.assert_allclose(lower([slope], [x.node])(*value.values())[0], want, rtol=1e-14)


def test_the_reverse_of_a_whole_array_that_was_added_to():
    # XLA of JAX 0.10 ends the process over a scatter in the place of the sum.
    x = ops.new_input("x", (1, 5))
    spec = (("slice", None, None, None),) * 2
    node = OPS["index_add"](x, shape=(1, 5), spec=spec)[:, ::-1].node
    np.testing.assert_array_equal(lower([node], [x.node])(np.ones((1, 5)))[0], np.ones((1, 5)))


def test_places_out_of_bounds_are_nan():
    x, at = ops.new_input("x", (3,)), ops.new_input("at", (2,), "int64")
    graph = ops.getitem(x, at).node
    (got,) = lower([graph], [x.node, at.node])(np.arange(3.0), np.array([-1, 3]))
    np.testing.assert_array_equal(got, [2.0, np.nan])


def test_an_operation_that_jax_lacks_is_refused_by_name():
    _, attrs = OPS["parts"].samples[0](np.random.default_rng(0))
    node = OPS["parts"](ops.new_input("x", (6,)), ops.new_input("a", ()), **attrs).node
    with pytest.raises(NotYetSupported, match="'parts' cannot run in JAX"):
        lower([node], [n for n in node.args if n.op.name == "input"])


# -- derivatives ---------------------------------------------------------------------------------

KINKS = {
    "log": (lambda x: ops.where(x > 0, ops.log(x), 0.0), [0.0, -1.0, 2.0], [0.0, 0.0, 0.5]),
    "sqrt": (lambda x: ops.where(x > 0, ops.sqrt(x), 0.0), [0.0, -1.0, 4.0], [0.0, 0.0, 0.25]),
    "log sigmoid": (lambda x: ops.log(ops.sigmoid(x)), [-800.0, 0.0, 800.0], [1.0, 0.5, 0.0]),
}


@pytest.mark.parametrize("name", KINKS)
def test_gradients_are_ours_where_those_of_jax_are_nan(name):
    function, at, want = KINKS[name]
    x = ops.new_input("x", (3,))
    graph = ops.sum_(function(x)).node
    np.testing.assert_allclose(jax.grad(density(graph, [x.node]))(np.array(at)), want)
    by_jax = jax.grad(lambda a: lower([graph], [x.node])(a)[0])(np.array(at))
    assert np.isnan(by_jax).any()


def test_all_modes_give_the_same_derivatives():
    total, inputs, point = random_graph(11)
    nodes = [tensor.node for tensor in inputs]
    f = density(total.node, nodes)
    arrays = tuple(values_of(inputs, point).values())
    along = tuple(np.random.default_rng(1).normal(size=a.shape) for a in arrays)
    every = tuple(range(len(arrays)))
    value, slope = jax.jvp(f, arrays, along)
    also, grads = jax.value_and_grad(f, every)(*arrays)
    assert value == also
    np.testing.assert_allclose(slope, sum(map(np.vdot, grads, along)), rtol=1e-12)
    turn = jax.jvp(jax.grad(f, every), arrays, along)[1]
    back = jax.grad(lambda *x: jax.jvp(f, x, along)[1], every)(*arrays)
    for one, other in zip(turn, back, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


def test_third_derivative():
    x = ops.new_input("x", ())
    f = density(ops.sin(2.0 * x).node, [x.node])
    got = jax.grad(jax.grad(jax.grad(f)))(0.3)
    np.testing.assert_allclose(got, -8.0 * np.cos(0.6), rtol=1e-14)


def test_whole_numbers_have_no_derivative():
    x, k = ops.new_input("x", (2,)), ops.new_input("k", (2,), "int64")
    f = density(ops.sum_(x * x * k).node, [x.node, k.node])
    got = jax.jit(jax.grad(f))(np.array([1.0, 2.0]), np.array([3, 4]))
    np.testing.assert_array_equal(got, [6.0, 16.0])


# -- random graphs -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_density_of_a_random_graph(seed):
    total, inputs, point = random_graph(seed)
    values = values_of(inputs, point)
    expected, *parts = evaluate([total.node, *gradient(total.node, list(values))], values)
    f = jax.jit(jax.value_and_grad(density(total.node, list(values)), tuple(range(len(values)))))
    value, grads = f(*values.values())
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
    for one, other in zip(grads, parts, strict=True):
        close(one, other)


@pytest.mark.parametrize("seed", range(3000, 3020))
def test_outputs_of_all_dtypes(seed):
    outputs, inputs, point = random_outputs(seed)
    values = values_of(inputs, point)
    got = lower([output.node for output in outputs], list(values))(*values.values())
    for one, other in zip(got, evaluate(outputs, values), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        close(one, other)


@pytest.mark.parametrize("seed", range(5000, 5015))
def test_density_with_any_operation(seed):
    total, tensors, point = stress_graph(seed, 80)
    inputs, values = [t.node for t in tensors], values_of(tensors, point)
    want = expected(total.node, inputs, values)
    assert not want.lost
    assert want.complaint(by_jax(total.node, inputs, values)) is None
