# Variational inference as in the 2016 posts. finetti has none yet: it must say so, here, by name.
import numpy as np
import pymc3 as pm

np.random.seed(0)
data = np.random.randn(100)

with pm.Model() as model:
    mu = pm.Normal('mu', mu=0, sd=1)
    sd = pm.HalfNormal('sd', sd=1)
    obs = pm.Normal('obs', mu=mu, sd=sd, observed=data)
    approx = pm.fit(n=30000, method='advi')
    trace = approx.sample(draws=5000)

pm.traceplot(trace)
