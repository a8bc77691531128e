"""Models of many parts: loops of equal code are one function, and the rest is cut into short ones.

Counts of functions and lines stand for the time to compile, which no test can rely on.
"""

import re

import numpy as np
import pytest

from finetti.backends.native import compile_density
from finetti.backends.native.compiled import ENTRY
from finetti.backends.native.emit import Emitter
from finetti.backends.native.loops import MATH_LIMIT
from finetti.backends.native.outline import ALIKE, PART_LINES
from finetti.backends.native.plan import Plan
from finetti.backends.native.separate import TOGETHER
from finetti.backends.reference import evaluate
from finetti.ir import ops
from finetti.passes.grad import gradient


def group(i, rows, kind):
    """A log density of its own inputs: a plain, a grouped, a short, a matrix or a boolean part."""
    rng = np.random.default_rng(100 * i + rows)
    y, slope = rng.normal(size=rows), rng.normal(size=rows)
    b, s = ops.new_input(f"b{i}", ()), ops.new_input(f"s{i}", ())
    if kind == "matrix":
        w = ops.new_input(f"w{i}", (3,))
        mean = ops.matmul(ops.as_tensor(rng.normal(size=(rows, 3))), w)
    elif kind == "grouped":
        w = ops.new_input(f"w{i}", (5,))
        mean = w[rng.integers(0, 5, size=rows)] * slope
    else:
        w = ops.new_input(f"w{i}", (rows,))
        mean = w * ops.exp(-s)
    z = (y - mean - b * slope) * ops.exp(-s)
    density = ops.sum_(-0.5 * z * z - s) - 0.5 * b * b - ops.exp(s) - 0.5 * ops.sum_(w * w)
    if kind == "boolean":
        density = density + ops.where(ops.all_(w > -9.0), ops.tanh(b), b) + 0.1 * ops.max_(w)
    return density, [b, s, w]


def model(kinds, rows):
    parts = [group(i, n, kind) for i, (kind, n) in enumerate(zip(kinds, rows, strict=True))]
    total = ops.as_tensor(0.0)
    for density, _ in parts:
        total = total + density
    return total, [tensor.node for _, inputs in parts for tensor in inputs]


def unrolled(density, nodes):
    """Compiled without loops over alike terms: those are for what samplers ask for."""
    return compile_density(density.node, nodes, wrt=nodes)


def functions(ir):
    """Lines of each function by name, helper functions of mathematics left out."""
    found = re.findall(r"^define [^@]*@(\w+)\((.*?)^}", ir, re.MULTILINE | re.DOTALL)
    ours = re.compile(rf"{ENTRY}|finetti_(loop|part)\d+")
    return {name: text.count("\n") for name, text in found if ours.fullmatch(name)}


def loops(ir):
    return [name for name in functions(ir) if name.startswith("finetti_loop")]


def force(monkeypatch, outline):
    """Have every function compiled with, or without, loops as functions."""
    begin = Emitter.__init__

    def chosen(self, plan, inputs, has_fma=True):
        begin(self, plan, inputs, has_fma, outline)

    monkeypatch.setattr(Emitter, "__init__", chosen)


def point_of(nodes, seed=0):
    return 0.3 * np.random.default_rng(seed).normal(size=sum(node.type.size for node in nodes))


MIXED = ["plain", "grouped", "short", "matrix", "boolean"]


@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        (["plain"] * 12, [40 + 7 * i for i in range(12)]),
        (["plain"] * 12, [40] * 12),
        (["grouped"] * 6, [64 + i for i in range(6)]),
        (["matrix"] * 6, [30 + i for i in range(6)]),
        (["short"] * 8, [9] * 8),
        (["boolean"] * 6, [20 + i for i in range(6)]),
        (MIXED * 4, [9 if kind == "short" else 33 + 3 * i for i, kind in enumerate(MIXED * 4)]),
    ],
)
def test_the_same_bits_with_and_without_functions(monkeypatch, kinds, rows):
    density, nodes = model(kinds, rows)
    results = []
    for outline in (False, True):
        with monkeypatch.context() as patch:
            force(patch, outline)
            compiled = unrolled(density, nodes)
        assert bool(loops(compiled.ir)) == outline
        results.append([compiled(point_of(nodes, seed)) for seed in range(5)])
    for (value, grad), (shared_value, shared_grad) in zip(*results, strict=True):
        assert value == shared_value
        np.testing.assert_array_equal(grad, shared_grad)


def test_many_parts_against_the_reference():
    density, nodes = model(MIXED * 4, [33 + 3 * i for i in range(20)])
    compiled = compile_density(density.node, nodes)
    point = point_of(nodes)
    values, start = {}, 0
    for node in nodes:
        values[node] = point[start : start + node.type.size].reshape(node.shape)
        start += node.type.size
    expected, *parts = evaluate([density.node, *gradient(density.node, nodes)], values)
    value, grad = compiled(point)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(grad, np.concatenate([p.ravel() for p in parts]), rtol=1e-10)


def test_alike_groups_share_their_loops():
    few, many = (
        unrolled(density, nodes).ir
        for density, nodes in (
            model(["plain"] * k, [41 + 8 * i for i in range(k)]) for k in (8, 50)
        )
    )
    assert len(loops(few)) == len(loops(many)) <= 2
    # What a group adds is a call and scalar arithmetic.
    assert (many.count("\n") - few.count("\n")) / 42 < 80


def test_groups_of_one_length_are_separate_loops():
    density, nodes = model(["plain"] * 20, [48] * 20)
    ir = unrolled(density, nodes).ir
    assert len(loops(ir)) <= 2
    assert max(functions(ir)[name] for name in loops(ir)) < 150


def test_the_entry_is_cut_into_short_functions():
    density, nodes = model(["plain"] * 50, [40 + i for i in range(50)])
    sizes = functions(unrolled(density, nodes).ir)
    assert len([name for name in sizes if name.startswith("finetti_part")]) > 2
    assert max(sizes.values()) < 3 * PART_LINES


@pytest.mark.parametrize("count", range(1, ALIKE))
def test_small_models_are_one_function(count):
    density, nodes = model(["plain"] * count, [40 + i for i in range(count)])
    assert list(functions(compile_density(density.node, nodes).ir)) == [ENTRY]


def test_few_unrelated_parts_stay_in_one_loop():
    density, nodes = model(["plain"] * TOGETHER, [40] * TOGETHER)
    plan = Plan([], density.node)
    assert [len(found) for _, found in plan.stages()] == [1]


def test_what_shares_an_array_stays_in_one_loop():
    x = ops.new_input("x", (40,))
    sums = [ops.sum_(ops.exp(x * float(k))) for k in range(1, 9)]
    plan = Plan([(total.node, i) for i, total in enumerate(sums)])
    ((_, found),) = plan.stages()
    assert len(found) == 1
    assert len(found[0].sinks) == 8


def test_a_long_chain_of_scalars_is_cut_and_right():
    x = ops.new_input("x", ())
    y = x
    for k in range(400):
        y = ops.sin(y) + 0.01 * k * x
    compiled = compile_density(y.node, [x.node])
    assert max(functions(compiled.ir).values()) < 3 * PART_LINES
    value, expected = 0.3, 0.3
    for k in range(400):
        expected = np.sin(expected) + 0.01 * k * value
    np.testing.assert_allclose(compiled(np.array([value]))[0], expected, rtol=1e-12)


@pytest.mark.parametrize("rows", [10, 40])
def test_a_long_chain_of_arrays_calls_its_mathematics(rows):
    x = ops.new_input("x", (rows,))
    y = x
    for k in range(3 * MATH_LIMIT):
        y = ops.tanh(y) + 0.01 * k
    compiled = compile_density(ops.sum_(y).node, [x.node])
    assert compiled.ir.count("\n") < 20 * 3 * MATH_LIMIT
    expected = np.linspace(-1.0, 1.0, rows)
    for k in range(3 * MATH_LIMIT):
        expected = np.tanh(expected) + 0.01 * k
    value, _ = compiled(np.linspace(-1.0, 1.0, rows))
    np.testing.assert_allclose(value, expected.sum(), rtol=1e-12)
