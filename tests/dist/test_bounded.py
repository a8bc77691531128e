"""Truncated and censored distributions in PyMC's spelling, beyond what its stored values show.

The statistical tests have fixed seeds and pass with probability above 1 - 1e-6.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats as stats
from tests.dist.helpers import value_of

import finetti as pm
from finetti.dist import DISTRIBUTIONS, make_rv, rv_params
from finetti.dist.functions import icdf, logccdf, logcdf, logp
from finetti.errors import FinettiError, NotYetSupported, ParameterError, SamplingError

SEED, ALARM, MANY = 20260701, 1e-6, 20_000
WHOLE = np.arange(-2, 120)
# Base, its SciPy twin, and bounds.
DISCRETE = (
    ("Poisson", (2.4,), stats.poisson(2.4), 1, 9),
    ("Poisson", (2.4,), stats.poisson(2.4), 0.5, None),
    ("Geometric", (0.3,), stats.geom(0.3), 2, 9),
    ("Binomial", (10, 0.3), stats.binom(10, 0.3), None, 5),
    ("DiscreteUniform", (0, 20), stats.randint(0, 21), 3, 6.5),
    ("NegativeBinomial", (3.0, 2.0), stats.nbinom(2.0, 0.4), 2, None),
)


def base(name: str, args: tuple[Any, ...]) -> Any:
    return getattr(pm, name).dist(*args)


@pytest.mark.parametrize(("name", "args", "twin", "lower", "upper"), DISCRETE)
def test_truncated_whole_numbers(name: str, args: Any, twin: Any, lower: Any, upper: Any) -> None:
    rv = pm.Truncated.dist(base(name, args), lower, upper)
    low, high = -np.inf if lower is None else lower, np.inf if upper is None else upper
    kept = np.where((low <= WHOLE) & (high >= WHOLE), twin.pmf(WHOLE), 0.0)
    np.testing.assert_allclose(
        np.exp(value_of(logp(rv, WHOLE))), kept / kept.sum(), rtol=1e-10, atol=1e-14
    )
    below = np.cumsum(kept) / kept.sum()
    np.testing.assert_allclose(np.exp(value_of(logcdf(rv, WHOLE))), below, rtol=1e-9, atol=1e-12)
    drawn = pm.draw(rv, MANY, random_seed=SEED)
    assert drawn.dtype == np.int64
    seen = kept > 0
    counts = np.array([(drawn == k).sum() for k in WHOLE])
    assert counts[~seen].sum() == 0
    often = kept / kept.sum() * MANY > 5
    expected = (kept / kept.sum() * MANY)[often]
    assert (
        stats.chisquare(counts[often], expected / expected.sum() * counts[often].sum())[1] > ALARM
    )


CONTINUOUS = (
    ("Gamma", (2.0, 0.5), stats.gamma(2.0, scale=2.0), 1.5, 6.0),
    ("Weibull", (1.5, 2.0), stats.weibull_min(1.5, scale=2.0), None, 1.0),
    ("StudentT", (3.0, 0.5), stats.t(3.0, 0.5), 4.0, None),
    ("Exponential", (1.0,), stats.expon(), 2.0, 3.0),
    ("Wald", (2.0, 3.0), stats.invgauss(2.0 / 3.0, scale=3.0), 1.0, 4.0),
)


@pytest.mark.parametrize(("name", "args", "twin", "lower", "upper"), CONTINUOUS)
def test_truncated_draws(name: str, args: Any, twin: Any, lower: Any, upper: Any) -> None:
    drawn = pm.draw(pm.Truncated.dist(base(name, args), lower, upper), MANY, random_seed=SEED)
    low = 0.0 if lower is None else twin.cdf(lower)
    high = 1.0 if upper is None else twin.cdf(upper)
    assert stats.kstest((twin.cdf(drawn) - low) / (high - low), "uniform").pvalue > ALARM


def test_rejection_ends() -> None:
    rare = pm.Truncated.dist(pm.Poisson.dist(30.0), upper=2, max_n_steps=5)
    with pytest.raises(SamplingError, match="max_n_steps"):
        pm.draw(rare, random_seed=1)


@pytest.mark.parametrize("where", ["mixture", "censored"])
def test_rejection_is_not_part_of_others(where: str) -> None:
    inner = pm.Truncated.dist(pm.Poisson.dist(3.0), lower=1)
    rv = (
        pm.Censored.dist(inner, upper=5)
        if where == "censored"
        else pm.Mixture.dist([0.5, 0.5], [inner, pm.Poisson.dist(9.0)])
    )
    assert np.isfinite(value_of(logp(rv, 2)))
    with pytest.raises(NotYetSupported, match="rejection"):
        pm.draw(rv)


def test_bounds_that_are_none_or_infinite_leave_the_distribution() -> None:
    for make in (pm.Censored, pm.Truncated):
        rv = make.dist(pm.Gamma.dist(2.0, 1.0), -np.inf, np.inf)
        assert rv_params(rv)[0] is DISTRIBUTIONS["Gamma"]
    assert rv_params(pm.Censored.dist(pm.Normal.dist()))[0] is DISTRIBUTIONS["Normal"]
    assert rv_params(pm.Truncated.dist(pm.Normal.dist(), 0.0))[0].name == "TruncatedNormal"


def test_censored_is_a_clipped_variable() -> None:
    rv = pm.Censored.dist(pm.Normal.dist(0.3, 2.0), -1.0, 2.0)
    drawn = pm.draw(rv, MANY, random_seed=SEED)
    twin = stats.norm(0.3, 2.0)
    for bound, share in ((-1.0, twin.cdf(-1.0)), (2.0, twin.sf(2.0))):
        assert stats.binomtest(int((drawn == bound).sum()), MANY, share).pvalue > ALARM
    np.testing.assert_allclose(value_of(icdf(rv, [0.001, 0.5, 0.999])), [-1.0, 0.3, 2.0])


@pytest.mark.parametrize("bound", [np.inf, 1e4, None])
def test_gradients_are_finite_where_nothing_is_censored(bound: float | None) -> None:
    """Bounds far away, at the edge of the support, and infinite ones in data."""
    data = np.array([0.1, 0.4, 3.0])
    upper = np.array([np.inf, 2.0, 3.0]) if bound is None else bound
    with pm.Model() as model:
        a = pm.HalfNormal("a")
        lower = pm.Data("lower", np.zeros(3))
        dist = pm.Gamma.dist(a, 0.5) if bound == 1e4 else pm.LogNormal.dist(0.2, a)
        pm.Censored("y", dist, lower, upper, observed=data)
    slope = model.compile_dlogp()({"a_log__": np.array(0.1)})
    value = model.compile_logp(vars=[model["a"]])({"a_log__": np.array(0.1)})
    assert np.isfinite(slope).all() and np.isfinite(value)


def test_survival_posterior() -> None:
    """An exponential time, censored: the posterior of its rate is a gamma distribution."""
    rng = np.random.default_rng(SEED)
    time, limit = rng.exponential(2.0, 60), rng.uniform(1.0, 4.0, 60)
    seen = np.minimum(time, limit)
    with pm.Model() as model:
        rate = pm.Gamma("rate", 2.0, 2.0)
        y = pm.Censored(
            "y", pm.Exponential.dist(rate), lower=None, upper=limit, observed=seen, dims=None
        )
        trace = pm.sample(random_seed=SEED, progressbar=False)
        future = pm.sample_posterior_predictive(trace, random_seed=1, progressbar=False)
    assert y.shape == (60,)
    exact = stats.gamma(2 + (time < limit).sum(), scale=1 / (2.0 + seen.sum()))
    draws = trace.posterior["rate"].values
    error = exact.std() / np.sqrt(0.25 * draws.size)  # at least a quarter of them count
    assert abs(draws.mean() - exact.mean()) < 5.0 * error
    again = future.posterior_predictive["y"].values
    assert (again <= limit).all() and (again == limit).any() and (again < limit).any()
    assert set(model.initial_point()) == {"rate_log__"}


def test_free_variables() -> None:
    with pm.Model() as model:
        pm.Truncated("t", pm.Gamma.dist(2.0, 1.0), upper=3.0, shape=2)
        pm.Truncated("k", pm.Poisson.dist(3.0), 1, 8)
        with pytest.warns(UserWarning, match="not observed"):
            pm.Censored("c", pm.Normal.dist(), -1.0, 1.0)
        prior = pm.sample_prior_predictive(200, random_seed=SEED).prior
    # PyMC maps t below 3 only, into numbers that a gamma variable cannot have.
    assert set(model.initial_point()) == {"t_interval__", "k", "c"}
    assert prior["k"].values.min() == 1 and prior["k"].values.max() == 8
    assert prior["t"].values.max() < 3.0


WRONG = (
    (lambda: pm.Truncated.dist(pm.Normal.dist()), "lower"),
    (lambda: pm.Truncated.dist(pm.Normal, 0.0), "pm.Normal.dist"),
    (lambda: pm.Truncated.dist(pm.MvNormal.dist([0.0], [[1.0]]), 0.0), "single numbers"),
    (lambda: pm.Censored.dist(pm.MvNormal.dist([0.0], [[1.0]]), 0.0), "single numbers"),
    (lambda: pm.Truncated.dist(pm.Normal.dist(), 1.0, 0.0), "above upper"),
    (lambda: pm.Truncated.dist(pm.SkewNormal.dist(1.0), 1.0), "distribution function"),
    (lambda: pm.Truncated.dist(pm.Poisson.dist(1.0), 1, max_n_steps=0.5), "max_n_steps"),
    (lambda: pm.Censored.dist(pm.Poisson.dist(1.0), 0.5), "whole numbers"),
    (lambda: pm.Censored.dist(3.0, 0.5), "without a name"),
    (lambda: pm.Censored.dist(pm.Normal.dist(), low=0.5), "lower"),
)


@pytest.mark.parametrize(("call", "match"), WRONG, ids=[match for _, match in WRONG])
def test_mistakes(call: Any, match: str) -> None:
    with pytest.raises(FinettiError, match=match):
        call()


def test_registered_variables_are_refused() -> None:
    with pm.Model(), pytest.raises(ParameterError, match="model's variable"):
        pm.Censored("y", pm.Normal("x"), 0.0, observed=1.0)


TAILS = [key for key, dist in DISTRIBUTIONS.items() if dist.ccdf is not None]


@pytest.mark.parametrize("key", TAILS)
def test_upper_tails(key: str) -> None:
    """Against the difference to one, and against SciPy where that has no digits left."""
    record = DISTRIBUTIONS[key]
    rv = make_rv(record, {name: np.asarray(x) for name, x in record.samples[0].items()})
    middle = np.atleast_1d(pm.draw(rv, 5, random_seed=SEED))
    below = np.exp(value_of(logcdf(rv, middle)))
    np.testing.assert_allclose(np.exp(value_of(logccdf(rv, middle))), 1.0 - below, atol=1e-12)


FAR = (
    (pm.Normal.dist(0.0, 1.0), 30.0, stats.norm()),
    (pm.Exponential.dist(2.0), 400.0, stats.expon(scale=0.5)),
    (pm.Weibull.dist(1.5, 2.0), 100.0, stats.weibull_min(1.5, scale=2.0)),
    (pm.Gamma.dist(2.0, 0.5), 200.0, stats.gamma(2.0, scale=2.0)),
    (pm.Poisson.dist(2.0), 40, stats.poisson(2.0)),
    (pm.Binomial.dist(100, 0.1), 60, stats.binom(100, 0.1)),
    (pm.Beta.dist(2.0, 20.0), 0.97, stats.beta(2.0, 20.0)),
)


@pytest.mark.parametrize(("rv", "value", "twin"), FAR, ids=lambda x: str(x)[:12])
def test_far_tails(rv: Any, value: float, twin: Any) -> None:
    np.testing.assert_allclose(value_of(logccdf(rv, value)), twin.logsf(value), rtol=1e-9)
