"""The same models in PyMC's and in NumPyro's spelling: name -> (PyMC's, NumPyro's)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import finetti.numpyro.distributions as dist
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import finetti as pm
import finetti.numpyro as numpyro
from finetti.dialects.theano.loops import scan

PAIRS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {}
sample, plate = numpyro.sample, numpyro.plate

RNG = np.random.default_rng(3)
Y = RNG.normal(1.0, 2.0, 12)
X = RNG.normal(size=(12, 3))
T = np.linspace(-1.0, 1.0, 12)
GROUP = np.array([0, 1, 2, 0, 1, 2, 2, 1, 0, 0, 1, 2])
ITEM = np.tile(np.arange(4), 3)
YES = (RNG.uniform(size=12) < 0.4).astype(int)
COUNTS = RNG.poisson(3.0, 12)
TABLE = RNG.normal(size=(4, 3))
SIGMAS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])


def pair(function: Callable[[], Any]) -> None:
    """Put what a function returns into the table: the model in PyMC's spelling, in NumPyro's."""
    PAIRS[function.__name__] = function()


@pair
def normal_mean() -> Any:
    def pymc() -> None:
        mu = pm.Normal("mu", 0, 10)
        sigma = pm.HalfNormal("sigma", 3)
        pm.Normal("y", mu, sigma, observed=Y)

    def numpyros() -> None:
        mu = sample("mu", dist.Normal(0, 10))
        sigma = sample("sigma", dist.HalfNormal(3))
        with plate("rows", 12):
            sample("y", dist.Normal(mu, sigma), obs=Y)

    return pymc, numpyros


@pair
def beta_binomial() -> Any:
    def pymc() -> None:
        pm.Binomial("k", 20, pm.Beta("p", 2, 3), observed=7)

    def numpyros() -> None:
        sample("k", dist.Binomial(20, sample("p", dist.Beta(2, 3))), obs=7)

    return pymc, numpyros


@pair
def simple_regression() -> Any:
    def pymc() -> None:
        a, b = pm.Normal("a", 0, 1), pm.Normal("b", 0, 1)
        pm.Normal("y", a + b * T, 1, observed=Y)

    def numpyros() -> None:
        a, b = sample("a", dist.Normal(0, 1)), sample("b", dist.Normal(0, 1))
        sample("y", dist.Normal(a + b * T, 1), obs=Y)

    return pymc, numpyros


@pair
def linear_regression() -> Any:
    def pymc() -> None:
        a = pm.Normal("a", 0.0, 1.0)
        b = pm.Normal("b", 0.0, 2.0, shape=3)
        sigma = pm.Exponential("sigma", 1.0)
        mean = pm.Deterministic("mean", a + pm.math.dot(X, b))
        pm.Normal("y", mean, sigma, observed=Y)

    def numpyros() -> None:
        a = sample("a", dist.Normal(0.0, 1.0))
        b = sample("b", dist.Normal(0.0, 2.0).expand([3]).to_event(1))
        sigma = sample("sigma", dist.Exponential(1.0))
        mean = numpyro.deterministic("mean", a + X @ b)
        sample("y", dist.Normal(mean, sigma), obs=Y)

    return pymc, numpyros


@pair
def logistic_regression() -> Any:
    def pymc() -> None:
        b = pm.Normal("b", np.zeros(3), 1.0)
        pm.Bernoulli("y", logit_p=X @ b, observed=YES)

    def numpyros() -> None:
        b = sample("b", dist.Normal(jnp.zeros(3), 1.0))
        sample("y", dist.Bernoulli(logits=jnp.dot(X, b)), obs=YES)

    return pymc, numpyros


@pair
def bernoulli_of_probabilities() -> Any:
    def pymc() -> None:
        b = pm.Normal("b", 0.0, 1.0)
        pm.Bernoulli("y", pm.math.sigmoid(b * T), observed=YES)

    def numpyros() -> None:
        b = sample("b", dist.Normal(0.0, 1.0))
        sample("y", dist.Bernoulli(jax.nn.sigmoid(b * T)), obs=YES)

    return pymc, numpyros


@pair
def poisson_regression() -> Any:
    def pymc() -> None:
        a, b = pm.Normal("a", 0, 1), pm.Normal("b", 0, 0.5)
        pm.Poisson("y", pm.math.exp(a + b * T), observed=COUNTS)

    def numpyros() -> None:
        a, b = sample("a", dist.Normal(0, 1)), sample("b", dist.Normal(0, 0.5))
        sample("y", dist.Poisson(jnp.exp(a + b * T)), obs=COUNTS)

    return pymc, numpyros


@pair
def negative_binomial_regression() -> Any:
    def pymc() -> None:
        a = pm.Normal("a", 0, 1)
        alpha = pm.Gamma("alpha", 2.0, 0.5)
        pm.NegativeBinomial("y", mu=pm.math.exp(a + T), alpha=alpha, observed=COUNTS)

    def numpyros() -> None:
        a = sample("a", dist.Normal(0, 1))
        alpha = sample("alpha", dist.Gamma(2.0, 0.5))
        sample("y", dist.NegativeBinomial2(jnp.exp(a + T), alpha), obs=COUNTS)

    return pymc, numpyros


@pair
def robust_regression() -> Any:
    def pymc() -> None:
        a, b = pm.Laplace("a", 0, 1), pm.Cauchy("b", 0, 1)
        nu = pm.Gamma("nu", 2.0, 0.1)
        pm.StudentT("y", nu, a + b * T, sigma=2.0, observed=Y)

    def numpyros() -> None:
        a, b = sample("a", dist.Laplace(0, 1)), sample("b", dist.Cauchy(0, 1))
        nu = sample("nu", dist.Gamma(2.0, 0.1))
        sample("y", dist.StudentT(nu, a + b * T, 2.0), obs=Y)

    return pymc, numpyros


@pair
def eight_schools() -> Any:
    def pymc() -> None:
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfCauchy("tau", 5)
        theta = pm.Normal("theta", mu, tau, shape=8)
        pm.Normal("y", theta, SIGMAS, observed=EFFECTS)

    def numpyros() -> None:
        mu = sample("mu", dist.Normal(0, 5))
        tau = sample("tau", dist.HalfCauchy(5))
        with plate("J", 8):
            theta = sample("theta", dist.Normal(mu, tau))
            sample("y", dist.Normal(theta, SIGMAS), obs=EFFECTS)

    return pymc, numpyros


@pair
def eight_schools_decentered() -> Any:
    def pymc() -> None:
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfCauchy("tau", 5)
        z = pm.Normal("z", 0, 1, shape=8)
        theta = pm.Deterministic("theta", mu + tau * z)
        pm.Normal("y", theta, SIGMAS, observed=EFFECTS)

    def numpyros() -> None:
        mu = sample("mu", dist.Normal(0, 5))
        tau = sample("tau", dist.HalfCauchy(5))
        with plate("J", 8):
            z = sample("z", dist.Normal(0, 1))
            theta = numpyro.deterministic("theta", mu + tau * z)
            sample("y", dist.Normal(theta, SIGMAS), obs=EFFECTS)

    return pymc, numpyros


@pair
def varying_intercepts_and_slopes() -> Any:
    def pymc() -> None:
        mu = pm.Normal("mu", 0, 1, shape=2)
        s = pm.HalfNormal("s", np.array([1.0, 2.0]))
        a = pm.Normal("a", mu[0], s[0], shape=3)
        b = pm.Normal("b", mu[1], s[1], shape=3)
        pm.Normal("y", a[GROUP] + b[GROUP] * T, 1.5, observed=Y)

    def numpyros() -> None:
        mu = sample("mu", dist.Normal(0, 1).expand([2]))
        s = sample("s", dist.HalfNormal(np.array([1.0, 2.0])))
        with plate("groups", 3):
            a = sample("a", dist.Normal(mu[0], s[0]))
            b = sample("b", dist.Normal(mu[1], s[1]))
        sample("y", dist.Normal(a[GROUP] + b[GROUP] * T, 1.5), obs=Y)

    return pymc, numpyros


@pair
def correlated_slopes() -> Any:
    cov = np.array([[1.0, 0.3], [0.3, 0.5]])

    def pymc() -> None:
        v = pm.MvNormal("v", mu=np.zeros(2), cov=cov, shape=(3, 2))
        pm.Normal("y", v[GROUP, 0] + v[GROUP, 1] * T, 1.0, observed=Y)

    def numpyros() -> None:
        with plate("groups", 3):
            v = sample("v", dist.MultivariateNormal(jnp.zeros(2), cov))
        sample("y", dist.Normal(v[GROUP, 0] + v[GROUP, 1] * T, 1.0), obs=Y)

    return pymc, numpyros


@pair
def nested_plates() -> Any:
    def pymc() -> None:
        b = pm.Normal("b", 0.0, 1.0, shape=3)
        a = pm.Normal("a", b, 0.5, shape=(4, 3))
        pm.Logistic("y", a, 1.0, observed=TABLE)

    def numpyros() -> None:
        with plate("columns", 3, dim=-1):
            b = sample("b", dist.Normal(0.0, 1.0))
            with plate("rows", 4, dim=-2):
                a = sample("a", dist.Normal(b, 0.5))
                sample("y", dist.Logistic(a, 1.0), obs=TABLE)

    return pymc, numpyros


@pair
def mixture() -> Any:
    def pymc() -> None:
        w = pm.Dirichlet("w", np.ones(3))
        mu = pm.Normal("mu", 0.0, 3.0, shape=3)
        sigma = pm.LogNormal("sigma", 0.0, 0.5)
        pm.Mixture("y", w, pm.Normal.dist(mu, sigma, shape=3), observed=Y)

    def numpyros() -> None:
        w = sample("w", dist.Dirichlet(jnp.ones(3)))
        mu = sample("mu", dist.Normal(0.0, 3.0).expand([3]))
        sigma = sample("sigma", dist.LogNormal(0.0, 0.5))
        parts = dist.Normal(mu, sigma)
        sample("y", dist.MixtureSameFamily(dist.Categorical(probs=w), parts), obs=Y)

    return pymc, numpyros


@pair
def categories() -> Any:
    def pymc() -> None:
        b = pm.Normal("b", 0.0, 1.0, shape=3)
        pm.Categorical("y", logit_p=T[:, None] * b, observed=GROUP)

    def numpyros() -> None:
        b = sample("b", dist.Normal(0.0, 1.0).expand([3]))
        sample("y", dist.Categorical(logits=T[:, None] * b), obs=GROUP)

    return pymc, numpyros


@pair
def multinomial() -> Any:
    def pymc() -> None:
        p = pm.Dirichlet("p", np.array([1.0, 2.0, 3.0]))
        pm.Multinomial("y", 9, p, observed=[2, 3, 4])

    def numpyros() -> None:
        p = sample("p", dist.Dirichlet(np.array([1.0, 2.0, 3.0])))
        sample("y", dist.Multinomial(9, p), obs=np.array([2, 3, 4]))

    return pymc, numpyros


@pair
def ordinal() -> Any:
    cuts = np.array([-1.0, 0.5])

    def pymc() -> None:
        b = pm.Normal("b", 0.0, 1.0)
        pm.OrderedLogistic("y", b * T, cuts, observed=GROUP, compute_p=False)

    def numpyros() -> None:
        b = sample("b", dist.Normal(0.0, 1.0))
        sample("y", dist.OrderedLogistic(b * T, cuts), obs=GROUP)

    return pymc, numpyros


@pair
def zero_inflated() -> Any:
    def pymc() -> None:
        psi = pm.Uniform("psi", 0.0, 1.0)
        rate = pm.Gamma("rate", 2.0, 0.5)
        pm.ZeroInflatedPoisson("y", psi, rate, observed=COUNTS * YES)

    def numpyros() -> None:
        psi = sample("psi", dist.Uniform(0.0, 1.0))
        rate = sample("rate", dist.Gamma(2.0, 0.5))
        sample("y", dist.ZeroInflatedPoisson(1.0 - psi, rate), obs=COUNTS * YES)

    return pymc, numpyros


@pair
def horseshoe() -> Any:
    def pymc() -> None:
        lambdas = pm.HalfCauchy("lambdas", 1.0, shape=3)
        tau = pm.HalfCauchy("tau", 1.0)
        z = pm.Normal("z", 0.0, 1.0, shape=3)
        precision = pm.Gamma("precision", 3.0, 1.0)
        pm.Normal("y", X @ (tau * lambdas * z), 1.0 / pm.math.sqrt(precision), observed=Y)

    def numpyros() -> None:
        lambdas = sample("lambdas", dist.HalfCauchy(jnp.ones(3)))
        tau = sample("tau", dist.HalfCauchy(1.0))
        z = sample("z", dist.Normal(jnp.zeros(3), jnp.ones(3)))
        precision = sample("precision", dist.Gamma(3.0, 1.0))
        sample("y", dist.Normal(X @ (tau * lambdas * z), 1.0 / jnp.sqrt(precision)), obs=Y)

    return pymc, numpyros


@pair
def gaussian_process() -> Any:
    gap = (T[:, None] - T) ** 2

    def pymc() -> None:
        length, noise = pm.LogNormal("length", 0.0, 1.0), pm.HalfNormal("noise", 1.0)
        k = pm.math.exp(-0.5 * gap / length**2) + (noise + 1e-6) * np.eye(12)
        pm.MvNormal("y", mu=np.zeros(12), cov=k, observed=Y)

    def numpyros() -> None:
        length = sample("length", dist.LogNormal(0.0, 1.0))
        noise = sample("noise", dist.HalfNormal(1.0))
        k = jnp.exp(-0.5 * gap / length**2) + (noise + 1e-6) * jnp.eye(12)
        sample("y", dist.MultivariateNormal(jnp.zeros(12), covariance_matrix=k), obs=Y)

    return pymc, numpyros


@pair
def hilbert_space_process() -> Any:
    m = np.arange(1, 6)
    roots = m * np.pi / 3.0
    basis = np.sin(roots * (T[:, None] + 1.5)) / np.sqrt(1.5)

    def pymc() -> None:
        length, amplitude = pm.InverseGamma("length", 3.0, 2.0), pm.HalfNormal("amplitude", 1.0)
        z = pm.Normal("z", 0.0, 1.0, shape=5)
        density = amplitude * pm.math.sqrt(length) * pm.math.exp(-0.25 * (length * roots) ** 2)
        pm.Normal("y", basis @ (density * z), 1.0, observed=Y)

    def numpyros() -> None:
        length = sample("length", dist.InverseGamma(3.0, 2.0))
        amplitude = sample("amplitude", dist.HalfNormal(1.0))
        z = sample("z", dist.Normal(0.0, 1.0).expand([5]))
        density = amplitude * jnp.sqrt(length) * jnp.exp(-0.25 * (length * roots) ** 2)
        sample("y", dist.Normal(basis @ (density * z), 1.0), obs=Y)

    return pymc, numpyros


@pair
def autoregression() -> Any:
    def pymc() -> None:
        phi = pm.Uniform("phi", -1.0, 1.0)
        level = pm.Normal("level", 0.0, 1.0)
        pm.Normal("y", level + phi * (Y[:-1] - level), 1.0, observed=Y[1:])

    def numpyros() -> None:
        phi = sample("phi", dist.Uniform(-1.0, 1.0))
        level = sample("level", dist.Normal(0.0, 1.0))
        sample("y", dist.Normal(level + phi * (Y[:-1] - level), 1.0), obs=Y[1:])

    return pymc, numpyros


@pair
def smoothing_by_scan() -> Any:
    def pymc() -> None:
        a = pm.Beta("a", 2.0, 2.0)
        first = pm.Normal("first", 0.0, 1.0)
        levels, _ = scan(
            lambda now, level, a: a * now + (1.0 - a) * level,
            sequences=[Y], outputs_info=[first], non_sequences=[a],
        )  # fmt: skip
        pm.Normal("y", levels, 1.0, observed=Y)

    def numpyros() -> None:
        a = sample("a", dist.Beta(2.0, 2.0))
        first = sample("first", dist.Normal(0.0, 1.0))

        def step(level: Any, now: Any) -> Any:
            level = a * now + (1.0 - a) * level
            return level, level

        _, levels = lax.scan(step, first, jnp.asarray(Y))
        sample("y", dist.Normal(levels, 1.0), obs=Y)

    return pymc, numpyros


@pair
def stochastic_volatility() -> Any:
    def pymc() -> None:
        step = pm.Exponential("step", 10.0)
        z = pm.Normal("z", 0.0, 1.0, shape=12)
        path = pm.math.cumsum(z) * step
        nu = pm.Exponential("nu", 0.1)
        pm.StudentT("y", nu, 0.0, sigma=pm.math.exp(path), observed=Y)

    def numpyros() -> None:
        step = sample("step", dist.Exponential(10.0))
        z = sample("z", dist.Normal(0.0, 1.0).expand([12]))
        path = jnp.cumsum(z) * step
        nu = sample("nu", dist.Exponential(0.1))
        sample("y", dist.StudentT(nu, 0.0, jnp.exp(path)), obs=Y)

    return pymc, numpyros


@pair
def item_response() -> Any:
    def pymc() -> None:
        ability = pm.Normal("ability", 0.0, 1.0, shape=3)
        difficulty = pm.Normal("difficulty", 0.0, 1.0, shape=4)
        slope = pm.LogNormal("slope", 0.0, 0.5, shape=4)
        logits = slope[ITEM] * (ability[GROUP] - difficulty[ITEM])
        pm.Bernoulli("right", logit_p=logits, observed=YES)

    def numpyros() -> None:
        with plate("persons", 3):
            ability = sample("ability", dist.Normal(0.0, 1.0))
        with plate("items", 4):
            difficulty = sample("difficulty", dist.Normal(0.0, 1.0))
            slope = sample("slope", dist.LogNormal(0.0, 0.5))
        logits = slope[ITEM] * (ability[GROUP] - difficulty[ITEM])
        with plate("answers", 12):
            sample("right", dist.Bernoulli(logits=logits), obs=YES)

    return pymc, numpyros


@pair
def capture_recapture() -> Any:
    seen = np.minimum(COUNTS, 5)

    def pymc() -> None:
        omega, p = pm.Beta("omega", 1.0, 1.0), pm.Beta("p", 1.0, 1.0)
        there = pm.logp(pm.Binomial.dist(5, p), seen) + pm.math.log(omega)
        never = np.where(seen == 0, 0.0, -np.inf) + pm.math.log1p(-omega)
        pm.Potential("captures", pm.math.logaddexp(there, never))

    def numpyros() -> None:
        omega, p = sample("omega", dist.Beta(1.0, 1.0)), sample("p", dist.Beta(1.0, 1.0))
        there = dist.Binomial(5, p).log_prob(seen) + jnp.log(omega)
        never = np.where(seen == 0, 0.0, -np.inf) + jnp.log1p(-omega)
        numpyro.factor("captures", jnp.logaddexp(there, never))

    return pymc, numpyros


@pair
def censored_lifetimes() -> Any:
    times, dead = np.abs(Y) + 0.1, YES

    def pymc() -> None:
        b = pm.Normal("b", 0.0, 1.0)
        rate = pm.math.exp(b * T)
        pm.Potential("lifetimes", dead * pm.math.log(rate) - rate * times)

    def numpyros() -> None:
        b = sample("b", dist.Normal(0.0, 1.0))
        rate = jnp.exp(b * T)
        numpyro.factor("lifetimes", dead * jnp.log(rate) - rate * times)

    return pymc, numpyros


@pair
def lifetimes_and_angles() -> Any:
    def pymc() -> None:
        k = pm.Pareto("k", 2.0, 1.0)
        mu = pm.Uniform("mu", -3.0, 3.0)
        pm.Weibull("times", k, 2.0, observed=np.abs(Y))
        pm.VonMises("angles", mu, k, observed=np.tanh(Y))
        pm.Gumbel("peaks", mu, 1.0, observed=Y)

    def numpyros() -> None:
        k = sample("k", dist.Pareto(1.0, 2.0))
        mu = sample("mu", dist.Uniform(-3.0, 3.0))
        sample("times", dist.Weibull(2.0, k), obs=np.abs(Y))
        sample("angles", dist.VonMises(mu, k), obs=np.tanh(Y))
        sample("peaks", dist.Gumbel(mu, 1.0), obs=Y)

    return pymc, numpyros


@pair
def truncated() -> Any:
    def pymc() -> None:
        mu = pm.TruncatedNormal("mu", 0.0, 1.0, lower=-1.0)
        pm.TruncatedNormal("y", mu, 1.0, lower=0.0, observed=np.abs(Y))

    def numpyros() -> None:
        mu = sample("mu", dist.TruncatedNormal(0.0, 1.0, low=-1.0))
        sample("y", dist.TruncatedNormal(mu, 1.0, low=0.0), obs=np.abs(Y))

    return pymc, numpyros


@pair
def neural_net() -> Any:
    def pymc() -> None:
        w1, w2 = pm.Normal("w1", 0.0, 1.0, shape=(3, 4)), pm.Normal("w2", 0.0, 1.0, shape=4)
        pm.Normal("y", pm.math.tanh(X @ w1) @ w2, 1.0, observed=Y)

    def numpyros() -> None:
        w1 = sample("w1", dist.Normal(jnp.zeros((3, 4)), 1.0))
        w2 = sample("w2", dist.Normal(jnp.zeros(4), 1.0).to_event(1))
        sample("y", dist.Normal(jnp.tanh(X @ w1) @ w2, 1.0), obs=Y)

    return pymc, numpyros
