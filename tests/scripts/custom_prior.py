# Fitting a line with uninformative priors: DensityDist with a lambda and with a function, and Bound.
import numpy as np
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt

np.random.seed(42)
theta_true = (25, 0.5)
xdata = 100 * np.random.random(20)
ydata = theta_true[0] + theta_true[1] * xdata
xdata = np.random.normal(xdata, 10)
ydata = np.random.normal(ydata, 10)


def log_sigma(value):
    return -tt.log(tt.abs_(value))


with pm.Model() as model:
    alpha = pm.Uniform('intercept', -100, 100)
    # Create custom densities
    beta = pm.DensityDist('slope', lambda value: -1.5 * tt.log(1 + value**2), testval=0)
    sigma = pm.DensityDist('sigma', log_sigma, testval=1)

    # Create likelihood
    like = pm.Normal('y_est', mu=alpha + beta * xdata, sd=tt.abs_(sigma), observed=ydata)

    start = pm.find_MAP()
    step = pm.NUTS(scaling=start)
    trace = pm.sample(2000, step, start=start)

pm.traceplot(trace[200:], lines={var: trace[var].mean() for var in trace.varnames})
plt.show()

# The posterior on a grid of slopes: intercept and sigma integrate out of a flat and a 1/sigma prior.
slopes = np.linspace(-0.6, 1.4, 2001)
resid = ydata[:, None] - slopes * xdata[:, None]
ss = ((resid - resid.mean(axis=0)) ** 2).sum(axis=0)
logp = -1.5 * np.log1p(slopes ** 2) - (len(ydata) - 1) / 2 * np.log(ss)
w = np.exp(logp - logp.max())
w /= w.sum()
exact = (w * slopes).sum()
sd = np.sqrt((w * (slopes - exact) ** 2).sum())
# thousands of draws of correlated intercept and slope: 0.2 sd is about 5 standard errors
assert abs(trace['slope'].mean() - exact) < 0.2 * sd, (trace['slope'].mean(), exact, sd)
assert abs(trace['slope'].std() / sd - 1) < 0.15
