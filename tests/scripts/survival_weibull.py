# Parametric survival: Weibull accelerated failure times, censored ones through a Potential.
import numpy as np
import pandas as pd
import pymc3 as pm
from theano import shared, tensor as tt
import matplotlib.pyplot as plt

SEED = 845199
np.random.seed(SEED)
n = 300
metastized = np.random.binomial(1, 0.5, n)
scale = np.exp(2.0 - 0.7 * metastized)
time = scale * np.random.weibull(1.5, n)
limit = np.random.uniform(3, 15, n)
df = pd.DataFrame(dict(time=np.minimum(time, limit), event=(time <= limit).astype(int), metastized=metastized))

X = np.empty((n, 2))
X[:, 0] = 1.
X[:, 1] = df.metastized
y = np.log(df.time.values)
cens = df.event.values == 0
VAGUE_PRIOR_SD = 5.


def gumbel_sf(y, mu, sigma):
    return 1. - tt.exp(-tt.exp(-(y - mu) / sigma))


def weibull_lccdf(x, alpha, beta):
    ''' Log complementary cdf of Weibull distribution. '''
    return -(x / beta) ** alpha


X_ = shared(X)
cens_ = shared(cens)

with pm.Model() as weibull_model:
    beta = pm.Normal('beta', 0., VAGUE_PRIOR_SD, shape=2)
    alpha = pm.HalfNormal('alpha', sd=5.)
    lam = tt.exp(beta.dot(X.T))
    y_obs = pm.Weibull('y_obs', alpha=alpha, beta=lam[~cens], observed=df.time.values[~cens])
    y_cens = pm.Potential('y_cens', weibull_lccdf(df.time.values[cens], alpha, lam[cens]))
    weibull_trace = pm.sample(1000, tune=1000, chains=2, random_seed=[SEED, SEED + 1])

pm.energyplot(weibull_trace)
print(pm.bfmi(weibull_trace))
print(max(np.max(gr_stats) for gr_stats in [pm.gelman_rubin(weibull_trace)[v].values for v in ['alpha', 'beta']]))
plt.show()

# Maximum likelihood with the same censoring; 300 patients and wide priors.
from scipy import optimize


def nll(p):
    a, l = np.exp(p[0]), np.exp(X @ p[1:])
    t = df.time.values
    logpdf = np.log(a / l) + (a - 1) * np.log(t / l) - (t / l) ** a
    return -np.where(cens, -(t / l) ** a, logpdf).sum()


best = optimize.minimize(nll, [0.3, 2, -0.5])
# mode against mean of a nearly Gaussian posterior: some 0.1 sd apart
assert abs(weibull_trace['beta'].mean(axis=0) - best.x[1:]).max() < 0.4 * weibull_trace['beta'].std(axis=0).max()
assert abs(weibull_trace['alpha'].mean() - np.exp(best.x[0])) < 0.4 * weibull_trace['alpha'].std()
assert (np.abs(weibull_trace['beta'].mean(axis=0) - [2.0, -0.7]) < 4 * weibull_trace['beta'].std(axis=0)).all()
