"""Python functions inside a graph: values, derivatives, refusals, and exceptions that come out."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import finetti as pm
from finetti.backends.native import compile_density, compile_map
from finetti.backends.reference import evaluate
from finetti.errors import NotYetSupported, ParameterError, ShapeError
from finetti.ir import ops
from finetti.passes.grad import gradient


def slope_of_sine(g, x):
    return g * np.cos(x)


box_slope = pm.blackbox(slope_of_sine, grad=lambda g, h, x: [g * ops.cos(x), -g * h * ops.sin(x)])
sine = pm.blackbox(np.sin, grad=box_slope)
WAYS = {"a second black box": sine, "a graph": pm.blackbox(np.sin, grad=slope_of_sine)}


@pytest.mark.parametrize("way", WAYS)
def test_value_and_two_derivatives_on_both_backends(way):
    x = ops.new_input("x", (4,))
    point = np.array([0.1, -0.5, 2.0, 3.0])
    total = ops.sum_(WAYS[way](x) * x)
    (slope,) = gradient(total.node, [x.node])
    (bend,) = gradient(ops.sum_(slope).node, [x.node])
    expected = np.sin(point) + point * np.cos(point)
    curved = 2 * np.cos(point) - point * np.sin(point)
    value, one, two = evaluate([total, slope, bend], {x.node: point})
    np.testing.assert_allclose(value, (np.sin(point) * point).sum())
    np.testing.assert_allclose(one, expected)
    np.testing.assert_allclose(two, curved)
    lp, got = compile_density(total.node, [x.node])(point)
    np.testing.assert_allclose(lp, value)
    np.testing.assert_allclose(got, expected)
    np.testing.assert_allclose(compile_density(ops.sum_(slope).node, [x.node])(point)[1], curved)


def test_several_outputs_dtypes_and_a_shape_that_follows_the_arguments():
    seen = []

    def split(x, k, flag):
        seen.append((x.dtype, k.dtype, flag.dtype, x.shape))
        return x.sum(axis=0), np.array(k + 1), x > 0.5

    box = pm.blackbox(split, lambda x, k, flag: (x[1:], k, x), ["float64", "int64", "bool"])
    x = ops.new_input("x", (3, 2))
    outs = box(x, np.array([1, 2]), x[0, 0] > 0)
    assert [(o.node.type.dtype, o.node.shape) for o in outs] == [
        ("float64", (2,)), ("int64", (2,)), ("bool", (3, 2))]  # fmt: skip
    point = np.random.default_rng(0).uniform(size=(3, 2))
    plain = evaluate(outs, {x.node: point})
    for one, other in zip(plain, compile_map([o.node for o in outs], [x.node])(point.ravel()),
                          strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert set(seen) == {(np.dtype(float), np.dtype(int), np.dtype(bool), (3, 2))}


def test_arrays_given_to_the_function_are_its_own():
    def spoil(x):
        x[:] = 7.0
        return x

    x = ops.new_input("x", (3,))
    out = pm.blackbox(spoil)(x)
    total = ops.sum_(out) + ops.sum_(x)
    assert compile_map([total.node], [x.node])(np.ones(3))[0] == 24.0
    assert evaluate([total], {x.node: np.ones(3)})[0] == 24.0


def test_decorator_name_and_pickle():
    @pm.blackbox(out_shape=(), name="total")
    def add_up(x):
        return x.sum()

    assert "total" in repr(add_up)
    copy = pickle.loads(pickle.dumps(pm.blackbox(np.cos, grad=slope_of_sine, name="cosine")))
    assert (copy.name, copy.fn, copy.grad) == ("cosine", np.cos, slope_of_sine)
    assert evaluate([add_up(np.ones(3))])[0] == 3.0


def test_without_a_gradient_nuts_refuses_by_name_and_others_sample(caplog):
    plain = pm.blackbox(np.sin, name="no_slope")
    with pm.Model() as model:
        x = pm.Normal("x")
        pm.Normal("y", plain(x), 0.5, observed=0.3)
    with pytest.raises(NotYetSupported, match="no_slope"), model:
        pm.sample(10, tune=10, step=pm.NUTS(), progressbar=False)
    with caplog.at_level("INFO", "finetti"):  # without a word on steps: one that needs no gradient
        pm.sample(10, tune=10, chains=1, model=model, progressbar=False)
    assert "Slice: [x]" in caplog.text
    for step in (pm.Metropolis, pm.Slice):
        with model:
            result = pm.sample(50, tune=50, step=step(), chains=1, progressbar=False)
        assert np.isfinite(result.posterior["x"]).all()


def test_chains_in_threads_call_python_and_agree():
    with pm.Model() as model:
        x = pm.Normal("x", shape=3)
        pm.Normal("y", sine(x), 1.0, observed=np.zeros(3))
    with pm.Model() as other:
        x = pm.Normal("x", shape=3)
        pm.Normal("y", ops.sin(x), 1.0, observed=np.zeros(3))
    options = {"draws": 60, "tune": 60, "chains": 4, "cores": 4, "random_seed": 2,
               "progressbar": False}  # fmt: skip
    one, two = (pm.sample(model=m, **options).posterior["x"] for m in (model, other))
    np.testing.assert_allclose(one, two, rtol=1e-6)


class OwnError(Exception):
    pass


def test_an_exception_ends_sampling_and_is_raised_there():
    calls = []

    def fails(x):
        calls.append(1)
        if len(calls) > 200:
            raise OwnError("after 200 calls")
        return np.sin(x)

    with pm.Model() as model:
        x = pm.Normal("x")
        pm.Normal("y", pm.blackbox(fails, grad=slope_of_sine)(x), 0.5, observed=0.3)
    with pytest.raises(OwnError, match="after 200 calls") as info:
        pm.sample(500, tune=500, model=model, progressbar=False)
    assert "black-box function 'fails'" in info.value.__notes__[0]


def test_an_exception_in_a_compiled_map_and_in_a_loop():
    def fails(x):
        raise OwnError("always")

    box, x = pm.blackbox(fails), ops.new_input("x", ())
    with pytest.raises(OwnError):
        compile_map([box(x).node], [x.node])(np.zeros(1))
    last, _ = ops.scan(lambda c: (c + box(c), None), x, length=20)
    with pytest.raises(OwnError):
        compile_map([last.node], [x.node])(np.zeros(1))
    with pytest.raises(OwnError):
        evaluate([last], {x.node: np.array(1.0)})


def test_in_a_loop():
    x = ops.new_input("x", ())
    last, kept = ops.scan(lambda c: (sine(c) + 0.5, c), x, length=4)
    total = last + ops.sum_(kept)
    value, slope = evaluate([total.node, *gradient(total.node, [x.node])], {x.node: np.array(0.3)})
    lp, got = compile_density(total.node, [x.node])(np.array([0.3]))
    np.testing.assert_allclose([lp, got[0]], [value, slope])


def test_evaluations_in_python_threads():
    x = ops.new_input("x", (2,))
    compiled = compile_map([sine(x).node], [x.node])
    points = [np.full(2, float(k)) for k in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for point, (got,) in zip(points, pool.map(compiled, points), strict=True):
            np.testing.assert_array_equal(got, np.sin(point))


WRONG = {
    "shape": (lambda x: ops.sum_(pm.blackbox(lambda x: x[:1])(x)), ShapeError, "out_shape"),
    "outputs": (
        lambda x: ops.sum_(pm.blackbox(lambda x: (x,), [(2,), ()])(x)[0]), ShapeError, "1 outputs"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_outputs_other_than_said_are_refused(case):
    make, error, words = WRONG[case]
    x = ops.new_input("x", (2,))
    with pytest.raises(error, match=words):
        evaluate([make(x)], {x.node: np.ones(2)})
    with pytest.raises(error, match=words):
        compile_map([make(x).node], [x.node])(np.ones(2))


def test_wrong_makings_and_gradients_are_refused():
    x = ops.new_input("x", (2,))
    with pytest.raises(ParameterError, match="cannot be called"):
        pm.blackbox(3)
    with pytest.raises(ParameterError, match="without arguments"):
        sine()
    with pytest.raises(ParameterError, match="output shapes"):
        pm.blackbox(np.sin, [(), ()], ["float64"] * 3)(x)
    for grad, words in ((lambda g, x: [g, g], "returned 2"), (lambda g, x: g[0], "argument 0")):
        out = pm.blackbox(np.sin, grad=grad)(x)
        with pytest.raises(ShapeError, match=words):
            gradient(ops.sum_(out).node, [x.node])
