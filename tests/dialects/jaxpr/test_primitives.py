"""JAX programs as graphs: every kind of primitive against JAX's own evaluation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import jax.numpy as jnp
from jax import lax
from jax.scipy import linalg, special

import finetti as pm
from finetti.backends import reference
from finetti.dialects.jaxpr.boxes import CallsJaxWarning
from finetti.errors import NotYetSupported, ParameterError
from finetti.ir import Tensor, topological
from finetti.ir.ops.leaf import new_input
from finetti.model.compile import compile_density
from finetti.passes.simplify import simplify

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))
V = RNG.normal(size=5)
A = X @ X.T + 3 * np.eye(3)
IDX = np.array([2, 0, 1, 1])
ONE = np.array(1)

CASES = {
    # elementwise
    "arithmetic": (lambda x: x * 2 - x / 3 + (-x) ** 3 + jnp.abs(x) ** 0.3, X),
    "rounding": (lambda v: (jnp.round(v), jnp.trunc(v), jnp.floor(v), jnp.ceil(v), jnp.sign(v)), V),
    "exponentials": (lambda v: jnp.exp(v) + jnp.log1p(v * v) + jnp.expm1(v) + jnp.exp2(v), V),
    "trigonometry": (lambda v: jnp.sin(v) + jnp.arctan(v) + jnp.tanh(v) + jnp.arctan2(v, 2.0), V),
    "comparisons": (lambda x: ((x > 0) & (x < 1)) | ~(x >= 0.5), X),
    "choices": (lambda x: (jnp.where(x > 0, x, 0.0), jnp.clip(x, -0.5, 0.5), jnp.maximum(x, 0)), X),
    "integers": (lambda i: (i // 2, i % 3, -i // 2, lax.rem(-i, 3), lax.div(-i, 2), i**2), IDX),
    "roots": (lambda v: lax.rsqrt(jnp.abs(v)) + jnp.cbrt(v) + jnp.sqrt(jnp.abs(v)), V),
    "activations": (
        lambda v: (jax.nn.softplus(v), jax.nn.gelu(v), jax.nn.silu(v), jax.nn.relu(v)),
        V,
    ),
    "logaddexp": (lambda v: jnp.logaddexp(v, 0.3), V),
    "xlogy": (lambda v: (special.xlogy(v * v, v * v), special.xlog1py(v, v * v)), V),
    "gamma functions": (
        lambda v: (special.gammaln(v * v), special.digamma(v * v), special.polygamma(1, v * v)),
        V,
    ),
    "error functions": (
        lambda v: (
            special.erf(v),
            special.erfc(v),
            special.ndtr(v),
            special.log_ndtr(v),
            special.erfinv(jnp.tanh(v)),
            special.ndtri(jax.nn.sigmoid(v)),
        ),
        V,
    ),
    "incomplete functions": (
        lambda v: (
            special.gammainc(v * v, 2.0),
            special.gammaincc(v * v, 2.0),
            special.betainc(v * v, 2.0, 0.3),
        ),
        V,
    ),
    "Bessel functions": (lambda v: (special.i0e(v), special.i1e(v)), V),
    # shapes
    "reshaping": (lambda x: (x.T, x.reshape(2, 6), x[None, :, None], jnp.squeeze(x[:, :1])), X),
    "joining": (
        lambda x: (jnp.stack([x, x], 1), jnp.concatenate([x, x], 1), jnp.tile(x, (2, 1))),
        X,
    ),
    "splitting": (lambda x: (*jnp.split(x, 2, axis=1), jnp.roll(x, 1), jnp.diff(x)), X),
    "repeating": (
        lambda x: (jnp.repeat(x, 2, axis=0), jnp.flip(x, 0), jnp.broadcast_to(x, (2, 3, 4))),
        X,
    ),
    "padding": (lambda x: jnp.pad(x, ((1, 2), (0, 1)), constant_values=2.0), X),
    "padding inside and off": (lambda v: lax.pad(v, 0.0, [(-1, 2, 1)]), V),
    "triangles": (lambda a: (jnp.tril(a), jnp.triu(a, 1), jnp.diag(a), jnp.trace(a)), A),
    # indexing
    "slices": (lambda x: (x[::-1, 1::2], x[-1], x[:, 1]), X),
    "known positions": (
        lambda x: (x[IDX], x[:, IDX], x[IDX[:3], IDX[:3]], x[[[0], [2]], [1, 3]]),
        X,
    ),
    "positions in the middle": (lambda x: jnp.stack([x, x + 1])[:, IDX[:3], :], X),
    "positions": (lambda x, i: (x[i], x[i, 1:3], x[:, i]), X, IDX[:2]),
    "one position": (lambda x, i: x[i], X, ONE),
    "take along": (lambda x, i: jnp.take_along_axis(x, i[:, None], 1), X, IDX[:3]),
    "take and fill": (lambda x, i: jnp.take(x, i, axis=1, mode="fill"), X, np.array([0, 9, -1])),
    "take and clip": (lambda x, i: jnp.take(x, i, axis=0, mode="clip"), X, np.array([0, 9, -1])),
    "windows": (
        lambda x, i: (lax.dynamic_slice(x, (i, i), (2, 2)), lax.dynamic_slice(x, (9, 0), (1, 4))),
        X,
        ONE,
    ),
    "windows of a batch": (
        lambda x, i: jax.vmap(lambda r, j: lax.dynamic_slice(r, (j,), (2,)))(x, i),
        X,
        IDX[:3],
    ),
    "writing": (
        lambda x, v: (x.at[1].set(v[:4]), x.at[:, 1].set(v[:3]), x.at[1:, ::2].set(5.0)),
        X,
        V,
    ),
    "adding": (lambda x, v: x.at[IDX[:3], IDX[:3]].add(v[:3]), X, V),
    "multiplying": (lambda x: (x.at[1].multiply(3.0), x.at[0].max(0.0), x.at[2].min(0.0)), X),
    "writing in a batch": (lambda x, i: jax.vmap(lambda r, j: r.at[j].set(9.0))(x, i), X, IDX[:3]),
    "writing windows": (lambda x, i: lax.dynamic_update_slice(x, jnp.ones((2, 2)), (i, i)), X, ONE),
    "segments": (lambda v: jax.ops.segment_sum(v, jnp.array([0, 1, 0, 2, 1]), 3), V),
    # reductions and order
    "reductions": (lambda x: (x.sum(), x.mean(1), jnp.std(x), x.max(0), x.min(), x.prod(1)), X),
    "logsumexp": (
        lambda x: (special.logsumexp(x, axis=1, keepdims=True), jax.nn.log_softmax(x)),
        X,
    ),
    "truth": (lambda x: ((x > 0).all(), (x > 0).any(1), jnp.argmax(x, 1), jnp.argmin(x)), X),
    "running": (
        lambda x: (jnp.cumsum(x, 1), jnp.cumprod(x, 0), lax.cummax(x, 1, True), lax.cummin(x, 1)),
        X,
    ),
    "running logsumexp": (
        lambda x: (lax.cumlogsumexp(100 * x, 1), lax.cumlogsumexp(100 * x, 0, True)),
        X,
    ),
    "order": (lambda x: (jnp.sort(x), jnp.argsort(x, 0), jnp.median(x), jnp.quantile(x, 0.3)), X),
    # matrices
    "products": (lambda x, v: (x @ v[:4], x.T @ x, jnp.dot(v, v), jnp.outer(v, v)), X, V),
    "general products": (
        lambda x: (
            jnp.einsum("ij,kj->ki", x, x),
            jnp.einsum("ij,ij->i", x, x),
            jnp.einsum("bij,bjk->bik", jnp.stack([x, x]), jnp.stack([x.T, x.T])),
        ),
        X,
    ),
    "factors": (lambda a: (jnp.linalg.cholesky(a), jnp.linalg.slogdet(a), jnp.linalg.det(a)), A),
    "inverses": (lambda a: (jnp.linalg.inv(a), jnp.linalg.solve(a, a[0])), A),
    "triangular solves": (
        lambda a: (
            linalg.cho_solve((jnp.linalg.cholesky(a), True), a[0]),
            linalg.solve_triangular(a, a[0], lower=True),
            lax.linalg.triangular_solve(a, a, left_side=False, lower=True, transpose_a=True),
            lax.linalg.triangular_solve(a, a, left_side=True, lower=False, unit_diagonal=True),
        ),
        A,
    ),
    "eigenvalues": (lambda a: (jnp.linalg.eigh(a)[0], jnp.abs(jnp.linalg.eigh(a)[1])), A),
    # control
    "scan": (lambda v: lax.scan(lambda c, a: (c * 0.5 + a, (c, c + a)), 0.0, v), V),
    "scan backwards": (lambda v: lax.scan(lambda c, a: (c * 0.5 + a, c), 0.0, v, reverse=True), V),
    "long scan": (
        lambda v: lax.scan(lambda c, a: (jnp.sin(c + a), c * a), v[0], jnp.tile(v, 12)),
        V,
    ),
    "fori_loop": (lambda v: lax.fori_loop(0, 30, lambda i, c: jnp.cos(c) + v[i % 5], 0.0), V),
    "while_loop": (
        lambda v: lax.while_loop(
            lambda c: c[0] < 4, lambda c: (c[0] + 1, c[1] * v[c[0]]), (0, 1.0)
        ),
        V,
    ),
    "long while_loop": (
        lambda v: lax.while_loop(
            lambda c: (c[2] > 3) & (c[0] < 200),
            lambda c: (c[0] + 2 * c[3], jnp.sin(c[1] + v[c[0] % 5]), c[2] - 1, 3 - c[3]),
            (0, v[1], 60, 1),
        ),
        V,
    ),
    "cond": (lambda v: lax.cond(v[0] > 0, lambda v: v, lambda v: -v, v), V),
    "switch": (lambda v, i: lax.switch(i, [lambda v: v, lambda v: -v, jnp.exp], v), V, ONE),
    "known branch": (lambda v: lax.cond(True, lambda v: v, lambda v: -v, v), V),
    "jit": (lambda v: jax.jit(lambda a: jax.jit(jnp.sin)(a) * 2)(v), V),
    "checkpoint": (lambda v: jax.checkpoint(jnp.sin)(v), V),
    "gradients": (lambda v: jax.vmap(jax.grad(lambda t: jnp.sin(t) * t**2))(v), V),
    "gradients of indexing": (
        lambda x: jax.grad(lambda x: (x[IDX[:3]] ** 2).sum() + x[1, 2] * x[0, 0])(x),
        X,
    ),
    "associative_scan": (lambda v: lax.associative_scan(lambda a, b: a * 0.9 + b, v), V),
    "random numbers": (lambda v: v + jax.random.normal(jax.random.key(0), (5,)), V),
}


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def inputs(arrays):
    names = {"f": "float64", "i": "int64", "b": "bool"}
    return [new_input(f"x{i}", a.shape, names[a.dtype.kind]) for i, a in enumerate(arrays)]


@pytest.mark.parametrize("case", CASES)
def test_primitives(case):
    function, *arrays = CASES[case]
    tensors = inputs(arrays)
    leaves = jax.tree_util.tree_leaves(
        pm.from_jax(function)(*tensors), is_leaf=lambda x: isinstance(x, Tensor)
    )
    found = reference.evaluate(leaves, {t.node: a for t, a in zip(tensors, arrays, strict=True)})
    wanted = jax.tree_util.tree_leaves(jax.jit(function)(*map(jnp.asarray, arrays)))
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, np.asarray(want), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[0], lambda x: x[1, 2], lambda x: x[:, -1], lambda x: x[IDX[:3], 0],
        lambda x: x[1, IDX], lambda x: x[IDX[:3]], lambda x: x[0] * X, lambda x: x[:, :1] * x,
        lambda x: V[:3, None] * x[:, 0], lambda x: (x + 1.0) / 2.0 - x**2, lambda x: X.T @ x,
    ],
)  # fmt: skip
def test_what_means_the_same_is_the_same_graph(function):
    (x,) = inputs([X])
    one, two = pm.from_jax(function)(x), function(x)
    assert simplify([one.node]) == simplify([two.node])


def test_32_bit_programs_are_computed_with_64():
    def half(v):
        return lax.scan(lambda c, a: (c + jnp.float32(a), c), jnp.float32(0), jnp.float32(1) * v)[0]

    with jax.enable_x64(False):
        (x,) = inputs([V])
        total = pm.from_jax(half)(x)
    (value,) = reference.evaluate([total], {x.node: V})
    np.testing.assert_allclose(value, V.sum(), rtol=1e-14)


def density_of(function, *starts):
    """A model of standard normals with the function's value as a potential, compiled."""
    with pm.Model() as model:
        values = [pm.Normal(f"x{i}") for i in range(len(starts))]
        pm.Potential("term", pm.from_jax(function)(*values))
    return compile_density(model)(np.array(starts))


def with_prior(function):
    return lambda x: function(*x) - 0.5 * jnp.sum(x**2) - 0.5 * len(x) * jnp.log(2 * jnp.pi)


Y = np.cumsum(RNG.normal(size=60))


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: -jnp.sum((Y - a - jnp.exp(b)) ** 2) / 2,
        lambda a, b: lax.scan(
            lambda c, y: (y, -((y - a * c) ** 2) / jnp.exp(b)), 0.0, jnp.asarray(Y)
        )[1].sum(),
        lambda a, b: jnp.linalg.slogdet(jnp.eye(3) * jnp.exp(a) + jnp.tanh(b) * 0.1)[1],
    ],
)
def test_a_potential_and_its_gradient(function):
    value, slope = density_of(function, 0.4, 0.1)
    wanted, gradient = jax.value_and_grad(with_prior(function))(jnp.array([0.4, 0.1]))
    np.testing.assert_allclose(value, wanted, rtol=1e-10)
    np.testing.assert_allclose(slope, gradient, rtol=1e-9)


def test_black_boxes_say_what_they_cost():
    def smooth(a, b):
        return jnp.convolve(jnp.array([a, b, a]), jnp.array([b, 1.0])).sum()

    with pytest.warns(CallsJaxWarning, match="conv_general_dilated.*test_primitives"):
        value, slope = density_of(smooth, 0.4, 0.1)
    wanted, gradient = jax.value_and_grad(with_prior(smooth))(jnp.array([0.4, 0.1]))
    np.testing.assert_allclose(value, wanted, rtol=1e-10)
    np.testing.assert_allclose(slope, gradient, rtol=1e-10)


def test_differential_equations_are_a_black_box():
    from jax.experimental.ode import odeint

    def total(a, b):
        times = jnp.linspace(0.0, 1.0, 4)
        return odeint(lambda y, t: jnp.array([a * y[0] - b * y[1], y[0]]), jnp.ones(2), times).sum()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CallsJaxWarning)
        value, slope = density_of(total, 0.4, 0.1)
    wanted, gradient = jax.value_and_grad(with_prior(total))(jnp.array([0.4, 0.1]))
    np.testing.assert_allclose(value, wanted, rtol=1e-10)
    np.testing.assert_allclose(slope, gradient, rtol=1e-8)


def test_structures_and_plain_arguments():
    (x,) = inputs([V])

    def function(pair, *, power):
        return {"sum": pair[0].sum() + pair[1], "row": pair[0] ** power}

    found = pm.from_jax(function)((x, 3.0), power=2)
    assert sorted(found) == ["row", "sum"]
    row, total = reference.evaluate([found["row"], found["sum"]], {x.node: V})
    np.testing.assert_allclose(row, V**2)
    np.testing.assert_allclose(total, V.sum() + 3.0)


def test_loops_that_count_are_loops_however_they_are_written():
    (x,) = inputs([V])
    ways = {
        "scan": lambda v: lax.scan(lambda c, t: (c * 0.5 + v[t % 5], None), 0.0, jnp.arange(90))[0],
        "for": lambda v: lax.fori_loop(0, 90, lambda t, c: c * 0.5 + v[t % 5], 0.0),
        "while": lambda v: lax.while_loop(
            lambda c: c[0] < 90, lambda c: (c[0] + 1, c[1] * 0.5 + v[c[0] % 5]), (0, 0.0)
        )[1],
    }
    found = [simplify([pm.from_jax(way)(x).node])[0] for way in ways.values()]
    assert sum(node.op.name == "scan" for node in topological(found)) == 1
    assert found[0] is found[1] is found[2]


def test_what_is_refused_names_the_line():
    (x,) = inputs([V])
    with pytest.raises(NotYetSupported, match=r"from_jax\(.*fft.*test_primitives\.py, line"):
        pm.from_jax(lambda v: jnp.abs(jnp.fft.rfft(v)))(x)
    with pytest.raises(NotYetSupported, match="number of steps depends on random variables"):
        pm.from_jax(lambda v: lax.while_loop(lambda c: c < v[0], lambda c: c + 1.0, 0.0))(x)
    with pytest.raises(ParameterError, match="expected a function"):
        pm.from_jax(3)
