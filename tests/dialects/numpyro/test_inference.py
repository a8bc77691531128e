"""MCMC, kernels, Predictive and log_likelihood: NumPyro's surface on finetti's engine."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp

import finetti.numpyro as numpyro
from finetti.dialects.numpyro import infer
from finetti.dialects.numpyro.contrib.control_flow import scan
from finetti.dialects.numpyro.infer import (
    HMC,
    MCMC,
    NUTS,
    Predictive,
    init_to_feasible,
    init_to_mean,
    init_to_median,
    init_to_sample,
    init_to_uniform,
    init_to_value,
    initialize_model,
    log_likelihood,
    util,
)
from finetti.dialects.numpyro.infer.util import InvalidStart
from finetti.errors import NotYetSupported, ParameterError

Y = np.random.default_rng(0).normal(1.0, 2.0, 50)


def model(y=None, n=50):
    mu = numpyro.sample("mu", dist.Normal(0, 10))
    s = numpyro.sample("s", dist.HalfNormal(3))
    numpyro.deterministic("double", mu * 2)
    with numpyro.plate("N", n):
        return numpyro.sample("y", dist.Normal(mu, s), obs=y)


def sampled(kernel, run=None, key=0, **sizes):
    options = {"num_warmup": 200, "num_samples": 200, "num_chains": 2, "progress_bar": False}
    mcmc = MCMC(kernel, **{**options, **sizes})
    mcmc.run(jax.random.key(key), Y, **(run or {}))
    return mcmc


@pytest.fixture(scope="module")
def mcmc():
    return sampled(NUTS(model), {"extra_fields": ("potential_energy", "num_steps", "z.s", "~z.mu")})


def test_samples_and_fields(mcmc):
    flat, grouped = mcmc.get_samples(), mcmc.get_samples(group_by_chain=True)
    assert list(flat) == ["double", "s"]
    assert flat["s"].shape == (400,) and grouped["s"].shape == (2, 200)
    assert isinstance(flat["s"], jax.Array)
    np.testing.assert_array_equal(np.ravel(grouped["s"]), flat["s"])
    fields = mcmc.get_extra_fields()
    assert sorted(fields) == ["diverging", "num_steps", "potential_energy", "z.s"]
    np.testing.assert_allclose(np.exp(fields["z.s"]), flat["s"], rtol=1e-5)
    # posterior mean of mu is near the data's, with a standard error of 2 / sqrt(50 * 400)
    np.testing.assert_allclose(np.mean(flat["double"]) / 2, Y.mean(), atol=6 * 2 / 50**0.5 / 12)


def test_same_key_same_draws_and_names_sorted():
    one, two = (sampled(NUTS(model), key=3, num_samples=20).get_samples() for _ in range(2))
    assert list(one) == ["double", "mu", "s"]
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    other = sampled(NUTS(model), key=4, num_samples=20).get_samples()
    assert not np.array_equal(one["mu"], other["mu"])


def test_thinning_and_sequential():
    thin = sampled(NUTS(model), num_samples=30, thinning=3, chain_method="sequential")
    whole = sampled(NUTS(model), num_samples=30)
    np.testing.assert_array_equal(
        thin.get_samples(True)["mu"], whole.get_samples(True)["mu"][:, 2::3]
    )


@pytest.mark.parametrize(
    "strategy",
    [
        init_to_feasible, init_to_mean, init_to_median(num_samples=5), init_to_sample,
        init_to_uniform(radius=0.5), init_to_value(values={"mu": 1.0}),
        lambda site: init_to_uniform(site, radius=1),
    ],
)  # fmt: skip
def test_starts(strategy):
    found = sampled(NUTS(model, init_strategy=strategy), num_samples=50).get_samples()["mu"]
    assert np.isfinite(found).all()


def test_init_params_are_numpyros_unconstrained_values():
    start = {"mu": np.array([1.0, 2.0]), "s": np.zeros(2)}
    found = sampled(NUTS(model), {"init_params": start}, num_warmup=0, num_samples=1)
    assert found.get_samples()["mu"].shape == (2,)
    with pytest.raises(ParameterError, match="no value for 's'"):
        sampled(NUTS(model), {"init_params": {"mu": np.zeros(2)}})


@pytest.mark.parametrize("lengths", [{"trajectory_length": 1.5}, {"num_steps": 8}])
def test_hmc(lengths):
    found = sampled(HMC(model, **lengths), num_samples=400).get_samples()["mu"]
    np.testing.assert_allclose(np.mean(found), Y.mean(), atol=0.2)  # five standard errors and more


def test_potential_functions_of_trees():
    def potential(z):
        return 0.5 * jnp.sum((z["a"] - 1.0) ** 2) + 0.5 * z["b"][0] ** 2

    mcmc = MCMC(NUTS(potential_fn=potential), num_warmup=200, num_samples=500, progress_bar=False)
    mcmc.run(jax.random.key(0), init_params={"a": jnp.zeros(3), "b": (jnp.zeros(()),)})
    found = mcmc.get_samples()
    assert found["a"].shape == (500, 3) and found["b"][0].shape == (500,)
    # about 500 independent draws of a standard normal: six standard errors
    np.testing.assert_allclose(np.mean(found["a"], 0), 1.0, atol=6 / 500**0.5)
    with pytest.raises(ValueError, match="init_params"):
        mcmc.run(jax.random.key(0))


def test_states(mcmc):
    state = mcmc.last_state
    assert sorted(state.z) == ["s", "mu"] or sorted(state.z) == ["mu", "s"]
    assert state.adapt_state.step_size.shape == (2,) and state.i == 400
    again = sampled(NUTS(model), num_samples=10)
    again.post_warmup_state = again.last_state
    again.run(again.post_warmup_state.rng_key, Y)
    assert again.get_samples()["mu"].shape == (20,)
    copied = pickle.loads(pickle.dumps(again.get_samples()))
    np.testing.assert_array_equal(copied["mu"], again.get_samples()["mu"])


def test_warmup_then_run():
    mcmc = MCMC(NUTS(model), num_warmup=60, num_samples=40, progress_bar=False)
    mcmc.warmup(jax.random.key(0), Y, collect_warmup=True)
    assert mcmc.get_samples()["mu"].shape == (60,)
    mcmc.run(jax.random.key(1), Y)
    assert mcmc.get_samples()["mu"].shape == (40,)


def test_summary_is_printed(mcmc, capsys):
    mcmc.print_summary()
    lines = capsys.readouterr().out.split("\n")
    assert lines[1].split() == ["mean", "std", "median", "5.0%", "95.0%", "n_eff", "r_hat"]
    assert lines[2].startswith("         s ") and lines[4].startswith("Number of divergences:")
    mcmc.print_summary(exclude_deterministic=False)
    assert "    double " in capsys.readouterr().out


def test_predictive():
    draws = sampled(NUTS(model), num_samples=100).get_samples()
    key = jax.random.key(1)
    new = Predictive(model, draws)(key, n=7)
    assert {n: x.shape for n, x in new.items()} == {"double": (200,), "y": (200, 7)}
    np.testing.assert_allclose(new["double"], 2 * draws["mu"], rtol=1e-5)
    seen = Predictive(model, draws)(key, Y)
    np.testing.assert_allclose(seen["y"], np.tile(Y, (200, 1)), rtol=1e-6)
    prior = Predictive(model, num_samples=9)(key, n=2)
    assert {n: x.shape for n, x in prior.items()} == {
        "double": (9,), "mu": (9,), "s": (9,), "y": (9, 2),
    }  # fmt: skip
    assert list(Predictive(model, draws, return_sites=["mu"])(key)) == ["mu"]
    grouped = {n: x.reshape(2, 100) for n, x in draws.items()}
    assert Predictive(model, grouped, batch_ndims=2)(key)["y"].shape == (2, 100, 50)
    for name, x in Predictive(model, draws)(key, n=7).items():
        np.testing.assert_array_equal(x, new[name])
    with pytest.raises(ValueError, match="must be specified"):
        Predictive(model)
    with pytest.raises(NotYetSupported, match="guide"):
        Predictive(model, num_samples=1, guide=model)


def test_log_likelihood():
    draws = {"mu": np.array([0.0, 1.0]), "s": np.array([1.0, 2.0])}
    found = log_likelihood(model, draws, Y)["y"]
    each = -0.5 * ((Y - draws["mu"][:, None]) / draws["s"][:, None]) ** 2
    wanted = each - np.log(draws["s"])[:, None] - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    with pytest.raises(ParameterError, match="no site 's'"):
        log_likelihood(model, {"mu": np.zeros(2)}, Y)


def test_events_masks_and_scales_in_log_likelihoods():
    def grouped(y):
        mu = numpyro.sample("mu", dist.Normal(0, 1))
        with numpyro.plate("N", 3), numpyro.handlers.scale(scale=5.0):
            with numpyro.handlers.mask(mask=np.array([True, False, True])):
                numpyro.sample("y", dist.Normal(mu, 1.0).expand([3, 2]).to_event(1), obs=y)
        numpyro.factor("extra", mu * 2)

    found = log_likelihood(grouped, {"mu": np.zeros(1)}, np.ones((3, 2)))
    each = 2 * (-0.5 - 0.5 * np.log(2 * np.pi))
    np.testing.assert_allclose(found["y"], [[each, 0.0, each]], rtol=1e-5)
    assert found["extra"].shape == (1,)


def test_loops_are_sampled_and_predicted():
    def walk(y=None):
        def step(x, _):
            x = numpyro.sample("x", dist.Normal(x, 1.0))
            return x, x

        _, path = scan(step, 0.0, None, length=6)
        numpyro.sample("y", dist.Normal(path, 0.1), obs=y)

    mcmc = MCMC(NUTS(walk), num_warmup=200, num_samples=100, progress_bar=False)
    mcmc.run(jax.random.key(0), np.arange(6.0))
    draws = mcmc.get_samples()
    np.testing.assert_allclose(np.mean(draws["x"], 0), np.arange(6.0), atol=0.2)
    assert {n: x.shape for n, x in Predictive(walk, draws)(jax.random.key(1)).items()} == {
        "y": (100, 6)
    }
    assert Predictive(walk, num_samples=5)(jax.random.key(1))["x"].shape == (5, 6)


def test_functions_for_other_samplers():
    info = initialize_model(jax.random.key(0), model, model_args=(Y,))
    z = info.param_info.z
    np.testing.assert_allclose(
        info.potential_fn(z), util.potential_energy(model, (Y,), {}, z), rtol=1e-6
    )
    assert set(info.postprocess_fn(z)) == {"mu", "s", "double"}
    back = util.unconstrain_fn(model, (Y,), {}, {"mu": 1.0, "s": 2.0})
    np.testing.assert_allclose(back["s"], np.log(2.0), rtol=1e-6)


def test_container(mcmc):
    found = mcmc.to_inferencedata()
    assert found.posterior["s"].shape == (2, 200)
    np.testing.assert_allclose(found.observed_data["y"], Y)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: NUTS(), ValueError, "only one of `model` or `potential_fn`"),
        (lambda: NUTS(model, kinetic_fn=max), NotYetSupported, "kinetic_fn"),
        (lambda: NUTS(model, target_accept_prob=2.0), ParameterError, "between 0 and 1"),
        (lambda: NUTS(model, max_tree_depth=0), ParameterError, "max_tree_depth=0"),
        (lambda: HMC(model, num_steps=0), ParameterError, "num_steps=0"),
        (lambda: MCMC(NUTS(model), num_warmup=-1, num_samples=1), ValueError, "num_warmup=-1"),
        (lambda: MCMC(NUTS(model), num_warmup=1.5, num_samples=1), ValueError, "num_warmup=1.5"),
        (lambda: MCMC(model, num_warmup=1, num_samples=1), NotYetSupported, "only NUTS and HMC"),
        (lambda: MCMC(NUTS(model), num_warmup=1, num_samples=1, chain_method="x"), ValueError,
         "vectorized"),
        (lambda: sampled(NUTS(model), {"extra_fields": ("nothing",)}), NotYetSupported,
         "'nothing'"),
    ],
)  # fmt: skip
def test_bad_settings(make, error, words):
    with pytest.raises(error, match=words):
        make()


def run(fn):
    MCMC(NUTS(fn), num_warmup=1, num_samples=1, progress_bar=False).run(jax.random.key(0))


def normal(name):
    return numpyro.sample(name, dist.Normal(0.0, 1.0))


@pytest.mark.parametrize(
    ("fn", "error", "words"),
    [
        (lambda: numpyro.sample("k", dist.Bernoulli(0.5)), NotYetSupported, "'k' is discrete"),
        (lambda: (numpyro.sample("d", dist.Delta(1.0)), normal("x")), ParameterError, "Delta"),
        (lambda: (normal("x"), normal("x")), ParameterError, "unique names but got `x`"),
        (lambda: (numpyro.plate("N", 9, subsample_size=3), normal("x")), ValueError,
         "Missing random key"),
        (lambda: numpyro.sample("y", dist.Normal(normal("x"), 1.0), obs=np.nan), InvalidStart,
         "Cannot find valid initial parameters"),
        (lambda: jax.vmap(lambda m: numpyro.sample("x", dist.Normal(m, 1.0)))(jnp.arange(3.0)),
         NotYetSupported, "vmap"),
    ],
)  # fmt: skip
def test_bad_models(fn, error, words):
    with pytest.raises(error, match=words):
        run(fn)


def test_before_run():
    with pytest.raises(AssertionError, match="`run` must be called before `get_samples`"):
        MCMC(NUTS(model), num_warmup=1, num_samples=1).get_samples()


def test_public_names():
    for name in infer.__all__:
        assert getattr(infer, name) is not None
