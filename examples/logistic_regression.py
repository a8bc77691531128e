"""Logistic regression: 1000 rows, 10 weights."""

import _models
from _checks import check, stored

import finetti as pm

X, y = _models.logistic_data()
with _models.logistic_regression(pm, X, y):
    idata = pm.sample(1000, tune=1000, random_seed=5, progressbar=False)
print(pm.summary(idata))

answer = stored("logistic_regression")["weights"]
check(idata, "weights", answer["mean"], answer["sd"], mcse=answer["mcse"])
