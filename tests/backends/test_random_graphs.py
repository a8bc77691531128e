"""Simplification, gradient and native code against the reference on random graphs."""

import numpy as np
import pytest
from tests.backends.agreement import expected, native, smallest, values_of
from tests.backends.random_graphs import random_graph, random_outputs
from tests.backends.random_steps import THREE_BACKENDS, TWO_BACKENDS, stress_graph

from finetti.backends.native import compile_density, compile_map
from finetti.backends.reference import evaluate
from finetti.ir import OPS, topological
from finetti.passes.grad import gradient

BIG = ((10_000,), (500, 7), (8,), (1000, 1), (15,), (24, 33), (33,), ())


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


# -- all operations; `tools/stress_graphs.py` draws more of these, and larger ones ----------------


@pytest.mark.parametrize("seed", range(40))
def test_density_with_any_operation(seed):
    total, tensors, point = stress_graph(seed, 120, TWO_BACKENDS)
    inputs, values = [t.node for t in tensors], values_of(tensors, point)
    want = expected(total.node, inputs, values)
    assert not want.lost
    assert want.complaint(native(total.node, inputs, values)) is None


def test_every_operation_is_drawn():
    # Black boxes hold Python functions; what passes make after differentiation is not written.
    missing = {name for name, op in OPS.items() if op.samples} - {"blackbox"}
    missing -= {name for name, op in OPS.items() if "made after" in op.notes.get("vjp", "")}
    for seed in range(400):
        total, inputs, _ = stress_graph(seed, 200, TWO_BACKENDS)
        graph = [total.node, *gradient(total.node, [x.node for x in inputs])]
        missing -= {node.op.name for node in topological(graph)}
        if not missing:
            return
    assert not missing


def test_a_mismatch_is_reduced_to_what_causes_it():
    def fails(total, inputs, values):
        return any(node.op.name == "arctan" for node in topological([total]))

    drawn = (stress_graph(seed, 200, THREE_BACKENDS) for seed in range(100))
    total, tensors, point = next(g for g in drawn if fails(g[0].node, (), {}))
    graph = total.node, [t.node for t in tensors], values_of(tensors, point)
    least, inputs, values = smallest(*graph, fails)
    names = [node.op.name for node in topological([least])]
    assert "arctan" in names and set(names) <= {"arctan", "const", "input", "multiply", "sum"}
    assert list(values) == inputs and len(inputs) == 1
