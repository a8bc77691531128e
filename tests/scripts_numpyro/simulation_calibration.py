# Many small fits in a loop: ranks of the truth, and intervals that cover as often as they say.
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.diagnostics import hpdi
from numpyro.infer import MCMC, NUTS, Predictive


def model(x, y=None):
    alpha = numpyro.sample('alpha', dist.Normal(0, 1))
    beta = numpyro.sample('beta', dist.Normal(0, 1))
    numpyro.sample('y', dist.Poisson(jnp.exp(alpha + beta * x)), obs=y)


x = np.linspace(-1, 1, 12)
prior = Predictive(model, num_samples=20)(random.PRNGKey(0), x)
kernel = NUTS(model)
mcmc = MCMC(kernel, num_warmup=150, num_samples=200, thinning=2, progress_bar=False, jit_model_args=True)
ranks, covered = [], []
start = time.perf_counter()
for i in range(20):
    mcmc.run(random.PRNGKey(i), x, prior['y'][i])
    s = mcmc.get_samples()
    ranks.append([int((s[k] < prior[k][i]).sum()) for k in ('alpha', 'beta')])
    low, high = hpdi(s['beta'], 0.8)
    covered.append(low < prior['beta'][i] < high)
print('fits took', round(time.perf_counter() - start, 1))
ranks = np.array(ranks)
assert ranks.min() >= 0 and ranks.max() <= 100
# a mean of 40 uniform ranks of 0 to 100 is 50, its sd 29 / sqrt(40)
assert abs(ranks.mean() - 50) < 4.5 * 29 / np.sqrt(40)
assert 8 <= sum(map(bool, covered)) <= 20
