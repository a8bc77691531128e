"""What leaves a loop, and how its steps are regrouped; tests/ir compares the values."""

import numpy as np
import pytest

from finetti.backends.native.lanes import unfold
from finetti.backends.reference import evaluate
from finetti.ir import ops, topological
from finetti.ir.ops.control import body_of
from finetti.passes import pipeline
from finetti.passes.simplify import chains, loops, simplify
from finetti.passes.simplify.shared import share

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


def biggest(outputs):
    return max(node.type.size for body in bodies(outputs) for node in body.nodes)


def test_what_is_added_up_leaves_the_loop():
    a, _, x = inputs()

    def step(carry, e):
        c, lp = carry
        c = a * c + e
        return (c, lp - ops.log(1.0 + c * c)), None

    (_, lp), _ = ops.scan(step, (0.0, 0.0), [x])
    graph = simplify([lp.node])
    (body,) = bodies(graph)
    assert body.carries == 1
    assert "log" not in {node.op.name for node in body.nodes}


def test_derivatives_by_what_is_read_at_places_are_scattered():
    a, _, x = inputs()
    table, rows = ops.new_input("table", (3000,)), ops.new_input("rows", (500, 3))
    places = np.arange(40) * 7

    def step(carry, k):
        c, own = carry
        c = ops.tanh(a * c + table[k] + ops.sum_(rows[k, :]) + table[own])
        return (c, (5 * own + 1) % 3000), c

    _, out = ops.scan(step, (0.0, 4), [places])
    graph = pipeline.density(ops.sum_(out).node, [a.node, table.node, rows.node])
    assert len(bodies(graph)) == 2
    assert all(body.carries <= 2 for body in bodies(graph))
    known = {"index_add"}  # of the table that the carry looks into: in one go after the loop
    assert not any(known & inside for inside in names(graph))


@pytest.mark.parametrize("reverse", [False, True])
def test_counters_are_known_numbers(reverse):
    _, _, x = inputs()

    def step(carry):
        c, t = carry
        return (0.5 * c + x[t] * x[39 - t], t + 1), c * t

    (last, t), out = ops.scan(step, (0.0, 0), length=40, reverse=reverse)
    graph = simplify([last.node, out.node, t.node])
    assert biggest(graph) == 1
    known = {x.node: NOISE}
    for one, other in zip(evaluate(graph, known), evaluate([last, out, t], known), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_roots_that_are_squared_again_are_carried_as_squares():
    a, s, x = inputs()

    def step(c, e):
        c = ops.sqrt(0.1 + ops.sigmoid(a) * e**2 + ops.exp(s) * c**2)
        return c, c

    _, out = ops.scan(step, 1.0, [x])
    graph = simplify([out.node])
    assert "sqrt" not in names(graph)[0]
    known = {a.node: np.array(0.7), s.node: np.array(-0.4), x.node: NOISE}
    np.testing.assert_allclose(evaluate(graph, known)[0], evaluate([out], known)[0], rtol=1e-13)
    _, out = ops.scan(lambda c, e: (ops.sqrt(e + a * c**2),) * 2, 1.0, [x])  # perhaps NaN
    assert "sqrt" in names(simplify([out.node]))[0]


def test_the_way_back_reads_what_the_way_there_computed():
    rates, x = ops.new_input("rates", (3, 3)), ops.new_input("x", (40, 3))
    step = lambda c, e: (ops.logsumexp(c[:, None] + rates, axis=0) + e, None)  # noqa: E731
    last, _ = ops.scan(step, ops.zeros((3,)), [x])
    graph = share(pipeline.density(ops.sum_(ops.sin(last)).node, [rates.node, x.node]))
    there, back = names(graph)
    assert {"exp", "max"} <= there
    assert not back & {"exp", "max"}
    known = {rates.node: NOISE[:9].reshape(3, 3), x.node: np.tile(NOISE, 3).reshape(40, 3)}
    plain = pipeline.density(ops.sum_(ops.sin(last)).node, [rates.node, x.node])
    for one, other in zip(evaluate(graph, known), evaluate(plain, known), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_tables_are_taken_apart_into_rows():
    rates, x = ops.new_input("rates", (3, 3)), ops.new_input("x", (40, 20))
    step = lambda c, e: (  # noqa: E731
        ops.logsumexp(c[:, :, None] + rates, axis=1) + e[:, None] * np.arange(3),
        c[:, 0],
    )
    last, kept = ops.scan(step, ops.zeros((20, 3)), [x])
    total = (ops.sum_(ops.sin(last)) + ops.sum_(ops.cos(kept))).node
    graph = pipeline.density(total, [rates.node, x.node])
    apart = simplify(unfold(share(graph)), last=True)
    assert biggest(apart) == 20
    known = {rates.node: NOISE[:9].reshape(3, 3), x.node: np.tile(NOISE, 20).reshape(40, 20)}
    for one, other in zip(evaluate(apart, known), evaluate(graph, known), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


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
