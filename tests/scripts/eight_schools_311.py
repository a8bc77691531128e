# Eight schools in the last PyMC3 (3.9 to 3.11): coords, InferenceData, ArviZ.
import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pymc3 as pm

print(f"Running on PyMC3 v{pm.__version__}")
az.style.use("arviz-darkgrid")
RANDOM_SEED = 8927
np.random.seed(RANDOM_SEED)
az.rcParams["stats.hdi_prob"] = 0.89

J = 8
y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
sigma = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
schools = np.array(["Choate", "Deerfield", "Phillips Andover", "Phillips Exeter",
                    "Hotchkiss", "Lawrenceville", "St. Paul's", "Mt. Hermon"])

with pm.Model(coords={"school": schools}) as NonCentered_eight:
    mu = pm.Normal("mu", mu=0, sigma=5)
    tau = pm.HalfCauchy("tau", beta=5)
    theta_tilde = pm.Normal("theta_t", mu=0, sigma=1, dims="school")
    theta = pm.Deterministic("theta", mu + tau * theta_tilde, dims="school")
    obs = pm.Normal("obs", mu=theta, sigma=sigma, dims="school", observed=y)

    prior = pm.sample_prior_predictive(300)
    trace = pm.sample(2000, tune=1000, target_accept=0.95, return_inferencedata=False)
    posterior_predictive = pm.sample_posterior_predictive(trace)
    idata = az.from_pymc3(trace=trace, prior=prior, posterior_predictive=posterior_predictive,
                          coords={"school": schools}, dims={"theta": ["school"]})

az.plot_trace(idata, var_names=["mu", "tau"], compact=True)
az.plot_forest(idata, var_names=["theta"], combined=True)
az.plot_posterior(idata, var_names=["mu", "tau"])
plt.show()
summary = az.summary(idata, var_names=["mu", "tau", "theta"])
print(summary)

with NonCentered_eight:
    idata2 = pm.sample(1000, tune=1000, return_inferencedata=True, target_accept=0.95)
print(idata2.posterior["theta"].sel(school="Choate").mean().values)

# Reference values by integrating over mu and tau on a grid.
m, t = np.linspace(-25, 30, 221)[:, None], np.exp(np.linspace(-5, 5, 401))[None, :]
lp = -0.5 * (m / 5) ** 2 - np.log1p((t / 5) ** 2) + np.log(t)
for yi, si in zip(y, sigma):
    v = si ** 2 + t ** 2
    lp = lp - 0.5 * (yi - m) ** 2 / v - 0.5 * np.log(v)
w = np.exp(lp - lp.max())
w /= w.sum()
e_mu = (w * m).sum()
e_choate = (w * ((28 / 225 + m / t ** 2) / (1 / 225 + 1 / t ** 2))).sum()
# posterior sd of mu is 3.3, of theta 5.6; over 1000 effective draws: 0.5 and 0.9 are 5 errors
assert abs(trace["mu"].mean() - e_mu) < 0.5
assert abs(float(idata.posterior["theta"].sel(school="Choate").mean()) - e_choate) < 0.9
assert abs(float(idata2.posterior["mu"].mean()) - e_mu) < 0.7
assert {"prior", "posterior_predictive", "log_likelihood"} <= set(idata.groups() if callable(idata.groups) else [g.strip("/") for g in idata.groups])
