# Rat tumours after BDA: a density for (a, b) by a Potential, find_MAP, samplers mixed by hand.
import numpy as np
np.random.seed(2017)
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt

# rat data (BDA3, p. 102)
y = np.array([
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 5, 2, 5, 3,
    2, 7, 7, 3, 3, 2, 9, 10, 4, 4, 4, 4, 4, 4, 4, 10, 4, 4, 4, 5, 11, 12, 5, 5, 6, 5, 6, 6, 6, 6, 16, 15, 15, 9, 4])
n = np.array([
    20, 20, 20, 20, 20, 20, 20, 19, 19, 19, 19, 18, 18, 17, 20, 20, 20, 20, 19, 19, 18, 18, 25, 24, 23, 20, 20, 20,
    20, 20, 20, 10, 49, 19, 46, 27, 17, 49, 47, 20, 20, 13, 48, 50, 20, 20, 20, 20, 20, 20, 20, 48, 19, 19, 19, 22,
    46, 49, 20, 20, 23, 19, 22, 20, 20, 20, 52, 46, 47, 24, 14])
N = len(n)


def logp_ab(value):
    ''' prior density'''
    return tt.log(tt.pow(tt.sum(value), -5 / 2))


with pm.Model() as model:
    # Uninformative prior for alpha and beta
    ab = pm.HalfFlat('ab', shape=2, testval=np.asarray([1., 1.]))
    pm.Potential('p(a, b)', logp_ab(ab))
    X = pm.Deterministic('X', tt.log(ab[0] / ab[1]))
    Z = pm.Deterministic('Z', tt.log(tt.sum(ab)))
    theta = pm.Beta('theta', alpha=ab[0], beta=ab[1], shape=N)
    p = pm.Binomial('y', p=theta, observed=y, n=n)
    trace = pm.sample(1000, tune=2000, target_accept=0.95, cores=2)

pm.traceplot(trace, var_names=['ab', 'X', 'Z'])
pm.pairplot(trace, varnames=['X', 'Z'])
plt.show()

from scipy.special import betaln, logsumexp

la, lb = np.linspace(-1, 3, 201)[:, None], np.linspace(0.5, 5, 201)[None, :]
a, b = np.exp(la), np.exp(lb)
lp = -2.5 * np.log(a + b) + la + lb + sum(betaln(a + k, b + m - k) - betaln(a, b) for k, m in zip(y, n))
w = np.exp(lp - logsumexp(lp))
exact_x = (w * (la - lb)).sum()
theta_last = (w * (a + 4) / (a + b + 14)).sum()
# 200 effective draws or more: 0.3 sd is 4 standard errors
assert abs(trace['X'].mean() - exact_x) < 0.3 * trace['X'].std(), (trace['X'].mean(), exact_x)
assert abs(trace['theta'][:, -1].mean() - theta_last) < 0.01
