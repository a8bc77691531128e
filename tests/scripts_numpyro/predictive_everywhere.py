# Predictive in all its ways: prior, posterior, jit, vmap, batch_ndims, new sizes, deterministic sites.
import jax
import jax.numpy as jnp
import numpy as np
from jax import jit, random, vmap

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive, log_likelihood
from numpyro.infer.util import log_density

rng = np.random.default_rng(0)
x = rng.uniform(0, 10, 50)
y = 1. + .5 * x + rng.normal(0, .8, 50)


def model(x, y=None, N=None):
    a = numpyro.sample('a', dist.Normal(0, 5))
    b = numpyro.sample('b', dist.Normal(0, 5))
    sigma = numpyro.sample('sigma', dist.Exponential(1.))
    mu = numpyro.deterministic('mu', a + b * x)
    with numpyro.plate('data', len(x) if N is None else N):
        return numpyro.sample('y', dist.Normal(mu, sigma), obs=y)


mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=250, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(0), x, y)
samples = mcmc.get_samples()
least = np.polyfit(x, y, 1)
assert abs(samples['b'].mean() - least[0]) < 0.03 and abs(samples['a'].mean() - least[1]) < 0.2

prior = Predictive(model, num_samples=500)(random.PRNGKey(1), x)
assert list(prior) == sorted(prior) == ['a', 'b', 'mu', 'sigma', 'y']
# Exponential(1): mean 1, error 1 / sqrt(500)
assert abs(prior['sigma'].mean() - 1) < 5 / np.sqrt(500)

x_new = jnp.linspace(0, 10, 7)
posterior = Predictive(model, samples)
predicted = posterior(random.PRNGKey(2), x_new)
assert {k: v.shape for k, v in predicted.items()} == {'mu': (500, 7), 'y': (500, 7)}
again = posterior(random.PRNGKey(2), x_new)
assert (again['y'] == predicted['y']).all()
np.testing.assert_allclose(predicted['mu'], samples['a'][:, None] + samples['b'][:, None] * x_new, rtol=1e-4)
only = Predictive(model, samples, return_sites=['y', 'sigma'])(random.PRNGKey(2), x_new)
assert set(only) == {'y', 'sigma'}
np.testing.assert_allclose(only['sigma'], samples['sigma'], rtol=1e-6)
grouped = Predictive(model, mcmc.get_samples(group_by_chain=True), batch_ndims=2)(random.PRNGKey(3), x_new)
assert grouped['y'].shape == (2, 250, 7)
one = {k: v[0] for k, v in samples.items()}
single = Predictive(model, one, batch_ndims=0)(random.PRNGKey(3), x_new)
assert single['y'].shape == (7,)
parallel = Predictive(model, samples, parallel=True)(random.PRNGKey(2), x_new)
assert parallel['y'].shape == (500, 7)
tiled = Predictive(model, samples)(random.PRNGKey(2), x, y)
np.testing.assert_allclose(tiled['y'], np.broadcast_to(y, (500, 50)), rtol=1e-6)
kept = Predictive(model, {**samples, 'mu': samples['mu']}, return_sites=['mu'])(random.PRNGKey(2), x)
np.testing.assert_allclose(kept['mu'], samples['mu'], rtol=1e-4)

# jit and vmap around it
fast = jit(lambda key, x: Predictive(model, samples)(key, x)['y'])
drawn = fast(random.PRNGKey(4), x_new)
assert drawn.shape == (500, 7) and abs(drawn.mean() - predicted['y'].mean()) < 0.2
sets = vmap(lambda key: Predictive(model, num_samples=3)(key, x_new)['y'])(random.split(random.PRNGKey(5), 4))
assert sets.shape == (4, 3, 7)
assert len(np.unique(np.asarray(sets))) == 84

terms = log_likelihood(model, samples, x, y)
assert list(terms) == ['y'] and terms['y'].shape == (500, 50)
np.testing.assert_allclose(terms['y'], dist.Normal(samples['mu'], samples['sigma'][:, None]).log_prob(y), rtol=1e-3, atol=1e-4)
assert log_likelihood(model, mcmc.get_samples(group_by_chain=True), x, y, batch_ndims=2)['y'].shape == (2, 250, 50)
rows = jit(vmap(lambda s: log_density(model, (x, y), {}, s)[0]))({k: v for k, v in samples.items() if k != 'mu'})
assert rows.shape == (500,) and jnp.isfinite(rows).all()
inside = jit(lambda s: log_likelihood(model, s, x, y)['y'].sum())({k: v[:5] for k, v in samples.items()})
np.testing.assert_allclose(inside, terms['y'][:5].sum(), rtol=1e-4)
gradient = jax.grad(lambda a: log_density(model, (x, y), {}, {'a': a, 'b': .5, 'sigma': .8})[0])(1.)
assert np.isfinite(gradient)

try:
    Predictive(model, {'a': jnp.zeros(3), 'b': jnp.zeros(4)})
except ValueError as error:
    print(error)
try:
    Predictive(model)
except ValueError as error:
    print(error)
