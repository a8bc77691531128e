"""Dense blocks of the metric: their estimate, the dynamics in them, and runs that learn them.

Statistical checks are those of test_targets.py: a false alarm with probability 1e-5 each, of which
this file makes 12; the seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.core.native_code import Densities, Harness
from tests.core.step_code import Target, gaussian
from tests.core.test_targets import check

from finetti import _core

RNG = np.random.default_rng(31)


def covariance(n: int, condition: float, seed: int = 3) -> np.ndarray:
    """Random axes, standard deviations from 1 to 1 / sqrt(condition)."""
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))
    matrix = (axes * np.logspace(0, -np.log10(condition), n)) @ axes.T
    return 0.5 * (matrix + matrix.T)


def whitened(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """What is left of `found` in coordinates in which the truth is the identity."""
    inverse = np.linalg.inv(np.linalg.cholesky(truth))
    return inverse @ found @ inverse.T


# -- the estimate --------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "condition"), [(1, 1.0), (7, 1e4), (40, 1e6)])
def test_a_normal_is_recovered_from_few_draws(harness: Harness, n: int, condition: float) -> None:
    """Exactly, wherever the draws come from, once there are more than elements."""
    truth = covariance(n, condition)
    x = np.cumsum(RNG.normal(size=(n + 9, n)), axis=0) @ np.linalg.cholesky(truth).T
    found = harness.dense_fit(x, -np.linalg.solve(truth, x.T).T, False)
    assert found is not None
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(whitened(found, truth), np.eye(n), atol=1e-6)


def test_what_regularisation_leaves_out_is_little(harness: Harness) -> None:
    """From the diagonal metric, towards which the first estimate is shrunk, to the truth."""
    truth = covariance(40, 1e6)
    x = RNG.normal(size=(400, 40)) @ np.linalg.cholesky(truth).T
    found = harness.dense_fit(x, -np.linalg.solve(truth, x.T).T)
    assert found is not None
    values = np.linalg.eigvalsh(whitened(found, truth))
    assert 0.5 < values[0] < values[-1] < 2.0


def test_the_estimate_is_the_geometric_mean(harness: Harness) -> None:
    """A # B^-1 is the X with X B X = A, for any draws and scores."""
    x, g = RNG.normal(size=(60, 6)) @ RNG.normal(size=(6, 6)), RNG.standard_t(4, size=(60, 6))
    found = harness.dense_fit(x, g, False)
    np.testing.assert_allclose(found @ np.cov(g.T) @ found, np.cov(x.T), rtol=1e-9, atol=1e-9)


def test_units_do_not_matter(harness: Harness) -> None:
    x, g = RNG.normal(size=(30, 20)), RNG.normal(size=(30, 20))
    units = 2.0 ** RNG.integers(-40, 40, 20)
    plain, scaled = harness.dense_fit(x, g), harness.dense_fit(x * units, g / units)
    np.testing.assert_allclose(scaled / np.outer(units, units), plain, rtol=1e-10, atol=1e-12)


def test_too_few_draws_say_little(harness: Harness) -> None:
    """The directions that they do not span stay as the diagonal metric has them."""
    truth = covariance(30, 1e2)
    x = np.random.default_rng(1).multivariate_normal(np.zeros(30), truth, 12)
    g = -np.linalg.solve(truth, x.T).T
    assert harness.dense_fit(x, g, False) is None
    found = harness.dense_fit(x, g)
    assert found is not None
    assert np.linalg.eigvalsh(found)[0] > 0
    assert harness.dense_fit(np.ones((12, 3)), np.ones((12, 3))) is None
    assert harness.dense_fit(np.full((12, 3), np.nan), np.ones((12, 3))) is None


# -- the dynamics --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 5, 8, 37, 70])
def test_momenta_have_the_inverse_matrix(harness: Harness, n: int) -> None:
    matrix = covariance(n, 1e3)
    p, v = harness.dense_momenta(matrix, 3)
    purpose = 1  # momenta, see random.hpp
    z = np.array([_core.normals(1, 0, draw, purpose, n) for draw in range(3)])
    factor = np.linalg.cholesky(matrix)
    np.testing.assert_allclose(v, z @ factor.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(p, np.linalg.solve(factor.T, z.T).T, rtol=1e-9, atol=1e-9)


N = 9
INDEX = [7, 1, 4, 5]
OTHERS = [i for i in range(N) if i not in INDEX]
VARIANCE = np.exp(RNG.normal(size=N))
BLOCK = covariance(4, 50.0)
X = RNG.normal(size=N)


def inverse_mass() -> np.ndarray:
    matrix = np.diag(VARIANCE)
    matrix[np.ix_(INDEX, INDEX)] = BLOCK
    return matrix


@pytest.mark.parametrize(("name", "data"), [("student_t", 5.0), ("funnel", 0.0)])
def test_going_back_returns_to_the_start(harness: Harness, name: str, data: float) -> None:
    start, end, energies = harness.dense_leapfrog(name, data, VARIANCE, INDEX, BLOCK, 0.05, 100, X)
    np.testing.assert_allclose(end, start, atol=1e-11)
    np.testing.assert_allclose(energies, energies[::-1], atol=1e-10)


def test_steps_are_those_of_the_whole_matrix(harness: Harness) -> None:
    """Velocity Verlet of a normal in NumPy; the energy is the Hamiltonian."""
    precision, mass = np.linalg.inv(covariance(N, 30.0)), inverse_mass()
    start, _, energies = harness.dense_leapfrog(
        "precision", precision, VARIANCE, INDEX, BLOCK, 0.1, 20, X
    )
    x, p = start
    for energy in energies[:21]:
        assert energy == pytest.approx(0.5 * x @ precision @ x + 0.5 * p @ mass @ p, rel=1e-9)
        p = p - 0.05 * precision @ x
        x = x + 0.1 * mass @ p
        p = p - 0.05 * precision @ x


def test_the_energy_error_is_second_order(harness: Harness) -> None:
    steps = np.array([20, 40, 80, 160])
    errors = []
    for count in steps:
        _, _, energies = harness.dense_leapfrog(
            "student_t", 5.0, VARIANCE, INDEX, BLOCK, 0.8 / count, count, X
        )
        errors.append(abs(energies[: count + 1] - energies[0]).max())
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order == pytest.approx(2.0, abs=0.1)


# -- runs ----------------------------------------------------------------------------------------

Sampler = Callable[..., _core.NutsRun]


def started(truth: np.ndarray, chains: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The precision, and exact draws to start from."""
    z = np.random.default_rng(seed).normal(size=(chains, len(truth)))
    return np.linalg.inv(truth), z @ np.linalg.cholesky(truth).T


@pytest.mark.parametrize(
    ("n", "condition", "blocks"),
    [(10, 1e6, [list(range(10))]), (10, 1e2, [[9, 0, 3], [5, 4]]), (40, 1e3, [list(range(40))])],
)
def test_draws_of_a_correlated_normal(
    sample: Sampler, n: int, condition: float, blocks: list[list[int]]
) -> None:
    """Whitened with the truth, so that a false correlation shows as well as a false scale."""
    truth = covariance(n, condition)
    precision, start = started(truth, 200, 5)
    run = sample("precision", precision.ravel(), start, tune=150, draws=40, init_jitter=0.0,
                 dense_blocks=blocks)  # fmt: skip
    z = run.draws @ np.linalg.inv(np.linalg.cholesky(truth)).T
    check(z, {1: 0.0, 2: 1.0, 4: 3.0}, stats.norm.cdf)


@pytest.mark.parametrize("n", [3, 50])
def test_the_covariance_is_learned(sample: Sampler, n: int) -> None:
    truth = covariance(n, 1e5)
    precision, start = started(truth, 2, 6)
    run = sample("precision", precision.ravel(), start, tune=400, draws=50,
                 dense_blocks=[list(range(n))])  # fmt: skip
    found = run.dense_metric.reshape(2, n, n)
    for matrix in found:
        np.testing.assert_allclose(whitened(matrix, truth), np.eye(n), atol=0.05)
    np.testing.assert_array_equal(run.metric, np.diagonal(found, 0, 1, 2))
    # as good as a standard normal: three or seven steps a draw
    assert run.stats["n_steps"].mean() < 8


def test_elements_outside_of_blocks_stay_diagonal(sample: Sampler) -> None:
    sd = np.logspace(-2, 2, 6)
    run = sample("normal", np.r_[np.zeros(6), sd], np.zeros((2, 6)), tune=300, draws=5,
                 dense_blocks=[[4, 1]])  # fmt: skip
    np.testing.assert_allclose(run.metric[:, [0, 2, 3, 5]], [sd[[0, 2, 3, 5]] ** 2] * 2, rtol=1e-6)
    matrix = run.dense_metric.reshape(2, 2, 2) / np.outer(sd[[4, 1]], sd[[4, 1]])
    np.testing.assert_allclose(matrix, [np.eye(2)] * 2, atol=1e-3)


def test_a_given_matrix_is_kept_or_begun_with(densities: Densities) -> None:
    truth = covariance(6, 1e4)
    precision, start = started(truth, 3, 7)
    dense = np.tile(truth.ravel(), (3, 1))
    found = {}
    for name, adapt, factor in (("kept", False, 1.0), ("begun", True, 4.0)):
        config = _core.NutsConfig()
        config.tune, config.draws, config.dense_blocks = 1, 400, [list(range(6))]
        config.adapt_metric = config.adapt_step_size = adapt
        run = _core.NutsRun(
            config, densities["precision"], [precision.ctypes.data] * 3, start, 1, precision,
            np.tile(np.diag(truth), (3, 1)), np.full(3, 0.5), factor * dense,
        )  # fmt: skip
        run.start(2)
        run.join()
        assert not any(run.errors)
        np.testing.assert_allclose(run.dense_metric, factor * dense, rtol=1e-12)
        found[name] = run
    assert found["kept"].stats["acceptance_rate"].mean() > 0.9
    assert found["kept"].stats["n_steps"].max() <= 15
    # the whitened distance of a normal's own metric from it
    assert found["kept"].stats["fisher_distance"].max() < 1e-9 + 6 * 0.25


def test_the_same_bits_on_any_number_of_threads(sample: Sampler) -> None:
    truth = covariance(12, 1e3)
    precision, start = started(truth, 4, 8)
    runs = [
        sample("precision", precision.ravel(), start, cores=cores, tune=120, draws=40,
               dense_blocks=[[2, 11, 3], [0, 1]])
        for cores in (1, 2, 4)
    ]  # fmt: skip
    for run in runs[1:]:
        np.testing.assert_array_equal(run.draws, runs[0].draws)
        np.testing.assert_array_equal(run.dense_metric, runs[0].dense_metric)


@pytest.mark.parametrize("static", [False, True])
def test_a_hamiltonian_step_has_them_too(static: bool) -> None:
    truth = covariance(3, 1e4)
    target = Target(gaussian(truth), 3, chains=2, gradient=True)
    config = _core.NutsConfig()
    config.draws, config.tune, config.dense_blocks = 60, 200, [[0, 1, 2]]
    step = target.step("Hamiltonian", range(3))
    step.config, step.static, step.path_length = config, static, 2.0
    run = _core.StepRun([step], 60, 200, False, np.zeros((2, 3)), 1, target)
    run.start(1)
    run.join()
    for matrix in step.dense_metric.reshape(2, 3, 3):
        np.testing.assert_allclose(whitened(matrix, truth), np.eye(3), atol=0.05)
    if not static:
        nuts = _core.NutsRun(
            config, target.function.fn_address, target.addresses[:2], np.zeros((2, 3)), 1, target
        )
        nuts.start(1)
        nuts.join()
        # where a compound starts is not jittered, but what is learned is close
        np.testing.assert_allclose(nuts.dense_metric, step.dense_metric, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("dense", [[], [[0, 1]]])
def test_the_warmup_has_a_depth_of_its_own(sample: Sampler, dense: list[list[int]]) -> None:
    run = sample("standard_normal", 0.0, np.zeros((2, 3)), tune=20, draws=20, store_warmup=True,
                 max_treedepth=4, warmup_treedepth=2, adapt_step_size=False, initial_step=0.01,
                 adapt_metric=False, dense_blocks=dense)  # fmt: skip
    assert run.warmup_stats["n_steps"].max() == 3
    assert run.stats["n_steps"].max() == 15


@pytest.mark.parametrize(
    ("config", "dense", "words"),
    [
        ({"dense_blocks": [[0, 3]]}, None, "dense_blocks is 3; it must be elements below 3"),
        ({"dense_blocks": [[0, 1], [1]]}, None, "dense_blocks is 1; it must be elements that come"),
        ({"dense_blocks": [[]]}, None, "sets of at least one element"),
        ({"dense_blocks": [[0, 1]]}, np.ones((2, 3)), "dense has 6 entries; it must have 8"),
        ({"warmup_treedepth": 31}, None, "warmup_treedepth is 31; it must be between 0 and 30"),
    ],
)
def test_bad_values_are_named(
    densities: Densities, config: dict[str, Any], dense: Any, words: str
) -> None:
    settings = _core.NutsConfig()
    for name, value in config.items():
        setattr(settings, name, value)
    data = np.zeros(1)
    with pytest.raises(ValueError, match=words):
        _core.NutsRun(
            settings, densities["standard_normal"], [data.ctypes.data] * 2, np.zeros((2, 3)), 1,
            data, None, None, dense,
        )  # fmt: skip


def test_a_matrix_that_is_not_positive_definite_is_an_error(densities: Densities) -> None:
    settings = _core.NutsConfig()
    settings.dense_blocks = [[0, 2]]
    data = np.zeros(1)
    run = _core.NutsRun(
        settings, densities["standard_normal"], [data.ctypes.data], np.zeros((1, 3)), 1, data,
        None, None, np.array([[1.0, 2.0, 2.0, 1.0]]),
    )  # fmt: skip
    run.start(1)
    run.join()
    assert run.errors == ["the matrix given for dense block 0 is not positive definite"]


def test_too_wide_a_block_is_refused(densities: Densities) -> None:
    settings = _core.NutsConfig()
    settings.dense_blocks = [list(range(2001))]
    data = np.zeros(1)
    with pytest.raises(ValueError, match="2001 elements is too wide: at 2000.*0.25 GB.*0.6 ms"):
        _core.NutsRun(
            settings, densities["standard_normal"], [data.ctypes.data], np.zeros((1, 2001)), 1, data
        )
