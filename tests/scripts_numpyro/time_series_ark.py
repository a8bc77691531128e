# Autoregressions: AR(2) with lagged columns, by scan with lags as carry, ARMA(1,1), seasonal AR.
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random

import numpyro
import numpyro.distributions as dist
from numpyro.contrib.control_flow import scan
from numpyro.infer import MCMC, NUTS, Predictive

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'alpha': (0.27646, 0.0467), 'beta[0]': (0.49678, 0.0775), 'beta[1]': (-0.33636, 0.0775),
    'sigma': (0.4462, 0.0256),
}

rng = np.random.RandomState(1)
T = 150
y = np.zeros(T)
for t in range(2, T):
    y[t] = 0.2 + 0.6 * y[t - 1] - 0.3 * y[t - 2] + 0.5 * rng.randn()


def ar_columns(y, K=2):
    alpha = numpyro.sample('alpha', dist.Normal(0, 1))
    beta = numpyro.sample('beta', dist.Normal(0, 1).expand([K]).to_event(1))
    sigma = numpyro.sample('sigma', dist.HalfNormal(1))
    lags = jnp.stack([y[K - k - 1:-k - 1] for k in range(K)], axis=-1)
    numpyro.sample('y', dist.Normal(alpha + lags @ beta, sigma), obs=y[K:])


def ar_scan(y, K=2, future=0):
    alpha = numpyro.sample('alpha', dist.Normal(0, 1))
    beta = numpyro.sample('beta', dist.Normal(0, 1).expand([K]).to_event(1))
    sigma = numpyro.sample('sigma', dist.HalfNormal(1))

    def step(carry, t):
        m = alpha + beta[0] * carry[0] + beta[1] * carry[1]
        y_t = numpyro.sample('y', dist.Normal(m, sigma))
        return (y_t, carry[0]), m

    with numpyro.handlers.condition(data={'y': y[2:]}):
        _, mu = scan(step, (y[1], y[0]), jnp.arange(2, y.shape[0] + future))
    numpyro.deterministic('mu', mu)


def ar_lax(y):
    alpha = numpyro.sample('alpha', dist.Normal(0, 1))
    beta = numpyro.sample('beta', dist.Normal(0, 1).expand([2]).to_event(1))
    sigma = numpyro.sample('sigma', dist.HalfNormal(1))

    def step(carry, y_t):
        one, two = carry
        return (y_t, one), alpha + beta[0] * one + beta[1] * two

    _, mu = lax.scan(step, (y[1], y[0]), y[2:])
    numpyro.sample('y', dist.Normal(mu, sigma), obs=y[2:])


y = jnp.asarray(y)
for model in (ar_columns, ar_scan, ar_lax):
    mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=400, num_chains=2, progress_bar=False)
    mcmc.run(random.PRNGKey(0), y)
    close(mcmc, REFERENCE)
    print(model.__name__)
    mcmc.print_summary()
    if model is ar_scan:
        ahead = Predictive(model, mcmc.get_samples(), return_sites=['y', 'mu'])(random.PRNGKey(3), y, future=20)
        assert ahead['mu'].shape == (800, 168) and ahead['y'].shape == (800, 168)
        np.testing.assert_allclose(ahead['y'][:, :148], jnp.broadcast_to(y[2:], (800, 148)), rtol=1e-6)
        # far ahead: the stationary mean 0.2 / 0.7 and sd of about 0.6
        assert abs(ahead['y'][:, -1].mean() - 0.29) < 0.15 and 0.4 < ahead['y'][:, -1].std() < 0.9

e = 0.5 * rng.randn(T + 1)
z = np.zeros(T)
for t in range(T):
    z[t] = (0.7 * z[t - 1] if t else 0) + e[t + 1] + 0.4 * e[t]


def arma(z):
    phi = numpyro.sample('phi', dist.Uniform(-1, 1))
    theta = numpyro.sample('theta', dist.Uniform(-1, 1))
    sigma = numpyro.sample('sigma', dist.HalfCauchy(1.))

    def step(carry, z_t):
        previous, error = carry
        error = z_t - phi * previous - theta * error
        return (z_t, error), error

    _, errors = lax.scan(step, (0.0, 0.0), z)
    numpyro.factor('z', dist.Normal(0, sigma).log_prob(errors).sum())


mcmc = MCMC(NUTS(arma), num_warmup=300, num_samples=500, progress_bar=False)
mcmc.run(random.PRNGKey(5), jnp.array(z, dtype=jnp.float32))
s = mcmc.get_samples()
for name, truth in {'phi': .7, 'theta': .4, 'sigma': .5}.items():
    assert abs(s[name].mean() - truth) < 3.5 * s[name].std(), name
