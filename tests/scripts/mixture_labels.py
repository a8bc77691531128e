# The same with a label per point, order and empty clusters policed by Potentials (PyMC3 3.0 style).
from pymc3 import Model, Normal, Uniform, Dirichlet, Categorical, Potential, Deterministic
from pymc3 import Metropolis, ElemwiseCategorical, CategoricalGibbsMetropolis, sample, traceplot
import numpy as np
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt

np.random.seed(12345)
k = 3
ndata = 300
spread = 5
centers = np.array([-spread, 0, spread])
v = np.random.randint(0, k, ndata)
data = centers[v] + np.random.randn(ndata)

model = pm.Model()
with model:
    # cluster sizes
    p = pm.Dirichlet('p', a=np.array([1., 1., 1.]), shape=k)
    # ensure all clusters have some points
    p_min_potential = pm.Potential('p_min_potential', tt.switch(tt.min(p) < .1, -np.inf, 0))
    # cluster centers
    means = pm.Normal('means', mu=[0, 0, 0], sd=15, shape=k, testval=[-1, 0, 1])
    # break symmetry
    order_means_potential = pm.Potential('order_means_potential',
                                         tt.switch(means[1] - means[0] < 0, -np.inf, 0)
                                         + tt.switch(means[2] - means[1] < 0, -np.inf, 0))
    # measurement error
    sd = pm.Uniform('sd', lower=0, upper=20)
    # latent cluster of each observation
    category = pm.Categorical('category', p=p, shape=ndata)
    # likelihood for each observed value
    points = pm.Normal('obs', mu=means[category], sd=sd, observed=data)

with model:
    step1 = pm.Metropolis(vars=[p, sd, means])
    step2 = pm.ElemwiseCategorical(vars=[category], values=[0, 1, 2])
    tr = pm.sample(10000, step=[step1, step2])

pm.plots.traceplot(tr, ['p', 'sd', 'means'])
pm.autocorrplot(tr[5000::5], ['sd'])
plt.show()

i = 50
print("true cluster:", v[i], "  data value:", np.round(data[i], 2))
label = tr['category'][5000:, i]
share = (np.bincount(label, minlength=3) / len(label))

# Five sd apart: labels are all but known, the means are those of the true groups.
for j in range(k):
    own = data[v == j]
    # a label in a hundred is unsure, which moves a group's mean by less than its standard error
    assert abs(tr['means'][5000:, j].mean() - own.mean()) < 2.5 / np.sqrt(len(own)), j
assert share.argmax() == np.abs(centers - data[i]).argmin()
assert abs(tr['sd'][5000:].mean() - 1) < 0.15
agree = np.mean(np.round(tr['category'][5000::50].mean(axis=0)) == v)
assert agree > 0.95, agree
