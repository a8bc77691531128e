# Directions: von Mises regression, a mixture of von Mises, the projected normal and CircularReparam.
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive
from numpyro.infer.reparam import CircularReparam

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'b': (0.71301, 0.0477), 'kappa': (3.8287, 0.44),
}


rng = np.random.RandomState(0)
x = rng.normal(size=120)
y = (2.8 + 2 * np.arctan(0.7 * x) + rng.vonmises(0, 4., 120) + np.pi) % (2 * np.pi) - np.pi


def regression(x, y=None):
    intercept = numpyro.sample('intercept', dist.VonMises(0., 0.1))
    b = numpyro.sample('b', dist.HalfNormal(1))
    kappa = numpyro.sample('kappa', dist.Gamma(2., 0.5))
    mu = intercept + 2 * jnp.arctan(b * x)
    with numpyro.plate('n', len(x)):
        numpyro.sample('y', dist.VonMises(mu, kappa), obs=y)


mcmc = MCMC(NUTS(numpyro.handlers.reparam(regression, config={'intercept': CircularReparam()})),
            num_warmup=300, num_samples=500, progress_bar=False)
mcmc.run(random.PRNGKey(4), x, y)
mcmc.print_summary(exclude_deterministic=False)
samples = mcmc.get_samples()
close(mcmc, REFERENCE)
direction = np.angle(np.exp(1j * np.asarray(samples['intercept'])).mean())
assert abs(np.angle(np.exp(1j * (direction - 2.8)))) < 0.4
back = Predictive(regression, {k: v for k, v in samples.items() if k in ('intercept', 'b', 'kappa')})(random.PRNGKey(1), x)['y']
assert back.shape == (500, 120) and np.abs(back).max() <= np.pi + 1e-5


def projected(y):
    direction = numpyro.sample('direction', dist.Normal(0, 1).expand([2]).to_event(1))
    kappa = numpyro.sample('kappa', dist.Gamma(2., 0.5))
    mu = numpyro.deterministic('mu', jnp.arctan2(direction[1], direction[0]))
    numpyro.sample('y', dist.VonMises(mu, kappa), obs=y)


mcmc = MCMC(NUTS(projected), num_warmup=300, num_samples=500, progress_bar=False)
angles = (2.0 + rng.vonmises(0, 3., 80) + np.pi) % (2 * np.pi) - np.pi
mcmc.run(random.PRNGKey(1), angles)
mu = mcmc.get_samples()['mu']
mean = np.angle(np.exp(1j * angles).mean())
assert abs(mu.mean() - mean) < 0.05  # the posterior's sd is about 0.07, 1/5 of it and the prior's pull
