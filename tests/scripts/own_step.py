# A step method of one's own (conjugate Gibbs), as in the "how to write a step" posts.
import numpy as np
import pymc3 as pm
from pymc3.step_methods.arraystep import BlockedStep

np.random.seed(1)
J, N = 4, 6
alpha = np.array([2., 5., 1., 3.])
counts = np.array([np.random.multinomial(40, np.random.dirichlet(alpha)) for _ in range(N)])


class ConjugateStep(BlockedStep):
    def __init__(self, var, counts, concentration):
        self.vars = [var]
        self.name = var.name
        self.counts = counts
        self.conc_prior = concentration

    def step(self, point):
        draw = np.array([np.random.dirichlet(self.conc_prior + c) for c in self.counts])
        new = point.copy()
        new[self.name] = draw
        return new


with pm.Model() as model:
    tau = pm.Exponential('tau', lam=1)
    p = pm.Dirichlet('p', a=np.ones(J), shape=(N, J), transform=None)
    y = pm.Multinomial('y', n=40, p=p, observed=counts)
    counted = pm.sample(1500, tune=100, step=[ConjugateStep(p, counts, np.ones(J)), pm.NUTS([tau])], cores=1)

# Dirichlet(1 + counts): 3000 independent draws, a standard error of 0.002
exact = (1 + counts) / (1 + counts).sum(axis=1, keepdims=True)
assert np.abs(counted['p'].mean(axis=0) - exact).max() < 0.01


class GibbsNormal(BlockedStep):
    """Draws mu from its full conditional."""

    def __init__(self, vars, x, model=None):
        model = pm.modelcontext(model)
        self.vars = vars
        self.x = x

    def step(self, point):
        s = np.exp(point['s_log__'])
        precision = 1 / 100. + len(self.x) / s**2
        point = dict(point)
        point['m'] = np.random.normal(self.x.sum() / s**2 / precision, precision**-0.5)
        return point


x = np.random.normal(3, 2, 50)
with pm.Model() as normal:
    m = pm.Normal('m', 0, sd=10.)
    s = pm.HalfCauchy('s', 5.)
    pm.Normal('x', m, sd=s, observed=x)
    trace = pm.sample(1000, tune=200, step=[GibbsNormal([m], x), pm.Metropolis([s])], cores=1, progressbar=False)

print(trace['m'].mean(), trace['s'].mean())
# Conjugate draws of m given s are nearly independent: 0.15 sd is over 5 errors
assert abs(trace['m'].mean() - x.mean() * (1 - x.var() / 50 / 100)) < 0.15 * trace['m'].std()
assert abs(trace['s'].mean() / x.std() - 1) < 0.1
