# Decisions: Beta posteriors drawn with .random(), Multinomial/Dirichlet and expected revenue (hackers style).
import numpy as np
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt
from numpy.random import dirichlet

np.random.seed(99)
N, n_79, n_49, n_25 = 1000, 10, 46, 80
n_0 = N - (n_79 + n_49 + n_25)
observations = np.array([n_79, n_49, n_25, n_0])

with pm.Model() as model:
    probs = pm.Dirichlet('probs', a=np.ones(4))
    obs = pm.Multinomial('obs', n=N, p=probs, observed=observations)
    revenue = pm.Deterministic('revenue', 79 * probs[0] + 49 * probs[1] + 25 * probs[2] + 0 * probs[3])
    trace = pm.sample(5000, tune=1000, cores=2)

posterior_samples = dirichlet(np.ones(4) + observations, size=10000)
plt.hist(trace['revenue'], histtype='stepfilled', bins=50, alpha=0.5)
plt.hist(posterior_samples.dot([79, 49, 25, 0]), histtype='stepfilled', bins=50, alpha=0.5)

with pm.Model() as arms:
    p1 = pm.Beta('p1', 1 + 20, 1 + 80)
    p2 = pm.Beta('p2', 1 + 30, 1 + 70)
    share = np.mean(p1.random(size=20000) > p2.random(size=20000))
print(share, trace['revenue'].mean())

plt.show()
exact = posterior_samples.dot([79, 49, 25, 0])
mean = (np.ones(4) + observations) @ [79, 49, 25, 0] / (N + 4)
# thousands of effective draws: 0.06 posterior sd is about 4 standard errors
assert abs(trace['revenue'].mean() - mean) < 0.06 * exact.std()
from scipy import stats, integrate

p_exact = integrate.quad(lambda q: stats.beta.pdf(q, 21, 81) * stats.beta.cdf(q, 31, 71), 0, 1)[0]
assert abs(share - p_exact) < 0.008  # 20000 pairs: standard error 0.0016
