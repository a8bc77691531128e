# Waiting for coffee in 20 cafes: varying slopes with a packed LKJ Cholesky factor (PyMC3 <= 3.8).
import numpy as np
import pandas as pd
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt

np.random.seed(2971)
a, b = 3.5, -1.0
sigma_a, sigma_b, rho = 1.0, 0.5, -0.7
Mu = [a, b]
sigmas = [sigma_a, sigma_b]
Rho = np.array([[1, rho], [rho, 1]])
Sigma = np.diag(sigmas) @ Rho @ np.diag(sigmas)
N_cafes, N_visits = 20, 10
vary_effects = np.random.multivariate_normal(mean=Mu, cov=Sigma, size=N_cafes)
afternoon = np.tile([0, 1], N_visits * N_cafes // 2)
cafe_id = np.repeat(np.arange(0, N_cafes), N_visits)
mu = vary_effects[cafe_id, 0] + vary_effects[cafe_id, 1] * afternoon
wait = np.random.normal(loc=mu, scale=0.5)
d = pd.DataFrame(dict(cafe=cafe_id, afternoon=afternoon, wait=wait))
cafe_idx = d['cafe'].values

with pm.Model() as m_13_1:
    sd_dist = pm.HalfCauchy.dist(beta=2)  # This is the same as sigma_cafe ~ dcauchy(0,2)
    packed_chol = pm.LKJCholeskyCov('chol_cov', eta=2, n=2, sd_dist=sd_dist)

    # compute the covariance matrix
    chol = pm.expand_packed_triangular(2, packed_chol, lower=True)
    cov = tt.dot(chol, chol.T)

    # Extract the standard deviations and rho
    sigma_ab = pm.Deterministic('sigma_cafe', tt.sqrt(tt.diag(cov)))
    corr = tt.diag(sigma_ab**-1).dot(cov.dot(tt.diag(sigma_ab**-1)))
    r = pm.Deterministic('Rho', corr[np.triu_indices(2, k=1)])

    ab = pm.Normal('ab', mu=0, sd=10, shape=2)  # prior for average intercept and slope
    ab_cafe = pm.MvNormal('ab_cafe', mu=ab, chol=chol, shape=(N_cafes, 2))  # Population of varying effects
    # Shape needs to be (N_cafes, 2) because we're getting back both a and b for each cafe

    mu = ab_cafe[:, 0][cafe_idx] + ab_cafe[:, 1][cafe_idx] * d['afternoon'].values  # linear model
    sd = pm.HalfCauchy('sigma', beta=2)  # prior stddev within cafes
    wait = pm.Normal('wait', mu=mu, sd=sd, observed=d['wait'])  # likelihood
    trace_13_1 = pm.sample(1000, tune=1000, cores=2, random_seed=1)

pm.traceplot(trace_13_1, varnames=['ab', 'Rho', 'sigma', 'sigma_cafe'],
             lines={"ab": Mu, "Rho": rho, "sigma": .5, "sigma_cafe": sigmas})
post = pm.trace_to_dataframe(trace_13_1)
print(post.shape, list(post.columns[:6]))
print(pm.summary(trace_13_1, varnames=['ab', 'Rho', 'sigma_cafe', 'sigma'], alpha=0.11).round(2))
_, ax = plt.subplots(1, 1, figsize=(5, 5))
R = pm.LKJCorr.dist(n=2, eta=2).random(size=10000)
pm.kdeplot(trace_13_1['Rho'][:, 0], ax=ax, color='C0', linewidth=2)
pm.kdeplot(np.asarray(R).ravel(), ax=ax, color='k', linestyle='--')
plt.show()

# Simulated from the model: the truth is inside 3 posterior sd; the cafes' means follow the data.
ab_hat = trace_13_1['ab'].mean(axis=0)
assert (np.abs(ab_hat - vary_effects.mean(axis=0)) < 3 * trace_13_1['ab'].std(axis=0)).all()
assert np.corrcoef(trace_13_1['ab_cafe'].mean(axis=0)[:, 0], vary_effects[:, 0])[0, 1] > 0.9
assert abs(trace_13_1['sigma'].mean() - 0.5) < 0.1
assert -1 < trace_13_1['Rho'].mean() < -0.2
assert trace_13_1['chol_cov'].shape == (2000, 3) and trace_13_1['Rho'].shape == (2000, 1)
# sd and correlation belong to the packed factor
l0, l1, l2 = trace_13_1['chol_cov'].T
assert np.allclose(trace_13_1['sigma_cafe'], np.column_stack([l0, np.hypot(l1, l2)]))
assert np.allclose(trace_13_1['Rho'][:, 0], l1 / np.hypot(l1, l2))
assert abs(np.std(R) - np.sqrt(1 / 5)) < 0.03  # LKJ(2) in two dimensions: 2 Beta(2, 2) - 1
