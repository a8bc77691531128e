"""Each deliberate fault of native/include/finetti/policy.hpp fails a test of this folder.

The checks are the ones the tests use, on a core compiled with the fault.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.native_code import MUTANTS, Harness
from tests.core.test_adaptation import frozen_after_warmup, moment_error
from tests.core.test_integrator import TARGETS, energy_order, reversal_error
from tests.core.test_targets import RESONANCES, gradients_at_resonance, t_of


def variance_t(harness: Harness) -> float:
    """How far the variance of a standard normal is off, in standard errors: as in test_targets."""
    start = np.random.default_rng(6).normal(size=(2000, 3))
    draws, _, _ = harness.sample("standard_normal", 0.0, start, draws=20, step=1.4)
    return float(abs(t_of((draws**2).mean(1), 1.0)).max())


def adapted_variance_t(harness: Harness) -> float:
    """The same for a normal with standard deviation 30, after a warm-up."""
    start = 30 * np.random.default_rng(8).normal(size=(200, 1))
    draws, _, _ = harness.sample("normal", [0.0, 30.0], start, draws=100, tune=100)
    return float(abs(t_of((draws**2).mean(1), 900.0)).max())


CHECKS = {
    "ACCEPT_SIGN": lambda h: variance_t(h) < 4.5,
    "NO_CROSS_CHECK": lambda h: all(
        cost < 2.2 * np.pi / step
        for (_, step), cost in zip(RESONANCES, gradients_at_resonance(h), strict=True)
    ),
    "NO_WELFORD": lambda h: moment_error(h) < 1e-8,
    "ONE_KICK": lambda h: (
        reversal_error(h, *TARGETS[0]) < 1e-12 or abs(energy_order(h, *TARGETS[0]) - 2) < 0.1
    ),
    "KEEP_ADAPTING": frozen_after_warmup,
    "MOMENTUM_SCALE": lambda h: adapted_variance_t(h) < 4.5,
}


def test_every_mutant_has_a_check() -> None:
    assert set(CHECKS) == set(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_check_passes_on_the_core_and_fails_on_the_mutant(
    harnesses: dict[str, Harness], mutant: str
) -> None:
    assert CHECKS[mutant](harnesses[""])
    assert not CHECKS[mutant](harnesses[mutant])
