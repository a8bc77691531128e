# Putting in golf: logistic curve against geometry. Data after Berry (1996), a classroom classic.
import io
import numpy as np
np.random.seed(2017)
import pandas as pd
import pymc3 as pm
import theano.tensor as tt
import scipy
import scipy.stats
import matplotlib.pyplot as plt
plt.style.use('seaborn-whitegrid')

golf_data = """distance tries successes
2 1443 1346
3 694 577
4 455 337
5 353 208
6 272 149
7 256 136
8 240 111
9 217 69
10 200 67
11 237 75
12 202 52
13 192 46
14 174 54
15 167 28
16 201 27
17 195 31
18 191 33
19 147 20
20 152 24
"""
data = pd.read_csv(io.StringIO(golf_data), sep=" ")
BALL_RADIUS = (1.68 / 2) / 12
CUP_RADIUS = (4.25 / 2) / 12

with pm.Model() as logit_model:
    a = pm.Normal('a')
    b = pm.Normal('b')
    success = pm.Binomial('success', n=data.tries, p=pm.math.invlogit(a * data.distance + b), observed=data.successes)
    logit_trace = pm.sample(1000, tune=1000, cores=2)


def Phi(x):
    """Calculates the standard normal cumulative distribution function."""
    return 0.5 + 0.5 * tt.erf(x / tt.sqrt(2.))


with pm.Model() as angle_model:
    variance_of_shot = pm.HalfNormal('variance_of_shot')
    p_goes_in = pm.Deterministic('p_goes_in', 2 * Phi(tt.arcsin((CUP_RADIUS - BALL_RADIUS) / data.distance.values) / variance_of_shot) - 1)
    success = pm.Binomial('success', n=data.tries, p=p_goes_in, observed=data.successes)
    angle_trace = pm.sample(1000, tune=1000, cores=2)
    angle_prior = pm.sample_prior_predictive(500)
    angle_post = pm.sample_posterior_predictive(angle_trace, var_names=['success'])

pm.traceplot(logit_trace)
pm.plot_posterior(angle_trace, ['variance_of_shot'])
plt.show()
print('degrees: %.2f' % np.rad2deg(angle_trace['variance_of_shot'].mean()))
print(pm.compare({'logit': logit_trace, 'angle': angle_trace}))

# One parameter: on a grid.
s = np.linspace(0.02, 0.04, 4001)
p = 2 * scipy.stats.norm.cdf(np.arcsin((CUP_RADIUS - BALL_RADIUS) / data.distance.values)[:, None] / s) - 1
lp = scipy.stats.binom.logpmf(data.successes.values[:, None], data.tries.values[:, None], p).sum(axis=0) - s ** 2 / 2
w = np.exp(lp - lp.max())
w /= w.sum()
exact = (w * s).sum()
sd = np.sqrt((w * (s - exact) ** 2).sum())
# NUTS in one dimension, some 700 effective draws: 0.2 sd is 5 standard errors
assert abs(angle_trace['variance_of_shot'].mean() - exact) < 0.2 * sd
assert angle_prior['success'].shape == (500, 19)
assert np.abs(angle_post['success'].mean(axis=0) / data.tries.values - (p * w).sum(axis=1)).max() < 0.01
assert -0.3 < logit_trace['a'].mean() < -0.2 and 2.0 < logit_trace['b'].mean() < 2.5
