"""Corners in which generated code once went wrong, each as small as it gets."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from finetti.backends.native import compile_density, compile_map
from finetti.backends.reference import evaluate
from finetti.ir import ops
from finetti.ir.node import _interned
from finetti.passes.grad import gradient

ROOT = Path(__file__).parents[3]
INF = np.inf


def deep(x):
    for _ in range(1200):
        x = ops.maximum(x, -0.5 * x) * 0.99
    return x


# What is computed, and a point for each argument.
CORNERS = {
    "an element times an array": (lambda x, z: x[2] * z, np.arange(7.0), np.arange(5.0)),
    "an element in a long loop": (lambda x, z: x[-1] * z, np.arange(4.0), np.arange(50.0)),
    "an element of what is computed": (lambda x, z: ops.exp(x)[1] + z, np.arange(9.0), np.ones(20)),
    "one element gathered often": (
        lambda x: ops.cumsum(x)[np.zeros((3, 4), int)] * 2.0, np.array([1.5])),
    "a number that fills the output": (lambda x: ops.cumsum(x)[np.zeros(12, int)], np.array([2.0])),
    "a vector times a matrix of one": (
        lambda x, s: ops.sum_(x * s, 1), np.arange(5.0), np.array([[2.0]])),
    "constants too large to fold": (
        lambda x: ops.sum_(ops.as_tensor(np.ones((300, 1))) + np.ones(300)) + x, np.array(1.0)),
    "a sum of nothing": (lambda x, s: ops.sum_(x + np.zeros(0)) + ops.sum_(x * s) + s,
                         np.zeros(0), np.array(2.0)),
    "a product over nothing": (lambda x: ops.matmul(np.zeros((4, 0)), x[:0]), np.ones(3)),
    "a long chain of scalars": (deep, np.array(0.3)),
    "a long chain of short arrays": (deep, np.linspace(-1, 1, 5)),
    "a long chain of arrays": (deep, np.linspace(-1, 1, 30)),
    "a ratio of whole numbers": (lambda x: ops.floor(ops.floor(x) / 49.0), np.array([49.0, 98.0])),
    "the remainder of a decimal": (
        lambda x: [x % 0.1, x // 0.1, x // 0.0], np.array([1.0, -1.0, 5.5])),
    "sums and products of truths": (
        lambda x: [(x > 0) + (x < 9), (x > 0) * (x < 2), (x > 0) + (x > 1) + 1],
        np.array([-1.0, 0.5, 3.0])),
    "a choice of truths and numbers": (
        lambda x: ops.where(False, x > 0, ops.cast(x * 5.0, "int64")) + 1, np.array([1.1, -3.0])),
    "infinite exponents": (lambda x: [x**INF, x**-INF, x**np.nan], np.array([0.5, 1.0, 2.0])),
    "one to the infinite": (lambda x: ops.exp(x) ** INF, np.array([0.0, 1.0])),
    "a logarithm of an exact zero": (
        lambda x: ops.sum_(
            ops.xlogy([3.0, 0.0, 2.0], ops.softmax(ops.where([True, False, True], x, -INF)))),
        np.array([0.5, 0.1, -0.2])),
    "the logit of no probability": (
        lambda x: ops.sigmoid(ops.logit(x)), np.array([1.2, 0.5, -0.3])),
    "an exact zero is not positive": (
        lambda x: ops.where(ops.exp(ops.where(x > 0, x, -INF)) > 0, x, -INF),
        np.array([1.0, -1.0])),
    "NaN is not positive": (
        lambda x: ops.where(ops.exp(ops.sqrt(x)) > 0, x, -INF), np.array([1.0, -1.0])),
    "a sum of no exponentials is zero": (
        lambda x: ops.where(ops.sum_(ops.exp(x[:0])) > 0, 1.0, 2.0) * x, np.ones(3)),
    "zeros beside an infinite diagonal": (
        lambda x: ops.diag(ops.exp(x) * np.ones(3)), np.array(800.0)),
    "products that are rounded are finite": (
        lambda x, y: [ops.where(ops.isfinite(z), z, -1.0) for z in (0.3 * x, x * y, y / 3.0 * x)],
        np.array([0.1, 0.7, np.inf, np.nan, -1e300]), np.array([0.3, -0.1, 1.0, 2.0, 1e300])),
    "writing nowhere": (lambda x: ops.set_at(x, np.zeros(0, int), 0.0), np.ones(5)),
    "the last of several writes": (lambda x: ops.set_at(x, [0, 0, 2], 2.0 * x[:3]), np.arange(5.0)),
    "integers through exponentials": (
        lambda x: [ops.log(ops.exp(ops.cast(x, "int64"))), 1 / (1 / ops.cast(x, "int64"))],
        np.array([2.0, 3.0])),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CORNERS)
def test_corner(name):
    function, *point = CORNERS[name]
    inputs = [ops.new_input(f"x{i}", value.shape) for i, value in enumerate(point)]
    outputs = function(*inputs)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    nodes = [x.node for x in inputs]
    flat = np.concatenate([value.ravel() for value in point])
    expected = evaluate(outputs, dict(zip(nodes, point, strict=True)))
    got = compile_map([output.node for output in outputs], nodes)(flat)
    for one, other in zip(got, expected, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_the_gradient_finds_the_largest_again():
    """Its elements are compared with a maximum that another loop has computed."""
    rng = np.random.default_rng(1)
    a, b, c = (ops.new_input(name, (100,)) for name in "abc")
    nodes = [a.node, b.node, c.node]
    # A lone product and sum may become one rounding in one loop and two in another.
    density = ops.max_(a * b + c) + ops.sum_(ops.sin(a * b)) + ops.max_((a * b - c)[::3])
    point = rng.normal(size=(3, 100))
    parts = evaluate(gradient(density.node, nodes), dict(zip(nodes, point, strict=True)))
    _, grad = compile_density(density.node, nodes)(point.ravel())
    np.testing.assert_allclose(grad, np.concatenate(parts), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("how", ["whole", "cut"])
def test_nothing_outside_is_touched(how):
    """Runs in a process of its own, which a stray access ends."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.backends.native.guarded", "0", "12", how],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_compiled_graphs_are_let_go():
    def compile_one(seed):
        rng = np.random.default_rng(seed)
        x, index = ops.new_input("x", (5,)), rng.integers(0, 5, 400)
        total = ops.sum_(ops.log(ops.exp(x[index] * ops.exp(x[0])) * rng.uniform(size=400)))
        compile_density(total.node, [x.node])(np.zeros(5))

    compile_one(0)
    gc.collect()
    before = len(_interned)
    for seed in range(1, 6):
        compile_one(seed)
    gc.collect()
    assert len(_interned) <= before
