# Varying intercepts and slopes with an LKJ prior: centred, and non-centred by the Cholesky factor.
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, init_to_value

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'Rho[0,1]': (-0.70996, 0.14), 'a': (3.5739, 0.217), 'b': (-0.90465, 0.138),
    'sigma': (0.50362, 0.0281), 'sigma_cafe[0]': (0.94242, 0.159), 'sigma_cafe[1]': (0.54594, 0.118),
}

rng = np.random.RandomState(5)
N_cafes, N_visits = 20, 10
Mu, sigmas, rho = np.array([3.5, -1.]), np.array([1., .5]), -.7
Sigma = np.outer(sigmas, sigmas) * np.array([[1, rho], [rho, 1]])
vary = rng.multivariate_normal(Mu, Sigma, N_cafes)
cafe = np.repeat(np.arange(N_cafes), N_visits)
afternoon = np.tile([0, 1], N_visits * N_cafes // 2)
wait = rng.normal(vary[cafe, 0] + vary[cafe, 1] * afternoon, 0.5)


def model(cafe, afternoon, wait):
    a = numpyro.sample('a', dist.Normal(5, 2))
    b = numpyro.sample('b', dist.Normal(-1, 0.5))
    sigma_cafe = numpyro.sample('sigma_cafe', dist.Exponential(1).expand([2]))
    sigma = numpyro.sample('sigma', dist.Exponential(1))
    Rho = numpyro.sample('Rho', dist.LKJ(2, 2))
    cov = jnp.outer(sigma_cafe, sigma_cafe) * Rho
    a_cafe_b_cafe = numpyro.sample('a_cafe,b_cafe', dist.MultivariateNormal(jnp.stack([a, b]), cov).expand([20]))
    a_cafe, b_cafe = a_cafe_b_cafe[:, 0], a_cafe_b_cafe[:, 1]
    mu = a_cafe[cafe] + b_cafe[cafe] * afternoon
    numpyro.sample('wait', dist.Normal(mu, sigma), obs=wait)


def model_nc(cafe, afternoon, wait):
    a = numpyro.sample('a', dist.Normal(5, 2))
    b = numpyro.sample('b', dist.Normal(-1, 0.5))
    sigma_cafe = numpyro.sample('sigma_cafe', dist.Exponential(1).expand([2]))
    sigma = numpyro.sample('sigma', dist.Exponential(1))
    L_Rho = numpyro.sample('L_Rho', dist.LKJCholesky(2, concentration=2))
    z = numpyro.sample('z', dist.Normal(0, 1).expand([2, 20]))
    effects = ((sigma_cafe[..., None] * L_Rho) @ z).T
    numpyro.deterministic('Rho', L_Rho @ L_Rho.T)
    mu = a + effects[cafe, 0] + (b + effects[cafe, 1]) * afternoon
    numpyro.sample('wait', dist.Normal(mu, sigma), obs=wait)


for form in (model, model_nc):
    mcmc = MCMC(NUTS(form), num_warmup=400, num_samples=400, num_chains=2, progress_bar=False)
    mcmc.run(random.PRNGKey(4), cafe, afternoon, wait)
    close(mcmc, REFERENCE)
    mcmc.print_summary(0.89)
samples = mcmc.get_samples()
np.testing.assert_allclose(samples['Rho'][:, 0, 0], 1., rtol=1e-5)
assert samples['Rho'][:, 0, 1].mean() < -0.2
prior = dist.LKJ(2, 2).sample(random.PRNGKey(721), (2000,))
assert prior.shape == (2000, 2, 2) and abs(prior[:, 0, 1].mean()) < 0.06
