# "The inference button": linear regression from a formula.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pymc3 as pm
from pymc3.glm import GLM

size = 200
true_intercept = 1
true_slope = 2
np.random.seed(0)
x = np.linspace(0, 1, size)
true_regression_line = true_intercept + true_slope * x
y = true_regression_line + np.random.normal(scale=.5, size=size)
data = dict(x=x, y=y)

with pm.Model() as model:
    # specify glm and pass in data. The resulting linear model, its likelihood and
    # and all its parameters are automatically added to our model.
    pm.glm.GLM.from_formula('y ~ x', data)
    trace = pm.sample(2000, cores=2)  # draw posterior samples using NUTS sampling

plt.figure(figsize=(7, 7))
pm.traceplot(trace[100:])
plt.tight_layout()

plt.figure(figsize=(7, 7))
plt.plot(x, y, 'x', label='data')
pm.plot_posterior_predictive_glm(trace, samples=100, label='posterior predictive regression lines')
plt.plot(x, true_regression_line, label='true regression line', lw=3., c='y')
plt.title('Posterior predictive regression lines')
plt.legend(loc=0)
plt.show()

# the same by hand
with pm.Model() as by_hand:
    sigma = pm.HalfCauchy('sigma', beta=10, testval=1.)
    intercept = pm.Normal('Intercept', 0, sd=20)
    x_coeff = pm.Normal('x', 0, sd=20)
    likelihood = pm.Normal('y', mu=intercept + x_coeff * x, sd=sigma, observed=y)
    trace2 = pm.sample(2000, cores=2)

print(trace.varnames)
# Flat enough priors: least squares. NUTS has thousands of effective draws, 0.1 sd is over 4 errors.
X = np.column_stack([np.ones(size), x])
ols, rss = np.linalg.lstsq(X, y, rcond=None)[:2]
se = np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * rss / (size - 2))
for t in (trace, trace2):
    assert abs(t['Intercept'].mean() - ols[0]) < 0.1 * se[0]
    assert abs(t['x'].mean() - ols[1]) < 0.1 * se[1]
    assert abs(t['x'].std() / se[1] - 1) < 0.1
assert abs(trace['sd'].mean() - 0.5) < 0.1
