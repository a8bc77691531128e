# Local level and trend by numpyro.contrib.control_flow.scan, with a forecast by Predictive.
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.contrib.control_flow import scan
from numpyro.infer import MCMC, NUTS, Predictive
from numpyro.infer.reparam import LocScaleReparam

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 3000 draws
REFERENCE = {
    'drift': (0.094565, 0.0384), 'level[0]': (0.40724, 0.281), 'level[30]': (2.5834, 0.257),
    'mean[59]': (6.0147, 0.332), 'sigma': (0.41269, 0.0651), 'tau': (0.28132, 0.0836),
}

rng = np.random.RandomState(1)
T = 60
level = np.cumsum(rng.normal(0.1, 0.3, T))
y = jnp.array(level + rng.normal(0, 0.5, T))


def model(y=None, T=60, future=0):
    tau = numpyro.sample('tau', dist.HalfNormal(1.))
    sigma = numpyro.sample('sigma', dist.HalfNormal(1.))
    drift = numpyro.sample('drift', dist.Normal(0, 0.5))
    first = numpyro.sample('first', dist.Normal(0, 2.))

    def transition(level, t):
        level = numpyro.sample('level', dist.Normal(level + drift, tau))
        mean = numpyro.deterministic('mean', level * 1.0)
        y_t = numpyro.sample('y', dist.Normal(level, sigma))
        return level, y_t

    with numpyro.handlers.condition(data={'y': y} if y is not None else {}):
        _, ys = scan(transition, first, jnp.arange(T + future))
    if future > 0:
        numpyro.deterministic('y_forecast', ys[-future:])
    return ys


def model_reparam(y, T=60):
    tau = numpyro.sample('tau', dist.HalfNormal(1.))
    sigma = numpyro.sample('sigma', dist.HalfNormal(1.))
    drift = numpyro.sample('drift', dist.Normal(0, 0.5))
    first = numpyro.sample('first', dist.Normal(0, 2.))

    def transition(level, y_t):
        with numpyro.handlers.reparam(config={'level': LocScaleReparam(0)}):
            level = numpyro.sample('level', dist.Normal(level + drift, tau))
        numpyro.sample('y', dist.Normal(level, sigma), obs=y_t)
        return level, None

    scan(transition, first, y)


mcmc = MCMC(NUTS(model), num_warmup=400, num_samples=500, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(0), y=y)
mcmc.print_summary()
close(mcmc, REFERENCE)
samples = mcmc.get_samples()
assert samples['level'].shape == (1000, 60) and samples['mean'].shape == (1000, 60)
np.testing.assert_array_equal(samples['level'], samples['mean'])

forecast = Predictive(model, samples, return_sites=['y_forecast'])(random.PRNGKey(1), y=y, T=60, future=12)['y_forecast']
assert forecast.shape == (1000, 12)
# forecasts go on from the last level by the drift, 12 steps; 1000 draws of an sd of about 1.3
expected = samples['level'][:, -1] + 12 * samples['drift']
assert abs(forecast[:, -1].mean() - expected.mean()) < 0.3

prior = Predictive(model, num_samples=30)(random.PRNGKey(4), T=20)
assert prior['y'].shape == (30, 20) and prior['level'].shape == (30, 20)

other = MCMC(NUTS(model_reparam), num_warmup=400, num_samples=500, num_chains=2, progress_bar=False)
other.run(random.PRNGKey(3), y)
close(other, {k: v for k, v in REFERENCE.items() if not k.startswith('mean')})
assert 'level_decentered' in other.get_samples()
