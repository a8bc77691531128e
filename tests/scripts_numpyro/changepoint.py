# A change in the rate of events: where with a continuous time, and the exact sum over all times.
import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.scipy.special import logsumexp

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 3000 draws
REFERENCE = {
    'early': (2.979, 0.275), 'late': (0.96285, 0.129), 'when': (39.121, 0.238),
}

rng = np.random.RandomState(3)
counts = np.concatenate([rng.poisson(3.2, 38), rng.poisson(1.0, 60)])
years = np.arange(len(counts))


def summed(counts):
    early = numpyro.sample('early', dist.Exponential(1.))
    late = numpyro.sample('late', dist.Exponential(1.))
    T = len(counts)
    idx = jnp.arange(T)
    lp1 = dist.Poisson(early).log_prob(counts)
    lp2 = dist.Poisson(late).log_prob(counts)
    table = jnp.where(idx[None, :] < idx[:, None], lp1, lp2).sum(-1) - jnp.log(T)
    numpyro.deterministic('when', jnp.sum(idx * jax.nn.softmax(table)))
    numpyro.factor('counts', logsumexp(table))


def smooth(counts):
    early = numpyro.sample('early', dist.Exponential(1.))
    late = numpyro.sample('late', dist.Exponential(1.))
    tau = numpyro.sample('tau', dist.Uniform(0., float(len(counts))))
    weight = jax.nn.sigmoid(2 * (tau - years))
    rate = jnp.where(years < tau - 20, early, jnp.where(years > tau + 20, late, late + (early - late) * weight))
    with numpyro.plate('years', len(counts)):
        numpyro.sample('counts', dist.Poisson(rate), obs=counts)


mcmc = MCMC(NUTS(summed), num_warmup=300, num_samples=500, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(0), counts)
mcmc.print_summary(exclude_deterministic=False)
close(mcmc, REFERENCE)
assert abs(mcmc.get_samples()['when'].mean() - 38) < 4

mcmc = MCMC(NUTS(smooth, init_strategy=numpyro.infer.init_to_value(values={'tau': 40.})), num_warmup=500, num_samples=500, progress_bar=False)
mcmc.run(random.PRNGKey(1), counts)
s = mcmc.get_samples()
assert abs(s['tau'].mean() - 38) < 4 and s['early'].mean() > 2 * s['late'].mean()
