"""Opening models: nesting, names, threads, subclasses."""

import copy
import pickle
import threading

import cloudpickle
import numpy as np
import pytest
from scipy import stats

import finetti as pm
from finetti.errors import ModelError


def test_context_is_re_entrant():
    model = pm.Model()
    with model:
        a = pm.Normal("a")
    with model:
        b = pm.Normal("b", a, 1)
        assert pm.modelcontext(None) is model
    assert a in model.free_RVs and b in model.free_RVs
    assert pm.Model.current(error_if_none=False) is None


def test_context_is_left_after_an_error():
    with pytest.raises(ZeroDivisionError), pm.Model():
        raise ZeroDivisionError
    assert pm.Model.current(error_if_none=False) is None


def test_no_open_model_is_an_error_that_names_the_fix():
    with pytest.raises(ModelError, match=r"with pm\.Model\(\)"):
        pm.Normal("x", 0, 1)
    with pytest.raises(ModelError, match=r"with pm\.Model\(\)"):
        pm.Data("x", [1.0])
    with pytest.raises(ModelError, match="expected what `pm.Model"):
        pm.sample(model="mine")


def test_nested_models_prefix_names_and_belong_to_the_outer_one():
    with pm.Model(name="outer") as outer:
        a = pm.Normal("a")
        with pm.Model(name="in") as inner:
            b = pm.HalfNormal("b", 1)
            pm.Deterministic("d", b * 2)
        y = pm.Normal("y", a, b, observed=[1.0, 2.0])
    assert [v.name for v in outer.value_vars] == ["outer::a", "outer::in::b_log__"]
    assert list(outer.named_vars) == ["outer::a", "outer::in::b", "outer::in::d", "outer::y"]
    assert list(inner.named_vars) == ["outer::in::b", "outer::in::d"]
    assert inner["b"] is b and outer["in::b"] is b and "b" in inner and y in outer
    assert inner.root is outer and not inner.isroot and inner.parent is outer
    point = {"outer::a": 0.1, "outer::in::b_log__": 0.3}
    own = stats.halfnorm.logpdf(np.exp(0.3)) + 0.3
    rest = stats.norm.logpdf(0.1) + stats.norm.logpdf([1.0, 2.0], 0.1, np.exp(0.3)).sum()
    assert outer.compile_logp()(point) == pytest.approx(own + rest)
    assert inner.compile_logp(backend="reference")(point) == pytest.approx(own)


def test_a_model_without_parent_inside_another():
    with pm.Model(), pm.Model(model=None) as alone:
        pm.Normal("x")
    assert alone.isroot and "x" in alone


def test_each_thread_has_its_own_stack():
    seen = []
    with pm.Model():
        thread = threading.Thread(target=lambda: seen.append(pm.Model.current(False)))
        thread.start()
        thread.join()
    assert seen == [None]


def test_subclass_declares_variables_while_made():
    class Regression(pm.Model):
        def __init__(self, x, y, name=""):
            super().__init__(name)
            slope = pm.Normal("slope", 0, 1)
            pm.Normal("y", slope * x, 1, observed=y)

    model = Regression(np.arange(3.0), np.arange(3.0), name="line")
    assert [v.name for v in model.free_RVs] == ["line::slope"]
    assert model["slope"].name == "line::slope"


def test_variables_are_attributes_and_unknown_ones_are_named():
    with pm.Model() as model:
        slope = pm.Normal("slope")
    assert model.slope is slope
    with pytest.raises(AttributeError, match="no variable 'slpe'"):
        _ = model.slpe
    with pytest.raises(KeyError, match="Did you mean 'slope'"):
        _ = model["slpe"]
    with pytest.raises(NotImplementedError, match="model_to_graphviz"):
        model.to_graphviz()


def make():
    with pm.Model(coords={"g": ["a", "b"]}) as model:
        x = pm.Data("x", [1.0, 2.0, 3.0])
        mu = pm.Normal("mu", 0, 1, dims="g")
        s = pm.HalfNormal("s", 1)
        pm.Normal("y", mu[0] + x * mu[1], s, observed=[1.0, 2.0, 3.0])
    return model


@pytest.mark.parametrize(
    "twin",
    [
        copy.copy,
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: pickle.loads(cloudpickle.dumps(model)),
    ],
    ids=["copy", "deepcopy", "pickle", "cloudpickle"],
)
def test_copies_are_independent(twin):
    model = make()
    before = model.compile_logp(backend="reference")(model.initial_point())
    other = twin(model)
    assert other.compile_logp(backend="reference")(other.initial_point()) == before
    other.set_data("x", [7.0, 8.0, 9.0])
    with other:
        pm.Normal("extra")
    assert "extra" not in model
    assert model["x"].get_value()[0] == 1.0
    assert model.compile_logp(backend="reference")(model.initial_point()) == before


def test_lists_compare_by_identity():
    with pm.Model() as model:
        a, b = pm.Normal("a"), pm.Normal("b")
        c = pm.Normal("c", observed=1.0)
    assert a in model.free_RVs and c not in model.free_RVs
    assert model.free_RVs.index(b) == 1
    assert model.basic_RVs == [a, b, c] and model.basic_RVs != [a, b]
    assert (model.free_RVs + model.observed_RVs).count(c) == 1
    with pytest.raises(ValueError, match="is not in the list"):
        model.free_RVs.index(c)


def test_text():
    model = make()
    assert repr(model) == "<Model: 2 free, 1 observed>"
    text = model.str_repr()
    assert "mu ~ Normal(0, 1)" in text and "y ~ Normal(f(mu, x), s)" in text
