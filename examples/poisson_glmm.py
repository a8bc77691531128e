"""An A/B test on counts: a Poisson GLMM with a random effect for each of 200 users."""

import _models
from _checks import check, stored

import finetti as pm

group, counts = _models.glmm_data()
with _models.poisson_glmm(pm, group, counts):
    idata = pm.sample(1000, tune=1000, random_seed=4, progressbar=False)
print(pm.summary(idata, var_names=["beta0", "beta1", "s"]))

for name, answer in stored("poisson_glmm").items():
    check(idata, name, answer["mean"], answer["sd"], mcse=answer["mcse"])
