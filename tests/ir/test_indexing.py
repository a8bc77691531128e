"""Indexing as NumPy: reading, writing and adding, for keys of every kind, on both backends."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from finetti.backends.native import compile_density, compile_map
from finetti.backends.reference import evaluate
from finetti.errors import DtypeError, ShapeError
from finetti.ir import Tensor, ops
from finetti.passes.grad import gradient

SHAPES = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(tuple)


@st.composite
def keys(draw):
    """(shape, key): ints, slices, None, Ellipsis, integer and boolean arrays, mixed."""
    shape = draw(SHAPES)
    broadcast = draw(st.sampled_from([(), (1,), (3,), (2, 1), (2, 3)]))
    parts, axis, dots = [], 0, False
    while axis < len(shape):
        n = shape[axis]
        kind = draw(st.sampled_from(["slice", "int", "array", "mask", "new", "stop", "dots"]))
        if kind in ("int", "array") and n == 0 or kind == "stop":
            break
        if kind == "new":
            parts.append(None)
            continue
        if kind == "dots":
            if not dots:
                parts.append(Ellipsis)
                axis += draw(st.integers(0, len(shape) - axis))
                dots = True
            continue
        if kind == "slice":
            ends = st.none() | st.integers(-5, 5)
            step = draw(st.sampled_from([None, 1, 2, -1, -2]))
            parts.append(slice(draw(ends), draw(ends), step))
        elif kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "array":
            some = draw(st.sampled_from([broadcast, (1,), broadcast[-1:]]))
            size = int(np.prod(some, dtype=int))
            values = draw(st.lists(st.integers(-n, n - 1), min_size=size, max_size=size))
            parts.append(np.array(values, int).reshape(some))
        else:
            mask = draw(st.lists(st.booleans(), min_size=n, max_size=n))
            parts.append(np.array(mask, bool))
        axis += 1
    key = tuple(parts)
    try:
        np.zeros(shape)[key]
    except IndexError:
        key = key[:1] if key and not isinstance(key[0], np.ndarray) else ()
    return shape, key


def values_of(shape):
    return np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape)


def symbolic(key):
    """The key as a user may hold it: alone when it is one thing."""
    return key[0] if len(key) == 1 else key


@settings(max_examples=1000, deadline=None)
@given(keys())
def test_reading(case):
    shape, key = case
    array = values_of(shape)
    x = ops.new_input("x", shape)
    result, expected = x[symbolic(key)], array[key]
    assert result.node.shape == expected.shape
    np.testing.assert_array_equal(evaluate([result], {x.node: array})[0], expected)


@settings(max_examples=100, deadline=None)
@given(keys())
def test_adding_and_writing(case):
    shape, key = case
    array = values_of(shape)
    part = array[key]
    v = -values_of(part.shape)
    x, y = ops.new_input("x", shape), ops.new_input("v", part.shape)
    values = {x.node: array, y.node: v}
    added = array.copy()
    np.add.at(added, key, v)
    written = array.copy()
    written[key] = v
    for result, expected in (
        (ops.add_at(x, key, y), added),
        (ops.set_at(x, key, y), written),
        (ops.inc_subtensor(x[key], y), added),
        (ops.set_subtensor(x[key], y), written),
    ):
        np.testing.assert_array_equal(evaluate([result], values)[0], expected)


ALL = slice(None)


@settings(max_examples=25, deadline=None)
@given(keys())
@example(((2, 3, 4, 5), (np.array([1, 0]), ALL, ALL, Ellipsis, None, ALL)))  # dots without axes
def test_native_code(case):
    shape, key = case
    array = values_of(shape) / 7.0
    v = -values_of(array[key].shape)
    x, y = ops.new_input("x", shape), ops.new_input("v", v.shape)
    values = {x.node: array, y.node: v}
    inputs = [x.node, y.node]
    point = np.concatenate([array.ravel(), v.ravel()])
    outputs = [x[key], ops.add_at(x, key, y), ops.set_at(x, key, y)]
    expected = evaluate(outputs, values)
    for got, want in zip(
        compile_map([o.node for o in outputs], inputs)(point), expected, strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=1e-15)
    density = sum((ops.sum_(ops.sin(o) * o) for o in outputs), ops.as_tensor(0.0))
    _, grad = compile_density(density.node, inputs)(point)
    parts = evaluate(gradient(density.node, inputs), values)
    np.testing.assert_allclose(
        grad, np.concatenate([p.ravel() for p in parts]), rtol=1e-11, atol=1e-12
    )


def test_one_boolean_index_over_several_axes():
    array = values_of((3, 4, 2))
    mask = array[..., 0] > 9
    x = ops.new_input("x", array.shape)
    for key in (mask, (mask, 1), (mask, slice(None, 1)), (np.array([True, False, True]), 0)):
        got = evaluate([x[key]], {x.node: array})[0]
        np.testing.assert_array_equal(got, array[key])


def test_only_the_last_of_several_writes_has_a_gradient():
    v = ops.new_input("v", (3,))
    result = ops.set_at(np.zeros(4), np.array([1, 2, 1]), v)
    (grad,) = gradient(ops.sum_(result * [1.0, 10.0, 100.0, 1.0]).node, [v.node])
    np.testing.assert_array_equal(evaluate([grad], {v.node: np.ones(3)})[0], [0.0, 100.0, 10.0])


@pytest.mark.parametrize("key", [4, -5, np.array([0, 4]), (slice(None), 3), (0, 0, 0)])
def test_positions_outside_are_refused_at_once(key):
    with pytest.raises(ShapeError):
        ops.new_input("x", (4, 3))[key]


def test_values_that_do_not_fit_are_refused():
    x = ops.new_input("x", (4, 3))
    for function in (ops.set_at, ops.add_at):
        with pytest.raises(ShapeError, match="does not fit"):
            function(x, slice(0, 2), np.zeros(2))
    with pytest.raises(ShapeError, match="expected an indexed tensor"):
        ops.set_subtensor(x * 2.0, 0.0)
    with pytest.raises(DtypeError):
        x[np.array([0.5])]


# -- positions known only when the model runs ----------------------------------------------------

X = ops.new_input("x", (4, 5))
AT = ops.new_input("at", (3,))
PLACE = ops.cast(AT, "int64")
DYNAMIC = {
    "rows": X[PLACE],
    "columns": X[:, PLACE],
    "elements": X[PLACE, PLACE],
    "one column": X[PLACE, 2],
    "grid": X[PLACE[:, None], np.array([0, 4])],
    "apart": X[None, PLACE, :, None][..., ::-1, :],
    "rows and a slice": X[PLACE, 1:4],
    "slice of columns": X[1:, PLACE][::2],
    "one row": X[ops.argmax(X[:, 0])],
    "written": ops.set_at(X, (PLACE, 2), 7.0),
    "rows written": ops.set_at(X, PLACE, X[:3] * 2.0),
    "added": ops.add_at(X, PLACE, 2.0 * X[:3]),
    "added to one place": ops.add_at(X, (ops.cast(AT * 0.0, "int64"), 1), X[0, 0]),
    "sorted": ops.sort(X, 1),
    "running maximum": ops.cummax(X, 0),
    "put": ops.put_along(X, PLACE[None, :] + np.zeros((4, 1), int), X[:, :3] * 2.0, 1),
    "added along": ops.add_along(X, PLACE[None, :] + np.zeros((4, 1), int), X[:, :3] * 2.0, 1),
}


@pytest.mark.parametrize("name", DYNAMIC)
def test_positions_of_the_run(name):
    result = DYNAMIC[name]
    rng = np.random.default_rng(4)
    point = np.concatenate([rng.normal(size=20), [1.0, -2.0, 3.0]])
    values = {X.node: point[:20].reshape(4, 5), AT.node: point[20:]}
    inputs = [X.node, AT.node]
    (expected,) = evaluate([result], values)
    np.testing.assert_allclose(compile_map([result.node], inputs)(point)[0], expected, rtol=1e-14)
    density = ops.sum_(result * result * rng.normal(size=expected.shape))
    _, grad = compile_density(density.node, inputs)(point)
    (want,) = evaluate(gradient(density.node, [X.node]), values)
    np.testing.assert_allclose(grad[:20], want.ravel(), rtol=1e-12, atol=1e-13)


def test_positions_outside_at_run_time_read_nan():
    point = np.concatenate([np.ones(20), [0.0, 4.0, -5.0]])
    (got,) = compile_map([X[PLACE].node], [X.node, AT.node])(point)
    np.testing.assert_array_equal(np.isnan(got[:, 0]), [False, True, True])
    assert isinstance(X[PLACE], Tensor)
