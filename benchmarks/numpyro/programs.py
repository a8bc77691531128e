"""The models, in NumPyro's words: NumPyro runs this file, and finetti's dialect runs it too.

``python programs.py NAME METHOD`` (or ``finetti run programs.py NAME METHOD``) is what a user's
script does, from import to printed summary.
"""

from __future__ import annotations

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.contrib.control_flow import scan
from numpyro.infer import MCMC, NUTS

CHAINS, WARMUP, DRAWS = 4, 1000, 1000

# deterministic sites, which are no parameters
DERIVED = ("theta", "betas")

# name -> (model, maker of its data); every model has less than 1000 parameters
PROGRAMS: dict[str, tuple[Any, Any]] = {}


def program(data: Any) -> Any:
    """Put a model and its data into the table."""

    def put(model: Any) -> Any:
        PROGRAMS[model.__name__] = (model, data)
        return model

    return put


def rng() -> np.random.Generator:
    """The same data for everyone."""
    return np.random.default_rng(20250101)


# -- Poisson regression with a random effect per user (the tutorial's A/B test) --------------------


def counts_data() -> dict[str, Any]:
    random = rng()
    group = random.binomial(1, 0.5, 200)
    return {"group": group, "count": random.negative_binomial(10, 1 / (2 + 1.5 * group))}


@program(counts_data)
def poisson_glmm(group: Any, count: Any) -> None:
    beta0 = numpyro.sample("beta0", dist.Normal(0, 1))
    beta1 = numpyro.sample("beta1", dist.Normal(0, 1))
    s = numpyro.sample("s", dist.Exponential(1))
    r = numpyro.sample("r", dist.Normal(0, s), sample_shape=(len(count),))
    mu = jax.numpy.exp(beta0 + beta1 * group + r)
    with numpyro.plate("data", len(count)):
        numpyro.sample("obs", dist.Poisson(mu), obs=count)


# -- eight schools, non-centred --------------------------------------------------------------------


def schools_data() -> dict[str, Any]:
    return {
        "y": np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]),
        "sigma": np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]),
    }


@program(schools_data)
def eight_schools(y: Any, sigma: Any) -> None:
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("J", 8):
        z = numpyro.sample("z", dist.Normal(0, 1))
        theta = numpyro.deterministic("theta", mu + tau * z)
        numpyro.sample("obs", dist.Normal(theta, sigma), obs=y)


# -- logistic regression, 1000 x 10 ----------------------------------------------------------------


def logistic_data() -> dict[str, Any]:
    random = rng()
    X = random.normal(size=(1000, 10))
    odds = X @ random.normal(size=10)
    return {"X": X, "y": (random.uniform(size=1000) < 1 / (1 + np.exp(-odds))).astype(int)}


@program(logistic_data)
def logistic(X: Any, y: Any) -> None:
    b = numpyro.sample("b", dist.Normal(0.0, 1.0).expand([X.shape[1]]).to_event(1))
    numpyro.sample("y", dist.Bernoulli(logits=X @ b), obs=y)


# -- admissions by department: correlated intercepts and slopes ------------------------------------

ADMISSIONS = np.array([
    [0, 1, 825, 512], [0, 0, 108, 89], [1, 1, 560, 353], [1, 0, 25, 17], [2, 1, 325, 120],
    [2, 0, 593, 202], [3, 1, 417, 138], [3, 0, 375, 131], [4, 1, 191, 53], [4, 0, 393, 94],
    [5, 1, 373, 22], [5, 0, 341, 24],
])  # fmt: skip


def admissions_data() -> dict[str, Any]:
    dept, male, applications, admit = ADMISSIONS.T
    return {"dept": dept, "male": male, "applications": applications, "admit": admit}


@program(admissions_data)
def admissions(dept: Any, male: Any, applications: Any, admit: Any) -> None:
    v_mu = numpyro.sample("v_mu", dist.Normal(0, jnp.array([4.0, 1.0])))
    sigma = numpyro.sample("sigma", dist.HalfNormal(jnp.ones(2)))
    L_Rho = numpyro.sample("L_Rho", dist.LKJCholesky(2, concentration=2.0))
    scale_tril = sigma[..., jnp.newaxis] * L_Rho
    z = numpyro.sample("z", dist.Normal(jnp.zeros((6, 2)), 1))
    v = jnp.dot(scale_tril, z.T).T
    logits = v_mu[0] + v[dept, 0] + (v_mu[1] + v[dept, 1]) * male
    numpyro.sample("admit", dist.Binomial(applications, logits=logits), obs=admit)


# -- horseshoe regression --------------------------------------------------------------------------


def horseshoe_data() -> dict[str, Any]:
    random = rng()
    X = random.normal(size=(100, 20))
    return {"X": X, "y": 2.0 * X[:, 0] - 1.0 * X[:, 1] + 0.5 * random.normal(size=100)}


@program(horseshoe_data)
def horseshoe(X: Any, y: Any) -> None:
    lambdas = numpyro.sample("lambdas", dist.HalfCauchy(jnp.ones(X.shape[1])))
    tau = numpyro.sample("tau", dist.HalfCauchy(jnp.ones(1)))
    raw = numpyro.sample("raw", dist.Normal(jnp.zeros(X.shape[1]), jnp.ones(X.shape[1])))
    betas = numpyro.deterministic("betas", tau * lambdas * raw)
    prec = numpyro.sample("prec", dist.Gamma(3.0, 1.0))
    numpyro.sample("y", dist.Normal(X @ betas, 1.0 / jnp.sqrt(prec)), obs=y)


# -- item response with slopes: 150 persons, 20 items ----------------------------------------------


def answers_data() -> dict[str, Any]:
    random = rng()
    person, item = np.divmod(np.arange(150 * 20), 20)
    slope, difficulty = random.lognormal(0.0, 0.4, 20), random.normal(size=20)
    logits = slope[item] * (random.normal(size=150)[person] - difficulty[item])
    right = (random.uniform(size=len(item)) < 1 / (1 + np.exp(-logits))).astype(int)
    return {"person": person, "item": item, "right": right}


@program(answers_data)
def item_response(person: Any, item: Any, right: Any) -> None:
    with numpyro.plate("persons", 150):
        ability = numpyro.sample("ability", dist.Normal(0.0, 1.0))
    with numpyro.plate("items", 20):
        difficulty = numpyro.sample("difficulty", dist.Normal(0.0, 1.0))
        slope = numpyro.sample("slope", dist.LogNormal(0.0, 0.5))
    logits = slope[item] * (ability[person] - difficulty[item])
    with numpyro.plate("answers", len(right)):
        numpyro.sample("right", dist.Bernoulli(logits=logits), obs=right)


# -- an autoregression of order two by scan --------------------------------------------------------


def series_data() -> dict[str, Any]:
    random = rng()
    y = np.zeros(200)
    for t in range(2, len(y)):
        y[t] = 0.3 + 0.5 * y[t - 1] + 0.2 * y[t - 2] + 0.4 * random.normal()
    return {"y": jnp.asarray(y)}


@program(series_data)
def autoregression(y: Any) -> None:
    level = numpyro.sample("level", dist.Normal(0.0, 1.0))
    alpha1 = numpyro.sample("alpha1", dist.Normal(0.0, 1.0))
    alpha2 = numpyro.sample("alpha2", dist.Normal(0.0, 1.0))
    sigma = numpyro.sample("sigma", dist.HalfNormal(1.0))

    def step(carry: Any, _: Any) -> Any:
        before, last = carry
        mean = level + alpha1 * last + alpha2 * before
        now = numpyro.sample("y", dist.Normal(mean, sigma))
        return (last, now), mean

    with numpyro.handlers.condition(data={"y": y[2:]}):
        scan(step, (y[0], y[1]), jnp.arange(len(y) - 2))


# -- a local level by scan, with every level a parameter -------------------------------------------


def level_data() -> dict[str, Any]:
    random = rng()
    return {"y": np.cumsum(0.4 * random.normal(size=100)) + 0.5 * random.normal(size=100)}


@program(level_data)
def local_level(y: Any) -> None:
    drift = numpyro.sample("drift", dist.LogNormal(-1.0, 0.5))
    sigma = numpyro.sample("sigma", dist.LogNormal(-1.0, 0.5))

    def step(level: Any, now: Any) -> Any:
        level = numpyro.sample("level", dist.Normal(level, drift))
        numpyro.sample("y", dist.Normal(level, sigma), obs=now)
        return level, level

    scan(step, 0.0, y)


# -- a mixture of two normals, summed out ---------------------------------------------------------


def mixture_data() -> dict[str, Any]:
    random = rng()
    return {"y": np.array([-1.5, 1.5])[(random.uniform(size=300) < 0.6).astype(int)]
            + random.normal(size=300)}  # fmt: skip


@program(mixture_data)
def mixture(y: Any) -> None:
    weights = numpyro.sample("weights", dist.Dirichlet(2.0 * jnp.ones(2)))
    ordered = dist.transforms.OrderedTransform()
    spread = dist.Normal(0.0, 2.0).expand([2]).to_event(1)
    loc = numpyro.sample("loc", dist.TransformedDistribution(spread, ordered))
    scale = numpyro.sample("scale", dist.LogNormal(0.0, 0.5).expand([2]).to_event(1))
    with numpyro.plate("data", len(y)):
        parts = dist.Normal(loc, scale)
        numpyro.sample("y", dist.MixtureSameFamily(dist.Categorical(probs=weights), parts), obs=y)


# -- three normals that overlap: two ways to explain the data, and few paths between them ----------


def three_data() -> dict[str, Any]:
    random = rng()
    return {"y": np.array([-3.0, 0.0, 4.0])[random.choice(3, 300)] + random.normal(size=300)}


@program(three_data)
def mixture_of_three(y: Any) -> None:
    weights = numpyro.sample("weights", dist.Dirichlet(jnp.ones(3)))
    ordered = dist.transforms.OrderedTransform()
    spread = dist.Normal(0.0, 2.0).expand([3]).to_event(1)
    loc = numpyro.sample("loc", dist.TransformedDistribution(spread, ordered))
    scale = numpyro.sample("scale", dist.LogNormal(0.0, 0.5).expand([3]).to_event(1))
    with numpyro.plate("data", len(y)):
        parts = dist.Normal(loc, scale)
        numpyro.sample("y", dist.MixtureSameFamily(dist.Categorical(probs=weights), parts), obs=y)


# -- stochastic volatility -------------------------------------------------------------------------


def returns_data() -> dict[str, Any]:
    random = rng()
    volatility = -4.0 + np.cumsum(0.15 * random.normal(size=300))
    return {"returns": np.exp(volatility) * random.standard_t(8.0, 300)}


@program(returns_data)
def volatility(returns: Any) -> None:
    step_size = numpyro.sample("sigma", dist.Exponential(10.0))
    s = numpyro.sample("s", dist.GaussianRandomWalk(scale=step_size, num_steps=len(returns)))
    nu = numpyro.sample("nu", dist.Exponential(0.1))
    numpyro.sample("r", dist.StudentT(df=nu, loc=0.0, scale=jnp.exp(s)), obs=returns)


# -- ordinal regression ----------------------------------------------------------------------------


def grades_data() -> dict[str, Any]:
    random = rng()
    X = random.normal(size=(400, 3))
    hidden = X @ [1.0, -0.5, 0.2] + random.logistic(size=400)
    return {"X": X, "grade": np.searchsorted([-2.0, -0.5, 0.5, 2.0], hidden)}


@program(grades_data)
def ordinal(X: Any, grade: Any) -> None:
    b = numpyro.sample("b", dist.Normal(0.0, 1.0).expand([X.shape[1]]).to_event(1))
    base = dist.Normal(0.0, 3.0).expand([4]).to_event(1)
    ordered = dist.transforms.OrderedTransform()
    cuts = numpyro.sample("cuts", dist.TransformedDistribution(base, ordered))
    with numpyro.plate("data", len(grade)):
        numpyro.sample("grade", dist.OrderedLogistic(X @ b, cuts), obs=grade)


def main() -> None:
    """One model from data to printed summary; its name and how chains run are the arguments."""
    name, method = sys.argv[1:]
    if method == "parallel":
        numpyro.set_host_device_count(CHAINS)
    model, data = PROGRAMS[name]
    mcmc = MCMC(NUTS(model), num_warmup=WARMUP, num_samples=DRAWS, num_chains=CHAINS,
                chain_method=method, progress_bar=False)  # fmt: skip
    mcmc.run(jax.random.PRNGKey(1), **data())
    mcmc.print_summary()


if __name__ == "__main__":
    numpyro.enable_x64()
    main()
