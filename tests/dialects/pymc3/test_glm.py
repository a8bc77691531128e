"""pm.glm: names, priors and likelihoods of PyMC3's formula models."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from finetti.dialects import pymc3 as pm
from finetti.errors import ParameterError, ShapeError

pytest.importorskip("formulae", reason="the extra finetti[formula] is not installed")

X = np.array([0.1, -0.4, 0.8, 1.5, 0.3, -1.2])
G = ["a", "b", "a", "c", "b", "c"]
DATA = {
    "normal": np.array([0.2, -0.5, 1.1, 2.0, 0.1, -1.0]),
    "student": np.array([0.2, -0.5, 1.1, 2.0, 0.1, -1.0]),
    "binomial": np.array([1, 0, 1, 1, 0, 0]),
    "poisson": np.array([1, 0, 3, 5, 1, 0]),
    "negative_binomial": np.array([1, 0, 3, 5, 1, 0]),
}
OTHERS = {"normal": {"sd": 0.7}, "student": {"lam": 1.3}, "negative_binomial": {"alpha": 2.0}}
LIKELIHOODS = {
    "normal": lambda eta: stats.norm.logpdf(DATA["normal"], eta, 0.7),
    "student": lambda eta: stats.t.logpdf(DATA["student"], 1, eta, 1.3**-0.5),
    "binomial": lambda eta: stats.bernoulli.logpmf(DATA["binomial"], 1 / (1 + np.exp(-eta))),
    "poisson": lambda eta: stats.poisson.logpmf(DATA["poisson"], np.exp(eta)),
    "negative_binomial": lambda eta: stats.nbinom.logpmf(
        DATA["negative_binomial"], 2.0, 2.0 / (2.0 + np.exp(eta))
    ),
}


@pytest.mark.parametrize("family", DATA)
def test_log_density_of_each_family(family):
    frame = pd.DataFrame({"y": DATA[family], "x": X})
    with pm.Model() as model:
        pm.glm.GLM.from_formula("y ~ x", frame, family=family)
    others = OTHERS.get(family, {})
    assert [rv.name for rv in model.free_RVs] == ["Intercept", "x", *others]
    point = {"Intercept": 0.3, "x": 0.9, **{f"{n}_log__": np.log(v) for n, v in others.items()}}
    logps = model.compile_logp(jacobian=False, sum=False)(
        {k: np.array(v) for k, v in point.items()}
    )
    by_name = dict(zip([rv.name for rv in model.basic_RVs], logps, strict=True))
    np.testing.assert_allclose(by_name["y"], LIKELIHOODS[family](0.3 + 0.9 * X), rtol=1e-12)
    np.testing.assert_allclose(by_name["Intercept"], 0.0)
    np.testing.assert_allclose(by_name["x"], stats.norm.logpdf(0.9, 0, 1000))
    for name, value in others.items():
        np.testing.assert_allclose(by_name[name], stats.halfcauchy.logpdf(value, scale=10))


REFERENCE = json.loads((Path(__file__).parents[2] / "data" / "patsy_reference.json").read_text())


@pytest.mark.parametrize("formula", REFERENCE["formulas"])
def test_columns_are_patsys(formula):
    """Names, order and numbers (`tools/make_patsy_reference.py`)."""
    with pm.Model() as model:
        component = pm.glm.LinearComponent.from_formula(formula, REFERENCE["data"])
    expected = REFERENCE["formulas"][formula]
    assert [rv.name for rv in model.free_RVs] == list(expected)
    point = {name: np.array(0.3 + k) for k, name in enumerate(expected)}
    weights = 0.3 + np.arange(len(expected))
    got = model.fn(component.y_est)(point)
    np.testing.assert_allclose(got, np.transpose(list(expected.values())) @ weights, rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "match"),
    [
        ("y ~ nope", "no column 'nope'. Valid names"),
        ("y ~ xx", "Did you mean 'x'"),
        ("nope ~ x", "no column 'nope'"),
        ("x", "terms on both sides"),
    ],
)
def test_wrong_formulas(formula, match):
    with pytest.raises(ParameterError, match=match):
        pm.glm.LinearComponent.from_formula(formula, {"y": DATA["normal"], "x": X, "g": G})


def test_priors_vars_offset_and_prefix():
    family = pm.glm.families.Normal(priors={"sd": pm.HalfNormal.dist(sd=2.0)})
    with pm.Model() as model:
        slope = pm.Laplace("slope", 0, 1)
        pm.glm.GLM(
            X, DATA["normal"], labels=["x"], family=family, vars={"x": slope}, name="left",
            priors={"Intercept": pm.Normal.dist(mu=1.0, sd=3.0)}, offset=0.5,
        )  # fmt: skip
    assert [rv.name for rv in model.free_RVs] == ["slope", "left_Intercept", "left_sd"]
    point = {"slope": np.array(0.9), "left_Intercept": np.array(0.2),
             "left_sd_log__": np.log(np.array(0.7))}  # fmt: skip
    logps = model.compile_logp(jacobian=False, sum=False)(point)
    by_name = dict(zip([rv.name for rv in model.basic_RVs], logps, strict=True))
    np.testing.assert_allclose(
        by_name["left_y"], stats.norm.logpdf(DATA["normal"], 0.7 + 0.9 * X, 0.7), rtol=1e-12
    )
    np.testing.assert_allclose(by_name["left_Intercept"], stats.norm.logpdf(0.2, 1, 3))
    np.testing.assert_allclose(by_name["left_sd"], stats.halfnorm.logpdf(0.7, scale=2))


def test_a_model_of_its_own_and_one_prior_for_all_regressors():
    x = pd.DataFrame({"u": X, "v": X**2})
    glm = pm.glm.GLM(x, DATA["poisson"], True, None, {"Regressor": pm.Normal.dist(0, 2)}, None,
                     "poisson")  # fmt: skip
    assert [rv.name for rv in glm.model.free_RVs] == ["Intercept", "u", "v"]
    with glm:
        trace = pm.sample(50, tune=100, chains=2, random_seed=1, progressbar=False,
                          compute_convergence_checks=False)  # fmt: skip
    assert trace["u"].shape == (100,)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: pm.glm.GLM(X, DATA["normal"], family="gauss"), ParameterError, "family='gauss'"),
        (lambda: pm.glm.families.Normal(sigma=1), ParameterError, "sigma"),
        (lambda: pm.glm.families.Normal(link="log"), ParameterError, "link='log'"),
        (lambda: pm.glm.GLM(X, DATA["normal"][:4]), ShapeError, "6 rows and y has 4"),
        (lambda: pm.glm.GLM(X, DATA["normal"], labels=["a", "b"]), ShapeError, "2 labels"),
        (lambda: pm.glm.GLM.from_formula("x", {"x": X}), ParameterError, "both sides"),
        (
            lambda: pm.glm.GLM.from_formula("y ~ (1|g)", {"y": DATA["normal"], "g": G}),
            ParameterError, "not PyMC3's",
        ),
    ],
)  # fmt: skip
def test_mistakes(wrong, error, words):
    with pytest.raises(error, match=words), pm.Model():
        wrong()
