# Sparse regression: horseshoe, regularised horseshoe and R2D2, three models by one function.
from functools import partial

import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 1000 draws
REFERENCE = {
    'R2': (0.93724, 0.0305), 'beta[1]': (1.9662, 0.0711), 'beta[4]': (-1.5206, 0.0641),
    'beta[0]': (-0.088898, 0.0629), 'intercept': (0.39112, 0.0661), 'sigma': (0.46824, 0.0481),
}

rng = np.random.RandomState(0)
N, D = 60, 10
X = rng.randn(N, D)
w = np.zeros(D)
w[[1, 4, 7]] = [2.0, -1.5, 1.0]
y = 0.5 + X @ w + 0.5 * rng.randn(N)


def regression(X, y, prior):
    D = X.shape[1]
    intercept = numpyro.sample('intercept', dist.Normal(0, 5))
    sigma = numpyro.sample('sigma', dist.Exponential(1.0))
    beta = prior(D, sigma)
    with numpyro.plate('n', len(X)):
        numpyro.sample('y', dist.Normal(intercept + X @ beta, sigma), obs=y)


def horseshoe(D, sigma, slab_scale=None):
    lambdas = numpyro.sample('lambdas', dist.HalfCauchy(jnp.ones(D)))
    tau = numpyro.sample('tau', dist.HalfCauchy(jnp.ones(1)))
    if slab_scale is not None:
        caux = numpyro.sample('caux', dist.InverseGamma(2.0, 4.0))
        c2 = slab_scale ** 2 * caux
        lambdas = jnp.sqrt(c2 * lambdas ** 2 / (c2 + tau ** 2 * lambdas ** 2))
    z = numpyro.sample('z', dist.Normal(jnp.zeros(D), jnp.ones(D)))
    return numpyro.deterministic('beta', tau * lambdas * z)


def r2d2(D, sigma, mean=0.7, precision=5.0):
    R2 = numpyro.sample('R2', dist.BetaProportion(mean, precision))
    phi = numpyro.sample('phi', dist.Dirichlet(0.5 * jnp.ones(D)))
    z = numpyro.sample('z', dist.Normal(0, 1).expand([D]).to_event(1))
    tau2 = R2 / (1 - R2) * sigma ** 2
    return numpyro.deterministic('beta', z * jnp.sqrt(phi * tau2))


PRIORS = (horseshoe, partial(horseshoe, slab_scale=2.0), r2d2)
for prior in PRIORS:
    mcmc = MCMC(NUTS(regression, target_accept_prob=0.95, max_tree_depth=8), num_warmup=300, num_samples=300, num_chains=2, progress_bar=False)
    mcmc.run(random.PRNGKey(3), X=X, y=y, prior=prior, extra_fields=('num_steps',))
    found = np.asarray(mcmc.get_samples()['beta'])
    print(prior, mcmc.get_extra_fields()['num_steps'].mean(), mcmc.get_extra_fields()['diverging'].sum())
    sd = found.std(0)
    assert (np.abs(found.mean(0) - w) < 4 * sd + 0.05).all()
    assert (np.abs(found.mean(0)[[0, 2, 3, 5, 6, 8, 9]]) < 0.15).all()
close(mcmc, REFERENCE)
