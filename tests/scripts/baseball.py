# Batting averages, partially pooled: Beta-Binomial with a Pareto-like hyperprior.
import numpy as np
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt

np.random.seed(8)
N = 18
player_names = ['player %d' % i for i in range(N)]
at_bats = np.repeat(45, N)
hits = np.random.binomial(45, np.random.beta(27, 73, N))

with pm.Model() as baseball_model:

    phi = pm.Uniform('phi', lower=0.0, upper=1.0)

    kappa_log = pm.Exponential('kappa_log', lam=1.5)
    kappa = pm.Deterministic('kappa', tt.exp(kappa_log))

    thetas = pm.Beta('thetas', alpha=phi * kappa, beta=(1.0 - phi) * kappa, shape=N)
    y = pm.Binomial('y', n=at_bats, p=thetas, observed=hits)

# What of a newcomer with 0 for 4?
with baseball_model:
    theta_new = pm.Beta('theta_new', alpha=phi * kappa, beta=(1.0 - phi) * kappa)
    y_new = pm.Binomial('y_new', n=4, p=theta_new, observed=0)

with baseball_model:
    trace = pm.sample(2000, tune=1000, chains=2, target_accept=0.95)

pm.traceplot(trace, varnames=['phi', 'kappa'])
pm.forestplot(trace, varnames=['thetas'])
pm.traceplot(trace, varnames=['theta_new'])
plt.show()

# the same prior, written with a Pareto: kappa = exp(Exponential(1.5)) is Pareto(1.5, 1)
with pm.Model() as pareto_model:
    phi = pm.Uniform('phi', lower=0.0, upper=1.0)
    kappa = pm.Pareto('kappa', alpha=1.5, m=1.0)
    thetas = pm.Beta('thetas', alpha=phi * kappa, beta=(1.0 - phi) * kappa, shape=N)
    y = pm.Binomial('y', n=at_bats, p=thetas, observed=hits)
    pareto_trace = pm.sample(2000, tune=1000, chains=2, target_accept=0.95)

# Thetas integrate out to Beta-Binomials; phi and kappa on a grid.
from scipy.special import betaln, logsumexp

u, k = np.linspace(0.005, 0.995, 199)[:, None], np.linspace(0.005, 12, 800)[None, :]
a, b = u * np.exp(k), (1 - u) * np.exp(k)


def grid_mean(hits, n):
    lp = -1.5 * k + sum(betaln(a + h, b + m - h) - betaln(a, b) for h, m in zip(hits, n))
    w = np.exp(lp - logsumexp(lp))
    return (w * u).sum(), [(w * (a + h) / (a + b + m)).sum() for h, m in zip(hits, n)]


phi_1, theta_1 = grid_mean(np.append(hits, 0), np.append(at_bats, 4))
phi_2, theta_2 = grid_mean(hits, at_bats)
# Averages have a posterior sd of about 0.02 to 0.06 and hundreds of effective draws at least.
assert abs(trace['phi'].mean() - phi_1) < 0.01
assert np.abs(trace['thetas'].mean(axis=0) - theta_1[:N]).max() < 0.012
assert abs(trace['theta_new'].mean() - theta_1[-1]) < 0.015
assert abs(pareto_trace['phi'].mean() - phi_2) < 0.01
assert np.abs(pareto_trace['thetas'].mean(axis=0) - theta_2).max() < 0.012
