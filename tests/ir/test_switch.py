"""Branches that were not taken: whatever is infinite or NaN in them stays out of gradients."""

import numpy as np
import pytest

from finetti.backends.native import compile_density
from finetti.backends.reference import evaluate
from finetti.ir import ops
from finetti.passes.grad import gradient

inf = np.inf


def through(inner):
    return lambda x: ops.where(x > 0, inner(x), 0.0)


def twice(x):
    root = ops.sqrt(x)
    return ops.where(x > 0, root, 0.0) + ops.where(x > 0, 2.0 * root, 0.0)


def two_conditions(x):
    root = ops.sqrt(x)
    return ops.where(x > 0, root, 0.0) + ops.where(x > 1.0, root * root, 0.0)


def stepped(x):
    """The same inside a loop."""
    last, _ = ops.scan(
        lambda c, k: (c + ops.where(x > 0, ops.log(x) * k, 0.0), None), ops.zeros(x.shape),
        [np.array([1.0, 2.0, 3.0])],
    )  # fmt: skip
    return last


# name -> (function, points, first derivative, second derivative) at each point
CASES = {
    "log": (through(ops.log), [2.0, 0.0, -1.0], [0.5, 0, 0], [-0.25, 0, 0]),
    "log of a product": (
        through(lambda x: ops.log(3.0 * x) * x), [1.0, 0.0, -1.0],
        [np.log(3.0) + 1, 0, 0], [1.0, 0, 0]),
    "sqrt": (through(ops.sqrt), [4.0, 0.0, -1.0], [0.25, 0, 0], [-1 / 32, 0, 0]),
    "reciprocal": (through(lambda x: 1.0 / x), [2.0, 0.0, -1.0], [-0.25, 0, 0], [0.25, 0, 0]),
    "ratio at its hole": (
        lambda x: ops.where(ops.equal(x, 0), 1.0, ops.sin(x) / x), [0.5, 0.0],
        [(0.5 * np.cos(0.5) - np.sin(0.5)) / 0.25, 0],
        [-np.sin(0.5) / 0.5 - 2 * (0.5 * np.cos(0.5) - np.sin(0.5)) / 0.125, 0]),
    "power of a variable": (
        through(lambda x: x ** x), [1.0, 0.0, -1.5], [1.0, 0, 0], [2.0, 0, 0]),
    "power below one": (
        through(lambda x: x ** 0.3), [1.0, 0.0, -2.0], [0.3, 0, 0], [-0.21, 0, 0]),
    "negative power": (through(lambda x: x ** -2), [1.0, 0.0, -2.0], [-2, 0, 0], [6, 0, 0]),
    "overflow": (
        lambda x: ops.where(x < 700.0, ops.exp(x), 1.0), [0.0, 800.0], [1.0, 0], [1.0, 0]),
    "zero times infinity": (
        through(lambda x: 0.0 * x + x * ops.log(x)), [1.0, 0.0], [1.0, 0], [1.0, 0]),
    "log of minus": (
        lambda x: ops.where(x >= 0, 0.0, ops.log(-x)), [-2.0, 0.0, 1.0], [-0.5, 0, 0],
        [-0.25, 0, 0]),
    "nested": (
        lambda x: ops.where(x > 0, ops.where(x > 1, ops.log(x - 1.0), ops.sqrt(x)), 0.0),
        [2.0, 0.25, 0.0, 1.0, -1.0], [1, 1, 0, 0.5, 0], [-1, -2, 0, -0.25, 0]),
    "through a sum": (
        lambda x: ops.sum_(ops.where(x > 0, ops.log(x), 0.0), axis=-1), [[1.0, 0.0]],
        [[1.0, 0.0]], [[-1.0, 0.0]]),
    "through a choice": (
        lambda x: ops.stack([ops.where(x > 0, ops.sqrt(x), 0.0), x * x])[0], [4.0, 0.0],
        [0.25, 0], [-1 / 32, 0]),
    "one root, two branches": (twice, [1.0, 0.0, -1.0], [1.5, 0, 0], [-0.75, 0, 0]),
    "one root, two conditions": (
        two_conditions, [4.0, 0.25, 0.0], [1.25, 1.0, 0], [-1 / 32, -2.0, 0]),
    "gammaln at a pole": (
        through(lambda x: ops.gammaln(x)), [1.0, 0.0], [-0.5772156649015329, 0],
        [np.pi**2 / 6, 0]),
    "arcsin outside": (
        lambda x: ops.where(ops.absolute(x) < 1, ops.arcsin(x), 0.0), [0.0, 1.0, 2.0],
        [1.0, 0, 0], [0.0, 0, 0]),
    "in a loop": (stepped, [2.0, 0.0, -1.0], [3.0, 0, 0], [-1.5, 0, 0]),
}  # fmt: skip

ROWS = [
    pytest.param(function, point, first, second, id=f"{name} at {point}")
    for name, (function, points, firsts, seconds) in CASES.items()
    for point, first, second in zip(points, firsts, seconds, strict=True)
]


@pytest.mark.parametrize(("function", "point", "first", "second"), ROWS)
def test_derivatives_of_the_branch_taken(function, point, first, second):
    x = ops.new_input("x", np.shape(point))
    total = ops.sum_(function(x))
    (slope,) = gradient(total.node, [x.node])
    (bend,) = gradient(ops.sum_(slope).node, [x.node])
    value, one, two = evaluate([total, slope, bend], {x.node: np.asarray(point, float)})
    np.testing.assert_allclose(one, first, rtol=1e-12)
    np.testing.assert_allclose(two, second, rtol=1e-12)
    flat = np.ravel(np.asarray(point, float))
    lp, got = compile_density(total.node, [x.node])(flat)
    np.testing.assert_allclose(lp, value, rtol=1e-12)
    np.testing.assert_allclose(got, np.ravel(first), rtol=1e-12)
    _, got = compile_density(ops.sum_(slope).node, [x.node])(flat)
    np.testing.assert_allclose(got, np.ravel(second), rtol=1e-11)
