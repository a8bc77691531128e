"""Models of few parts for every row: mixtures, ordered categories, a grid of answers, shrinkage.

``pm`` is finetti or PyMC.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

ROWS = 300  # of a mixture
PERSONS, ITEMS = 150, 20
CUTS = 4


def mixed_data(parts: int) -> np.ndarray:
    """Values about as many means as there are parts."""
    rng = np.random.default_rng(10 + parts)
    return 3.0 * rng.integers(0, parts, ROWS) + rng.normal(size=ROWS)


def mixture(pm: ModuleType, parts: int) -> Any:
    """A mixture of normal distributions, summed over the parts."""
    with pm.Model() as model:
        odds = pm.Normal("odds", 0, 1, shape=parts)
        mean = pm.Normal("mean", 0, 3, shape=parts)
        log_scale = pm.Normal("log_scale", 0, 1, shape=parts)
        weights = pm.math.softmax(odds, axis=0)
        scale = pm.math.exp(log_scale)
        pm.NormalMixture("y", w=weights, mu=mean, sigma=scale, observed=mixed_data(parts))
    return model


class Grades(NamedTuple):
    """Covariates and a category of five."""

    X: np.ndarray
    grade: np.ndarray


def grades(rows: int = 400) -> Grades:
    """Categories cut out of a logistic distribution."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(rows, 3))
    hidden = X @ [1.0, -0.5, 0.2] + rng.logistic(size=rows)
    return Grades(X, np.searchsorted([-2.0, -0.5, 0.5, 2.0], hidden))


def ordinal(pm: ModuleType) -> Any:
    """Ordered categories with three covariates."""
    data = grades()
    with pm.Model() as model:
        slope = pm.Normal("slope", 0, 1, shape=3)
        # ascending, from the first cut and the logarithms of the steps
        first = pm.Normal("first", 0, 3)
        log_steps = pm.Normal("log_steps", 0, 1, shape=CUTS - 1)
        steps = [first + pm.math.sum(pm.math.exp(log_steps)[:i]) for i in range(CUTS)]
        cuts = pm.math.stack(steps)
        eta = pm.math.dot(data.X, slope)
        pm.OrderedLogistic("grade", eta=eta, cutpoints=cuts, observed=data.grade)
    return model


def grid() -> np.ndarray:
    """Whether each person's answer to each item is right."""
    rng = np.random.default_rng(12)
    slope, hardness = rng.lognormal(0.0, 0.4, ITEMS), rng.normal(size=ITEMS)
    logit = slope * (rng.normal(size=(PERSONS, 1)) - hardness)
    return (rng.uniform(size=logit.shape) < 1 / (1 + np.exp(-logit))).astype(int)


def answers_of_all(pm: ModuleType) -> Any:
    """Two parameters an item, one a person; everybody answered everything."""
    person, item = np.divmod(np.arange(PERSONS * ITEMS), ITEMS)
    with pm.Model() as model:
        ability = pm.Normal("ability", 0, 1, shape=PERSONS)
        hardness = pm.Normal("hardness", 0, 1, shape=ITEMS)
        slope = pm.LogNormal("slope", 0, 0.5, shape=ITEMS)
        logit = slope[item] * (ability[person] - hardness[item])
        pm.Bernoulli("right", logit_p=logit, observed=grid().ravel())
    return model


class Regression(NamedTuple):
    """Covariates, most of which do not matter, and outcomes."""

    X: np.ndarray
    y: np.ndarray


def sparse() -> Regression:
    """Twenty covariates, two of which matter."""
    rng = np.random.default_rng(13)
    X = rng.normal(size=(100, 20))
    return Regression(X, 2.0 * X[:, 0] - 1.0 * X[:, 1] + 0.5 * rng.normal(size=100))


def horseshoe(pm: ModuleType) -> Any:
    """Regression with the horseshoe prior, non-centred."""
    data = sparse()
    with pm.Model() as model:
        local = pm.HalfCauchy("local", beta=1, shape=20)
        tau = pm.HalfCauchy("tau", beta=1)
        raw = pm.Normal("raw", 0, 1, shape=20)
        precision = pm.Gamma("precision", alpha=3, beta=1)
        mean = pm.math.dot(data.X, tau * local * raw)
        pm.Normal("y", mean, 1 / pm.math.sqrt(precision), observed=data.y)
    return model
