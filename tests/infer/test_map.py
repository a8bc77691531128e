"""find_MAP, find_hessian and the Laplace approximation against closed forms."""

import numpy as np
import pytest
from scipy import optimize

import finetti as pm
from finetti.errors import InitialPointError, ModelError, ParameterError, SamplingError

Y = np.array([1.2, 0.4, 2.2, 1.9, 0.7])


def normal(sigma=1.0, prior=2.0):
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, prior)
        pm.Deterministic("twice", 2 * mu)
        pm.Normal("y", mu, sigma, observed=Y)
    precision = len(Y) / sigma**2 + prior**-2
    return model, Y.sum() / sigma**2 / precision, precision


@pytest.mark.parametrize(
    "method",
    ["L-BFGS-B", "BFGS", "Powell", "nelder-mead", "Newton-CG", "trust-exact", "SLSQP",
     "basinhopping"],
)  # fmt: skip
def test_methods_find_the_maximum(method):
    model, mean, _ = normal()
    point = pm.find_MAP(method, model=model, random_seed=1)
    assert set(point) == {"mu", "twice"}
    np.testing.assert_allclose(point["mu"], mean, atol=1e-4)
    np.testing.assert_allclose(point["twice"], 2 * point["mu"])


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_the_density_has_no_jacobian(backend):
    # the mode of Gamma(3, 2) itself is (3 - 1) / 2; with the Jacobian of the log it is 3 / 2
    with pm.Model() as model:
        pm.Gamma("x", 3, 2)
    point = pm.find_MAP(model=model, backend=backend)
    assert set(point) == {"x", "x_log__"}
    np.testing.assert_allclose(point["x"], 1.0, atol=1e-5)
    np.testing.assert_allclose(point["x_log__"], np.log(point["x"]))
    assert set(pm.find_MAP(model=model, include_transformed=False)) == {"x"}


def test_some_variables_move_and_the_others_stay():
    with pm.Model() as model:
        a = pm.Normal("a", 1, 1, initval=3.0)
        b = pm.Normal("b", a, 1, initval=-1.0)
        pm.Normal("y", b, 1, observed=2.0)
    np.testing.assert_allclose(pm.find_MAP(vars=[b], model=model)["b"], 2.5, atol=1e-5)
    np.testing.assert_allclose(pm.find_MAP(vars="b", model=model)["a"], 3.0)
    # the older first argument: a start
    np.testing.assert_allclose(pm.find_MAP({"b": 0.0}, vars=[a], model=model)["a"], 0.5, atol=1e-5)
    with pytest.raises(ParameterError, match="no free variable"):
        pm.find_MAP(vars="y", model=model)


def test_discrete_variables_stay_unless_asked_for():
    with pm.Model() as model:
        p = pm.Beta("p", 2, 2)
        k = pm.Binomial("k", 10, p, initval=3)
    point = pm.find_MAP(model=model)
    assert point["k"] == 3
    np.testing.assert_allclose(point["p"], 4 / 12, atol=1e-4)
    moved = pm.find_MAP(vars=[p, k], model=model)
    assert moved["k"].dtype.kind == "i"
    with pytest.warns(UserWarning, match="Powell"):
        pm.find_MAP("BFGS", vars=[p, k], model=model)


def test_limits_raw_results_and_options(caplog):
    model, mean, _ = normal()
    with caplog.at_level("WARNING", "finetti"):
        pm.find_MAP(maxeval=2, model=model)
    assert "stopped after maxeval=2" in caplog.text
    point, raw = pm.find_MAP(return_raw=True, maxiter=50, tol=1e-10, model=model)
    assert raw.success and abs(point["mu"] - mean) < 1e-6
    point = pm.find_MAP(fmin=optimize.fmin_powell, live_disp=True, model=model)
    np.testing.assert_allclose(point["mu"], mean, atol=1e-4)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"method": "steepest"}, "method='steepest'"),
        ({"fmin": len}, "fmin='len'"),
        ({"wrong_option": 1}, "wrong_option"),
        ({"start": {}, "initvals": {}}, "give initvals only"),
        ({"initvals": {"nu": 1.0}}, "no free variable"),
    ],
)
def test_mistakes_are_named(keywords, words):
    model, *_ = normal()
    with pytest.raises(ParameterError, match=words):
        pm.find_MAP(model=model, **keywords)


def test_a_start_outside_is_explained_and_a_jittered_one_found():
    with pm.Model() as model:
        x = pm.Normal("x", 0, 1, initval=0.0)
        pm.Potential("inside", pm.math.switch(x > 0.05, 0.0, -np.inf))
    with pytest.raises(InitialPointError, match="inside"):
        pm.find_MAP(model=model)
    found = pm.find_MAP(model=model, jitter=True, random_seed=3)
    assert found["x"] > 0.05
    with pm.Model() as data_only, pytest.raises(ModelError, match="no free continuous"):
        pm.Normal("y", 0, 1, observed=1.0)
        pm.find_MAP(model=data_only)


def test_the_result_as_inference_data():
    model, mean, precision = normal()
    idata = pm.find_MAP(return_inferencedata=True, compute_hessian=True, model=model)
    assert idata.posterior["mu"].shape == (1, 1)
    np.testing.assert_allclose(idata.posterior["mu"], mean, atol=1e-5)
    np.testing.assert_allclose(idata.posterior.attrs["covariance_matrix"], [[1 / precision]])


def test_hessians_agree_with_finite_differences():
    with pm.Model() as model:
        a = pm.Normal("a", 0, 2, shape=2)
        s = pm.HalfNormal("s", 1)
        pm.Normal("y", a[0] * pm.math.exp(a[1]), s, observed=Y)
    point = {"a": np.array([0.3, 0.7]), "s_log__": np.array(-0.2)}
    hessian = pm.find_hessian(point, model=model, negate_output=False)
    slope, step = model.compile_dlogp(), 1e-5
    for i in range(3):
        near = []
        for sign in (1, -1):
            flat = np.array([0.3, 0.7, -0.2])
            flat[i] += sign * step
            near.append(slope({"a": flat[:2], "s_log__": flat[2]}))
        np.testing.assert_allclose(hessian[i], (near[0] - near[1]) / (2 * step), rtol=1e-6)
    np.testing.assert_allclose(model.compile_fn(model.d2logp())(point), -hessian, rtol=1e-12)
    assert pm.find_hessian(point, vars=[s], model=model).shape == (1, 1)


def test_laplace_is_exact_for_a_normal_posterior():
    model, mean, precision = normal()
    idata = pm.fit_laplace(2000, model=model, random_seed=4, progressbar=False)
    draws = idata.posterior["mu"].values.ravel()
    sd = precision**-0.5
    # independent draws: bounds of 4 standard errors, false alarms 6e-5 each
    assert abs(draws.mean() - mean) < 4 * sd / np.sqrt(draws.size)
    assert abs(draws.std() - sd) < 4 * sd / np.sqrt(2 * draws.size)
    cov = np.eye(len(Y)) + 4.0  # of the data: unit noise and the prior's variance
    evidence = -0.5 * (Y @ np.linalg.solve(cov, Y) + np.linalg.slogdet(2 * np.pi * cov)[1])
    np.testing.assert_allclose(idata.posterior.attrs["laplace_log_evidence"], evidence, rtol=1e-9)


def test_laplace_refuses_what_it_cannot_describe():
    with pm.Model() as flat:
        pm.Flat("x")
    with pytest.raises(SamplingError, match="not positive definite"):
        pm.fit_laplace(model=flat)
    with pm.Model() as counts:
        pm.Poisson("k", 3)
    with pytest.raises(ModelError, match="discrete"):
        pm.fit_laplace(model=counts)
