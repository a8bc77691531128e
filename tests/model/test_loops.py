"""Models whose likelihood is a loop: against exact answers, and sampled briefly."""

import numpy as np
import pytest

import finetti as pm
from finetti.ir import ops

SAMPLING = {"draws": 300, "tune": 300, "chains": 2, "cores": 1, "random_seed": 3,
            "progressbar": False}  # fmt: skip


def series(n, a=0.6, b=-0.3, seed=0):
    rng = np.random.default_rng(seed)
    y = [0.0, 0.0]
    for _ in range(n):
        y.append(a * y[-1] + b * y[-2] + rng.normal() * 0.5)
    return np.array(y[2:])


def test_autoregression_has_its_exact_posterior():
    """Known noise and normal priors: the posterior of the two weights is normal and known."""
    y = series(200)
    with pm.Model():
        w = pm.Normal("w", 0.0, 1.0, shape=2)

        def step(carry, now):
            one, two = carry
            return (now, one), w[0] * one + w[1] * two

        _, mu = ops.scan(step, (0.0, 0.0), [y])
        pm.Normal("y", mu, 0.5, observed=y)
        result = pm.sample(**SAMPLING)
    x = np.stack([np.r_[0.0, y[:-1]], np.r_[0.0, 0.0, y[:-2]]], axis=1)
    precision = np.eye(2) + x.T @ x / 0.25
    mean = np.linalg.solve(precision, x.T @ y / 0.25)
    draws = result.posterior["w"].values.reshape(-1, 2)
    # 600 draws, at least 150 effective: 6 standard errors, false alarms below 1e-8
    assert (
        np.abs(draws.mean(0) - mean) < 6 * np.sqrt(np.diag(np.linalg.inv(precision)) / 150)
    ).all()


def test_local_level_by_a_filter_equals_the_joint_normal():
    """The likelihood of a random walk seen through noise, its level integrated out in a loop."""
    y = np.cumsum(np.random.default_rng(1).normal(size=40) * 0.3) + 0.2

    def likelihood(walk, noise):
        def step(carry, now):
            m, p = carry
            p = p + walk**2
            s = p + noise**2
            r = now - m
            return (m + p / s * r, p - p * p / s), -0.5 * (ops.log(2 * np.pi * s) + r * r / s)

        _, terms = ops.scan(step, (0.0, 1.0), [y])
        return ops.sum_(terms)

    with pm.Model() as model:
        walk, noise = pm.HalfNormal("walk"), pm.HalfNormal("noise")
        pm.Potential("y", likelihood(walk, noise))
    with pm.Model() as joint:
        walk, noise = pm.HalfNormal("walk"), pm.HalfNormal("noise")
        n = np.arange(1, len(y) + 1)
        cov = 1.0 + walk**2 * np.minimum(n[:, None], n) + noise**2 * np.eye(len(y))
        pm.MvNormal("y", np.zeros(len(y)), cov, observed=y)
    for u in ([0.1, -0.5], [-1.0, 0.3]):
        point = {"walk_log__": np.array(u[0]), "noise_log__": np.array(u[1])}
        np.testing.assert_allclose(
            model.compile_logp()(point), joint.compile_logp()(point), rtol=1e-9
        )
        np.testing.assert_allclose(
            model.compile_dlogp()(point), joint.compile_dlogp()(point), rtol=1e-7, atol=1e-7
        )


def growth():
    seen = 1 / (1 + 20 * np.exp(-0.5 * np.arange(20)))
    rate = pm.LogNormal("rate", -1.0, 0.5)
    _, path = ops.scan(lambda c: (c + rate * c * (1 - c), c), 1 / 21, length=20)
    pm.Normal("y", path, 0.05, observed=seen)


def hidden_chain():
    y = np.repeat([0.0, 3.0, 0.0], 15) + np.random.default_rng(2).normal(size=45) * 0.5
    rows = pm.Dirichlet("rows", np.array([[8.0, 1.0], [1.0, 8.0]]))
    mu = pm.Normal("mu", np.array([0.0, 3.0]), 1.0)
    emitted = -2.0 * (y[:, None] - mu) ** 2

    def step(alpha, row):
        return ops.logsumexp(alpha[:, None] + ops.log(rows), axis=0) + row, None

    alpha, _ = ops.scan(step, np.log([0.5, 0.5]) + emitted[0], [emitted[1:]])
    pm.Potential("y", ops.logsumexp(alpha))


def leaking_neuron():
    drive = np.sin(np.arange(60) / 5.0) + 1.0
    leak = pm.Beta("leak", 2.0, 5.0)

    def step(v, e):
        v = v * (1.0 - leak) + 0.3 * e
        fired = v > 1.0
        return ops.where(fired, 0.0, v), (v, fired)

    _, (volts, fired) = ops.scan(step, 0.0, [drive])
    pm.Deterministic("spikes", ops.sum_(fired))
    pm.Normal("y", volts, 0.3, observed=drive * 0.5)


def latent_walk():
    """The noise of every step is a variable."""
    y = series(40)
    sigma, eps = pm.HalfNormal("sigma"), pm.Normal("eps", shape=40)
    _, level = ops.scan(lambda c, e: ((new := 0.9 * c + sigma * e), new), 0.0, [eps])
    pm.Normal("y", level, 0.5, observed=y)


def seasons():
    """The carry is a window that moves on: its adjoint adds single numbers into short arrays."""
    y = series(30)
    a, first = pm.Normal("a", 0.0, 0.5), pm.Normal("first", shape=4)

    def step(window, now):
        new = a * window[0] + 0.1 * now * ops.sin(window[1])
        return ops.concatenate([window[1:], ops.reshape(new, (1,))]), window[0]

    _, expected = ops.scan(step, first, [y])
    pm.Normal("y", expected, 0.5, observed=y)


@pytest.mark.parametrize("build", [growth, hidden_chain, leaking_neuron, latent_walk, seasons])
def test_models_with_loops(build):
    with pm.Model() as model:
        build()
    point = model.initial_point()
    rng = np.random.default_rng(4)
    point = {name: value + rng.normal(size=np.shape(value)) * 0.1 for name, value in point.items()}
    for compiled in (model.compile_logp, model.compile_dlogp):
        np.testing.assert_allclose(
            compiled()(point), compiled(backend="reference")(point), rtol=1e-9, atol=1e-9
        )
    result = pm.sample(model=model, **{**SAMPLING, "draws": 100, "tune": 200})
    assert all(np.isfinite(result.posterior[name]).all() for name in result.posterior.data_vars)
    assert not np.isnan(result.sample_stats["lp"]).any()


def test_prior_and_posterior_predictive_and_new_data():
    with pm.Model() as model:
        drive = pm.Data("drive", np.ones(10))
        a = pm.Uniform("a", 0.1, 0.9)
        _, level = ops.scan(lambda c, e: ((new := a * c + e), new), 0.0, [drive])
        pm.Deterministic("last", level[-1])
        pm.Normal("y", level, 0.1, observed=np.ones(10), shape=drive.shape)
        prior = pm.sample_prior_predictive(20, random_seed=1)
        result = pm.sample(**{**SAMPLING, "draws": 50, "tune": 100})
        pm.set_data({"drive": np.ones(4)})
        later = pm.sample_posterior_predictive(result, random_seed=1)
    weights = prior.prior["a"].values
    powers = weights[..., None] ** np.arange(10)
    np.testing.assert_allclose(prior.prior["last"].values, powers.sum(-1), rtol=1e-10)
    assert later.posterior_predictive["y"].shape[-1] == 4
    assert model["y"] is not None
