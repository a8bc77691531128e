"""Runs: threads, stopping, failing chains, what is handed out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from tests.core.native_code import Densities, Harness, prepare

from finetti import _core

Sampler = Callable[..., _core.NutsRun]
STATS = {
    "lp": "float64",
    "energy": "float64",
    "energy_error": "float64",
    "max_energy_error": "float64",
    "acceptance_rate": "float64",
    "step_size": "float64",
    "step_size_bar": "float64",
    "fisher_distance": "float64",
    "perf_counter_start": "float64",
    "perf_counter_diff": "float64",
    "tree_depth": "int64",
    "n_steps": "int64",
    "index_in_trajectory": "int64",
    "reached_max_treedepth": "bool",
    "diverging": "bool",
}
CLOCKS = {"perf_counter_start", "perf_counter_diff"}


def test_the_same_seed_gives_the_same_bits_for_any_cores(sample: Sampler) -> None:
    runs = [
        sample("funnel", 0.0, np.zeros((5, 6)), cores=cores, tune=150, draws=100, store_warmup=True)
        for cores in (1, 2, 4, 5)
    ]
    for run in runs[1:]:
        assert np.array_equal(run.draws, runs[0].draws)
        assert np.array_equal(run.warmup_draws, runs[0].warmup_draws)
        assert run.gradients == runs[0].gradients
        for name in STATS.keys() - CLOCKS:
            assert np.array_equal(run.stats[name], runs[0].stats[name]), name


def test_vector_instructions_do_not_change_bits(sample: Sampler, harness: Harness) -> None:
    """The installed core, with the widest vectors of this CPU, against a scalar build."""
    start = np.random.default_rng(2).normal(size=(2, 37))
    expected, steps, _ = harness.sample("student_t", 4.0, start, draws=30, tune=60)
    run = sample("student_t", 4.0, start, draws=30, tune=60, init_jitter=0.0, step_size_jitter=0.0)
    assert np.array_equal(run.stats["n_steps"], steps)
    assert np.array_equal(run.draws, expected)


def test_a_chain_does_not_depend_on_the_others(sample: Sampler) -> None:
    few, many = (sample("student_t", 4.0, np.zeros((c, 3)), tune=50, draws=50) for c in (2, 6))
    assert np.array_equal(many.draws[:2], few.draws)


def test_seeds_and_chains_differ(sample: Sampler) -> None:
    runs = [
        sample("standard_normal", 0.0, np.zeros((2, 3)), seed=s, tune=20, draws=20)
        for s in (1, 2, 1 + 2**32)
    ]
    firsts = {tuple(run.draws[chain, -1]) for run in runs for chain in (0, 1)}
    assert len(firsts) == 6


def test_shapes_names_and_types(sample: Sampler) -> None:
    run = sample("standard_normal", 0.0, np.zeros((3, 4)), tune=30, draws=20, store_warmup=True)
    assert run.draws.shape == (3, 20, 4)
    assert run.warmup_draws.shape == (3, 30, 4)
    assert {name: str(values.dtype) for name, values in run.stats.items()} == STATS
    assert {values.shape for values in run.stats.values()} == {(3, 20)}
    assert {values.shape for values in run.warmup_stats.values()} == {(3, 30)}
    assert run.errors == ["", "", ""]
    assert run.finished == [50, 50, 50]
    assert np.array_equal(run.last_points, run.draws[:, -1])


def test_warmup_is_not_stored_unless_asked_for(sample: Sampler) -> None:
    run = sample("standard_normal", 0.0, np.zeros((2, 4)), tune=30, draws=20)
    assert run.warmup_draws.shape == (2, 0, 4)
    assert run.warmup_stats["lp"].shape == (2, 0)


def test_every_gradient_is_counted(sample: Sampler) -> None:
    """Leapfrogs of all draws, one for the start, and the two searches."""
    run = sample("standard_normal", 0.0, np.zeros((2, 4)), tune=30, draws=20, store_warmup=True)
    leapfrogs = run.stats["n_steps"].sum(1) + run.warmup_stats["n_steps"].sum(1)
    extra = np.array(run.gradients) - leapfrogs
    assert (extra > 3).all()
    assert (extra < 40).all()
    fixed = sample(
        "standard_normal", 0.0, np.zeros((1, 4)), tune=0, draws=20, adapt_step_size=False
    )
    assert fixed.gradients[0] == 1 + fixed.stats["n_steps"].sum()


def test_arrays_are_shared_and_outlive_the_run(densities: Densities) -> None:
    run = prepare(densities, "standard_normal", 0.0, np.zeros((2, 3)), 1, draws=50, tune=50)
    before = run.draws
    assert not before.any()
    run.start(2)
    run.join(60)
    assert np.array_equal(before, run.draws)
    assert np.shares_memory(before, run.draws)
    copy = before.copy()
    del run
    assert np.array_equal(before, copy)


def test_stop_keeps_the_draws_so_far(densities: Densities) -> None:
    run = prepare(densities, "slow", 20_000.0, np.zeros((3, 2)), 1, draws=10**6, tune=20)
    run.start(2)
    while min(run.finished[:2]) < 40:
        time.sleep(0.002)
    assert run.join(0.0) is False
    run.stop()
    assert run.join(20)
    first, second, third = run.finished
    assert first >= 40
    assert second >= 40
    assert third == 0  # the third waited for a thread
    kept = first - 20
    assert np.isfinite(run.draws[0, :kept]).all()
    assert (run.stats["n_steps"][0, :kept] > 0).all()
    assert (run.stats["n_steps"][0, kept : kept + 10] == 0).all()
    assert run.errors == ["", "", ""]
    assert all(progress.done for progress in run.poll())


def test_a_run_that_is_dropped_stops(densities: Densities) -> None:
    run = prepare(densities, "slow", 1000.0, np.zeros((2, 2)), 1, draws=10**6)
    run.start(2)
    began = time.perf_counter()
    del run
    assert time.perf_counter() - began < 10


def test_progress(densities: Densities) -> None:
    run = prepare(densities, "slow", 5000.0, np.zeros((2, 2)), 1, draws=30, tune=20)
    before = run.poll()
    assert [(p.chain, p.started, p.done, p.finished_draws) for p in before] == [
        (0, False, False, 0),
        (1, False, False, 0),
    ]
    run.start(1)
    run.join(60)
    for progress in run.poll():
        assert (progress.finished_draws, progress.total_draws) == (50, 50)
        assert progress.started
        assert progress.done
        assert not progress.tuning
        assert progress.total_num_steps >= 50
        assert progress.latest_num_steps >= 1
        assert progress.step_size > 0
        assert 0 < progress.runtime_seconds < 60


def test_the_gil_is_free_while_sampling(densities: Densities) -> None:
    run = prepare(densities, "slow", 20_000.0, np.zeros((2, 2)), 1, draws=300, tune=100)
    ticks = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    run.start(2)
    run.join(60)
    done.set()
    thread.join()
    assert len(ticks) > 5


@pytest.mark.parametrize(
    ("kind", "message"), [(0, "is -inf"), (1, "nan"), (2, "gradient"), (4, "is inf")]
)
def test_no_start_is_an_error_with_the_point(sample: Sampler, kind: int, message: str) -> None:
    run = sample("faulty", [-100.0, kind], np.full((2, 3), 2.0), init_retries=7, init_jitter=0.5)
    for chain in (0, 1):
        assert message in run.errors[chain]
        assert "8 tries" in run.errors[chain]
        assert run.gradients[chain] == 8
        assert run.finished[chain] == 0
        assert (abs(run.last_points[chain] - 2.0) <= 0.5).all()


def test_retries_find_a_start(sample: Sampler) -> None:
    """Half of the jittered starts are impossible."""
    run = sample("faulty", [0.0, 0.0], np.zeros((20, 3)), tune=20, draws=5, store_warmup=True)
    assert run.errors == [""] * 20
    assert (run.draws[..., 0] <= 0).all()


def test_no_jitter_keeps_the_given_point(sample: Sampler) -> None:
    start = np.array([[0.25, -1.5]])
    run = sample("faulty", [0.0, 0.0], start, init_jitter=0.0)
    assert "1 try" in run.errors[0]
    assert np.array_equal(run.last_points, start)


@pytest.mark.parametrize("kind", [0, 1, 2, 4])
def test_impossible_points_are_divergences(sample: Sampler, kind: int) -> None:
    """A normal with an edge: no draw beyond it, no chain lost, finite statistics."""
    run = sample("faulty", [1.0, kind], np.zeros((4, 2)), draws=500, tune=200)
    s = run.stats
    assert run.errors == [""] * 4
    assert s["diverging"].mean() > 0.02
    assert (run.draws[..., 0] <= 1.0).all()
    assert np.isfinite(s["lp"]).all()
    assert np.isfinite(s["energy"]).all()
    assert np.isfinite(s["acceptance_rate"]).all()
    assert (s["max_energy_error"][s["diverging"]] == np.inf).all()
    found = run.divergences
    assert len(found["draw"]) == s["diverging"].sum()
    assert s["diverging"][found["chain"], found["draw"]].all()
    assert (found["start"][:, 0] <= 1.0).all()
    assert (found["end"][:, 0] > 1.0).all()


def test_an_error_code_ends_its_chain_only(sample: Sampler) -> None:
    start = np.zeros((3, 2))
    start[1, 0] = 1.4  # reaches 1.5 at once
    run = sample(
        "faulty",
        [1.5, 3.0],
        start,
        init_jitter=0.0,
        tune=0,
        draws=40,
        adapt_step_size=False,
        initial_step=0.05,
    )
    assert "error code 7" in run.errors[1]
    assert run.finished[1] < 40
    lone = sample(
        "faulty",
        [1.5, 3.0],
        start[:1],
        init_jitter=0.0,
        tune=0,
        draws=40,
        adapt_step_size=False,
        initial_step=0.05,
    )
    kept = run.finished[0]
    assert kept > 0
    assert np.array_equal(run.draws[0, :kept], lone.draws[0, :kept])


def test_divergences_of_a_funnel(sample: Sampler) -> None:
    run = sample(
        "funnel", 0.0, np.zeros((2, 10)), draws=300, adapt_step_size=False, initial_step=1.5, tune=0
    )
    s = run.stats
    assert s["diverging"].any()
    worst = s["max_energy_error"][s["diverging"]]
    assert (worst > 1000).all()
    assert (run.draws[s["diverging"]] != 0).all()


def test_stored_divergences_are_bounded(sample: Sampler) -> None:
    run = sample(
        "faulty", [0.5, 0.0], np.zeros((1, 1)), draws=500, tune=100, max_stored_divergences=3
    )
    assert run.stats["diverging"].sum() > 3
    assert len(run.divergences["draw"]) == 3


def test_a_flat_density_runs(sample: Sampler) -> None:
    run = sample("flat", 0.0, np.zeros((2, 3)), tune=60, draws=20, max_treedepth=5)
    assert run.errors == ["", ""]
    assert np.isfinite(run.draws).all()
    assert (run.stats["acceptance_rate"] == 1).all()


def test_no_dimension_at_all(sample: Sampler) -> None:
    run = sample("standard_normal", 0.0, np.zeros((2, 0)), tune=10, draws=5)
    assert run.errors == ["", ""]
    assert run.draws.shape == (2, 5, 0)
    assert (run.stats["n_steps"] == 0).all()


def test_no_draw_at_all(sample: Sampler) -> None:
    run = sample("standard_normal", 0.0, np.zeros((2, 3)), tune=0, draws=0)
    assert run.draws.shape == (2, 0, 3)
    assert run.errors == ["", ""]


def test_a_run_starts_once(sample: Sampler) -> None:
    run = sample("standard_normal", 0.0, np.zeros((2, 3)), tune=5, draws=5)
    with pytest.raises(RuntimeError, match="starts once"):
        run.start(2)


def test_points_and_data_must_agree(densities: Densities) -> None:
    with pytest.raises(ValueError, match="2 initial points for 1 data blocks"):
        _core.NutsRun(_core.NutsConfig(), densities["flat"], [0], np.zeros((2, 3)), 1, None)
    with pytest.raises(ValueError, match="address"):
        _core.NutsRun(_core.NutsConfig(), 0, [0], np.zeros((1, 3)), 1, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("draws", -1),
        ("tune", -1),
        ("target_accept", 1.0),
        ("target_accept", float("nan")),
        ("max_treedepth", 0),
        ("initial_step", 0.0),
        ("step_size_jitter", 1.0),
        ("init_jitter", float("inf")),
        ("early_window", 1.0),
        ("window_growth", 0.5),
        ("dual_averaging_kappa", 0.5),
    ],
)
def test_config_names_the_field_out_of_range(field: str, value: float) -> None:
    config = _core.NutsConfig()
    config.validate()
    setattr(config, field, value)
    with pytest.raises(ValueError, match=f"NutsConfig.{field} is .* it must be"):
        config.validate()


def test_map_rows_evaluate_and_time(densities: Densities) -> None:
    x = np.random.default_rng(0).normal(size=(7, 3))
    mapped = _core.map_rows(densities["sum_and_product"], 0, x, 2)
    np.testing.assert_allclose(mapped, np.stack([x.sum(1), x.prod(1)], axis=1))
    status, lp, gradient = _core.evaluate(densities["standard_normal"], 0, x[0])
    assert status == 0
    assert lp == pytest.approx(-0.5 * (x[0] ** 2).sum())
    np.testing.assert_allclose(gradient, -x[0])
    block = np.array([-100.0, 3.0])
    assert _core.evaluate(densities["faulty"], block.ctypes.data, x[0])[0] == 7
    assert 0 < _core.time_density(densities["standard_normal"], 0, x[0], 1000) < 1e-3
