"""PyMC3's faces: forgotten names, and where its variables start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from finetti.dialects import pymc3 as pm
from finetti.errors import ParameterError


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: pm.Normal(0, 1), "`pm.Normal('x', 0, 1)`, or `pm.Normal.dist(0, 1)`"),
        (lambda: pm.Normal(0, sd=1), "`pm.Normal('x', 0, sd=1)`"),
        (lambda: pm.StudentT(3, 0, 1), "`pm.StudentT('x', 3, 0, 1)`"),
        (lambda: pm.Lognormal(mu=0, sd=1), "pm.Lognormal.dist(mu=0, sd=1)"),
        (lambda: pm.GaussianRandomWalk(0.1, shape=3), "('x', 0.1, shape=3)"),
        (lambda: pm.Normal(), "has no name"),
    ],
)
def test_a_forgotten_name(call: Any, said: str) -> None:
    with pm.Model(), pytest.raises(ParameterError) as caught:
        call()
    assert said in str(caught.value)


# PyMC3's default values: the median, else the mean, else the mode.
STARTS = [
    ("Exponential", (2.0,), {}, np.log(2) / 2),
    ("HalfNormal", (), {"sd": 3.0}, 3 * np.sqrt(2 / np.pi)),
    ("Lognormal", (0.5, 2.0), {}, np.exp(0.5)),
    ("LogNormal", (), {"mu": 0.5, "tau": 4.0}, np.exp(0.5)),
    ("Gumbel", (1.0, 2.0), {}, 1 - 2 * np.log(np.log(2))),
    ("Geometric", (0.1,), {}, 1),
    ("Normal", (2.0, 1.0), {}, 2.0),
    ("Gamma", (), {"mu": 3.0, "sd": 1.0}, 3.0),
    ("HalfCauchy", (5.0,), {}, 5.0),
    ("Uniform", (0, 3), {}, 1.5),
    ("Beta", (1, 3), {}, 0.25),
    ("Exponential", (2.0,), {"testval": 7.0}, 7.0),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "start"), STARTS)
@pytest.mark.parametrize("shape", [(), (2,)])
def test_test_values(name: str, args: Any, kwargs: Any, start: float, shape: Any) -> None:
    with pm.Model() as model:
        x = getattr(pm, name)("x", *args, **kwargs, shape=shape)
        y = pm.Normal("y", x, 1.0, shape=shape)
    np.testing.assert_allclose(x.tag.test_value, np.full(shape, start), rtol=1e-12)
    np.testing.assert_allclose(model.test_point["y"], np.full(shape, start), rtol=1e-12)
    assert y.tag.test_value.shape == shape


def test_observed_variables_start_nowhere() -> None:
    with pm.Model() as model:
        pm.Exponential("y", 2.0, observed=[1.0, 2.0])
        pm.HalfNormal("s", 2.0)
    assert list(model.test_point) == ["s_log__"]
