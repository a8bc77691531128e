"""What leaves a loop, and how its steps are regrouped; tests/ir compares the values."""

import numpy as np
import pytest

from finetti.backends.reference import evaluate
from finetti.ir import ops, topological
from finetti.ir.ops.control import body_of
from finetti.passes import pipeline
from finetti.passes.simplify import chains, loops, simplify

NOISE = np.random.default_rng(0).normal(size=40)


def bodies(outputs):
    return [body_of(node) for node in topological(outputs) if node.op.name == "scan"]


def names(outputs):
    return [{node.op.name for node in body.nodes} for body in bodies(outputs)]


def inputs():
    return ops.new_input("a", ()), ops.new_input("s", ()), ops.new_input("x", (40,))


def test_functions_of_the_elements_are_computed_before_the_loop():
    a, _, x = inputs()
    last, _ = ops.scan(lambda c, e: (a * c + ops.exp(e) / (1.0 + e * e), None), 0.0, [x])
    (inside,) = names(simplify([last.node], last=True))
    assert not inside & {"exp", "reciprocal"}


def test_functions_of_what_is_left_behind_are_computed_after_the_loop():
    a, _, x = inputs()
    _, out = ops.scan(lambda c, e: ((n := a * c + e), ops.log1p(n * n) * ops.tanh(c)), 0.0, [x])
    graph = simplify([out.node])
    (inside,) = names(graph)
    assert not inside & {"log1p", "tanh"}
    known = {a.node: np.array(0.7), x.node: NOISE}
    np.testing.assert_allclose(evaluate(graph, known)[0], evaluate([out], known)[0], rtol=1e-13)


def test_a_loop_that_carries_nothing_is_no_loop():
    _, s, x = inputs()
    _, out = ops.scan(lambda c, e: (c, ops.exp(e * s)), 0.0, [x])
    graph = simplify([out.node])
    assert not bodies(graph)
    assert graph == simplify([ops.exp(x * s).node])


def test_short_loops_keep_their_functions():
    _, out = ops.scan(lambda c, e: (c + e, ops.exp(c)), 0.0, [np.ones(4)])
    (inside,) = names(simplify([out.node], last=True))
    assert "exp" in inside


def test_the_gradient_of_a_loop_with_functions_has_none_inside():
    a, s, x = inputs()
    _, out = ops.scan(lambda c, e: ((n := a * c + ops.exp(s) * e), ops.exp(-n)), 0.0, [x])
    graph = pipeline.density(ops.sum_(out).node, [a.node, s.node, x.node])
    assert all(not inside & {"exp"} for inside in names(simplify(graph, last=True)))


def late_steps(outputs):
    """Operations between a carry and the next, along the longest way."""
    (body,) = bodies(outputs)
    depth = dict.fromkeys(body.inputs[:1], 0)
    for node in body.nodes:
        if any(arg in depth for arg in node.args):
            depth[node] = 1 + max(depth[arg] for arg in node.args if arg in depth)
    return depth[body.outputs[0]]


LINEAR = {
    "terms": lambda c, e, a, s: s + c * a + e,
    "a product with a sum": lambda c, e, a, s: a * (c + e),
    "towards a mean": lambda c, e, a, s: s + a * (c - s) + e * s,
    "twice": lambda c, e, a, s: c + a * c + e,
    "a choice": lambda c, e, a, s: ops.where(e > 0, a * c, 0.0) + ops.where(e > 0, c, 0.0) + s,
}


@pytest.mark.parametrize("case", LINEAR)
def test_a_linear_recurrence_is_one_product_and_one_sum(case):
    a, s, x = inputs()
    last, _ = ops.scan(lambda c, e: (LINEAR[case](c, e, a, s), None), 0.3, [x])
    graph = loops.tidy(chains.shorten(simplify([last.node], last=True)), last=True)
    assert late_steps(graph) == 2
    known = {a.node: np.array(0.7), s.node: np.array(0.2), x.node: NOISE}
    np.testing.assert_allclose(evaluate(graph, known)[0], evaluate([last], known)[0], rtol=1e-12)
