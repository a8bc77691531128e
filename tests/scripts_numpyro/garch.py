# GARCH(1,1) with a constant mean, its variance by lax.scan.
import jax.numpy as jnp
import numpy as np
from jax import lax, random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, init_to_median

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 3000 draws
REFERENCE = {
    'alpha0': (0.49353, 0.189), 'alpha1': (0.17349, 0.0738), 'beta1': (0.3703, 0.187),
    'mu': (0.072805, 0.0552), 'sigma[100]': (0.88497, 0.0628),
}

rng = np.random.RandomState(42)
T, mu, a0, a1, b1 = 300, 0.1, 0.2, 0.25, 0.6
r, s2 = np.zeros(T), np.ones(T)
for t in range(T):
    if t:
        s2[t] = a0 + a1 * (r[t - 1] - mu) ** 2 + b1 * s2[t - 1]
    r[t] = mu + np.sqrt(s2[t]) * rng.randn()


def garch(r, sigma1):
    mu = numpyro.sample('mu', dist.Normal(0, 1))
    alpha0 = numpyro.sample('alpha0', dist.HalfNormal(1))
    alpha1 = numpyro.sample('alpha1', dist.Uniform(0, 1))
    beta1 = numpyro.sample('beta1', dist.Uniform(0, 1 - alpha1))

    def step(carry, r_t):
        s_prev, r_prev = carry
        s = jnp.sqrt(alpha0 + alpha1 * jnp.square(r_prev - mu) + beta1 * s_prev ** 2)
        return (s, r_t), s

    _, sigma = lax.scan(step, (jnp.array(sigma1), r[0]), r[1:])
    sigma = numpyro.deterministic('sigma', jnp.concatenate([jnp.array([sigma1]), sigma]))
    with numpyro.plate('T', r.shape[0]):
        numpyro.sample('r', dist.Normal(mu, sigma), obs=r)


mcmc = MCMC(NUTS(garch, init_strategy=init_to_median()), num_warmup=400, num_samples=500, num_chains=2,
            chain_method='sequential', progress_bar=False)
mcmc.run(random.PRNGKey(7), jnp.asarray(r), 1.0)
mcmc.print_summary(exclude_deterministic=True)
close(mcmc, REFERENCE)
post = mcmc.get_samples()
assert (post['alpha1'] + post['beta1'] < 1).all()
assert np.corrcoef(post['sigma'].mean(0), np.sqrt(s2))[0, 1] > 0.9
