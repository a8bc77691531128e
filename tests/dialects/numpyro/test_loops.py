"""Loops with plates, masks and composed distributions in them, against the steps written out."""

from __future__ import annotations

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp

import finetti.numpyro as numpyro
from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.contrib.control_flow import scan
from finetti.dialects.numpyro.infer import MCMC, NUTS
from finetti.dialects.numpyro.infer.util import potential_energy
from finetti.errors import NotYetSupported

STEPS = 3
sample, Normal = numpyro.sample, dist.Normal
HALVES = jnp.array([0.3, 0.7])
# what a step draws, by its number and what was before
BODIES = {
    "masked": lambda i, c: Normal(c, 1.0).mask(i < 2),
    "mixture": lambda i, c: dist.MixtureSameFamily(
        dist.Categorical(probs=HALVES), Normal(jnp.array([0.0, 1.0]) + c, 1.0)),
    "mixture of kinds": lambda i, c: dist.MixtureGeneral(
        dist.Categorical(probs=HALVES), [Normal(c, 1.0), dist.StudentT(3.0, c, 2.0)]),
    "bounded": lambda i, c: dist.TruncatedNormal(c, 1.0, low=-3.0, high=4.0),
    "uniform": lambda i, c: dist.Uniform(-1.0, 2.0),
    "vector": lambda i, c: dist.MultivariateNormal(jnp.zeros(2) + c, jnp.eye(2)).mask(i > 0),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def written_out(step, carry, xs):
    for i in range(len(xs)):
        with handlers.scope(prefix=f"t{i}", hide_types=["plate"]):
            carry, _ = step(carry, xs[i])
    return carry, None


def model(name, size, loop=scan):
    # a handler's mask also hides the Jacobian of a bounded variable, which is another matter
    hidden = name not in ("bounded", "uniform")

    def step(carry, i):
        with numpyro.plate("N", size), handlers.mask(mask=(i != 1) if hidden else True):
            x = sample("x", BODIES[name](i, carry))
            sample("y", Normal(x.reshape(size, -1).sum(-1), 1.0), obs=jnp.arange(1.0 * size))
        return jnp.tanh(x.mean()), None

    loop(step, 0.1, jnp.arange(STEPS))


@pytest.mark.parametrize("size", [2, STEPS])  # where both axes are as long, shapes tell nothing
@pytest.mark.parametrize("name", BODIES)
def test_a_loop_is_its_steps(name, size):
    shape = (STEPS, size, 2) if name == "vector" else (STEPS, size)
    z = jnp.asarray(np.random.default_rng(0).normal(size=shape))
    steps = {f"t{i}/x": z[i] for i in range(STEPS)}
    wanted = potential_energy(model, (name, size, written_out), {}, steps)
    np.testing.assert_allclose(potential_energy(model, (name, size), {}, {"x": z}), wanted)


@pytest.mark.parametrize("name", BODIES)
def test_the_graph_is_the_same(name):
    mcmc = MCMC(NUTS(model), num_warmup=10, num_samples=3, progress_bar=False)
    mcmc.run(jax.random.key(0), name, 2, extra_fields=("potential_energy", "z.x"))
    found = mcmc.get_extra_fields()
    energies = jax.vmap(lambda z: potential_energy(model, (name, 2), {}, {"x": z}))(found["z.x"])
    np.testing.assert_allclose(energies, found["potential_energy"], rtol=1e-8)


def test_sites_of_all_steps_have_their_shape():
    trace = handlers.trace(handlers.seed(model, 0)).get_trace("vector", 2)
    assert trace["x"]["fn"].batch_shape == (STEPS, 2) and trace["x"]["fn"].event_shape == (2,)
    assert trace["y"]["fn"].batch_shape == (STEPS, 2)


def test_a_support_that_moves_is_refused():
    def moving():
        scan(lambda c, i: (sample("x", dist.Uniform(c, c + 1.0)), None), 0.5, jnp.arange(3))

    with pytest.raises(NotYetSupported, match="scan: the support of site 'x'"):
        MCMC(NUTS(moving), num_warmup=5, num_samples=5).run(jax.random.key(0))
