"""Random primitives in JAX against the reference backend's: equal moments.

Keys and seeds are fixed; each difference is within 6 of its standard errors.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.optional import required

from finetti.backends.jax_lowering import lower, lower_draws
from finetti.backends.reference import evaluate
from finetti.errors import NotYetSupported
from finetti.ir.ops import random

jax = required("jax", 'pip install "finetti[jax]"')

MANY = 20_000
P = np.array([0.1, 0.2, 0.7])
CASES = {
    "standard_normal": ((), ()),
    "uniform": ((), ()),
    "standard_exponential": ((), ()),
    "standard_gamma": ((0.3,), ()),
    "poisson": ((3.5,), ()),
    "binomial": ((10, 0.7), ()),
    "categorical": ((P,), ()),
    "hypergeometric": ((5, 7, 4), ()),
    "multinomial": ((10, P), (3,)),
    "vonmises": ((0.2, 2.0), ()),
    "wald": ((2.0, 3.0), ()),
}


@pytest.mark.parametrize("name", CASES)
def test_moments(name: str) -> None:
    params, event = CASES[name]
    node = getattr(random, name)(*params, shape=(MANY, *event)).node
    with jax.enable_x64(True):
        ours = np.asarray(lower_draws([node], [])(jax.random.key(1))[0])
    expected = evaluate([node], rng=np.random.default_rng(1))[0]
    assert ours.shape == expected.shape and ours.dtype == expected.dtype
    for power in (1, 2):
        x, y = (v.astype(float) ** power for v in (ours, expected))
        error = np.sqrt((x.var(0) + y.var(0)) / MANY)
        np.testing.assert_array_less(abs(x.mean(0) - y.mean(0)), 6.0 * error)


def test_draws_are_not_part_of_a_density() -> None:
    node = random.standard_normal(shape=(2,)).node
    with jax.enable_x64(True), pytest.raises(NotYetSupported, match="draws random numbers"):
        lower([node], [])
