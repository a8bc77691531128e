"""Runs that begin with a metric and step sizes of their own, and what a run has learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.core.native_code import Densities
from tests.core.step_code import Target, gaussian

from finetti import _core

CHAINS, N = 3, 5
SD = np.logspace(-3, 3, N)
TARGET = np.concatenate([np.arange(N), SD])  # of the C density `normal`
START = np.tile(np.arange(N), (CHAINS, 1)) + SD * np.array([[-1.0], [0.5], [1.0]])
METRIC = np.tile(SD**2, (CHAINS, 1))
STEPS = np.array([0.3, 0.4, 0.5])
KEPT: dict[str, Any] = {"tune": 0, "draws": 300, "init_jitter": 0.0}

Run = Callable[..., _core.NutsRun]


@pytest.fixture(scope="module")
def run(densities: Densities) -> Run:
    def finished(given: dict[str, Any], initial: Any = START, **config: Any) -> _core.NutsRun:
        settings = _core.NutsConfig()
        for key, value in config.items():
            setattr(settings, key, value)
        addresses = [TARGET.ctypes.data] * len(initial)
        nuts = _core.NutsRun(settings, densities["normal"], addresses, initial, 1, None, **given)
        nuts.start(2)
        assert nuts.join(60)
        assert not any(nuts.errors)
        return nuts

    return finished


def test_without_adaptation_they_are_used_as_given(run: Run) -> None:
    found = run({"metric": METRIC, "steps": STEPS}, **KEPT)
    assert np.array_equal(found.metric, METRIC)
    assert np.array_equal(found.step_sizes, STEPS)
    # in whitened coordinates this is a standard normal with steps of 0.3 to 0.5
    assert (found.stats["acceptance_rate"].mean(1) > 0.93).all()
    assert (found.stats["n_steps"].max(1) <= 15).all()
    np.testing.assert_allclose(found.stats["step_size"] / STEPS[:, None], 1.0, atol=0.1 + 1e-12)
    # 900 draws, about independent: the largest of 5 standard deviations 16 % off once in 10^10
    np.testing.assert_allclose(found.draws.std((0, 1)), SD, rtol=0.16)
    other = run({"steps": STEPS}, max_treedepth=6, **KEPT)  # the identity for a metric
    assert other.stats["acceptance_rate"].mean() < 0.1


def test_a_scaled_problem_with_its_metric_is_the_plain_one(run: Run, densities: Densities) -> None:
    """x / sd with the metric 1 takes the same steps as x with the metric sd^2, for powers of 2."""
    global_sd = 2.0 ** np.arange(-2, 3)
    wide, plain = (np.concatenate([np.zeros(N), sd]) for sd in (global_sd, np.ones(N)))
    config = _core.NutsConfig()
    config.tune, config.draws, config.init_jitter = 0, 50, 0.0
    runs = []
    for data, sd in ((wide, global_sd), (plain, np.ones(N))):
        metric = np.tile(sd**2, (CHAINS, 1))
        nuts = _core.NutsRun(
            config, densities["normal"], [data.ctypes.data] * CHAINS, np.tile(sd, (CHAINS, 1)), 1,
            None, metric, STEPS,
        )  # fmt: skip
        nuts.start(1)
        nuts.join()
        runs.append(nuts)
    assert np.array_equal(runs[0].draws, runs[1].draws * global_sd)


def test_the_same_bits_twice(run: Run) -> None:
    one, two = (run({"metric": METRIC, "steps": STEPS}, **KEPT) for _ in range(2))
    assert np.array_equal(one.draws, two.draws)


def test_the_defaults_given_change_no_bit(run: Run) -> None:
    config = {**KEPT, "draws": 20, "max_treedepth": 4}
    given = {"metric": np.ones((CHAINS, N)), "steps": np.full(CHAINS, 0.1)}
    assert np.array_equal(run(given, **config).draws, run({}, **config).draws)
    steps = {"steps": np.full(CHAINS, 0.1)}  # an initial step per chain, for adaptation too
    tuned = {"tune": 60, "draws": 20}
    assert np.array_equal(run(steps, **tuned).draws, run({}, **tuned).draws)


def test_a_run_is_resumed_with_what_it_has_learned(run: Run) -> None:
    warm = run({}, tune=400, draws=1)
    np.testing.assert_allclose(warm.metric, METRIC, rtol=1e-6)  # a normal's metric is exact
    np.testing.assert_array_equal(warm.step_sizes, warm.stats["step_size_bar"][:, -1])
    again = run({"metric": warm.metric, "steps": warm.step_sizes}, warm.last_points, **KEPT)
    assert np.array_equal(again.metric, warm.metric)
    assert np.array_equal(again.step_sizes, warm.step_sizes)
    # the target of 0.8, up to what dual averaging leaves: far from both 0.5 and 1
    assert (abs(again.stats["acceptance_rate"].mean(1) - 0.85) < 0.12).all()


@pytest.mark.parametrize("kept", ["adapt_metric", "adapt_step_size"])
def test_what_is_not_adapted_is_kept(run: Run, kept: str) -> None:
    found = run({"metric": METRIC, "steps": STEPS}, tune=100, draws=1, **{kept: False})
    assert np.array_equal(found.metric, METRIC) == (kept == "adapt_metric")
    assert np.array_equal(found.step_sizes, STEPS) == (kept == "adapt_step_size")


def test_adaptation_begins_with_them(run: Run) -> None:
    """The metric counts like ten draws; the search for a step size starts at `steps`."""
    config: dict[str, Any] = {"draws": 1, "store_warmup": True, "init_jitter": 0.0}
    given = {"metric": 4.0 * METRIC, "steps": STEPS}
    first = run(given, tune=1, **config)
    assert np.array_equal(first.metric, given["metric"])  # too early to say anything
    ratio = np.log2(first.warmup_stats["step_size"][:, 0] / STEPS)
    assert (abs(ratio - np.round(ratio)) < 0.16).all()  # jitter: log2(1 +- 0.1)
    # sqrt((10 * 4 + s) / (10 / 4 + s)) with s > 0, the sum of squares of some draws
    later = run(given, tune=8, **config).metric / METRIC
    assert (later > 1.0).all()
    assert (later < 4.0).all()
    np.testing.assert_allclose(run(given, tune=100, **config).metric, METRIC, rtol=1e-6)


def test_a_hamiltonian_step_takes_and_gives_the_same() -> None:
    target = Target(gaussian(np.diag([1.0, 4.0, 9.0])), 3, chains=2, gradient=True)
    metric, sizes = np.tile([1.0, 4.0, 9.0], (2, 1)), np.array([0.3, 0.6])
    for tune in (0, 80):
        step = target.step("Hamiltonian", range(3))
        step.start_with(metric, sizes)
        run = _core.StepRun([step], 60, tune, False, np.zeros((2, 3)), 1, target)
        config = _core.NutsConfig()
        config.draws, config.tune = 60, tune
        nuts = _core.NutsRun(
            config, target.function.fn_address, target.addresses[:2], np.zeros((2, 3)), 1, target,
            metric, sizes,
        )  # fmt: skip
        for each in (run, nuts):
            each.start(1)
            each.join()
        assert np.array_equal(run.draws, nuts.draws)
        assert np.array_equal(step.metric, nuts.metric)
        assert np.array_equal(step.step_sizes, nuts.step_sizes)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"metric": np.ones((N, CHAINS))}, r"metric has the shape \(5, 3\); it must be .*\(3, 5\)"),
        ({"steps": np.ones(2)}, "steps has 2 entries; it must have 3, one per chain"),
        ({"metric": METRIC * [1, 1, -1, 1, 1]}, r"metric\[0, 2\] is -1; a variance must be"),
        ({"metric": METRIC * np.nan}, r"metric\[0, 0\] is nan"),
        ({"steps": STEPS * [1, 0, 1]}, r"steps\[1\] is 0; it must be positive and finite"),
        ({"steps": STEPS * np.inf}, r"steps\[0\] is inf"),
    ],
)
def test_bad_values_are_named(run: Run, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run(given, **KEPT)
