# PyMC 5 in 2022/23: MutableData, coords, idata.extend, az.plot_*.
import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pymc as pm

rng = np.random.default_rng(8924)
groups = ["north", "south", "west"]
idx, labels = pd.factorize(rng.choice(groups, 240), sort=True)
x = rng.normal(size=240)
truth = np.array([1.0, 2.0, -0.5])
y = 0.5 + truth[idx] * x + rng.normal(0, 0.5, 240)

coords = {"region": labels, "obs_id": np.arange(len(y))}
with pm.Model(coords=coords) as model:
    x_data = pm.MutableData("x", x, dims="obs_id")
    region = pm.ConstantData("region_idx", idx, dims="obs_id")
    intercept = pm.Normal("intercept", 0, 2)
    mu_slope = pm.Normal("mu_slope", 0, 2)
    sd_slope = pm.HalfNormal("sd_slope", 2)
    slope = pm.Normal("slope", mu_slope, sd_slope, dims="region")
    sigma = pm.HalfNormal("sigma", 1)
    mu = pm.Deterministic("mu", intercept + slope[region] * x_data, dims="obs_id")
    pm.Normal("y", mu, sigma, observed=y, dims="obs_id")

    idata = pm.sample_prior_predictive(samples=200, random_seed=rng)
    idata.extend(pm.sample(1000, tune=1000, random_seed=rng, target_accept=0.9,
                           idata_kwargs={"log_likelihood": True}))
    pm.sample_posterior_predictive(idata, extend_inferencedata=True, random_seed=rng)

pm.model_to_graphviz(model)
az.plot_trace(idata, var_names=["~mu"], compact=True)
az.plot_forest(idata, var_names=["slope"], combined=True, hdi_prob=0.95)
az.plot_posterior(idata, var_names=["slope"], ref_val=0)
az.plot_ppc(idata, num_pp_samples=50)
az.plot_energy(idata)
plt.show()
print(az.summary(idata, var_names=["intercept", "slope", "sigma"], round_to=2))
print(az.loo(idata))

with model:
    pm.set_data({"x": np.full(240, 2.0)})
    new = pm.sample_posterior_predictive(idata, var_names=["mu"], predictions=True, random_seed=1)

mu_new = new.predictions["mu"].mean(("chain", "draw")).values
slope_hat = idata.posterior["slope"].mean(("chain", "draw")).values
inter = float(idata.posterior["intercept"].mean())
# At x = 2 every prediction is intercept + 2 slope, up to rounding.
assert np.allclose(mu_new, inter + 2 * slope_hat[idx])
# Hardly shrunken slopes: 80 points each have a standard error of 0.056, this allows four.
assert np.abs(slope_hat - truth).max() < 0.23, slope_hat
ols = [np.polyfit(x[idx == g], y[idx == g], 1)[0] for g in range(3)]
assert np.abs(slope_hat - ols).max() < 0.06
assert idata.posterior["slope"].sel(region="south").shape == (idata.posterior.sizes["chain"], 1000)
