"""Simplification, gradient and native code against the reference on random graphs."""

import numpy as np
import pytest
from tests.backends.random_graphs import random_graph

from finetti.backends.native import compile_density
from finetti.backends.reference import evaluate
from finetti.passes.grad import gradient


@pytest.mark.parametrize("seed", range(150))
def test_native_density_equals_reference(seed):
    total, inputs, point = random_graph(seed)
    nodes = [tensor.node for tensor in inputs]
    values, start = {}, 0
    for node in nodes:
        values[node] = point[start : start + node.type.size].reshape(node.shape)
        start += node.type.size
    # The reference differentiates the graph as written, before any simplification.
    expected, *parts = evaluate([total.node, *gradient(total.node, nodes)], values)
    lp, grad = compile_density(total.node, nodes)(point)
    np.testing.assert_allclose(lp, expected, rtol=1e-11, atol=1e-11)
    flat = np.concatenate([part.ravel() for part in parts])
    np.testing.assert_allclose(grad, flat, rtol=1e-9, atol=1e-10)
