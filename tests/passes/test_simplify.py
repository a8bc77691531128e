"""Rules of simplification: what becomes one node, and what keeps its meaning at the edges."""

import numpy as np
import pytest

from finetti.backends.reference import evaluate
from finetti.ir import ops, topological
from finetti.passes.facts import finite, nonnegative, positive, whole
from finetti.passes.simplify import simplify

U = ops.new_input("u", ())
S = ops.new_input("s", ())
X = ops.new_input("x", (7,))
K = np.arange(7.0)
TWICE = np.array([0, 1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1, 0, 3])  # every element, some again
SOME = np.array([0, 2, 2, 2, 5, 5, 0, 0, 2, 5, 5, 5, 5, 2, 2, 2])  # not every element

# (as written, as an expert would write it): both simplify to one and the same node.
EQUAL = [
    (ops.log(ops.exp(X)), X),
    (ops.log(ops.sigmoid(X)), -ops.softplus(-X)),
    (ops.log1p(-ops.sigmoid(X)), -ops.softplus(X)),
    (ops.log(1.0 - ops.sigmoid(X)), -ops.softplus(X)),
    (ops.log1p(ops.exp(X)), ops.softplus(X)),
    (ops.log(1.0 + ops.exp(X)), ops.softplus(X)),
    (1.0 - ops.sigmoid(X), ops.sigmoid(-X)),
    (ops.sigmoid(ops.logit(ops.sigmoid(X))), ops.sigmoid(X)),
    (ops.xlogy(K, ops.exp(X)), K * X),
    (ops.xlogy(0.0, X), ops.zeros((7,))),
    (ops.sqrt(X * X), ops.absolute(X)),
    (X**2, X * X),
    (X**-1, 1.0 / X),
    (X**0.5, ops.sqrt(X)),
    (ops.exp(U) ** -2, ops.exp(-2.0 * U)),
    (1.0 / ops.exp(U), ops.exp(-U)),
    (ops.log(ops.sqrt(X)), 0.5 * ops.log(X)),
    (ops.log(3.0 * ops.exp(X)), X + np.log(3.0)),
    (ops.where(ops.exp(U) > 0, X, -np.inf), X),
    (ops.where(ops.sigmoid(X) < 1, X, -np.inf), X),
    (ops.where(np.ones(7, bool), X, 0.0), X),
    (X - X * 0.0, X),
    (X + X, 2.0 * X),
    ((X / S) / 2.0, X * (0.5 * (1.0 / S))),
    (ops.sum_(X * S), ops.sum_(X) * S),
    (ops.sum_(X + K), ops.sum_(X) + K.sum()),
    (ops.sum_(X + S), ops.sum_(X) + 7.0 * S),
    (ops.sum_(ops.broadcast_to(S, (7,))), 7.0 * S),
    (ops.sum_(X.reshape(7, 1).T), ops.sum_(X)),
    (ops.transpose(ops.transpose(ops.stack([X, X]))), ops.stack([X, X])),
    (ops.sum_((X * S)[np.array([0, 0, 3])]), ops.sum_(X[np.array([0, 0, 3])]) * S),
    (ops.matmul(np.ones((2, 7)), X * S), ops.matmul(np.ones((2, 7)), X) * S),
    (ops.log(ops.exp(X)[SOME]), X[SOME]),
    (ops.gammaln(X[TWICE]), ops.gammaln(X)[TWICE]),
    (ops.sum_(X[TWICE]), ops.sum_(X * np.bincount(TWICE))),
    (ops.sum_(ops.sin(X)[SOME]), ops.sum_(ops.sin(X)[np.array([0, 2, 5])] * [3.0, 7.0, 6.0])),
    (ops.maximum(X, -np.inf), X),
    (ops.minimum(np.inf, X), X),
]


@pytest.mark.parametrize(("written", "expert"), EQUAL, ids=range(len(EQUAL)))
def test_forms_meet(written, expert):
    a, b = simplify([written.node, expert.node])
    point = {U.node: 0.3, S.node: 1.7, X.node: np.linspace(0.1, 2.0, 7)}
    np.testing.assert_allclose(*evaluate([a, b], point), rtol=1e-14)
    assert a is b


def test_simplification_is_idempotent():
    tensor = ops.sum_(ops.exp((X - S) / ops.exp(U)) * K) + ops.log(ops.sigmoid(U))
    (once,) = simplify([tensor.node])
    assert simplify([once]) == [once]


def test_shapes_and_dtypes_of_outputs_are_kept():
    written = [(X * 0.0).node, (X[None] + np.zeros((2, 7))).node, ops.sum_(X > K).node]
    for old, new in zip(written, simplify(written), strict=True):
        assert new.type == old.type


def test_infinities_are_not_simplified_away():
    clamped = ops.where(X > 0, ops.log(X), -np.inf)
    (node,) = simplify([ops.sum_(clamped).node])
    (value,) = evaluate([node], {X.node: np.array([1.0, 2, 3, 4, 5, 6, -1])})
    assert value == -np.inf


def test_rules_shrink_the_graph_of_a_density():
    sigma = ops.exp(U)
    z = (X - S) / sigma
    density = ops.sum_(ops.where(sigma > 0, -0.5 * z * z - ops.log(sigma), -np.inf))
    (node,) = simplify([density.node])
    names = [n.op.name for n in topological([node])]
    assert "where" not in names and "log" not in names and names.count("exp") == 1


@pytest.mark.parametrize(
    ("tensor", "is_positive", "is_nonnegative"),
    [
        (ops.exp(X), True, True),
        (ops.square(X), False, True),
        (ops.exp(X) + ops.square(X), True, True),
        (ops.exp(X) * ops.absolute(X), False, True),
        (X, False, False),
        (ops.as_tensor(2.0), True, True),
        (ops.as_tensor([0.0, 1.0]), False, True),
        (1.0 / ops.sigmoid(X), True, True),
        (ops.sum_(ops.exp(X)), True, True),
        (ops.exp(X) - 1.0, False, False),
    ],
)
def test_signs(tensor, is_positive, is_nonnegative):
    (node,) = simplify([tensor.node])
    assert positive(node) is is_positive
    assert nonnegative(node) is is_nonnegative


@pytest.mark.parametrize(
    ("tensor", "is_finite", "is_whole"),
    [
        (X, True, False),
        (ops.exp(X * S), True, False),
        (ops.log(X), False, False),
        (ops.log1p(ops.exp(X)), True, False),
        (ops.sqrt(X), False, False),
        (ops.sqrt(1.0 + X * X), True, False),
        (ops.where(X > 0, X, -np.inf), False, False),
        (1.0 / X, False, False),
        (1.0 / (1.0 + ops.exp(X)), True, False),
        (ops.floor(X) * 3.0 - 1.0, True, True),
        (ops.sum_(X > 0), True, True),
        (ops.floor(X) * 0.5, True, False),
    ],
)
def test_facts(tensor, is_finite, is_whole):
    (node,) = simplify([tensor.node])
    assert finite(node) is is_finite
    assert whole(node) is is_whole


def test_functions_stay_away_from_what_is_not_read():
    (log,) = simplify([ops.log(X[SOME]).node])
    assert log.op.name == "log" and log.shape == SOME.shape


def test_gathered_terms_leave_sums():
    z = ops.new_input("z", SOME.shape)
    total = simplify([ops.sum_(X[SOME] - ops.softplus(z) + ops.exp(X)[SOME]).node])
    assert not any(n.op.name == "index" and n.shape == SOME.shape for n in topological(total))
