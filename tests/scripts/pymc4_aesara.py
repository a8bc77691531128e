# PyMC 4 in 2022: aesara.tensor as at, and pytensor beside it a year later.
import aesara
import aesara.tensor as at
import arviz as az
import numpy as np
import pymc as pm

rng = np.random.default_rng(1)
counts = np.concatenate([rng.poisson(3, 60), rng.poisson(8, 40)])
days = np.arange(len(counts))

with pm.Model() as switch_model:
    tau = pm.DiscreteUniform("tau", 0, len(counts) - 1)
    rate = pm.Exponential("rate", 1.0, shape=2)
    idx = at.switch(days >= tau, 1, 0)
    pm.Poisson("obs", rate[idx], observed=counts)
    idata = pm.sample(3000, tune=1000, chains=2, random_seed=4)

n = 150
X = rng.normal(size=(n, 3))
b_true = np.array([1.0, -2.0, 0.5])
obs = X @ b_true + rng.normal(size=n)


def my_logp(value, mu, sigma):
    return -0.5 * ((value - mu) / sigma) ** 2 - at.log(sigma) - 0.5 * at.log(2 * np.pi)


with pm.Model() as custom:
    chol, corr, stds = pm.LKJCholeskyCov("chol", n=3, eta=2.0, sd_dist=pm.Exponential.dist(1.0, shape=3), compute_corr=True)
    beta = pm.MvNormal("beta", mu=np.zeros(3), chol=chol)
    sigma = pm.HalfNormal("sigma", sigma=2.0, initval=1.0)
    mu = at.dot(X, beta)
    pm.DensityDist("y", mu, sigma, logp=my_logp, observed=obs)
    pm.Potential("shrink", -0.001 * at.sum(beta**2))
    custom_idata = pm.sample(1000, tune=1000, chains=2, random_seed=5)

f = aesara.function([], at.sum(at.as_tensor_variable(np.ones(3))))
assert f() == 3
az.plot_trace(custom_idata, var_names=["beta", "sigma"])
print(az.summary(custom_idata, var_names=["beta", "sigma", "chol_stds"]))

ols = np.linalg.lstsq(X, obs, rcond=None)[0]
hat = custom_idata.posterior["beta"].mean(("chain", "draw")).values
# a weak prior moves the coefficients (standard error 0.08) by a small part of it
assert np.abs(hat - ols).max() < 0.05, (hat, ols)
assert custom_idata.posterior["chol_corr"].shape == (2, 1000, 3, 3)

from scipy.special import gammaln, softmax

lw = []
for t in range(len(counts)):
    parts = [(counts[:t].sum(), t), (counts[t:].sum(), len(counts) - t)]
    lw.append(sum(gammaln(s + 1) - (s + 1) * np.log(k + 1) for s, k in parts))
w = softmax(lw)
tau_draws = idata.posterior["tau"].values.ravel()
# some hundred effective draws: half a posterior sd is 5 standard errors
assert abs(tau_draws.mean() - w @ days) < 0.5 * tau_draws.std() + 0.1, (tau_draws.mean(), w @ days)
