"""The five problems, and what every competitor needs to know about them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))
import _models

CHAINS, DRAWS, TUNE, CORES = 4, 1000, 1000, 2
SEEDS_PER_ROUND = 8


@dataclass(frozen=True)
class Problem:
    """A model, its free variables in order, and the data of the hand-written C."""

    title: str
    build: Callable[[ModuleType], Any]
    variables: list[str]
    size: int
    c_data: Callable[[], list[np.ndarray]]


def _log_factorial(counts: np.ndarray) -> float:
    return sum(math.lgamma(c + 1.0) for c in counts)


def _ab_c() -> list[np.ndarray]:
    log_choose = math.lgamma(1001) * 2
    for k in (120, 150):
        log_choose -= math.lgamma(k + 1) + math.lgamma(1001 - k)
    return [np.array([1000.0, 120.0, 150.0, log_choose])]


def _schools_c() -> list[np.ndarray]:
    error = _models.SCHOOLS_ERROR
    half_log_2pi = 0.5 * math.log(2 * math.pi)
    constant = -17 * half_log_2pi - math.log(5) - float(np.sum(np.log(error)))
    constant += math.log(2 / (math.pi * 5))
    return [_models.SCHOOLS_EFFECT, 1 / error, np.array([constant])]


def _glmm_c() -> list[np.ndarray]:
    group, counts = _models.glmm_data()
    return [group, counts.astype(float), np.array([-_log_factorial(counts)])]


def _logistic_c() -> list[np.ndarray]:
    X, y = _models.logistic_data()
    return [X.T.copy(), y.astype(float), np.array([float(len(y))])]


def _regression_c() -> list[np.ndarray]:
    x, y = _models.regression_data(1000)
    return [x, y, np.array([float(len(y))])]


PROBLEMS = {
    "ab": Problem("A/B test", _models.ab_test, ["p_A", "p_B"], 2, _ab_c),
    "schools": Problem(
        "eight schools, non-centred",
        _models.eight_schools_noncentred,
        ["mu", "tau", "z"],
        10,
        _schools_c,
    ),
    "glmm": Problem(
        "Poisson GLMM, 200 random effects",
        lambda pm: _models.poisson_glmm(pm, *_models.glmm_data()),
        ["beta0", "beta1", "s", "r"],
        203,
        _glmm_c,
    ),
    "logistic": Problem(
        "logistic regression, 1000 x 10",
        lambda pm: _models.logistic_regression(pm, *_models.logistic_data()),
        ["weights"],
        10,
        _logistic_c,
    ),
    "regression": Problem(
        "linear regression, N = 1000",
        lambda pm: _models.simple_regression(pm, *_models.regression_data(1000)),
        ["intercept", "slope", "sigma"],
        3,
        _regression_c,
    ),
}


def test_point(size: int) -> np.ndarray:
    """The unconstrained point at which gradients are timed and compared."""
    return 0.3 * np.random.default_rng(0).normal(size=size)


def flatten(problem: Problem, posterior: Any) -> np.ndarray:
    """Draws of the free variables as one float64[chains, draws, k]."""
    parts = []
    for name in problem.variables:
        values = np.asarray(posterior[name], dtype=float)
        parts.append(values.reshape(*values.shape[:2], -1))
    return np.concatenate(parts, axis=2)
