"""The same with PyTensor: make_node, several outputs, and CustomDist around the Op."""
import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.graph import Apply, Op
from scipy.optimize import approx_fprime


def my_model(m, c, x):
    return m * x + c


def my_loglike(m, c, sigma, x, data):
    for param in (m, c, sigma, x, data):
        if not isinstance(param, (float, np.ndarray)):
            raise TypeError(f"Invalid input type to loglike: {type(param)}")
    model = my_model(m, c, x)
    return -0.5 * ((data - model) / sigma) ** 2 - np.log(np.sqrt(2 * np.pi)) - np.log(sigma)


class LogLike(Op):
    def make_node(self, m, c, sigma, x, data) -> Apply:
        m = pt.as_tensor(m)
        c = pt.as_tensor(c)
        sigma = pt.as_tensor(sigma)
        x = pt.as_tensor(x)
        data = pt.as_tensor(data)
        inputs = [m, c, sigma, x, data]
        outputs = [data.type()]
        return Apply(self, inputs, outputs)

    def perform(self, node: Apply, inputs: list[np.ndarray], outputs: list[list[None]]) -> None:
        m, c, sigma, x, data = inputs
        outputs[0][0] = np.asarray(my_loglike(m, c, sigma, x, data))


def finite_differences_loglike(m, c, sigma, x, data, eps=1e-7):
    def inner_func(mc, sigma, x, data):
        return my_loglike(*mc, sigma, x, data)

    grad_wrt_mc = approx_fprime([m, c], inner_func, [eps, eps], sigma, x, data)
    return grad_wrt_mc[:, 0], grad_wrt_mc[:, 1]


class LogLikeWithGrad(LogLike):
    def grad(self, inputs, g):
        m, c, sigma, x, data = inputs
        if m.type.ndim != 0 or c.type.ndim != 0:
            raise NotImplementedError("Gradient only implemented for scalar m and c")
        grad_wrt_m, grad_wrt_c = loglikegrad_op(m, c, sigma, x, data)
        out_grad = g[0]
        return [
            pt.sum(out_grad * grad_wrt_m),
            pt.sum(out_grad * grad_wrt_c),
            pytensor.gradient.grad_not_implemented(self, 2, sigma),
            pytensor.gradient.grad_not_implemented(self, 3, x),
            pytensor.gradient.grad_not_implemented(self, 4, data),
        ]


class LogLikeGrad(Op):
    def make_node(self, m, c, sigma, x, data) -> Apply:
        m = pt.as_tensor(m)
        c = pt.as_tensor(c)
        sigma = pt.as_tensor(sigma)
        x = pt.as_tensor(x)
        data = pt.as_tensor(data)
        return Apply(self, [m, c, sigma, x, data], [data.type(), data.type()])

    def perform(self, node: Apply, inputs, outputs) -> None:
        m, c, sigma, x, data = inputs
        grad_wrt_m, grad_wrt_c = finite_differences_loglike(m, c, sigma, x, data)
        outputs[0][0] = grad_wrt_m
        outputs[1][0] = grad_wrt_c


N = 10
sigma = 1.0
x = np.linspace(0.0, 9.0, N)
mtrue = 0.4
ctrue = 3.0
rng = np.random.default_rng(716743)
data = sigma * rng.normal(size=N) + my_model(mtrue, ctrue, x)

loglike_op = LogLike()
test_out = loglike_op(mtrue, ctrue, sigma, x, data)
np.testing.assert_allclose(test_out.eval(), my_loglike(np.array(mtrue), ctrue, sigma, x, data))

loglikewithgrad_op = LogLikeWithGrad()
loglikegrad_op = LogLikeGrad()
m = pt.scalar("m")
c = pt.scalar("c")
out = loglikewithgrad_op(m, c, sigma, x, data)
np.testing.assert_allclose(out.eval({m: mtrue, c: ctrue}), test_out.eval())
slope = pytensor.grad(out.sum(), wrt=[m])[0].eval({m: mtrue, c: ctrue})
np.testing.assert_allclose(slope, np.sum(x * (data - mtrue * x - ctrue)), rtol=1e-5)

design = np.stack([x, np.ones(N)], 1)
exact = np.linalg.lstsq(design, data, rcond=None)[0]
error = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
for op in (loglike_op, loglikewithgrad_op):

    def custom_dist_loglike(data, m, c, sigma, x):
        return op(m, c, sigma, x, data)

    with pm.Model() as model:
        m = pm.Uniform("m", lower=-10.0, upper=10.0, initval=mtrue)
        c = pm.Uniform("c", lower=-10.0, upper=10.0, initval=ctrue)
        likelihood = pm.CustomDist(
            "likelihood", m, c, sigma, x, observed=data, logp=custom_dist_loglike
        )
        idata = pm.sample(1000, tune=500, chains=2, random_seed=4)
    assert model.compile_logp(vars=[likelihood], sum=False)(model.initial_point())[0].shape == (N,)
    means = [idata.posterior[name].values.mean() for name in ("m", "c")]
    assert np.all(np.abs(means - exact) < 0.35 * error), (means, exact)
