"""Prior and posterior predictive draws."""

import logging

import numpy as np
import pytest

import finetti as pm
from finetti.errors import NotYetSupported, ParameterError, ShapeError
from finetti.infer import predictive
from finetti.results.arviz import to_draws

BACKENDS = ["reference", "native"]


def line():
    with pm.Model(coords={"group": ["a", "b"]}) as model:
        x = pm.Data("x", [1.0, 2.0, 3.0], dims="obs")
        idx = pm.Data("idx", [0, 1, 1], dims="obs")
        mu = pm.Normal("mu", 0, 1)
        effect = pm.Normal("effect", mu, 0.1, dims="group")
        s = pm.HalfNormal("s", 1)
        mean = pm.Deterministic("mean", effect[idx] * x, dims="obs")
        y = pm.Normal("y", mean, s * 1e-3, observed=np.zeros(3), shape=x.shape, dims="obs")
        pm.Deterministic("total", y.sum())
    return model


def posterior(draws=40, groups=2):
    rng = np.random.default_rng(0)
    return {
        "mu": rng.normal(size=(2, draws)),
        "effect": rng.normal(size=(2, draws, groups)),
        "s": np.abs(rng.normal(size=(2, draws))),
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_prior_predictive(backend):
    model = line()
    result = pm.sample_prior_predictive(300, model, random_seed=1, backend=backend)
    draws = to_draws(result)
    assert set(draws.group("prior")) == {"mu", "effect", "s", "mean", "total"}
    assert set(draws.group("prior_predictive")) == {"y"}
    prior, y = draws.group("prior"), draws.group("prior_predictive")["y"]
    assert y.shape == (1, 300, 3) and prior["effect"].shape == (1, 300, 2)
    effect = prior["effect"]
    want = effect[..., [0, 1, 1]] * [1.0, 2.0, 3.0]
    np.testing.assert_allclose(prior["mean"], want)
    np.testing.assert_allclose(y, want, atol=0.05)
    np.testing.assert_allclose(prior["total"], y.sum(-1))
    assert abs(np.mean(effect[..., 0] - prior["mu"])) < 0.05
    np.testing.assert_array_equal(draws.observed_data["y"], np.zeros(3))
    np.testing.assert_array_equal(draws.constant_data["x"], [1, 2, 3])


def test_prior_predictive_of_some_variables_and_as_a_dict():
    model = line()
    arrays = pm.sample_prior_predictive(
        20, model, var_names=["mu", "y"], random_seed=1, return_inferencedata=False
    )
    assert set(arrays) == {"mu", "y"} and arrays["y"].shape == (20, 3)
    again = pm.sample_prior_predictive(20, model, random_seed=1, return_inferencedata=False)
    np.testing.assert_array_equal(arrays["mu"], again["mu"])  # other outputs change nothing
    with pytest.raises(ParameterError, match="'yy'.*Did you mean 'y'"):
        pm.sample_prior_predictive(20, model, var_names=["yy"])
    with pytest.raises(ParameterError, match="draws=0"):
        pm.sample_prior_predictive(0, model)


def test_the_older_name_of_the_number_of_prior_draws():
    prior = pm.sample_prior_predictive(
        samples=7, model=line(), random_seed=1, return_inferencedata=False
    )
    assert prior["mu"].shape == (7,)
    with pytest.raises(ParameterError, match="give draws"):
        pm.sample_prior_predictive(5, samples=7, model=line())


@pytest.mark.parametrize("backend", BACKENDS)
def test_posterior_predictive_uses_each_draw(backend):
    model, trace = line(), posterior()
    result = pm.sample_posterior_predictive(trace, model, random_seed=2, backend=backend)
    group = to_draws(result).group("posterior_predictive")
    assert list(group) == ["y", "total"]
    want = trace["effect"][..., [0, 1, 1]] * [1.0, 2.0, 3.0]
    np.testing.assert_allclose(group["y"], want, atol=0.02)
    np.testing.assert_allclose(group["total"], group["y"].sum(-1))


def test_var_names_and_dicts():
    model, trace = line(), posterior()
    arrays = pm.sample_posterior_predictive(
        trace, model, var_names=["mean", "effect"], return_inferencedata=False
    )
    np.testing.assert_array_equal(arrays["effect"], trace["effect"])  # kept, not drawn again
    want = trace["effect"][..., [0, 1, 1]] * [1.0, 2.0, 3.0]
    np.testing.assert_allclose(arrays["mean"], want)


def test_new_data_of_another_length():
    model, trace = line(), posterior()
    with model:
        pm.set_data({"x": np.arange(5.0), "idx": [0, 0, 1, 1, 1]})
        result = pm.sample_posterior_predictive(trace, random_seed=1, predictions=True)
    draws = to_draws(result)
    assert draws.groups == ("predictions", "predictions_constant_data")
    y = draws.group("predictions")["y"]
    assert y.shape == (2, 40, 5)
    want = trace["effect"][..., [0, 0, 1, 1, 1]] * np.arange(5.0)
    np.testing.assert_allclose(y, want, atol=0.02)
    assert draws.group("predictions_constant_data")["x"].shape == (5,)


def test_a_variable_of_another_length_is_drawn_anew(caplog):
    caplog.set_level(logging.INFO, logger="finetti")
    model, trace = line(), posterior()
    model.set_dim("group", 3, ["a", "b", "c"])
    arrays = pm.sample_posterior_predictive(
        trace, model, var_names=["effect", "mu"], return_inferencedata=False, random_seed=1
    )
    assert arrays["effect"].shape == (2, 40, 3)
    np.testing.assert_array_equal(arrays["mu"], trace["mu"])
    # new effects come from the population that each draw describes
    assert np.abs(arrays["effect"] - trace["mu"][..., None]).max() < 0.6
    assert "Sampling: [effect]" in caplog.text


def test_a_trace_of_another_model_is_an_error():
    with pm.Model() as model:
        x = pm.Normal("x", 0, 1, shape=4)
        pm.Normal("y", x, 1, observed=np.zeros(4))
    with pytest.raises(ShapeError, match=r"'x' in shape \(3,\), the model in shape \(4,\)"):
        pm.sample_posterior_predictive({"x": np.zeros((1, 5, 3))}, model)


def test_sample_vars_and_freeze_vars():
    model, trace = line(), posterior()
    with pytest.warns(
        predictive.ImplicitFreezeWarning, match="'effect' .ancestor is resampled .mu"
    ):
        arrays = pm.sample_posterior_predictive(
            trace, model, sample_vars=["mu"], return_inferencedata=False, random_seed=1
        )
    assert list(arrays) == ["mu"] and not np.array_equal(arrays["mu"], trace["mu"])
    arrays = pm.sample_posterior_predictive(
        trace, model, sample_vars=["mu", "effect"], return_inferencedata=False, random_seed=1
    )
    assert np.abs(arrays["effect"] - arrays["mu"][..., None]).max() < 0.6
    trace["mean"] = np.full((2, 40, 3), 7.0)
    arrays = pm.sample_posterior_predictive(
        trace, model, freeze_vars=["mean"], return_inferencedata=False, random_seed=1
    )
    np.testing.assert_allclose(arrays["y"], 7.0, atol=0.02)
    with pytest.raises(ParameterError, match="in sample_vars and in freeze_vars"):
        pm.sample_posterior_predictive(trace, model, sample_vars=["mu"], freeze_vars=["mu"])
    with pytest.raises(ParameterError, match="the trace does not have"):
        pm.sample_posterior_predictive(posterior(), model, freeze_vars=["mean"])


def test_a_variable_missing_from_the_trace_is_drawn():
    model, trace = line(), posterior()
    del trace["effect"]
    arrays = pm.sample_posterior_predictive(
        trace, model, var_names=["effect"], return_inferencedata=False, random_seed=1
    )
    assert np.abs(arrays["effect"] - trace["mu"][..., None]).max() < 0.6


def test_changed_data_above_a_kept_variable_are_warned_of():
    with pm.Model():
        scale = pm.Data("scale", 1.0)
        x = pm.Normal("x", 0, scale)
        pm.Normal("y", x, 1, observed=0.0)
        idata = pm.sample(20, tune=20, chains=1, random_seed=1, progressbar=False, quiet=True)
        pm.sample_posterior_predictive(idata, random_seed=1)  # no warning
        pm.set_data({"scale": 2.0})
        with pytest.warns(predictive.ImplicitFreezeWarning, match="'x' .*changed .scale"):
            pm.sample_posterior_predictive(idata, random_seed=1)
        pm.sample_posterior_predictive(idata, random_seed=1, freeze_vars=["x"])


def test_the_result_of_sample_can_be_extended():
    with pm.Model() as model:
        x = pm.Normal("x", 0, 1, shape=2)
        pm.Poisson("k", pm.math.exp(x), observed=[1, 2])
        idata = pm.sample(30, tune=30, chains=2, random_seed=1, progressbar=False, quiet=True)
        back = pm.sample_posterior_predictive(idata, random_seed=1, extend_inferencedata=True)
    assert back is idata
    k = idata.posterior_predictive["k"]
    assert k.shape == (2, 30, 2) and k.dtype.kind == "i"
    assert model["k"] in model.observed_RVs
    thinned = idata.posterior.isel(draw=slice(None, None, 10))
    result = pm.sample_posterior_predictive(thinned, model, random_seed=1)
    assert result.posterior_predictive["draw"].values.tolist() == [0, 10, 20]


def test_forms_of_the_trace():
    with pm.Model() as model:
        x = pm.Normal("x")
        pm.Normal("y", x * 100, 1e-6, observed=0.0)
    points = [{"x": np.array(1.0)}, {"x": np.array(2.0)}]
    arrays = pm.sample_posterior_predictive(points, model, return_inferencedata=False)
    np.testing.assert_allclose(arrays["y"], [[100.0, 200.0]], rtol=1e-6)
    with pytest.raises(ParameterError, match="expected"):
        pm.sample_posterior_predictive(3, model)
    with pytest.raises(NotYetSupported, match="sample_dims"):
        pm.sample_posterior_predictive(points, model, sample_dims=["sample"])


def test_potentials_are_warned_of():
    with pm.Model() as model:
        x = pm.Normal("x")
        pm.Potential("p", -x)
        pm.Normal("y", x, 1, observed=0.0)
    with pytest.warns(UserWarning, match="Potentials.*prior predictive"):
        pm.sample_prior_predictive(5, model)
    with pytest.warns(UserWarning, match="Potentials.*posterior predictive"):
        pm.sample_posterior_predictive([{"x": np.array(0.0)}], model)


def test_the_predictive_distribution_is_right():
    # x ~ N(0, 1), y ~ N(x, 1) has y ~ N(0, 2); counts through a matrix of probabilities
    with pm.Model() as model:
        x = pm.Normal("x")
        pm.Normal("y", x, 1, observed=0.0)
        p = pm.Dirichlet("p", np.array([2.0, 3.0, 5.0]), shape=(4, 3))
        pm.Categorical("k", p=p, observed=[0, 1, 2, 0])
    arrays = pm.sample_prior_predictive(20000, model, random_seed=5, return_inferencedata=False)
    assert abs(arrays["y"].var() - 2) < 0.1
    share = np.bincount(arrays["k"].ravel(), minlength=3) / arrays["k"].size
    np.testing.assert_allclose(share, [0.2, 0.3, 0.5], atol=0.01)
