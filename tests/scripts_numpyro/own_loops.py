# Samplers and optimisers of one's own: initialize_model, potential_energy, log_density, transforms.
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.flatten_util import ravel_pytree

import numpyro
import numpyro.distributions as dist
from numpyro.distributions import biject_to
from numpyro.distributions.transforms import AffineTransform, ComposeTransform, ExpTransform, SigmoidTransform
from numpyro.infer import MCMC, NUTS, init_to_median
from numpyro.infer.util import (constrain_fn, initialize_model, log_density, potential_energy, transform_fn,
                                unconstrain_fn)

rng = np.random.RandomState(0)
X = jnp.asarray(rng.randn(60, 2))
y = (rng.uniform(size=60) < 1 / (1 + np.exp(-(0.5 + X @ np.array([1., -1.]))))).astype(int)


def model(X, y=None):
    scale = numpyro.sample('scale', dist.HalfNormal(2.))
    alpha = numpyro.sample('alpha', dist.Normal(0, 3))
    beta = numpyro.sample('beta', dist.Normal(0, scale).expand([2]).to_event(1))
    with numpyro.plate('n', X.shape[0]):
        numpyro.sample('y', dist.Bernoulli(logits=alpha + X @ beta), obs=y)


info = initialize_model(random.PRNGKey(0), model, model_args=(X,), model_kwargs={'y': y})
print(type(info).__name__, info._fields)
param_info, potential_fn, postprocess_fn, trace = info
z = param_info.z
assert set(z) == {'alpha', 'beta', 'scale'} and z['beta'].shape == (2,)
assert jnp.isfinite(param_info.potential_energy)
np.testing.assert_allclose(potential_fn(z), param_info.potential_energy, rtol=1e-5)
constrained = postprocess_fn(z)
np.testing.assert_allclose(constrained['scale'], np.exp(z['scale']), rtol=1e-5)

u = {'alpha': jnp.array(.3), 'beta': jnp.array([.5, -.5]), 'scale': jnp.array(.1)}
lp, tr = log_density(model, (X,), {'y': y}, constrain_fn(model, (X,), {'y': y}, u))
np.testing.assert_allclose(-potential_energy(model, (X,), {'y': y}, u), lp + .1, rtol=1e-5)
assert list(tr) == ['scale', 'alpha', 'beta', 'n', 'y']
round_trip = unconstrain_fn(model, (X,), {'y': y}, constrain_fn(model, (X,), {'y': y}, u))
for name in u:
    np.testing.assert_allclose(round_trip[name], u[name], rtol=1e-4)
transforms = {'scale': biject_to(dist.HalfNormal(2.).support)}
np.testing.assert_allclose(transform_fn(transforms, {'scale': jnp.array(1.5)}, invert=True)['scale'], np.log(1.5), rtol=1e-6)
chain = ComposeTransform([AffineTransform(1., 2.), ExpTransform()])
np.testing.assert_allclose(chain(0.5), np.exp(2.), rtol=1e-6)
np.testing.assert_allclose(chain.log_abs_det_jacobian(0.5, chain(0.5)), np.log(2.) + 2., rtol=1e-6)

# Hamiltonian Monte Carlo by hand, chains by vmap
flat, unravel = ravel_pytree(z)
energy = lambda q: potential_fn(unravel(q))
force = jax.jit(jax.grad(energy))


def leapfrog(q, p, step, n):
    p = p - step / 2 * force(q)

    def body(_, qp):
        q, p = qp
        q = q + step * p
        return q, p - step * force(q)

    q, p = jax.lax.fori_loop(0, n - 1, body, (q, p))
    q = q + step * p
    return q, p - step / 2 * force(q)


@partial(jax.jit, static_argnums=(2, 3))
def hmc(key, q, n_samples, n_steps):
    def sample(carry, key):
        q, e = carry
        k1, k2, k3 = random.split(key, 3)
        p = random.normal(k1, q.shape)
        step = 0.25 * random.uniform(k3, minval=.5, maxval=1.)
        q2, p2 = leapfrog(q, p, step, n_steps)
        e2 = energy(q2)
        accept = jnp.log(random.uniform(k2)) < e + p @ p / 2 - e2 - p2 @ p2 / 2
        return (jnp.where(accept, q2, q), jnp.where(accept, e2, e)), (jnp.where(accept, q2, q), accept)

    return jax.lax.scan(sample, (q, energy(q)), random.split(key, n_samples))[1]


qs, accepted = jax.vmap(lambda k: hmc(k, flat, 1000, 10))(random.split(random.PRNGKey(1), 2))
draws = jax.vmap(jax.vmap(lambda q: postprocess_fn(unravel(q))))(qs[:, 300:])
assert accepted.mean() > 0.7

mcmc = MCMC(NUTS(model, init_strategy=init_to_median), num_warmup=400, num_samples=1000, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(2), X, y=y)
mine, theirs = draws, mcmc.get_samples(group_by_chain=True)
numpyro.diagnostics.print_summary(mine)
for name in ('alpha', 'beta'):
    sd = theirs[name].std((0, 1))
    assert (np.abs(mine[name].mean((0, 1)) - theirs[name].mean((0, 1))) < 6 * sd / np.sqrt(120)).all(), name

# maximum a posteriori by gradient descent
mode = flat
for _ in range(200):
    mode = mode - 0.02 * force(mode)
assert float(jnp.abs(force(mode)).max()) < 1.0

# a density without a model
def banana(z):
    return 0.5 * z['x'] ** 2 + 0.5 * ((z['y'] - z['x'] ** 2) / 0.5) ** 2


mcmc = MCMC(NUTS(potential_fn=banana, target_accept_prob=.9), num_warmup=500, num_samples=2000, progress_bar=False)
mcmc.run(random.PRNGKey(3), init_params={'x': jnp.array(0.), 'y': jnp.array(0.)})
mcmc.print_summary(exclude_deterministic=False)
s = mcmc.get_samples()
assert abs(s['x'].mean()) < .3 and abs(s['x'].std() - 1) < .2 and abs(s['y'].mean() - 1) < .3
mcmc = MCMC(NUTS(potential_fn=lambda q: 0.5 * jnp.sum(q ** 2)), num_warmup=300, num_samples=1000, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(3), init_params=jnp.zeros((2, 3)))
assert mcmc.get_samples().shape == (2000, 3) and abs(mcmc.get_samples().std() - 1) < 0.1
mcmc.print_summary()
