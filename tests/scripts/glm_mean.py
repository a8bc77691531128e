# Families, priors and LinearComponent of the GLM submodule.
import numpy as np
import pandas as pd
import pymc3 as pm
from pymc3 import glm

np.random.seed(5)
n = 400
df = pd.DataFrame({'x': np.random.randn(n), 'group': np.random.choice(['a', 'b', 'c'], n)})
effect = df.group.map({'a': 0., 'b': 1., 'c': -1.})
df['y'] = 1 + 0.5 * df.x + effect + np.random.normal(0, 0.7, n)

with pm.Model() as model:
    lm = glm.LinearComponent.from_formula('y ~ x + group', df)
    sigma = pm.Uniform('sigma', 0, 20)
    y_obs = pm.Normal('y_obs', mu=lm.y_est, sd=sigma, observed=df.y)
    trace = pm.sample(1000, tune=1000, cores=2)

priors = {'Intercept': pm.Normal.dist(mu=1., sd=0.01), 'Regressor': pm.Normal.dist(mu=0, sd=10)}
with pm.Model() as informed:
    pm.glm.GLM.from_formula('y ~ 1 + x', df, priors=priors)
    informed_trace = pm.sample(1000, tune=1000, cores=2)

names = [v for v in trace.varnames if 'group' in v or v == 'x' or v == 'Intercept']
print(names, informed_trace.varnames)
X = np.column_stack([np.ones(n), df.x, df.group == 'b', df.group == 'c']).astype(float)
ols = np.linalg.lstsq(X, df.y.values, rcond=None)[0]
estimates = dict(Intercept=ols[0], x=ols[1])
# flat priors: least squares, 0.2 posterior sd is over 4 standard errors
for name, value in estimates.items():
    assert abs(trace[name].mean() - value) < 0.2 * trace[name].std(), name
b, c = [trace[v] for v in names if 'group' in v]
assert abs(b.mean() - ols[2]) < 0.2 * b.std() and abs(c.mean() - ols[3]) < 0.2 * c.std()
assert abs(informed_trace['Intercept'].mean() - 1.0) < 0.02
