"""Models with discrete unknowns: the steps that are chosen, and answers equal to enumeration.

Every estimate is compared with the exact value in units of its Monte Carlo error. With 5 units and
about 60 comparisons of fixed seeds a false alarm has probability 4e-5.
"""

import itertools
import logging

import numpy as np
import pytest

import finetti as pm
from finetti.errors import InitialPointError, ModelError, ParameterError
from finetti.ir import ops
from finetti.results.arviz import to_draws
from finetti.results.diagnostics import mcse

UNITS = 5.0
RNG = np.random.default_rng(7)
QUIET = {"progressbar": False, "compute_convergence_checks": False}


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, logger="finetti")
    return caplog


def lines(log):
    return [record.getMessage() for record in log.records]


# -- models of whole numbers only, small enough to be enumerated ----------------------------------


def coins():
    """Bernoulli variables that hang together through a sum and a product."""
    with pm.Model() as model:
        a = pm.Bernoulli("a", 0.3, shape=4)
        b = pm.Bernoulli("b", pm.math.sigmoid(a.sum() - 1.0))
        pm.Normal("y", a[:2] * 2.0 + b, 1.0, observed=[0.4, 2.2])
        pm.Potential("tie", 0.8 * a[0] * a[3])
    return model, {"a": itertools.product((0, 1), repeat=4), "b": (0, 1)}


def hidden_chain():
    """A Markov chain of three states seen through noise, and its first state by itself."""
    move = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]])
    with pm.Model() as model:
        z = pm.Categorical("z", p=np.ones(3) / 3, shape=5)
        pm.Potential("moves", pm.math.log(ops.as_tensor(move)[z[:-1], z[1:]]))
        pm.Normal("y", z * 1.5, 1.2, observed=[0.3, 1.1, 2.0, 2.4, 0.1])
    return model, {"z": itertools.product(range(3), repeat=5)}


def categories_of_several_kinds():
    """Categorical variables with two and four categories, one inside the other's probabilities."""
    table = np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]])
    with pm.Model() as model:
        two = pm.Categorical("two", p=[0.6, 0.4])
        four = pm.Categorical("four", p=ops.as_tensor(table)[two], shape=2)
        pm.Poisson("y", 1.0 + four, observed=[3, 1])
    return model, {"two": (0, 1), "four": itertools.product(range(4), repeat=2)}


def switch():
    counts = np.array([4, 5, 3, 1, 0, 2])
    with pm.Model() as model:
        at = pm.DiscreteUniform("at", 0, 6)
        pm.Poisson("y", pm.math.switch(np.arange(6) < at, 4.0, 1.0), observed=counts)
    return model, {"at": range(7)}


def two_counts():
    """Poisson and binomial numbers of which only a sum is seen: strongly correlated."""
    with pm.Model() as model:
        n = pm.Poisson("n", 3.0)
        k = pm.Binomial("k", 6, 0.4)
        pm.Normal("y", n + k, 1.5, observed=6.5)
    return model, {"n": range(30), "k": range(7)}


ENUMERATED = {
    "coins": (coins, ["BinaryGibbsMetropolis: [a, b]"]),
    "chain": (hidden_chain, ["CategoricalGibbsMetropolis: [z]"]),
    "categories": (
        categories_of_several_kinds,
        [
            "CompoundStep", ">BinaryGibbsMetropolis: [two]",
            ">CategoricalGibbsMetropolis: [four]",
        ],
    ),
    "switch": (switch, ["Metropolis: [at]"]),
    "counts": (two_counts, ["CompoundStep", ">Metropolis: [n]", ">Metropolis: [k]"]),
}  # fmt: skip


def enumerated(model, space):
    """Rows of all values, and their posterior probabilities."""
    names = [value.name for value in model.density().values]
    rows = [
        np.concatenate([np.ravel(part) for part in parts])
        for parts in itertools.product(*(list(space[name]) for name in names))
    ]
    rows = np.array(rows, float)
    density = model.density()
    from finetti.model.compile import compile_outputs, map_rows

    logp = map_rows(compile_outputs([density.logp().node], density.inputs), rows)[:, 0]
    weights = np.exp(logp - logp.max())
    return rows, weights / weights.sum()


def moments(rows):
    """What is compared: every value, its square, and products of neighbours, [..., k]."""
    return np.concatenate([rows, rows**2, rows[..., 1:] * rows[..., :-1]], -1)


def check(model, space, draws):
    names = [value.name for value in model.density().values]
    rows, weights = enumerated(model, space)
    exact = weights @ moments(rows)
    walked = np.concatenate(
        [draws.posterior[n].reshape(*draws.posterior[n].shape[:2], -1) for n in names], -1
    )
    samples = moments(walked.astype(float))
    error = np.array(
        [float(mcse(samples[..., i])) if samples[..., i].std() else 0.0 for i in range(len(exact))]
    )
    off = np.abs(samples.mean((0, 1)) - exact)
    assert (off <= UNITS * error + 1e-12).all(), np.c_[exact, off, error]


@pytest.mark.parametrize("name", ENUMERATED)
def test_plain_sample_agrees_with_enumeration(name, log):
    make, wanted = ENUMERATED[name]
    model, space = make()
    result = to_draws(pm.sample(4000, tune=1000, random_seed=11, model=model, **QUIET))
    assert lines(log)[1 : 1 + len(wanted)] == wanted
    for value in result.posterior.values():
        assert value.dtype == np.int64
    check(model, space, result)


STEPS = {
    "exact": lambda m: pm.ElemwiseCategorical([m["z"]]),
    "proportional": lambda m: pm.CategoricalGibbsMetropolis([m["z"]], proposal="proportional"),
    "in order": lambda m: pm.CategoricalGibbsMetropolis([m["z"]], order=[4, 3, 2, 1, 0]),
    "random walk": lambda m: pm.Metropolis([m["z"]]),
}


@pytest.mark.parametrize("name", STEPS)
def test_other_steps_for_the_chain(name):
    model, space = hidden_chain()
    with model:
        step = STEPS[name](model)
        result = to_draws(pm.sample(5000, tune=1000, step=step, random_seed=2, **QUIET))
    check(model, space, result)


@pytest.mark.parametrize(
    "make",
    [
        lambda m: pm.BinaryMetropolis([m["a"], m["b"]]),
        lambda m: [pm.BinaryMetropolis([m["a"]]), pm.CategoricalGibbsMetropolis([m["b"]])],
        lambda m: pm.BinaryGibbsMetropolis([m["b"], m["a"]], order=[1, 2, 3, 4, 0], transit_p=1.0),
        lambda m: [pm.Metropolis([m["a"]], blocked=True)],
    ],
    ids=["binary", "mixed", "ordered", "walk"],
)
def test_other_steps_for_the_coins(make):
    model, space = coins()
    with model:
        result = to_draws(pm.sample(6000, tune=1000, step=make(model), random_seed=3, **QUIET))
    check(model, space, result)


# -- with continuous variables --------------------------------------------------------------------


def test_poisson_steps_reach_all_numbers_whatever_their_scale():
    model, space = two_counts()
    with model:
        steps = [
            pm.Metropolis([model["n"]], scaling=2.0, tune=False, proposal_dist=pm.PoissonProposal),
            pm.Metropolis([model["k"]]),
        ]
        draws = to_draws(
            pm.sample(6000, tune=500, chains=4, cores=1, step=steps, random_seed=4, **QUIET)
        )
    assert [np.unique(chain % 2).size for chain in draws.posterior["n"]] == [2] * 4
    check(model, space, draws)


def mixture(n=40):
    y = np.concatenate([RNG.normal(-2, 1, n // 2), RNG.normal(2, 1, n - n // 2)])
    with pm.Model() as model:
        w = pm.Beta("w", 2, 2)
        mu = pm.Normal("mu", [-2.0, 2.0], 1.0)
        z = pm.Bernoulli("z", w, shape=n)
        pm.Normal("y", mu[z], 1.0, observed=y)
    return model, y


def test_nuts_and_gibbs_together_equal_the_sum_over_the_latents(log):
    model, y = mixture()
    result = to_draws(pm.sample(2000, tune=1000, random_seed=5, model=model, **QUIET))
    assert lines(log)[:4] == [
        lines(log)[0], "CompoundStep", ">NUTS: [w, mu]", ">BinaryGibbsMetropolis: [z]",
    ]  # fmt: skip
    with pm.Model() as summed:
        w = pm.Beta("w", 2, 2)
        mu = pm.Normal("mu", [-2.0, 2.0], 1.0)
        pm.Mixture("y", pm.math.stack([1 - w, w]), [pm.Normal.dist(mu[0], 1.0),
                   pm.Normal.dist(mu[1], 1.0)], observed=y)  # fmt: skip
    other = to_draws(pm.sample(2000, tune=1000, random_seed=6, model=summed, **QUIET))
    for name in ("w", "mu"):
        a, b = result.posterior[name], other.posterior[name]
        error = np.hypot(mcse(a), mcse(b))
        assert (np.abs(a.mean((0, 1)) - b.mean((0, 1))) < UNITS * error).all(), name
    lp = model.compile_logp(backend="reference")
    value = result.posterior["w"][1, 7]
    point = {
        "w_logodds__": np.log(value / (1 - value)),
        "mu": result.posterior["mu"][1, 7],
        "z": result.posterior["z"][1, 7],
    }
    assert result.sample_stats["lp"][1, 7] == pytest.approx(lp(point), rel=1e-9)


def test_a_switchpoint_with_rates():
    counts = np.array([5, 6, 4, 5, 1, 0, 2, 1])
    with pm.Model() as model:
        at = pm.DiscreteUniform("at", 0, 8)
        early, late = pm.Gamma("early", 3.0, 1.0), pm.Gamma("late", 3.0, 1.0)
        pm.Poisson("y", pm.math.switch(np.arange(8) < at, early, late), observed=counts)
    draws = to_draws(pm.sample(4000, tune=1000, random_seed=8, model=model, **QUIET))
    from scipy.special import gammaln

    logs = []
    for k in range(9):  # the rates integrate to a ratio of gamma functions
        total = 0.0
        for part in (counts[:k], counts[k:]):
            a, b = 3.0 + part.sum(), 1.0 + len(part)
            total += gammaln(a) - a * np.log(b)
        logs.append(total)
    p = np.exp(np.array(logs) - max(logs))
    p /= p.sum()
    for k in range(9):
        hit = (draws.posterior["at"] == k).astype(float)
        if hit.std():
            assert abs(hit.mean() - p[k]) < UNITS * float(mcse(hit)), k
        else:
            assert p[k] < 1e-3


# -- leaves ---------------------------------------------------------------------------------------


def with_leaves():
    with pm.Model() as model:
        rate = pm.Gamma("rate", 30.0, 10.0)
        pm.Poisson("y", rate, observed=[2, 4, 3])
        pred = pm.Poisson("pred", rate, shape=3)
        thin = pm.Binomial("thin", pred[0], 0.5)
        pm.Deterministic("both", pred.sum() + thin)
        pm.Deterministic("double", 2 * rate)
    return model


def test_leaves_are_drawn_exactly(log):
    draws = to_draws(pm.sample(3000, random_seed=4, model=with_leaves(), **QUIET))
    text = lines(log)
    assert "NUTS: [rate]" in text
    for name in ("pred", "thin"):
        said = f"{name}: drawn exactly from its distribution, given the draws of the others"
        assert said in text
    post = draws.posterior
    assert list(post) == ["rate", "pred", "thin", "both", "double"]
    assert draws.attrs["drawn_exactly"] == "pred, thin"
    assert post["pred"].shape == (4, 3000, 3) and post["pred"].dtype == np.int64
    np.testing.assert_array_equal(post["both"], post["pred"].sum(-1) + post["thin"])
    np.testing.assert_allclose(post["double"], 2 * post["rate"])
    assert (post["thin"] <= post["pred"][..., 0]).all()
    # rate | y is Gamma(39, 13), so a prediction is negative binomial
    mean, var = 3.0, 3.0 + 3.0 / 13
    pred = post["pred"].reshape(-1, 3)
    error = np.sqrt(var / len(pred) * 4)  # the chain of rates is correlated
    assert (np.abs(pred.mean(0) - mean) < UNITS * error).all()
    assert np.abs(pred.var(0) - var).max() < 0.3
    assert abs(post["thin"].mean() - 1.5) < UNITS * error


def test_leaves_do_not_change_the_walk_of_the_others():
    with pm.Model() as bare:
        rate = pm.Gamma("rate", 30.0, 10.0)
        pm.Poisson("y", rate, observed=[2, 4, 3])
    few = {"draws": 200, "tune": 200, "random_seed": 4, **QUIET}
    a = to_draws(pm.sample(model=bare, **few))
    b = to_draws(pm.sample(model=with_leaves(), **few))
    np.testing.assert_array_equal(a.posterior["rate"], b.posterior["rate"])
    np.testing.assert_array_equal(a.sample_stats["lp"], b.sample_stats["lp"])


def test_leaves_have_the_same_bits_on_any_number_of_cores(monkeypatch):
    from finetti.infer import leaves

    monkeypatch.setattr(leaves, "CHUNK", 500)
    few = {"draws": 100, "tune": 50, "chains": 2, "random_seed": 4, **QUIET}
    a = to_draws(pm.sample(model=with_leaves(), cores=1, **few))
    b = to_draws(pm.sample(model=with_leaves(), cores=3, **few))
    for name in a.posterior:
        np.testing.assert_array_equal(a.posterior[name], b.posterior[name])


def test_no_two_leaves_chunks_or_phases_share_random_numbers(monkeypatch):
    from finetti.infer import leaves

    monkeypatch.setattr(leaves, "CHUNK", 200)
    with pm.Model() as model:
        pm.Normal("x")
        pm.DiscreteUniform("u", 0, 10**15, shape=2)
        pm.DiscreteUniform("v", 0, 10**15)
    draws = to_draws(
        pm.sample(100, tune=100, chains=2, random_seed=4, discard_tuned_samples=False, model=model,
                  **QUIET)
    )  # fmt: skip
    numbers = [
        group[name].ravel()
        for group in (draws.posterior, draws.warmup_posterior)
        for name in ("u", "v")
    ]
    numbers = np.concatenate(numbers)
    assert len(np.unique(numbers)) == len(numbers) == 1200


def test_leaves_of_the_warmup_and_of_var_names():
    draws = to_draws(
        pm.sample(50, tune=60, chains=2, random_seed=4, discard_tuned_samples=False,
                  var_names=["thin"], model=with_leaves(), **QUIET)
    )  # fmt: skip
    assert list(draws.posterior) == ["thin"]
    assert draws.warmup_posterior["thin"].shape == (2, 60)
    assert (draws.warmup_posterior["thin"][:, :50] != draws.posterior["thin"]).any()


def test_an_explicit_step_walks_a_leaf_but_a_step_for_all_does_not(log):
    few = {"draws": 50, "tune": 50, "chains": 2, "random_seed": 4, **QUIET}
    model = with_leaves()
    with model:
        pm.sample(step=pm.Metropolis([model["thin"]]), **few)
        assert ">Metropolis: [thin]" in lines(log)
        # what a walked variable depends on is walked too
        assert ">Metropolis: [pred]" in lines(log)
        assert not any("drawn exactly" in line for line in lines(log))
        log.clear()
        pm.sample(step=pm.Metropolis(), **few)
        assert "Metropolis: [rate]" in lines(log)
        assert sum("drawn exactly" in line for line in lines(log)) == 2


def test_a_model_of_leaves_only():
    with pm.Model() as model:
        k = pm.Poisson("k", 3.0)
        pm.Binomial("j", k, 0.5, shape=2)
    draws = to_draws(pm.sample(1000, tune=10, random_seed=1, model=model, **QUIET))
    assert draws.posterior["k"].shape == (4, 1000)
    assert draws.posterior["j"].shape == (4, 1000, 2)
    assert abs(draws.posterior["k"].mean() - 3.0) < UNITS * np.sqrt(3 / 4000)
    assert abs(draws.posterior["j"].mean() - 1.5) < UNITS * np.sqrt(1.5 / 4000)


def test_leaves_below_observed_variables_see_the_data():
    with pm.Model() as model:
        m = pm.Normal("m", 0, 1)
        y = pm.Poisson("y", pm.math.exp(m), observed=[0, 50])
        pm.Poisson("again", y + 1e-9, shape=2)
    draws = to_draws(pm.sample(500, tune=200, random_seed=1, model=model, **QUIET))
    again = draws.posterior["again"]
    assert (again[..., 0] == 0).all() and abs(again[..., 1].mean() - 50) < 2


# -- errors ---------------------------------------------------------------------------------------


def test_a_start_outside_of_the_support_names_the_variable():
    with pm.Model() as model:
        at = pm.DiscreteUniform("at", 0, 5, initval=9)
        pm.Normal("y", at, 1.0, observed=3.0)
    with pytest.raises(InitialPointError, match=r"DiscreteUniform 'at'.*initval"):
        pm.sample(50, tune=50, model=model, **QUIET)


def test_a_term_that_no_step_touches_is_checked_too():
    with pm.Model() as model:
        at = pm.DiscreteUniform("at", 0, 5)
        scale = pm.Data("scale", -1.0)
        pm.Normal("x", at, 1.0, observed=2.0)
        pm.Normal("y", 0.0, scale, observed=3.0)
    with pytest.raises(InitialPointError, match=r"Normal 'y'.*sigma must be positive"):
        pm.sample(50, tune=50, model=model, **QUIET)


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"target_accept": 0.9}, ParameterError, "no variable is left to it"),
        ({"slice": {"w": 2.0}}, ParameterError, "no step of that kind"),
        ({"metropolis": 3}, ParameterError, "expected a dict"),
        ({"metropolis": {"scalings": 3}}, pm.NotYetSupported, "scalings=3"),
        ({"step": pm.Metropolis}, ParameterError, "make one of it"),
    ],
)
def test_settings_that_reach_no_step_are_refused(keywords, error, words):
    with pytest.raises(error, match=words):
        pm.sample(20, tune=20, model=switch()[0], **QUIET, **keywords)


def test_settings_of_automatic_steps_are_honoured():
    model, _ = switch()
    draws = to_draws(
        pm.sample(20, tune=0, chains=2, random_seed=1, model=model, metropolis={"scaling": 3.0},
                  **QUIET)
    )  # fmt: skip
    assert (draws.sample_stats["scaling"] == 3.0).all()


def test_a_step_of_another_model_is_refused():
    model, other = switch()[0], with_leaves()
    step = pm.Metropolis([other["rate"]], model=other)
    with pytest.raises(ModelError, match=r"moves 'rate'.*made for another"):
        pm.sample(20, tune=20, model=model, step=step, **QUIET)
