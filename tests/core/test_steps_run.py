"""Runs of steps: the same bits on any threads, tuning, statistics, stopping, mistakes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from tests.core.step_code import Target, gaussian, prepare, python_step, sample

from finetti import _core
from finetti.ir import ops

CLOCKS = {"perf_counter_start", "perf_counter_diff"}
TUNE = {"tune": "bool"}
METROPOLIS = {"accept": "float64", "accepted": "float64", "scaling": "float64", **TUNE}
DIFFERENTIAL = {
    "accept": "float64", "accepted": "bool", "scaling": "float64", "lambda": "float64", **TUNE,
}  # fmt: skip
STATS: dict[str, dict[str, str]] = {
    "Metropolis": METROPOLIS,
    "BinaryMetropolis": {"accept": "float64", "p_jump": "float64", **TUNE},
    "BinaryGibbs": TUNE,
    "CategoricalGibbs": TUNE,
    "Slice": {"nstep_out": "int64", "nstep_in": "int64", **TUNE},
    "DEMetropolis": DIFFERENTIAL,
    "DEMetropolisZ": DIFFERENTIAL,
}


def plain(x: Any) -> Any:
    """x: two reals and two bits, all coupled."""
    reals = -0.5 * ((x[0] - x[2]) ** 2 + (x[1] - x[0] + x[3]) ** 2)
    return reals + 0.4 * x[2] - 0.2 * x[3]


def all_steps(target: Target, gradient: Target) -> list[Any]:
    fields: dict[str, dict[str, Any]] = {"CategoricalGibbs": {"categories": [2, 2]}}
    steps = [
        target.step(
            kind,
            [2, 3] if kind.startswith(("Binary", "Categorical")) else [0, 1],
            **fields.get(kind, {}),
        )
        for kind in STATS
    ]
    return [
        *steps,
        gradient.step("Hamiltonian", [0, 1]),
        gradient.step("Hamiltonian", [0, 1], static=True),
    ]


@pytest.mark.parametrize("population", [False, True])
def test_the_same_bits_on_any_number_of_threads(population: bool) -> None:
    target = Target(plain, 4, chains=4)
    gradient = Target(lambda x, z: plain(ops.concatenate([x, z])), 2, 2, chains=4, gradient=True)
    steps = all_steps(target, gradient)
    names = [*STATS]
    if not population:
        del steps[names.index("DEMetropolis")]
        names.remove("DEMetropolis")
    runs = [
        sample(
            steps, np.zeros((4, 4)), target, gradient, cores=cores, tune=250, draws=60,
            store_warmup=True,
        )
        for cores in (1, 2, 4)
    ]  # fmt: skip
    first = runs[0]
    assert first.draws.shape == (4, 60, 4)
    assert first.warmup_draws.shape == (4, 250, 4)
    assert first.finished == [310] * 4
    for run in runs[1:]:
        assert np.array_equal(run.draws, first.draws)
        assert np.array_equal(run.warmup_draws, first.warmup_draws)
        assert run.gradients == first.gradients
        for own, others in zip(run.stats, first.stats, strict=True):
            for name in own.keys() - CLOCKS:
                assert np.array_equal(own[name], others[name]), name
    for name, stats in zip(names, first.stats, strict=False):
        assert {key: str(values.dtype) for key, values in stats.items()} == STATS[name], name
        assert not stats["tune"].any()
    for stats in first.warmup_stats[: len(names)]:
        assert stats["tune"].all()
    assert {"path_length", "accepted"} < first.stats[-1].keys()
    assert np.array_equal(first.last_points, first.draws[:, -1])
    assert len({tuple(row) for row in first.draws[:, -1]}) == 4  # chains differ


def test_two_steps_of_one_kind_have_their_own_numbers() -> None:
    """The same step twice, on two elements with the same density."""
    target = Target(lambda x: -0.5 * ops.sum_(x**2), 2, chains=2)
    steps = [target.step("Metropolis", [i]) for i in (0, 1)]
    draws = sample(steps, np.zeros((2, 2)), target, tune=0, draws=200).draws
    assert abs(np.corrcoef(draws[0].T)[0, 1]) < 0.5


@pytest.mark.parametrize(
    ("scaling", "accepted", "factor"),
    # of a flat density everything is accepted; of a spike nothing
    [(1.0, 1.0, 10.0**4), (1e-3, 0.0, 0.1**4)],
)
def test_metropolis_tunes_after_every_interval(
    scaling: float, accepted: float, factor: float
) -> None:
    flat = Target(lambda x: ops.where(abs(x) <= 0.0, 0.0, 0.0 if accepted else -np.inf), 1)
    step = flat.step("Metropolis", [0], scaling=scaling, tune_interval=20)
    run = sample([step], np.zeros((32, 1)), flat, tune=100, draws=50, store_warmup=True)
    found = run.warmup_stats[0]["scaling"][0] / scaling
    expected = np.repeat((factor ** (1 / 4)) ** np.arange(5), 20)  # draws 0-19 untuned, ...
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(run.stats[0]["scaling"] / scaling, factor)
    assert (run.stats[0]["accepted"] == accepted).all()


def test_elements_tune_by_themselves() -> None:
    target = Target(lambda x: -0.5 * (x / np.array([0.01, 1.0, 100.0])) ** 2, 3, chains=2)
    step = target.step("Metropolis", range(3), elementwise=True)
    run = sample([step], np.zeros((2, 3)), target, tune=3000, draws=1000)
    assert (0.15 < run.stats[0]["accepted"].mean(axis=1)).all()
    moved = (np.diff(run.draws, axis=1) != 0).mean(axis=(0, 1))
    assert (moved > 0.15).all()
    assert (moved < 0.8).all()


def test_slice_widths_settle() -> None:
    target = Target(lambda x: -0.5 * (x / np.array([0.01, 100.0])) ** 2, 2, chains=2)
    few, many = (
        sample(
            [target.step("Slice", [0, 1], elementwise=True, tune=tune)], np.zeros((2, 2)), target,
            tune=200, draws=200,
        ).gradients[0]
        for tune in (True, False)
    )  # fmt: skip
    assert few < many / 2


def test_stop_keeps_the_draws_so_far() -> None:
    def slow(chain: int, draw: int, tuning: bool, x: np.ndarray) -> np.ndarray:
        time.sleep(0.0005)
        return x + 1.0

    run = prepare([python_step(slow, 3)], np.zeros((3, 2)), draws=10**6, tune=10)
    assert not any(p.started for p in run.poll())
    run.start(2)
    while min(run.finished[:2]) < 20:
        time.sleep(0.002)
    assert run.join(0.0) is False
    run.stop()
    assert run.join(20)
    first, _, third = run.finished
    assert third == 0
    assert np.array_equal(run.draws[0, : first - 10, 0], np.arange(11.0, first + 1))
    progress = run.poll()[0]
    assert progress.done
    assert progress.finished_draws == progress.total_num_steps == first
    assert run.errors == ["", "", ""]


def test_a_run_that_is_dropped_stops() -> None:
    """Though its threads wait for the GIL that the one who drops it holds."""
    run = prepare([python_step(lambda c, d, t, x: x, 2)], np.zeros((2, 1)), draws=10**5)
    run.start(2)
    began = time.perf_counter()
    del run
    assert time.perf_counter() - began < 10


def test_python_steps_see_where_they_are_and_return_statistics() -> None:
    seen = []

    def call(chain: int, draw: int, tuning: bool, x: np.ndarray) -> Any:
        seen.append((chain, draw, tuning))
        assert x.dtype == np.float64
        x[1] += 1.0
        return x, {"twice": 2 * draw}

    step = python_step(call, 2, index=[1], stats=["twice", "never"])
    run = sample([step], np.zeros((2, 2)), tune=3, draws=4)
    assert sorted(seen) == [(c, d, d < 3) for c in (0, 1) for d in range(7)]
    assert np.array_equal(run.draws[0], np.stack([np.zeros(4), np.arange(4.0, 8.0)], axis=1))
    assert np.array_equal(run.stats[0]["twice"][1], [6, 8, 10, 12])
    assert np.isnan(run.stats[0]["never"]).all()


def raising(chain: int, draw: int, tuning: bool, x: np.ndarray) -> np.ndarray:
    if chain == 1 and draw == 3:
        raise KeyError("lost")
    return x


@pytest.mark.parametrize(
    ("call", "fields", "message"),
    [
        (raising, {}, "lost"),
        (raising, {}, "Traceback"),
        (raising, {"name": "Mine([z])"}, r"step 0 \(Mine\(\[z\]\)\), draw 3: "),
        (lambda c, d, t, x: x[:-c] if c else x, {}, "returned 1 values; x has 2"),
        (lambda c, d, t, x: "no" if c else x, {}, "must return x"),
        (lambda c, d, t, x: (x, {"a": 1.0}) if c else x, {}, "'a' that PythonStep.stats does not"),
        (lambda c, d, t, x: x + c, {"index": [1]}, r"changed x\[0\], which is not in its block"),
    ],
)
def test_a_failing_call_ends_its_chain_only(
    call: Any, fields: dict[str, Any], message: str
) -> None:
    run = prepare([python_step(call, 2, **fields)], np.zeros((2, 2)), draws=10, tune=0)
    run.start(2)
    assert run.join(20)
    assert run.errors[0] == ""
    assert run.finished[0] == 10
    with pytest.raises(RuntimeError, match=message):
        raise RuntimeError(run.errors[1])


def impossible(x: Any) -> Any:
    return ops.where(x > 1.0, -np.inf, -(x**2))


@pytest.mark.parametrize("kind", ["Metropolis", "Slice", "DEMetropolis", "DEMetropolisZ"])
def test_an_impossible_start_names_the_step(kind: str) -> None:
    target = Target(impossible, 1, chains=3)
    step = target.step(kind, [0])
    run = prepare([step], [[2.0], [2.0], [2.0]], [target])
    run.start(1)
    run.join()
    assert run.errors[0] == f"step 0 ({kind}Step): the log density at the start is -inf"


def test_other_impossible_starts() -> None:
    target = Target(impossible, 3, chains=1)
    gradient = Target(lambda x: ops.sum_(impossible(x)), 3, chains=1, gradient=True)
    still = _core.NutsConfig()
    still.init_jitter = 0.0
    cases = [
        (target.step("Slice", [0, 1, 2], elementwise=True), "-inf for element 1 of the block"),
        (gradient.step("Hamiltonian", [0, 1, 2], config=still), "start is -inf, after 1 try"),
        (target.step("BinaryGibbs", [0, 1, 2], elementwise=True), "starts at 2.0.*are 0 and 1"),
        (target.step("BinaryMetropolis", [0, 1, 2]), "starts at 2.0.*are 0 and 1"),
        (
            target.step("CategoricalGibbs", [0, 1], elementwise=True, categories=[2, 2]),
            "element 1 of the block starts at 2.0.*from 0 to 1",
        ),
    ]
    for step, message in cases:
        run = prepare([step], [[0.0, 2.0, 0.0]], [target, gradient])
        run.start(1)
        run.join()
        with pytest.raises(RuntimeError, match=message):
            raise RuntimeError(run.errors[0])


def test_a_chain_that_others_put_where_it_cannot_be() -> None:
    target = Target(impossible, 1, chains=1)
    push = python_step(lambda c, d, t, x: x + 5.0, 1, index=[0])
    run = prepare([push, target.step("Metropolis", [0])], [[0.0]], [target])
    run.start(1)
    run.join()
    assert run.errors[0] == (
        "step 1 (MetropolisStep), draw 0: the log density before the step is -inf"
    )


def test_densities_are_remembered_only_while_nothing_else_moves() -> None:
    target = Target(gaussian(np.eye(2)), 2, chains=1)
    step = target.step("Metropolis", [0, 1])
    alone = sample([step], np.zeros((1, 2)), target, tune=0, draws=50)
    assert alone.gradients == [1 + 50]  # one for the start
    other = python_step(lambda c, d, t, x: x, 1)
    both = sample([other, step], np.zeros((1, 2)), target, tune=0, draws=50)
    assert both.gradients == [50 + 1 + 2 * 50]  # the calls count as well


def test_no_value_with_a_density() -> None:
    other = python_step(lambda c, d, t, x: x * 0.0 + [0.0, 1.0], 1, index=[1])
    target = Target(lambda x: ops.where(x[1] > 0.5, -np.inf, x[0]), 2, chains=1)
    step = target.step("CategoricalGibbs", [0], categories=[3], proposal="exact")
    run = prepare([other, step], np.zeros((1, 2)), [target])
    run.start(1)
    run.join()
    assert "no value of element 0 of the block has a finite log density" in run.errors[0]


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("Metropolis", {"scaling": 0.0}, "MetropolisStep.scaling is 0; it must be positive"),
        ("Metropolis", {"scale": [1.0]}, "MetropolisStep.scale has 1 entries; it must have 2"),
        ("Metropolis", {"tune_interval": 0}, "tune_interval is 0; it must be at least 1"),
        ("Metropolis", {"colors": [0]}, "colors has 1 entries; it must have 2, one per element"),
        ("Metropolis", {"discrete": [True]}, "discrete has 1 entries"),
        ("Metropolis", {"proposal": "multivariate_normal"}, "scale has 0 entries; it must have 4"),
        (
            "Metropolis",
            {"proposal": "multivariate_normal", "scale": [1.0] * 4, "elementwise": True},
            "another one where elements are accepted by themselves",
        ),
        ("BinaryGibbs", {"transit_p": 0.0}, r"transit_p is 0; it must be in \(0, 1\]"),
        ("BinaryGibbs", {"order": [0, 0]}, "order is no permutation"),
        ("CategoricalGibbs", {}, "categories has 0 entries; it must have 2"),
        ("CategoricalGibbs", {"categories": [2, 0]}, "categories is 0; it must be at least 1"),
        ("Slice", {"w": [1.0, -1.0]}, "SliceStep.w is -1; it must be positive"),
        ("Slice", {"max_steps": -1}, "max_steps is -1"),
        ("DEMetropolis", {"lamb": -1.0}, "lamb is -1"),
        ("DEMetropolisZ", {"tune_drop_fraction": 2.0}, "between 0 and 1"),
        ("Hamiltonian", {"path_length": 0.0}, "path_length is 0"),
    ],
)
def test_settings_out_of_range_are_named(kind: str, fields: dict[str, Any], message: str) -> None:
    target = Target(gaussian(np.eye(2)), 2, chains=3)
    step = target.step(kind, [0, 1], **fields)
    with pytest.raises(ValueError, match=message):
        step.validate()
    with pytest.raises(ValueError, match=message):
        prepare([step], np.zeros((3, 2)), [target])


def test_runs_that_do_not_fit_together() -> None:
    target = Target(gaussian(np.eye(2)), 2, chains=2)
    step = target.step("Metropolis", [0, 1])
    with pytest.raises(ValueError, match="proposal is 'beta'; it must be one of normal, uniform"):
        step.proposal = "beta"
    cases: list[tuple[list[Any], Any, dict[str, Any], str]] = [
        ([], np.zeros((2, 2)), {}, "no steps"),
        ([step], np.zeros((3, 2)), {}, "3 initial points, and MetropolisStep 2 data blocks"),
        ([step], np.zeros((2, 1)), {}, "index has 1, beyond the end of x"),
        ([target.step("Slice", [1, 1])], np.zeros((2, 2)), {}, "index has 1 twice"),
        ([step], np.zeros((2, 2)), {"tune": -1}, "tune=-1; both must be at least 0"),
        ([target.step("DEMetropolis", [0])], np.zeros((2, 2)), {}, "2 chains .* at least 3"),
        ([_core.MetropolisStep(0, [0, 0], [0])], np.zeros((2, 2)), {}, "fn is 0"),
        ([_core.PythonStep(0, [0, 0], [0])], np.zeros((2, 2)), {}, "call is not set"),
    ]
    for steps, initial, rest, message in cases:
        with pytest.raises(ValueError, match=message):
            prepare(steps, initial, [target], **rest)


def test_slice_gives_up_at_its_limit() -> None:
    flat = Target(lambda x: 0.0 * x[0], 1, chains=1)
    step = flat.step("Slice", [0], max_steps=0, iter_limit=50)
    run = prepare([step], [[0.0]], [flat])
    run.start(1)
    run.join()
    assert "more than iter_limit=50 iterations" in run.errors[0]


def test_empty_blocks_and_empty_runs() -> None:
    target = Target(gaussian(np.eye(2)), 2, chains=3)
    for kind in ("Metropolis", "BinaryGibbs", "CategoricalGibbs", "Slice", "DEMetropolis"):
        run = sample([target.step(kind, [])], np.zeros((3, 2)), target, tune=2, draws=3)
        assert not run.draws.any()
    run = sample([target.step("Metropolis", [0, 1])], np.zeros((3, 2)), target, tune=0, draws=0)
    assert run.draws.shape == (3, 0, 2)
