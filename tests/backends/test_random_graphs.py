"""Simplification, gradient and native code against the reference on random graphs."""

import numpy as np
import pytest
from tests.backends.random_graphs import random_graph, random_outputs

from finetti.backends.native import compile_density, compile_map
from finetti.backends.reference import evaluate
from finetti.passes.grad import gradient

BIG = ((10_000,), (500, 7), (8,), (1000, 1), (15,), (24, 33), (33,), ())


def values_of(inputs, point):
    values, start = {}, 0
    for node in (tensor.node for tensor in inputs):
        values[node] = point[start : start + node.type.size].reshape(node.shape)
        start += node.type.size
    return values


def close(got, want):
    largest = max(1.0, np.abs(want).max()) if np.size(want) else 1.0
    np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-9 * largest)


def compare_density(total, inputs, point):
    nodes = [tensor.node for tensor in inputs]
    # The reference differentiates the graph as written, before any simplification.
    graph = [total.node, *gradient(total.node, nodes)]
    expected, *parts = evaluate(graph, values_of(inputs, point))
    lp, grad = compile_density(total.node, nodes)(point)
    close(lp, expected)
    close(grad, np.concatenate([part.ravel() for part in parts]))


@pytest.mark.parametrize("seed", range(110))
def test_density(seed):
    compare_density(*random_graph(seed))


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_density_of_large_arrays(seed):
    compare_density(*random_graph(seed, shapes=BIG))


@pytest.mark.parametrize("seed", range(2000, 2010))
def test_density_of_a_long_graph(seed):
    compare_density(*random_graph(seed, length=45))


@pytest.mark.parametrize("seed", range(3000, 3070))
def test_outputs_of_all_dtypes(seed):
    outputs, inputs, point = random_outputs(seed)
    expected = evaluate(outputs, values_of(inputs, point))
    got = compile_map([output.node for output in outputs], [x.node for x in inputs])(point)
    for one, other in zip(got, expected, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        close(one, other)
