"""A straight line whose likelihood is code of one's own: an Op with and without a gradient."""
import numpy as np
import pymc3 as pm
import theano
import theano.tensor as tt


def my_model(theta, x):
    m, c = theta
    return m * x + c


def my_loglike(theta, x, data, sigma):
    model = my_model(theta, x)
    return -(0.5 / sigma ** 2) * np.sum((data - model) ** 2)


class LogLike(tt.Op):
    itypes = [tt.dvector]
    otypes = [tt.dscalar]

    def __init__(self, loglike, data, x, sigma):
        self.likelihood = loglike
        self.data = data
        self.x = x
        self.sigma = sigma

    def perform(self, node, inputs, outputs):
        (theta,) = inputs
        logl = self.likelihood(theta, self.x, self.data, self.sigma)
        outputs[0][0] = np.array(logl)


class LogLikeWithGrad(LogLike):
    def __init__(self, loglike, data, x, sigma):
        super().__init__(loglike, data, x, sigma)
        self.logpgrad = LogLikeGrad(self.data, self.x, self.sigma)

    def grad(self, inputs, g):
        (theta,) = inputs
        return [g[0] * self.logpgrad(theta)]


class LogLikeGrad(tt.Op):
    itypes = [tt.dvector]
    otypes = [tt.dvector]

    def __init__(self, data, x, sigma):
        self.data = data
        self.x = x
        self.sigma = sigma

    def perform(self, node, inputs, outputs):
        (theta,) = inputs
        rest = (self.data - my_model(theta, self.x)) / self.sigma ** 2
        outputs[0][0] = np.array([np.sum(rest * self.x), np.sum(rest)])


N = 10
sigma = 1.0
x = np.linspace(0.0, 9.0, N)
mtrue = 0.4
ctrue = 3.0
np.random.seed(716742)
data = sigma * np.random.randn(N) + my_model([mtrue, ctrue], x)

means = []
for operation in (LogLike, LogLikeWithGrad):
    logl = operation(my_loglike, data, x, sigma)
    with pm.Model() as opmodel:
        m = pm.Uniform("m", lower=-10.0, upper=10.0)
        c = pm.Uniform("c", lower=-10.0, upper=10.0)
        theta = tt.as_tensor_variable([m, c])
        pm.DensityDist("likelihood", lambda v: logl(v), observed={"v": theta})
        trace = pm.sample(1500, tune=700, discard_tuned_samples=True, random_seed=4, chains=2)
    means.append([trace["m"].mean(), trace["c"].mean()])

design = np.stack([x, np.ones(N)], 1)
exact = np.linalg.lstsq(design, data, rcond=None)[0]  # flat priors
error = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
assert np.all(np.abs(means - exact) < 0.35 * error), (means, exact)

var = tt.dvector()
test_grad_op = LogLikeGrad(data, x, sigma)
test_grad_op_func = theano.function([var], test_grad_op(var))
theta_var = tt.dvector()
with_gradient = LogLikeWithGrad(my_loglike, data, x, sigma)
gradient = theano.function([theta_var], theano.grad(with_gradient(theta_var), theta_var))
assert np.allclose(gradient([mtrue, ctrue]), test_grad_op_func([mtrue, ctrue]))
