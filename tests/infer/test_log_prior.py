"""`compute_log_prior`."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats as stats

import finetti as pm
from finetti.errors import ModelError, ParameterError


def test_elementwise_log_densities_of_free_variables() -> None:
    with pm.Model(coords={"g": ["a", "b"]}) as model:
        a = pm.Normal("a", 0.0, 2.0, dims="g")
        s = pm.HalfNormal("s", 1.5)
        pm.MvNormal("z", a, np.eye(2), shape=(3, 2))
        pm.Normal("y", a, s, observed=[1.0, 2.0], dims="g")
        trace = pm.sample(20, tune=20, chains=2, random_seed=1, progressbar=False, quiet=True)
        assert pm.compute_log_prior(trace) is trace
    post, prior = trace.posterior, trace.log_prior
    assert set(prior.data_vars) == {"a", "s", "z"} and prior["a"].dims == ("chain", "draw", "g")
    np.testing.assert_allclose(prior["a"], stats.norm.logpdf(post["a"], 0.0, 2.0), rtol=1e-12)
    np.testing.assert_allclose(prior["s"], stats.halfnorm.logpdf(post["s"], scale=1.5), rtol=1e-12)
    apart = ((post["z"].values - post["a"].values[:, :, None]) ** 2).sum(-1)
    np.testing.assert_allclose(prior["z"], -0.5 * apart - np.log(2 * np.pi), rtol=1e-12)
    alone = pm.compute_log_prior(trace, var_names=["s"], model=model, extend_inferencedata=False)
    assert list(alone.data_vars) == ["s"]
    with pytest.raises(ParameterError, match="no free variable"):
        pm.compute_log_prior(trace, var_names=["y"], model=model)
    with model:
        part = pm.sample(5, tune=5, chains=1, var_names=["a"], random_seed=1, quiet=True)
    with pytest.raises(ModelError, match="'s'"):
        pm.compute_log_prior(part, model=model)
