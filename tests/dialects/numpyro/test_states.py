"""States: what the warm-up has learned, going on from it, and metrics that the user gives."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp

import finetti.numpyro as numpyro
from finetti.dialects.numpyro.infer import HMC, MCMC, NUTS
from finetti.errors import ParameterError

SD = {"c": 100.0, "a": 0.01, "b": np.array([1.0, 10.0])}
VARIANCES = np.array([0.01, 1.0, 10.0, 100.0]) ** 2  # in the order of the names
NAMES = ("a", "b", "c")
KERNELS = {"NUTS": NUTS, "HMC": lambda fn, **rest: HMC(fn, trajectory_length=1.5, **rest)}


def model():
    for name, sd in SD.items():
        numpyro.sample(name, dist.Normal(jnp.zeros(np.shape(sd)), sd).to_event(np.ndim(sd)))


def other():
    numpyro.sample("a", dist.Normal(0.0, 1.0))


def made(kernel, **sizes):
    options = {"num_warmup": 150, "num_samples": 100, "num_chains": 2, "progress_bar": False}
    return MCMC(kernel, **{**options, **sizes})


def metric(mcmc):
    """The variances in the order of the names, whatever the tuples of names are."""
    found, sizes = {}, {"a": 1, "b": 2, "c": 1}
    for names, values in mcmc.last_state.adapt_state.inverse_mass_matrix.items():
        ends = np.cumsum([sizes[name] for name in names])[:-1]
        found |= dict(zip(names, np.split(np.asarray(values), ends, axis=-1), strict=True))
    return np.concatenate([found[name] for name in NAMES], axis=-1)


def steps(mcmc):
    return np.asarray(mcmc.last_state.adapt_state.step_size)


@pytest.fixture(scope="module", params=list(KERNELS))
def warm(request):
    mcmc = made(KERNELS[request.param](model))
    mcmc.warmup(jax.random.key(0))
    return mcmc


def again(mcmc, key=1, **sizes):
    """Another object that goes on from the first one's state after the warm-up."""
    fresh = made(mcmc.sampler, **sizes)
    fresh.post_warmup_state = mcmc.post_warmup_state
    fresh.run(jax.random.key(key))
    return fresh


def test_the_state_has_the_metric_and_the_step_size(warm):
    # a normal's metric is exact up to JAX's single precision
    np.testing.assert_allclose(metric(warm), [VARIANCES] * 2, rtol=1e-5)
    state = warm.post_warmup_state
    assert state is warm.last_state and state.i == 150
    assert state.adapt_state.step_size.shape == (2,)
    roots = state.adapt_state.mass_matrix_sqrt_inv[NAMES], state.adapt_state.mass_matrix_sqrt[NAMES]
    np.testing.assert_allclose(roots[0] * roots[1], 1.0, rtol=1e-5)
    np.testing.assert_allclose(roots[0] ** 2, metric(warm), rtol=1e-5)


def test_run_goes_on_without_a_warmup(warm):
    fresh = again(warm)
    np.testing.assert_array_equal(metric(fresh), metric(warm))
    np.testing.assert_array_equal(steps(fresh), steps(warm))
    assert fresh.last_state.i == 250
    run = fresh._result.run
    assert run.gradients == run.stats["n_steps"].sum() + 2  # a draw's, and one to begin each chain
    assert np.isclose(run.stats["acceptance_rate"].mean(), 0.85, atol=0.12)
    np.testing.assert_array_equal(again(warm).get_samples()["b"], fresh.get_samples()["b"])


def test_an_object_goes_on_from_its_own_warmup_each_time():
    mcmc = made(NUTS(model), num_chains=1)
    mcmc.warmup(jax.random.key(0), collect_warmup=True)
    assert mcmc.get_samples()["a"].shape == (150,)
    mcmc.run(jax.random.key(1))
    first = np.asarray(mcmc.get_samples()["b"])
    assert first.shape == (100, 2)
    mcmc.run(jax.random.key(1))
    np.testing.assert_array_equal(mcmc.get_samples()["b"], first)
    mcmc.post_warmup_state = mcmc.last_state
    # The same key again: with the same momenta the two batches would grow together.
    mcmc.run(jax.random.key(1))
    second = np.asarray(mcmc.get_samples()["b"])
    assert mcmc.last_state.i == 350
    assert abs(first[50:] - second[50:]).max() > 1.0
    mcmc.post_warmup_state = None
    mcmc.run(jax.random.key(1))
    assert mcmc.last_state.i == 250


def test_the_states_key_is_a_new_one(warm):
    keys = warm.last_state.rng_key
    assert keys.shape == (2,)
    one, two = made(NUTS(model), num_samples=5), made(NUTS(model), num_samples=5)
    one.run(jax.random.key(0))
    two.run(one.last_state.rng_key)
    assert abs(one.get_samples()["b"] - two.get_samples()["b"]).min() > 0
    for key in (3, jax.random.PRNGKey(3), jax.random.split(jax.random.key(3), 2)):
        two.run(key)
        assert len(two.last_state.rng_key) == 2


def test_after_pickling(warm):
    done = again(warm, thinning=2)
    copied = pickle.loads(pickle.dumps(done))
    plain, thinned = done.to_inferencedata(), copied.to_inferencedata()
    np.testing.assert_array_equal(plain.posterior["b"], thinned.posterior["b"])
    assert thinned.posterior["b"].shape == (2, 50, 2)
    assert pickle.loads(pickle.dumps(copied)).to_inferencedata().posterior["a"].shape == (2, 50)
    for mcmc in (done, copied):
        mcmc.post_warmup_state = mcmc.last_state
        mcmc.run(jax.random.key(5))
    np.testing.assert_array_equal(copied.get_samples()["b"], done.get_samples()["b"])


def test_replaced_fields_of_a_state_count(warm):
    fresh = made(warm.sampler, num_samples=1)
    state = warm.last_state
    fields = {
        "step_size": jnp.array([0.01, 0.02]),
        "inverse_mass_matrix": {NAMES: jnp.ones((2, 4))},
    }
    fresh.post_warmup_state = state._replace(adapt_state=state.adapt_state._replace(**fields))
    fresh.run(jax.random.key(0))
    np.testing.assert_allclose(steps(fresh), [0.01, 0.02], rtol=1e-6)
    np.testing.assert_array_equal(metric(fresh), np.ones((2, 4)))
    z = {**state.z, "c": jnp.array([7.0, -7.0])}
    tiny = state.adapt_state._replace(step_size=jnp.full(2, 1e-9))
    fresh.post_warmup_state = state._replace(z=z, adapt_state=tiny)
    fresh.run(jax.random.key(0))
    np.testing.assert_allclose(fresh.get_samples()["c"], [7.0, -7.0], rtol=1e-3)
    with pytest.raises(ValueError, match="unexpected field names: .'speed'"):
        state._replace(speed=1)


GIVEN = {
    "vector": VARIANCES,
    "matrix": np.diag(VARIANCES),
    "dict": {("c", "a"): VARIANCES[[3, 0]], ("b",): np.diag(VARIANCES[1:3])},
}


@pytest.mark.parametrize("kind", list(KERNELS))
@pytest.mark.parametrize("given", list(GIVEN))
def test_a_given_metric_is_kept(given, kind):
    kernel = KERNELS[kind](model, inverse_mass_matrix=GIVEN[given], adapt_mass_matrix=False,
                           adapt_step_size=False, step_size=0.5)  # fmt: skip
    mcmc = made(kernel, num_warmup=20)
    mcmc.run(jax.random.key(0))
    np.testing.assert_allclose(metric(mcmc), [VARIANCES] * 2, rtol=1e-6)
    np.testing.assert_array_equal(steps(mcmc), [0.5] * 2)
    assert mcmc._result.run.stats["acceptance_rate"].mean() > 0.9


def test_a_given_metric_is_where_adaptation_begins():
    given = {("c", "a"): 4 * VARIANCES[[3, 0]], "b": 4 * VARIANCES[1:3]}
    found = {}
    for tune in (1, 8, 100):
        mcmc = made(NUTS(model, inverse_mass_matrix=given), num_warmup=tune, num_samples=1)
        mcmc.run(jax.random.key(0))
        found[tune] = metric(mcmc) / VARIANCES
    np.testing.assert_allclose(found[1], 4.0, rtol=1e-6)
    assert (found[8] > 1).all() and (found[8] < 4).all()  # it counts like ten draws
    np.testing.assert_allclose(found[100], 1.0, rtol=1e-5)
    part = NUTS(model, inverse_mass_matrix={("c",): VARIANCES[3:]}, adapt_mass_matrix=False)
    mcmc = made(part, num_warmup=4, num_samples=1)
    mcmc.run(jax.random.key(0))
    np.testing.assert_allclose(metric(mcmc), [[1, 1, 1, VARIANCES[3]]] * 2)


def test_without_a_warmup_the_settings_are_used():
    mcmc = made(NUTS(other, step_size=0.25), num_warmup=0, num_chains=1)
    mcmc.run(jax.random.key(0))
    assert mcmc.last_state.adapt_state.step_size == 0.25
    mcmc = made(NUTS(other), num_warmup=0, num_chains=1)
    mcmc.run(jax.random.key(0))
    assert mcmc.last_state.adapt_state.step_size == 1.0
    assert mcmc.last_state.adapt_state.inverse_mass_matrix["a",] == 1.0


@pytest.mark.parametrize("tree", [dict, tuple])
def test_potential_functions(tree):
    def potential(z):
        x, y = (z["x"], z["y"]) if tree is dict else z
        return 0.5 * jnp.sum(x**2) + 0.5 * y**2 / 100

    start = {"y": jnp.zeros(()), "x": jnp.zeros(2)} if tree is dict else (jnp.zeros(2), 0.0)
    given = {("y",): np.array([100.0])} if tree is dict else np.array([1.0, 1.0, 100.0])
    kernel = NUTS(potential_fn=potential, inverse_mass_matrix=given, adapt_mass_matrix=False)
    mcmc = made(kernel, num_chains=1)
    mcmc.warmup(jax.random.key(0), init_params=start)
    mcmc.run(jax.random.key(1))
    found = mcmc.last_state.adapt_state.inverse_mass_matrix
    if tree is dict:
        assert set(found) == {("y",), ("x",)}  # as it was given
        found = np.concatenate([found["x",], found["y",]])
    np.testing.assert_array_equal(found, [1, 1, 100])
    assert mcmc.last_state.i == 250


def bad_metric(given):
    made(NUTS(model, inverse_mass_matrix=given)).run(jax.random.key(0))


def resumed_by(kernel, **sizes):
    first, second = made(NUTS(model), num_warmup=2), made(kernel, **sizes)
    first.warmup(jax.random.key(0))
    second.post_warmup_state = first.last_state
    second.run(jax.random.key(0))


def both_starts():
    mcmc = made(NUTS(model), num_warmup=2, num_samples=1)
    mcmc.warmup(jax.random.key(0))
    mcmc.run(jax.random.key(0), init_params={})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: bad_metric(np.ones(3)), r"shape \(3,\), expected \(4,\).*a: 1, b: 2, c: 1"),
        (lambda: bad_metric({("a", "d"): np.ones(2)}), "'d' which is no latent site"),
        (lambda: bad_metric({("a",): [1.0], ("c", "a"): np.ones(2)}), "'a' twice"),
        (lambda: bad_metric(-VARIANCES), "positive finite variances"),
        (lambda: resumed_by(NUTS(other)), "this model has a: 1"),
        (lambda: resumed_by(NUTS(model), num_chains=3), "2 chains; num_chains is 3"),
        (lambda: setattr(made(NUTS(model)), "post_warmup_state", 3), "got int"),
        (both_starts, "init_params= and post_warmup_state both"),
    ],
)
def test_mistakes_are_named(make, words):
    with pytest.raises(ParameterError, match=words):
        make()


@pytest.mark.parametrize("name", list(KERNELS))
def test_the_field_of_the_step_size_is_that_before_jitter(name):
    mcmc = made(KERNELS[name](model))
    mcmc.run(jax.random.key(0), extra_fields=("adapt_state.step_size",))
    found = np.asarray(mcmc.get_extra_fields(group_by_chain=True)["adapt_state.step_size"])
    np.testing.assert_array_equal(found, np.repeat(steps(mcmc)[:, None], 100, axis=1))
    kept = made(KERNELS[name](model, step_size=0.2, adapt_step_size=False))
    kept.run(jax.random.key(0))
    np.testing.assert_array_equal(kept._result.run.stats["step_size"], np.full((2, 100), 0.2))
