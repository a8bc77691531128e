"""Every step against targets with known answers. Bounds and false alarms: `step_code.LIMIT`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.core.step_code import (
    CHAINS,
    Target,
    assert_mean,
    assert_normal,
    enumerate_states,
    gaussian,
    python_step,
    sample,
    states,
)

from finetti import _core
from finetti.ir import ops

COVARIANCE = np.array([[1.0, 0.8, 0.3], [0.8, 2.0, -0.2], [0.3, -0.2, 0.5]])
FACTOR = np.linalg.cholesky(COVARIANCE).ravel().tolist()
HMC = _core.NutsConfig()
HMC.step_size_jitter, HMC.target_accept = 0.15, 0.65

ON_A_NORMAL: list[tuple[str, dict[str, Any], int]] = [  # step, fields, draws
    ("Metropolis", {}, 6000),
    ("Metropolis", {"proposal": "uniform", "scale": [1.0, 2.0, 0.5]}, 6000),
    ("Metropolis", {"proposal": "laplace", "tune_interval": 50}, 6000),
    ("Metropolis", {"proposal": "cauchy"}, 6000),
    ("Metropolis", {"proposal": "multivariate_normal", "scale": FACTOR, "scaling": 1.4}, 4000),
    ("Metropolis", {"one_at_a_time": True}, 3000),
    ("Slice", {}, 2000),
    ("Slice", {"w": [0.2, 5.0, 1.0], "tune": False, "max_steps": 3}, 2000),
    ("Slice", {"max_steps": 0}, 2000),
    ("DEMetropolis", {}, 6000),
    ("DEMetropolis", {"tune": "lambda", "scaling": 0.1, "proposal": "uniform"}, 6000),
    ("DEMetropolisZ", {}, 6000),
    ("Hamiltonian", {}, 600),
    ("Hamiltonian", {"static": True, "config": HMC}, 1500),
]


@pytest.mark.parametrize(("kind", "fields", "draws"), ON_A_NORMAL)
def test_a_correlated_normal(kind: str, fields: dict[str, Any], draws: int) -> None:
    target = Target(gaussian(COVARIANCE), 3, gradient=kind == "Hamiltonian")
    step = target.step(kind, [0, 1, 2], **fields)
    start = np.random.default_rng(1).normal(size=(CHAINS, 3))
    assert_normal(sample([step], start, target, draws=draws).draws, COVARIANCE)


def conditionals(x: Any) -> Any:
    """A stationary AR(1) of correlation 0.6, each element given its neighbours."""
    total = []
    for i in range(5):
        left = (x[i] - 0.6 * x[i - 1]) ** 2 if i else 0.64 * x[0] ** 2
        right = (x[i + 1] - 0.6 * x[i]) ** 2 if i < 4 else 0.0
        total.append(-0.5 * (left + right) / 0.64)
    return ops.stack(total)


@pytest.mark.parametrize("kind", ["Metropolis", "Slice"])
def test_elements_of_one_colour_move_at_once(kind: str) -> None:
    target = Target(conditionals, 5)
    step = target.step(kind, range(5), elementwise=True, colors=[0, 1, 0, 1, 0])
    run = sample([step], np.zeros((CHAINS, 5)), target, draws=3000)
    assert_normal(run.draws, 0.6 ** abs(np.subtract.outer(np.arange(5), np.arange(5))))
    if kind == "Metropolis":  # two evaluations per colour and draw; the start's serves the first
        assert set(run.gradients) == {4 * 3500}


@pytest.mark.parametrize("max_steps", [1, 3, 0])
@pytest.mark.parametrize("width", [0.7, 3.0])
def test_slices_of_a_skewed_density_with_an_edge(max_steps: int, width: float) -> None:
    target = Target(lambda x: ops.where(x < 0, -np.inf, -x), 1)
    step = target.step("Slice", [0], w=[width], max_steps=max_steps, tune=False)
    draws = sample([step], np.ones((CHAINS, 1)), target, draws=20_000).draws
    assert_mean(draws, 1.0)
    assert_mean(draws**2, 2.0)
    assert_mean(draws < [0.1, 0.5, 1.0, 2.0], 1 - np.exp([-0.1, -0.5, -1.0, -2.0]))


FIELD = np.array([0.3, -0.5, 0.2, 0.8])
COUPLING = np.array([0.9, -1.2, 0.7])


def ising(x: Any) -> Any:
    return ops.sum_(ops.as_tensor(FIELD) * x) + ops.sum_(ops.as_tensor(COUPLING) * x[:-1] * x[1:])


def ising_elements(x: Any) -> Any:
    links = [COUPLING[i] * x[i] * x[i + 1] for i in range(3)]
    parts = [links[0], links[0] + links[1], links[1] + links[2], links[2]]
    return ops.stack([FIELD[i] * x[i] + part for i, part in enumerate(parts)])


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("BinaryMetropolis", {}),
        ("BinaryMetropolis", {"scaling": 0.3, "tune": False}),
        ("BinaryGibbs", {}),
        ("BinaryGibbs", {"order": [2, 0, 3, 1], "transit_p": 0.6}),
        ("BinaryGibbs", {"elementwise": True, "colors": [0, 1, 0, 1]}),
        ("BinaryGibbs", {"elementwise": True, "colors": [0, 1, 0, 1], "order": [0, 2, 1, 3]}),
        ("CategoricalGibbs", {"categories": [2] * 4, "proposal": "proportional"}),
    ],
)
def test_zeros_and_ones_by_enumeration(kind: str, fields: dict[str, Any]) -> None:
    target = Target(ising_elements if fields.get("elementwise") else ising, 4)
    step = target.step(kind, range(4), **fields)
    run = sample([step], np.zeros((CHAINS, 4)), target, draws=4000)
    expected = enumerate_states(
        lambda x: float(FIELD @ x + (COUPLING * x[:-1] * x[1:]).sum()), [2] * 4
    )
    assert_mean(states(run.draws, [2] * 4), expected)


SIZES = [3, 2, 4]
TABLES = [np.random.default_rng(7).normal(size=s) for s in ((3, 2), (2, 4))]


def coupled(x: Any) -> list[Any]:
    z = ops.cast(x, "int64")
    flat = [ops.as_tensor(table.ravel()) for table in TABLES]
    return [flat[0][z[0] * 2 + z[1]], flat[1][z[1] * 4 + z[2]]]


@pytest.mark.parametrize("proposal", ["exact", "proportional", "uniform"])
@pytest.mark.parametrize("elementwise", [True, False])
def test_coupled_categories_by_enumeration(proposal: str, elementwise: bool) -> None:
    def per_element(x: Any) -> Any:
        first, last = coupled(x)
        return ops.stack([first, first + last, last])

    target = Target(per_element if elementwise else lambda x: sum(coupled(x)), 3)
    fields = {"elementwise": True, "colors": [0, 1, 0]} if elementwise else {}
    step = target.step("CategoricalGibbs", range(3), categories=SIZES, proposal=proposal, **fields)
    run = sample([step], np.zeros((CHAINS, 3)), target, draws=3000)
    expected = enumerate_states(
        lambda x: TABLES[0][int(x[0]), int(x[1])] + TABLES[1][int(x[1]), int(x[2])], SIZES
    )
    assert_mean(states(run.draws, SIZES), expected)


@pytest.mark.parametrize("proposal", ["normal", "poisson", "uniform", "laplace"])
def test_counts_by_metropolis(proposal: str) -> None:
    rates = np.array([0.7, 3.0, 40.0])

    def logp(x: Any) -> Any:
        return ops.where(x >= 0, x * np.log(rates) - ops.gammaln(abs(x) + 1.0), -np.inf)

    target = Target(logp, 3)
    step = target.step(
        "Metropolis", range(3), elementwise=True, discrete=[True] * 3, proposal=proposal,
        scale=[1.0, 2.0, 5.0],
    )  # fmt: skip
    run = sample([step], np.full((CHAINS, 3), 2.0), target, draws=4000, tune=1000)
    draws = run.draws
    assert (draws == draws.round()).all()
    assert (draws >= 0).all()
    assert_mean(draws, rates)
    assert_mean((draws - rates) ** 2, rates)
    small = np.arange(6)
    for i in (0, 1):
        assert_mean(draws[..., i, None] == small, stats.poisson.pmf(small, rates[i]))


def test_many_labels_at_once() -> None:
    """Independent labels with different numbers of values: three evaluations a draw."""
    rng = np.random.default_rng(3)
    sizes = np.tile([3, 2, 1], 20)
    table = rng.normal(size=(60, 3))
    offsets = 3 * np.arange(60)

    def logp(x: Any) -> Any:
        return ops.as_tensor(table.ravel())[ops.cast(x, "int64") + offsets]

    target = Target(logp, 60)
    step = target.step(
        "CategoricalGibbs", range(60), elementwise=True, categories=sizes, proposal="exact"
    )
    run = sample([step], np.zeros((CHAINS, 60)), target, draws=500, tune=0)
    weights = np.exp(table) * (np.arange(3) < sizes[:, None])
    assert_mean(run.draws[..., None] == np.arange(3), weights / weights.sum(axis=1, keepdims=True))
    assert set(run.gradients) == {1 + 3 * 500}


Y = np.array([-1.3, 0.2, 2.9, 3.4])
SHIFTS = np.array([-2.0, 0.0, 3.0])


def test_nuts_and_labels_take_turns() -> None:
    """mu ~ N(0, 4), z uniform, y ~ N(mu + shift[z], 1): against quadrature over mu."""

    def factors(mu: Any, z: Any) -> Any:
        return -0.5 * (Y - mu[0] - ops.as_tensor(SHIFTS)[ops.cast(z, "int64")]) ** 2

    def logp(mu: Any, z: Any) -> Any:
        return ops.sum_(factors(mu, z)) - mu[0] ** 2 / 8.0

    location, labels = Target(logp, 1, 4, gradient=True), Target(factors, 1, 4)
    steps = [
        location.step("Hamiltonian", [0]),
        labels.step(
            "CategoricalGibbs", range(1, 5), elementwise=True, categories=[3] * 4, proposal="exact"
        ),
    ]
    start = np.tile([0.0, 1.0, 1.0, 1.0, 1.0], (CHAINS, 1))
    run = sample(steps, start, location, labels, draws=2000)

    grid = np.linspace(-12, 12, 4001)
    likelihood = stats.norm.pdf(Y[:, None, None], grid[:, None] + SHIFTS, 1.0)
    weight = stats.norm.pdf(grid, 0, 2) * likelihood.sum(axis=2).prod(axis=0)
    weight /= weight.sum()
    given = likelihood / likelihood.sum(axis=2, keepdims=True)
    assert_mean(run.draws[..., 0], weight @ grid)
    assert_mean(run.draws[..., 0] ** 2, weight @ grid**2)
    assert_mean(run.draws[..., 1:, None] == np.arange(3), np.einsum("g,igk->ik", weight, given))


def test_a_hamiltonian_step_alone_is_the_nuts_run() -> None:
    target = Target(gaussian(COVARIANCE), 3, chains=3, gradient=True)
    run = sample([target.step("Hamiltonian", range(3))], np.zeros((3, 3)), target, draws=200)
    config = _core.NutsConfig()
    config.draws, config.tune = 200, 500
    nuts = _core.NutsRun(
        config, target.function.fn_address, target.addresses, np.zeros((3, 3)), 1, target
    )
    nuts.start(1)
    nuts.join()
    assert np.array_equal(run.draws, nuts.draws)
    assert run.gradients == nuts.gradients
    for name in nuts.stats.keys() - {"perf_counter_start", "perf_counter_diff"}:
        assert np.array_equal(run.stats[0][name], nuts.stats[name]), name


def geweke(step: Any, simulate: Any, start: np.ndarray, *targets: Target) -> np.ndarray:
    """Successive-conditional simulation: data from the parameters, parameters from the data.

    Geweke (2004): the parameters then follow their prior, if the step is right.
    """

    def draw_data(chain: int, draw: int, tuning: bool, x: np.ndarray) -> np.ndarray:
        rng = np.random.Generator(np.random.PCG64([11, chain, draw]))
        return simulate(rng, x)

    run = sample([python_step(draw_data), step], start, *targets, draws=1000, tune=200)
    return np.asarray(run.draws)


@pytest.mark.parametrize("kind", ["Metropolis", "Slice"])
@pytest.mark.parametrize("elementwise", [True, False])
def test_joint_distribution_of_location_and_data(kind: str, elementwise: bool) -> None:
    """theta ~ N(0, 1) twice, y ~ N(theta_0 + theta_1, 1/4): x = (theta, y)."""

    def logp(x: Any) -> Any:
        data = -2.0 * (x[2] - x[0] - x[1]) ** 2
        prior = -0.5 * x[:2] ** 2
        return prior + data if elementwise else ops.sum_(prior) + data

    def simulate(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        x[2] = x[0] + x[1] + 0.5 * rng.normal()
        return x

    target = Target(logp, 3)
    step = target.step(
        kind, [0, 1], elementwise=elementwise, colors=[0, 1] if elementwise else [],
        **({"scaling": 2.0} if kind == "Metropolis" else {}),
    )  # fmt: skip
    draws = geweke(step, simulate, np.zeros((CHAINS, 3)), target)
    assert_normal(draws, np.array([[1, 0, 1], [0, 1, 1], [1, 1, 2.25]]))
    assert_mean(draws[..., :2] ** 4, 3.0)


def test_joint_distribution_of_labels_and_data() -> None:
    """z_i categorical, y_i ~ N(centre[z_i], 1): x = (z, y)."""
    prior, centres = np.array([0.5, 0.3, 0.2]), np.array([-1.0, 0.0, 2.0])

    def logp(x: Any) -> Any:
        z = ops.cast(x[:4], "int64")
        return ops.as_tensor(np.log(prior))[z] - 0.5 * (x[4:] - ops.as_tensor(centres)[z]) ** 2

    def simulate(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
        x[4:] = centres[x[:4].astype(int)] + rng.normal(size=4)
        return x

    target = Target(logp, 8)
    step = target.step(
        "CategoricalGibbs", range(4), elementwise=True, categories=[3] * 4, proposal="exact"
    )
    draws = geweke(step, simulate, np.zeros((CHAINS, 8)), target)
    assert_mean(draws[..., :4, None] == np.arange(3), np.broadcast_to(prior, (4, 3)))
    mean = prior @ centres
    assert_mean(draws[..., 4:], mean)
    assert_mean((draws[..., 4:] - mean) ** 2, 1.0 + prior @ (centres - mean) ** 2)
