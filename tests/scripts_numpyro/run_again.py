# One MCMC object used again and again: warm starts, states, thinning, chain methods, init_params.
import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import HMC, MCMC, NUTS

numpyro.set_host_device_count(2)
data = np.random.RandomState(0).normal(3., 2., size=40)


def model(data):
    mu = numpyro.sample('mu', dist.Normal(0, 10))
    sigma = numpyro.sample('sigma', dist.HalfNormal(5))
    numpyro.deterministic('snr', mu / sigma)
    with numpyro.plate('n', data.shape[0]):
        numpyro.sample('x', dist.Normal(mu, sigma), obs=data)


def check(samples):
    assert abs(np.mean(samples['mu']) - data.mean()) < 0.25
    assert abs(np.mean(samples['sigma']) - data.std()) < 0.3


mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=300, num_chains=2, progress_bar=False)
try:
    mcmc.get_samples()
except AssertionError as error:
    print(error)
mcmc.run(random.PRNGKey(0), data)
first = mcmc.get_samples()
check(first)
mcmc.run(random.PRNGKey(0), data)
again = mcmc.get_samples()
assert all((first[k] == again[k]).all() for k in first)
mcmc.run(random.PRNGKey(1), data)
assert (mcmc.get_samples()['mu'] != first['mu']).any()
grouped = mcmc.get_samples(group_by_chain=True)
assert grouped['mu'].shape == (2, 300) and list(grouped) == ['mu', 'sigma', 'snr']
assert (grouped['mu'].reshape(-1) == mcmc.get_samples()['mu']).all()
assert jax.tree_util.tree_map(jnp.shape, grouped) == {'mu': (2, 300), 'sigma': (2, 300), 'snr': (2, 300)}

# more draws from where it ended
mcmc.post_warmup_state = mcmc.last_state
mcmc.run(mcmc.post_warmup_state.rng_key, data)
more = mcmc.get_samples()
check(more)
assert not np.isin(np.asarray(more['mu']), np.asarray(grouped['mu'])).any()
both = {k: np.concatenate([more[k], grouped[k].reshape(-1)]) for k in more}
check(both)
mcmc.post_warmup_state = None

# a warm-up of its own, then batches
mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=100, progress_bar=False)
mcmc.warmup(random.PRNGKey(2), data, collect_warmup=True)
assert mcmc.get_samples()['mu'].shape == (300,)
batches = []
for i in range(3):
    mcmc.run(random.PRNGKey(i), data)
    batches.append(mcmc.get_samples()['mu'])
    mcmc.post_warmup_state = mcmc.last_state
print('batches', [float(b.mean().round(1)) for b in batches])
assert np.abs(np.mean(batches) - data.mean()) < 0.3
state = mcmc.last_state
assert set(state.z) == {'mu', 'sigma'} and float(state.adapt_state.step_size) > 0
print(type(state).__name__, state._fields if hasattr(state, '_fields') else '')

# starting values are unconstrained
mcmc = MCMC(NUTS(model), num_warmup=200, num_samples=200, progress_bar=False)
mcmc.run(random.PRNGKey(3), data, init_params={'mu': jnp.array(3.), 'sigma': jnp.log(2.)})
check(mcmc.get_samples())
mcmc = MCMC(NUTS(model), num_warmup=200, num_samples=200, num_chains=2, progress_bar=False)
mcmc.run(random.split(random.PRNGKey(3), 2), data, init_params={'mu': jnp.array([3., 2.]), 'sigma': jnp.zeros(2)})
check(mcmc.get_samples())

for method in ('sequential', 'vectorized', 'parallel', jax.vmap):
    mcmc = MCMC(NUTS(model), num_warmup=200, num_samples=200, num_chains=2, chain_method=method, progress_bar=False, thinning=2)
    mcmc.run(random.PRNGKey(4), data, extra_fields=('potential_energy',))
    assert mcmc.get_samples(group_by_chain=True)['mu'].shape == (2, 100)
    assert mcmc.get_extra_fields()['potential_energy'].shape == (200,)
    check(mcmc.get_samples())
    mcmc.print_summary()
mcmc = MCMC(HMC(model, num_steps=10), num_warmup=300, num_samples=400, progress_bar=False)
mcmc.run(random.PRNGKey(5), data=data)
check(mcmc.get_samples())
