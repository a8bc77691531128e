"""Draws forward: keys, JAX's transformations around them, loops after their data, overflow."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import jax.numpy as jnp

from finetti.dialects import numpyro
from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.contrib.control_flow import scan
from finetti.dialects.numpyro.infer import Predictive, log_likelihood
from finetti.errors import NotYetSupported

KEY = jax.random.PRNGKey(0)
# Two draws with this key by NumPyro 0.22.0 in 32 bits: one random number takes the key itself.
DRAWS = {
    "Normal": (dist.Normal(), [1.6226422, 2.0252647]),
    "HalfNormal": (dist.HalfNormal(2.0), [3.2452843, 4.0505295]),
    "Exponential": (dist.Exponential(1.0), [2.950128, 3.8434246]),
    "Uniform": (dist.Uniform(), [0.947667, 0.9785799]),
    "Gamma": (dist.Gamma(2.0, 1.0), [1.5897877, 1.7599413]),
    "LogNormal": (dist.LogNormal(), [5.066459, 7.578117]),
    "Cauchy": (dist.Cauchy(), [6.0274944, 14.837895]),
    "TruncatedNormal": (dist.TruncatedNormal(0, 1, low=0.0), [1.9403843, 2.3004963]),
    "Poisson": (dist.Poisson(4.0), [0, 1]),
    "Bernoulli": (dist.Bernoulli(0.3), [0, 0]),
    "Categorical": (dist.Categorical(np.ones(4) / 4), [3, 3]),
    "OrderedLogistic": (dist.OrderedLogistic(0.0, np.array([-1.0, 1.0])), [2, 2]),
}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_numpyros(name):
    fn, expected = DRAWS[name]
    with jax.enable_x64(False):
        found = fn.sample(KEY, (2,))
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def line(x, y=None):
    a = numpyro.sample("a", dist.Normal(0, 1))
    mu = numpyro.deterministic("mu", a * x)
    numpyro.sample("y", dist.Normal(mu, 0.1), obs=y)


POINTS = {"a": np.linspace(-1.0, 1.0, 4)}
X = np.arange(3.0)
AROUND = {
    "jit over data": lambda f: jax.jit(lambda x: f(KEY, x, POINTS))(X),
    "jit over draws": lambda f: jax.jit(lambda p: f(KEY, X, p))(POINTS),
    "jit over the key": lambda f: jax.jit(lambda k: f(k, X, POINTS))(KEY),
    "vmap over the key": lambda f: jax.vmap(lambda k: f(k, X, POINTS))(KEY[None])[0],
}


@pytest.mark.parametrize("way", AROUND)
def test_predictive_inside_of_jax(way):
    def both(key, x, points):
        found = Predictive(line, points)(key, x)
        return jnp.stack([found["mu"], found["y"]])

    mu, y = AROUND[way](both)
    np.testing.assert_allclose(mu, POINTS["a"][:, None] * X, rtol=1e-5)
    assert 0 < np.abs(y - mu).max() < 0.7  # 7 standard deviations


@pytest.mark.parametrize("way", ["jit over data", "jit over draws"])
def test_log_likelihood_inside_of_jax(way):
    def terms(key, x, points):
        return log_likelihood(line, points, x, y=np.ones(3))["y"]

    np.testing.assert_allclose(AROUND[way](terms), terms(KEY, X, POINTS), rtol=1e-4)


class OwnCounts(dist.Distribution):
    """A distribution of counts that only the user knows."""

    support = dist.constraints.nonnegative_integer

    def sample(self, key, sample_shape=()):
        return jax.random.randint(key, sample_shape + self.batch_shape, 2, 5)

    def log_prob(self, value):
        return jnp.where((value >= 2) & (value < 5), -jnp.log(3.0), -jnp.inf)


def test_users_counts_are_drawn():
    drawn = Predictive(lambda: numpyro.sample("n", OwnCounts()), num_samples=20)(KEY)["n"]
    assert set(np.unique(drawn)) <= {2, 3, 4}
    assert drawn.shape == (20,)


def walk(y, steps):
    def step(level, t):
        level = numpyro.sample("y", dist.Normal(level + 1.0, 0.1))
        return level, level

    with handlers.condition(data={"y": y}):
        _, ys = scan(step, 0.0, jnp.arange(steps))
    numpyro.deterministic("last", ys[-1])


def test_a_loop_goes_on_after_its_data():
    found = Predictive(walk, num_samples=50)(KEY, jnp.array([5.0, 9.0]), 6)
    np.testing.assert_array_equal(found["y"][:, :2], np.tile([5.0, 9.0], (50, 1)))
    # 9 and four steps of 1; the mean's standard error is 0.03
    assert abs(found["last"].mean() - 13.0) < 0.18
    assert 0.1 < found["last"].std() < 0.4  # 0.2, of 50 draws


def test_a_loop_shorter_than_its_data():
    with pytest.raises(RuntimeError, match="Expected length <= 2, but got 3"):
        Predictive(walk, num_samples=2)(KEY, jnp.arange(3.0), 2)


def test_a_kernel_does_not_forecast():
    sampler = numpyro.infer.MCMC(
        numpyro.infer.NUTS(walk), num_warmup=1, num_samples=1, progress_bar=False
    )
    with pytest.raises(NotYetSupported, match="'y' has values for 2 of 6 steps"):
        sampler.run(KEY, jnp.array([5.0, 9.0]), 6)


LARGEST = np.iinfo(np.int32).max
OVERFLOWS = {
    "count": (dist.Poisson(jnp.array([1e12])), LARGEST, None),
    "rate": (dist.Poisson(jnp.exp(jnp.array([60.0]))), LARGEST, "Poisson rates above"),
    "infinite rate": (dist.Poisson(jnp.array([jnp.inf])), LARGEST, "Poisson rates above"),
}


@pytest.mark.parametrize("name", OVERFLOWS)
def test_overflow_saturates(name):
    fn, expected, words = OVERFLOWS[name]
    with jax.enable_x64(False), warnings.catch_warnings(record=True) as spoken:
        warnings.simplefilter("always")
        found = Predictive(lambda: numpyro.sample("n", fn), num_samples=2)(KEY)["n"]
    assert (np.asarray(found) == expected).all()
    assert [words in str(w.message) for w in spoken] == ([True] if words else [])


def test_large_numbers_are_infinite_in_32_bits():
    def model():
        numpyro.deterministic("x", jnp.exp(jnp.array([89.0, 800.0])))
        numpyro.sample("z", dist.Normal())

    with jax.enable_x64(False):
        assert np.isinf(Predictive(model, num_samples=2)(KEY)["x"]).all()


def test_probabilities_of_32_bits():
    p = jax.random.dirichlet(KEY, jnp.ones(5), (200,)).astype(jnp.float32)

    def model():
        p = numpyro.sample("p", dist.Dirichlet(jnp.ones(5)))
        numpyro.sample("n", dist.Multinomial(100, p))

    assert (Predictive(model, {"p": p})(KEY)["n"].sum(-1) == 100).all()


def test_a_draw_without_a_key():
    with pytest.raises(Exception, match="there is no random key to draw it with"):
        numpyro.sample("a", dist.Normal())
