"""Where sampling starts, and what is said when it cannot."""

import numpy as np
import pytest

import finetti as pm
from finetti.errors import (
    DtypeError,
    InitialPointError,
    ModelError,
    ParameterError,
    ShapeError,
    SupportError,
)


def test_support_points_follow_parents():
    with pm.Model() as model:
        a = pm.Normal("a", 3.0, 1)
        s = pm.Exponential("s", 0.5)
        pm.Normal("b", a * 2, s, shape=2)
        pm.Uniform("u", 0, s * 4)
        pm.Gamma("g", alpha=s, beta=1)
    point = model.initial_point()
    assert list(point) == ["a", "s_log__", "b", "u_interval__", "g_log__"]
    np.testing.assert_allclose(point["b"], [6.0, 6.0])
    np.testing.assert_allclose(point["s_log__"], np.log(2))
    np.testing.assert_allclose(point["u_interval__"], 0.0, atol=1e-12)
    np.testing.assert_allclose(point["g_log__"], np.log(2))


def test_initvals_of_all_kinds():
    with pm.Model() as model:
        data = pm.Data("data", [1.0, 2.0])
        pm.Normal("number", initval=0.5, shape=2)
        pm.HalfNormal("array", 1, shape=2, initval=[1.0, 2.0])
        pm.Normal("tensor", shape=2, initval=data * 2)
        pm.Normal("prior", initval="prior", shape=3)
        pm.HalfNormal("strategy", 2, initval="support_point")
        pm.Poisson("count", 3, initval=7)
    point = model.initial_point(1)
    np.testing.assert_allclose(point["number"], [0.5, 0.5])
    np.testing.assert_allclose(point["array_log__"], np.log([1.0, 2.0]))
    np.testing.assert_allclose(point["tensor"], [2.0, 4.0])
    np.testing.assert_allclose(point["strategy_log__"], np.log(2.0))
    assert point["count"] == 7 and point["count"].dtype == np.int64
    assert np.unique(point["prior"]).size == 3
    np.testing.assert_array_equal(point["prior"], model.initial_point(1)["prior"])
    assert not np.array_equal(point["prior"], model.initial_point(2)["prior"])
    model.set_initval(model["number"], [5.0, 6.0])
    np.testing.assert_allclose(model.initial_point()["number"], [5.0, 6.0])


def test_a_prior_start_follows_its_parents():
    with pm.Model() as model:
        a = pm.Normal("a", initval=100.0)
        pm.Normal("b", a, 1e-6, initval="prior")
    assert model.initial_point(3)["b"] == pytest.approx(100.0, abs=1e-4)


def test_overrides_by_name_by_value_name_and_by_variable():
    with pm.Model() as model:
        s = pm.HalfNormal("s", 1)
        pm.Normal("x", 0, s)
    start = model.start_point({"s": 2.0}, 0)
    assert start["s_log__"] == pytest.approx(np.log(2.0))
    assert model.start_point({"s_log__": 0.7}, 0)["s_log__"] == pytest.approx(0.7)
    assert model.start_point({s: 3.0}, 0)["s_log__"] == pytest.approx(np.log(3.0))
    with pytest.raises(ParameterError, match="'y' is no free variable"):
        model.start_point({"y": 1.0}, 0)


@pytest.mark.parametrize(
    ("initval", "error", "words"),
    [
        ([1.0, 2.0, 3.0], ShapeError, r"initval has shape \(3,\), the variable has shape \(2,\)"),
        ("suport_point", ParameterError, "Did you mean 'support_point'"),
        (["a", "b"], DtypeError, "expected numbers"),
    ],
)
def test_bad_initvals_register_nothing(initval, error, words):
    with pm.Model() as model:
        with pytest.raises(error, match=words) as caught:
            pm.Normal("x", shape=2, initval=initval)
        assert "'x'" in str(caught.value) and not model.named_vars


def test_an_initval_that_depends_on_a_variable_is_refused():
    with pm.Model() as model:
        a = pm.Normal("a")
        with pytest.raises(ParameterError, match="depends on random variables"):
            pm.Normal("b", initval=a + 1)
        with pytest.raises(ParameterError, match="observed data need none"):
            pm.Normal("c", initval=1.0, observed=2.0)
    assert list(model.named_vars) == ["a"]
    with pytest.raises(ModelError, match="no free variable"):
        model.set_initval(pm.Normal.dist(), 1.0)


def test_an_initval_outside_the_support_is_named():
    with pm.Model() as model:
        pm.Uniform("u", 0, 1, initval=2.0)
    with pytest.raises(SupportError, match="'u': the initial value 2.* is not inside the support"):
        model.initial_point()


def test_check_start_vals_names_the_row_of_the_data():
    with pm.Model() as model:
        n = pm.Uniform("n", 1, 20, initval=4.0)
        pm.Uniform("y", 0, n, observed=[1.0, 2.0, 9.0, 3.0])
    with pytest.raises(InitialPointError) as caught:
        model.check_start_vals(model.initial_point())
    text = str(caught.value)
    assert "observed Uniform 'y' is -inf in row 2" in text
    assert "value 9 with lower=0, upper=4" in text and "Check that row of the data" in text


def test_a_parameter_out_of_range_is_named_with_its_row():
    with pm.Model() as model:
        a = pm.Normal("a", 0, 1)
        x = pm.Data("x", [1.0, 2.0, -3.0])
        pm.Poisson("k", a + x, observed=[1, 2, 3])
    with pytest.raises(
        InitialPointError, match=r"'k' is -inf in row 2: value 3 with mu=-3\. mu must be"
    ):
        model.check_start_vals(model.initial_point())


def test_a_vector_valued_variable_shows_its_event():
    with pm.Model() as model:
        s = pm.Normal("s", 0, 1, initval=-1.0)
        pm.MvNormal("y", mu=np.zeros(2), chol=np.eye(2) * s, observed=np.zeros((3, 2)))
    with pytest.raises(
        InitialPointError, match="'y' is -inf in row 0 .3 of 3 are not finite.*chol"
    ):
        model.check_start_vals(model.initial_point())


def test_a_potential_and_a_gradient_are_named():
    with pm.Model() as model:
        a = pm.Normal("a", 0, 1)
        pm.Potential("limit", pm.math.log(pm.math.switch(a > 1, 1.0, 0.0)))
    with pytest.raises(InitialPointError, match="potential 'limit' is -inf"):
        model.check_start_vals(model.initial_point())
    with pm.Model() as model:
        b = pm.Normal("b", 0, 1)
        pm.Potential("root", pm.math.sqrt(b))
    with pytest.raises(InitialPointError, match="gradient of the term 'root' with respect to 'b'"):
        model.check_start_vals(model.initial_point())


def test_debug_prints_what_pymc_prints(capsys):
    with pm.Model() as model:
        n = pm.Uniform("n", 1, 20, initval=4.0)
        pm.Uniform("y", 0, n, observed=[1.0, 9.0])
    model.debug()
    out = capsys.readouterr().out
    assert "The variable y has the following parameters:" in out
    assert "Some of the observed values of variable y are associated with a non-finite logp:" in out
    assert " value = 9.0 -> logp = -inf" in out
    model.debug({"n_interval__": 3.0}, verbose=True)
    assert "No problems found" in capsys.readouterr().out
