"""Tensors follow NumPy: operators, methods, ufuncs, functions, indexing, broadcasting."""

import numpy as np
import pytest

from finetti.backends.reference import evaluate
from finetti.errors import DtypeError, NotYetSupported, ParameterError, ShapeError, TracedValueError
from finetti.ir import ops

X = np.linspace(0.2, 2.3, 12).reshape(3, 4)
V = np.array([0.5, -1.5, 2.0, 0.25])

EXPRESSIONS = [
    lambda x, v: x + v, lambda x, v: v - x, lambda x, v: x * 2, lambda x, v: 1 / x,
    lambda x, v: x // 0.7, lambda x, v: x % 0.7, lambda x, v: x**2, lambda x, v: 2.0**x,
    lambda x, v: -x, lambda x, v: abs(v - x), lambda x, v: x @ v, lambda x, v: x.T,
    lambda x, v: (x > 1) & (v < 1), lambda x, v: ~(x >= v) | (x == v) ^ (x != v),
    lambda x, v: np.exp(x), lambda x, v: np.log1p(x), lambda x, v: np.where(x > v, x, 0.0),
    lambda x, v: np.sqrt(x).sum(), lambda x, v: x.sum(axis=0), lambda x, v: x.mean(axis=(0, 1)),
    lambda x, v: np.sum(x, axis=1, keepdims=True), lambda x, v: x.max(axis=-1),
    lambda x, v: np.concatenate([x, x], axis=1), lambda x, v: np.stack([v, v * 2]),
    lambda x, v: x.reshape(2, 6), lambda x, v: x.reshape((-1, 3)), lambda x, v: np.reshape(x, 12),
    lambda x, v: x[1], lambda x, v: x[:, ::-1], lambda x, v: x[..., None], lambda x, v: x[-1, 1:3],
    lambda x, v: x[[0, 2, 2]], lambda x, v: x[np.array([0, 1]), np.array([3, 1])],
    lambda x, v: x[:, np.array([True, False, True, True])], lambda x, v: v[v.shape[0] - 1],
    lambda x, v: np.add(v, 1), lambda x, v: np.maximum(x, v), lambda x, v: np.logaddexp(x, v),
    lambda x, v: x.cumsum(axis=1), lambda x, v: np.clip(x, 0.5, 1.5), lambda x, v: x.var(axis=0),
    lambda x, v: np.dot(x, v), lambda x, v: np.outer(v, v), lambda x, v: np.diag(v),
    lambda x, v: np.tile(v, 2), lambda x, v: np.repeat(v, 2), lambda x, v: x.flatten(),
    lambda x, v: np.add.reduce(x), lambda x, v: (x > 1).any(axis=0), lambda x, v: (x > 0).all(),
    lambda x, v: np.expand_dims(v, 1), lambda x, v: np.squeeze(v[None]), lambda x, v: x.astype(int),
    lambda x, v: np.tanh(x), lambda x, v: np.round(x), lambda x, v: np.prod(x, axis=1),
    lambda x, v: np.tril(x), lambda x, v: np.std(x), lambda x, v: np.broadcast_to(v, (2, 4)),
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_expression_means_what_numpy_means(expression):
    x, v = ops.new_input("x", X.shape), ops.new_input("v", V.shape)
    expected = np.asarray(expression(X, V))
    result = expression(x, v)
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    (got,) = evaluate([result], {x.node: X, v.node: V})
    np.testing.assert_allclose(got, expected, rtol=1e-13)


@pytest.mark.parametrize("left", [np.arange(4.0), [1.0, 2.0, 3.0, 4.0], 2, np.float64(3)])
def test_arrays_on_the_left(left):
    v = ops.new_input("v", V.shape)
    (got,) = evaluate([left * v], {v.node: V})
    np.testing.assert_allclose(got, np.asarray(left) * V)


def test_a_list_of_tensors_becomes_a_tensor():
    a, b = ops.new_input("a", ()), ops.new_input("b", ())
    (got,) = evaluate([ops.as_tensor([[a, 1.0], [b, 2.0]])], {a.node: 3.0, b.node: 4.0})
    np.testing.assert_array_equal(got, [[3, 1], [4, 2]])


@pytest.mark.parametrize("use", [bool, float, int, np.asarray, list(range(3)).__getitem__])
def test_asking_for_a_value_explains_itself(use):
    x = ops.new_input("x", ())
    x.name = "theta"
    with pytest.raises(TracedValueError, match=r"'theta'.*only when the model runs"):
        use(x)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda x: x + np.zeros(5), ShapeError, "do not broadcast"),
        (lambda x: x @ np.zeros((4, 2)), ShapeError, "must match"),
        (lambda x: x.sum(axis=3), ShapeError, "has 2 axes"),
        (lambda x: x[5], ShapeError, "out of bounds"),
        (lambda x: x[np.array([0.5])], DtypeError, "expected integers"),
        (lambda x: x & True, DtypeError, "expected booleans"),
        (lambda x: x.reshape(5, -1), ShapeError, "no length fits"),
        (lambda x: ops.concatenate([x, np.zeros((3, 4))], 0), ShapeError, "equal"),
        (lambda x: x + np.array(["a"] * 3), DtypeError, "cannot enter a model"),
        (lambda x: np.add(x, 1.0, out=np.zeros((3, 3))), NotYetSupported, "never written into"),
        (lambda x: ops.as_tensor([[1.0], [1.0, 2.0]]), ShapeError, "different lengths"),
        (lambda x: x.__setitem__(0, 1.0), ParameterError, "set_subtensor"),
    ],
)
def test_mistakes_are_explained(wrong, error, words):
    with pytest.raises(error, match=words):
        wrong(ops.new_input("x", (3, 3)))
