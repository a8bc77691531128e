"""The gradient as a graph: against finite differences, and applied twice."""

import numpy as np
import pytest

from finetti.backends.native import compile_density
from finetti.backends.reference import evaluate
from finetti.ir import Tensor, ops
from finetti.passes.grad import gradient

X = ops.new_input("x", (3, 4))
V = ops.new_input("v", (4,))
S = ops.new_input("s", ())
POINT = {
    X.node: np.linspace(-1.0, 1.2, 12).reshape(3, 4),
    V.node: np.array([0.35, -0.25, 1.1, 0.45]),
    S.node: np.float64(0.7),
}
DENSITIES = [
    ops.sum_(ops.exp(X) * V + S),
    ops.logsumexp(X @ V) * S,
    ops.sum_((X - ops.mean(X, axis=0)) ** 2 / ops.exp(S)),
    ops.sum_(X[np.array([0, 2, 2, 1])] * V[np.array([1, 1, 0, 3])]),
    ops.sum_(ops.where(X > V, X * X, S * X)),
    ops.max_(X) + ops.min_(V) * S,
    ops.sum_(ops.concatenate([X, ops.stack([V, V * S])]) ** 3),
    ops.sum_(ops.log_softmax(X, axis=1)[:, 1]),
    ops.sum_(ops.softmax(X * S)[..., ::-1] * V),
]


@pytest.mark.parametrize("density", DENSITIES, ids=range(len(DENSITIES)))
def test_gradient_and_second_derivative(density):
    wrt = [X.node, V.node, S.node]
    grads = gradient(density.node, wrt)
    assert [g.shape for g in grads] == [n.shape for n in wrt]
    rng = np.random.default_rng(0)
    direction = {n: rng.normal(size=n.shape) for n in wrt}
    slope = sum(
        (ops.sum_(Tensor(g) * direction[n]) for g, n in zip(grads, wrt, strict=True)),
        ops.as_tensor(0.0),
    )
    curvature = sum(
        (ops.sum_(Tensor(g) * direction[n])
         for g, n in zip(gradient(slope.node, wrt), wrt, strict=True)),
        ops.as_tensor(0.0),
    )  # fmt: skip

    def along(t):
        point = {n: POINT[n] + t * direction[n] for n in wrt}
        return np.array([float(v) for v in evaluate([density, slope], point)])

    h = 1e-4
    numeric = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h)
    analytic = [float(v) for v in evaluate([slope, curvature], POINT)]
    np.testing.assert_allclose(numeric, analytic, rtol=1e-6, atol=1e-6)


def test_independent_inputs_have_zero_gradient():
    (grad,) = gradient(ops.sum_(X).node, [V.node])
    np.testing.assert_array_equal(evaluate([grad])[0], np.zeros(4))


def test_comparisons_stop_the_gradient():
    (grad,) = gradient(ops.sum_(ops.cast(X > 0, "float64")).node, [X.node])
    np.testing.assert_array_equal(evaluate([grad], POINT)[0], np.zeros((3, 4)))


SAFE = {
    "log": (lambda x: ops.where(x > 0.0, ops.log(x), 0.0), [0.0, -1.0, 0.5], [0.0, 0.0, 2.0]),
    "root": (lambda x: ops.where(x > 0.0, ops.sqrt(x), x), [0.0, -1.0, 4.0], [1.0, 1.0, 0.25]),
    "ratio": (lambda x: ops.where(ops.equal(x, 0.0), 1.0, ops.sin(x) / x), [0.0], [0.0]),
    "chain": (lambda x: ops.where(x > 1.0, ops.sqrt(ops.log(x)) * 2.0 + 1.0, -x),
              [1.0, -2.0], [-1.0, -1.0]),
    "nested": (
        lambda x: ops.where(x < 5.0, ops.where(x > 0.0, ops.log(x), 0.0), 1.0 / (x - 5.0)),
        [0.0, 5.0, 2.0], [0.0, -np.inf, 0.5]),
    "power": (lambda x: ops.where(x > 0.0, x ** 0.5 / ops.log1p(x), 0.0), [-2.0], [0.0]),
}  # fmt: skip


@pytest.mark.parametrize("name", SAFE)
def test_branches_that_are_not_taken_do_no_harm(name):
    function, point, expected = SAFE[name]
    x = ops.new_input("x", (len(point),))
    density = ops.sum_(function(x))
    (grad,) = gradient(density.node, [x.node])
    (got,) = evaluate([grad], {x.node: np.array(point)})
    np.testing.assert_allclose(got, expected, atol=1e-15)
    _, native = compile_density(density.node, [x.node])(np.array(point))
    np.testing.assert_allclose(native, expected, atol=1e-15)
