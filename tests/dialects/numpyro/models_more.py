"""More models in NumPyro's spelling: series, differential equations, latent states, groups."""

from __future__ import annotations

from typing import Any

import numpy as np


def hierarchical_regression(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """A line for every patient."""

    def run(patient: Any, week: Any, y: Any) -> None:
        mu_a = numpyro.sample("mu_a", dist.Normal(0.0, 5.0))
        sigma_a = numpyro.sample("sigma_a", dist.HalfNormal(5.0))
        mu_b = numpyro.sample("mu_b", dist.Normal(0.0, 5.0))
        sigma_b = numpyro.sample("sigma_b", dist.HalfNormal(5.0))
        with numpyro.plate("patients", len(np.unique(patient))):
            a = numpyro.sample("a", dist.Normal(mu_a, sigma_a))
            b = numpyro.sample("b", dist.Normal(mu_b, sigma_b))
        sigma = numpyro.sample("sigma", dist.HalfNormal(10.0))
        with numpyro.plate("data", len(patient)):
            numpyro.sample("y", dist.Normal(a[patient] + b[patient] * week, sigma), obs=y)

    patient = np.repeat(np.arange(4), 5)
    return run, {"patient": patient, "week": np.tile(np.linspace(-1, 1, 5), 4),
                 "y": rng.normal(size=20)}  # fmt: skip


def batting_averages(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """Chances of success that are alike."""

    def run(at_bats: Any, hits: Any) -> None:
        m = numpyro.sample("m", dist.Uniform(0, 1))
        kappa = numpyro.sample("kappa", dist.Pareto(1.0, 1.5))
        with numpyro.plate("players", len(at_bats)):
            phi = numpyro.sample("phi", dist.Beta(m * kappa, (1 - m) * kappa))
            numpyro.sample("hits", dist.Binomial(at_bats, probs=phi), obs=hits)

    return run, {"at_bats": np.full(6, 45), "hits": rng.binomial(45, 0.27, 6)}


def hilbert_space_process(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """A Gaussian process by the first eigenfunctions of the Laplacian on an interval."""

    def density(amplitude: Any, length: Any, w: Any) -> Any:
        """Of a squared exponential covariance, at the frequencies."""
        return amplitude**2 * length * jnp.sqrt(2 * jnp.pi) * jnp.exp(-0.5 * (length * w) ** 2)

    def run(x: Any, ell: Any, m: Any, y: Any) -> None:
        amplitude = numpyro.sample("amplitude", dist.HalfNormal(2.0))
        length = numpyro.sample("length", dist.InverseGamma(5.0, 5.0))
        noise = numpyro.sample("noise", dist.HalfNormal(1.0))
        roots = jnp.arange(1, m + 1) * jnp.pi / 2 / ell
        basis = jnp.sin(roots * (x[:, None] + ell)) / jnp.sqrt(ell)
        with numpyro.plate("basis", m):
            beta = numpyro.sample("beta", dist.Normal(0.0, 1.0))
        f = numpyro.deterministic("f", basis @ (jnp.sqrt(density(amplitude, length, roots)) * beta))
        with numpyro.plate("data", x.shape[0]):
            numpyro.sample("y", dist.Normal(f, noise), obs=y)

    x = np.linspace(-1, 1, 15)
    return run, {"x": x, "ell": 1.5, "m": 8, "y": np.sin(3 * x) + 0.2 * rng.normal(size=15)}


def predator_and_prey(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """The equations of Lotka and Volterra."""
    from jax.experimental.ode import odeint

    def slope(z: Any, t: Any, theta: Any) -> Any:
        u, v = z[0], z[1]
        alpha, beta, gamma, delta = theta
        return jnp.stack([(alpha - beta * v) * u, (-gamma + delta * u) * v])

    def run(times: Any, y: Any) -> None:
        first = numpyro.sample("first", dist.LogNormal(jnp.log(10.0), 1.0).expand([2]))
        theta = numpyro.sample(
            "theta",
            dist.TruncatedNormal(
                low=0.0,
                loc=jnp.array([1.0, 0.05, 1.0, 0.05]),
                scale=jnp.array([0.2, 0.05, 0.2, 0.05]),
            ),
        )
        z = odeint(slope, first, times, theta, rtol=1e-9, atol=1e-9, mxstep=1000)
        sigma = numpyro.sample("sigma", dist.LogNormal(-1.0, 1.0).expand([2]))
        numpyro.sample("y", dist.LogNormal(jnp.log(z), sigma), obs=y)

    return run, {"times": np.linspace(0.0, 0.3, 3), "y": np.exp(rng.normal(2.0, 0.3, (3, 2)))}


def recaptures(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """Cormack, Jolly and Seber: animals survive and are seen again, the states summed out."""
    from jax import lax
    from jax.scipy.special import logsumexp

    def run(histories: Any) -> None:
        phi = numpyro.sample("phi", dist.Uniform(0.0, 1.0))
        p = numpyro.sample("p", dist.Uniform(0.0, 1.0).expand([histories.shape[1] - 1]).to_event(1))
        moves = jnp.log(jnp.array([[phi, 1 - phi], [1e-300, 1.0]]))

        def step(alpha: Any, now: Any) -> Any:
            seen, chance = now
            alpha = logsumexp(alpha[:, :, None] + moves, axis=1)
            alive = dist.Bernoulli(chance).log_prob(seen)
            dead = jnp.where(seen == 1, -1e3, 0.0)
            return alpha + jnp.stack([alive, dead], axis=1), None

        start = jnp.tile(jnp.array([0.0, -1e3]), (histories.shape[0], 1))
        alpha, _ = lax.scan(step, start, (histories.T[1:], p))
        numpyro.factor("histories", logsumexp(alpha, axis=1))

    histories = rng.integers(0, 2, (6, 5))
    histories[:, 0] = 1
    return run, {"histories": histories}


def hidden_markov(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """Words of hidden categories, by the forward algorithm."""
    from jax import lax
    from jax.scipy.special import logsumexp

    def run(words: Any) -> None:
        moves = numpyro.sample("moves", dist.Dirichlet(jnp.ones((3, 3))).to_event(1))
        speech = numpyro.sample("speech", dist.Dirichlet(jnp.full((3, 4), 0.5)).to_event(1))

        def step(alpha: Any, word: Any) -> Any:
            return logsumexp(alpha[:, None] + jnp.log(moves), axis=0) + jnp.log(speech[:, word]), 0

        start = jnp.log(speech[:, words[0]]) - jnp.log(3.0)
        alpha, _ = lax.scan(step, start, words[1:])
        numpyro.factor("words", logsumexp(alpha))

    return run, {"words": rng.integers(0, 4, 16)}


def seasonal_smoothing(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """Exponential smoothing with a trend and seasons."""
    from jax import lax

    def run(y: Any, seasonality: Any) -> None:
        nu = numpyro.sample("nu", dist.Uniform(2, 20))
        sigma = numpyro.sample("sigma", dist.HalfCauchy(0.5))
        level_sm = numpyro.sample("level_sm", dist.Beta(1, 2))
        season_sm = numpyro.sample("season_sm", dist.Uniform(0, 1))
        power = numpyro.sample("power", dist.Beta(1, 1))
        init_s = numpyro.sample("init_s", dist.Normal(0, 0.2).expand([seasonality]).to_event(1))

        def step(carry: Any, now: Any) -> Any:
            level, seasons = carry
            season = seasons[0] * level**power
            expected = level + season
            level = jnp.clip(level_sm * (now - season) + (1 - level_sm) * level, 0.1)
            new = (season_sm * (now - level) + (1 - season_sm) * season) / level
            return (level, jnp.concatenate([seasons[1:], new[None]])), expected

        start = (jnp.asarray(y[0]), init_s)
        _, expected = lax.scan(step, start, y[1:])
        with numpyro.plate("data", len(y) - 1):
            numpyro.sample("y", dist.StudentT(nu, expected, sigma), obs=y[1:])

    t = np.arange(14)
    return run, {"y": 3.0 + np.sin(t * np.pi / 2) + 0.2 * rng.normal(size=14), "seasonality": 4}


def annotators(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """Dawid and Skene: the true classes are summed out of what the annotators say."""
    from jax.scipy.special import logsumexp

    def run(annotator: Any, item: Any, said: Any) -> None:
        pi = numpyro.sample("pi", dist.Dirichlet(jnp.ones(3)))
        with numpyro.plate("annotators", 3), numpyro.plate("classes", 3):
            beta = numpyro.sample("beta", dist.Dirichlet(jnp.array([2.0, 1.0, 1.0])))
        each = jnp.log(beta[:, annotator, said])
        total = jnp.zeros((3, 5)).at[:, item].add(each)
        numpyro.factor("said", logsumexp(total + jnp.log(pi)[:, None], axis=0))

    item, annotator = np.divmod(np.arange(15), 3)
    return run, {"annotator": annotator, "item": item, "said": rng.integers(0, 3, 15)}


def vector_autoregression(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """Two series that follow from both and are correlated."""
    from importlib import import_module

    control_flow = import_module(f"{numpyro.__name__}.contrib.control_flow")

    def run(y: Any) -> None:
        c = numpyro.sample("c", dist.Normal(0, 1).expand([2]).to_event(1))
        phi = numpyro.sample("phi", dist.Normal(0, 1).expand([2, 2]).to_event(2))
        sigma = numpyro.sample("sigma", dist.HalfNormal(1.0).expand([2]).to_event(1))
        L = numpyro.sample("L", dist.LKJCholesky(2, concentration=1.0))
        scale = sigma[..., None] * L

        def step(before: Any, now: Any) -> Any:
            mean = c + phi @ before
            numpyro.sample("y", dist.MultivariateNormal(loc=mean, scale_tril=scale), obs=now)
            return now, mean

        _, means = control_flow.scan(step, jnp.asarray(y[0]), y[1:])
        numpyro.deterministic("means", means)

    return run, {"y": rng.normal(size=(7, 2))}


MORE = {
    maker.__name__: maker
    for maker in (
        hierarchical_regression, batting_averages, hilbert_space_process, predator_and_prey,
        recaptures, hidden_markov, seasonal_smoothing, annotators, vector_autoregression,
    )
}  # fmt: skip
