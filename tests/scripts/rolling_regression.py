# Two share prices and a regression whose coefficients walk: GaussianRandomWalk with a custom transform.
import numpy as np
import pandas as pd
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt

rng = np.random.RandomState(5)
T = 120
dates = pd.date_range('2012-01-01', periods=T, freq='W')
true_beta = np.cumsum(rng.normal(0, 0.08, T)) + 1
gfi = np.cumsum(rng.normal(0, 0.3, T))
true_alpha = np.cumsum(rng.normal(0, 0.12, T))
gld = true_alpha + true_beta * gfi + rng.normal(0, 0.1, T)
prices_zscored = pd.DataFrame({'GFI': gfi, 'GLD': gld}, index=dates)

with pm.Model() as model_randomwalk:
    # std of random walk
    sigma_alpha = pm.Exponential('sigma_alpha', 50.)
    sigma_beta = pm.Exponential('sigma_beta', 50.)

    alpha = pm.GaussianRandomWalk('alpha', sd=sigma_alpha, shape=len(prices_zscored))
    beta = pm.GaussianRandomWalk('beta', sd=sigma_beta, shape=len(prices_zscored))

with model_randomwalk:
    # Define regression
    regression = alpha + beta * prices_zscored.GFI.values

    # Assume prices are Normally distributed, the mean comes from the regression.
    sd = pm.HalfNormal('sd', sd=.1)
    likelihood = pm.Normal('y', mu=regression, sd=sd, observed=prices_zscored.GLD.values)

with model_randomwalk:
    trace_rw = pm.sample(tune=1000, draws=500, cores=2, nuts_kwargs=dict(target_accept=0.9), random_seed=1)

fig = plt.figure(figsize=(8, 6), constrained_layout=False)
ax = plt.subplot(111, xlabel='time', ylabel='alpha', title='Change of alpha over time.')
ax.plot(trace_rw[-1000:]['alpha'].T, 'r', alpha=.05)
ticks_changes = mpl_ticks = ax.get_xticks()
fig = plt.figure(figsize=(8, 6))
ax = fig.add_subplot(111, xlabel='time', ylabel='beta', title='Change of beta over time')
ax.plot(trace_rw[-1000:]['beta'].T, 'b', alpha=.05)
plt.show()

beta_hat = trace_rw['beta'].mean(axis=0)
inside = np.abs(beta_hat - true_beta) < 3 * trace_rw['beta'].std(axis=0)
# The truth was simulated from a model like this one: nearly all weeks lie within 3 posterior sd.
assert inside.mean() > 0.9, inside.mean()
assert np.corrcoef(beta_hat[20:], true_beta[20:])[0, 1] > 0.5
# Given the three scales the walk is Gaussian: its conditional mean at their posterior means is near.
sa, sb, s = (trace_rw[v].mean() for v in ('sigma_alpha', 'sigma_beta', 'sd'))
walk = np.diff(np.eye(T), axis=0)
X = np.hstack([np.eye(T), np.diag(gfi)])
P = X.T @ X / s ** 2
P[:T, :T] += walk.T @ walk / sa ** 2
P[T:, T:] += walk.T @ walk / sb ** 2
mean = np.linalg.solve(P, X.T @ gld / s ** 2)[T:]
# PyMC3's walk starts flat, as here. The scales' spread moves the mean by a fraction of the posterior sd.
assert (np.abs(mean - beta_hat) / trace_rw['beta'].std(axis=0)).max() < 0.8
