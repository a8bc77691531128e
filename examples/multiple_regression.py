"""Three predictors, two of them correlated, with named coefficients."""

import _models
from _checks import check, regression_moments

import finetti as pm

X, y = _models.multiple_regression_data()
with _models.multiple_regression(pm, X, y):
    idata = pm.sample(1000, tune=1000, random_seed=1, progressbar=False)
print(pm.summary(idata))

(mean, sd), (sigma, sigma_sd) = regression_moments(X, y, lambda s: -s)
check(idata, "intercept", mean[0], sd[0])
check(idata, "slope", mean[1:], sd[1:])
check(idata, "sigma", sigma[0], sigma_sd[0])
