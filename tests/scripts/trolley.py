# Ordered categories: OrderedLogistic with ordered cutpoints, as the Rethinking ports wrote it.
import numpy as np
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt

np.random.seed(3)
n = 600
action = np.random.binomial(1, 0.4, n)
intention = np.random.binomial(1, 0.5, n)
cuts = np.array([-1.8, -0.6, 0.3, 1.4])
phi_true = -0.7 * action - 0.5 * intention
cum = 1 / (1 + np.exp(-(cuts[None, :] - phi_true[:, None])))
resp = (np.random.rand(n)[:, None] > cum).sum(axis=1)

with pm.Model() as m_11_2:
    cutpoints = pm.Normal('cutpoints', 0, 10, transform=pm.distributions.transforms.ordered,
                          shape=4, testval=np.arange(4) - 1.5)
    bA = pm.Normal('bA', 0, 10)
    bI = pm.Normal('bI', 0, 10)
    phi = bA * action + bI * intention
    resp_obs = pm.OrderedLogistic('resp_obs', phi, cutpoints, observed=resp)
    map_11_2 = pm.find_MAP()
    trace = pm.sample(1000, tune=1000, chains=2)

daf = pm.summary(trace, varnames=['bA', 'bI', 'cutpoints'])
print(daf)
post = pm.sample_ppc(trace, 100, m_11_2)['resp_obs']
plt.hist([resp, post[0]], bins=np.arange(6) - .5)
plt.show()

from scipy import optimize


def nll(p):
    c = 1 / (1 + np.exp(-(p[2:][None, :] - (p[0] * action + p[1] * intention)[:, None])))
    c = np.hstack([np.zeros((n, 1)), c, np.ones((n, 1))])
    q = np.diff(c, axis=1)[np.arange(n), resp]
    return -np.log(np.maximum(q, 1e-300)).sum()


best = optimize.minimize(nll, [0, 0, -1.5, -.5, .5, 1.5]).x
# Wide priors: find_MAP is maximum likelihood; means are within 0.2 sd of it (6 parameters, bound 0.3)
assert abs(map_11_2['bA'] - best[0]) < 0.01 and np.abs(map_11_2['cutpoints'] - best[2:]).max() < 0.01
assert abs(trace['bA'].mean() - best[0]) < 0.3 * trace['bA'].std()
assert (np.abs(trace['cutpoints'].mean(axis=0) - best[2:]) < 0.3 * trace['cutpoints'].std(axis=0)).all()
assert post.shape == (100, n) and set(np.unique(post)) <= set(range(5))
