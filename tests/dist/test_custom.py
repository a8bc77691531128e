"""Distributions of the user's own: a traced log density is the function it was made of."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from scipy import stats

import finetti as pm
from finetti.errors import FinettiError

Y = np.random.default_rng(3).normal(1.0, 2.0, 12)


def normal(value, mu, sigma):
    return -0.5 * ((value - mu) / sigma) ** 2 - pm.math.log(sigma) - 0.5 * np.log(2 * np.pi)


def model_of(make) -> pm.Model:
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 10)
        sigma = pm.HalfNormal("sigma", 5)
        make(mu, sigma)
    return model


WAYS = {
    "parameters": lambda mu, s: pm.CustomDist("y", mu, s, logp=normal, observed=Y),
    "taken from around": lambda mu, s: pm.CustomDist(
        "y", logp=lambda v: normal(v, mu, s), observed=Y
    ),
    "an expression from around": lambda mu, s: pm.CustomDist(
        "y", s, logp=lambda v, s: normal(v, 2 * mu - mu, s), observed=Y
    ),
    "summed": lambda mu, s: pm.CustomDist(
        "y", logp=lambda v: normal(v, mu, s).sum(), observed=Y
    ),
    "logp of another": lambda mu, s: pm.CustomDist(
        "y", mu, s, logp=lambda v, m, s: pm.logp(pm.Normal.dist(m, s), v), observed=Y
    ),
    "inside another": lambda mu, s: pm.CustomDist(
        "y", logp=lambda v: pm.logp(pm.CustomDist.dist(mu, s, logp=normal, shape=12), v),
        observed=Y,
    ),
    "generated": lambda mu, s: pm.CustomDist(
        "y", mu, s, dist=lambda m, s, size: pm.Normal.dist(m, s, size=size), observed=Y
    ),
    "DensityDist": lambda mu, s: pm.DensityDist("y", mu, s, logp=normal, observed=Y),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_density(way):
    model = model_of(WAYS[way])
    point = {"mu": 0.4, "sigma_log__": 0.3}
    s = np.exp(0.3)
    want = (stats.norm(0, 10).logpdf(0.4) + stats.halfnorm(0, 5).logpdf(s) + 0.3
            + stats.norm(0.4, s).logpdf(Y).sum())  # fmt: skip
    np.testing.assert_allclose(model.compile_logp()(point), want, rtol=1e-13)
    np.testing.assert_allclose(copy.deepcopy(model).compile_logp()(point), want, rtol=1e-13)
    step = 1e-6
    up, down = ({**point, "mu": 0.4 + h} for h in (step, -step))
    slope = (model.compile_logp()(up) - model.compile_logp()(down)) / (2 * step)
    np.testing.assert_allclose(model.compile_dlogp()(point)[0], slope, rtol=1e-6)


def test_follows_data_from_around():
    with pm.Model() as model:
        x = pm.Data("x", [1.0, 2.0])
        pm.CustomDist("y", logp=lambda v: -((v - x.sum()) ** 2), observed=[0.0])
        before = model.compile_logp()({})
        pm.set_data({"x": [1.0, 4.0]})
        after = model.compile_logp()({})
    assert (before, after) == (-9.0, -25.0)


def test_draws():
    def random(mu, sigma, rng=None, size=None):
        return rng.normal(mu, sigma, size=size)

    model = model_of(
        lambda mu, s: pm.CustomDist("y", mu, 1e-9, logp=normal, random=random, shape=3)
    )
    prior = pm.sample_prior_predictive(6, model=model, random_seed=1, return_inferencedata=False)
    assert prior["y"].shape == (6, 3)
    np.testing.assert_allclose(prior["y"], np.repeat(prior["mu"][:, None], 3, 1), atol=1e-6)
    assert pm.draw(pm.CustomDist.dist(2.0, 1e-12, logp=normal, random=random)) == pytest.approx(2)


def test_discrete_and_vectors():
    with pm.Model() as model:
        pm.CustomDist("k", 0.5, logp=lambda v, p: v * np.log(0.5), dtype="int64", observed=[1, 2])
        pm.CustomDist("v", logp=lambda v: -(v**2).sum(-1), shape=(2, 3))
    assert model.observed_RVs[0].dtype == np.int64
    terms = model.point_logps({"v": np.ones((2, 3))}, round_vals=6)
    np.testing.assert_allclose(terms["v"], -6.0)
    np.testing.assert_allclose(terms["k"], 3 * np.log(0.5), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: pm.CustomDist("y", 0.0), "logp="),
        (lambda: pm.CustomDist("y", 0.0, logp=normal, logcdf=normal), "logcdf"),
        (lambda: pm.CustomDist("y", 0.0, logp=normal, foo=1), "foo"),
        (lambda: pm.CustomDist("y", logp=lambda v: "text"), "tensor"),
        (lambda: pm.CustomDist("y", dist=lambda size: pm.Normal.dist() + 1), "dist="),
        (lambda: pm.CustomDist(3.0, logp=normal), "name"),
        (lambda: pm.draw(pm.CustomDist.dist(0.0, 1.0, logp=normal)), "random="),
        (lambda: pm.CustomDist("y", logp=lambda v: v, dtype="complex"), "dtype"),
    ],
)
def test_refused(make, word):
    with pm.Model(), pytest.raises(FinettiError, match=word):
        make()
