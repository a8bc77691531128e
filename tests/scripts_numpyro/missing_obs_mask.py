# Missing outcomes by obs_mask, by mask and NaN-free data, and missing covariates as sites.
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'a': (0.97675, 0.0569), 'age_mu': (-0.039817, 0.117), 'age_sigma': (1.0439, 0.0899),
    'ba': (-0.47599, 0.055), 'bx': (2.0982, 0.0581), 'sigma': (0.46132, 0.0448),
}

rng = np.random.default_rng(4)
n = 90
df = pd.DataFrame({'x': rng.normal(size=n), 'age': rng.normal(30, 10, n)})
df['y'] = 1 + 2 * df.x - 0.05 * (df.age - 30) + rng.normal(0, .5, n)
df.loc[rng.choice(n, 15, replace=False), 'y'] = np.nan
df.loc[rng.choice(n, 20, replace=False), 'age'] = np.nan
age = ((df.age - df.age.mean()) / df.age.std()).values
seen_y = df.y.notna().values


def model(x, age, y=None, mask=None, bayesian_impute=True):
    a = numpyro.sample('a', dist.Normal(0, 2))
    bx = numpyro.sample('bx', dist.Normal(0, 2))
    ba = numpyro.sample('ba', dist.Normal(0, 2))
    isnan = np.isnan(age)
    nan_idx = np.nonzero(isnan)[0]
    age_mu = numpyro.sample('age_mu', dist.Normal(0., 1.))
    age_sigma = numpyro.sample('age_sigma', dist.HalfNormal(2.))
    if bayesian_impute:
        age_impute = numpyro.sample('age_impute', dist.Normal(age_mu, age_sigma).expand([len(nan_idx)]).mask(False))
        age = jnp.asarray(age).at[nan_idx].set(age_impute)
    numpyro.sample('age', dist.Normal(age_mu, age_sigma), obs=age)
    sigma = numpyro.sample('sigma', dist.HalfNormal(2.))
    mu = a + bx * x + ba * age
    with numpyro.plate('N', len(x)):
        numpyro.sample('y', dist.Normal(mu, sigma), obs=y, obs_mask=mask)


y0 = np.where(seen_y, df.y, 0.)
mcmc = MCMC(NUTS(model), num_warmup=400, num_samples=500, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(0), df.x.values, age, y0, seen_y)
mcmc.print_summary()
close(mcmc, REFERENCE)
samples = mcmc.get_samples()
print(list(samples))
assert samples['y'].shape == (1000, n) and samples['age_impute'].shape == (1000, np.isnan(age).sum())
assert samples['y_unobserved'].shape == (1000, n)
np.testing.assert_allclose(samples['y'][:, seen_y], np.broadcast_to(y0[seen_y], (1000, seen_y.sum())), rtol=1e-5)


def masked(x, age, y, seen):
    with numpyro.handlers.mask(mask=seen):
        with numpyro.handlers.block(hide=['y_hidden']):
            pass
        a = 0.
    a = numpyro.sample('a', dist.Normal(0, 2))
    bx = numpyro.sample('bx', dist.Normal(0, 2))
    ba = numpyro.sample('ba', dist.Normal(0, 2))
    age_mu = numpyro.sample('age_mu', dist.Normal(0., 1.))
    age_sigma = numpyro.sample('age_sigma', dist.HalfNormal(2.))
    missing = numpyro.sample('missing', dist.Normal(age_mu, age_sigma).expand([int(np.isnan(age).sum())]).to_event(1))
    known = ~np.isnan(age)
    numpyro.sample('age', dist.Normal(age_mu, age_sigma), obs=age[known])
    full = jnp.zeros(len(age)).at[np.where(known)[0]].set(age[known]).at[np.where(~known)[0]].set(missing)
    sigma = numpyro.sample('sigma', dist.HalfNormal(2.))
    with numpyro.plate('N', len(x)):
        numpyro.sample('y', dist.Normal(a + bx * x + ba * full, sigma).mask(seen), obs=np.nan_to_num(y))


mcmc = MCMC(NUTS(masked), num_warmup=400, num_samples=500, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(1), df.x.values, age, df.y.values, seen_y)
close(mcmc, REFERENCE)
