"""Models that show what a compiler can do; ``pm`` is finetti or PyMC."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from benchmarks.problems import _models

PARTS = 50  # of three random variables each


class Crossed(NamedTuple):
    """Rows that belong to a county and to a month each."""

    county: np.ndarray
    month: np.ndarray
    floor: np.ndarray
    y: np.ndarray


def crossed_data() -> Crossed:
    """The houses of the radon study, measured in one of 24 months."""
    data = _models.radon_data()
    month = np.random.default_rng(5).integers(0, 24, size=len(data.county))
    return Crossed(data.county, month, data.floor, data.log_radon)


def radon(pm: ModuleType) -> Any:
    """Intercepts and slopes that vary by county, centred."""
    data = _models.radon_data()
    with pm.Model() as model:
        mu_a = pm.Normal("mu_a", 0, 5)
        log_sigma_a = pm.Normal("log_sigma_a", 0, 1)
        mu_b = pm.Normal("mu_b", 0, 5)
        log_sigma_b = pm.Normal("log_sigma_b", 0, 1)
        log_sigma = pm.Normal("log_sigma", 0, 1)
        a = pm.Normal("a", mu_a, pm.math.exp(log_sigma_a), shape=85)
        b = pm.Normal("b", mu_b, pm.math.exp(log_sigma_b), shape=85)
        mean = a[data.county] + b[data.county] * data.floor
        pm.Normal("y", mean, pm.math.exp(log_sigma), observed=data.log_radon)
    return model


def crossed(pm: ModuleType) -> Any:
    """Intercepts that vary by county and by month."""
    data = crossed_data()
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 5)
        slope = pm.Normal("slope", 0, 5)
        log_sigmas = pm.Normal("log_sigmas", 0, 1, shape=3)
        a = pm.Normal("a", mu, pm.math.exp(log_sigmas[0]), shape=85)
        m = pm.Normal("m", 0, pm.math.exp(log_sigmas[1]), shape=24)
        mean = a[data.county] + m[data.month] + slope * data.floor
        pm.Normal("y", mean, pm.math.exp(log_sigmas[2]), observed=data.y)
    return model


def covariance(d: int) -> np.ndarray:
    """A dense covariance matrix of moderate condition."""
    root = np.random.default_rng(d).normal(size=(d, d)) / np.sqrt(d)
    return root @ root.T + 0.5 * np.eye(d)


def normal(pm: ModuleType, d: int) -> Any:
    """A multivariate normal distribution of known covariance."""
    with pm.Model() as model:
        pm.MvNormal("x", mu=np.zeros(d), cov=covariance(d))
    return model


def series(n: int = 500) -> np.ndarray:
    """Noise about an autoregressive path."""
    rng = np.random.default_rng(4)
    path = np.zeros(n)
    for t in range(1, n):
        path[t] = 0.8 * path[t - 1] + 0.5 * rng.normal()
    return path + 0.3 * rng.normal(size=n)


def state_space(pm: ModuleType) -> Any:
    """A latent autoregressive path, non-centred, observed with noise; its steps are a loop."""
    y = series()
    with pm.Model() as model:
        shape = pm.Normal("shape", 0, 1)
        log_scale = pm.Normal("log_scale", 0, 1)
        log_noise = pm.Normal("log_noise", 0, 1)
        z = pm.Normal("z", 0, 1, shape=len(y))
        path = walk(pm, pm.math.tanh(shape), pm.math.exp(log_scale) * z)
        pm.Normal("y", path, pm.math.exp(log_noise), observed=y)
    return model


def walk(pm: ModuleType, rho: Any, steps: Any) -> Any:
    """``path[t] = rho * path[t - 1] + steps[t]`` from a path that begins at 0."""
    if pm.__name__ != "finetti":
        import pytensor

        start = pytensor.tensor.zeros(())
        rule = lambda step, last, rho: rho * last + step  # noqa: E731  as scan wants it
        return pytensor.scan(
            rule, sequences=[steps], outputs_info=[start], non_sequences=[rho], return_updates=False
        )
    from finetti.ir import ops

    if hasattr(ops, "scan"):
        return ops.scan(lambda last, step: (rho * last + step,) * 2, ops.as_tensor(0.0), steps)[1]
    return ops.linear_recurrence(ops.broadcast_to(rho, steps.shape), steps)


class Curve(NamedTuple):
    """Values along a line."""

    x: np.ndarray
    y: np.ndarray


def curve(n: int = 200) -> Curve:
    """A smooth function with noise."""
    rng = np.random.default_rng(6)
    x = np.sort(rng.uniform(0, 10, size=n))
    return Curve(x, np.sin(x) + 0.2 * rng.normal(size=n))


def gaussian_process(pm: ModuleType) -> Any:
    """A Gaussian process with its marginal likelihood, exponentiated quadratic."""
    x, y = curve()
    squares = (x[:, None] - x[None, :]) ** 2
    with pm.Model() as model:
        log_length = pm.Normal("log_length", 0, 1)
        log_height = pm.Normal("log_height", 0, 1)
        log_noise = pm.Normal("log_noise", 0, 1)
        kernel = pm.math.exp(-0.5 * pm.math.exp(-2 * log_length) * squares + 2 * log_height)
        noise = pm.math.exp(2 * log_noise) + 1e-6
        pm.MvNormal("y", mu=np.zeros(len(x)), cov=kernel + noise * np.eye(len(x)), observed=y)
    return model


class Answers(NamedTuple):
    """Who answered what, and whether it was right."""

    person: np.ndarray
    item: np.ndarray
    right: np.ndarray


def answers(rows: int = 100_000, persons: int = 2000, items: int = 60) -> Answers:
    """Answers of a two-parameter logistic model."""
    rng = np.random.default_rng(8)
    person, item = rng.integers(0, persons, rows), rng.integers(0, items, rows)
    ability, hardness = rng.normal(size=persons), rng.normal(size=items)
    slope = np.exp(0.3 * rng.normal(size=items))
    logit = slope[item] * (ability[person] - hardness[item])
    return Answers(person, item, (rng.uniform(size=rows) < 1 / (1 + np.exp(-logit))).astype(int))


def item_response(pm: ModuleType) -> Any:
    """Two parameters an item, one a person."""
    data = answers()
    with pm.Model() as model:
        ability = pm.Normal("ability", 0, 1, shape=2000)
        hardness = pm.Normal("hardness", 0, 1, shape=60)
        log_slope = pm.Normal("log_slope", 0, 0.5, shape=60)
        slope = pm.math.exp(log_slope)
        logit = slope[data.item] * (ability[data.person] - hardness[data.item])
        pm.Bernoulli("right", logit_p=logit, observed=data.right)
    return model


def part_data() -> np.ndarray:
    """Forty observations for each part."""
    return np.random.default_rng(9).normal(size=(PARTS, 40))


def many_parts(pm: ModuleType) -> Any:
    """Fifty groups of three random variables: a mean, a scale, and a vector of effects."""
    y = part_data()
    with pm.Model() as model:
        for i in range(PARTS):
            mean = pm.Normal(f"mean{i}", 0, 1)
            scale = pm.HalfNormal(f"scale{i}", 1)
            effect = pm.Normal(f"effect{i}", mean, scale, shape=40)
            pm.Normal(f"y{i}", effect, 1.0, observed=y[i])
    return model
