"""`pm.do` and `pm.observe`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats as stats

import finetti as pm
from finetti.errors import FinettiError
from finetti.ir import ops

# potentials do not count in forward samples, and data are imputed: both say so
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
QUIET: dict[str, Any] = dict(draws=30, tune=30, chains=2, random_seed=1, progressbar=False,
                             quiet=True, compute_convergence_checks=False)  # fmt: skip


def chain() -> pm.Model:
    with pm.Model(coords={"g": ["u", "v"]}) as model:
        w = pm.Data("w", np.array([1.0, 2.0]), dims="g")
        a = pm.Normal("a")
        b = pm.Normal("b", a * w, dims="g", initval=[0.5, 0.7])
        d = pm.Deterministic("d", 2.0 * b, dims="g")
        s = pm.HalfNormal("s")
        pm.Normal("c", d + a, s, dims="g")
        pm.Potential("soft", -(d**2).sum())
    return model


def test_density_after_both() -> None:
    model = chain()
    fixed = pm.observe(pm.do(model, {"b": [1.5, 2.0]}), {"c": [2.0, 3.0]})
    got = fixed.compile_logp()({"a": np.array(0.3), "s_log__": np.array(0.1)})
    scale = np.exp(0.1)
    exact = stats.norm.logpdf(0.3) + stats.halfnorm.logpdf(scale) + 0.1 - (9.0 + 16.0)
    exact += stats.norm.logpdf([2.0, 3.0], np.array([3.0, 4.0]) + 0.3, scale).sum()
    assert got == pytest.approx(exact, rel=1e-12)
    assert [rv.name for rv in fixed.free_RVs] == ["a", "s"]
    assert [rv.name for rv in fixed.observed_RVs] == ["c"]
    assert [x.name for x in fixed.data_vars] == ["w", "b"]
    assert [rv.name for rv in model.free_RVs] == ["a", "b", "s", "c"]  # as it was
    np.testing.assert_array_equal(model.initial_point()["b"], [0.5, 0.7])


def test_results_and_new_data() -> None:
    fixed = pm.do(chain(), {"b": 1.0, "s": 2.0})
    with pm.observe(fixed, {"c": [2.0, 3.0]}) as model:
        trace = pm.sample(**QUIET)
        pm.set_data({"w": [5.0, 5.0], "b": [0.0, 10.0]})
        again = pm.sample_posterior_predictive(trace, random_seed=1, progressbar=False)
    assert list(trace.posterior.data_vars) == ["a", "d"]
    assert trace.constant_data["b"].dims == ("g",)
    np.testing.assert_array_equal(trace.constant_data["b"], [1.0, 1.0])
    np.testing.assert_array_equal(trace.observed_data["c"], [2.0, 3.0])
    step = again.posterior_predictive["c"].mean(("chain", "draw")).diff("g").item()
    assert abs(step - 20.0) < 6 * 2.0 * np.sqrt(2 / 60)
    assert fixed["b"].get_value().tolist() == [1.0, 1.0]  # the other model's data
    assert model["w"].get_value().tolist() == [5.0, 5.0]


def test_interventions_cut_what_decided_a_variable() -> None:
    model = pm.do(chain(), {"d": 0.0, "a": 1})
    drawn = pm.draw(model["c"], draws=4000, random_seed=1)
    assert np.abs(drawn.mean(0) - 1.0).max() < 6.0 / np.sqrt(4000)
    assert model.deterministics == [] and "b" in [rv.name for rv in model.free_RVs]


def test_variables_are_keys_too_and_priors_stay() -> None:
    model = chain()
    fixed = pm.do(model, {model["b"]: np.zeros(2)})
    prior = pm.sample_prior_predictive(draws=20, model=fixed, random_seed=1)
    assert set(prior.prior.data_vars) == {"a", "s", "c", "d"}
    observed = pm.observe(model, {model["s"]: 1.0})
    assert observed.rvs_to_values[observed["s"]].eval() == 1.0


def test_missing_and_discrete_variables() -> None:
    with pm.Model() as model:
        rate = pm.Gamma("rate", 2.0, 1.0)
        pm.Poisson("n", rate, observed=[1, 2, 3])
        pm.Normal("y", rate, 1.0, observed=[0.1, np.nan])
    fixed = pm.do(model, {"rate": 2.0})
    assert [rv.name for rv in fixed.free_RVs] == ["y_unobserved"]
    point = {"y_unobserved": np.array([1.0])}
    exact = stats.poisson.logpmf([1, 2, 3], 2.0).sum() + stats.norm.logpdf([0.1, 1.0], 2.0).sum()
    assert fixed.compile_logp()(point) == pytest.approx(exact)


def test_observed_variables_are_observed_anew() -> None:
    first = pm.observe(chain(), {"c": [2.0, 3.0]})
    other = pm.observe(first, {first["c"]: ops.ones(2) * 4.0})
    fresh = pm.observe(chain(), {"c": [4.0, 4.0]})
    point = fresh.initial_point()
    assert other.compile_logp()(point) == fresh.compile_logp()(point)
    assert other.compile_logp()(point) != first.compile_logp()(point)
    assert [rv.name for rv in other.observed_RVs] == ["c"]
    np.testing.assert_array_equal(first.rvs_to_values[first["c"]].eval(), [2.0, 3.0])


WRONG = (
    (lambda m: pm.do("b", {"b": 1.0}), "expected a model first"),
    (lambda m: pm.do(m, {"b": m["w"]}), "tensor"),
    (lambda m: pm.do(m, {"z": 1.0}), "no variable"),
    (lambda m: pm.do(m, {"b": np.ones(3)}), r"shape \(3,\)"),
    (lambda m: pm.do(m, {"b": m["a"]}), "tensor"),
    (lambda m: pm.do(m, {}), "expected a dict"),
    (lambda m: pm.do(m, {"b": 1.0}, prune_vars=True), "prune_vars"),
    (lambda m: pm.observe(m, {"d": 1.0}), "no random variable"),
    (lambda m: pm.observe(m, {"s": -1.0}), "outside the support"),
)


@pytest.mark.parametrize(("call", "match"), WRONG, ids=[match for _, match in WRONG])
def test_mistakes(call: Any, match: str) -> None:
    with pytest.raises(FinettiError, match=match):
        call(chain())
