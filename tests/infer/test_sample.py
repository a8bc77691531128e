"""`sample`: its keywords, its messages, its groups, and right answers."""

import logging
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import finetti as pm
from finetti.errors import (
    InitialPointError,
    ModelError,
    NotYetSupported,
    ParameterError,
    ShapeError,
)
from finetti.infer import options, running
from finetti.results.arviz import to_draws

FEW = {"draws": 50, "tune": 60, "chains": 2, "progressbar": False, "random_seed": 1}


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, logger="finetti")
    return caplog


def conjugate():
    """Normal mean with known variance: posterior N(4 / 1.01, 1 / 1.01)."""
    with pm.Model(coords={"obs": ["a", "b", "c", "d"]}) as model:
        x = pm.Data("x", [1.0, 3.0, 5.0, 7.0], dims="obs")
        mu = pm.Normal("mu", 0, 10)
        tau = pm.HalfNormal("tau", 1.0)
        pm.Deterministic("both", pm.math.stack([mu, tau]))
        pm.Normal("y", mu, 2.0, observed=x, dims="obs")
    return model


def test_the_posterior_is_right():
    result = to_draws(pm.sample(1000, random_seed=3, model=conjugate(), progressbar=False))
    mu = result.posterior["mu"]
    assert mu.shape == (4, 1000)
    sd = 1.01**-0.5
    assert abs(mu.mean() - 4.0 / 1.01) < 5 * sd / np.sqrt(1000)
    assert abs(mu.std() - sd) < 0.08
    tau = result.posterior["tau"]
    assert abs(tau.mean() - np.sqrt(2 / np.pi)) < 5 * 0.6 / np.sqrt(1000)
    np.testing.assert_array_equal(result.posterior["both"], np.stack([mu, tau], axis=-1))


def test_groups_names_and_labels():
    result = to_draws(pm.sample(**FEW, model=conjugate()))
    assert result.groups == ("posterior", "sample_stats", "observed_data", "constant_data")
    assert list(result.posterior) == ["mu", "tau", "both"]
    assert result.posterior["both"].shape == (2, 50, 2)
    names = {
        "lp", "energy", "energy_error", "max_energy_error", "acceptance_rate", "step_size",
        "step_size_bar", "tree_depth", "n_steps", "reached_max_treedepth", "diverging",
        "index_in_trajectory",
    }  # fmt: skip
    assert names <= set(result.sample_stats)
    assert result.sample_stats["diverging"].dtype == bool
    np.testing.assert_array_equal(result.observed_data["y"], [1, 3, 5, 7])
    np.testing.assert_array_equal(result.constant_data["x"], [1, 3, 5, 7])
    assert list(result.coords["obs"]) == ["a", "b", "c", "d"]
    assert list(result.dims["y"]) == ["obs"]
    assert result.attrs["tuning_steps"] == 60 and result.attrs["sampling_time"] > 0


def test_lp_is_the_log_density():
    model = conjugate()
    result = to_draws(pm.sample(**FEW, model=model))
    logp = model.compile_logp(backend="reference")
    for chain, draw in ((0, 0), (1, 49)):
        point = {
            "mu": result.posterior["mu"][chain, draw],
            "tau_log__": np.log(result.posterior["tau"][chain, draw]),
        }
        want = result.sample_stats["lp"][chain, draw]
        assert logp(point) == pytest.approx(want, rel=1e-9)


def test_the_log_lines_are_pymcs(log):
    pm.sample(**FEW, cores=2, model=conjugate())
    lines = [record.getMessage() for record in log.records if record.levelno == logging.INFO]
    assert lines[:3] == [
        "Initializing NUTS using jitter+adapt_diag...",
        "Multiprocess sampling (2 chains in 2 jobs)",
        "NUTS: [mu, tau]",
    ]
    assert lines[3].startswith(
        "Sampling 2 chains for 60 tune and 50 draw iterations (120 + 100 draws total) took "
    )
    log.clear()
    pm.sample(**FEW, cores=1, init="adapt_diag", model=conjugate())
    lines = [record.getMessage() for record in log.records]
    assert lines[:2] == [
        "Initializing NUTS using adapt_diag...", "Sequential sampling (2 chains in 1 job)",
    ]  # fmt: skip
    log.clear()
    pm.sample(**FEW, quiet=True, model=conjugate())
    assert not log.records


def test_convergence_warnings_name_the_parameters(log):
    with pm.Model() as model:
        pm.Normal("flat", 0, 1e-3)
        s = pm.Normal("s", 0, 3)
        pm.Normal("funnel", 0, pm.math.exp(s), shape=5)
    pm.sample(400, tune=100, chains=4, random_seed=1, model=model, progressbar=False)
    text = "\n".join(r.getMessage() for r in log.records if r.levelno == logging.WARNING)
    assert "divergence" in text and "after tuning. Increase `target_accept`" in text
    assert "rhat statistic" in text and "funnel[" in text
    log.clear()
    pm.sample(
        100, tune=50, chains=4, random_seed=1, model=model, progressbar=False,
        compute_convergence_checks=False,
    )  # fmt: skip
    assert not [r for r in log.records if r.levelno == logging.WARNING]


def test_the_same_seed_gives_the_same_bits_for_any_cores():
    model = conjugate()
    one = to_draws(pm.sample(**FEW, cores=1, model=model))
    two = to_draws(pm.sample(**FEW, cores=2, model=model))
    for name in one.posterior:
        np.testing.assert_array_equal(one.posterior[name], two.posterior[name])
    other = to_draws(pm.sample(**{**FEW, "random_seed": 2}, model=model))
    assert not np.array_equal(one.posterior["mu"], other.posterior["mu"])
    generator = np.random.default_rng(1)
    assert to_draws(pm.sample(**{**FEW, "random_seed": generator}, model=model)).chains == 2


def test_backends_agree():
    model = conjugate()
    settings = {**FEW, "draws": 5, "tune": 20}
    native = to_draws(pm.sample(**settings, model=model))
    reference = to_draws(pm.sample(**settings, model=model, backend="reference"))
    np.testing.assert_allclose(
        native.posterior["mu"], reference.posterior["mu"], rtol=1e-4, atol=1e-4
    )


def test_warmup_is_kept_when_asked_for():
    result = to_draws(pm.sample(**FEW, discard_tuned_samples=False, model=conjugate()))
    assert result.group("warmup_posterior")["mu"].shape == (2, 60)
    assert result.group("warmup_sample_stats")["step_size"].shape == (2, 60)
    assert result.posterior["mu"].shape == (2, 50)


def test_var_names_choose_what_is_kept():
    result = to_draws(pm.sample(**FEW, var_names=["both", "mu"], model=conjugate()))
    assert list(result.posterior) == ["mu", "both"]
    with pytest.raises(ParameterError, match="'muu'.*Did you mean 'mu'"):
        pm.sample(**FEW, var_names=["muu"], model=conjugate())


def test_log_likelihood_in_the_same_run():
    model = conjugate()
    result = to_draws(pm.sample(**FEW, idata_kwargs={"log_likelihood": True}, model=model))
    values = result.group("log_likelihood")["y"]
    mu = result.posterior["mu"][..., None]
    data = np.array([1.0, 3.0, 5.0, 7.0])
    want = -0.5 * ((data - mu) / 2) ** 2 - np.log(2 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(values, want, rtol=1e-9)
    with pytest.raises(ParameterError, match="'z' is no observed variable"):
        pm.sample(**FEW, idata_kwargs={"log_likelihood": ["z"]}, model=model)
    with pytest.raises(NotYetSupported, match="include_transformed"):
        pm.sample(**FEW, idata_kwargs={"include_transformed": True}, model=model)


def test_compute_log_likelihood_afterwards():
    model = conjugate()
    idata = pm.sample(**FEW, idata_kwargs={"log_likelihood": True}, model=model)
    want = to_draws(idata).group("log_likelihood")["y"]
    other = pm.compute_log_likelihood(idata, model=model, extend_inferencedata=False)
    np.testing.assert_allclose(other["y"], want, rtol=1e-9)  # a Dataset, as in PyMC
    part = pm.sample(**FEW, var_names=["tau"], model=model)
    with pytest.raises(ModelError, match="no 'mu'"):
        pm.compute_log_likelihood(part, model=model)


def test_initvals():
    model = conjugate()
    still = {**FEW, "draws": 1, "tune": 0, "init": "adapt_diag"}
    settings = {"max_treedepth": 1, "nuts": {"initial_step": 1e-9, "adapt_step_size": False}}
    result = to_draws(pm.sample(**still, **settings, initvals={"mu": 5.0, "tau": 2.0}, model=model))
    np.testing.assert_allclose(result.posterior["mu"], 5.0, atol=1e-6)
    np.testing.assert_allclose(result.posterior["tau"], 2.0, atol=1e-6)
    each = [{"mu": 5.0}, {"mu": -5.0, "tau_log__": 0.0}]
    result = to_draws(pm.sample(**still, **settings, initvals=each, model=model))
    np.testing.assert_allclose(result.posterior["mu"][:, 0], [5.0, -5.0], atol=1e-6)
    assert result.posterior["tau"][1, 0] == pytest.approx(1.0)
    with pytest.raises(ParameterError, match="3 entries for 2 chains"):
        pm.sample(**FEW, initvals=[{}] * 3, model=model)
    with pytest.raises(ParameterError, match="'nu' is no free variable.*Did you mean 'mu'"):
        pm.sample(**FEW, initvals={"nu": 1.0}, model=model)
    with pytest.raises(ShapeError, match=r"initvals\['mu'\]"):
        pm.sample(**FEW, initvals={"mu": [1.0, 2.0]}, model=model)
    for wrong, shown in ((3, "3 of type int"), ("mu", "'m' of type str"), ([4, 5], "4 of type")):
        with pytest.raises(ParameterError, match=f"expected a dict .name: value.*got {shown}"):
            pm.sample(**FEW, initvals=wrong, model=model)


def test_new_data_are_sampled_without_a_new_model():
    model = conjugate()
    with model:
        pm.set_data({"x": [101.0, 99.0]}, coords={"obs": ["a", "b"]})
        result = to_draws(pm.sample(**FEW))
    assert abs(result.posterior["mu"].mean() - 98) < 5
    assert result.observed_data["y"].shape == (2,)


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"target_acept": 0.9}, ParameterError, "Did you mean 'target_accept'"),
        ({"step": object()}, ParameterError, "a step method such as"),
        ({"trace": []}, NotYetSupported, "trace"),
        ({"keep_warning_stat": True}, NotYetSupported, "keep_warning_stat"),
        ({"init": "advi"}, NotYetSupported, "init='advi'"),
        ({"n_init": 10}, NotYetSupported, "n_init=10"),
        ({"nuts": {"step_scale": 1}}, NotYetSupported, "step_scale"),
        ({"nuts": {"max_tree": 1}}, ParameterError, "Did you mean 'max_treedepth'"),
        ({"target_accept": 1.5}, ParameterError, "between 0 and 1"),
        ({"target_accept": 0.9, "nuts": {"target_accept": 0.8}}, ParameterError, "twice"),
        ({"nuts": {"early_window": 2.0}}, ParameterError, "early_window"),
        ({"draws": 0}, ParameterError, "draws=0"),
        ({"draws": 1.5}, ParameterError, "draws=1.5"),
        ({"tune": -1}, ParameterError, "tune=-1"),
        ({"chains": 0}, ParameterError, "chains=0"),
        ({"cores": "two"}, ParameterError, "cores='two'"),
        ({"random_seed": "x"}, ParameterError, "random_seed='x'"),
        ({"nuts_sampler": "stan"}, ParameterError, "nuts_sampler='stan'"),
        ({"backend": "cuda"}, ParameterError, "backend='cuda'"),
        ({"progressbar": "spit"}, ParameterError, "progressbar='spit'"),
        ({"progressbar_theme": "dark"}, NotYetSupported, "progressbar_theme"),
    ],
)
def test_keywords_are_honoured_or_refused_by_name(keywords, error, words):
    with pytest.raises(error, match=words):
        pm.sample(**{**FEW, **keywords}, model=conjugate())


def test_keywords_that_cannot_change_the_answer_are_warned_of():
    with pytest.warns(UserWarning, match="nuts_sampler='nutpie'.*mp_ctx='spawn'.*blas_cores=2"):
        pm.sample(**FEW, nuts_sampler="nutpie", mp_ctx="spawn", blas_cores=2, model=conjugate())


def test_settings_of_nuts_reach_the_sampler():
    result = to_draws(pm.sample(**FEW, max_treedepth=2, model=conjugate()))
    assert result.sample_stats["tree_depth"].max() <= 2
    low = to_draws(pm.sample(**{**FEW, "tune": 300}, target_accept=0.5, model=conjugate()))
    high = to_draws(
        pm.sample(**{**FEW, "tune": 300}, nuts={"target_accept": 0.99}, model=conjugate())
    )
    assert low.sample_stats["step_size"].mean() > 1.5 * high.sample_stats["step_size"].mean()


def test_models_that_cannot_be_sampled():
    with pm.Model() as model:
        pm.Normal("y", 0, 1, observed=1.0)
    with pytest.raises(ModelError, match="no free variables"):
        pm.sample(**FEW, model=model)


def test_a_start_that_is_not_finite_names_the_row():
    with pm.Model() as model:
        n = pm.Uniform("n", 1, 20)
        pm.Uniform("y", 0, n, observed=[1.0, 90.0])
    with pytest.raises(InitialPointError, match=r"'y' is -inf in row 1: value 90 with lower=0"):
        pm.sample(**FEW, model=model)


def test_jitter_rescues_a_start_on_an_edge():
    with pm.Model() as model:
        x = pm.Normal("x", 0, 1)
        pm.Potential("positive", pm.math.log(pm.math.switch(x > 0, 1.0, 0.0)))
    result = to_draws(pm.sample(**FEW, model=model))
    assert (result.posterior["x"] > 0).all()


class FakeRun:
    """A run that goes on until it is stopped."""

    def __init__(self, finished):
        self.stopped = False
        self.finished = finished

    def start(self, cores):
        self.cores = cores

    def poll(self):
        return []

    def stop(self):
        self.stopped = True

    def join(self, seconds):
        if not self.stopped:
            raise KeyboardInterrupt
        return True


def test_ctrl_c_stops_the_run():
    run = FakeRun([0])
    asked = SimpleNamespace(cores=2, watch=None)
    assert running.follow(run, asked, running.Progress(None)) is True
    assert run.stopped and run.cores == 2


def test_ctrl_c_returns_the_draws_so_far(log):
    with pm.Model() as model:
        pm.Normal("x", 0, 1, shape=200)

    def interrupt():
        time.sleep(0.6)
        import _thread

        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    result = to_draws(
        pm.sample(2_000_000, tune=50, chains=2, model=model, random_seed=1, progressbar=False,
                  compute_convergence_checks=False)
    )  # fmt: skip
    thread.join()
    assert 0 < result.draws < 2_000_000 and result.chains == 2
    assert np.isfinite(result.posterior["x"]).all() and result.posterior["x"][:, -1].any()
    assert any("interrupted: returning" in r.getMessage() for r in log.records)


@pytest.mark.parametrize(
    ("finished", "chains", "draws"),
    [
        ([100, 100, 100, 100], [0, 1, 2, 3], 100),
        ([100, 20, 0, 0], [0], 100),
        ([100, 60, 55, 0], [0, 1, 2], 55),
        ([0, 0], [0], 0),
    ],
)
def test_the_largest_rectangle_of_an_interrupted_run(finished, chains, draws):
    got_chains, got_draws = running.rectangle(finished)
    assert got_chains.tolist() == chains and got_draws == draws


def test_every_keyword_of_pymc_is_known():
    # the signature of PyMC 6.4's sample
    names = """draws tune chains cores random_seed progressbar progressbar_theme quiet step
    var_names nuts_sampler initvals init jitter_max_retries n_init trace discard_tuned_samples
    compute_convergence_checks keep_warning_stat return_inferencedata idata_kwargs
    nuts_sampler_kwargs callback mp_ctx blas_cores model backend compile_kwargs""".split()
    assert set(names) <= set(options.KEYWORDS)
