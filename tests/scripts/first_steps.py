# "from pymc3 import *": the getting-started model of 2015, point by point.
from pymc3 import *
import numpy as np
import matplotlib.pyplot as plt
from scipy import optimize
import theano.tensor as T

np.random.seed(123)
alpha, sigma = 1, 1
beta = [1, 2.5]
size = 100
X1 = np.random.randn(size)
X2 = np.random.randn(size) * 0.2
Y = alpha + beta[0] * X1 + beta[1] * X2 + np.random.randn(size) * sigma

basic_model = Model()
with basic_model:
    # Priors for unknown model parameters
    alpha = Normal('alpha', mu=0, sd=10)
    beta = Normal('beta', mu=0, sd=10, shape=2)
    sigma = HalfNormal('sigma', sd=1)
    # Expected value of outcome
    mu = alpha + beta[0] * X1 + beta[1] * X2
    # Likelihood (sampling distribution) of observations
    Y_obs = Normal('Y_obs', mu=mu, sd=sigma, observed=Y)

map_estimate = find_MAP(model=basic_model)
print(map_estimate)
map_powell = find_MAP(model=basic_model, fmin=optimize.fmin_powell)
print(basic_model.test_point, basic_model.logp(basic_model.test_point))
print(basic_model.vars, basic_model.observed_RVs)

with basic_model:
    # draw 500 posterior samples
    trace = sample(500, start=find_MAP(), step=Slice(vars=[sigma]), progressbar=False)

print(trace['alpha'][-5:])
traceplot(trace)
print(summary(trace))

n = 0
with basic_model:
    for point in trace.points():
        n += 1
assert n == len(trace) * trace.nchains
X = np.column_stack([np.ones(size), X1, X2])
ols = np.linalg.lstsq(X, Y, rcond=None)[0]
resid = Y - X @ ols
# Wide priors: least squares. Powell stops a little earlier than L-BFGS.
assert abs(map_estimate['alpha'] - ols[0]) < 0.01 and np.abs(map_estimate['beta'] - ols[1:]).max() < 0.05
assert abs(map_powell['alpha'] - ols[0]) < 0.02
assert abs(trace['alpha'].mean() - ols[0]) < 0.25 * trace['alpha'].std()
assert (np.abs(trace['beta'].mean(axis=0) - ols[1:]) < 0.3 * trace['beta'].std(axis=0)).all()
# logp at the test point by hand: Normal(0, 10) at 0, HalfNormal(1) at its mean with log Jacobian, the data
from scipy import stats

point = basic_model.test_point
s = np.exp(point['sigma_log__'])
by_hand = (3 * stats.norm.logpdf(0, 0, 10) + stats.halfnorm.logpdf(s) + np.log(s) + stats.norm.logpdf(Y, 0, s).sum())
assert abs(basic_model.logp(point) - by_hand) < 1e-8, (basic_model.logp(point), by_hand)
