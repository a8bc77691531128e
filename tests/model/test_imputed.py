"""Missing observations: which elements become variables, and what their posterior is."""

import numpy as np
import pytest
from scipy import stats

import finetti as pm
from finetti.errors import NotYetSupported
from finetti.model.imputed import ImputationWarning

DATA = np.array([1.0, np.nan, 3.0, np.nan])


@pytest.mark.parametrize(
    "observed",
    [
        DATA,
        np.ma.masked_invalid(DATA),
        np.ma.masked_values([1, -999, 3, -999], -999),
        [1.0, None, 3.0, None],
    ],
)
def test_forms_of_missing_data(observed):
    with pytest.warns(ImputationWarning, match="missing values"), pm.Model() as model:
        mu = pm.Normal("mu", 0, 1, shape=4)
        y = pm.Normal("y", mu, [1.0, 2.0, 3.0, 4.0], observed=observed)
        pm.Deterministic("double", 2 * y)
    assert [rv.name for rv in model.free_RVs] == ["mu", "y_unobserved"]
    assert [rv.name for rv in model.observed_RVs] == ["y_observed"]
    assert [rv.name for rv in model.deterministics] == ["y", "double"]
    point = {"mu": np.array([0.1, 0.2, 0.3, 0.4]), "y_unobserved": np.array([5.0, 6.0])}
    whole = np.array([1.0, 5.0, 3.0, 6.0])
    want = stats.norm.logpdf(point["mu"]).sum()
    want += stats.norm.logpdf(whole, point["mu"], [1, 2, 3, 4]).sum()
    np.testing.assert_allclose(model.compile_logp()(point), want, rtol=1e-12)
    np.testing.assert_allclose(model.compile_fn(y)(point), whole)


def test_counts_positive_values_and_categories():
    with pytest.warns(ImputationWarning), pm.Model(coords={"year": range(3)}) as model:
        pm.Poisson("k", [1.0, 2.0, 3.0], observed=np.array([2, np.nan, 4]), dims="year")
        pm.Exponential("t", 1.0, observed=np.array([[np.nan, 1.0], [2.0, np.nan]]))
        p = pm.Dirichlet("p", np.ones((3, 2)))
        pm.Categorical("c", p, observed=np.array([np.nan, 1, 0]))
    assert model["k_unobserved"].dtype.kind == "i"
    assert model.named_vars_to_dims["k"] == ("year",)
    assert "t_unobserved_log__" in model.initial_point()
    point = {**model.initial_point(), "k_unobserved": np.array([5]),
             "t_unobserved_log__": np.log([3.0, 4.0])}  # fmt: skip
    logps = model.compile_logp(jacobian=False, sum=False)(point)
    by_name = dict(zip([rv.name for rv in model.basic_RVs], logps, strict=True))
    np.testing.assert_allclose(by_name["k_observed"], stats.poisson.logpmf([2, 4], [1, 3]))
    np.testing.assert_allclose(by_name["k_unobserved"], stats.poisson.logpmf([5], [2]))
    np.testing.assert_allclose(by_name["t_unobserved"], [-3.0, -4.0])
    assert by_name["c_observed"].shape == (2,) and by_name["c_unobserved"].shape == (1,)


def test_a_mean_given_some_of_the_data():
    rng = np.random.default_rng(2)
    data = rng.normal(3.0, 1.0, 30)
    data[::3] = np.nan
    with pytest.warns(ImputationWarning), pm.Model():
        mu = pm.Normal("mu", 0, 10)
        pm.Normal("y", mu, 1.0, observed=data)
        idata = pm.sample(1000, tune=500, random_seed=5, progressbar=False)
    seen = data[~np.isnan(data)]
    precision = seen.size + 0.01
    draws = idata.posterior["y_unobserved"].values
    # the missing elements have variance 1 + 1/precision around the same mean;
    # bounds of 5 standard errors for at least 2000 effective draws, false alarms 6e-7 each
    sd = np.sqrt(1 + 1 / precision)
    assert abs(draws.mean(axis=(0, 1)) - seen.sum() / precision).max() < 5 * sd / np.sqrt(2000)
    assert abs(draws.std(axis=(0, 1)) - sd).max() < 5 * sd / np.sqrt(2 * 2000)
    np.testing.assert_array_equal(idata.posterior["y"].values[..., ::3], draws)


def test_vector_valued_data_are_refused():
    with pytest.raises(NotYetSupported, match="'y'.*2 of 6 observed.*drop those rows"), pm.Model():
        pm.MvNormal("y", np.zeros(2), np.eye(2), observed=[[1, np.nan], [np.nan, 2], [3, 4]])
