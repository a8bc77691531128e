"""Time XLA through JAX. Run by ``benchmarks.compiler``."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_factor, solve_triangular
from jax.scipy.special import gammaln

from benchmarks.compiler import mixed, models, steps, worker
from benchmarks.compiler.problems import PROBLEMS
from benchmarks.problems import _models, test_point

jax.config.update("jax_enable_x64", True)
Density = Callable[[Any], Any]


def normal(x: Any, mean: Any, log_scale: Any) -> Any:
    """The sum of normal log densities."""
    z = (x - mean) * jnp.exp(-log_scale)
    size = np.broadcast_shapes(jnp.shape(x), jnp.shape(mean))
    count = float(np.prod(size))
    return -0.5 * jnp.sum(z * z) - count * (log_scale + 0.5 * np.log(2 * np.pi))


def bernoulli(y: Any, logit: Any) -> Any:
    """The sum of Bernoulli log probabilities."""
    return jnp.sum(y * logit - jax.nn.softplus(logit))


def ab() -> Density:
    trials, counts = 1000.0, jnp.array([120.0, 150.0])

    def logp(x: Any) -> Any:
        log_p, log_q = -jax.nn.softplus(-x), -jax.nn.softplus(x)
        choose = gammaln(trials + 1) - gammaln(counts + 1) - gammaln(trials - counts + 1)
        return jnp.sum(choose + (counts + 1) * log_p + (trials - counts + 1) * log_q)

    return logp


def schools() -> Density:
    y, error = jnp.array(_models.SCHOOLS_EFFECT), jnp.array(_models.SCHOOLS_ERROR)

    def logp(x: Any) -> Any:
        mu, log_tau, z = x[0], x[1], x[2:]
        tau = jnp.exp(log_tau)
        prior = normal(mu, 0.0, np.log(5.0)) - jnp.log1p((tau / 5) ** 2) + log_tau
        fit = jnp.sum(-0.5 * ((y - mu - tau * z) / error) ** 2)
        return prior + np.log(2 / (5 * np.pi)) + normal(z, 0.0, 0.0) + fit

    return logp


def glmm() -> Density:
    group, counts = map(jnp.asarray, _models.glmm_data())

    def logp(x: Any) -> Any:
        theta = x[0] + x[1] * group + x[3:]
        fit = jnp.sum(counts * theta - jnp.exp(theta) - gammaln(counts + 1.0))
        scale = -jnp.exp(x[2]) + x[2]
        return fit + scale + normal(x[:2], 0.0, 0.0) + normal(x[3:], 0.0, x[2])

    return logp


def logistic(n: int, k: int) -> Density:
    X, y = map(jnp.asarray, _models.logistic_data(n, k))
    return lambda x: bernoulli(y, X @ x) + normal(x, 0.0, 0.0)


def radon() -> Density:
    data = _models.radon_data()
    county, floor, y = map(jnp.asarray, (data.county, data.floor, data.log_radon))

    def logp(x: Any) -> Any:
        mu_a, log_a, mu_b, log_b, log_sigma = x[:5]
        a, b = x[5:90], x[90:]
        prior = normal(mu_a, 0.0, np.log(5.0)) + normal(mu_b, 0.0, np.log(5.0))
        prior += normal(jnp.stack([log_a, log_b, log_sigma]), 0.0, 0.0)
        prior += normal(a, mu_a, log_a) + normal(b, mu_b, log_b)
        return prior + normal(y, a[county] + b[county] * floor, log_sigma)

    return logp


def crossed() -> Density:
    county, month, floor, y = map(jnp.asarray, models.crossed_data())

    def logp(x: Any) -> Any:
        a, m = x[5:90], x[90:]
        prior = normal(x[:2], 0.0, np.log(5.0)) + normal(x[2:5], 0.0, 0.0)
        prior += normal(a, x[0], x[2]) + normal(m, 0.0, x[3])
        return prior + normal(y, a[county] + m[month] + x[1] * floor, x[4])

    return logp


def multivariate(d: int) -> Density:
    chol = jnp.linalg.cholesky(models.covariance(d))
    constant = -jnp.sum(jnp.log(jnp.diag(chol))) - 0.5 * d * np.log(2 * np.pi)

    def logp(x: Any) -> Any:
        z = solve_triangular(chol, x, lower=True)
        return constant - 0.5 * z @ z

    return logp


def state_space() -> Density:
    y = jnp.asarray(models.series())

    def logp(x: Any) -> Any:
        rho, scale, z = jnp.tanh(x[0]), jnp.exp(x[1]), x[3:]
        step = lambda last, s: (rho * last + s,) * 2  # noqa: E731  as scan wants it
        path = jax.lax.scan(step, 0.0, scale * z)[1]
        return normal(x[:3], 0.0, 0.0) + normal(z, 0.0, 0.0) + normal(y, path, x[2])

    return logp


def garch() -> Density:
    y = jnp.asarray(steps.returns())
    before = jnp.concatenate([jnp.zeros(1), y[:-1]])

    def logp(x: Any) -> Any:
        mean, base, shares = x[0], jnp.exp(x[1]), jax.nn.sigmoid(x[2:])

        def step(last: Any, e: Any) -> Any:
            sd = jnp.sqrt(base + shares[0] * (e - mean) ** 2 + shares[1] * last**2)
            return sd, sd

        sd = jax.lax.scan(step, 1.0, before)[1]
        fit = jnp.sum(-0.5 * ((y - mean) / sd) ** 2 - jnp.log(sd))
        return normal(x, 0.0, 0.0) + fit - 0.5 * len(y) * np.log(2 * np.pi)

    return logp


def hidden_markov(states: int) -> Density:
    y = jnp.asarray(steps.visits(states))

    def logp(x: Any) -> Any:
        level, rates = x[:states], jax.nn.log_softmax(x[states:].reshape(states, states), axis=1)

        def step(last: Any, e: Any) -> Any:
            come = jax.nn.logsumexp(last[:, None] + rates, axis=0)
            return come - 0.5 * (e - level) ** 2, None

        start = -0.5 * (y[0] - level) ** 2 - np.log(states)
        alpha = jax.lax.scan(step, start, y[1:])[0]
        total = jax.nn.logsumexp(alpha) - 0.5 * np.log(2 * np.pi) * len(y)
        return normal(x, 0.0, 0.0) + total

    return logp


def gaussian_process() -> Density:
    points, y = map(jnp.asarray, models.curve())
    squares = (points[:, None] - points[None, :]) ** 2

    def logp(x: Any) -> Any:
        kernel = jnp.exp(-0.5 * jnp.exp(-2 * x[0]) * squares + 2 * x[1])
        n = len(points)
        cov = kernel + (jnp.exp(2 * x[2]) + 1e-6) * jnp.eye(n)
        chol = cho_factor(cov, lower=True)[0]
        z = solve_triangular(chol, y, lower=True)
        fit = -0.5 * z @ z - jnp.sum(jnp.log(jnp.diag(chol))) - 0.5 * n * np.log(2 * np.pi)
        return fit + normal(x, 0.0, 0.0)

    return logp


def item_response() -> Density:
    person, item, right = map(jnp.asarray, models.answers())

    def logp(x: Any) -> Any:
        ability, hardness, log_slope = x[:2000], x[2000:2060], x[2060:]
        prior = normal(x[:2060], 0.0, 0.0) + normal(log_slope, 0.0, np.log(0.5))
        logit = jnp.exp(log_slope)[item] * (ability[person] - hardness[item])
        return prior + bernoulli(right, logit)

    return logp


def mixture(parts: int) -> Density:
    y = jnp.asarray(mixed.mixed_data(parts))[:, None]

    def logp(x: Any) -> Any:
        odds, mean, log_scale = x[:parts], x[parts : 2 * parts], x[2 * parts :]
        prior = (
            normal(odds, 0.0, 0.0) + normal(mean, 0.0, np.log(3.0)) + normal(log_scale, 0.0, 0.0)
        )
        z = (y - mean) * jnp.exp(-log_scale)
        terms = jax.nn.log_softmax(odds) - log_scale - 0.5 * z * z - 0.5 * np.log(2 * np.pi)
        return prior + jnp.sum(jax.nn.logsumexp(terms, axis=1))

    return logp


def ordinal() -> Density:
    data = mixed.grades()
    X, grade = map(jnp.asarray, data)

    def logp(x: Any) -> Any:
        prior = normal(x[:3], 0.0, 0.0) + normal(x[3], 0.0, np.log(3.0)) + normal(x[4:], 0.0, 0.0)
        cuts = x[3] + jnp.concatenate([jnp.zeros(1), jnp.cumsum(jnp.exp(x[4:]))])
        eta, end = X @ x[:3], jnp.array([jnp.inf])
        low, high = jnp.concatenate([-end, cuts])[grade], jnp.concatenate([cuts, end])[grade]
        apart = jnp.concatenate([jnp.zeros(1), jnp.log1p(-jnp.exp(-jnp.exp(x[4:]))), jnp.zeros(1)])
        tails = jax.nn.softplus(eta - high) + jax.nn.softplus(low - eta)
        return prior + jnp.sum(apart[grade] - tails)

    return logp


def grid() -> Density:
    right = jnp.asarray(mixed.grid())
    persons, items = right.shape

    def logp(x: Any) -> Any:
        ability, hardness, log_slope = jnp.split(x, [persons, persons + items])
        prior = normal(ability, 0.0, 0.0) + normal(hardness, 0.0, 0.0)
        logit = jnp.exp(log_slope) * (ability[:, None] - hardness)
        return prior + normal(log_slope, 0.0, np.log(0.5)) + bernoulli(right, logit)

    return logp


def horseshoe() -> Density:
    X, y = map(jnp.asarray, mixed.sparse())

    def half_cauchy(u: Any) -> Any:
        return jnp.sum(u - jnp.log1p(jnp.exp(2 * u)) + np.log(2 / np.pi))

    def logp(x: Any) -> Any:
        u, v, raw, w = x[:20], x[20], x[21:41], x[41]
        prior = half_cauchy(u) + half_cauchy(v) + normal(raw, 0.0, 0.0)
        prior += 3 * w - jnp.exp(w) - np.log(2.0)
        return prior + normal(y, X @ (jnp.exp(v + u) * raw), -0.5 * w)

    return logp


def many_parts() -> Density:
    data = [jnp.asarray(row) for row in models.part_data()]

    def logp(x: Any) -> Any:
        total = 0.0
        for i, y in enumerate(data):
            mean, log_scale, *_ = x[42 * i : 42 * i + 2]
            effect = x[42 * i + 2 : 42 * (i + 1)]
            half = normal(jnp.exp(log_scale), 0.0, 0.0) + np.log(2.0) + log_scale
            total += normal(mean, 0.0, 0.0) + half
            total += normal(effect, mean, log_scale) + normal(y, effect, 0.0)
        return total

    return logp


DENSITIES: dict[str, Callable[[], Density]] = {
    "ab": ab,
    "schools": schools,
    "glmm": glmm,
    "logistic": lambda: logistic(1000, 10),
    "radon": radon,
    "crossed": crossed,
    "logistic_wide": lambda: logistic(10_000, 100),
    "logistic_long": lambda: logistic(1_000_000, 10),
    "normal10": lambda: multivariate(10),
    "normal100": lambda: multivariate(100),
    "state_space": state_space,
    "garch": garch,
    "markov3": lambda: hidden_markov(3),
    "markov10": lambda: hidden_markov(10),
    "gp": gaussian_process,
    "irt": item_response,
    "mixture2": lambda: mixture(2),
    "mixture3": lambda: mixture(3),
    "ordinal": ordinal,
    "grid": grid,
    "horseshoe": horseshoe,
    "many": many_parts,
}


def _times(call: Callable[[], Any], repeats: int) -> float:
    """CPU seconds a call, all threads, median of seven."""
    spent = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(repeats):
            call()
        spent.append((time.process_time() - start) / repeats)
    return statistics.median(spent)


def measure(name: str, folder: Path) -> dict[str, Any]:
    """In a loop inside one compiled function, and by calls."""
    gradient = jax.value_and_grad(DENSITIES[name]())
    x = jnp.asarray(test_point(PROBLEMS[name].size))
    start = time.process_time()
    single = jax.jit(gradient)
    slope = np.asarray(single(x)[1])
    ms = 1e3 * (time.process_time() - start)

    @jax.jit
    def loop(x: Any, count: Any) -> Any:
        def step(_: Any, state: Any) -> Any:
            x, total = state
            value, slope = gradient(x)
            return x + 1e-300 * slope, total + value

        return jax.lax.fori_loop(0, count, step, (x, 0.0))

    loop(x, 1)[1].block_until_ready()
    once = _times(lambda: single(x)[1].block_until_ready(), 3)
    repeats = max(3, int(2e-2 / once))
    inside = _times(lambda: loop(x, repeats)[1].block_until_ready(), 1) / repeats
    calls = _times(lambda: single(x)[1].block_until_ready(), repeats)
    return {"us": 1e6 * inside, "call_us": 1e6 * calls, "ms": ms, "dlogp": slope.tolist()}


if __name__ == "__main__":
    worker.main(measure, lambda: {"jax": jax.__version__})
