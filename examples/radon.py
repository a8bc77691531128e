"""Radon in Minnesota's houses: intercepts and slopes that vary by county."""

import _models
from _checks import check, stored

import finetti as pm

data = _models.radon_data()
with _models.radon(pm, data):
    idata = pm.sample(1000, tune=1000, target_accept=0.9, random_seed=6, progressbar=False)
print(pm.summary(idata, var_names=["mu_a", "sigma_a", "mu_b", "sigma_b", "sigma_y"]))

for name, answer in stored("radon").items():
    check(idata, name, answer["mean"], answer["sd"], mcse=answer["mcse"])

slopes = idata.posterior["slope"].mean(("chain", "draw"))
weakest = data.names[int(slopes.values.argmax())]
print(f"The first floor differs least from the basement in {weakest}.")
