# Exponential survival times with censoring as a density of one's own: observed= is a dict.
import numpy as np
import pymc3 as pm
import theano.tensor as T
import matplotlib.pyplot as plt

np.random.seed(31)
age = np.random.uniform(30, 70, 60)
failure = np.random.binomial(1, 0.7, 60).astype(float)
t = np.random.exponential(20, 60)

with pm.Model() as model:
    lam = pm.Exponential('lam', 0.1)

    def logp(failure, value):
        return (failure * T.log(lam) - lam * value).sum()

    exp_surv = pm.DensityDist('exp_surv', logp, observed={'failure': failure, 'value': t})
    trace = pm.sample(2000, tune=500, njobs=2, progressbar=False)

pm.plot_posterior(trace, varnames=['lam'], ref_val=0.05)
plt.show()

# Conjugate: Gamma(1 + failures, 0.1 + total time).
a, b = 1 + failure.sum(), 0.1 + t.sum()
# NUTS in one dimension: over 1000 effective draws, 0.15 sd is 5 standard errors.
assert abs(trace['lam'].mean() - a / b) < 0.15 * np.sqrt(a) / b
assert abs(trace['lam'].std() / (np.sqrt(a) / b) - 1) < 0.12
