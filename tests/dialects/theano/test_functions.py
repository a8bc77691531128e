"""`theano.shared`, `function`, `eval`, `grad`, `scan`, `ifelse`, `as_op`, `config`."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import finetti as pm
from finetti.dialects import importer, notes
from finetti.errors import NotYetSupported, ParameterError, ShapeError, TracedValueError


@pytest.fixture(scope="module")
def theano():
    with importer.activated():
        module = importlib.import_module("theano")
        importlib.import_module("theano.tensor")
        yield module


@pytest.fixture(scope="module")
def tt(theano):
    return theano.tensor


# -- functions ------------------------------------------------------------------------------------


def test_functions_take_the_shapes_they_are_called_with(theano, tt):
    x, y = tt.dvector("x"), tt.dscalar("y")
    f = theano.function([x, y], [(x**2).sum() * y, tt.exp(x) + np.ones(1)])
    for n in (3, 1, 5):
        total, values = f(np.arange(n), 2.0)
        assert total == pytest.approx(2 * (np.arange(n) ** 2).sum())
        np.testing.assert_allclose(values, np.exp(np.arange(n)) + 1)
    assert f(y=1.0, x=[2.0])[0] == 4.0


@pytest.mark.parametrize(
    ("make", "value", "want"),
    [
        (lambda tt, x: 1 / (1 + tt.exp(-x)), 0.0, 0.5),
        (lambda tt, x: np.exp(x) - x, 1.0, np.e - 1),
        (lambda tt, x: abs(-x) ** 2 // 3 % 2, 3.0, 1.0),
        (lambda tt, x: np.array([1.0, 2.0]) * x, 2.0, [2.0, 4.0]),
        (lambda tt, x: tt.switch(tt.lt(x, 0), -x, x), -3.0, 3.0),
        (lambda tt, x: tt.stack([x, x + 1])[::-1], 1.0, [2.0, 1.0]),
        (lambda tt, x: tt.as_tensor_variable([1.0, 2.0]) + x, 1.0, [2.0, 3.0]),
        (lambda tt, x: tt.zeros(3)[:2] + x, 1.0, [1.0, 1.0]),
    ],
)
def test_expressions_of_inputs(tt, make, value, want):
    x = tt.dscalar("x")
    np.testing.assert_allclose(make(tt, x).eval({x: value}), want)


def test_whole_numbers_may_be_lengths(theano, tt):
    k, a = tt.iscalar("k"), tt.vector("A")
    result, updates = theano.scan(
        lambda prior, a: prior * a, outputs_info=tt.ones_like(a), non_sequences=a, n_steps=k
    )
    power = theano.function([a, k], result[-1], updates=updates)
    np.testing.assert_allclose(power(range(5), 2), np.arange(5.0) ** 2)
    np.testing.assert_allclose(power(range(5), 4), np.arange(5.0) ** 4)
    np.testing.assert_allclose(tt.arange(k).eval({k: 4}), np.arange(4))


def test_updates_change_what_is_shared(theano, tt):
    w, x = theano.shared(np.zeros(2), "w"), tt.dvector("x")
    cost = ((w - x) ** 2).sum()
    step = theano.function([x], cost, updates=[(w, w - 0.25 * tt.grad(cost, w))])
    costs = [float(step([1.0, 2.0])) for _ in range(30)]
    assert costs[0] == 5.0 and costs[-1] < 1e-12
    np.testing.assert_allclose(w.get_value(), [1, 2], atol=1e-6)


def test_givens_defaults_and_dicts(theano, tt):
    x, y = tt.dscalar("x"), tt.dscalar("y")
    f = theano.function([x, theano.In(y, value=3.0)], {"sum": x + y, "product": x * y})
    assert {name: float(v) for name, v in f(2).items()} == {"sum": 5, "product": 6}
    g = theano.function([x], x + y, givens={y: x * 10})
    assert g(1.0) == 11
    assert theano.clone(x + y, {y: x}).eval({x: 4}) == 8


def test_functions_of_a_models_variables(theano, tt):
    with pm.Model():
        a = pm.Normal("a", shape=2)
    assert theano.function([a], a.sum() * 2)([1.0, 2.0]) == 6
    assert (a + 1).eval({a: np.zeros(2)}).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda th, x: th.function([], x + 1), ParameterError, "not among the inputs"),
        (lambda th, x: th.function([x], x)([1.0]), ShapeError, "1 axes, expected 0"),
        (lambda th, x: th.function([x], x)(), ParameterError, "has no value"),
        (lambda th, x: th.function([x], x)(1, 2), ParameterError, "called with 2 values"),
        (lambda th, x: bool(x > 0), TracedValueError, "theano.function"),
        (lambda th, x: x.smu(), AttributeError, "sum"),
        (lambda th, x: np.asarray(x), TracedValueError, "theano.function"),
    ],
)
def test_mistakes_are_explained(theano, tt, wrong, error, message):
    with pytest.raises(error, match=message):
        wrong(theano, tt.dscalar("x"))


# -- derivatives ----------------------------------------------------------------------------------


def test_derivatives(theano, tt):
    x = tt.dvector("x")
    value = np.array([0.5, 1.5])
    np.testing.assert_allclose(tt.grad((x**3).sum(), x).eval({x: value}), 3 * value**2)
    np.testing.assert_allclose(
        theano.gradient.jacobian(x**2, x).eval({x: value}), np.diag(2 * value)
    )
    np.testing.assert_allclose(
        theano.gradient.hessian((x**3).sum(), x).eval({x: value}), np.diag(6 * value)
    )
    stopped = theano.gradient.disconnected_grad(x) * x
    np.testing.assert_allclose(tt.grad(stopped.sum(), x).eval({x: value}), value)


def test_a_variable_that_a_cost_does_not_use(theano, tt):
    a, b = theano.shared(1.0), theano.shared(2.0)
    with pytest.raises(ParameterError, match="does not depend"):
        theano.grad(a * 2, b)
    assert theano.grad(a * 2, b, disconnected_inputs="ignore").eval() == 0


# -- scan -----------------------------------------------------------------------------------------

U = np.arange(1.0, 6.0)


def run_scan(theano, fn, **options):
    outputs, updates = theano.scan(fn, **options)
    assert not updates
    return [o.eval() for o in outputs] if isinstance(outputs, list) else outputs.eval()


def test_scan_over_sequences(theano):
    np.testing.assert_allclose(run_scan(theano, lambda u: u**2, sequences=U), U**2)
    np.testing.assert_allclose(
        run_scan(theano, lambda u, v: u * v, sequences=[U, U[:3]]), U[:3] ** 2
    )
    np.testing.assert_allclose(
        run_scan(theano, lambda u, a: u + a, sequences=U, outputs_info=0.0), np.cumsum(U)
    )
    np.testing.assert_allclose(
        run_scan(theano, lambda u, a: u + a, sequences=U, outputs_info=0.0, go_backwards=True),
        np.cumsum(U[::-1]),
    )


def test_scan_with_taps(theano):
    taps = {"input": U, "taps": [-1, 1]}
    np.testing.assert_allclose(
        run_scan(theano, lambda before, after: after - before, sequences=[taps]), U[2:] - U[:-2]
    )
    fib = run_scan(
        theano,
        lambda two, one: two + one,
        outputs_info=[{"initial": np.array([1.0, 1.0]), "taps": [-2, -1]}],
        n_steps=6,
    )
    np.testing.assert_allclose(fib, [2, 3, 5, 8, 13, 21])


def test_scan_with_several_outputs(theano):
    first, second = run_scan(
        theano,
        lambda u, a, k: (a + u, a * k),
        sequences=U,
        outputs_info=[1.0, None],
        non_sequences=[3.0],
    )
    np.testing.assert_allclose(first, 1 + np.cumsum(U))
    np.testing.assert_allclose(second, 3 * np.r_[1.0, 1 + np.cumsum(U)[:-1]])


def test_scan_that_closes_over_an_input(theano, tt):
    x = tt.dscalar("x")
    outputs, _ = theano.scan(lambda u, a: a * x + u, sequences=U, outputs_info=0.0)
    expected, a = [], 0.0
    for u in U:
        a = a * 0.5 + u
        expected.append(a)
    np.testing.assert_allclose(outputs.eval({x: 0.5}), expected)


def test_map_reduce_and_gradient_through_a_scan(theano, tt):
    np.testing.assert_allclose(theano.map(lambda u: u + 1, U)[0].eval(), U + 1)
    assert theano.reduce(lambda u, a: a + u, U, 0.0)[0].eval() == U.sum()
    a = theano.shared(0.9)
    outputs, _ = theano.scan(lambda y: y * a, outputs_info=1.0, n_steps=4)
    np.testing.assert_allclose(theano.grad(outputs[-1], a).eval(), 4 * 0.9**3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_steps": 3, "truncate_gradient": 2}, NotYetSupported, "truncate_gradient"),
        ({}, ParameterError, "how many steps"),
        ({"sequences": [1.0]}, ShapeError, "is a scalar"),
        ({"sequences": [U], "n_steps": 9}, ShapeError, "n_steps=9"),
    ],
)
def test_what_scan_refuses(theano, options, error, message):
    with pytest.raises(error, match=message):
        theano.scan(lambda *a: a[0] if a else theano.tensor.ones(()), **options)


def test_ifelse(theano, tt):
    ifelse = importlib.import_module("theano.ifelse").ifelse
    x = tt.dscalar("x")
    assert ifelse(tt.gt(x, 0), x, -x).eval({x: -2}) == 2


# -- shared ---------------------------------------------------------------------------------------


def test_a_model_follows_what_is_shared(theano):
    x, y = theano.shared(np.arange(4.0)), theano.shared(2 * np.arange(4.0))
    with pm.Model() as model:
        b = pm.Normal("b")
        pm.Normal("o", b * x, 1.0, observed=y)
    logp = model.compile_logp()
    before = logp({"b": 2.0})
    x.set_value(2 * np.arange(4.0))
    assert logp({"b": 1.0}) == pytest.approx(before + 1.5)
    assert model.compile_logp()({"b": 1.0}) == pytest.approx(before + 1.5)
    x.set_value(np.arange(6.0))
    y.set_value(np.zeros(6))
    assert model.compile_logp()({"b": 0.0}) == pytest.approx(-7 * 0.5 * np.log(2 * np.pi))
    assert y.get_value().tolist() == [0] * 6
    assert model.data_vars == []


def test_shared_as_an_index(theano):
    groups = theano.shared(np.array([0, 1, 1]))
    with pm.Model() as model:
        m = pm.Normal("m", shape=2)
        pm.Normal("o", m[groups], observed=np.zeros(3))
    point = {"m": np.array([1.0, 0.0])}
    one = model.compile_logp()(point)
    groups.set_value(np.array([0, 0, 0]))
    assert model.compile_logp()(point) == pytest.approx(one - 1.0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda th: th.shared(np.random.RandomState(1)), NotYetSupported, "random_seed"),
        (lambda th: th.shared(th.tensor.ones(2)), ParameterError, "the array itself"),
        (lambda th: th.shared(1.0, foo=1), ParameterError, "foo"),
        (lambda th: th.shared(np.ones(2)).set_value(np.ones((2, 2))), ShapeError, "axes"),
    ],
)
def test_what_shared_refuses(theano, make, error, message):
    with pytest.raises(error, match=message):
        make(theano)


# -- the rest -------------------------------------------------------------------------------------


def test_as_op_with_a_step_that_needs_no_gradient(theano, tt):
    @theano.compile.ops.as_op(itypes=[tt.lscalar, tt.dscalar, tt.dscalar], otypes=[tt.dvector])
    def rate(switch, early, late):
        out = np.empty(6)
        out[:switch], out[switch:] = early, late
        return out

    with pm.Model():
        s = pm.DiscreteUniform("s", 0, 6)
        a, b = pm.Exponential("a", 1.0), pm.Exponential("b", 1.0)
        mean = rate(s, a, b)
    assert mean.shape == (6,)
    got = mean.eval({s: 2, a: 1.0, b: 5.0})
    np.testing.assert_allclose(got, [1, 1, 5, 5, 5, 5])


def test_assertions(theano):
    check = importlib.import_module("theano.raise_op").Assert("too small")
    with pytest.raises(AssertionError, match="too small"):
        check(np.ones(2), np.array([True, False]))
    assert check(np.ones(2), True).eval().tolist() == [1, 1]
    with pm.Model():
        a = pm.Normal("a")
    assert np.isnan(check(a, a > 0).eval({a: -1.0}))


def test_config_takes_theanos_settings(theano):
    config = theano.config
    assert config.floatX == "float64"
    config.compute_test_value = "raise"
    config.gcc.cxxflags = "-O0"
    assert config.compute_test_value == "raise" and config.gcc.cxxflags == "-O0"
    with config.change_flags(compute_test_value="off"):
        assert config.compute_test_value == "off"
    assert config.compute_test_value == "raise"
    with pytest.raises(AttributeError, match="floatX"):
        config.floatXX = 1


def test_printing(theano, tt, capsys):
    with pytest.warns(UserWarning, match="prints nothing"):
        x = theano.printing.Print("x")(tt.ones(2))
    theano.printing.debugprint(x)
    assert "return" in capsys.readouterr().out


def test_idioms_are_noted_at_the_users_line(theano):
    notes.clear()
    theano.shared(1.0)
    (one,) = notes.noted()
    assert one.file == __file__ and one.idiom == "theano.shared(value)"
    assert "pm.Data" in notes.report()
    assert notes.report(lines=True).startswith(f"{__file__}:{one.line}: ")
    notes.clear()
