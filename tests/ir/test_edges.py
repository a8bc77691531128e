"""Infinities, NaN, signed zeros and extreme numbers: every backend and width as the reference."""

import math

import numpy as np
import pytest

from finetti.backends.native import compile_map
from finetti.backends.reference import evaluate
from finetti.ir import BOOL, FLOAT, OPS, TensorType, ops
from finetti.ir.ops.leaf import new_input
from finetti.passes.grad import gradient

EDGES = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 2.5, -2.5, 30.0, -30.0, 1e-9, -1e-9, 1e-300, 1e300,
     -1e300, math.inf, -math.inf, math.nan, 700.0, -700.0, 1.0 - 1e-12, 1.0 + 1e-12]
)  # fmt: skip
# Where the reference is less accurate than the native code, or another choice is as good.
LOOSE = {
    "polygamma": "scipy gives inf or NaN by order at poles and -inf",
    "cast": "an integer made of NaN or infinity is undefined",
    "gamma": "the sign at -0.0 and negative integers differs among C libraries",
    "ive": "orders are whole in models; scipy extends to negative fractions",
    "gammaincinv": "the reference stops at other places in its tails",
    "betaincinv": "the reference stops at other places in its tails",
    "betainc": "scipy has limits for infinite and zero parameters; a model has none",
    "power": "0 and NaN to the power 0",
}
# Near its zeros at 1 and 2 the logarithm of the gamma function has an absolute error.
ABSOLUTE = {"gammaln": 1e-14}
NOT_HERE = {*LOOSE, "where", "log1p_unit", "log_few"}
SCALAR = [
    op for op in OPS.values()
    if op.family == "elementwise" and op.native and op.name not in NOT_HERE
]  # fmt: skip


def arity(op):
    case = op.samples[0](np.random.default_rng(0))
    return len(case[0] if op.attr_names else case)


def table(op):
    """All combinations of edges, one vector for each argument."""
    grid = np.meshgrid(*[EDGES if arity(op) < 3 else EDGES[::3]] * arity(op))
    return [g.ravel() for g in grid]


def floor_of(op):
    return ABSOLUTE.get(op.name, 1e-290)


def applied(op, tensors):
    attrs = op.samples[0](np.random.default_rng(0))[1] if op.attr_names else {}
    boolean = op.name.startswith("logical")
    return op(*(t > 0 if boolean else t for t in tensors), **attrs)


@pytest.mark.parametrize("op", SCALAR, ids=[op.name for op in SCALAR])
def test_vectors_of_edges(op):
    arrays = table(op)
    tensors = [ops.new_input(f"x{i}", a.shape) for i, a in enumerate(arrays)]
    inputs = [t.node for t in tensors]
    result = applied(op, tensors)
    (expected,) = evaluate([result], dict(zip(inputs, arrays, strict=True)))
    (got,) = compile_map([result.node], inputs)(np.concatenate(arrays))
    np.testing.assert_allclose(got, expected, rtol=max(op.tol, 1e-11), atol=floor_of(op))


@pytest.mark.parametrize("op", SCALAR, ids=[op.name for op in SCALAR])
def test_scalars_at_edges(op):
    arrays = [a[:: max(1, len(a) // 24)] for a in table(op)]
    tensors = [ops.new_input(f"x{i}", ()) for i in range(len(arrays))]
    inputs = [t.node for t in tensors]
    result = applied(op, tensors)
    function = compile_map([result.node], inputs)
    for point in zip(*arrays, strict=True):
        (expected,) = evaluate([result], dict(zip(inputs, map(np.asarray, point), strict=True)))
        (got,) = function(np.array(point))
        np.testing.assert_allclose(
            got, expected, rtol=max(op.tol, 1e-11), atol=floor_of(op), err_msg=str(point)
        )


GRADIENTS = [
    (lambda x, y: ops.logaddexp(x, y), [math.inf, 1.0], [1.0, 0.0]),
    (lambda x, y: ops.logaddexp(x, y), [-math.inf, 1.0], [0.0, 1.0]),
    (lambda x, y: ops.logaddexp(x, y), [-math.inf, -math.inf], [0.5, 0.5]),
    (lambda x, y: ops.logaddexp(x, y), [2.0, 2.0], [0.5, 0.5]),
    (lambda x, y: ops.logdiffexp(x, y), [3.0, -math.inf], [1.0, 0.0]),
    (lambda x, y: ops.log1mexp(x) + 0.0 * y, [-math.inf, 0.0], [0.0, 0.0]),
    (lambda x, y: ops.log1mexp(x) + y, [-1e-18, 0.0], [-1e18, 1.0]),
    (lambda x, y: ops.log_ndtr(x) + y, [-1e9, 0.0], [1e9, 1.0]),
    (lambda x, y: ops.log_ndtr(x) + y, [60.0, 0.0], [0.0, 1.0]),
    (lambda x, y: ops.softplus(x) + y, [-math.inf, 0.0], [0.0, 1.0]),
    (lambda x, y: ops.i1e(x) + y, [0.0, 0.0], [0.5, 1.0]),
    (lambda x, y: ops.logsumexp(ops.stack([x, y])), [-math.inf, 2.0], [0.0, 1.0]),
    (lambda x, y: ops.clip(x, -1.0, 1.0) + y, [2.0, 0.0], [0.0, 1.0]),
    (lambda x, y: ops.arcsinh(x) + y, [1e300, 0.0], [0.0, 1.0]),
]


@pytest.mark.parametrize("case", range(len(GRADIENTS)))
def test_gradients_at_edges(case):
    function, point, expected = GRADIENTS[case]
    x, y = ops.new_input("x", ()), ops.new_input("y", ())
    grads = gradient(function(x, y).node, [x.node, y.node])
    values = {x.node: np.array(point[0]), y.node: np.array(point[1])}
    np.testing.assert_allclose(evaluate(grads, values), expected, rtol=1e-12, atol=1e-290)


def test_second_derivative_of_logaddexp_at_a_tie():
    x, y = ops.new_input("x", ()), ops.new_input("y", ())
    (slope,) = gradient(ops.logaddexp(x, y).node, [x.node])
    (curve,) = gradient(slope, [x.node])
    point = {x.node: np.array(1.5), y.node: np.array(1.5)}
    assert evaluate([curve], point)[0] == pytest.approx(0.25, rel=1e-15)


@pytest.mark.parametrize(
    "op",
    [op for op in OPS.values() if op.family == "elementwise" and op.native],
    ids=lambda op: op.name,
)
@pytest.mark.parametrize("shape", [(0,), (1,), (1, 1), (0, 3), (3, 0, 2)])
def test_empty_and_single_elements(op, shape):
    case = op.samples[0](np.random.default_rng(1))
    args, attrs = case if op.attr_names else (case, {})
    arrays = [np.broadcast_to(np.ravel(a)[0], shape) for a in map(np.asarray, args)]
    tensors = [ops.new_input(f"x{i}", shape) for i in range(len(arrays))]
    operands = [t > 0 if a.dtype == bool else t for t, a in zip(tensors, arrays, strict=True)]
    result = op(*operands, **attrs)
    inputs = [t.node for t in tensors]
    values = {n: np.asarray(a, float) for n, a in zip(inputs, arrays, strict=True)}
    (expected,) = evaluate([result], values)
    point = np.concatenate([v.ravel() for v in values.values()])
    (got,) = compile_map([result.node], inputs)(point)
    assert got.shape == expected.shape == shape
    np.testing.assert_allclose(got, expected, rtol=op.tol * 10)
    assert result.node.type in (TensorType(FLOAT, shape), TensorType(BOOL, shape)) or not attrs


@pytest.mark.parametrize("op, shift", [(ops.xlogy, 0.0), (ops.xlog1py, 1.0)])
def test_the_slope_of_x_log_y_is_zero_where_x_is(op, shift):
    # so that z * p, with z = 0, has a gradient
    y = new_input("y", (3,))
    total = ops.sum_(op(np.array([0.0, 2.0, 3.0]), y))
    (slope,) = gradient(total.node, [y.node])
    values = {y.node: np.array([0.0, 0.0, 0.5]) - shift}
    with np.errstate(divide="ignore", invalid="ignore"):
        np.testing.assert_array_equal(evaluate([slope], values)[0], [0.0, np.inf, 6.0])
