"""Every operation's record against itself: type rule, gradient, and both backends."""

import numpy as np
import pytest

from finetti.backends.native import compile_density, compile_map
from finetti.backends.reference import evaluate
from finetti.ir import FLOAT, OPS, Tensor, attrs_of, ops
from finetti.passes.grad import gradient

CASES = [
    pytest.param(op, sample, id=f"{name}-{k}")
    for name, op in OPS.items()
    for k, sample in enumerate(op.samples)
]


def build(op, sample):
    """(result, inputs, values): floats and booleans come in through inputs, integers stay."""
    case = sample(np.random.default_rng(5))
    args, attrs = case if op.attr_names else (case, {})
    inputs, values, operands = [], {}, []
    for i, array in enumerate(map(np.asarray, args)):
        if array.dtype.kind == "i":
            operands.append(ops.as_tensor(array))
            continue
        tensor = ops.new_input(f"a{i}", array.shape)
        inputs.append(tensor.node)
        boolean = array.dtype.kind == "b"
        values[tensor.node] = np.where(array, 1.0, -1.0) if boolean else array
        operands.append(tensor > 0 if boolean else tensor)
    return op(*operands, **attrs), inputs, values


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_type_rule_is_what_numpy_does(op, sample):
    result, _, values = build(op, sample)
    node = result.node
    raw = op.evaluate(tuple(evaluate(node.args, values)), node.attrs)
    assert np.shape(raw) == node.shape
    assert np.asarray(raw).dtype == node.type.dtype


@pytest.mark.parametrize(("op", "sample"), [c for c in CASES if c.values[0].vjp is not None])
def test_vjp_against_finite_differences(op, sample):
    result, inputs, values = build(op, sample)
    if result.node.type.dtype != FLOAT or not inputs:
        assert op.family in ("leaf", "elementwise")
        return
    rng = np.random.default_rng(6)
    total = ops.sum_(result * rng.normal(size=result.node.shape))
    for node, adjoint in zip(inputs, evaluate(gradient(total.node, inputs), values), strict=True):
        direction = rng.normal(size=node.shape)
        if op.name in ("cholesky", "eigh"):  # of which one triangle is read
            direction = direction + np.swapaxes(direction, -1, -2)

        def along(t, node=node, direction=direction):
            (value,) = evaluate([total], {**values, node: values[node] + t * direction})
            return float(value)

        h = 1e-4
        numeric = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h)
        analytic = float(np.sum(adjoint * direction))
        assert abs(numeric - analytic) <= 1e-6 * (1 + abs(analytic))


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_native_value_and_gradient_equal_reference(op, sample):
    result, inputs, values = build(op, sample)
    if op.native is None:
        assert op.notes["native"]
        return
    point = np.concatenate([values[n].ravel() for n in inputs]) if inputs else np.zeros(0)
    (expected,) = evaluate([result], values)
    (got,) = compile_map([result.node], inputs)(point)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=op.tol, atol=op.tol)
    if op.vjp is None or result.node.type.dtype != FLOAT:
        return
    weights = np.random.default_rng(7).normal(size=expected.shape)
    total = ops.sum_(result * weights)
    value, *parts = evaluate([total.node, *gradient(total.node, inputs)], values)
    lp, grad = compile_density(total.node, inputs)(point)
    np.testing.assert_allclose(lp, value, rtol=1e-10, atol=1e-11)
    flat = np.concatenate([p.ravel() for p in parts]) if parts else np.zeros(0)
    np.testing.assert_allclose(grad, flat, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("op", OPS.values(), ids=OPS)
def test_missing_columns_have_a_reason(op):
    for column in ("numpy", "vjp", "native", "jax"):
        if getattr(op, column) is None:
            assert op.notes.get(column), f"{op.name}: {column} is None without a reason"


def test_every_operation_with_arguments_has_samples():
    missing = [op.name for op in OPS.values() if not op.samples and op.family != "leaf"]
    assert all(OPS[name].family in ("random", "model") for name in missing)


def test_attributes_are_reported_by_name():
    node = Tensor(ops.sum_(ops.new_input("x", (3, 2)), axis=1).node).node
    assert attrs_of(node) == {"axes": (1,)}
