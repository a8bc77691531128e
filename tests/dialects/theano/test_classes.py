"""`Op` and `Apply`: operations that a script writes as classes."""

from __future__ import annotations

import importlib
import pickle
from typing import Any

import numpy as np
import pytest

import finetti as pm
from finetti.dialects import importer
from finetti.dialects.theano.classes import Apply, Op, grad_not_implemented
from finetti.errors import FinettiError, NotYetSupported, ParameterError, ShapeError
from finetti.ir import ops


@pytest.fixture(scope="module")
def tt():
    with importer.activated():
        yield importlib.import_module("theano.tensor")


class Square(Op):
    """Shapes from the types, gradient as an expression."""

    def make_node(self, x: Any) -> Apply:
        x = ops.as_tensor(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = inputs[0] ** 2

    def grad(self, inputs: Any, g: Any) -> Any:
        return [2.0 * inputs[0] * g[0]]


class Halves(Op):
    """Two outputs whose shapes come from `infer_shape`; `pullback` sees the outputs."""

    def make_node(self, x: Any) -> Apply:
        x = ops.as_tensor(x)
        return Apply(self, [x], [x.type(), x.type()])

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> Any:
        return [(shapes[0][0] // 2,), (shapes[0][0] - shapes[0][0] // 2,)]

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        (x,) = inputs
        outputs[0][0], outputs[1][0] = np.exp(x[: len(x) // 2]), np.exp(x[len(x) // 2 :])

    def pullback(self, inputs: Any, outputs: Any, g: Any) -> Any:
        return [ops.concatenate([one * two for one, two in zip(outputs, g, strict=True)])]


class Weighted(Op):
    """No gradient by its second input."""

    def make_node(self, x: Any, w: Any) -> Apply:
        x, w = ops.as_tensor(x), ops.as_tensor(w)
        return Apply(self, [x, w], [x.type()])

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        outputs[0][0] = inputs[0] * inputs[1]

    def L_op(self, inputs: Any, outputs: Any, g: Any) -> Any:  # noqa: N802
        return [g[0] * inputs[1], grad_not_implemented(self, 1, inputs[1])]


def slope(model: pm.Model, point: dict[str, Any]) -> np.ndarray:
    return np.asarray(model.compile_dlogp()(point))


@pytest.mark.parametrize(
    ("write", "exact"),
    [
        (lambda x: Square()(x).sum(), lambda x: 2.0 * x),
        (lambda x: sum(part.sum() for part in Halves()(x)), np.exp),
        (lambda x: Weighted()(x, np.array(3.0)).sum(), lambda x: np.full(3, 3.0)),
        (lambda x: Square()(Square()(x)).sum(), lambda x: 4.0 * x**3),
    ],
    ids=["grad", "pullback", "L_op", "twice"],
)
def test_gradients(write: Any, exact: Any) -> None:
    with pm.Model() as model:
        x = pm.Flat("x", shape=3)
        pm.Potential("term", write(x))
    point = np.array([0.3, -1.0, 2.0])
    np.testing.assert_allclose(slope(model, {"x": point}), exact(point), rtol=1e-12)


def test_a_missing_gradient_fails_only_where_it_is_needed() -> None:
    with pm.Model() as model:
        x, w = pm.Normal("x"), pm.Normal("w")
        pm.Potential("term", Weighted()(x, w))
    with pytest.raises(NotYetSupported, match="input 1 is not implemented"):
        slope(model, {"x": 1.0, "w": 2.0})
    value = model.compile_logp()({"x": 1.0, "w": 2.0})
    assert value == pytest.approx(2.0 - 2.5 - np.log(2 * np.pi))


def test_equal_applications_are_one() -> None:
    square, x = Square(), ops.as_tensor(np.arange(3.0)) + pm.Normal.dist()
    assert square(x).node is square(x).node


def test_itypes_and_trial_shapes(tt: Any) -> None:
    class Repeat(Op):
        itypes = [tt.dscalar]
        otypes = [tt.dvector]

        def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
            outputs[0][0] = np.full(4, inputs[0])

    repeat = Repeat()
    assert repeat(2.0).shape == (4,)
    with pm.Model():
        x = pm.Normal("x")
        assert repeat(x).shape == (4,)
        y = pm.CustomDist("y", x, logp=lambda value, x: -((value - repeat(x)) ** 2), shape=4)
        assert y.shape == (4,)
        trace = pm.sample(20, tune=20, chains=1, progressbar=False, quiet=True, random_seed=1)
    assert trace.posterior["y"].shape == (1, 20, 4)
    assert pickle.loads(pickle.dumps(Square())).__class__ is Square


def test_symbolic_inputs(tt: Any) -> None:
    x = tt.dmatrix("x")
    np.testing.assert_allclose(Square()(x).eval({x: 3.0 * np.eye(2)}), 9.0 * np.eye(2))


class Forgetful(Op):
    def make_node(self, x: Any) -> Apply:
        x = ops.as_tensor(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda tt: Op()(1.0), ParameterError, "itypes"),
        (lambda tt: Forgetful()(1.0).eval(), ParameterError, "left output 0 empty"),
        (lambda tt: _scalar(tt)(np.ones(2)), ShapeError, "expected 0"),
        (lambda tt: _scalar(tt)(1.0, 2.0), ParameterError, "takes 1 inputs, got 2"),
        (lambda tt: _scalar(tt)(1.0).eval(), ParameterError, "write perform"),
        (lambda tt: tt.COp, NotYetSupported, "as_op"),
    ],
)
def test_mistakes(tt: Any, call: Any, error: type[FinettiError], match: str) -> None:
    with pytest.raises(error, match=match):
        call(tt)


def _scalar(tt: Any) -> Op:
    class Scalar(Op):
        itypes = [tt.dscalar]
        otypes = [tt.dscalar]

    return Scalar()
