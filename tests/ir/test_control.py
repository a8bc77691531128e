"""Loops against the same in NumPy, their derivatives against differences, and what they refuse."""

import pickle

import numpy as np
import pytest
from tests.ir.loops import LOOPS, arrays, built, weighted

from finetti.backends.reference import evaluate
from finetti.errors import NotYetSupported, ShapeError
from finetti.ir import Node, Tensor, ops, rebuild, topological, verify
from finetti.ir.ops.control import body_of
from finetti.ir.ops.leaf import data
from finetti.ir.show import show
from finetti.passes import pipeline
from finetti.passes.grad import gradient
from finetti.passes.simplify import simplify


def by_node(inputs, values):
    return {tensor.node: values[name] for name, tensor in inputs.items()}


def scans(outputs) -> list[Node]:
    return [node for node in topological(outputs) if node.op.name == "scan"]


@pytest.mark.parametrize("name", LOOPS)
def test_value_is_what_a_python_loop_computes(name):
    outputs, inputs, values = built(name)
    got = evaluate(outputs, by_node(inputs, values))
    for one, other in zip(got, LOOPS[name][1](arrays()), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
        assert one.dtype.kind == np.asarray(other).dtype.kind
    simple = evaluate(simplify([t.node for t in outputs]), by_node(inputs, values))
    for one, other in zip(got, simple, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LOOPS)
def test_gradient_against_differences(name):
    outputs, inputs, values = built(name)
    total, known = weighted(outputs), by_node(inputs, values)
    nodes = [inputs[key].node for key in inputs]
    grads = evaluate(gradient(total.node, nodes), known)
    rng = np.random.default_rng(5)
    along = {node: rng.normal(size=node.shape) for node in nodes}

    def at(t):
        return float(evaluate([total], {n: known[n] + t * along[n] for n in nodes})[0])

    h = 1e-4
    numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    slope = sum(float(np.sum(g * along[n])) for g, n in zip(grads, nodes, strict=True))
    assert abs(slope - numeric) <= 1e-7 * (1 + abs(slope))
    simple = evaluate(pipeline.density(total.node, nodes), known)[1:]
    for one, other in zip(grads, simple, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", LOOPS)
def test_second_derivatives_against_differences(name):
    outputs, inputs, values = built(name)
    total, known = weighted(outputs), by_node(inputs, values)
    nodes = [inputs[key].node for key in inputs]
    rng = np.random.default_rng(6)
    grads = [Tensor(g) for g in gradient(total.node, nodes)]
    along = {node: rng.normal(size=node.shape) for node in nodes}
    slope = sum((ops.sum_(g * along[n]) for g, n in zip(grads, nodes, strict=True)), 0.0)
    bends = simplify(gradient(slope.node, nodes))

    def at(t):
        return [np.asarray(g) for g in evaluate(grads, {n: known[n] + t * along[n] for n in nodes})]

    h = 1e-5
    for got, up, down in zip(evaluate(bends, known), at(h), at(-h), strict=True):
        np.testing.assert_allclose(got, (up - down) / (2 * h), rtol=2e-5, atol=2e-6)


def test_the_gradient_of_a_loop_is_two_loops_however_long():
    for length in (2, 50, 5000):
        a, noise = ops.new_input("a", ()), np.ones(length)
        _, h = ops.scan(lambda c, e, a=a: (a * c + e, c * c), 0.0, [noise])
        graph = pipeline.density(ops.sum_(h).node, [a.node])
        assert len(scans(graph)) == 2
        assert len(topological(graph)) < 30


def test_equal_loops_are_one_node():
    x = ops.new_input("x", (4,))
    first = ops.scan(lambda c, e: (c + e, c), 0.0, [x])
    second = ops.scan(lambda c, e: (c + e, c), 0.0, [x])
    assert first[0].node is second[0].node
    assert first[1].node is second[1].node


def test_loops_that_walk_the_same_way_become_one():
    x = ops.new_input("x", (4,))
    _, one = ops.scan(lambda c, e: (c * 0.5 + e, c), 0.0, [x])
    _, other = ops.scan(lambda c, e: (c * 0.5 + e, ops.exp(c)), 0.0, [x])
    (node,) = scans(simplify([one.node, other.node]))
    assert len(body_of(node).kept) == 2


def test_what_nobody_reads_is_not_computed():
    x = ops.new_input("x", (4,))

    def step(carry, e):
        a, b = carry
        return (a + e, b * ops.exp(a)), (b, a)

    _, (_, kept) = ops.scan(step, (0.0, 1.0), [x])
    (node,) = scans(simplify([kept.node]))
    assert body_of(node).carries == 1
    assert "exp" not in show(body_of(node).outputs)


def test_what_does_not_change_is_computed_once():
    x, s = ops.new_input("x", (4,)), ops.new_input("s", ())
    last, _ = ops.scan(lambda c, e: (c * ops.exp(s) + e * ops.sin(s), None), 0.0, [x])
    (node,) = scans(simplify([last.node]))
    names = {inner.op.name for inner in body_of(node).nodes}
    assert not names & {"exp", "sin"}


def test_a_carry_that_stays_and_a_sequence_of_equals_are_no_carry_and_no_sequence():
    x = ops.new_input("x", ())

    def step(carry, e):
        a, b = carry
        return (a + b * e, b), None

    (last, same), _ = ops.scan(step, (0.0, x), [np.full(6, 2.0)])
    graph = simplify([last.node, same.node])
    assert graph[1] is x.node
    (node,) = scans(graph)
    assert (body_of(node).carries, body_of(node).sequences) == (1, 0)


@pytest.mark.parametrize("length", [0, 1])
def test_no_step_and_a_single_step_need_no_loop(length):
    x, a = ops.new_input("x", (length, 2)), ops.new_input("a", (2,))
    last, kept = ops.scan(lambda c, e: (c * e, c + e), a, [x])
    total = ops.sum_(last * last) + ops.sum_(kept * kept)
    values = {x.node: np.full((length, 2), 3.0), a.node: np.array([1.0, 2.0])}
    nodes = [x.node, a.node]
    plain = evaluate([total.node, *gradient(total.node, nodes)], values)
    graph = pipeline.density(total.node, nodes)
    assert not scans(graph)
    for one, other in zip(plain, evaluate(graph, values), strict=True):
        np.testing.assert_allclose(one, other)


def test_what_steps_return_is_given_back_in_its_structure():
    step = lambda c, e: ({"a": c["a"] + e, "b": [c["b"][0] * 2]}, {"sum": c["a"], "none": None})  # noqa: E731
    last, kept = ops.scan(step, {"a": 0.0, "b": [1.0]}, [np.ones(3)])
    assert set(last) == {"a", "b"} and isinstance(last["b"], list)
    assert kept["none"] is None
    np.testing.assert_allclose(evaluate([last["a"], last["b"][0], kept["sum"]])[2], [0, 1, 2])


class Held:
    def __init__(self, value):
        self.value = value


def test_new_data_changes_the_length_and_the_shapes_inside():
    held, width = Held(np.ones((4, 2))), Held(np.ones(3))
    rows, other = data(handle=held), data(handle=width)
    n = rows.shape[1]

    def step(c, row):
        wide = ops.zeros((n,)) + row
        return c + ops.sum_(wide) * ops.ones(other.shape), ops.concatenate([wide, c])

    last, kept = ops.scan(step, ops.zeros(other.shape), [rows])
    out = ops.sum_(kept, axis=0)
    assert (last.node.shape, out.node.shape) == ((3,), (5,))
    held.value, width.value = np.full((6, 4), 2.0), np.ones(2)
    new_last, new_out = rebuild([last.node, out.node], {})
    assert (new_last.shape, new_out.shape) == ((2,), (6,))
    np.testing.assert_allclose(evaluate([new_last])[0], [48.0, 48.0])
    grads = gradient(ops.sum_(Tensor(new_out)).node, [])
    assert grads == []


def test_gradient_follows_new_data():
    held = Held(np.arange(3.0))
    rows, a = data(handle=held), ops.new_input("a", ())
    last, _ = ops.scan(lambda c, e: (a * c + e, None), 0.0, [rows])
    (slope,) = gradient(last.node, [a.node])
    held.value = np.arange(5.0)
    (fresh,) = rebuild([slope], {})
    (got,) = evaluate([fresh], {a.node: np.array(0.5)})
    c, d = 0.0, 0.0
    for e in range(5):
        c, d = 0.5 * c + e, c + 0.5 * d
    np.testing.assert_allclose(got, d)


def test_random_numbers_of_a_step_are_drawn_for_all_steps():
    def step(c, e):
        return c + e + ops.random.standard_normal(shape=()), None

    last, _ = ops.scan(step, 0.0, [np.zeros(1000)])
    (value,) = evaluate([last], rng=np.random.default_rng(0))
    # standard deviation sqrt(1000) = 32; one draw repeated would have 1000
    assert 1.0 < abs(value) < 150.0 or value != 0.0
    (again,) = evaluate([last], rng=np.random.default_rng(1))
    assert again != value


def test_verify_show_and_pickle_look_inside():
    outputs, _, _ = built("nested")
    roots = [tensor.node for tensor in outputs]
    verify.verify(roots, "the test")
    text = show(roots)
    assert text.count("step of") == 2
    assert pickle.loads(pickle.dumps(roots[0])) is roots[0]


def wrong_pair(c, e):
    return c + e


def wrong_count(c, e):
    return (c, e), None


def growing(c, e):
    return ops.concatenate([c, [e]]), None


REFUSED = {
    "no pair": (lambda: ops.scan(wrong_pair, 0.0, [np.ones(3)]), "pair"),
    "another carry": (lambda: ops.scan(wrong_count, 0.0, [np.ones(3)]), "carry of 2"),
    "a carry that grows": (lambda: ops.scan(growing, np.ones(2), [np.ones(3)]), "shape"),
    "no length": (lambda: ops.scan(lambda c: (c, None), 0.0), "length="),
    "lengths": (lambda: ops.scan(lambda c, a, b: (c, a), 0.0, [np.ones(3), np.ones(4)]), "lengths"),
    "too long": (lambda: ops.scan(lambda c, a: (c, a), 0.0, [np.ones(3)], length=4), "length=4"),
    "a scalar": (lambda: ops.scan(lambda c, a: (c, a), 0.0, [ops.as_tensor(1.0)]), "no axis"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes_are_told(case):
    call, words = REFUSED[case]
    with pytest.raises(ShapeError, match=words):
        call()


def test_a_draw_that_depends_on_the_carry_is_refused():
    with pytest.raises(NotYetSupported, match="random variable"):
        ops.scan(lambda c: (c + ops.random.poisson(c, shape=()), None), 1.0, length=3)
