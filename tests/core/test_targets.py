"""NUTS leaves known distributions invariant.

Every chain starts with an exact draw of its target and runs a fixed kernel, so each of its draws
has exactly the target's distribution, and the chains are independent. Hence averages over chains
are plain t statistics: no autocorrelation has to be estimated, and there is no burn-in bias. (The
adapted ones start with exact draws too, and forget the rest in the warm-up.) A check gives a false
alarm with probability 1e-5; this file makes about 60, so 6e-4 over all, and the seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special, stats
from tests.core.native_code import Harness

from finetti import _core

Sampler = Callable[..., _core.NutsRun]


def t_of(chain_means: np.ndarray, truth: Any) -> np.ndarray:
    """t statistics of averages over independent chains."""
    error = chain_means.mean(0) - truth
    return error / (chain_means.std(0, ddof=1) / np.sqrt(len(chain_means)))


def check(draws: np.ndarray, moments: dict[int, Any], cdf: Callable[..., Any] | None) -> None:
    """draws [chains, draws, n]: raw moments by t tests, the last draws by Kolmogorov-Smirnov."""
    for power, truth in moments.items():
        worst = abs(t_of((draws**power).mean(1), truth)).max()
        # n tests at once: a Bonferroni bound on the largest
        bound = stats.t.isf(0.5e-5 / draws.shape[2], len(draws) - 1)
        assert worst < bound, (power, worst)
    if cdf is not None:
        assert stats.kstest(cdf(draws[:, -1, 0]), "uniform").pvalue > 1e-5


def fixed(step: float, draws: int, jitter: float = 0.1) -> dict[str, Any]:
    return {
        "adapt_metric": False,
        "adapt_step_size": False,
        "initial_step": step,
        "step_size_jitter": jitter,
        "tune": 0,
        "draws": draws,
        "init_jitter": 0.0,
    }


@pytest.mark.parametrize(
    ("n", "chains", "step"), [(1, 2000, 1.2), (2, 2000, 1.0), (10, 1000, 0.8), (1000, 200, 0.3)]
)
def test_standard_normal(sample: Sampler, n: int, chains: int, step: float) -> None:
    start = np.random.default_rng(n).normal(size=(chains, n))
    run = sample("standard_normal", 0.0, start, **fixed(step, 20))
    check(run.draws, {1: 0.0, 2: 1.0, 4: 3.0}, stats.norm.cdf)


@pytest.mark.parametrize("step", [0.9, 1.4, 1.9])
def test_large_steps_are_corrected(sample: Sampler, step: float) -> None:
    """Near the stability limit (2) only the weights keep the draws right."""
    start = np.random.default_rng(6).normal(size=(2000, 3))
    run = sample("standard_normal", 0.0, start, **fixed(step, 20))
    assert run.stats["acceptance_rate"].mean() < 0.95
    check(run.draws, {1: 0.0, 2: 1.0, 4: 3.0}, stats.norm.cdf)


def test_condition_number_of_a_million(sample: Sampler) -> None:
    """Correlated: eigenvalues 2 and 2e-6, which no diagonal metric mends."""
    rho = 1 - 2e-6
    z = np.random.default_rng(7).normal(size=(400, 2))
    start = np.stack([z[:, 0], rho * z[:, 0] + np.sqrt(1 - rho**2) * z[:, 1]], axis=1)
    run = sample("correlated", rho, start, **fixed(1.2e-3, 8))
    check(run.draws, {1: 0.0, 2: 1.0}, stats.norm.cdf)
    narrow = (run.draws[..., :1] - run.draws[..., 1:]) / np.sqrt(2 * (1 - rho))
    check(narrow, {1: 0.0, 2: 1.0, 4: 3.0}, stats.norm.cdf)


@pytest.mark.parametrize("n", [2, 10])
def test_adapted_normal_with_condition_number_of_a_million(sample: Sampler, n: int) -> None:
    """Standard deviations from 1 to 1000, learned in the warm-up."""
    sd, mean = np.logspace(0, 3, n), np.linspace(-5, 5, n)
    start = mean + sd * np.random.default_rng(8).normal(size=(300, n))
    run = sample("normal", np.r_[mean, sd], start, tune=200, draws=100)
    z = (run.draws - mean) / sd
    check(z, {1: 0.0, 2: 1.0, 4: 3.0}, stats.norm.cdf)


@pytest.mark.parametrize("nu", [5.0, 30.0])
def test_student_t(sample: Sampler, nu: float) -> None:
    target = stats.t(nu)
    start = target.rvs(size=(2000, 2), random_state=9)
    run = sample("student_t", nu, start, **fixed(1.0, 20))
    check(run.draws, {1: 0.0}, target.cdf)
    # the fourth moment of t(5) has no variance: bounded functions instead
    check(target.cdf(run.draws), {1: 0.5, 2: 1 / 3, 4: 1 / 5}, None)


def test_conjugate_posterior(sample: Sampler) -> None:
    """A Beta(3, 9) posterior on the logit scale, adapted."""
    a, b = 3.0, 9.0
    start = special.logit(stats.beta(a, b).rvs(size=(500, 1), random_state=10))
    run = sample("logit_beta", [a, b], start, tune=150, draws=100)
    p = special.expit(run.draws)
    target = stats.beta(a, b)
    check(p, {k: target.moment(k) for k in (1, 2, 4)}, target.cdf)


def test_energy_and_lp_belong_to_the_draw(sample: Sampler) -> None:
    run = sample("standard_normal", 0.0, np.zeros((4, 6)), draws=300, tune=100)
    s = run.stats
    np.testing.assert_allclose(s["lp"], -0.5 * (run.draws**2).sum(-1), rtol=1e-14)
    # kinetic energy of the draw is not negative, and averages n / 2 (chi-squared, |z| < 4.5)
    kinetic = s["energy"] + s["lp"]
    assert (kinetic >= 0).all()
    assert abs(kinetic.mean() - 3) < 4.5 * np.sqrt(3 / kinetic.size)
    assert (abs(s["energy_error"]) <= abs(s["max_energy_error"])).all()


def test_index_and_steps_fit_the_depth(sample: Sampler) -> None:
    s = sample("standard_normal", 0.0, np.zeros((4, 6)), draws=500, tune=100).stats
    assert (s["n_steps"] >= 2 ** s["tree_depth"] - 1).all()
    assert (s["n_steps"] <= 2 ** (s["tree_depth"] + 1) - 1).all()
    assert (abs(s["index_in_trajectory"]) < 2 ** s["tree_depth"]).all()
    moved = s["index_in_trajectory"] != 0
    assert moved.mean() > 0.8
    # forwards and backwards alike: a fair coin, |z| < 4.5
    assert abs(np.sign(s["index_in_trajectory"]).sum()) < 4.5 * np.sqrt(moved.sum())


def test_max_treedepth_is_reported(sample: Sampler) -> None:
    run = sample("standard_normal", 0.0, np.ones((1, 2)), **fixed(1e-3, 20), max_treedepth=4)
    assert run.stats["reached_max_treedepth"].all()
    assert (run.stats["n_steps"] == 15).all()
    assert (run.stats["tree_depth"] == 4).all()


# (dimension, step size) at which trajectories of a standard normal close on themselves
RESONANCES = [(100, 0.9), (10, 1.75), (100, 0.95)]


def gradients_at_resonance(harness: Harness) -> list[float]:
    result = []
    for n, step in RESONANCES:
        start = np.random.default_rng(11).normal(size=(20, n))
        result.append(
            float(harness.sample("standard_normal", 0.0, start, draws=100, step=step)[1].mean())
        )
    return result


def test_resonant_step_sizes_cost_no_extra(harness: Harness) -> None:
    """Half a period takes pi / epsilon steps; doubling overshoots to about twice as many."""
    for (_, step), cost in zip(RESONANCES, gradients_at_resonance(harness), strict=True):
        assert cost < 2.2 * np.pi / step
