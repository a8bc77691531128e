"""Velocity Verlet: reversible, volume preserving, second order."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.native_code import Harness

RNG = np.random.default_rng(20)
N = 11
VARIANCE = np.exp(RNG.normal(size=N))
X, P = RNG.normal(size=N), RNG.normal(size=N)
TARGETS = [
    ("student_t", 5.0),
    ("funnel", 0.0),
    ("normal", np.r_[np.zeros(N), np.exp(RNG.normal(size=N))]),
]


def reversal_error(harness: Harness, name: str, data: object) -> float:
    """Distance from the start after 100 steps there and 100 steps back."""
    x, p, _ = harness.leapfrog(name, data, VARIANCE, 0.05, 100, X, P)
    x, p, _ = harness.leapfrog(name, data, VARIANCE, -0.05, 100, x, p)
    return float(max(abs(x - X).max(), abs(p - P).max()))


def energy_order(harness: Harness, name: str, data: object) -> float:
    """Exponent k of energy error ~ epsilon^k over a fixed time."""
    steps = np.array([20, 40, 80, 160])
    errors = [
        abs(np.diff(harness.leapfrog(name, data, VARIANCE, 0.8 / s, s, X, P)[2]).cumsum()).max()
        for s in steps
    ]
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


@pytest.mark.parametrize(("name", "data"), TARGETS)
def test_going_back_returns_to_the_start(harness: Harness, name: str, data: object) -> None:
    assert reversal_error(harness, name, data) < 1e-12


@pytest.mark.parametrize(("name", "data"), TARGETS)
def test_energy_error_is_second_order(harness: Harness, name: str, data: object) -> None:
    assert energy_order(harness, name, data) == pytest.approx(2.0, abs=0.1)


def test_volume_is_preserved(harness: Harness) -> None:
    """The Jacobian of ten steps, by central differences, has determinant one."""
    start, h = np.r_[X[:3], P[:3]], 1e-5

    def flow(state: np.ndarray) -> np.ndarray:
        x, p, _ = harness.leapfrog("funnel", 0.0, VARIANCE[:3], 0.1, 10, state[:3], state[3:])
        return np.r_[x, p]

    columns = [(flow(start + h * e) - flow(start - h * e)) / (2 * h) for e in np.eye(6)]
    assert abs(np.linalg.det(np.array(columns)) - 1) < 1e-7


def test_energy_is_the_hamiltonian(harness: Harness) -> None:
    data = TARGETS[2][1]
    x, p, energies = harness.leapfrog("normal", data, VARIANCE, 0.1, 7, X, P)
    sd = np.asarray(data)[N:]
    expected = 0.5 * np.sum((x / sd) ** 2) + 0.5 * np.sum(VARIANCE * p**2)
    assert energies[-1] == pytest.approx(expected, rel=1e-14)


def test_powers_of_two_in_scale_change_nothing(harness: Harness) -> None:
    """Whitening is free of scale: stretched coordinates give the same trajectory, bit for bit."""
    stretch = 2.0 ** np.arange(-5, 6)
    plain = harness.leapfrog("normal", np.r_[np.zeros(N), np.ones(N)], np.ones(N), 0.3, 50, X, P)
    wide = harness.leapfrog(
        "normal", np.r_[np.zeros(N), stretch], stretch**2, 0.3, 50, X * stretch, P / stretch
    )
    assert np.array_equal(plain[0] * stretch, wide[0])
    assert np.array_equal(plain[2], wide[2])
