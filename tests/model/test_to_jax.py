"""A model's log density in JAX: against PyMC's numbers and ours, and in BlackJAX's sampler."""

import numpy as np
import pytest
from tests.optional import required
from tests.test_model_reference import MODELS, REFERENCE

import finetti as pm
from finetti.errors import CompileError, ModelError, ParameterError, ShapeError

jax = required("jax", 'pip install "finetti[jax]"')


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def near(model, rng):
    return {
        name: np.asarray(value) + 0.3 * rng.normal(size=np.shape(value))
        for name, value in model.initial_point().items()
    }


@pytest.mark.parametrize("name", sorted(MODELS))
def test_examples_agree_with_native_and_reference(name, rng):
    model = MODELS[name](pm)
    logp = pm.to_jax(model)
    point = near(model, rng)
    value, grad = jax.jit(jax.value_and_grad(logp))(point)
    for backend in ("native", "reference"):
        np.testing.assert_allclose(value, model.compile_logp(backend=backend)(point), rtol=1e-12)
        want = model.compile_dlogp(backend=backend)(point)
        np.testing.assert_allclose(logp.pack(grad), want, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_examples_agree_with_pymc(name):
    logp = pm.to_jax(MODELS[name](pm))
    for stored in REFERENCE[name]["points"]:
        point = {k: np.asarray(v, float) for k, v in stored["point"].items()}
        np.testing.assert_allclose(logp(point), stored["logp"], rtol=1e-11)


def schools():
    return MODELS["eight_schools_noncentred"](pm)


def test_the_vector_form_is_the_same_function(rng):
    model = schools()
    logp, point = pm.to_jax(model), near(model, rng)
    assert logp.names == tuple(model.initial_point())
    assert logp.shapes == {name: np.shape(value) for name, value in point.items()}
    x = logp.pack(point)
    assert x.shape == (logp.n,)
    assert logp.flat(x) == logp(point)
    for name, value in logp.unpack(x).items():
        np.testing.assert_array_equal(value, point[name])
    np.testing.assert_allclose(jax.grad(logp.flat)(x), logp.pack(jax.grad(logp)(point)), rtol=1e-14)


def test_vmap_jit_and_hessian_go_together(rng):
    model = schools()
    logp = pm.to_jax(model)
    rows = np.stack([logp.pack(near(model, rng)) for _ in range(5)])
    values = jax.jit(jax.vmap(logp.flat))(rows)
    np.testing.assert_allclose(values, [logp.flat(row) for row in rows], rtol=1e-14)
    slopes = jax.jit(jax.vmap(jax.grad(logp.flat)))(rows)
    curved = jax.jit(jax.vmap(jax.hessian(logp.flat)))(rows)
    h = 1e-5
    for row, slope, hessian in zip(rows, slopes, curved, strict=True):
        step = h * np.eye(len(row))
        ahead, behind = (jax.vmap(jax.grad(logp.flat))(row + s) for s in (step, -step))
        np.testing.assert_allclose(hessian, (ahead - behind) / (2 * h), atol=1e-6)
        np.testing.assert_allclose(slope, jax.jacfwd(logp.flat)(row), rtol=1e-12, atol=1e-12)
    for mode in (jax.jacfwd(jax.jacfwd(logp.flat)), jax.jacrev(jax.jacrev(logp.flat))):
        np.testing.assert_allclose(mode(rows[0]), curved[0], rtol=1e-9, atol=1e-9)


def test_without_the_jacobian():
    with pm.Model() as model:
        pm.HalfNormal("sigma", 2.0)
    point = {"sigma_log__": np.array(0.4)}
    with_it, without = pm.to_jax(model)(point), pm.to_jax(model, jacobian=False)(point)
    np.testing.assert_allclose(with_it - without, 0.4, rtol=1e-13)


def test_variables_and_deterministics_at_a_point():
    with pm.Model() as model:
        sigma = pm.HalfNormal("sigma", 2.0)
        pm.Deterministic("twice", 2 * sigma)
        pm.Normal("y", 0, sigma, observed=[1.0, 2.0])
    logp = pm.to_jax(model)
    values = jax.vmap(logp.constrain)({"sigma_log__": np.array([0.0, 0.5])})
    assert set(values) == {"sigma", "twice"}
    np.testing.assert_allclose(values["twice"], 2 * np.exp([0.0, 0.5]), rtol=1e-14)


def test_new_data_need_a_new_function():
    with pm.Model() as model:
        data = pm.Data("data", [1.0, 2.0])
        pm.Normal("y", pm.Normal("mu"), observed=data)
    old = pm.to_jax(model)
    before = old({"mu": 0.0})
    pm.set_data({"data": [1.0, 2.0, 3.0]}, model=model)
    assert old({"mu": 0.0}) == before
    np.testing.assert_allclose(pm.to_jax(model)({"mu": 0.0}), model.compile_logp()({"mu": 0.0}))


def test_discrete_variables_are_values_without_gradient():
    with pm.Model() as model:
        k = pm.Poisson("k", 3.0)
        pm.Normal("x", k, 1.0)
    logp = pm.to_jax(model)
    point = {"k": np.array(2), "x": np.array(2.5)}
    np.testing.assert_allclose(logp(point), model.compile_logp()(point), rtol=1e-13)
    np.testing.assert_allclose(jax.grad(logp.flat)(logp.pack(point)), [0.0, -0.5], rtol=1e-13)


def test_32_bit_numbers_are_refused_with_the_line_to_write():
    logp = pm.to_jax(schools())
    start = schools().initial_point()
    with jax.enable_x64(False):
        for call in (lambda: pm.to_jax(schools()), lambda: logp(start)):
            with pytest.raises(CompileError, match=r'jax.config.update."jax_enable_x64", True.'):
                call()


def test_a_point_that_does_not_fit_is_refused():
    logp = pm.to_jax(schools())
    point = dict(schools().initial_point())
    with pytest.raises(ParameterError, match="no value for"):
        logp({name: value for name, value in point.items() if name != "mu"})
    with pytest.raises(ParameterError, match="'mus' is no value of the model. Did you mean 'mu'"):
        logp(point | {"mus": 0.0})
    with pytest.raises(ShapeError, match="'mu' has shape"):
        logp(point | {"mu": np.zeros(3)})
    with pytest.raises(ShapeError, match="expected .10,."):
        logp.flat(np.zeros(3))


def test_the_open_model_is_taken():
    with pm.Model():
        pm.Normal("x")
        assert pm.to_jax().names == ("x",)
    with pytest.raises(ModelError):
        pm.to_jax()


# -- in BlackJAX ---------------------------------------------------------------------------------


def blackjax_nuts(logp, start, chains=4, tune=600, draws=1000):
    """Positions of every chain after BlackJAX's own window adaptation."""
    blackjax = required("blackjax", "pip install blackjax")

    def chain(key):
        warm, run = jax.random.split(key)
        adapt = blackjax.window_adaptation(blackjax.nuts, logp, target_acceptance_rate=0.9)
        (state, parameters), _ = adapt.run(warm, start, tune)
        kernel = blackjax.nuts(logp, **parameters)

        def step(state, key):
            state, _ = kernel.step(key, state)
            return state, state.position

        return jax.lax.scan(step, state, jax.random.split(run, draws))[1]

    return jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(7), chains))


def test_blackjax_samples_a_normal():
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    with pm.Model() as model:
        pm.MvNormal("x", mu=[1.0, -2.0], cov=covariance)
    draws = blackjax_nuts(pm.to_jax(model), model.initial_point())["x"].reshape(-1, 2)
    np.testing.assert_allclose(draws.mean(0), [1.0, -2.0], atol=0.12)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.25)


def test_blackjax_samples_eight_schools_as_we_do():
    model = schools()
    logp = pm.to_jax(model)
    positions = blackjax_nuts(logp, model.initial_point())
    values = jax.vmap(jax.vmap(logp.constrain))(positions)
    ours = pm.sample(2000, chains=4, random_seed=3, progressbar=False, model=model).posterior
    for name in ("mu", "tau", "theta"):
        mine, theirs = ours[name].values, np.asarray(values[name])
        spread = mine.std((0, 1))
        assert (np.abs(mine.mean((0, 1)) - theirs.mean((0, 1))) < 0.15 * spread).all()
        np.testing.assert_allclose(theirs.std((0, 1)), spread, rtol=0.15)
