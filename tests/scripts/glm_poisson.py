# Sneezing, alcohol and antihistamines: Poisson regression with an interaction.
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
import pymc3 as pm
import theano
from pymc3.glm import families

theta_noalcohol_meds = 1
theta_alcohol_meds = 3
theta_noalcohol_nomeds = 6
theta_alcohol_nomeds = 36
np.random.seed(7)
q = 300
df = pd.DataFrame({
    'nsneeze': np.concatenate((np.random.poisson(theta_noalcohol_meds, q), np.random.poisson(theta_alcohol_meds, q),
                               np.random.poisson(theta_noalcohol_nomeds, q), np.random.poisson(theta_alcohol_nomeds, q))),
    'alcohol': np.concatenate((np.repeat(False, q), np.repeat(True, q), np.repeat(False, q), np.repeat(True, q))),
    'nomeds': np.concatenate((np.repeat(False, q), np.repeat(False, q), np.repeat(True, q), np.repeat(True, q)))})

fml = 'nsneeze ~ alcohol + nomeds + alcohol:nomeds'
with pm.Model() as mdl_fish:
    pm.glm.GLM.from_formula(fml, df, family=pm.glm.families.Poisson())
    trc_fish = pm.sample(1000, tune=1000, cores=2)

rvs_fish = [rv.name for rv in mdl_fish.free_RVs]
print(rvs_fish)
pm.traceplot(trc_fish, varnames=[v for v in trc_fish.varnames if not v.endswith('__')])
plt.show()

ex = np.exp(pm.summary(trc_fish)['mean'])
print(ex)

# A saturated model: the cells' means are the answer. 0.02 on the log scale is 4 posterior sds of them
cells = df.groupby(['alcohol', 'nomeds'])['nsneeze'].mean()
means = {v: trc_fish[v].mean() for v in trc_fish.varnames}
intercept = means['Intercept']
inter = [v for v in means if ':' in v][0]
alcohol = [v for v in means if v.startswith('alcohol') and ':' not in v][0]
nomeds = [v for v in means if v.startswith('nomeds') and ':' not in v][0]
total = intercept + means[alcohol] + means[nomeds] + means[inter]
assert alcohol == 'alcohol[T.True]' and nomeds == 'nomeds[T.True]'  # patsy's names
assert abs(intercept - np.log(cells[False, False])) < 0.02
assert abs(intercept + means[alcohol] - np.log(cells[True, False])) < 0.02
assert abs(intercept + means[nomeds] - np.log(cells[False, True])) < 0.02
assert abs(total - np.log(cells[True, True])) < 0.02
