"""Formulas as users write them keep their digits, in value and gradient."""

from pathlib import Path

import numpy as np
import pytest
from tests.passes import exact
from tests.passes.stable_forms import FORMS

from finetti.backends import native, reference
from finetti.ir import ops
from finetti.ir.ops.leaf import new_input
from finetti.passes.grad import gradient
from finetti.passes.simplify import simplify

EPS = np.finfo(float).eps
DOCS = Path(__file__).parents[2] / "docs" / "stability.md"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_value_and_gradient_against_800_digits(form):
    ours = exact.Ours(form)
    for point in form.points:
        value, slopes = exact.exact(form, point)
        got, got_slopes = ours(point)
        # a rounding of the point itself moves the value this much, relative to it
        moved = np.abs(np.atleast_1d(point) * slopes).sum() / abs(value) if value else 0.0
        bound = 4 * EPS * (2 + moved) * abs(value) + form.absolute
        assert abs(got - value) <= bound, (point, got, value)
        np.testing.assert_allclose(got_slopes, slopes, rtol=2e-12, atol=4e-17, err_msg=str(point))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_rules_keep_the_meaning(form):
    """Where the plain formula is harmless, the rewritten graph agrees with it."""
    rng = np.random.default_rng(1)
    point = form.points[0]
    size = len(point) if isinstance(point, tuple) else 0
    values = np.sort(rng.uniform(0.3, 0.9, size))[::-1] if size else np.float64(0.4)
    sign = -1.0 if np.ndim(values) == 0 and all(p < 0 for p in form.points) else 1.0
    x = new_input("x", np.shape(values))
    plain = form.formula(exact.OURS, x).node
    (rewritten,) = simplify([plain])
    for pair in ((plain, rewritten), [gradient(node, [x.node])[0] for node in (plain, rewritten)]):
        expected, got = reference.evaluate(list(pair), {x.node: sign * np.asarray(values)})
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_of_exponentials_along_axes(axis, keepdims):
    v = new_input("v", (2, 3))
    total = ops.log(ops.sum_(ops.exp(v), axis, keepdims))
    point = np.array([[700.0, 720.0, 719.0], [-800.0, -801.0, -750.0]])
    function = native.compile_map([total.node], [v.node])
    np.testing.assert_allclose(
        function(point.ravel())[0], np.logaddexp.reduce(point, axis, keepdims=keepdims)
        if not isinstance(axis, tuple) and axis is not None
        else np.logaddexp.reduce(point.ravel()).reshape((1, 1) if keepdims else ()),
        rtol=1e-15,
    )  # fmt: skip


READ = {
    "log(p)": (lambda p: ops.log(p), lambda u: -np.logaddexp(0.0, -u)),
    "log1p(-p)": (lambda p: ops.log1p(-p), lambda u: -np.logaddexp(0.0, u)),
    "log(1 - p)": (lambda p: ops.log(1.0 - p), lambda u: -np.logaddexp(0.0, u)),
    "xlog1py(2, -p)": (lambda p: ops.xlog1py(2.0, -p), lambda u: -2.0 * np.logaddexp(0.0, u)),
    "1 - p": (lambda p: 1.0 - p, lambda u: np.exp(-np.logaddexp(0.0, u))),
}


@pytest.mark.parametrize("form", READ)
@pytest.mark.parametrize(
    "places", [2, [-1, 0], [2, 1, 0, 3, 4], [4, 0, 0, 1, 2, 3], [0, 1, 2, 3, 4] * 3]
)
def test_probabilities_that_are_read(form, places):
    """What is lost beside 1 is kept whether few elements are read, all, or all often."""
    write, exactly = READ[form]
    v = new_input("v", (5,))
    point = np.array([-40.0, 30.0, 1.0, 37.5, 700.0])
    (got,) = native.compile_map([write(ops.sigmoid(v)[places]).node], [v.node])(point)
    np.testing.assert_allclose(got, exactly(point[places]), rtol=1e-14)


def test_what_is_not_the_form_stays():
    x, y = new_input("x", (4,)), new_input("y", (4,))
    point = np.array([0.3, -0.2, 0.5, 0.1, 1.2, 0.7, -0.4, 0.9])
    cases = [
        ops.log(ops.exp(x) - 2 * ops.exp(y) + 5.0),
        ops.exp(x) / ops.sum_(ops.exp(y)),
        (ops.exp(x) - ops.exp(-y)) / (ops.exp(x) + ops.exp(-x)),
        1.0 / (2.0 + ops.exp(x)),
        2.0 - ops.exp(x),
        ops.exp(x) * ops.sigmoid(x),
        ops.log(ops.sum_(ops.exp(x) * 2.0 + 1.0)),
    ]
    for case in cases:
        (rewritten,) = simplify([case.node])
        values = {x.node: point[:4], y.node: point[4:]}
        want, got = reference.evaluate([case.node, rewritten], values)
        np.testing.assert_allclose(got, want, rtol=1e-14)


def test_an_infinite_term_and_an_empty_sum():
    v = new_input("v", (3,))
    total = ops.log(ops.sum_(ops.exp(ops.log(v))))
    (rewritten,) = simplify([total.node])
    for point, want in (([0.0, 0.0, 0.0], -np.inf), ([0.0, 1.0, 0.0], 0.0)):
        with np.errstate(divide="ignore"):
            assert reference.evaluate([rewritten], {v.node: np.array(point)})[0] == want


def test_the_documented_table_lists_every_form():
    text = DOCS.read_text()
    for form in FORMS:
        assert f"| `{form.name}` |" in text, form.name
