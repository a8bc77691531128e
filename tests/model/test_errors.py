"""Bad input: an error that names the variable, what came and the fix; nothing half-registered."""

import numpy as np
import pytest

import finetti as pm
from finetti.errors import (
    DtypeError,
    ModelError,
    NotYetSupported,
    ParameterError,
    ShapeError,
    SupportError,
    TracedValueError,
)


@pytest.fixture
def model():
    with pm.Model(coords={"g": ["a", "b"]}) as model:
        pm.Normal("mu", 0, 1)
        yield model
    assert list(model.named_vars) == ["mu"], "something was half-registered"
    assert list(model.coords) == ["g"]
    assert [v.name for v in model.basic_RVs] == ["mu"] == [v.name for v in model.basic_in_order]
    with model:
        pm.Normal("x", 0, 1)  # the name is still free


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: pm.Normal("mu", 0, 1), ModelError, "already has a variable 'mu'"),
        (lambda: pm.Deterministic("mu", 1.0), ModelError, "already has a variable 'mu'"),
        (lambda: pm.Data("mu", 1.0), ModelError, "already has a variable 'mu'"),
        (lambda: pm.Normal("g", 0, 1), ModelError, "has a dimension of that name"),
        (lambda: pm.Normal("", 0, 1), ModelError, "first argument is its name"),
        (lambda: pm.Normal("x::", 0, 1), ModelError, "ends with '::'"),
        (lambda: pm.Normal("x", 0, 1, sd=2), ParameterError, "sigma"),
        (lambda: pm.Normal("x", np.zeros(3), 1, shape=2), ShapeError, "'x'"),
        (lambda: pm.Normal("x", np.zeros(3), 1, dims="g"), ShapeError, "'x': dims=..g"),
        (lambda: pm.Normal("x", np.zeros(3), 1, observed=np.zeros(4)), ShapeError, "'x'"),
        (
            lambda: pm.Normal("x", 0, 1, shape=(2, 3), observed=np.zeros(3)),
            ShapeError, "'x'.*shape",
        ),
        (lambda: pm.Normal("x", 0, 1, dims="g", observed=np.zeros(3)), ShapeError, "'x'.*shape"),
        (
            lambda: pm.Dirichlet("x", np.ones(2), observed=[[0.5, np.nan]]),
            NotYetSupported, "'x'.*1 of 2 observed",
        ),
        (lambda: pm.Data("x", np.ma.masked_array([1.0], [True])), NotYetSupported, "1 values are"),
        (lambda: pm.Normal("x", 0, 1, observed=["a"]), DtypeError, "'x'.*expected numbers"),
        (lambda: pm.Poisson("x", 2.0, observed=[1, 2, -1]), SupportError, "'x'.*2.*-1"),
        (lambda: pm.Poisson("x", 2.0, observed=[1, 2.5]), SupportError, "'x'.*1.*2.5"),
        (lambda: pm.Beta("x", 1, 1, observed=[0.5, 1.5]), SupportError, "'x'.*1.*1.5"),
        (lambda: pm.Binomial("x", 5, 0.5, observed=[5, 6]), SupportError, "'x'.*1.*6"),
        (lambda: pm.Normal("x", 0, 1, observed=pm.Normal.dist()), ModelError, "'x'.*pm.Potential"),
        (lambda: pm.Normal("x", 0, 1, transform="log"), ParameterError, "'x'.*no transform"),
        (lambda: pm.Normal("x", 0, 1, total_size=10), NotYetSupported, "'x'"),
        (lambda: pm.Potential("x", np.array([True])), DtypeError, "'x'.*pm.math.switch"),
        (lambda: pm.Deterministic("x", "text"), DtypeError, "'x'.*real numbers"),
    ],
)  # fmt: skip
def test_bad_variables(model, make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_python_if_on_a_variable(model):
    with pytest.raises(TracedValueError, match="pm.math.switch"):
        if model["mu"] > 0:
            pm.Normal("x", 0, 1)


def test_value_names_are_taken_too():
    with pm.Model() as model:
        pm.HalfNormal("s", 1)
        with pytest.raises(ModelError, match="'s_log__' is the unconstrained value of 's'"):
            pm.Normal("s_log__")
    assert list(model.named_vars) == ["s"]


def test_one_variable_is_registered_once():
    with pm.Model() as model:
        rv = pm.Normal.dist(0, 1)
        model.register_rv(rv, "a")
        with pytest.raises(ModelError, match="in the model already"):
            model.register_rv(rv, "b")


def test_bad_model_arguments():
    with pytest.raises(ModelError, match="name=3"):
        pm.Model(name=3)
    with pytest.raises(ModelError, match="expected a mapping"):
        pm.Model(coords=["a"])
