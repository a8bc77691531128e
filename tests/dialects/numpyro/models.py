"""Models in NumPyro's spelling: name -> (function of the modules, data). NumPyro runs them too.

`tools/make_numpyro_values.py` stores NumPyro's potential energies and gradients of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

MODELS: dict[str, Callable[..., Any]] = {}


def model(function: Callable[..., Any]) -> Callable[..., Any]:
    """Put into the table: ``maker(numpyro, dist, jnp, rng) -> (model, kwargs)``."""
    MODELS[function.__name__] = function
    return function


@model
def normal_mean(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        mu = numpyro.sample("mu", dist.Normal(0.0, 10.0))
        sigma = numpyro.sample("sigma", dist.HalfNormal(2.0))
        numpyro.sample("y", dist.Normal(mu, sigma), obs=y)

    return run, {"y": rng.normal(1.0, 2.0, 20)}


@model
def eight_schools(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any, sigma: Any) -> None:
        mu = numpyro.sample("mu", dist.Normal(0, 5))
        tau = numpyro.sample("tau", dist.HalfCauchy(5))
        with numpyro.plate("J", len(y)):
            theta = numpyro.sample("theta", dist.Normal(mu, tau))
            numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)

    y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
    return run, {"y": y, "sigma": np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])}


@model
def eight_schools_decentered(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    centered, data = eight_schools(numpyro, dist, jnp, rng)
    strategy = numpyro.infer.reparam.LocScaleReparam(0)
    return numpyro.handlers.reparam(centered, config={"theta": strategy}), data


@model
def linear_regression(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(X: Any, y: Any) -> None:
        a = numpyro.sample("a", dist.Normal(0.0, 1.0))
        b = numpyro.sample("b", dist.Normal(jnp.zeros(X.shape[1]), 2.0).to_event(1))
        sigma = numpyro.sample("sigma", dist.Exponential(1.0))
        mean = numpyro.deterministic("mean", a + X @ b)
        with numpyro.plate("rows", X.shape[0]):
            numpyro.sample("y", dist.Normal(mean, sigma), obs=y)

    X = rng.normal(size=(30, 3))
    return run, {"X": X, "y": X @ [1.0, -1.0, 0.5] + rng.normal(size=30)}


@model
def logistic_regression(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(X: Any, y: Any) -> None:
        b = numpyro.sample("b", dist.Normal(0.0, 1.0).expand([X.shape[1]]).to_event(1))
        numpyro.sample("y", dist.Bernoulli(logits=jnp.dot(X, b)), obs=y)

    X = rng.normal(size=(40, 4))
    return run, {"X": X, "y": (rng.uniform(size=40) < 0.4).astype(int)}


@model
def poisson_glmm(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(count: Any, group: Any, n: Any) -> None:
        b0 = numpyro.sample("b0", dist.Normal(0, 1))
        b1 = numpyro.sample("b1", dist.Normal(0, 1))
        s = numpyro.sample("s", dist.Exponential(1))
        r = numpyro.sample("r", dist.Normal(0, s), sample_shape=(n,))
        with numpyro.plate("data", n):
            numpyro.sample("obs", dist.Poisson(jnp.exp(b0 + b1 * group + r)), obs=count)

    group = rng.integers(0, 2, 25)
    return run, {"count": rng.poisson(3.0 + group), "group": group, "n": 25}


@model
def nested_plates(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        n, m = y.shape
        mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
        with numpyro.plate("columns", m, dim=-1):
            b = numpyro.sample("b", dist.Normal(mu, 1.0))
            with numpyro.plate("rows", n, dim=-2):
                a = numpyro.sample("a", dist.Normal(b, 0.5))
                numpyro.sample("y", dist.StudentT(4.0, a, 1.0), obs=y)

    return run, {"y": rng.normal(size=(4, 3))}


@model
def admissions(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(dept: Any, male: Any, applications: Any, admit: Any) -> None:
        v_mu = numpyro.sample("v_mu", dist.Normal(0, jnp.array([4.0, 1.0])))
        sigma = numpyro.sample("sigma", dist.HalfNormal(jnp.ones(2)))
        L = numpyro.sample("L", dist.LKJCholesky(2, concentration=2.0))
        scale = sigma[..., jnp.newaxis] * L
        n = len(np.unique(dept))
        z = numpyro.sample("z", dist.Normal(jnp.zeros((n, 2)), 1))
        v = jnp.dot(scale, z.T).T
        logits = v_mu[0] + v[dept, 0] + (v_mu[1] + v[dept, 1]) * male
        numpyro.sample("admit", dist.Binomial(applications, logits=logits), obs=admit)

    dept = np.repeat(np.arange(4), 2)
    applications = rng.integers(20, 60, 8)
    return run, {"dept": dept, "male": np.tile([0, 1], 4), "applications": applications,
                 "admit": rng.binomial(applications, 0.4)}  # fmt: skip


@model
def mixture(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        w = numpyro.sample("w", dist.Dirichlet(jnp.ones(3)))
        mu = numpyro.sample("mu", dist.Normal(0.0, 3.0).expand([3]))
        sigma = numpyro.sample("sigma", dist.LogNormal(0.0, 0.5))
        parts = dist.Normal(mu, sigma)
        numpyro.sample("y", dist.MixtureSameFamily(dist.Categorical(probs=w), parts), obs=y)

    return run, {"y": rng.normal(size=15)}


@model
def mixture_by_factor(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        p = numpyro.sample("p", dist.Beta(2.0, 2.0))
        mu = numpyro.sample("mu", dist.Normal(jnp.array([-1.0, 1.0]), 1.0))
        each = dist.Normal(mu, 1.0).log_prob(y[:, None])
        total = jnp.logaddexp(jnp.log(p) + each[:, 0], jnp.log1p(-p) + each[:, 1])
        numpyro.factor("likelihood", total)

    return run, {"y": rng.normal(size=12)}


@model
def categorical_regression(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(X: Any, y: Any) -> None:
        W = numpyro.sample("W", dist.Normal(jnp.zeros((X.shape[1], 3)), 1.0).to_event(2))
        numpyro.sample("y", dist.Categorical(logits=X @ W), obs=y)

    return run, {"X": rng.normal(size=(20, 2)), "y": rng.integers(0, 3, 20)}


@model
def ordinal(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(x: Any, y: Any) -> None:
        b = numpyro.sample("b", dist.Normal(0.0, 1.0))
        cuts = numpyro.sample(
            "cuts",
            dist.TransformedDistribution(
                dist.Normal(0.0, 1.0).expand([3]).to_event(1), dist.transforms.OrderedTransform()
            ),
        )
        numpyro.sample("y", dist.OrderedLogistic(b * x, cuts), obs=y)

    return run, {"x": rng.normal(size=20), "y": rng.integers(0, 4, 20)}


@model
def zero_inflated(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        gate = numpyro.sample("gate", dist.Uniform(0.0, 1.0))
        rate = numpyro.sample("rate", dist.Gamma(2.0, 0.5))
        numpyro.sample("y", dist.ZeroInflatedPoisson(gate, rate), obs=y)

    return run, {"y": rng.poisson(2.0, 20) * rng.integers(0, 2, 20)}


@model
def horseshoe(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(X: Any, y: Any) -> None:
        lambdas = numpyro.sample("lambdas", dist.HalfCauchy(jnp.ones(X.shape[1])))
        tau = numpyro.sample("tau", dist.HalfCauchy(jnp.ones(1)))
        raw = numpyro.sample("raw", dist.Normal(jnp.zeros(X.shape[1]), jnp.ones(X.shape[1])))
        betas = numpyro.deterministic("betas", tau * lambdas * raw)
        prec = numpyro.sample("prec", dist.Gamma(3.0, 1.0))
        numpyro.sample("y", dist.Normal(X @ betas, 1.0 / jnp.sqrt(prec)), obs=y)

    return run, {"X": rng.normal(size=(20, 5)), "y": rng.normal(size=20)}


@model
def gaussian_process(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(x: Any, y: Any) -> None:
        var = numpyro.sample("var", dist.LogNormal(0.0, 1.0))
        noise = numpyro.sample("noise", dist.LogNormal(0.0, 1.0))
        length = numpyro.sample("length", dist.LogNormal(0.0, 1.0))
        gap = jnp.power((x[:, None] - x) / length, 2.0)
        k = var * jnp.exp(-0.5 * gap) + (noise + 1e-6) * jnp.eye(x.shape[0])
        numpyro.sample(
            "y", dist.MultivariateNormal(loc=jnp.zeros(x.shape[0]), covariance_matrix=k), obs=y
        )

    return run, {"x": np.linspace(-1, 1, 9), "y": rng.normal(size=9)}


@model
def random_walk_volatility(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        step = numpyro.sample("step", dist.Exponential(10.0))
        s = numpyro.sample("s", dist.GaussianRandomWalk(scale=step, num_steps=len(y)))
        nu = numpyro.sample("nu", dist.Exponential(0.1))
        numpyro.sample("y", dist.StudentT(df=nu, loc=0.0, scale=jnp.exp(s)), obs=y)

    return run, {"y": rng.normal(size=10)}


@model
def imputation(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(age: Any, y: Any) -> None:
        mu = numpyro.sample("mu", dist.Normal(0, 0.5))
        sigma = numpyro.sample("sigma", dist.HalfNormal(1))
        missing = np.nonzero(np.isnan(age))[0]
        impute = numpyro.sample("impute", dist.Normal(mu, sigma).expand([len(missing)]).mask(False))
        age = jnp.asarray(age).at[missing].set(impute)
        numpyro.sample("age", dist.Normal(mu, sigma), obs=age)
        b = numpyro.sample("b", dist.Normal(0, 1))
        numpyro.sample("y", dist.Bernoulli(logits=b * age), obs=y)

    age = rng.normal(size=10)
    age[[2, 5]] = np.nan
    return run, {"age": age, "y": rng.integers(0, 2, 10)}


@model
def masked_and_scaled(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any, seen: Any) -> None:
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        with numpyro.handlers.scale(scale=0.5):
            sigma = numpyro.sample("sigma", dist.Gamma(2.0, 1.0))
        with numpyro.plate("rows", len(y)), numpyro.handlers.mask(mask=seen):
            with numpyro.handlers.scale(scale=2.5):
                numpyro.sample("y", dist.Normal(mu, sigma), obs=y)

    y = rng.normal(size=8)
    seen = np.array([True, False] * 4)
    return run, {"y": np.where(seen, y, np.nan), "seen": seen}


@model
def truncated(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        mu = numpyro.sample("mu", dist.TruncatedNormal(0.0, 1.0, low=-1.0))
        b = numpyro.sample("b", dist.Uniform(mu, mu + 2.0))
        numpyro.sample("y", dist.TruncatedNormal(b, 1.0, low=0.0), obs=y)

    return run, {"y": np.abs(rng.normal(size=10))}


@model
def item_response(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(person: Any, item: Any, right: Any) -> None:
        with numpyro.plate("persons", int(person.max()) + 1):
            ability = numpyro.sample("ability", dist.Normal(0.0, 1.0))
        with numpyro.plate("items", int(item.max()) + 1):
            difficulty = numpyro.sample("difficulty", dist.Normal(0.0, 1.0))
            slope = numpyro.sample("slope", dist.LogNormal(0.0, 0.5))
        logits = slope[item] * (ability[person] - difficulty[item])
        with numpyro.plate("answers", len(right)):
            numpyro.sample("right", dist.Bernoulli(logits=logits), obs=right)

    person, item = np.divmod(np.arange(20), 4)
    return run, {"person": person, "item": item, "right": rng.integers(0, 2, 20)}


@model
def autoregression(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    from jax import lax

    def run(y: Any) -> None:
        phi = numpyro.sample("phi", dist.Uniform(-1.0, 1.0))
        level = numpyro.sample("level", dist.Normal(0.0, 1.0))
        sigma = numpyro.sample("sigma", dist.HalfNormal(1.0))

        def step(carry: Any, now: Any) -> Any:
            mean = level + phi * (carry - level)
            return now, mean

        _, mean = lax.scan(step, y[0], y[1:])
        numpyro.sample("y", dist.Normal(mean, sigma), obs=y[1:])

    return run, {"y": np.cumsum(rng.normal(size=12)) * 0.3}


@model
def local_level(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    from importlib import import_module

    control_flow = import_module(f"{numpyro.__name__}.contrib.control_flow")

    def run(y: Any) -> None:
        drift = numpyro.sample("drift", dist.HalfNormal(1.0))
        sigma = numpyro.sample("sigma", dist.Exponential(1.0))

        def step(level: Any, now: Any) -> Any:
            level = numpyro.sample("level", dist.Normal(level, drift))
            spread = numpyro.sample("spread", dist.LogNormal(0.0, sigma))
            numpyro.sample("y", dist.Normal(level, spread), obs=now)
            return level, level

        control_flow.scan(step, 0.0, y)

    return run, {"y": rng.normal(size=6)}


@model
def neural_net(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(X: Any, y: Any) -> None:
        w1 = numpyro.sample("w1", dist.Normal(jnp.zeros((X.shape[1], 4)), 1.0))
        w2 = numpyro.sample("w2", dist.Normal(jnp.zeros((4, 1)), 1.0))
        z = jnp.tanh(jnp.matmul(X, w1)) @ w2
        prec = numpyro.sample("prec", dist.Gamma(3.0, 1.0))
        with numpyro.plate("data", y.shape[0]):
            numpyro.sample("y", dist.Normal(z, 1.0 / jnp.sqrt(prec)).to_event(1), obs=y)

    return run, {"X": rng.normal(size=(15, 2)), "y": rng.normal(size=(15, 1))}


@model
def scoped_and_conditioned(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def part(y: Any) -> Any:
        mu = numpyro.sample("mu", dist.Cauchy(0.0, 1.0))
        return numpyro.sample("y", dist.Laplace(mu, 1.0), obs=y)

    def run(y: Any) -> None:
        with numpyro.handlers.scope(prefix="left"):
            part(y[:3])
        numpyro.handlers.scope(part, prefix="right")(y[3:])
        numpyro.sample("extra", dist.Gumbel(0.0, 1.0))

    held = numpyro.handlers.condition(run, data={"extra": np.array(0.3)})
    return held, {"y": rng.normal(size=6)}


@model
def own_distribution(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    class Ring(dist.Distribution):
        support = dist.constraints.real_vector

        def __init__(self, radius: Any) -> None:
            self.radius = radius
            super().__init__(batch_shape=jnp.shape(radius), event_shape=(2,))

        def sample(self, key: Any, sample_shape: Any = ()) -> Any:
            raise NotImplementedError

        def log_prob(self, value: Any) -> Any:
            return -jnp.square(jnp.linalg.norm(value, axis=-1) - self.radius)

    class Growing(dist.Distribution):
        support = dist.constraints.positive

        def __init__(self) -> None:
            super().__init__(batch_shape=(), event_shape=())

        def log_prob(self, value: Any) -> Any:
            return -value - 1.0 / value

    def run() -> None:
        r = numpyro.sample("r", Growing())
        numpyro.sample("x", Ring(r))
        numpyro.sample("seen", Ring(r), obs=jnp.array([1.0, 0.5]))

    return run, {}


@model
def improper(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        mu = numpyro.sample("mu", dist.ImproperUniform(dist.constraints.real, (), ()))
        s = numpyro.sample("s", dist.ImproperUniform(dist.constraints.positive, (), ()))
        numpyro.sample("y", dist.Normal(mu, s), obs=y)

    return run, {"y": rng.normal(size=5)}


@model
def count_models(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any, k: Any) -> None:
        mean = numpyro.sample("mean", dist.InverseGamma(3.0, 2.0))
        conc = numpyro.sample("conc", dist.Weibull(2.0, 1.5))
        numpyro.sample("y", dist.NegativeBinomial2(mean, conc), obs=y)
        p = numpyro.sample("p", dist.Kumaraswamy(2.0, 3.0))
        numpyro.sample("k", dist.BetaBinomial(1.0 + p, 2.0, total_count=9), obs=k)
        numpyro.sample("g", dist.Geometric(probs=p), obs=y)

    return run, {"y": rng.poisson(2.0, 8), "k": rng.integers(0, 9, 5)}


@model
def factor_analysis(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        W = numpyro.sample("W", dist.Normal(0, 1).expand([4, 2]).to_event(2))
        psi = numpyro.sample("psi", dist.HalfNormal(1).expand([4]).to_event(1))
        with numpyro.plate("rows", len(y)):
            numpyro.sample("y", dist.LowRankMultivariateNormal(jnp.zeros(4), W, psi), obs=y)

    return run, {"y": rng.normal(size=(6, 4))}


@model
def circular(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        mu = numpyro.sample("mu", dist.Uniform(-3.0, 3.0))
        k = numpyro.sample("k", dist.Pareto(1.0, 2.0))
        numpyro.sample("y", dist.VonMises(mu, k), obs=y)

    return run, {"y": rng.uniform(-2, 2, 10)}


@model
def multinomial_counts(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        conc = numpyro.sample("conc", dist.Gamma(2.0, 1.0).expand([3]).to_event(1))
        with numpyro.plate("rows", len(y)):
            numpyro.sample("y", dist.DirichletMultinomial(conc, total_count=10), obs=y)
        logits = numpyro.sample("logits", dist.MultivariateNormal(0.0, scale_tril=jnp.eye(3)))
        numpyro.sample("z", dist.Multinomial(10, logits=logits), obs=y[0])

    return run, {"y": rng.multinomial(10, [0.2, 0.3, 0.5], 4)}


@model
def running_sums(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    def run(y: Any) -> None:
        steps = numpyro.sample("steps", dist.Normal(0.0, 1.0).expand([len(y)]).to_event(1))
        path = numpyro.deterministic("path", jnp.cumsum(steps))
        s = numpyro.sample("s", dist.HalfNormal(1.0))
        numpyro.sample("y", dist.Normal(jnp.where(path > 0, path, 0.1 * path), s), obs=y)

    return run, {"y": rng.normal(size=7)}
