# Models compared through ArviZ: groups, dims and coords of from_numpyro, loo, plots.
import arviz as az
import jax.numpy as jnp
import matplotlib
import numpy as np
from jax import random

matplotlib.use('Agg')
import matplotlib.pyplot as plt

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive, log_likelihood

rng = np.random.RandomState(9)
J = 8
y = np.array([28., 8., -3., 7., -1., 1., 18., 12.])
sigma = np.array([15., 10., 16., 11., 9., 11., 10., 18.])
schools = np.array(['Choate', 'Deerfield', 'Andover', 'Exeter', 'Hotchkiss', 'Lawrence', 'St. Pauls', 'Mt. Hermon'])


def noncentered(J, sigma, y=None):
    mu = numpyro.sample('mu', dist.Normal(0, 5))
    tau = numpyro.sample('tau', dist.HalfCauchy(5))
    with numpyro.plate('J', J):
        eta = numpyro.sample('eta', dist.Normal(0, 1))
        theta = numpyro.deterministic('theta', mu + tau * eta)
        return numpyro.sample('obs', dist.Normal(theta, sigma), obs=y)


def pooled(J, sigma, y=None):
    mu = numpyro.sample('mu', dist.Normal(0, 5))
    with numpyro.plate('J', J):
        return numpyro.sample('obs', dist.Normal(mu, sigma), obs=y)


runs = {}
for name, model in {'hierarchical': noncentered, 'pooled': pooled}.items():
    mcmc = MCMC(NUTS(model), num_warmup=500, num_samples=500, num_chains=4, progress_bar=False)
    mcmc.run(random.PRNGKey(0), J, sigma, y=y, extra_fields=('num_steps', 'energy', 'potential_energy', 'accept_prob'))
    pps = Predictive(model, mcmc.get_samples())(random.PRNGKey(1), J, sigma)
    prior = Predictive(model, num_samples=100)(random.PRNGKey(2), J, sigma)
    runs[name] = az.from_numpyro(mcmc, prior=prior, posterior_predictive=pps, coords={'school': schools},
                                 dims={'theta': ['school'], 'eta': ['school'], 'obs': ['school']}, log_likelihood=True)

data = runs['hierarchical']
print(data)
assert data.posterior['theta'].dims == ('chain', 'draw', 'school')
assert data.posterior['theta'].shape == (4, 500, 8)
assert data.log_likelihood['obs'].shape == (4, 500, 8)
assert data.prior_predictive['obs'].shape == (1, 100, 8) and data.observed_data['obs'].shape == (8,)
assert {'diverging', 'lp', 'energy', 'n_steps', 'tree_depth', 'acceptance_rate'} <= set(data.sample_stats.data_vars)
assert data.posterior_predictive['obs'].shape == (4, 500, 8)
summary = az.summary(data, var_names=['mu', 'tau'])
print(summary)
assert (summary['r_hat'].astype(float) < 1.05).all()
# 8 schools: mu is near 4.4, tau near 3.6 (known)
assert abs(float(data.posterior['mu'].mean()) - 4.4) < 0.6 and abs(float(data.posterior['tau'].mean()) - 3.6) < 0.8
loo = az.loo(data)
print(loo)
print(az.compare(runs))
az.plot_forest(data, var_names=['theta'])
az.plot_trace(data, var_names=['mu', 'tau'])
az.plot_energy(data)
plt.close('all')
by_hand = log_likelihood(noncentered, {k: v[:10] for k, v in mcmc.get_samples().items()} | {'tau': jnp.ones(10), 'eta': jnp.zeros((10, 8))}, J, sigma, y=y)
assert by_hand['obs'].shape == (10, 8)
