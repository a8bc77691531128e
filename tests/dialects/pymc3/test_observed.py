"""`observed=` an expression of random variables, and observed variables used further on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

VALUES = {"intercept": 0.1, "slope_x": -1.4, "slope_z": 0.5, "error_log__": np.log(0.3)}
# PyMC 6's numbers for Normal(mu, sigma) at y, which is what Normal(0, sigma) at y - mu must give;
# data and model of the tutorial (research notes on the seeds, section 5).
AT_ZERO = -764.8187679591549
AT_VALUES = -637.2829889743574
GRADIENT = [-1169.9406335, -12032.64792811, -41056.04544741, 1221.53125537]


def collider_data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.RandomState(2025)
    x = rng.normal(loc=10, scale=3, size=100)
    y = rng.normal(loc=2, scale=3, size=100)
    return x, y, x * 3 + y * 2 + rng.normal(loc=0, scale=0.1, size=100)


@pytest.fixture
def collider(pm):
    data = collider_data()
    with pm.Model() as model:
        x, y, z = (pm.Data(name, values) for name, values in zip("xyz", data, strict=True))
        alpha = pm.Normal("intercept", 0, 1)
        beta_x = pm.Normal("slope_x", 0, 1)
        beta_z = pm.Normal("slope_z", 0, 1)
        sigma = pm.Exponential("error", lam=1)
        mu = alpha + beta_x * x + beta_z * z
        pm.Normal("y_hat", 0, sigma, observed=y - mu)
    return model


def test_reference_numbers(collider):
    zero = dict.fromkeys(VALUES, 0.0)
    np.testing.assert_allclose(collider.logp(zero), AT_ZERO, rtol=1e-13)
    np.testing.assert_allclose(collider.logp(VALUES), AT_VALUES, rtol=1e-13)
    np.testing.assert_allclose(collider.dlogp()(VALUES), GRADIENT, rtol=1e-9)


def test_same_as_the_other_way_to_write_it(pm, collider):
    x, y, z = collider_data()
    with pm.Model() as other:
        alpha = pm.Normal("intercept", 0, 1)
        beta_x = pm.Normal("slope_x", 0, 1)
        beta_z = pm.Normal("slope_z", 0, 1)
        sigma = pm.Exponential("error", lam=1)
        pm.Normal("y_hat", alpha + beta_x * x + beta_z * z, sigma, observed=y)
    np.testing.assert_allclose(collider.logp(VALUES), other.logp(VALUES), rtol=1e-14)
    np.testing.assert_allclose(collider.dlogp()(VALUES), other.dlogp()(VALUES), rtol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_everything_else_works_with_it(pm, collider):
    with collider:
        trace = pm.sample(30, tune=30, chains=2, cores=1, progressbar=False, random_seed=1)
        found = pm.sample_posterior_predictive(trace, random_seed=1)
        loo = pm.loo(trace)
    assert found["y_hat"].shape == (60, 100)
    assert len(loo.each) == 100
    x, y, z = collider_data()
    residual = y - (
        trace["intercept"][:, None]
        + trace["slope_x"][:, None] * x
        + trace["slope_z"][:, None] * z
    )  # fmt: skip
    each = stats.norm(0, trace["error"][:, None]).logpdf(residual)
    ours = trace.with_log_likelihood().log_likelihood["y_hat"].reshape(60, 100)
    np.testing.assert_allclose(ours, each, rtol=1e-10)
    assert "observed_data" not in trace.plain_draws().groups  # a formula is no data
    assert "y_hat" in collider.copy().named_vars


def test_follows_set_data(pm):
    with pm.Model() as model:
        y = pm.Data("y", [1.0, 2.0])
        mu = pm.Normal("mu", 0, 1)
        pm.Normal("o", 0, 1, observed=y - mu)
        before = model.logp({"mu": 0.5})
        pm.set_data({"y": [1.0, 2.0, 3.0]})
        after = model.logp({"mu": 0.5})
    prior = stats.norm.logpdf(0.5)
    np.testing.assert_allclose(before, prior + stats.norm.logpdf([0.5, 1.5]).sum())
    np.testing.assert_allclose(after, prior + stats.norm.logpdf([0.5, 1.5, 2.5]).sum())


def test_observed_variables_downstream_are_their_data(pm):
    x1 = np.arange(4.0)
    data, later = np.array([1.0, 2.0, 0.5, 3.0]), np.array([2.0, 1.0, 0.0, 4.0])
    with pm.Model() as model:
        slope = pm.Normal("slope", 0, 1)
        x2 = pm.Normal("x2", slope * x1, 1.0, observed=data)
        pm.Normal("y", slope + 2.0 * x2, 1.0, observed=later)
    want = (
        stats.norm.logpdf(0.3)
        + stats.norm(0.3 * x1).logpdf(data).sum()
        + stats.norm(0.3 + 2.0 * data).logpdf(later).sum()
    )
    np.testing.assert_allclose(model.logp({"slope": 0.3}), want, rtol=1e-14)


def test_a_chain_of_expressions(pm):
    with pm.Model() as model:
        a = pm.Normal("a", 0, 1)
        first = pm.Normal("first", 0, 1, observed=1.0 - a)
        pm.Normal("second", 0, 2, observed=first * a)
    want = stats.norm.logpdf(0.4) + stats.norm.logpdf(0.6) + stats.norm(0, 2).logpdf(0.6 * 0.4)
    np.testing.assert_allclose(model.logp({"a": 0.4}), want, rtol=1e-14)


def test_a_variable_of_no_model_is_refused(pm):
    stray = pm.Normal.dist(0, 1)
    with pytest.raises(ValueError, match="belongs to no model"), pm.Model() as model:
        pm.Normal("a", 0, 1, observed=1.0 - stray)
        model.logp({})
