# Stochastic volatility of daily returns, as in the PyMC3 paper.
import numpy as np
import pymc3 as pm
import matplotlib.pyplot as plt
from pymc3.distributions.timeseries import GaussianRandomWalk

np.random.seed(17)
n = 200
log_vol = -4.2 + np.cumsum(np.random.normal(0, 0.08, n))
returns = np.exp(log_vol) * np.random.standard_t(10, n)

with pm.Model() as model:
    step_size = pm.Exponential('sigma', 50., testval=.1)
    s = GaussianRandomWalk('s', step_size ** -2, shape=n)
    nu = pm.Exponential('nu', .1)
    volatility_process = pm.Deterministic('volatility_process', pm.math.exp(-2 * s))
    r = pm.StudentT('r', nu, lam=volatility_process, observed=returns)

with model:
    trace = pm.sample(500, tune=1000, init='advi+adapt_diag', chains=2, cores=2, random_seed=3)

pm.traceplot(trace, varnames=['sigma', 'nu'])
fig, ax = plt.subplots(figsize=(15, 8))
ax.plot(returns)
ax.plot(np.exp(trace['s', ::5].T), 'r', alpha=.03)
ax.set(title='volatility_process', xlabel='time', ylabel='volatility')
ax.legend(['S&P500', 'stochastic volatility process'])
plt.show()

s_hat = trace['s'].mean(axis=0)
inside = np.abs(s_hat - log_vol) < 3 * trace['s'].std(axis=0)
# Simulated from the model: the truth is inside 3 posterior sd on nearly all days.
assert inside.mean() > 0.9, inside.mean()
assert np.corrcoef(s_hat, log_vol)[0, 1] > 0.6, np.corrcoef(s_hat, log_vol)
assert 0.005 < trace['sigma'].mean() < 0.2, trace['sigma'].mean()
assert np.allclose(trace['volatility_process'], np.exp(-2 * trace['s']))
