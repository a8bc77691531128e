"""Distributions in a model, as PyMC spells them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import finetti as pm
from finetti.errors import (
    FinettiError,
    NotYetSupported,
    ParameterError,
    ShapeError,
    SupportError,
)


def test_names_transforms_and_shapes() -> None:
    with pm.Model(coords={"city": ["a", "b", "c"]}) as model:
        mu = pm.Normal("mu", 0, 1, dims="city")
        pm.HalfNormal("sigma", 1)
        pm.Uniform("u", 0, 2, shape=2)
        pm.Beta("p", 1, 1)
        pm.Dirichlet("w", np.ones(4))
        pm.Poisson("k", 3.0)
        pm.Normal("y", mu, 1.0, observed=np.zeros((5, 3)))
    assert [value.name for value in model.value_vars] == [
        "mu", "sigma_log__", "u_interval__", "p_logodds__", "w_simplex__", "k",
    ]  # fmt: skip
    assert model["mu"].shape == (3,)
    assert model["y"].shape == (5, 3)
    point = model.initial_point()
    assert point["w_simplex__"].shape == (3,)
    assert point["k"] == 3 and point["k"].dtype == np.int64


def test_data_keep_their_lengths() -> None:
    with pm.Model() as model:
        x = pm.Data("x", np.arange(4.0))
        b = pm.Normal("b", 0, 1)
        pm.Normal("y", b * x, 1.0, shape=x.shape[0])
    assert model.initial_point()["y"].shape == (4,)
    with model:
        pm.set_data({"x": np.arange(7.0)})
    assert model.initial_point()["y"].shape == (7,)


WRONG: list[tuple[Any, type[FinettiError], str]] = [
    (lambda: pm.Normal("x", 0, sd=1), ParameterError, "sigma"),
    (lambda: pm.Beta("x", alpha=1), ParameterError, "alpha"),
    (lambda: pm.Normal("x", [0.0, 1.0], 1.0, shape=3), ShapeError, "shape=3"),
    (lambda: pm.Normal("x", [0.0, 1.0], 1.0, observed=np.zeros(3)), ShapeError, "observed"),
    (lambda: pm.Normal("x", 0.0, 1.0, dims="town"), FinettiError, "town"),
    (lambda: pm.Poisson("x", 1.0, observed=[1, -1]), SupportError, "row 1"),
    (lambda: pm.Bernoulli("x", 0.5, observed=[0, 2]), SupportError, "row 1"),
    (lambda: pm.Normal("a", 0.0, 1.0), FinettiError, "'a'"),
    (lambda: pm.Normal(0.0, 1.0), ParameterError, "name"),
]


@pytest.mark.parametrize(("wrong", "error", "words"), WRONG, ids=range(len(WRONG)))
def test_mistakes_leave_the_model_as_it_was(wrong: Any, error: Any, words: str) -> None:
    with pm.Model(coords={"city": ["a", "b"]}) as model:
        pm.Normal("a", 0, 1)
        with pytest.raises(error, match=words):
            wrong()
    assert list(model.named_vars) == ["a"]
    assert len(model.value_vars) == 1


def test_no_model() -> None:
    with pytest.raises(FinettiError, match="Model"):
        pm.Normal("x", 0, 1)


def test_variables_without_a_model() -> None:
    with pm.Model() as model:
        mu = pm.Normal("mu", pm.math.log(2.0), 1)
        pm.Potential("data", pm.logp(pm.Normal.dist(mu, 1.0), np.array([0.1, 0.4])).sum())
    got = model.compile_logp()({"mu": np.asarray(0.3)})
    normal = lambda x, m: -0.5 * (x - m) ** 2 - 0.5 * np.log(2 * np.pi)  # noqa: E731
    expected = normal(0.3, np.log(2.0)) + normal(0.1, 0.3) + normal(0.4, 0.3)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_faces_are_documented_and_pickle() -> None:
    for name in ("Normal", "MvNormal", "NegativeBinomial"):
        face = getattr(pm, name)
        assert pickle.loads(pickle.dumps(face)) is face
        assert "Parameters" in face.__doc__


def test_transforms() -> None:
    with pm.Model() as model:
        interval = pm.transforms.Interval(-2.0, 3.0)
        pm.Normal("x", 0, 1, transform=interval, default_transform=None)
        pm.HalfNormal("s", 1, default_transform=None)
        pm.Uniform("u", 0, 1, transform=pm.transforms.log, default_transform=None)
    assert [value.name for value in model.value_vars] == ["x_interval__", "s", "u_log__"]
    point = {"x_interval__": np.asarray(0.4), "s": np.asarray(0.5), "u_log__": np.asarray(-1.0)}
    assert np.isfinite(model.compile_logp()(point))
    # A map that the user chose can lead out of the support, so that values are still checked.
    assert model.compile_logp()({**point, "u_log__": np.asarray(1.0)}) == -np.inf
    with pytest.raises(NotYetSupported, match="log_exp_m1"):
        pm.transforms.log_exp_m1  # noqa: B018
    with pytest.raises(ParameterError, match="neither bound"):
        pm.transforms.Interval()
