# Several outcomes at once: a multivariate normal with scale_tril, a Wishart prior, latent factors.
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive, init_to_value

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'B[0,0]': (1.012, 0.0533), 'B[1,2]': (-0.91038, 0.0738), 'corr[0,1]': (0.70618, 0.0461),
    'theta[0]': (0.33513, 0.0444), 'theta[1]': (1.0816, 0.14), 'theta[2]': (0.71961, 0.0954),
}

rng = np.random.RandomState(2)
n, D = 120, 3
X = np.column_stack([np.ones(n), rng.randn(n)])
B = np.array([[1., -1., 0.], [.5, 0., -.8]])
L = np.linalg.cholesky(np.array([[1., .6, .2], [.6, 1., -.1], [.2, -.1, 1.]]) * np.outer([.5, 1., .8], [.5, 1., .8]))
Y = X @ B + rng.randn(n, D) @ L.T


def seemingly_unrelated(X, Y=None):
    D = 3
    B = numpyro.sample('B', dist.Normal(0, 2).expand([X.shape[1], D]).to_event(2))
    theta = numpyro.sample('theta', dist.HalfCauchy(jnp.ones(D)).to_event(1))
    L_omega = numpyro.sample('L_omega', dist.LKJCholesky(D, 1.))
    L_Omega = jnp.sqrt(theta)[..., None] * L_omega
    numpyro.deterministic('corr', L_omega @ L_omega.T)
    with numpyro.plate('observations', X.shape[0]):
        return numpyro.sample('Y', dist.MultivariateNormal(X @ B, scale_tril=L_Omega), obs=Y)


mcmc = MCMC(NUTS(seemingly_unrelated), num_warmup=400, num_samples=400, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(0), X, Y)
mcmc.print_summary()
close(mcmc, REFERENCE)
prior = Predictive(seemingly_unrelated, num_samples=7)(random.PRNGKey(1), X)
assert prior['Y'].shape == (7, n, 3) and prior['corr'].shape == (7, 3, 3) and prior['L_omega'].shape == (7, 3, 3)
after = Predictive(seemingly_unrelated, mcmc.get_samples())(random.PRNGKey(1), X)
residual = np.asarray(after['Y']) - X @ B
assert np.abs(np.corrcoef(residual.reshape(-1, 3).T) - np.corrcoef((Y - X @ B).T)).max() < 0.15


# probabilistic PCA: one factor, loadings with a positive first entry
W = np.array([1.2, -.8, .6, .9])
Z = rng.randn(100)
data = Z[:, None] * W + .4 * rng.randn(100, 4)


def factor_model(data):
    N, D = data.shape
    first = numpyro.sample('first', dist.HalfNormal(2.))
    rest = numpyro.sample('rest', dist.Normal(0, 2).expand([D - 1]))
    w = numpyro.deterministic('w', jnp.concatenate([first[None], rest]))
    psi = numpyro.sample('psi', dist.HalfNormal(1.).expand([D]))
    numpyro.sample('data', dist.LowRankMultivariateNormal(jnp.zeros(D), w[:, None], psi ** 2).expand([N]), obs=data)


mcmc = MCMC(NUTS(factor_model, init_strategy=init_to_value(values={'first': jnp.array(1.)})), num_warmup=300, num_samples=400, progress_bar=False)
mcmc.run(random.PRNGKey(2), data)
w = mcmc.get_samples()['w']
assert (np.abs(w.mean(0) - W) < 4 * w.std(0)).all()
