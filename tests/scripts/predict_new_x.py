# Predictions for new x: theano.shared (2016), pm.Data with set_data (2019).
import numpy as np
import pymc3 as pm
import theano
import matplotlib.pyplot as plt

np.random.seed(2)
x = np.random.randn(100)
y = (np.random.rand(100) < 1 / (1 + np.exp(-1.5 * x - 0.3))).astype(int)

# 2016: shared variables
x_shared = theano.shared(x)
y_shared = theano.shared(y)
with pm.Model() as old:
    coeff = pm.Normal('x', mu=0, sd=1)
    const = pm.Normal('const', 0, sd=1)
    logistic = pm.math.sigmoid(coeff * x_shared + const)
    pm.Bernoulli('obs', p=logistic, observed=y_shared)
    trace_old = pm.sample(1000, tune=1000, cores=2)

x_shared.set_value([-1, 0, 1.])
y_shared.set_value([0, 0, 0])  # dummy values
with old:
    post_pred_old = pm.sample_ppc(trace_old, samples=1500)

# 2019: data containers
with pm.Model() as new:
    x_data = pm.Data('x_data', x)
    y_data = pm.Data('y_data', y)
    coeff = pm.Normal('x', mu=0, sigma=1)
    const = pm.Normal('const', 0, sigma=1)
    p = pm.Deterministic('p', pm.math.sigmoid(coeff * x_data + const))
    pm.Bernoulli('obs', p=p, observed=y_data)
    trace_new = pm.sample(1000, tune=1000, return_inferencedata=False)

with new:
    pm.set_data({'x_data': [-1, 0, 1.], 'y_data': [0, 0, 0]})
    post_pred_new = pm.sample_posterior_predictive(trace_new, samples=1500, var_names=['obs', 'p'])

plt.plot([-1, 0, 1], post_pred_new['obs'].mean(axis=0), 'o')
plt.show()

assert post_pred_old['obs'].shape == (1500, 3) and post_pred_new['p'].shape == (1500, 3)
# The integral on a grid; 1500 coin flips have a standard error of 0.013, this allows four of them.
b, c = np.linspace(-1, 4, 251)[:, None], np.linspace(-2, 2, 201)[None, :]
eta = b[..., None] * x + c[..., None]
lp = (y * eta - np.logaddexp(0, eta)).sum(axis=-1) - 0.5 * b ** 2 - 0.5 * c ** 2
w = np.exp(lp - lp.max())
w /= w.sum()
exact = [(w / (1 + np.exp(-b * v - c))).sum() for v in (-1, 0, 1)]
assert np.abs(post_pred_old['obs'].mean(axis=0) - exact).max() < 0.055
assert np.abs(post_pred_new['obs'].mean(axis=0) - exact).max() < 0.055
assert np.abs(post_pred_new['p'].mean(axis=0) - exact).max() < 0.01
