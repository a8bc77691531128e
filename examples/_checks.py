"""Exact answers for the examples and comparisons scaled by the Monte Carlo error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Moments = tuple[np.ndarray, np.ndarray]


def batch_error(draws: np.ndarray, batches: int = 20) -> np.ndarray:
    """Standard error of the mean of ``draws[chain, draw, ...]`` from means of batches."""
    length = draws.shape[1] // batches
    shape = (draws.shape[0] * batches, length, *draws.shape[2:])
    means = draws[:, : batches * length].reshape(shape).mean(axis=1)
    return means.std(axis=0, ddof=1) / np.sqrt(len(means))


def check(
    idata: Any,
    name: str,
    mean: Any,
    sd: Any = None,
    *,
    mcse: Any = 0.0,
    slack: float = 0.0,
    width: float = 5.0,
) -> None:
    """Stop unless the posterior mean and sd of ``name`` are within ``width`` standard errors.

    ``mcse`` is the standard error of the reference itself and ``slack`` an absolute allowance.
    """
    draws = np.asarray(idata.posterior[name], dtype=float)
    _compare(f"mean of {name}", draws, np.asarray(mean), np.asarray(mcse), slack, width)
    if sd is None:
        return
    spread = (draws - np.asarray(mean)) ** 2
    # d sd = d var / (2 sd): the variance's error and reference brought to the scale of an sd.
    scaled = spread / (2 * np.asarray(sd)) + np.asarray(sd) / 2
    _compare(f"sd of {name}", scaled, np.asarray(sd), np.asarray(mcse), slack, width)


def _compare(
    label: str, draws: np.ndarray, want: np.ndarray, mcse: np.ndarray, slack: float, width: float
) -> None:
    got = draws.mean(axis=(0, 1))
    allowed = width * np.hypot(batch_error(draws), mcse) + slack
    wrong = np.abs(got - want) > allowed
    if np.any(wrong):
        raise SystemExit(f"{label}: {got}, expected {want} within {allowed}")


def stored(model: str) -> dict[str, dict[str, Any]]:
    """Mean, sd and mcse of each variable from a long reference run (``data/answers.json``)."""
    with open(Path(__file__).parent / "data" / "answers.json") as file:
        return json.load(file)["models"][model]


def beta_moments(a: float, b: float) -> tuple[float, float]:
    """Mean and sd of Beta(a, b)."""
    return a / (a + b), float(np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))))


def _mixture(weights: np.ndarray, means: np.ndarray, variances: np.ndarray) -> Moments:
    """Moments over a grid: ``weights[g]``, ``means[g, k]``, ``variances[g, k]``."""
    mean = weights @ means
    return mean, np.sqrt(weights @ (variances + means**2) - mean**2)


def _normalise(log_weights: np.ndarray) -> np.ndarray:
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum()


def regression_moments(
    X: np.ndarray, y: np.ndarray, log_prior: Callable[[np.ndarray], np.ndarray]
) -> tuple[Moments, Moments]:
    """Exact moments of (intercept, slopes) ~ Normal(0, 10) and of sigma ~ ``log_prior``.

    Given sigma everything is Gaussian; sigma is integrated on a grid of its logarithm.
    """
    design = np.column_stack([np.ones(len(y)), X])
    gram, cross, k = design.T @ design, design.T @ y, design.shape[1]
    log_sigma = np.linspace(np.log(0.05), np.log(50.0), 4001)
    sigma = np.exp(log_sigma)
    log_weight, means, variances = [], [], []
    for s in sigma:
        precision = gram / s**2 + np.eye(k) / 100.0
        covariance = np.linalg.inv(precision)
        mean = covariance @ cross / s**2
        fit = (y @ y) / s**2 - mean @ precision @ mean
        log_weight.append(-len(y) * np.log(s) - 0.5 * fit - 0.5 * np.linalg.slogdet(precision)[1])
        means.append(mean)
        variances.append(np.diag(covariance))
    weights = _normalise(np.array(log_weight) + log_prior(sigma) + log_sigma)
    scale = _mixture(weights, sigma[:, None], np.zeros((len(sigma), 1)))
    return _mixture(weights, np.array(means), np.array(variances)), scale


def schools_moments(effect: np.ndarray, error: np.ndarray) -> dict[str, Moments]:
    """Exact moments of mu ~ Normal(0, 5) and theta under tau ~ HalfCauchy(5), on a grid of tau."""
    log_tau = np.linspace(np.log(1e-4), np.log(1e4), 8001)
    tau = np.exp(log_tau)
    total = error**2 + tau[:, None] ** 2
    precision = 1 / 25.0 + np.sum(1 / total, axis=1)
    mu = np.sum(effect / total, axis=1) / precision
    log_like = -0.5 * np.sum(np.log(total) + effect**2 / total, axis=1)
    log_like += 0.5 * mu**2 * precision - 0.5 * np.log(precision)
    weights = _normalise(log_like - np.log1p((tau / 5.0) ** 2) + log_tau)
    shrink = tau[:, None] ** 2 / total
    theta = shrink * effect + (1 - shrink) * mu[:, None]
    spread = shrink * error**2 + (1 - shrink) ** 2 / precision[:, None]
    mu_moments = _mixture(weights, mu[:, None], 1 / precision[:, None])
    return {"mu": (mu_moments[0][0], mu_moments[1][0]), "theta": _mixture(weights, theta, spread)}
