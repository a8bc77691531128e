# The Challenger's O-rings: logistic regression, started at the MAP, sampled by Metropolis.
import numpy as np
np.random.seed(2017)
import pymc3 as pm
import theano.tensor as tt
from matplotlib import pyplot as plt
from scipy.stats.mstats import mquantiles

temperature = np.array([66., 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58])
D = np.array([0., 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1])

# notice the`value` here. We explain why below.
with pm.Model() as model:
    beta = pm.Normal("beta", mu=0, tau=0.001, testval=0)
    alpha = pm.Normal("alpha", mu=0, tau=0.001, testval=0)
    p = pm.Deterministic("p", 1.0 / (1. + tt.exp(beta * temperature + alpha)))

# connect the probabilities in `p` with our observations through a Bernoulli random variable.
with model:
    observed = pm.Bernoulli("bernoulli_obs", p, observed=D)
    start = pm.find_MAP()
    step = pm.Metropolis()
    trace = pm.sample(60000, step=step, start=start)
    burned_trace = trace[20000::2]

alpha_samples = burned_trace["alpha"][:, None]  # best to make them 1d
beta_samples = burned_trace["beta"][:, None]

t = np.linspace(temperature.min() - 5, temperature.max() + 5, 50)[:, None]


def logistic(x, beta, alpha=0):
    return 1.0 / (1.0 + np.exp(np.dot(beta, x) + alpha))


p_t = logistic(t.T, beta_samples, alpha_samples)
mean_prob_t = p_t.mean(axis=0)
qs = mquantiles(p_t, [0.025, 0.975], axis=0)
plt.fill_between(t[:, 0], *qs, alpha=0.7, color="#7A68A6")
plt.plot(t, mean_prob_t, lw=3, label="average posterior \nprobability of defect")
plt.scatter(temperature, D, color="k", s=50, alpha=0.5)
plt.show()

prob_31 = logistic(31, beta_samples, alpha_samples)
print("P(defect at 31F) = %.4f" % prob_31.mean())

with model:
    simulated = pm.sample_ppc(burned_trace, samples=200, vars=[observed])
assert simulated["bernoulli_obs"].shape == (200, 23)

# The MAP and the posterior by brute force on a grid.
from scipy import optimize


def minus_logp(x):
    b, a = x
    eta = b * temperature + a
    return np.sum(D * np.logaddexp(0, eta) + (1 - D) * np.logaddexp(0, -eta)) + 0.0005 * (a * a + b * b)


best = optimize.minimize(minus_logp, [0.2, -15], method="Nelder-Mead", options=dict(xatol=1e-8, fatol=1e-10, maxiter=4000))
assert abs(start["beta"] - best.x[0]) < 1e-3 and abs(start["alpha"] - best.x[1]) < 0.05, (start, best.x)
bs, centre = np.linspace(-0.3, 1.2, 601), np.linspace(-6, 8, 281)  # alpha = centre - 69.6 * beta
logp = np.array([[-minus_logp((b, c - 69.6 * b)) for c in centre] for b in bs])
w = np.exp(logp - logp.max())
w /= w.sum()
exact_b = (w.sum(axis=1) * bs).sum()
sd_b = np.sqrt((w.sum(axis=1) * (bs - exact_b) ** 2).sum())
# Alpha and beta are correlated at -0.99: one-at-a-time Metropolis has an ESS of a few hundred only.
assert abs(beta_samples.mean() - exact_b) < 0.35 * sd_b, (beta_samples.mean(), exact_b, sd_b)
assert prob_31.mean() > 0.95
