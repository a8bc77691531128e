"""The models of the examples, each written once.

Every function takes the module it builds with (``finetti`` or ``pymc``) as ``pm``, so the examples,
the tests and the benchmarks share them and the same text can be checked against PyMC.
``MODELS`` names the variants that have stored reference values.
"""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

SCHOOLS_EFFECT = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SCHOOLS_ERROR = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SCHOOLS = [
    "Choate",
    "Deerfield",
    "Andover",
    "Exeter",
    "Hotchkiss",
    "Lawrenceville",
    "Paul",
    "Hermon",
]


class Radon(NamedTuple):
    """One house a row: county (0..84), floor (0 basement), log radon; and the counties' names."""

    county: np.ndarray
    floor: np.ndarray
    log_radon: np.ndarray
    names: list[str]


def regression_data(n: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """A line of slope 5 through noise of scale 2."""
    rng = np.random.default_rng(2019)
    x = rng.normal(0.0, 1.0, size=n)
    return x, 1.5 + 5.0 * x + rng.normal(0.0, 2.0, size=n)


def multiple_regression_data(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Three predictors, two of them correlated; the third has no effect."""
    rng = np.random.default_rng(2020)
    x1 = rng.normal(size=n)
    X = np.column_stack([x1, 0.7 * x1 + rng.normal(size=n), rng.normal(size=n)])
    return X, 2.0 + X @ np.array([2.0, 5.0, 0.0]) + rng.normal(0.0, 1.5, size=n)


def glmm_data(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Two groups of users and their over-dispersed counts."""
    rng = np.random.RandomState(42)
    group = rng.binomial(1, 0.5, size=n)
    counts = rng.negative_binomial(n=10, p=1 / (1 + 1.5 * group + 1), size=n)
    return group.astype(float), counts


def logistic_data(n: int = 1000, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Binary outcomes of a logistic model without an intercept."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, k))
    weights = rng.normal(size=k)
    return X, (rng.uniform(size=n) < 1 / (1 + np.exp(-X @ weights))).astype(int)


def radon_data() -> Radon:
    """Radon in 919 houses of Minnesota's 85 counties (``data/README.md`` names the source)."""
    with open(Path(__file__).parent / "data" / "radon.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    county = np.array([int(row["county"]) - 1 for row in rows])
    names = [""] * (county.max() + 1)
    for row in rows:
        names[int(row["county"]) - 1] = row["county_name"].title()
    floor = np.array([float(row["floor"]) for row in rows])
    return Radon(county, floor, np.array([float(row["log_radon"]) for row in rows]), names)


def ab_test(
    pm: ModuleType,
    trials: int = 1000,
    conversions_a: int = 120,
    conversions_b: int = 150,
    alpha: float = 1,
    beta: float = 1,
) -> Any:
    """Two conversion rates and their difference."""
    with pm.Model() as model:
        p_A = pm.Beta("p_A", alpha=alpha, beta=beta)
        p_B = pm.Beta("p_B", alpha=alpha, beta=beta)
        pm.Binomial("y_A", n=trials, p=p_A, observed=conversions_a)
        pm.Binomial("y_B", n=trials, p=p_B, observed=conversions_b)
        pm.Deterministic("diff", p_B - p_A)
    return model


def simple_regression(pm: ModuleType, x: np.ndarray, y: np.ndarray) -> Any:
    """One predictor."""
    with pm.Model() as model:
        intercept = pm.Normal("intercept", 0, 10)
        slope = pm.Normal("slope", 0, 10)
        sigma = pm.HalfNormal("sigma", sigma=5)
        pm.Normal("y", mu=intercept + slope * x, sigma=sigma, observed=y)
    return model


def multiple_regression(pm: ModuleType, X: np.ndarray, y: np.ndarray) -> Any:
    """Several predictors, with named coefficients."""
    names = [f"x{i + 1}" for i in range(X.shape[1])]
    with pm.Model(coords={"predictor": names}) as model:
        intercept = pm.Normal("intercept", 0, 10)
        slope = pm.Normal("slope", 0, 10, dims="predictor")
        sigma = pm.Exponential("sigma", 1)
        pm.Normal("y", mu=intercept + pm.math.dot(X, slope), sigma=sigma, observed=y)
    return model


def eight_schools_centred(pm: ModuleType) -> Any:
    """Rubin's eight schools; the centred form has a funnel that NUTS finds hard."""
    with pm.Model(coords={"school": SCHOOLS}) as model:
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfCauchy("tau", 5)
        theta = pm.Normal("theta", mu=mu, sigma=tau, dims="school")
        pm.Normal("y", mu=theta, sigma=SCHOOLS_ERROR, observed=SCHOOLS_EFFECT, dims="school")
    return model


def eight_schools_noncentred(pm: ModuleType) -> Any:
    """The same posterior through standardised effects."""
    with pm.Model(coords={"school": SCHOOLS}) as model:
        mu = pm.Normal("mu", 0, 5)
        tau = pm.HalfCauchy("tau", 5)
        z = pm.Normal("z", 0, 1, dims="school")
        theta = pm.Deterministic("theta", mu + tau * z, dims="school")
        pm.Normal("y", mu=theta, sigma=SCHOOLS_ERROR, observed=SCHOOLS_EFFECT, dims="school")
    return model


def poisson_glmm(pm: ModuleType, group: np.ndarray, counts: np.ndarray) -> Any:
    """An A/B test on counts, with a random effect for each user."""
    with pm.Model(coords={"user": np.arange(len(counts))}) as model:
        beta0 = pm.Normal("beta0", 0, 1)
        beta1 = pm.Normal("beta1", 0, 1)
        s = pm.Exponential("s", 1)
        r = pm.Normal("r", 0, s, dims="user")
        theta = beta0 + beta1 * group + r
        pm.Poisson("count", mu=pm.math.exp(theta), observed=counts, dims="user")
    return model


def logistic_regression(pm: ModuleType, X: np.ndarray, y: np.ndarray) -> Any:
    """A Bernoulli outcome on the logit scale."""
    with pm.Model() as model:
        weights = pm.Normal("weights", 0, 1, shape=X.shape[1])
        pm.Bernoulli("y", logit_p=pm.math.dot(X, weights), observed=y)
    return model


def radon(pm: ModuleType, data: Radon) -> Any:
    """Intercepts and slopes that vary by county, non-centred."""
    with pm.Model(coords={"county": data.names}) as model:
        county = pm.Data("county_index", data.county)
        floor = pm.Data("floor", data.floor)
        mu_a = pm.Normal("mu_a", 0, 5)
        sigma_a = pm.Exponential("sigma_a", 1)
        mu_b = pm.Normal("mu_b", 0, 5)
        sigma_b = pm.Exponential("sigma_b", 1)
        z_a = pm.Normal("z_a", 0, 1, dims="county")
        z_b = pm.Normal("z_b", 0, 1, dims="county")
        intercept = pm.Deterministic("intercept", mu_a + sigma_a * z_a, dims="county")
        slope = pm.Deterministic("slope", mu_b + sigma_b * z_b, dims="county")
        sigma_y = pm.Exponential("sigma_y", 1)
        mean = intercept[county] + slope[county] * floor
        pm.Normal("log_radon", mu=mean, sigma=sigma_y, observed=data.log_radon)
    return model


MODELS = {
    "ab_test": lambda pm: ab_test(pm),
    "ab_test_informative": lambda pm: ab_test(pm, alpha=10, beta=90),
    "ab_test_small": lambda pm: ab_test(pm, trials=10, conversions_a=1, conversions_b=2),
    "ab_test_small_informative": lambda pm: ab_test(pm, 10, 1, 2, alpha=10, beta=90),
    "simple_regression": lambda pm: simple_regression(pm, *regression_data()),
    "multiple_regression": lambda pm: multiple_regression(pm, *multiple_regression_data()),
    "eight_schools_centred": eight_schools_centred,
    "eight_schools_noncentred": eight_schools_noncentred,
    "poisson_glmm": lambda pm: poisson_glmm(pm, *glmm_data()),
    "logistic_regression": lambda pm: logistic_regression(pm, *logistic_data()),
    "radon": lambda pm: radon(pm, radon_data()),
}
