# An autoregression with theano.scan, and the same with pm.AR1 / pm.AR.
import numpy as np
import pymc3 as pm
import theano
import theano.tensor as tt
import matplotlib.pyplot as plt

np.random.seed(29)
T = 150
y = np.zeros(T)
for i in range(1, T):
    y[i] = 0.5 + 0.7 * y[i - 1] + np.random.normal(scale=0.3)

with pm.Model() as scan_model:
    phi = pm.Normal('phi', 0, sd=1)
    c = pm.Normal('c', 0, sd=1)
    sigma = pm.HalfNormal('sigma', sd=1)

    def one_step(y_tm1, c, phi):
        return c + phi * y_tm1

    mu, updates = theano.scan(fn=one_step, sequences=[tt.as_tensor_variable(y[:-1])], non_sequences=[c, phi])
    pm.Normal('obs', mu=mu, sd=sigma, observed=y[1:])
    trace = pm.sample(1000, tune=1000, cores=2)

# a latent state that decays towards its input, step after step
inputs = np.random.binomial(1, 0.3, T).astype('float64')
state = np.zeros(T)
s = 0.0
for i in range(T):
    s = 0.8 * s + inputs[i]
    state[i] = s
seen = np.random.normal(state, 0.2)

with pm.Model() as decay_model:
    rate = pm.Beta('rate', 2, 2)
    noise = pm.HalfNormal('noise', sd=1)
    level, _ = theano.scan(lambda u, prev, r: r * prev + u, sequences=theano.shared(inputs),
                           outputs_info=tt.zeros(()), non_sequences=rate)
    pm.Deterministic('level', level)
    pm.Normal('seen', level, sd=noise, observed=seen)
    decay_trace = pm.sample(1000, tune=1000, cores=2)

with pm.Model() as ar_model:
    beta = pm.Normal('beta', mu=0, sigma=1, shape=2)
    sig = pm.HalfNormal('sig', sd=1)
    pm.AR('y', beta, sigma=sig, constant=True, observed=y)
    ar_trace = pm.sample(1000, tune=1000, cores=2)

# compiled by hand
x = tt.dvector('x')
squares, _ = theano.scan(lambda v: v ** 2, sequences=x)
f = theano.function([x], squares.sum())
assert f(np.array([1., 2., 3.])) == 14

pm.traceplot(trace)
plt.show()
X = np.column_stack([np.ones(T - 1), y[:-1]])
ols = np.linalg.lstsq(X, y[1:], rcond=None)[0]
# Least squares but for mild priors; over 500 effective draws of correlated c and phi: 0.2 sd is 4 errors.
assert abs(trace['phi'].mean() - ols[1]) < 0.25 * trace['phi'].std()
assert abs(trace['c'].mean() - ols[0]) < 0.25 * trace['c'].std()
# pm.AR adds the first value's own density, worth little
assert abs(ar_trace['beta'][:, 1].mean() - ols[1]) < 0.5 * ar_trace['beta'][:, 1].std()
assert abs(decay_trace['rate'].mean() - 0.8) < 4 * decay_trace['rate'].std()
assert np.abs(decay_trace['level'].mean(axis=0) - state).max() < 0.3
