# pm.Bound in its forms: lower, upper, both, with shape, discrete, inside a hierarchy.
import numpy as np
import pymc3 as pm
from scipy import stats

np.random.seed(9)
data = np.random.normal(2.0, 1.0, size=30)

BoundedNormal = pm.Bound(pm.Normal, lower=0.0)
with pm.Model() as model:
    x = BoundedNormal('x', mu=0, sd=1)
    UnitNormal = pm.Bound(pm.Normal, lower=-1.0, upper=1.0)
    z = UnitNormal('z', mu=0.3, sd=0.8, shape=3, testval=[0.1, 0.2, 0.3])
    k = pm.Bound(pm.Poisson, upper=4)('k', 3.0)
    # a bound that is itself an unknown does not renormalise: its term is just that of the Normal
    upper = pm.Uniform('upper', 1.0, 3.0)
    below = pm.Bound(pm.Normal, upper=upper)('below', mu=2.0, sd=1.0)
    mu = BoundedNormal('mu', mu=1.0, sd=10.)
    pm.Normal('obs', mu=mu, sd=1.0, observed=data)
    trace = pm.sample(4000, tune=1000, random_seed=7)

assert (trace['x'] > 0).all() and (np.abs(trace['z']) < 1).all() and trace['k'].max() <= 4
assert (trace['below'] < trace['upper']).all()
# Truncated distributions. Thousands of effective draws: the errors allowed are 5 standard errors or more.
assert abs(trace['x'].mean() - np.sqrt(2 / np.pi)) < 0.05
tn = stats.truncnorm((-1 - 0.3) / 0.8, (1 - 0.3) / 0.8, 0.3, 0.8)
assert np.abs(trace['z'].mean(axis=0) - tn.mean()).max() < 0.04
pk = stats.poisson.pmf(np.arange(5), 3.0)
assert abs(trace['k'].mean() - pk @ np.arange(5) / pk.sum()) < 0.15
# without renormalising, upper is weighted by P(below < upper)
u = np.linspace(1, 3, 2001)
wu = stats.norm.cdf(u - 2)
assert abs(trace['upper'].mean() - (u * wu).sum() / wu.sum()) < 0.05
assert abs(trace['mu'].mean() - data.mean()) < 0.05
