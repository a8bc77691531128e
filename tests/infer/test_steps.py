"""Step methods: each leaves its distribution as it is, takes PyMC's keywords, says what it does.

The test of invariance is Geweke's (2004): data that are unknown too, drawn anew in every iteration
given the parameters, make the parameters' distribution the prior again, however they are moved. Its
moments are compared in units of their Monte Carlo errors: at 5 units and about 120 comparisons of
fixed seeds a false alarm has probability 7e-5.
"""

import logging
import threading

import numpy as np
import pytest

import finetti as pm
from finetti.errors import ModelError, NotYetSupported, ParameterError, SamplingError, ShapeError
from finetti.infer.compound import joined
from finetti.infer.steps.compound import flattened, hierarchy
from finetti.infer.steps.workplace import Workplace
from finetti.ir import ops
from finetti.results.arviz import to_draws
from finetti.results.diagnostics import mcse

UNITS = 5.0
QUIET = {"progressbar": False, "compute_convergence_checks": False}
FEW = {"draws": 40, "tune": 40, "chains": 2, "random_seed": 1, **QUIET}


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, logger="finetti")
    return caplog


class Anew(pm.step_methods.arraystep.ArrayStep):
    """Draws its variable from its distribution, given all others."""

    def __init__(self, model, draw):
        super().__init__([model["y"]], [], allvars=True, model=model)
        self.draw = draw

    def astep(self, q, point):
        return self.draw(self.rng, point)


# -- invariance -----------------------------------------------------------------------------------


def real():
    with pm.Model() as model:
        m = pm.Normal("m", 1.0, 2.0, shape=2)
        s = pm.Gamma("s", 4.0, 2.0)
        pm.Normal("y", m, s, shape=2)
    anew = Anew(model, lambda rng, p: rng.normal(p["m"], np.exp(p["s_log__"])))
    exact = {"m": (1.0, 5.0), "s": (2.0, 5.0)}  # mean, mean of squares
    return model, anew, exact


def binary():
    with pm.Model() as model:
        z = pm.Bernoulli("z", [0.2, 0.5, 0.9])
        pm.Normal("y", z.sum(), 1.0, shape=2)
    anew = Anew(model, lambda rng, p: rng.normal(p["z"].sum(), 1.0, 2))
    return model, anew, {"z": ([0.2, 0.5, 0.9], [0.2, 0.5, 0.9])}


def categorical():
    p = np.array([0.5, 0.1, 0.4])
    with pm.Model() as model:
        z = pm.Categorical("z", p=p, shape=4)
        pm.Normal("y", z[1:] - z[:-1], 1.0, shape=3)
    anew = Anew(model, lambda rng, q: rng.normal(np.diff(q["z"]), 1.0))
    return model, anew, {"z": (p @ [0, 1, 2], p @ [0, 1, 4])}


def counts():
    with pm.Model() as model:
        z = pm.Poisson("z", [2.0, 5.0])
        pm.Normal("y", z, 2.0, shape=2)
    anew = Anew(model, lambda rng, p: rng.normal(p["z"], 2.0))
    return model, anew, {"z": ([2.0, 5.0], [6.0, 30.0])}


def composition():
    with pm.Model() as model:
        z = pm.Multinomial("z", 6, [0.5, 0.3, 0.2])
        pm.Normal("y", z, 1.0, shape=3)
    anew = Anew(model, lambda rng, p: rng.normal(p["z"], 1.0))
    n, p = 6, np.array([0.5, 0.3, 0.2])
    return model, anew, {"z": (n * p, n * p * (1 - p) + (n * p) ** 2)}


def m_and_s(model):
    return [model["m"], model["s"]]


COV = [[2.0, 0.5, 0.0], [0.5, 2.0, 0.0], [0.0, 0.0, 0.3]]
INVARIANT = {
    "Metropolis": (real, lambda m: pm.Metropolis(m_and_s(m))),
    "Metropolis blocked": (real, lambda m: pm.Metropolis(m_and_s(m), blocked=True)),
    "Metropolis uniform": (
        real, lambda m: pm.Metropolis(m_and_s(m), proposal_dist=pm.UniformProposal)
    ),
    "Metropolis Cauchy": (
        real, lambda m: pm.Metropolis(m_and_s(m), proposal_dist=pm.CauchyProposal)
    ),
    "Metropolis Laplace": (
        real, lambda m: pm.Metropolis(m_and_s(m), proposal_dist=pm.LaplaceProposal, tune=False)
    ),
    "Metropolis covariance": (
        real, lambda m: pm.Metropolis(m_and_s(m), S=np.array(COV), blocked=True)
    ),
    "Slice": (real, lambda m: pm.Slice(m_and_s(m))),
    "Slice blocked": (real, lambda m: pm.Slice(m_and_s(m), w=[1.0, 2.0, 3.0], blocked=True)),
    "Slice narrow": (real, lambda m: pm.Slice(m_and_s(m), w=1.5, tune=False, max_steps=2)),
    "NUTS": (real, lambda m: pm.NUTS(m_and_s(m))),
    "HamiltonianMC": (real, lambda m: pm.HamiltonianMC(m_and_s(m), path_length=1.5)),
    "DEMetropolis": (real, lambda m: pm.DEMetropolis(m_and_s(m), scaling=0.3)),
    "DEMetropolisZ": (real, lambda m: pm.DEMetropolisZ(m_and_s(m), scaling=0.3)),
    "mixed": (real, lambda m: [pm.Slice([m["s"]]), pm.NUTS([m["m"]])]),
    "BinaryMetropolis": (binary, lambda m: pm.BinaryMetropolis([m["z"]])),
    "BinaryGibbsMetropolis": (binary, lambda m: pm.BinaryGibbsMetropolis([m["z"]])),
    "CategoricalGibbs": (categorical, lambda m: pm.CategoricalGibbsMetropolis([m["z"]])),
    "CategoricalGibbs proportional": (
        categorical, lambda m: pm.CategoricalGibbsMetropolis([m["z"]], "proportional")
    ),
    "ElemwiseCategorical": (categorical, lambda m: pm.ElemwiseCategorical([m["z"]])),
    "Metropolis counts": (counts, lambda m: pm.Metropolis([m["z"]], S=[2.0, 3.0])),
    "Metropolis Poisson": (
        counts, lambda m: pm.Metropolis([m["z"]], S=2.0, proposal_dist=pm.PoissonProposal)
    ),
    "Metropolis composition": (composition, lambda m: pm.Metropolis([m["z"]])),
}  # fmt: skip


@pytest.mark.parametrize("name", INVARIANT)
def test_the_prior_comes_back(name):
    make, steps = INVARIANT[name]
    model, anew, exact = make()
    with model:
        step = steps(model)
        step = [*step, anew] if isinstance(step, list) else [step, anew]
        # a population as large as DE needs; the others have four chains
        chains = 8 if name == "DEMetropolis" else 4
        result = to_draws(
            pm.sample(1200, tune=300, chains=chains, cores=1, step=step, random_seed=17, **QUIET)
        )
    for variable, (mean, square) in exact.items():
        draws = result.posterior[variable].astype(float)
        for power, want in ((1, mean), (2, square)):
            error = mcse(draws**power)
            off = np.abs((draws**power).mean((0, 1)) - want)
            assert (off < UNITS * error).all(), (variable, power, off, error)


# -- what is made, what is chosen -----------------------------------------------------------------


def several():
    with pm.Model() as model:
        pm.Normal("x", shape=2)
        pm.HalfNormal("s")
        pm.Bernoulli("b", 0.5)
        pm.Categorical("two", p=[0.5, 0.5])
        pm.Categorical("three", p=[0.2, 0.3, 0.5], shape=3)
        pm.Poisson("n", 3.0)
        pm.DiscreteUniform("u", 0, 4)
        pm.Potential("tie", 0.0 * (model["b"] * model["two"] * model["n"] * model["u"]))
        pm.Potential("tie3", 0.0 * model["three"])
    return model


def test_steps_are_assigned_as_pymc_does(log):
    with several():
        pm.sample(**FEW)
    assert [record.getMessage() for record in log.records][1:8] == [
        "CompoundStep",
        ">NUTS: [x, s]",
        ">BinaryGibbsMetropolis: [b, two]",
        ">CategoricalGibbsMetropolis: [three]",
        ">CompoundStep",
        ">>Metropolis: [n]",
        ">>Metropolis: [u]",
    ]


def test_variables_left_over_by_explicit_steps(log):
    with several() as model:
        pm.sample(step=[pm.Slice([model["s"]]), pm.Metropolis([model["b"], model["n"]])], **FEW)
    assert [record.getMessage() for record in log.records][1:10] == [
        "CompoundStep",
        ">Slice: [s]",
        ">CompoundStep",
        ">>Metropolis: [b]",
        ">>Metropolis: [n]",
        ">NUTS: [x]",
        ">BinaryGibbsMetropolis: [two]",
        ">CategoricalGibbsMetropolis: [three]",
        ">Metropolis: [u]",
    ]


def test_without_vars_a_step_takes_all_it_can():
    with several() as model:
        walk = pm.Metropolis()
        assert hierarchy(walk)[0] == "CompoundStep" and len(flattened(walk)) == 7
        assert [step.names for step in walk.methods] == [
            ["x"], ["s"], ["b"], ["two"], ["three"], ["n"], ["u"],
        ]  # fmt: skip
        assert pm.Metropolis(blocked=True).names == [var.name for var in model.free_RVs]
        assert pm.NUTS().names == ["x", "s"]
        assert [step.names for step in pm.Slice().methods] == [["x"], ["s"]]
        assert pm.DEMetropolisZ().names == ["x", "s"]
        assert pm.NUTS().vars == [model.rvs_to_values[model[name]] for name in ("x", "s")]


@pytest.mark.parametrize(
    "given", [lambda m: m["s"], lambda m: [m.rvs_to_values[m["s"]]], lambda m: ["s"]]
)
def test_ways_to_name_a_variable(given):
    with several() as model:
        assert pm.Slice(given(model)).names == ["s"]
        assert pm.Slice(vars=given(model)).names == ["s"]


def test_positional_orders_of_pymc3():
    with several() as model:
        x = [model["x"]]
        walk = pm.Metropolis(x, [2.0, 3.0], pm.LaplaceProposal, 0.5, False, 50)
        assert (walk.scaling, walk.tune, walk.tune_interval) == (0.5, False, 50)
        assert isinstance(walk.proposal_dist, pm.LaplaceProposal)
        assert pm.HamiltonianMC(x, 3.0, 10).max_steps == 10
        assert pm.DEMetropolis(x, None, None, 0.9, 0.01, "lambda").lamb == 0.9
        assert pm.Slice(x, 2.0, False).w == 2.0
        assert pm.BinaryGibbsMetropolis([model["b"]], "random", 0.7).transit_p == 0.7
        assert pm.CategoricalGibbsMetropolis([model["three"]], "proportional", [0, 2, 1]).order == [
            0, 2, 1,
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda m: pm.NUTS([m["b"]]), ParameterError, "'b' is discrete"),
        (lambda m: pm.BinaryMetropolis([m["x"]]), ParameterError, "'x' is continuous"),
        (lambda m: pm.BinaryGibbsMetropolis([m["three"]]), ParameterError, "'three' is Categ"),
        (lambda m: pm.CategoricalGibbsMetropolis([m["n"]]), ParameterError, "'n' is Poisson"),
        (lambda m: pm.Metropolis(["xx"]), ModelError, "'xx' in vars= is no free variable"),
        (lambda m: pm.Metropolis([m["x"]], tun=False), NotYetSupported, "tun=False"),
        (lambda m: pm.Metropolis([m["x"]], scaling=-1), ParameterError, "positive"),
        (lambda m: pm.Metropolis([m["x"]], proposal_dist=print), NotYetSupported, "proposal_dist"),
        (lambda m: pm.Slice([m["x"]], w=0), ParameterError, "positive"),
        (lambda m: pm.Slice([m["x"]], max_steps=0), ParameterError, "max_steps=0"),
        (lambda m: pm.NUTS([m["x"]], target_acept=0.9), ParameterError, "target_accept"),
        (lambda m: pm.NUTS([m["x"]], target_accept=1.9), ParameterError, "between 0 and 1"),
        (lambda m: pm.NUTS([m["x"]], potential=3), NotYetSupported, "potential"),
        (lambda m: pm.NUTS([m["x"]], max_treedepth=0), ParameterError, "max_treedepth"),
        (lambda m: pm.HamiltonianMC([m["x"]], max_steps=0), ParameterError, "max_steps=0"),
        (lambda m: pm.DEMetropolis([m["x"]], tune="all"), ParameterError, "tune='all'"),
        (lambda m: pm.DEMetropolisZ([m["x"]], tune_drop_fraction=2), ParameterError, "0 and 1"),
        (lambda m: pm.BinaryGibbsMetropolis([m["b"]], order=[1]), ParameterError, "permutation"),
        (lambda m: pm.BinaryGibbsMetropolis([m["b"]], transit_p=0), ParameterError, "transit_p"),
        (lambda m: pm.CategoricalGibbsMetropolis([m["b"]], "x"), ParameterError, "proposal='x'"),
        (lambda m: pm.ElemwiseCategorical([m["three"]], [0, 1]), ParameterError, "values"),
        (lambda m: pm.MultivariateNormalProposal([[1.0, 0.0]]), ShapeError, "not square"),
    ],
)  # fmt: skip
def test_mistakes_are_named(make, error, words):
    with several() as model, pytest.raises(error, match=words):
        make(model)


def test_a_scale_of_the_wrong_length_is_named():
    with several() as model, pytest.raises(ShapeError, match=r"Metropolis: \[x\].*S has shape"):
        pm.sample(step=pm.Metropolis([model["x"]], S=np.ones(5)), **FEW)


def test_a_guess_of_the_metric_is_said_to_have_no_effect():
    with several() as model, pytest.warns(UserWarning, match="scaling= without effect"):
        pm.NUTS([model["x"]], scaling=model.initial_point())


@pytest.mark.parametrize("part", [False, True])
def test_scaling_is_where_the_metric_begins(part):
    """Precisions, or variances with is_cov=True, in the order of the step's variables."""
    sd = {"x": np.array([0.01, 1.0]), "y": 100.0}
    with pm.Model() as model:
        for name, value in sd.items():
            pm.Normal(name, 0, value, shape=np.shape(value))
        pm.Bernoulli("b", 0.5)
        variances = np.array([1e4, 1e-4, 1.0])  # of y, x
        last = [pm.BinaryMetropolis([model["b"]])] if part else []
        for given in ({"scaling": variances, "is_cov": True}, {"scaling": 1 / variances}):
            nuts = pm.NUTS([model["y"], model["x"]], adapt_metric=False, step_scale=1.0, **given)
            drawn = to_draws(pm.sample(30, tune=20, step=[nuts, *last], random_seed=1, **QUIET))
            assert drawn.sample_stats["acceptance_rate"].mean() > 0.6
            assert drawn.sample_stats["n_steps"].max() <= 15  # whitened: a short way round


def test_a_scaling_of_the_wrong_size_or_sign_is_named():
    with several() as model:
        with pytest.raises(ShapeError, match="NUTS: .x.: scaling has 5 entries.*2 unconstrained"):
            pm.sample(step=pm.NUTS([model["x"]], scaling=np.ones(5)), **FEW)
        with pytest.raises(ParameterError, match=r"scaling\[1\] is 0; precisions"):
            pm.NUTS([model["x"]], scaling=[1.0, 0.0])


def test_no_free_variables_of_the_kind():
    with pm.Model():
        pm.Poisson("k", 2.0)
        with pytest.raises(ModelError, match="no free continuous variables"):
            pm.NUTS()


def test_de_metropolis_needs_chains():
    with real()[0] as model:
        with pytest.raises(ParameterError, match="at least 3 chains"):
            pm.sample(step=pm.DEMetropolis(), **FEW)
        with pytest.warns(UserWarning, match="more chains than dimensions"):
            pm.sample(step=pm.DEMetropolis(), **{**FEW, "chains": 4})
        assert model


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        # independent given the rest: all at once
        (lambda m: pm.Metropolis([m["three"]]), {"elementwise": True, "colors": [0, 0, 0]}),
        (lambda m: pm.ElemwiseCategorical([m["three"]]), {"elementwise": True}),
        (lambda m: pm.Slice([m["x"]]), {"elementwise": True, "colors": [0, 0]}),
        # tied together: one after another
        (lambda m: pm.Metropolis([m["b"], m["n"]], blocked=True),
         {"elementwise": False, "one_at_a_time": True, "discrete": [True, True]}),
        (lambda m: pm.BinaryGibbsMetropolis([m["b"], m["two"]]), {"elementwise": False}),
        # one value: as a whole
        (lambda m: pm.Metropolis([m["s"]]), {"elementwise": False, "one_at_a_time": False}),
        (lambda m: pm.Metropolis([m["x"]], S=np.eye(2)),
         {"one_at_a_time": False, "proposal": "multivariate_normal", "scale": [1, 0, 0, 1]}),
        (lambda m: pm.CategoricalGibbsMetropolis([m["three"], m["b"]]),
         {"categories": [3, 3, 3, 2]}),
        (lambda m: pm.DEMetropolisZ([m["x"]], tune_drop_fraction=0.5),
         {"lamb": 2.38 / 2.0, "tune": "scaling", "tune_drop_fraction": 0.5}),
        (lambda m: pm.BinaryMetropolis([m["b"]], scaling=2.0), {"scaling": 2.0}),
    ],
)  # fmt: skip
def test_what_a_kernel_is_told(make, expected):
    with several() as model:
        kernel = make(model).kernel(Workplace(model.density(), 2, 0))
    kernel.validate()
    for name, value in expected.items():
        assert (
            getattr(kernel, name) == pytest.approx(value)
            if name == "lamb"
            else (getattr(kernel, name) == value)
        ), name


def test_what_a_hamiltonian_kernel_is_told():
    with several() as model:
        place = Workplace(model.density(), 2, 0)
        nuts = pm.NUTS([model["x"]], target_accept=0.7, step_scale=0.5, gamma=0.1).kernel(place)
        hmc = pm.HamiltonianMC([model["x"]], 3.0, step_rand=None).kernel(place)
    assert (nuts.config.target_accept, nuts.config.dual_averaging_gamma) == (0.7, 0.1)
    assert nuts.config.init_jitter == 0.0  # a compound starts where it is told to
    assert nuts.config.initial_step == pytest.approx(0.5 / 2**0.25)
    assert getattr(hmc, "static") is True and hmc.path_length == 3.0  # noqa: B009, a C++ word
    assert (hmc.config.target_accept, hmc.config.step_size_jitter) == (0.65, 0.0)


# -- NUTS by hand ---------------------------------------------------------------------------------


def test_nuts_of_all_variables_is_the_plain_sampler():
    model = real()[0]
    few = {"draws": 60, "tune": 100, "chains": 2, "random_seed": 3, **QUIET}
    plain = to_draws(pm.sample(model=model, init="adapt_diag", target_accept=0.9, **few))
    with model:
        by_hand = to_draws(pm.sample(step=pm.NUTS(target_accept=0.9), **few))
    np.testing.assert_array_equal(plain.posterior["m"], by_hand.posterior["m"])


def test_nuts_of_a_part_is_right_and_has_its_statistics():
    """A normal mean, given a scale that another step moves: the joint posterior by quadrature."""
    y = np.array([1.0, 2.0, 4.0])
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 2)
        s = pm.Gamma("s", 3.0, 2.0)
        pm.Normal("y", mu, s, observed=y)
        step = [pm.NUTS([mu], target_accept=0.9), pm.Slice([s])]
        draws = to_draws(pm.sample(3000, tune=500, step=step, random_seed=2, **QUIET))
    grid_mu, grid_s = np.meshgrid(np.linspace(-6, 8, 400), np.linspace(0.05, 9, 400))
    logp = -(grid_mu**2) / 8 + 2 * np.log(grid_s) - 2 * grid_s - 3 * np.log(grid_s)
    logp -= sum((value - grid_mu) ** 2 for value in y) / (2 * grid_s**2)
    weights = np.exp(logp - logp.max())
    for name, grid in (("mu", grid_mu), ("s", grid_s)):
        want = (weights * grid).sum() / weights.sum()
        x = draws.posterior[name]
        assert abs(x.mean() - want) < UNITS * float(mcse(x)) + 1e-3
    stats = draws.sample_stats
    assert {"diverging", "step_size", "n_steps", "lp", "nstep_out"} <= set(stats)
    assert stats["diverging"].dtype == bool and stats["diverging"].shape == (4, 3000)
    logp = model.compile_logp(backend="reference")
    point = {"mu": draws.posterior["mu"][2, 5], "s_log__": np.log(draws.posterior["s"][2, 5])}
    assert stats["lp"][2, 5] == pytest.approx(logp(point), rel=1e-9)


# -- statistics -----------------------------------------------------------------------------------


def test_statistics_of_equal_names_get_an_axis_of_steps():
    with real()[0]:
        draws = to_draws(pm.sample(step=pm.Metropolis(), discard_tuned_samples=False, **FEW))
    assert set(draws.sample_stats) == {"accept", "accepted", "scaling"}
    assert draws.sample_stats["accept"].shape == (2, 40, 3)
    assert draws.warmup_sample_stats["scaling"].shape == (2, 40, 3)
    assert draws.warmup_posterior["m"].shape == (2, 40, 2)


def test_joined():
    one, two = np.zeros((2, 3)), np.ones((2, 3))
    result = joined([{"a": one, "tune": one}, {"b": two}, {"a": two}])
    assert list(result) == ["a", "b"]
    assert result["b"] is two and result["a"].shape == (2, 3, 2)


def test_the_same_bits_on_any_number_of_cores():
    def run(cores):
        with several():
            return to_draws(pm.sample(cores=cores, **FEW)).posterior

    one, two = run(1), run(2)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_the_reference_backend_gives_the_same_draws():
    with several():
        fast, slow = (to_draws(pm.sample(backend=b, **FEW)) for b in ("native", "reference"))
    for name in ("b", "three", "n"):
        np.testing.assert_array_equal(fast.posterior[name], slow.posterior[name])


# -- steps written in Python ----------------------------------------------------------------------


def walk(rng, q, logp):
    new = q + rng.normal(0, 1.5, np.shape(q))
    return pm.metrop_select(logp(new) - logp(q), new, q, rng)


class OldStyle(pm.step_methods.arraystep.ArrayStep):
    """PyMC3's: a function of the vector comes in, the new vector goes out."""

    def __init__(self, vars, model=None):
        model = pm.modelcontext(model)
        super().__init__(vars, [model.compile_logp()])

    def astep(self, q0, logp):
        return walk(self.rng, q0, logp)[0]


class NewStyle(pm.BlockedStep):
    """A step of points with statistics, tuning and state of its own."""

    name = "new_style"
    stats_dtypes_shapes = {"accepted": (bool, []), "calls": (int, [])}

    def __init__(self, vars, model=None):
        super().__init__(vars, model)
        self.logp = self.model.compile_logp()
        self.tune, self.calls = True, [0]

    kernel = OldStyle.kernel

    def step(self, point):
        self.calls[0] += 1
        (name,) = self.var_names
        rng = np.random.default_rng(self.calls[0])
        new, accepted = walk(rng, point[name], lambda q: self.logp({**point, name: q}))
        return {**point, name: new}, [{"accepted": accepted, "calls": self.calls[0]}]


class Duck:
    """No subclass of anything."""

    def __init__(self, var):
        self.vars = [var]

    def step(self, point):
        return {**point, self.vars[0].name: np.random.default_rng().normal()}


def target():
    with pm.Model() as model:
        pm.Normal("x", 2.0, 1.0)
        pm.Exponential("e", 1.0)
    return model


def test_an_old_style_step():
    with target() as model:
        step = OldStyle([model["x"]])
        draws = to_draws(pm.sample(1500, tune=200, chains=2, step=step, random_seed=1, **QUIET))
        again = to_draws(pm.sample(1500, tune=200, chains=2, step=step, random_seed=1, **QUIET))
    x = draws.posterior["x"]
    assert abs(x.mean() - 2.0) < UNITS * float(mcse(x)) and abs(x.std() - 1.0) < 0.15
    np.testing.assert_array_equal(x, again.posterior["x"])  # its rng belongs to the run
    assert (x[0] != x[1]).any()


def test_a_new_style_step_has_statistics_and_a_copy_for_each_chain():
    with target() as model:
        step = NewStyle([model["x"]])
        draws = to_draws(pm.sample(30, tune=20, chains=2, step=step, random_seed=1, **QUIET))
    np.testing.assert_array_equal(draws.sample_stats["calls"], [np.arange(21, 51)] * 2)
    assert step.calls == [0] and step.tune is True


def test_an_object_with_vars_and_step():
    with target() as model:
        draws = to_draws(pm.sample(200, tune=0, step=[Duck(model["x"])], random_seed=1, **QUIET))
    assert abs(draws.posterior["x"].mean()) < 0.3


def test_an_error_in_a_python_step_is_shown_as_it_was():
    class Broken(OldStyle):
        def astep(self, q0, logp):
            raise ZeroDivisionError("out of cheese")

    with target() as model, pytest.raises(SamplingError, match="out of cheese") as info:
        pm.sample(step=Broken([model["x"]]), **FEW)
    assert isinstance(info.value.__cause__, ZeroDivisionError)
    assert "Broken: [x]" in str(info.value)


# -- Ctrl-C ---------------------------------------------------------------------------------------


def test_ctrl_c_keeps_the_draws_so_far(log):
    import _thread

    with several() as model:
        step = [pm.Metropolis([model["n"]])]
        timer = threading.Timer(0.3, _thread.interrupt_main)
        timer.start()
        draws = to_draws(pm.sample(3_000_000, tune=10, chains=2, step=step, **QUIET))
    assert 0 < draws.posterior["n"].shape[1] < 3_000_000
    assert any("Sampling interrupted: returning" in r.getMessage() for r in log.records)


def test_what_has_no_gradient_is_sampled_without(log, monkeypatch):
    square = ops.OPS["square"]
    monkeypatch.setitem(square.__dict__, "vjp", None)
    with pm.Model():
        pm.Normal("smooth")
        x, y = pm.Flat("x"), pm.Flat("y", shape=2)
        pm.Potential("p", -pm.math.sqr(x) - pm.math.sum(pm.math.sqr(y)))
        pm.sample(**FEW)
    text = [record.getMessage() for record in log.records]
    assert text[1:5] == ["CompoundStep", ">NUTS: [smooth]", ">Slice: [x]", ">Metropolis: [y]"]


def test_two_steps_with_divergences_and_arviz(log):
    with pm.Model() as model:
        s = pm.Normal("s", 0, 3)
        pm.Normal("x", 0, pm.math.exp(s), shape=3)
        step = [pm.NUTS([s]), pm.NUTS([model["x"]])]
        options = {"draws": 150, "tune": 50, "chains": 4, "progressbar": False}
        idata = pm.sample(step=step, random_seed=1, initvals={"x": [0.1, 0.2, 0.3]}, **options)
    assert idata.sample_stats["diverging"].shape == (4, 150, 2)
    assert idata.sample_stats["lp"].shape == (4, 150)
