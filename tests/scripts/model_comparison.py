# Which polynomial? waic, loo and compare as in 2017 to 2020.
import numpy as np
import pandas as pd
import pymc3 as pm
import matplotlib.pyplot as plt

np.random.seed(21)
x_1 = np.linspace(-1.5, 1.5, 60)
y_1 = 0.3 + 0.8 * x_1 - 0.9 * x_1 ** 2 + np.random.normal(0, 0.4, 60)
order = 2
x_1p = np.vstack([x_1**i for i in range(1, order + 1)])
x_1s = (x_1p - x_1p.mean(axis=1, keepdims=True)) / x_1p.std(axis=1, keepdims=True)
y_1s = (y_1 - y_1.mean()) / y_1.std()

with pm.Model() as model_l:
    alpha = pm.Normal('alpha', mu=0, sd=1)
    beta = pm.Normal('beta', mu=0, sd=10)
    epsilon = pm.HalfNormal('epsilon', 5)
    mu = alpha + beta * x_1s[0]
    y_pred = pm.Normal('y_pred', mu=mu, sd=epsilon, observed=y_1s)
    trace_l = pm.sample(2000, cores=2)

with pm.Model() as model_p:
    alpha = pm.Normal('alpha', mu=0, sd=1)
    beta = pm.Normal('beta', mu=0, sd=10, shape=x_1s.shape[0])
    epsilon = pm.HalfNormal('epsilon', 5)
    mu = alpha + pm.math.dot(beta, x_1s)
    y_pred = pm.Normal('y_pred', mu=mu, sd=epsilon, observed=y_1s)
    trace_p = pm.sample(2000, cores=2)

waic_l = pm.waic(trace_l, model_l)
waic_p = pm.waic(trace_p, model_p)
loo_p = pm.loo(trace_p, model_p)
print(waic_l)
print(loo_p)

model_l.name, model_p.name = 'linear', 'quadratic'
cmp_df = pm.compare({model_l: trace_l, model_p: trace_p}, ic='WAIC')
print(cmp_df)
pm.compareplot(cmp_df)
plt.show()


# By hand, from the draws: the log pointwise predictive density and its variance.
def by_hand(trace, mean):
    ll = -0.5 * ((y_1s - mean) / trace['epsilon'][:, None]) ** 2 - np.log(trace['epsilon'][:, None]) - 0.5 * np.log(2 * np.pi)
    lppd = np.log(np.exp(ll).mean(axis=0))
    return (lppd - ll.var(axis=0)).sum()


expected_p = by_hand(trace_p, trace_p['alpha'][:, None] + trace_p['beta'] @ x_1s)
expected_l = by_hand(trace_l, trace_l['alpha'][:, None] + trace_l['beta'][:, None] * x_1s[0])
value = lambda w: getattr(w, 'elpd_waic', getattr(w, 'elpd', getattr(w, 'waic', None)))
assert abs(value(waic_p) - expected_p) < 1e-6 * abs(expected_p), (waic_p, expected_p)
assert abs(value(waic_l) - expected_l) < 1e-6 * abs(expected_l)
assert list(cmp_df.index) == ['quadratic', 'linear']
assert cmp_df.loc['quadratic', 'weight'] > 0.9
