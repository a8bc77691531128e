"""Loops in machine code against the reference."""

import numpy as np
import pytest
from tests.ir.loops import LOOPS, SHAPES, built, weighted

from finetti.backends.native import compile_density, compile_map
from finetti.backends.reference import evaluate
from finetti.ir import Tensor, ops
from finetti.passes.grad import gradient


def point_of(inputs, values):
    return np.concatenate([np.ravel(values[key]) for key in inputs])


@pytest.mark.parametrize("name", LOOPS)
def test_outputs_equal_the_reference(name):
    outputs, inputs, values = built(name)
    known = {tensor.node: values[key] for key, tensor in inputs.items()}
    nodes = [inputs[key].node for key in SHAPES]
    got = compile_map([t.node for t in outputs], nodes)(point_of(SHAPES, values))
    for one, other in zip(got, evaluate(outputs, known), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", LOOPS)
def test_density_and_gradient_equal_the_reference(name):
    outputs, inputs, values = built(name)
    known = {tensor.node: values[key] for key, tensor in inputs.items()}
    nodes = [inputs[key].node for key in SHAPES]
    total = weighted(outputs)
    value, *grads = evaluate([total.node, *gradient(total.node, nodes)], known)
    lp, got = compile_density(total.node, nodes)(point_of(SHAPES, values))
    np.testing.assert_allclose(lp, value, rtol=1e-11)
    flat = np.concatenate([g.ravel() for g in grads])
    np.testing.assert_allclose(got, flat, rtol=1e-10, atol=1e-11 * max(1.0, np.abs(flat).max()))


@pytest.mark.parametrize("name", LOOPS)
def test_second_derivatives_equal_the_reference(name):
    outputs, inputs, values = built(name)
    known = {tensor.node: values[key] for key, tensor in inputs.items()}
    nodes = [inputs[key].node for key in SHAPES]
    rng = np.random.default_rng(8)
    slope = ops.as_tensor(0.0)
    for grad in gradient(weighted(outputs).node, nodes):
        slope = slope + ops.sum_(Tensor(grad) * rng.normal(size=grad.shape))
    value, *grads = evaluate([slope.node, *gradient(slope.node, nodes)], known)
    lp, got = compile_density(slope.node, nodes)(point_of(SHAPES, values))
    np.testing.assert_allclose(lp, value, rtol=1e-10)
    flat = np.concatenate([g.ravel() for g in grads])
    np.testing.assert_allclose(got, flat, rtol=1e-9, atol=1e-10 * max(1.0, np.abs(flat).max()))


def long_series(length):
    a, s = ops.new_input("a", ()), ops.new_input("s", ())
    noise = np.random.default_rng(0).normal(size=length)
    _, h = ops.scan(lambda c, e: ((new := a * c + ops.exp(s) * e), new), 0.0, [noise])
    return ops.sum_(ops.tanh(h)), [a.node, s.node]


def test_the_code_is_of_one_size_however_long_the_loop():
    lines = []
    # Both too short to be cut into chunks, and both cut.
    for length in (80, 8_000, 640_000, 1_280_000):
        total, nodes = long_series(length)
        lines.append(len(compile_density(total.node, nodes).ir.splitlines()))
    assert lines[0] == lines[1] and lines[2] == lines[3]


def test_equal_loops_have_equal_text():
    texts = {compile_density(*[(t.node, n) for t, n in [long_series(300)]][0]).ir for _ in range(2)}
    assert len(texts) == 1


def test_many_loops_in_a_large_model():
    """Enough scalars for the code to be taken apart, with loops in the parts."""
    x = ops.new_input("x", (60,))
    total = ops.as_tensor(0.0)
    for i in range(60):
        last, _ = ops.scan(lambda c, e, i=i: (ops.sin(c * x[i]) + e, None), x[i], [np.ones(3 + i)])
        total = total + ops.exp(last * 0.1) * ops.cos(x[i]) + ops.log1p(x[i] * x[i]) * last
    point = np.random.default_rng(1).uniform(size=60)
    value, grad = evaluate([total.node, *gradient(total.node, [x.node])], {x.node: point})
    lp, got = compile_density(total.node, [x.node])(point)
    np.testing.assert_allclose(lp, value, rtol=1e-11)
    np.testing.assert_allclose(got, grad, rtol=1e-9, atol=1e-11)


def test_threads_do_not_share_what_a_loop_carries():
    from concurrent.futures import ThreadPoolExecutor

    outputs, inputs, values = built("wide")
    nodes = [inputs[key].node for key in SHAPES]
    compiled = compile_density(weighted(outputs).node, nodes)
    points = [point_of(SHAPES, values) * (1 + 0.01 * k) for k in range(8)]
    alone = [compiled(p)[0] for p in points]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            assert [lp for lp, _ in pool.map(compiled, points)] == alone
