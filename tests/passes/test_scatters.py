"""Gradients by arrays that are read element by element."""

import numpy as np
import pytest
from tests.backends.test_random_graphs import compare_density

from finetti.ir import ops, topological
from finetti.passes import pipeline


def walk(x, n):
    """An unrolled loop over the elements."""
    state = x[0]
    total = state * state
    for i in range(1, n):
        state = 0.9 * state + x[i]
        total = total + state * state
    return total


def forms(x, y):
    """Reads of single elements, of several at once, of some twice, with and without the rest."""
    return {
        "every element": walk(x, 40),
        "some": x[0] * x[1] * x[-1] + x[3] * ops.sum_(x[2:5]),
        "beside the whole": x[0] * x[1] * x[2] + x[3] * x[4] + ops.sum_(x * x),
        "twice": x[0] * ops.exp(x[0]) + x[7] * x[7] * x[0] + x[np.array([3, 3, 1])].sum() * x[2],
        "of a matrix": y[0, 0] * y[1, 2] + ops.sum_(y[1] * y[2]) + ops.tanh(y[3, 4]) * y[2, 0],
        "of what is computed": ops.exp(x)[0] * ops.exp(x)[1] + ops.exp(x)[2] + ops.exp(x)[3] * x[9],
    }


def inputs():
    return ops.new_input("x", (40,)), ops.new_input("y", (4, 5))


@pytest.mark.parametrize("form", list(forms(*inputs())))
def test_gradients(form):
    x, y = inputs()
    compare_density(forms(x, y)[form], [x, y], 0.3 * np.random.default_rng(0).normal(size=60))


def test_elements_are_added_at_once():
    (x, y), n = inputs(), 40
    graph = topological(pipeline.density(walk(x, n).node, [x.node]))
    assert not [node for node in graph if node.op.name == "index_add"]
    some = topological(pipeline.density(forms(x, y)["some"].node, [x.node]))
    assert len([node for node in some if node.op.name == "index_add"]) == 1


def test_the_graph_grows_with_the_number_of_steps():
    def lines(n):
        x = ops.new_input("x", (n,))
        return sum(node.type.size for node in topological(
            pipeline.density(walk(x, n).node, [x.node])))  # fmt: skip

    assert lines(200) < 2.2 * lines(100)
