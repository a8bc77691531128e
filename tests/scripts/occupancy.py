# Ecology with discrete latents: site occupancy, and capture-recapture by data augmentation.
import numpy as np
import pymc3 as pm
from pymc3 import Model, Beta, Bernoulli, Binomial, Uniform, Deterministic, Metropolis, BinaryMetropolis
import matplotlib.pyplot as plt

np.random.seed(14)
# Occupancy: R sites visited T times
R, T = 100, 4
z_true = np.random.binomial(1, 0.6, R)
y = np.random.binomial(1, 0.4, (R, T)) * z_true[:, None]

with pm.Model() as occupancy:
    psi = pm.Uniform('psi', 0, 1)
    p = pm.Uniform('p', 0, 1)
    z = pm.Bernoulli('z', psi, shape=R, testval=(y.sum(axis=1) > 0).astype(int))
    occupied = pm.Deterministic('occupied', z.sum())
    counts = pm.Binomial('counts', n=T, p=z * p, shape=R, observed=y.sum(axis=1))
    occ_trace = pm.sample(3000, tune=1000, cores=2)

# Capture-recapture, model M0: M - n all-zero histories are added
N, J = 60, 5
histories = np.random.binomial(1, 0.3, (N, J))
caught = histories[histories.sum(axis=1) > 0]
n = len(caught)
M = 150
augmented = np.concatenate([caught.sum(axis=1), np.zeros(M - n, dtype=int)])

with Model() as M0:
    omega = Uniform('omega', 0, 1)
    p = Uniform('p', 0, 1)
    z = Bernoulli('z', omega, shape=M, testval=(augmented > 0).astype(int))
    Binomial('y', J, z * p, observed=augmented)
    N_ = Deterministic('N', z.sum())
    m0_trace = pm.sample(3000, tune=1000, njobs=2)

pm.traceplot(m0_trace, varnames=['omega', 'p', 'N'])
plt.show()

# Summed out on a grid. Several hundred effective draws or more: 0.25 posterior sd is over 4 errors.
g = np.linspace(0.0025, 0.9975, 400)
ps, pp = g[:, None], g[None, :]


def exact(sums, visits):
    lp = 0
    for k, m in zip(*np.unique(sums, return_counts=True)):
        seen = ps * pp ** k * (1 - pp) ** (visits - k)
        lp = lp + m * np.log(seen + (1 - ps) * (k == 0))
    w = np.exp(lp - lp.max())
    w /= w.sum()
    unseen = np.sum(sums == 0)
    z0 = ps * (1 - pp) ** visits / (ps * (1 - pp) ** visits + 1 - ps)
    return (w * ps).sum(), (w * pp).sum(), (w * (np.sum(sums > 0) + unseen * z0)).sum()


for name, draws, value in zip(('psi', 'p', 'occupied'), [occ_trace[v] for v in ('psi', 'p', 'occupied')], exact(y.sum(axis=1), T)):
    assert abs(draws.mean() - value) < 0.25 * draws.std(), (name, draws.mean(), value)
for name, draws, value in zip(('omega', 'p', 'N'), [m0_trace[v] for v in ('omega', 'p', 'N')], exact(augmented, J)):
    assert abs(draws.mean() - value) < 0.3 * draws.std(), (name, draws.mean(), value)
assert occ_trace['z'][:, y.sum(axis=1) > 0].min() == 1
