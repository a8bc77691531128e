"""The five problems in NumPyro's words: model function and arguments."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

from benchmarks.problems import _models


def ab(n: int, a: int, b: int) -> None:
    p_A = numpyro.sample("p_A", dist.Beta(1, 1))
    p_B = numpyro.sample("p_B", dist.Beta(1, 1))
    numpyro.sample("y_A", dist.Binomial(n, p_A), obs=a)
    numpyro.sample("y_B", dist.Binomial(n, p_B), obs=b)
    numpyro.deterministic("diff", p_B - p_A)


def schools(effect: Any, error: Any) -> None:
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("school", 8):
        z = numpyro.sample("z", dist.Normal(0, 1))
        theta = numpyro.deterministic("theta", mu + tau * z)
        numpyro.sample("y", dist.Normal(theta, error), obs=effect)


def glmm(group: Any, counts: Any) -> None:
    beta0 = numpyro.sample("beta0", dist.Normal(0, 1))
    beta1 = numpyro.sample("beta1", dist.Normal(0, 1))
    s = numpyro.sample("s", dist.Exponential(1))
    with numpyro.plate("user", group.shape[0]):
        r = numpyro.sample("r", dist.Normal(0, s))
        numpyro.sample("count", dist.Poisson(jnp.exp(beta0 + beta1 * group + r)), obs=counts)


def logistic(X: Any, y: Any) -> None:
    weights = numpyro.sample("weights", dist.Normal(0, 1).expand([X.shape[1]]).to_event(1))
    numpyro.sample("y", dist.Bernoulli(logits=X @ weights), obs=y)


def regression(x: Any, y: Any) -> None:
    intercept = numpyro.sample("intercept", dist.Normal(0, 10))
    slope = numpyro.sample("slope", dist.Normal(0, 10))
    sigma = numpyro.sample("sigma", dist.HalfNormal(5))
    numpyro.sample("y", dist.Normal(intercept + slope * x, sigma), obs=y)


def arguments(name: str) -> tuple[Any, ...]:
    """Data of one problem as JAX arrays."""
    data: dict[str, Any] = {
        "ab": lambda: (1000, 120, 150),
        "schools": lambda: (_models.SCHOOLS_EFFECT, _models.SCHOOLS_ERROR),
        "glmm": _models.glmm_data,
        "logistic": _models.logistic_data,
        "regression": lambda: _models.regression_data(1000),
    }
    return tuple(jnp.asarray(np.asarray(a)) for a in data[name]())


MODELS = {
    "ab": ab,
    "schools": schools,
    "glmm": glmm,
    "logistic": logistic,
    "regression": regression,
}
