"""A straight line through noise, compared with the exact posterior."""

import _models
from _checks import check, regression_moments

import finetti as pm

x, y = _models.regression_data()
with _models.simple_regression(pm, x, y):
    idata = pm.sample(1000, tune=1000, random_seed=1, progressbar=False)
print(pm.summary(idata))

(mean, sd), (sigma, sigma_sd) = regression_moments(x, y, lambda s: -0.5 * (s / 5) ** 2)
check(idata, "intercept", mean[0], sd[0])
check(idata, "slope", mean[1], sd[1])
check(idata, "sigma", sigma[0], sigma_sd[0])
