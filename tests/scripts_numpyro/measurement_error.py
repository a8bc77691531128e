# Measured with known error on both sides; print_summary of vectors; LocScale and Transform reparam.
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.distributions import transforms
from numpyro.handlers import reparam
from numpyro.infer import MCMC, NUTS
from numpyro.infer.reparam import LocScaleReparam, TransformReparam

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'A_est[0]': (-0.92644, 0.274), 'D_est[5]': (1.1944, 0.359), 'a': (0.027199, 0.108),
    'bA': (-0.23193, 0.127), 'sigma': (0.69973, 0.107),
}

rng = np.random.RandomState(15)
N = 40
A_true = rng.normal(0, 1, N)
D_true = -.6 * A_true + rng.normal(0, .6, N)
A_sd, D_sd = rng.uniform(.1, .4, N), rng.uniform(.2, .6, N)
dlist = dict(D_obs=rng.normal(D_true, D_sd), D_sd=D_sd, A_obs=rng.normal(A_true, A_sd), A_sd=A_sd, N=N)


def model(D_obs, D_sd, A_obs, A_sd, N):
    a = numpyro.sample('a', dist.Normal(0, 0.2))
    bA = numpyro.sample('bA', dist.Normal(0, 0.5))
    sigma = numpyro.sample('sigma', dist.Exponential(1))
    A_est = numpyro.sample('A_est', dist.Normal(0, 1).expand([N]))
    numpyro.sample('A_obs', dist.Normal(A_est, A_sd), obs=A_obs)
    mu = a + bA * A_est
    D_est = numpyro.sample('D_est', dist.Normal(mu, sigma))
    numpyro.sample('D_obs', dist.Normal(D_est, D_sd), obs=D_obs)


mcmc = MCMC(NUTS(model), num_warmup=500, num_samples=500, num_chains=4, chain_method='vectorized', progress_bar=False)
mcmc.run(random.PRNGKey(0), **dlist)
mcmc.print_summary(0.89)
close(mcmc, REFERENCE)
post = mcmc.get_samples()
assert np.abs(post['A_est'].mean(0) - dlist['A_obs']).mean() < np.abs(A_true - dlist['A_obs']).mean() * 1.5
moved = reparam(model, config={'D_est': LocScaleReparam(centered=0)})
other = MCMC(NUTS(moved), num_warmup=500, num_samples=500, num_chains=2, progress_bar=False)
other.run(random.PRNGKey(1), **dlist)
close(other, REFERENCE)


def scaled(D_obs, D_sd, A_obs, A_sd, N):
    a = numpyro.sample('a', dist.Normal(0, 0.2))
    bA = numpyro.sample('bA', dist.Normal(0, 0.5))
    sigma = numpyro.sample('sigma', dist.Exponential(1))
    A_est = numpyro.sample('A_est', dist.Normal(0, 1).expand([N]))
    numpyro.sample('A_obs', dist.Normal(A_est, A_sd), obs=A_obs)
    with reparam(config={'D_est': TransformReparam()}):
        D_est = numpyro.sample('D_est', dist.TransformedDistribution(
            dist.Normal(jnp.zeros(N), 1.), transforms.AffineTransform(a + bA * A_est, sigma)))
    numpyro.sample('D_obs', dist.Normal(D_est, D_sd), obs=D_obs)


other = MCMC(NUTS(scaled), num_warmup=500, num_samples=500, num_chains=2, progress_bar=False)
other.run(random.PRNGKey(2), **dlist)
close(other, REFERENCE)
assert {'D_est', 'D_est_base'} <= set(other.get_samples())
