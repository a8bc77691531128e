"""Alike terms made loops over parts: the same values and gradients as the reference has."""

import numpy as np
import pytest
from tests.backends.agreement import expected, native, values_of
from tests.backends.random_graphs import random_graph
from tests.backends.test_random_graphs import compare_density

from finetti.backends.native import compile_density
from finetti.ir import FLOAT, Tensor, ops, rebuild, topological
from finetti.ir.ops.leaf import const
from finetti.passes.alike import FEWEST
from finetti.passes.parts import roll

rng = np.random.default_rng(0)


def normal(x, mean, scale):
    """As distributions write it, with the check of the scale."""
    z = (x - mean) / scale
    density = -0.5 * (z * z) - ops.log(scale) - 0.918938533204672
    return ops.where(scale > 0.0, density, -np.inf)


def total(terms):
    result = ops.as_tensor(0.0)
    for term in terms:
        result = result + (ops.sum_(term) if term.ndim else term)
    return result


def number(name):
    return ops.new_input(name, ())


def side_by_side(count=20):
    """Two numbers a part, in turn, under common parameters; one datum each, scales that differ."""
    mean, spread = number("mean"), number("spread")
    a = [number(f"a{i}") for i in range(count)]
    b = [number(f"b{i}") for i in range(count)]
    terms = [normal(mean, 0.0, 1.0), normal(spread, 0.0, 2.0)]
    for i in range(count):
        scale = ops.exp(b[i])
        terms += [normal(a[i], mean, ops.exp(spread)), normal(scale, 0.0, 1.0), b[i]]
        terms.append(normal(ops.as_tensor(rng.normal()), a[i], scale * (0.5 + i)))
    return terms, [mean, spread, *(x for pair in zip(a, b, strict=True) for x in pair)]


def one_after_another():
    terms, (mean, spread, *pairs) = side_by_side(9)
    return terms, [*pairs[::2], mean, *pairs[1::2], spread]


def vectors(count=12, rows=21):
    """An array a part, with a design and a vector of slopes that all share."""
    slopes, scale = ops.new_input("slopes", (3,)), number("scale")
    terms, inputs = [normal(slopes, 0.0, 1.0)], [slopes]
    for i in range(count):
        level, effect = number(f"level{i}"), ops.new_input(f"effect{i}", (rows,))
        design = ops.as_tensor(rng.normal(size=(rows, 3)))
        mean = level + ops.matmul(design, slopes)
        terms += [normal(level, 0.0, 1.0), normal(effect, mean, ops.exp(scale))]
        terms.append(normal(ops.as_tensor(rng.normal(size=rows)), effect, 0.7))
        inputs += [level, effect]
    return terms, [*inputs, scale]


def elements():
    """Elements of arrays, in order and in disorder."""
    x, y = ops.new_input("x", (30,)), ops.new_input("y", (5, 6))
    terms = [normal(x, 0.0, 1.0), normal(y, 0.0, 1.0)]
    shift = ops.exp(0.1 * x)
    for i in range(25):
        terms.append(normal(ops.as_tensor(rng.normal()), x[i] + shift[29 - i], 1.0 + i))
        terms.append(ops.tanh(y[i % 5, (2 * i) % 6]) * shift[i + 5])
    return terms, [x, y]


def data_only():
    """Nothing belongs to a part but its data."""
    a, b = number("a"), number("b")
    data = rng.normal(size=(40, 2))
    return [normal(ops.as_tensor(y), a + b * x, ops.exp(b)) for x, y in data], [a, b]


def chain():
    """Each number given the one before, so that a loop has only the terms of the data."""
    x = [number(f"x{i}") for i in range(30)]
    terms = [normal(x[0], 0.0, 1.0)]
    terms += [normal(after, 0.9 * before, 1.0) for before, after in zip(x[:-1], x[1:], strict=True)]
    terms += [normal(ops.as_tensor(rng.normal()), ops.exp(value), 2.0) for value in x]
    return terms, x


def about_their_mean(count=40):
    """What is common depends on what belongs to the parts; one part has a term more."""
    x = [number(f"x{i}") for i in range(count)]
    mean = sum(x) * (1.0 / count)
    return [*(normal(value, mean, 1.5) * ops.exp(-mean) for value in x), ops.sin(x[3])], x


def counts():
    """Whole numbers, truths and reductions in the parts; two kinds of different number."""
    rate, x = number("rate"), [ops.new_input(f"x{i}", (4,)) for i in range(10)]
    terms = []
    for i in range(20):
        k, n = int(rng.integers(1, 9)), 10
        chance = ops.sigmoid(rate * (1.0 + i))
        terms.append(ops.gammaln(ops.as_tensor(k) + 1.0) + k * ops.log(chance)
                     + (n - k) * ops.log(1.0 - chance))  # fmt: skip
    for i, value in enumerate(x):
        large = ops.all_(value > -2.0)
        terms.append(ops.where(large, ops.max_(value), rate) + ops.sum_(value[1:] * value[:-1]))
        terms.append(ops.sum_(normal(value, 0.0, 1.0)) * (1.0 + i))
    return terms, [rate, *x]


def guarded():
    """A logarithm that is infinite at zero, where no part uses it."""
    scale, x = number("scale"), [number(f"x{i}") for i in range(30)]
    log = ops.log(scale)
    return [ops.where(scale > 0.0, normal(v, log, 1.0), -v * v) for v in x], [scale, *x]


def constants_made_otherwise():
    """The same place has other functions of constants, or factors of another type."""
    x = [number(f"x{i}") for i in range(30)]
    ways = [ops.exp, lambda c: c * 2, lambda c: c * 2.5, lambda c: c, lambda c: c + 2,
            lambda c: ops.where(c > 1.0, c, 3.0), lambda c: ops.exp(c) * c]  # fmt: skip
    scales = [ways[i % 7](ops.as_tensor(0.3 + 0.1 * i)) for i in range(30)]
    return [normal(v, 0.0, scale) for v, scale in zip(x, scales, strict=True)], x


MODELS = [side_by_side, one_after_another, vectors, elements, data_only, chain, about_their_mean,
          counts, guarded, constants_made_otherwise]  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_values_and_gradients(model):
    terms, inputs = model()
    size = sum(tensor.node.type.size for tensor in inputs)
    assert roll(total(terms).node, [tensor.node for tensor in inputs]) is not None
    for seed in range(3):
        point = 0.4 * np.random.default_rng(seed).normal(size=size)
        compare_density(total(terms), inputs, point)


def test_what_a_choice_guards_stays_out_of_the_derivatives():
    terms, inputs = guarded()
    _, grad = compile_density(total(terms).node, [t.node for t in inputs])(np.zeros(31))
    np.testing.assert_array_equal(grad, 0.0)


def chances_of_counts(x, k):
    """With an array of counts for each part."""
    return sum(ops.sum_(ops.xlogy(np.array([n, 2, 0]), ops.sigmoid(u * (1.0 + i)))
                        + ops.xlog1py(np.array([1, n, 0]), -ops.sigmoid(u * (1.0 + i))))
               for i, (u, n) in enumerate(zip(x, k, strict=True)))  # fmt: skip


def exposures(x, k):
    return sum(ops.xlogy(n, (1 + i) * ops.exp(u))
               for i, (u, n) in enumerate(zip(x, k, strict=True)))  # fmt: skip


def scales_read(x, k):
    scale = ops.exp(x)
    return sum(ops.where(scale[i] > 0.0, n * ops.log(scale[i]), -np.inf)
               for i, n in enumerate(k))  # fmt: skip


def chances_read(x, k):
    p = ops.sigmoid(x)
    return sum(ops.xlogy(n, p[i]) + ops.xlog1py(2, -p[i]) for i, n in enumerate(k))


def _softplus(u):
    return np.logaddexp(0.0, u)


FORMS = {  # what a loop writes, then its value for the numbers u, k of one part and the part's i
    chances_of_counts: lambda u, k, i: (
        -(k + 2) * _softplus(-u * (1 + i)) - (k + 1) * _softplus(u * (1 + i))),
    exposures: lambda u, k, i: k * (u + np.log(1 + i)),
    scales_read: lambda u, k, i: k * u,
    chances_read: lambda u, k, i: -k * _softplus(-u) - 2 * _softplus(u),
}  # fmt: skip


@pytest.mark.parametrize("size", [30.0, -30.0, 800.0, -800.0])
@pytest.mark.parametrize("form", FORMS)
def test_parts_know_what_keeps_digits(form, size):
    """Signs and finiteness of data and elements, by which logarithms meet what they undo."""
    count, of_array = 20, form in (scales_read, chances_read)
    k = np.arange(count) % 4
    x = ops.new_input("x", (count,)) if of_array else [number(f"x{i}") for i in range(count)]
    inputs = [x.node] if of_array else [value.node for value in x]
    assert roll(form(x, k).node, inputs) is not None
    u = size * (1.0 + 0.01 * np.arange(count))
    lp, grad = compile_density(form(x, k).node, inputs)(u)
    wanted = FORMS[form]
    np.testing.assert_allclose(lp, wanted(u, k, np.arange(count)).sum(), rtol=1e-13)
    slope = wanted(u + 0.5, k, np.arange(count)) - wanted(u - 0.5, k, np.arange(count))
    np.testing.assert_allclose(grad, slope, rtol=1e-9, atol=1e-9)


def repeated(seed):
    """A random graph several times over, some inputs in common, constants that differ."""
    rng = np.random.default_rng(seed)
    drawn, tensors, _ = random_graph(seed, length=int(rng.integers(1, 6)))
    common = {tensor.node for tensor in tensors if rng.random() < 0.35}
    total, own, changing = ops.as_tensor(0.0), [], {}
    for part in range(int(rng.integers(FEWEST, 2 * FEWEST))):

        def changed(node, part=part):
            if node.op is not const or node.type.dtype != FLOAT:
                return None
            if not changing.setdefault(node, rng.random() < 0.5):
                return None
            return ops.as_tensor(node.attrs[0].value * (1.0 + 0.01 * part)).node

        mine = {t.node: ops.new_input(f"{part} {t.node.attrs[0]}", t.shape) for t in tensors
                if t.node not in common}  # fmt: skip
        (copy,) = rebuild([drawn.node], {old: new.node for old, new in mine.items()}, changed)
        total, own = total + Tensor(copy), [*own, list(mine.values())]
    ordered = own if seed % 2 else zip(*own, strict=True)
    inputs = [*(tensor for some in ordered for tensor in some), *map(Tensor, common)]
    return total, inputs, 0.4 * rng.normal(size=sum(t.node.type.size for t in inputs))


@pytest.mark.parametrize("seed", range(25))
def test_random_graphs_several_times_over(seed):
    total, inputs, point = repeated(seed)
    nodes, values = [t.node for t in inputs], values_of(inputs, point)
    want = expected(total.node, nodes, values)
    assert want.complaint(native(total.node, nodes, values)) is None


@pytest.mark.parametrize("model", [side_by_side, vectors])
def test_the_code_does_not_grow_with_the_parts(model):
    texts = [
        compile_density(total(terms).node, [t.node for t in inputs]).ir
        for terms, inputs in (model(count) for count in (24, 72))
    ]
    assert texts[0].count("\n") == texts[1].count("\n")


def test_numbers_of_all_parts_are_computed_side_by_side():
    terms, inputs = side_by_side()
    rolled = roll(total(terms).node, [t.node for t in inputs])
    assert "parts" not in {node.op.name for node in topological(rolled.outputs)}


def test_few_parts_stay_as_they_are():
    terms, inputs = vectors(FEWEST - 1)
    assert roll(total(terms).node, [t.node for t in inputs]) is None


def test_terms_of_other_operations_stay_as_they_are():
    x = [ops.new_input(f"x{i}", (3, 3)) for i in range(20)]
    terms = [ops.sum_(ops.cholesky(ops.matmul(v, v.T) + np.eye(3))) for v in x]
    assert roll(total(terms).node, [t.node for t in x]) is None


def test_shared_terms_are_counted_as_often_as_they_stand():
    x = [number(f"x{i}") for i in range(20)]
    terms = [normal(v, 0.0, 1.0) * ops.tanh(v) for v in x]
    half = total(terms)
    compare_density(half + half + ops.exp(x[0]), x, np.linspace(-1.0, 1.0, 20))


def test_inputs_without_elements_are_passed_over():
    terms, inputs = side_by_side()
    inputs.insert(2, ops.new_input("none", (0,)))
    inputs.append(ops.new_input("nothing", (0,)))
    size = sum(tensor.node.type.size for tensor in inputs)
    compare_density(total(terms), inputs, np.linspace(-0.5, 0.5, size))


def test_all_parts_read_together():
    x = [number(f"x{i}") for i in range(24)]
    whole = ops.stack(x)
    terms = [normal(v, 0.0, 1.0) for v in x]
    terms += [ops.tanh(whole[i] * ops.sum_(whole * whole)) for i in range(24)]
    compare_density(total(terms), x, np.linspace(-0.5, 0.5, 24))
