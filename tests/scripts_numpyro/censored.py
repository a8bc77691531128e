# Truncated and censored data in many spellings, against each other.
import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.scipy.special import log_ndtr
from jax.scipy.stats import norm

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'mu': (1.0138, 0.113), 'sigma': (1.9118, 0.1),
}


rng = np.random.RandomState(5)
z = rng.normal(1.0, 2.0, 300)
low, high = -1.0, 3.0
truncated = z[(z > low) & (z < high)]
censored = np.clip(z, low, high)
left, right = censored == low, censored == high


def truncation(x):
    mu = numpyro.sample('mu', dist.Normal(0, 3))
    sigma = numpyro.sample('sigma', dist.HalfNormal(3))
    with numpyro.plate('n', x.shape[0]):
        numpyro.sample('x', dist.TruncatedNormal(mu, sigma, low=low, high=high), obs=x)


def truncation_by_hand(x):
    mu = numpyro.sample('mu', dist.Normal(0, 3))
    sigma = numpyro.sample('sigma', dist.HalfNormal(3))
    with numpyro.plate('n', x.shape[0]):
        numpyro.sample('x', dist.Normal(mu, sigma), obs=x)
        mass = norm.cdf((high - mu) / sigma) - norm.cdf((low - mu) / sigma)
        numpyro.factor('cut', -jnp.log(mass))


def censoring(x, left, right):
    mu = numpyro.sample('mu', dist.Normal(0, 3))
    sigma = numpyro.sample('sigma', dist.HalfNormal(3))
    seen = ~(left | right)
    with numpyro.plate('n', x.shape[0]):
        with numpyro.handlers.mask(mask=seen):
            numpyro.sample('x', dist.Normal(mu, sigma), obs=x)
        with numpyro.handlers.mask(mask=left):
            numpyro.factor('left', log_ndtr((low - mu) / sigma))
        with numpyro.handlers.mask(mask=right):
            numpyro.factor('right', log_ndtr((mu - high) / sigma))


def censoring_distributions(x, left, right):
    mu = numpyro.sample('mu', dist.Normal(0, 3))
    sigma = numpyro.sample('sigma', dist.HalfNormal(3))
    both = dist.Normal(mu, sigma)
    numpyro.sample('l', dist.LeftCensoredDistribution(both, left[~right]), obs=x[~right])
    numpyro.sample('r', dist.RightCensoredDistribution(both, jnp.ones(right.sum(), int)), obs=x[right])


def imputing(x, left, right):
    mu = numpyro.sample('mu', dist.Normal(0, 3))
    sigma = numpyro.sample('sigma', dist.HalfNormal(3))
    with numpyro.plate('left', int(left.sum())):
        below = numpyro.sample('below', dist.ImproperUniform(dist.constraints.less_than(low), (), ()))
        numpyro.sample('l', dist.Normal(mu, sigma), obs=below)
    with numpyro.plate('right', int(right.sum())):
        above = numpyro.sample('above', dist.ImproperUniform(dist.constraints.greater_than(high), (), ()))
        numpyro.sample('r', dist.Normal(mu, sigma), obs=above)
    numpyro.sample('x', dist.Normal(mu, sigma), obs=x[~left & ~right])


cut = {}
for model in (truncation, truncation_by_hand):
    mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=600, progress_bar=False)
    mcmc.run(random.PRNGKey(0), truncated)
    cut[model] = mcmc.get_samples()
a, b = cut.values()
assert abs(a['mu'].mean() - b['mu'].mean()) < 5 * a['mu'].std() * np.sqrt(2 / 150)
assert abs(a['sigma'].mean() - b['sigma'].mean()) < 5 * a['sigma'].std() * np.sqrt(2 / 150)

for model in (censoring, censoring_distributions, imputing):
    mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=500, progress_bar=False)
    mcmc.run(random.PRNGKey(1), censored, left, right)
    close(mcmc, REFERENCE)
    print(model.__name__, {k: float(v.mean()) for k, v in mcmc.get_samples().items()})
assert (mcmc.get_samples()['below'] <= low).all() and (mcmc.get_samples()['above'] >= high).all()
