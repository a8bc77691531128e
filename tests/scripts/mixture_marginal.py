# A mixture of three Gaussians without labels: NormalMixture, means kept in order by a transform.
import numpy as np
import pymc3 as pm
import matplotlib.pyplot as plt
import pymc3.distributions.transforms as tr

SEED = 383561
np.random.seed(SEED)
N = 600
W = np.array([0.35, 0.4, 0.25])
MU = np.array([0., 2.5, 5.])
SIGMA = np.array([0.5, 0.5, 1.])
component = np.random.choice(MU.size, size=N, p=W)
x = np.random.normal(MU[component], SIGMA[component], size=N)

with pm.Model() as model:
    w = pm.Dirichlet('w', np.ones_like(W))
    mu = pm.Normal('mu', 0., 10., shape=W.size, transform=tr.ordered, testval=[-1., 1., 6.])
    tau = pm.Gamma('tau', 1., 1., shape=W.size)
    x_obs = pm.NormalMixture('x_obs', w, mu, tau=tau, observed=x)

with model:
    trace = pm.sample(1000, n_init=10000, tune=1000, random_seed=SEED)[200:]

pm.traceplot(trace, varnames=['w', 'mu'])
with model:
    ppc_trace = pm.sample_posterior_predictive(trace, 200, random_seed=SEED)

fig, ax = plt.subplots(figsize=(8, 6))
ax.hist(x, bins=30, density=True, histtype='step', lw=2, label='Observed data')
ax.hist(ppc_trace['x_obs'].ravel(), bins=30, density=True, histtype='step', lw=2, label='Posterior predictive distribution')
ax.legend(loc=1)
plt.show()

# EM gives the maximum likelihood; the truth is 600 draws away from it.
w_, m_, s_ = W.copy(), MU.copy(), SIGMA.copy()
for _ in range(500):
    r = w_ * np.exp(-0.5 * ((x[:, None] - m_) / s_) ** 2) / s_
    r /= r.sum(axis=1, keepdims=True)
    w_, m_ = r.mean(axis=0), (r * x[:, None]).sum(axis=0) / r.sum(axis=0)
    s_ = np.sqrt((r * (x[:, None] - m_) ** 2).sum(axis=0) / r.sum(axis=0))
mu_hat, w_hat = trace['mu'].mean(axis=0), trace['w'].mean(axis=0)
print(mu_hat, m_, w_hat, w_)
# the mean of a skewed posterior is off the mode by less than one posterior sd
assert (np.abs(mu_hat - m_) < trace['mu'].std(axis=0)).all()
assert (np.abs(w_hat - w_) < trace['w'].std(axis=0)).all()
assert (np.diff(trace['mu'], axis=1) > 0).all()
assert abs(ppc_trace['x_obs'].mean() - x.mean()) < 0.3
