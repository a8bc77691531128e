# Exponential smoothing with a season: scan with a tuple of carries, missing steps, forecasts.
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.contrib.control_flow import scan
from numpyro.diagnostics import autocorrelation, hpdi
from numpyro.infer import MCMC, NUTS, Predictive

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 1500 draws
REFERENCE = {
    'level_sm': (0.20933, 0.114), 'noise': (0.79136, 0.086), 'season_sm': (0.1786, 0.127),
    'trend_init': (0.20187, 0.0963),
}

numpyro.enable_x64()
N = 72
t = np.arange(N)
data = 10 + 0.15 * t + 3.0 * np.cos(2 * np.pi * t / 6) + np.random.default_rng(8).normal(0, 0.6, N)


def holt_winters(y, n_seasons, future=0):
    T = y.shape[0]
    level_sm = numpyro.sample("level_sm", dist.Beta(1, 1))
    trend_sm = numpyro.sample("trend_sm", dist.Beta(1, 3))
    season_sm = numpyro.sample("season_sm", dist.Beta(1, 1))
    noise = numpyro.sample("noise", dist.HalfNormal(2))
    level_init = numpyro.sample("level_init", dist.Normal(10, 5))
    trend_init = numpyro.sample("trend_init", dist.Normal(0, 1))
    with numpyro.plate("n_seasons", n_seasons):
        season_init = numpyro.sample("season_init", dist.Normal(0, 5))

    def transition_fn(carry, t):
        previous_level, previous_trend, previous_season = carry
        level = jnp.where(
            t < T,
            level_sm * (y[t] - previous_season[0]) + (1 - level_sm) * (previous_level + previous_trend),
            previous_level + previous_trend,
        )
        trend = jnp.where(t < T, trend_sm * (level - previous_level) + (1 - trend_sm) * previous_trend, previous_trend)
        new_season = jnp.where(
            t < T, season_sm * (y[t] - (previous_level + previous_trend)) + (1 - season_sm) * previous_season[0], previous_season[0]
        )
        step = jnp.where(t < T, 1.0, t - T + 1.0)
        mu = previous_level + step * previous_trend + previous_season[0]
        pred = numpyro.sample("pred", dist.Normal(mu, noise))
        season = jnp.concatenate([previous_season[1:], new_season[None]], axis=0)
        return (level, trend, season), pred

    with numpyro.handlers.condition(data={"pred": y}):
        _, preds = scan(transition_fn, (level_init, trend_init, season_init), jnp.arange(T + future))
    if future > 0:
        numpyro.deterministic("y_forecast", preds[-future:])


y_train, y_test = jnp.array(data[:60]), data[60:]
kernel = NUTS(holt_winters)
mcmc = MCMC(kernel, num_warmup=300, num_samples=400, num_chains=1, progress_bar=False)
mcmc.run(random.key(0), y_train, 6)
mcmc.print_summary()
close(mcmc, REFERENCE)
pred = Predictive(holt_winters, mcmc.get_samples(), return_sites=["y_forecast"])
forecast = pred(random.key(1), y_train, 6, future=12)["y_forecast"]
assert forecast.shape == (400, 12) and forecast.dtype == jnp.float64
low, high = hpdi(forecast, 0.95)
assert ((low - 1 < y_test) & (y_test < high + 1)).mean() > 0.7
# means of the forecasts by NumPyro; 5 errors of 40 effective draws
assert np.abs(forecast.mean(0) - np.array([22.46, 21.08, 18.44, 17.86, 19.21, 22.79, 24.65, 23.21, 20.66, 20.09, 21.41, 25.02])).max() < 0.8
residual = y_test - forecast.mean(0)
print(autocorrelation(np.asarray(residual)).round(2))
assert np.abs(residual).mean() < 2.0
