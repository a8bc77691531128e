"""Loops and black boxes in JAX: `lax.scan` and `pure_callback`."""

import numpy as np
import pytest
from tests.ir.loops import LOOPS, SHAPES, built, weighted
from tests.optional import required

from finetti import blackbox
from finetti.backends.reference import evaluate
from finetti.ir import ops
from finetti.passes.grad import gradient

jax = required("jax", "finetti[jax]")
jax.config.update("jax_enable_x64", True)

from finetti.backends import jax_lowering  # noqa: E402, after JAX is set to 64 bits


@pytest.mark.parametrize("name", LOOPS)
def test_outputs_and_derivatives_equal_the_reference_and_those_of_jax(name):
    outputs, inputs, values = built(name)
    nodes = [inputs[key].node for key in SHAPES]
    known = {inputs[key].node: values[key] for key in SHAPES}
    got = jax_lowering.lower([t.node for t in outputs], nodes)(*known.values())
    for one, other in zip(got, evaluate(outputs, known), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
    total = weighted(outputs)
    value, *ours = evaluate([total.node, *gradient(total.node, nodes)], known)
    places = tuple(range(len(nodes)))
    density = jax_lowering.density(total.node, nodes)
    plain = jax_lowering.lower([total.node], nodes)
    np.testing.assert_allclose(density(*known.values()), value, rtol=1e-11)
    derivatives = jax.grad(density, places)(*known.values())
    # Without our rules JAX differentiates its own loop.
    others = jax.grad(lambda *x: plain(*x)[0], places)(*known.values())
    for one, two, other in zip(ours, derivatives, others, strict=True):
        largest = max(1.0, np.abs(one).max())
        np.testing.assert_allclose(two, one, rtol=1e-9, atol=1e-11 * largest)
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-11 * largest)


def test_black_box_with_its_gradient():
    slope = blackbox(lambda g, x: g * np.cos(x))
    sine = blackbox(np.sin, grad=lambda g, x: slope(g, x))
    x = ops.new_input("x", (3,))
    density = jax_lowering.density(ops.sum_(sine(x) * x).node, [x.node])
    point = np.array([0.1, 0.5, 2.0])
    np.testing.assert_allclose(density(point), (np.sin(point) * point).sum())
    np.testing.assert_allclose(jax.grad(density)(point), np.sin(point) + point * np.cos(point))
