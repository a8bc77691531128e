# Radon in houses: complete, no and partial pooling, in the style of the "best of both worlds" posts.
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
import pymc3 as pm

np.random.seed(10)
n_counties = 25
county_idx = np.repeat(np.arange(n_counties), np.random.randint(2, 20, n_counties))
floor_measure = np.random.binomial(1, 0.3, len(county_idx))
true_a = np.random.normal(1.5, 0.35, n_counties)
true_b = np.random.normal(-0.7, 0.2, n_counties)
log_radon = true_a[county_idx] + true_b[county_idx] * floor_measure + np.random.normal(0, 0.7, len(county_idx))
data = pd.DataFrame(dict(county_code=county_idx, floor=floor_measure, log_radon=log_radon))

with pm.Model() as hierarchical_model:
    # Hyperpriors for group nodes
    mu_a = pm.Normal('mu_a', mu=0., sigma=100)
    sigma_a = pm.HalfNormal('sigma_a', 5.)
    mu_b = pm.Normal('mu_b', mu=0., sd=100)
    sigma_b = pm.HalfNormal('sigma_b', 5.)

    # transformed:
    a_offset = pm.Normal('a_offset', mu=0, sd=1, shape=n_counties)
    a = pm.Deterministic("a", mu_a + a_offset * sigma_a)
    b_offset = pm.Normal('b_offset', mu=0, sd=1, shape=n_counties)
    b = pm.Deterministic("b", mu_b + b_offset * sigma_b)

    # Model error
    eps = pm.HalfCauchy('eps', 5.)
    radon_est = a[county_idx] + b[county_idx] * data.floor.values

    # Data likelihood
    radon_like = pm.Normal('radon_like', mu=radon_est, sd=eps, observed=data.log_radon)

with hierarchical_model:
    hierarchical_trace = pm.sample(1000, tune=1000, chains=2, target_accept=.9, random_seed=[5, 6])

with pm.Model() as unpooled_model:
    a = pm.Normal('a', 0, sd=100, shape=n_counties)
    eps = pm.HalfCauchy('eps', 5)
    pm.Normal('radon_like', mu=a[county_idx], sd=eps, observed=data.log_radon)
    unpooled_trace = pm.sample(1000, chains=2)

pm.traceplot(hierarchical_trace, var_names=['mu_a', 'mu_b', 'sigma_a', 'sigma_b', 'eps'])
pm.plot_posterior(hierarchical_trace, var_names=['mu_a', 'mu_b'])
x = pd.Series(hierarchical_trace['a'][500:, :].mean(axis=0), name='a').values
y = pd.Series(unpooled_trace['a'].mean(axis=0)).values
plt.figure()
plt.scatter(y, x)
plt.show()
rmse = np.sqrt(np.mean((x - true_a) ** 2))
print("RMSE of the intercepts: %.3f" % rmse)

# Unpooled: the counties' means, errors of MCMC below 0.1 posterior sd each (25 of them: bound 0.25).
means = data.groupby('county_code').log_radon.mean().values
assert (np.abs(y - means) / unpooled_trace['a'].std(axis=0)).max() < 0.25
# Partially pooled estimates are nearer to one another, and the truth lies where it should.
assert x.std() < means.std()
assert abs(hierarchical_trace['mu_a'].mean() - true_a.mean()) < 3 * hierarchical_trace['mu_a'].std()
assert abs(hierarchical_trace['eps'].mean() - 0.7) < 0.15
assert rmse < 0.35
