"""A density without its Jacobian must not go unnoticed: the same check passes on the real one.

The check compares the mean and the variance of 4 x 2000 draws with the exact ones of a model
without data, in units of the Monte Carlo error at the effective sample size: 4 standard errors, two
numbers a model, so a right sampler fails it about once in 8000 seeds (the seeds are fixed).
"""

from dataclasses import replace

import numpy as np
import pytest

import finetti as pm
from finetti import _core
from finetti.model import logdensity

MODELS = {
    "log__": (lambda: pm.Gamma("x", 3.0, 2.0), 1.5, 0.75),
    "logodds__": (lambda: pm.Beta("x", 2.0, 5.0), 2 / 7, 10 / (49 * 8)),
    "interval__": (lambda: pm.Uniform("x", -1.0, 3.0), 1.0, 16 / 12),
}


def looks_right(variable, mean, variance):
    with pm.Model():
        variable()
        result = pm.sample(
            2000, tune=500, chains=4, random_seed=11, progressbar=False, quiet=True,
            compute_convergence_checks=False,
        )  # fmt: skip
    draws = np.asarray(result.posterior["x"])[..., None]
    squares = (draws - mean) ** 2
    checks = ((draws, mean), (squares, variance))
    return all(
        abs(x.mean() - exact) < 4 * x.std() / np.sqrt(float(_core.ess_mean(x)[0]))
        for x, exact in checks
    )


@pytest.mark.parametrize("name", MODELS)
def test_the_density_has_its_jacobian(name):
    assert looks_right(*MODELS[name])


@pytest.mark.parametrize("name", MODELS)
def test_a_density_without_its_jacobian_is_noticed(name, monkeypatch):
    real = logdensity.Factor.total

    def without(self, jacobian=True):
        return real(replace(self, log_det=None), jacobian)

    monkeypatch.setattr(logdensity.Factor, "total", without)
    assert not looks_right(*MODELS[name])
