# An SIR epidemic by Euler steps in theano.scan, and the logistic map.
import numpy as np
import pymc3 as pm
import theano
import theano.tensor as tt

np.random.seed(4)
days = 40
beta_true, gamma_true = 0.45, 0.15


def simulate(beta, gamma):
    s, i = 0.99, 0.01
    out = []
    for _ in range(days):
        new, rec = beta * s * i, gamma * i
        s, i = s - new, i + new - rec
        out.append(i)
    return np.array(out)


cases = np.random.poisson(1000 * simulate(beta_true, gamma_true))


def next_day(s, i, beta, gamma):
    infected = beta * s * i
    recovered = gamma * i
    return s - infected, i + infected - recovered


with pm.Model() as sir:
    beta = pm.Lognormal('beta', mu=tt.log(0.4), sigma=0.5)
    gamma = pm.Bound(pm.Normal, lower=0.0)('gamma', 0.2, 0.2)
    i0 = 0.01
    (S, I), _ = theano.scan(fn=next_day,
                            outputs_info=[tt.as_tensor_variable(np.float64(1 - i0)), tt.as_tensor_variable(np.float64(i0))],
                            non_sequences=[beta, gamma], n_steps=days)
    R0 = pm.Deterministic('R0', beta / gamma)
    pm.Poisson('cases', 1000 * I, observed=cases)
    trace = pm.sample(1000, tune=1000, target_accept=0.9, cores=2)

print(pm.summary(trace, var_names=['beta', 'gamma', 'R0']))

# the posterior on a grid
bs, gs = np.linspace(0.40, 0.50, 81), np.linspace(0.11, 0.19, 81)
lp = np.array([[(cases * np.log(1000 * simulate(b, g)) - 1000 * simulate(b, g)).sum()
                - np.log(b) - 0.5 * ((np.log(b) - np.log(0.4)) / 0.5) ** 2 - 0.5 * ((g - 0.2) / 0.2) ** 2
                for g in gs] for b in bs])
w = np.exp(lp - lp.max())
w /= w.sum()
eb, eg = (w.sum(1) * bs).sum(), (w.sum(0) * gs).sum()
# some 500 effective draws or more: 0.2 sd is over 4 standard errors
assert abs(trace['beta'].mean() - eb) < 0.2 * trace['beta'].std(), (trace['beta'].mean(), eb)
assert abs(trace['gamma'].mean() - eg) < 0.2 * trace['gamma'].std(), (trace['gamma'].mean(), eg)
