# Monks who drink on some days: zero-inflated Poisson, and the same by a mixture written out.
import numpy as np
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt
from scipy.special import expit as logistic

prob_drink = 0.2  # 20% of days
rate_work = 1  # average 1 manuscript per day
N = 365
np.random.seed(365)
drink = np.random.binomial(1, prob_drink, N)
y = (1 - drink) * np.random.poisson(rate_work, N)

with pm.Model() as m_11_4:
    ap = pm.Normal('ap', 0., 1.)
    p = pm.math.sigmoid(ap)
    al = pm.Normal('al', 0., 10.)
    lambda_ = tt.exp(al)
    # PyMC3's psi is the share of days WITH the Poisson process
    y_obs = pm.ZeroInflatedPoisson('y_obs', 1. - p, lambda_, observed=y)
    trace_11_4 = pm.sample(1000, tune=1000, cores=2)

with pm.Model() as by_hand:
    ap = pm.Normal('ap', 0., 1.)
    p = pm.Deterministic('p', pm.invlogit(ap))
    al = pm.Normal('al', 0., 10.)
    zero = pm.Constant.dist(0)
    work = pm.Poisson.dist(tt.exp(al))
    pm.Mixture('y_obs', w=tt.stack([p, 1 - p]), comp_dists=[zero, work], observed=y)
    trace_hand = pm.sample(1000, tune=1000, cores=2)

print(pm.summary(trace_11_4, varnames=['ap', 'al']).round(2))
plt.hist(y, bins=range(8))
plt.show()
print(logistic(trace_11_4['ap'].mean()), np.exp(trace_11_4['al'].mean()))

# On a grid
a, l = np.linspace(-5, 2, 351)[:, None, None], np.linspace(-0.6, 0.6, 241)[None, :, None]
k = np.arange(y.max() + 1)
from scipy.special import gammaln

pois = np.exp(k * l - np.exp(l) - gammaln(k + 1))
pr = logistic(a)
lik = np.log(pr * (k == 0) + (1 - pr) * pois) @ np.bincount(y) - 0.5 * a[..., 0] ** 2 - 0.005 * l[..., 0] ** 2
w = np.exp(lik - lik.max())
w /= w.sum()
ea, el = (w.sum(1) * a[:, 0, 0]).sum(), (w.sum(0) * l[0, :, 0]).sum()
for t in (trace_11_4, trace_hand):
    # a few hundred effective draws at the least: 0.25 sd is 4 standard errors
    assert abs(t['ap'].mean() - ea) < 0.25 * t['ap'].std(), (t['ap'].mean(), ea)
    assert abs(t['al'].mean() - el) < 0.25 * t['al'].std(), (t['al'].mean(), el)
