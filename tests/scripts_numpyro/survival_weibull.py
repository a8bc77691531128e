# Survival with censoring: Weibull accelerated failure by factor, and piecewise exponential hazards.
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, init_to_median

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'beta[0]': (1.627, 0.0977), 'beta[1]': (0.39447, 0.148), 'beta[2]': (-0.31912, 0.069),
    'k': (1.4131, 0.115),
}

rng = np.random.default_rng(10)
n = 150
treated = rng.integers(0, 2, n)
age = rng.normal(size=n)
shape_true = 1.4
scale = np.exp(1.5 + 0.6 * treated - 0.3 * age)
time = scale * rng.weibull(shape_true, n)
limit = rng.uniform(2, 12, n)
event = time <= limit
t = np.minimum(time, limit)
X = np.column_stack([np.ones(n), treated, age])


def weibull(X, t, event):
    k = numpyro.sample('k', dist.LogNormal(0, 0.5))
    beta = numpyro.sample('beta', dist.Normal(jnp.zeros(3), 2.))
    lam = jnp.exp(X @ beta)
    d = dist.Weibull(scale=lam, concentration=k)
    log_survival = -((t / lam) ** k)
    with numpyro.plate('n', X.shape[0]):
        numpyro.factor('likelihood', jnp.where(event, d.log_prob(t), log_survival))


def weibull_masked(X, t, event):
    k = numpyro.sample('k', dist.LogNormal(0, 0.5))
    beta = numpyro.sample('beta', dist.Normal(jnp.zeros(3), 2.))
    d = dist.Weibull(jnp.exp(X @ beta), k)
    with numpyro.handlers.mask(mask=event):
        numpyro.sample('t', d, obs=t)
    with numpyro.handlers.mask(mask=~event):
        numpyro.factor('c', jnp.log1p(-d.cdf(t)))


for model in (weibull, weibull_masked):
    mcmc = MCMC(NUTS(model, init_strategy=init_to_median), num_warmup=300, num_samples=500, progress_bar=False)
    mcmc.run(random.PRNGKey(1), X, t, event)
    mcmc.print_summary()
    close(mcmc, REFERENCE)

# proportional hazards, constant in intervals
edges = np.array([0., 1., 2., 4., 7., 12.])
exposure = np.clip(t[:, None] - edges[:-1], 0, np.diff(edges))
deaths = np.zeros_like(exposure, dtype=int)
deaths[np.arange(n), np.clip(np.searchsorted(edges, t) - 1, 0, 4)] = event


def hazards(X, exposure, deaths):
    with numpyro.plate('intervals', exposure.shape[1]):
        base = numpyro.sample('base', dist.Gamma(0.5, 0.5))
    beta = numpyro.sample('beta', dist.Normal(0, 2).expand([X.shape[-1]]).to_event(1))
    rate = exposure * base * jnp.exp(X @ beta)[:, None]
    numpyro.sample('deaths', dist.Poisson(jnp.where(exposure > 0, rate, 1e-9)).to_event(2), obs=deaths)


mcmc = MCMC(NUTS(hazards), num_warmup=300, num_samples=500, progress_bar=False)
mcmc.run(random.PRNGKey(2), X[:, 1:], exposure, deaths)
b = mcmc.get_samples()['beta']
# a Weibull's hazard ratios are exp(-shape * beta); a posterior sd is about 0.2
assert abs(b[:, 0].mean() + shape_true * 0.6) < 0.8 and abs(b[:, 1].mean() - shape_true * 0.3) < 0.5
