# Counts with too many zeros: zero-inflated, hurdle by hand, negative binomial; compared by ArviZ.
import arviz as az
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
    'alpha': (-0.77168, 0.3), 'beta[0]': (0.79252, 0.162), 'beta[1]': (0.57859, 0.0818),
    'beta[2]': (-0.74656, 0.099), 'gate': (0.3947, 0.0575),
}

rng = np.random.default_rng(3)
n = 180
df = pd.DataFrame({'camper': rng.integers(0, 2, n), 'persons': rng.integers(1, 5, n), 'child': rng.integers(0, 4, n)})
rate = np.exp(-0.8 + 0.9 * df.camper + 0.6 * df.persons - 0.8 * df.child)
went = rng.uniform(size=n) < 0.6
df['count'] = np.where(went, rng.poisson(rate), 0)


class Design:
    cols = ['camper', 'persons', 'child']

    def __call__(self, frame):
        return jnp.asarray(frame[self.cols].to_numpy(), dtype=jnp.float32)


def zip_model(X, y=None):
    alpha = numpyro.sample('alpha', dist.Normal(0, 1))
    beta = numpyro.sample('beta', dist.Normal(0, 1).expand([X.shape[1]]).to_event(1))
    gate = numpyro.sample('gate', dist.Beta(2, 2))
    rate = jnp.exp(alpha + X @ beta)
    with numpyro.plate('obs_id', X.shape[0]):
        numpyro.sample('y', dist.ZeroInflatedPoisson(gate, rate), obs=y)


def hurdle_model(X, y=None):
    alpha = numpyro.sample('alpha', dist.Normal(0, 1))
    beta = numpyro.sample('beta', dist.Normal(0, 1).expand([X.shape[1]]).to_event(1))
    theta = numpyro.sample('theta', dist.Beta(1, 1))
    rate = jnp.exp(alpha + X @ beta)
    positive = jnp.log1p(-theta) + dist.Poisson(rate).log_prob(y) - jnp.log(-jnp.expm1(-rate))
    numpyro.factor('y', jnp.where(y == 0, jnp.log(theta), positive))


def poisson_model(X, y=None):
    alpha = numpyro.sample('alpha', dist.Normal(0, 1))
    beta = numpyro.sample('beta', dist.Normal(0, 1).expand([X.shape[1]]).to_event(1))
    with numpyro.plate('obs_id', X.shape[0]):
        numpyro.sample('y', dist.Poisson(jnp.exp(alpha + X @ beta)), obs=y)


X, y = Design()(df), jnp.asarray(df['count'].values)
fits = {}
for name, model in {'zip': zip_model, 'poisson': poisson_model}.items():
    mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=400, num_chains=2, progress_bar=False)
    mcmc.run(random.PRNGKey(0), X, y)
    if name == 'zip':
        close(mcmc, REFERENCE)
        draws = mcmc.get_samples()
    fits[name] = az.from_numpyro(mcmc, log_likelihood=True)
print(az.summary(fits['zip']))
comparison = az.compare(fits)
print(comparison)
assert list(comparison.index) == ['zip', 'poisson']

mcmc = MCMC(NUTS(hurdle_model), num_warmup=300, num_samples=400, progress_bar=False)
mcmc.run(random.PRNGKey(0), X, y)
theta = mcmc.get_samples()['theta']
zeros = int((y == 0).sum())  # conjugate
exact = dist.Beta(1. + zeros, 1. + n - zeros)
assert abs(theta.mean() - exact.mean) < 5 * np.sqrt(exact.variance / 100)
predicted = Predictive(zip_model, draws)(random.PRNGKey(1), X)['y']
assert predicted.shape == (800, n) and abs((predicted == 0).mean() - zeros / n) < 0.1
