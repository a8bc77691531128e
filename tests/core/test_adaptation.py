"""Metric, step size and the warm-up's schedule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.core.native_code import Harness

from finetti import _core


def moment_error(harness: Harness) -> float:
    """Relative error of the running sum of squares, far from the origin."""
    x = 1e6 + np.random.default_rng(3).normal(size=(50, 5))
    squares = harness.moments(x, x)["squares_x"]
    return float(abs(squares / ((x - x.mean(0)) ** 2).sum(0) - 1).max())


def test_moments_are_welfords(harness: Harness) -> None:
    assert moment_error(harness) < 1e-8


def test_metric_of_a_normal_is_exact_after_three_draws(harness: Harness) -> None:
    """Scores of a normal are linear in its draws: the metric follows at once, at any scale."""
    rng = np.random.default_rng(4)
    mean, sd = rng.normal(size=9), np.logspace(-6, 6, 9)
    x = mean + sd * rng.normal(size=(3, 9))
    found = harness.moments(x, -(x - mean) / sd**2)
    np.testing.assert_allclose(found["variance"], sd**2, rtol=1e-6)
    np.testing.assert_allclose((found["mean"] - mean) / sd, 0, atol=1e-6)


def test_a_dimension_without_information_keeps_its_scale(harness: Harness) -> None:
    x = np.random.default_rng(5).normal(size=(10, 3))
    g = -x.copy()
    g[:, 0] = 0.0  # flat: no score
    x[:, 1] = 1.0  # never moved
    assert harness.moments(x, g)["variance"][:2].tolist() == [1.0, 1.0]


def test_first_metric_guards_against_vanishing_gradients(harness: Harness) -> None:
    gradient = np.array([4.0, -2.0, 0.0, 1e-30, 8.0])
    variance = harness.initial_metric(np.zeros(5), gradient)
    np.testing.assert_allclose(variance[[0, 1, 4]], [1 / 4, 1 / 2, 1 / 8], rtol=2e-3)
    np.testing.assert_allclose(variance[2:4], 1 / (1e-3 * 2.0))
    assert harness.initial_metric(np.zeros(3), np.zeros(3)).tolist() == [1.0] * 3
    # one gradient among many zeros still sets the scale
    np.testing.assert_allclose(
        harness.initial_metric(np.zeros(4), np.array([0.0, 0, 0, 5])),
        [200, 200, 200, 0.2],
        rtol=2e-3,
    )


def test_schedule_of_a_thousand_draws(harness: Harness) -> None:
    """Windows of 10 until 300, then 80 and 120; late once the one after the next would not fit."""
    decisions = harness.schedule(1000)
    switches = np.flatnonzero(decisions == 1)
    assert switches[0] == 8  # the start counts as the first of ten
    assert set(np.diff(switches[switches < 300])) == {10}
    assert np.diff(switches[switches >= 298]).tolist() == [80, 120]
    late = np.flatnonzero(decisions == 2)
    assert late[0] == 850 - 270 + 1  # 120, 180, 270: half as long again each time
    assert late[-1] == 849
    assert (decisions[850:] == -1).all()


@pytest.mark.parametrize("tune", [1, 2, 5, 20, 100])
def test_short_warmups_have_a_schedule(harness: Harness, tune: int) -> None:
    assert len(harness.schedule(tune)) == tune


@pytest.mark.parametrize("target", [0.6, 0.8, 0.95])
def test_dual_averaging_finds_the_step_of_the_target(harness: Harness, target: float) -> None:
    found = harness.dual_averaging(target, 2.0, 2000)
    assert np.exp(-found / 2.0) == pytest.approx(target, abs=0.01)


def test_warmup_reaches_the_target_and_the_metric(sample: Callable[..., _core.NutsRun]) -> None:
    sd = np.logspace(-3, 3, 20)
    run = sample("normal", np.r_[np.zeros(20), sd], np.zeros((4, 20)))
    assert run.stats["acceptance_rate"].mean() == pytest.approx(0.8, abs=0.06)
    # whitened: the score cancels the position
    assert run.stats["fisher_distance"].max() < 1e-10
    # nothing like the 2e6 / 0.9 leapfrogs that an identity metric would need
    assert run.stats["n_steps"].mean() < 10


def test_scale_changes_no_gradient_count(sample: Callable[..., _core.NutsRun]) -> None:
    """With the metric learned, coordinates stretched by 1e-6 .. 1e6 cost what unit ones cost."""
    counts = []
    for sd in (np.ones(13), np.logspace(-6, 6, 13)):
        run = sample("normal", np.r_[np.zeros(13), sd], sd * np.ones((4, 13)), init_jitter=0.0)
        counts.append(run.stats["n_steps"].mean())
    assert counts[1] == pytest.approx(counts[0], rel=0.15)


def frozen_after_warmup(harness: Harness) -> bool:
    """Without jitter, the kept draws use one step size per chain."""
    _, _, sizes = harness.sample("standard_normal", 0.0, np.ones((2, 3)), draws=50, tune=50)
    return bool((sizes == sizes[:, :1]).all())


def test_nothing_adapts_after_the_warmup(harness: Harness) -> None:
    assert frozen_after_warmup(harness)


def test_step_size_jitter_stays_in_its_range(sample: Callable[..., _core.NutsRun]) -> None:
    run = sample("standard_normal", 0.0, np.zeros((4, 5)), step_size_jitter=0.3)
    ratio = run.stats["step_size"] / run.stats["step_size_bar"]
    assert 0.7 <= ratio.min() < 0.71
    assert 1.29 < ratio.max() <= 1.3
