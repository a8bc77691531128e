"""PyMC3's idioms, a row each: honoured with the right number, or refused by name.

A row is a program; what it leaves in `got` must be close to what it leaves in `want`.
"""

from __future__ import annotations

import textwrap
import warnings

import numpy as np
import pytest
from scipy import stats

from finetti.dialects import notes

Y = np.random.default_rng(8).normal(1.0, 2.0, 30)
SAMPLE = "draws=20, tune=20, chains=2, cores=1, progressbar=False, random_seed=1, " \
    "compute_convergence_checks=False"  # fmt: skip
ONE = """
with pm.Model() as m:
    mu = pm.Normal("mu", 0, 10)
    sigma = pm.HalfNormal("sigma", 5)
    y = pm.Normal("y", mu, sigma, observed=Y)
"""
DRAWN = ONE + f"    trace = pm.sample({SAMPLE})\n"

HONOURED: dict[str, str] = {
    # -- keywords of distributions
    "sd of Normal": """
        with pm.Model() as m:
            pm.Normal("x", 1.0, sd=3.0)
        got, want = m.logp({"x": 2.0}), stats.norm(1, 3).logpdf(2.0)""",
    "sd by position": """
        with pm.Model() as m:
            pm.Normal("x", 1.0, 3.0)
        got, want = m.logp({"x": 2.0}), stats.norm(1, 3).logpdf(2.0)""",
    "sd of HalfNormal": """
        got = pm.HalfNormal.dist(sd=7.0).logp(2.0).eval()
        want = stats.halfnorm(0, 7).logpdf(2.0)""",
    "sd of StudentT": """
        got = pm.StudentT.dist(nu=4, sd=2.0).logp(1.5).eval()
        want = stats.t(4, 0, 2).logpdf(1.5)""",
    "lam before sigma in StudentT": """
        got, want = pm.StudentT.dist(4, 0, 0.25).logp(1.5).eval(), stats.t(4, 0, 2).logpdf(1.5)""",
    "sd of Gamma": """
        d = pm.Gamma.dist(mu=5.0, sd=3.0)
        got = d.logp(4.0).eval()
        want = stats.gamma(25 / 9, scale=9 / 5).logpdf(4.0)""",
    "sd of Beta": """
        k = 0.3 * 0.7 / 0.1**2 - 1
        got = pm.Beta.dist(mu=0.3, sd=0.1).logp(0.4).eval()
        want = stats.beta(0.3 * k, 0.7 * k).logpdf(0.4)""",
    "sd of InverseGamma": """
        a = 1.0 / 0.25 + 2.0
        got = pm.InverseGamma.dist(mu=2.0, sd=1.0).logp(1.5).eval()
        want = stats.invgamma(a, scale=2.0 * (a - 1)).logpdf(1.5)""",
    "Lognormal with sd": """
        got = pm.Lognormal.dist(mu=0.5, sd=2.0).logp(1.5).eval()
        want = stats.lognorm(2.0, scale=np.exp(0.5)).logpdf(1.5)""",
    "tau of Normal": """
        got, want = pm.Normal.dist(0, tau=0.25).logp(1.0).eval(), stats.norm(0, 2).logpdf(1.0)""",
    "sd of TruncatedNormal": """
        got = pm.TruncatedNormal.dist(mu=0, sd=2.0, lower=0).logp(1.0).eval()
        want = stats.truncnorm(0, np.inf, 0, 2).logpdf(1.0)""",
    "SkewNormal's order": """
        got = pm.SkewNormal.dist(0.5, 2.0, None, 3.0).logp(1.0).eval()
        want = stats.skewnorm(3.0, 0.5, 2.0).logpdf(1.0)""",
    "ExGaussian's order": """
        got = pm.ExGaussian.dist(0.5, 2.0, 3.0).logp(1.0).eval()
        want = stats.exponnorm(1.5, 0.5, 2.0).logpdf(1.0)""",
    "HalfStudentT's default": """
        got = pm.HalfStudentT.dist(sd=2.0).logp(1.0).eval()
        want = stats.halfcauchy(0, 2).logpdf(1.0)""",
    "AsymmetricLaplace's order": """
        got = pm.AsymmetricLaplace.dist(0.7, 1.3, 0.2).logp(1.0).eval()
        want = stats.laplace_asymmetric(1.3, 0.2, 1 / 0.7).logpdf(1.0)""",
    "theta of ZeroInflatedPoisson": """
        got = pm.ZeroInflatedPoisson.dist(psi=0.7, theta=2.0).logp(3).eval()
        want = np.log(0.7) + stats.poisson(2.0).logpmf(3)""",
    "sd of NormalMixture": """
        d = pm.NormalMixture.dist(w=[0.3, 0.7], mu=[0.0, 2.0], sd=1.0, comp_shape=(2,))
        got = d.logp(0.5).eval()
        want = np.log(0.3 * stats.norm.pdf(0.5) + 0.7 * stats.norm.pdf(-1.5))""",
    "Constant": """
        got, want = pm.Constant.dist(c=3).logp(3).eval(), 0.0""",
    "testval": """
        with pm.Model() as m:
            pm.Normal("x", 0, 1, testval=7.5)
        got, want = m.test_point["x"], 7.5""",
    "testval of a transformed variable": """
        with pm.Model() as m:
            pm.HalfNormal("x", sd=1, testval=2.0)
        got, want = m.test_point["x_log__"], np.log(2.0)""",
    "transform=None": """
        with pm.Model() as m:
            pm.HalfNormal("x", 1.0, transform=None)
        got, want = m.logp({"x": 2.0}), stats.halfnorm.logpdf(2.0)""",
    "transform in place of the automatic one": """
        with pm.Model() as m:
            pm.Uniform("x", 1, 3, transform=pm.distributions.transforms.interval(1, 3))
        got, want = m.logp({"x_interval__": 0.0}), -np.log(2) + np.log(2 / 4)""",
    "names of transforms": """
        with pm.Model() as m:
            pm.Pareto("a", 3.0, 1.0)
            pm.Dirichlet("p", np.ones(3))
            pm.Uniform("u", 0, 1)
        got = [v.name for v in m.vars] == ["a_lowerbound__", "p_stickbreaking__", "u_interval__"]
        want = True""",
    "shape from a pandas object": """
        with pm.Model() as m:
            x = pm.Normal("x", 0, 1, shape=pd.Series(Y).shape)
        got, want = x.dshape, (30,)""",
    "dtype of a distribution": """
        got = pm.Poisson.dist(2.0, dtype="int64").logp(1).eval()
        want = stats.poisson(2).logpmf(1)""",
    # -- distributions that have changed
    "LKJCholeskyCov packed": """
        with pm.Model() as m:
            packed = pm.LKJCholeskyCov("c", eta=2, n=3, sd_dist=pm.Exponential.dist(1.0))
            chol = pm.expand_packed_triangular(3, packed)
        got, want = (packed.dshape, chol.shape), ((6,), (3, 3))""",
    "LKJCholeskyCov with correlations": """
        with pm.Model() as m:
            chol, corr, stds = pm.LKJCholeskyCov("c", eta=2, n=3, compute_corr=True,
                                                 sd_dist=pm.Exponential.dist(1.0))
        got, want = (chol.shape, corr.shape, stds.shape), ((3, 3), (3, 3), (3,))""",
    "expand_packed_triangular, upper": """
        u = pm.math.expand_packed_triangular(2, np.array([1.0, 2.0, 3.0]), lower=False).eval()
        got, want = u, [[1, 2], [0, 3]]""",
    "expand_packed_triangular, diagonal": """
        x = np.arange(1.0, 7.0)
        both = [pm.expand_packed_triangular(3, x, lower, True).eval() for lower in (True, False)]
        got, want = both, [[1, 3, 6], [1, 4, 6]]""",
    "LKJCorr, a vector": """
        with pm.Model() as m:
            r = pm.LKJCorr("r", eta=3.0, n=2)
        # for two variables (1 + r) / 2 is Beta(eta, eta)
        got = m.term("r", True)({"r_interval__": [0.4]})
        x = np.tanh(0.2)
        want = stats.beta(3, 3, -1, 2).logpdf(x) + np.log((1 - x**2) / 2)""",
    "GaussianRandomWalk with sd": """
        with pm.Model() as m:
            pm.GaussianRandomWalk("w", sd=0.5, shape=5)
        x = np.array([3.0, 2.5, 2.0, 3.0, 4.0])
        got, want = m.logp({"w": x}), stats.norm(0, 0.5).logpdf(np.diff(x)).sum()""",
    "GaussianRandomWalk's first axis": """
        with pm.Model() as m:
            pm.GaussianRandomWalk("w", mu=0.1, sd=0.5, init=pm.Normal.dist(0, 2), shape=(4, 2))
        x = np.arange(8.0).reshape(4, 2) ** 0.5
        got = m.logp({"w": x})
        want = (stats.norm(0.1, 0.5).logpdf(np.diff(x, axis=0)).sum()
                + stats.norm(0, 2).logpdf(x[0]).sum())""",
    "GaussianRandomWalk with a scale for each moment": """
        s = np.array([9.0, 0.5, 1.0, 2.0])
        with pm.Model() as m:
            pm.GaussianRandomWalk("w", sd=s, shape=4)
        x = np.array([3.0, 2.5, 2.0, 3.0])
        got, want = m.logp({"w": x}), stats.norm(0, s[1:]).logpdf(np.diff(x)).sum()""",
    "GaussianRandomWalk from the prior begins at 0": """
        with pm.Model() as m:
            pm.GaussianRandomWalk("w", sd=0.5, shape=5)
            prior = pm.sample_prior_predictive(10, random_seed=1)["w"]
        got, want = (prior.shape, prior[:, 0]), ((10, 5), np.zeros(10))""",
    "AR1": """
        with pm.Model() as m:
            pm.AR1("x", k=0.6, tau_e=4.0, shape=4)
        x = np.array([0.5, 0.2, -0.3, 0.1])
        got = m.logp({"x": x})
        want = (stats.norm(0, (4 * (1 - 0.36)) ** -0.5).logpdf(x[0])
                + stats.norm(0.6 * x[:-1], 0.5).logpdf(x[1:]).sum())""",
    "AR without a distribution of its beginning": """
        with pm.Model() as m:
            pm.AR("x", [0.5, 0.2], sd=2.0, shape=5)
        x = np.array([0.5, 0.2, -0.3, 0.1, 1.0])
        got = m.logp({"x": x})
        want = stats.norm(0.5 * x[1:-1] + 0.2 * x[:-2], 2.0).logpdf(x[2:]).sum()""",
    "Bound": """
        Positive = pm.Bound(pm.Normal, lower=0.0)
        with pm.Model() as m:
            Positive("x", mu=1.0, sd=2.0)
        got = m.logp({"x_lowerbound__": np.log(0.5)})
        want = stats.norm(1, 2).logpdf(0.5) + np.log(0.5)""",
    "Bound with two bounds": """
        with pm.Model() as m:
            pm.Bound(pm.Normal, 0.0, 4.0)("x", 1.0, 2.0, shape=2)
        got = m.logp({"x_interval__": np.zeros(2)})
        want = 2 * stats.norm(1, 2).logpdf(2.0)""",
    "Bound drawn": """
        d = pm.Bound(pm.Normal, lower=0.0).dist(0.0, 1.0)
        x = d.random(size=4000)
        # 4 standard errors of the mean of a half normal: one false alarm in 16 000 seeds
        got, want = (x.min() > 0, abs(x.mean() - 0.798) < 4 * 0.6 / 4000**0.5), (True, True)""",
    "DensityDist with a lambda": """
        with pm.Model() as m:
            mu = pm.Normal("mu", 0, 10)
            pm.DensityDist("y", lambda x: pm.Normal.dist(mu, 2.0).logp(x), observed=Y)
        got = m.logp({"mu": 0.3})
        want = stats.norm(0, 10).logpdf(0.3) + stats.norm(0.3, 2).logpdf(Y).sum()""",
    "DensityDist with a dict": """
        with pm.Model() as m:
            rate = pm.Exponential("rate", 1.0)
            def logp(failure, value):
                return (failure * pm.math.log(rate) - rate * value).sum()
            pm.DensityDist("s", logp, observed={"failure": np.array([1, 0]), "value": [2.0, 3.0]})
        got = m.logp({"rate_log__": 0.2})
        r = np.exp(0.2)
        want = np.log(r) - 5 * r - r + 0.2""",
    "DensityDist as a prior": """
        with pm.Model() as m:
            pm.DensityDist("x", lambda x: -abs(x), shape=2, testval=[1.0, -2.0])
        got, want = (m.logp(m.test_point), m.test_point["x"]), (-3.0, [1.0, -2.0])""",
    "predictions of data with gaps": """
        data = np.ma.masked_values([1.0, -999.0, 3.0], -999.0)
        with pm.Model() as m:
            mu = pm.Normal("mu")
            pm.Normal("y", mu, 1e-9, observed=data)
            drawn = pm.sample_ppc([{"mu": 2.0, "y_missing": [2.0]}] * 5)
        got, want = drawn["y"], np.full((5, 3), 2.0)""",
    "predictions for other predictors": """
        with pm.Model() as m:
            x = pm.Data("x", np.arange(30.0))
            pm.Normal("y", pm.Normal("b") * x, 1e-9, observed=Y)
            pm.set_data({"x": [5.0, 7.0]})
            drawn = pm.sample_posterior_predictive([{"b": 2.0}] * 3)["y"]
        got, want = drawn, np.tile([10.0, 14.0], (3, 1))""",
    "predictions for other predictors, theano.shared": """
        import theano
        x = theano.shared(np.arange(30.0))
        with pm.Model() as m:
            pm.Normal("y", pm.Normal("b") * x, 1e-9, observed=theano.shared(Y))
            x.set_value(np.array([5.0, 7.0]))
            drawn = pm.sample_ppc([{"b": 2.0}] * 3)["y"]
        got, want = drawn, np.tile([10.0, 14.0], (3, 1))""",
    "from_pymc3 brings the log likelihood": DRAWN + """
    import arviz as az
    data = az.from_pymc3(trace, model=m)
    got = data.log_likelihood["y"].values[1, 2]
    point = trace.point(2, chain=1)
    want = stats.norm(point["mu"], point["sigma"]).logpdf(Y)
    """,
    "the trace itself has it for ArviZ": DRAWN + """
    point = trace.point(2, chain=1)
    got = trace.log_likelihood["y"].values[1, 2]
    want = stats.norm(point["mu"], point["sigma"]).logpdf(Y)
    """,
    "autocorr, autocov, quantiles, mc_error": """
        x = np.sin(np.arange(50.0))
        c = x - x.mean()
        got = [pm.autocov(x)[0], pm.autocov(x, 2), pm.autocorr(x, 1), pm.quantiles(x)[25],
               pm.mc_error(x, 1), pm.mc_error(x, 5)]
        want = [x.var(), c[:-2] @ c[2:] / 48, c[:-1] @ c[1:] / 49 / x.var(), np.percentile(x, 25),
                x.std() / 50**0.5, x.reshape(5, 10).mean(1).std() / 5**0.5]""",
    "trace_cov": DRAWN + """
    with m:
        got = pm.trace_cov(trace)
    want = np.cov(trace["mu"], np.log(trace["sigma"]))
    """,
    "return_inferencedata brings the log likelihood": ONE + f"""
    data = pm.sample({SAMPLE}, model=m, return_inferencedata=True)
    got = data.log_likelihood["y"].values[0, 1]
    first = data.posterior.isel(chain=0, draw=1)
    want = stats.norm(float(first["mu"]), float(first["sigma"])).logpdf(Y)
    """,
    "DensityDist of whole numbers": """
        with pm.Model() as m:
            x = pm.DensityDist("x", lambda x: -2.0 * x, dtype="int64", testval=3)
        got, want = [x.dtype.kind == "i", m.logp({"x": 3})], [True, -6.0]""",
    "dtype of DensityDist of PyMC 4": """
        with pm.Model() as m:
            x = pm.DensityDist("x", 2.0, logp=lambda x, mu: -mu * x, dtype="int64")
        got, want = x.dtype.kind == "i", True""",
    "DensityDist with random": """
        with pm.Model() as m:
            mu = pm.Normal("mu", 50, 0.1)
            d = pm.Normal.dist(mu, 0.1)
            pm.DensityDist("y", d.logp, observed=Y, random=d.random)
            drawn = pm.sample_prior_predictive(5, random_seed=1)
        got = np.abs(drawn["y"] - drawn["mu"][:, None]).max() < 1, drawn["y"].shape
        want = True, (5, 30)""",
    "DensityDist of PyMC 4": """
        with pm.Model() as m:
            mu = pm.Normal("mu", 0, 10)
            pm.DensityDist("y", mu, logp=lambda x, mu: -((x - mu) ** 2), observed=Y)
        got = m.logp({"mu": 0.3})
        want = stats.norm(0, 10).logpdf(0.3) - ((Y - 0.3) ** 2).sum()""",
    "Potential": """
        with pm.Model() as m:
            x = pm.Flat("x")
            pm.Potential("p", pm.Normal.dist(0, 2).logp(x))
        got, want = m.logp({"x": 1.0}), stats.norm(0, 2).logpdf(1.0)""",
    "Mixture of dist": """
        d = pm.Mixture.dist(w=[0.2, 0.8], comp_dists=[pm.Poisson.dist(1.0), pm.Poisson.dist(5.0)])
        got = d.logp(3).eval()
        want = np.log(0.2 * stats.poisson(1).pmf(3) + 0.8 * stats.poisson(5).pmf(3))""",
    "dist_math.bound": """
        from pymc3.distributions.dist_math import bound
        got = [bound(-1.0, x > 0).eval() for x in (np.array(1.0), np.array(-1.0))]
        want = [-1.0, -np.inf]""",
    # -- data
    "pm.Data and set_data": """
        with pm.Model() as m:
            x = pm.Data("x", pd.Series([1.0, 2.0]))
            pm.Normal("y", x.sum(), 1.0, observed=0.0)
            before = m.logp({})
            pm.set_data({"x": [5.0, 6.0]})
            after = m.logp({})
        got, want = (before, after), (stats.norm(3).logpdf(0), stats.norm(11).logpdf(0))""",
    "MutableData and ConstantData": """
        with pm.Model() as m:
            a, b = pm.MutableData("a", [1.0]), pm.ConstantData("b", [2.0])
        got, want = (a + b).eval(), [3.0]""",
    # -- variables and distributions as objects
    "rv.random": """
        with pm.Model():
            x = pm.Gamma("g", mu=25, sd=7).random(size=10**5)
        # 5 standard errors of mean and sd: one false alarm in a million seeds
        got = x.shape == (10**5,) and abs(x.mean() - 25) < 0.11 and abs(x.std() - 7) < 0.11
        want = True""",
    "rv.random at a point": """
        with pm.Model():
            mu = pm.Normal("mu", 0, 1)
            x = pm.Normal("x", mu, 1e-9)
        got, want = x.random(point={"mu": 33.0}, size=2), [33.0, 33.0]""",
    "dist.random": """
        got, want = pm.Normal.dist(5, 1e-12).random(size=(2, 3)), np.full((2, 3), 5.0)""",
    "random follows np.random.seed": """
        def drawn():
            np.random.seed(3)
            return pm.Normal.dist(0, 1).random(size=4)
        got, want = drawn(), drawn()""",
    "dist.logp of a tensor": """
        with pm.Model() as m:
            x = pm.Normal("x", 0, 1)
        f = m.fn(pm.Normal.dist(0, 2).logp(x))
        got, want = f({"x": 1.0}), stats.norm(0, 2).logpdf(1.0)""",
    "dist.logcdf": """
        got, want = pm.Normal.dist(0, 2).logcdf(1.0).eval(), stats.norm(0, 2).logcdf(1.0)""",
    "parameters of a dist": """
        d = pm.Normal.dist(1.0, sd=2.0)
        got, want = (d.mu.eval(), d.sd.eval(), d.mean.eval()), (1.0, 2.0, 1.0)""",
    "rv.distribution": """
        with pm.Model() as m:
            x = pm.Normal("x", 0, 3)
        got, want = x.distribution.logp(1.0).eval(), stats.norm(0, 3).logpdf(1.0)""",
    "rv.tag.test_value": """
        with pm.Model() as m:
            x = pm.Normal("x", 0, 3, testval=[1.0, 2.0], shape=2)
            z = pm.Deterministic("z", 2 * x)
        got, want = (x.tag.test_value, z.tag.test_value), ([1.0, 2.0], [2.0, 4.0])""",
    "rv.logp": ONE + """
        got = mu.logp({"mu": 1.0, "sigma_log__": 0.0})
        want = stats.norm(0, 10).logpdf(1.0)""",
    "rv.logp of observed": ONE + """
        got = y.logp({"mu": 1.0, "sigma_log__": 0.0})
        want = stats.norm(1, 1).logpdf(Y).sum()""",
    "rv.logp_elemwise": ONE + """
        got = y.logp_elemwise({"mu": 1.0, "sigma_log__": 0.0})
        want = stats.norm(1, 1).logpdf(Y)""",
    # -- models as objects
    "model.test_point": ONE + """
        got, want = sorted(m.test_point), ["mu", "sigma_log__"]
        got, want = got == want, True""",
    "model.logp": ONE + """
        got = m.logp({"mu": 1.0, "sigma_log__": 0.5})
        s = np.exp(0.5)
        want = (stats.norm(0, 10).logpdf(1) + stats.halfnorm(0, 5).logpdf(s) + 0.5
                + stats.norm(1, s).logpdf(Y).sum())""",
    "model.logp of a point with more in it": ONE + """
        got = m.logp({"mu": 1.0, "sigma_log__": 0.5, "sigma": np.exp(0.5)})
        want = m.fastlogp({"mu": 1.0, "sigma": np.exp(0.5)})""",
    "model.dlogp": ONE + """
        p, h = {"mu": 1.0, "sigma_log__": 0.5}, 1e-5
        got = m.dlogp()(p)[0]
        want = (m.logp({**p, "mu": 1 + h}) - m.logp({**p, "mu": 1 - h})) / (2 * h)""",
    "model.logpt": ONE + """
        got = m.fn(m.logpt)(m.test_point)
        want = m.fn(m.varlogpt)(m.test_point) + m.fn(m.datalogpt)(m.test_point)""",
    "model.vars": ONE + """
        got = [v.name for v in m.vars] == ["mu", "sigma_log__"], m.ndim, len(m.disc_vars)
        want = True, 2, 0""",
    "model[name]": ONE + """
        got = m["mu"] is mu, m["sigma_log__"] is m.vars[1], m.sigma is sigma, m["y"] is y
        want = True, True, True, True""",
    "model.check_test_point": ONE + """
        found = m.check_test_point()
        got = [*found.index] == ["mu", "sigma_log__", "y"], found["mu"]
        want = True, -3.22""",
    "names in nested models": """
        with pm.Model(name="outer") as m:
            with pm.Model(name="inner"):
                x = pm.Normal("x", 0, 1)
        got, want = x.name == "outer_inner_x", True""",
    # -- sampling
    "defaults of sample": ONE + """
        with m:
            trace = pm.sample(random_seed=1, cores=2, progressbar=False,
                              compute_convergence_checks=False)
        got, want = (len(trace), trace.nchains, trace.report.n_tune), (1000, 2, 1000)""",
    "njobs": ONE + """
        with m:
            trace = pm.sample(20, tune=20, njobs=3, progressbar=False, random_seed=1)
        got, want = trace.nchains, 3""",
    "nchains": ONE + """
        with m:
            trace = pm.sample(20, tune=20, nchains=1, progressbar=False, random_seed=1)
        got, want = trace.nchains, 1""",
    "start": ONE + f"""
        with m:
            trace = pm.sample({SAMPLE}, start={{"mu": 1.0, "sigma": 2.0, "sigma_log__": 0.7}})
        got, want = trace["mu"].shape, (40,)""",
    "start of 3.0's spelling": ONE + f"""
        with m:
            trace = pm.sample({SAMPLE}, start={{"mu": 1.0, "sigma_log_": 0.7}})
        got, want = trace["mu"].shape, (40,)""",
    "nuts_kwargs": ONE + f"""
        with m:
            trace = pm.sample({SAMPLE}, nuts_kwargs={{"target_accept": 0.95}})
        got, want = trace["mu"].shape, (40,)""",
    "positional step": ONE + """
        with m:
            trace = pm.sample(20, None, tune=20, chains=1, progressbar=False, random_seed=1)
        got, want = trace["mu"].shape, (20,)""",
    "positional start of before 3.0": ONE + """
        with m:
            trace = pm.sample(20, None, {"mu": 1.0}, tune=20, chains=1, progressbar=False)
        got, want = trace["mu"].shape, (20,)""",
    "trace=[variables]": ONE + f"""
        with m:
            trace = pm.sample({SAMPLE}, trace=[mu])
        got, want = "sigma" in trace.varnames, False""",
    "chain_idx": ONE + f"""
        with m:
            trace = pm.sample({SAMPLE}, chain_idx=4)
        got, want = trace.chains, [4, 5]""",
    "tuning draws kept": ONE + f"""
        with m:
            trace = pm.sample({SAMPLE}, discard_tuned_samples=False)
        got, want = trace["mu"].shape, (80,)""",
    "model=": ONE + f"""
        got, want = pm.sample({SAMPLE}, model=m)["mu"].shape, (40,)""",
    "sample follows np.random.seed": ONE + """
        def drawn():
            np.random.seed(5)
            return pm.sample(5, tune=5, chains=1, progressbar=False, model=m)["mu"]
        got, want = drawn(), drawn()""",
    "return_inferencedata": ONE + f"""
        idata = pm.sample({SAMPLE}, model=m, return_inferencedata=True)
        got, want = idata.posterior["mu"].shape, (2, 20)""",
    # -- predictive sampling
    "sample_ppc": DRAWN + """
        got = pm.sample_ppc(trace, samples=7, model=m, progressbar=False)["y"].shape
        want = (7, 30)""",
    "sample_posterior_predictive": DRAWN + """
        got = pm.sample_posterior_predictive(trace, model=m, random_seed=1)["y"].shape
        want = (40, 30)""",
    "vars= and size=": DRAWN + """
        found = pm.sample_posterior_predictive(trace, 7, m, vars=[y, mu], size=3)
        got, want = (found["y"].shape, found["mu"].shape), ((7, 3, 30), (7, 3))""",
    "keep_size": DRAWN + """
        found = pm.sample_posterior_predictive(trace, model=m, var_names=["y"], keep_size=True)
        got, want = found["y"].shape, (2, 20, 30)""",
    "more samples than draws": DRAWN + """
        found = pm.sample_posterior_predictive(trace, 50, m, vars=[mu])
        got, want = found["mu"], np.concatenate([trace["mu"], trace["mu"][:10]])""",
    "predictive from points": ONE + """
        found = pm.sample_posterior_predictive([{"mu": 3.0, "sigma": 1e-9}], 5, m)
        got, want = found["y"], np.full((5, 30), 3.0)""",
    "fast_sample_posterior_predictive": DRAWN + """
        got = pm.fast_sample_posterior_predictive(trace, model=m)["y"].shape
        want = (40, 30)""",
    "sample_ppc_w": DRAWN + """
        found = pm.sample_ppc_w([trace, trace], 20, [m, m], weights=[0.25, 0.75])
        got, want = found["y"].shape, (20, 30)""",
    "sample_prior_predictive": ONE + """
        found = pm.sample_prior_predictive(samples=9, model=m, random_seed=2)
        got = sorted(found) == ["mu", "sigma", "sigma_log__", "y"], found["y"].shape
        want = True, (9, 30)""",
    # -- statistics
    "summary's columns": DRAWN + """
        table = pm.summary(trace, varnames=["mu"])
        got = [*table.columns], [*table.index]
        want = (["mean", "sd", "hdi_3%", "hdi_97%", "mcse_mean", "mcse_sd", "ess_bulk", "ess_tail",
                 "r_hat"], ["mu"])
        got, want = got == want, True""",
    "df_summary with alpha": DRAWN + """
        table = pm.df_summary(trace, alpha=0.2)
        got, want = "hdi_10%" in table.columns, True""",
    "summary of unconstrained values": DRAWN + """
        table = pm.summary(trace, include_transformed=True, round_to="none")
        got, want = table.loc["sigma_log__", "mean"], np.log(trace["sigma"]).mean()""",
    "hpd of an array": DRAWN + """
        import arviz as az
        got, want = pm.hpd(trace["mu"], alpha=0.1), az.hdi(trace["mu"], 0.9)""",
    "hpd of a matrix": """
        x = np.random.default_rng(3).normal(size=(200, 3))
        got, want = pm.hpd(x, 0.1), [pm.hpd(column, 0.1) for column in x.T]""",
    "gelman_rubin": DRAWN + """
        import arviz as az
        found = pm.gelman_rubin(trace)
        got = max(float(np.max(score)) for score in found.values())
        want = max(float(score.max()) for score in az.rhat(trace).data_vars.values())""",
    "effective_n": DRAWN + """
        import arviz as az
        got = float(pm.effective_n(trace)["mu"])
        want = float(az.ess(trace, method="mean")["mu"])""",
    "ess and rhat": DRAWN + """
        import arviz as az
        got = float(pm.ess(trace)["mu"]), float(pm.rhat(trace, var_names=["mu"])["mu"])
        want = float(az.ess(trace)["mu"]), float(az.rhat(trace)["mu"])""",
    "bfmi": DRAWN + """
        import arviz as az
        theirs = az.bfmi(trace)  # an array, or with ArviZ 1 one under the statistic's name
        got, want = pm.bfmi(trace), np.asarray(getattr(theirs, "energy", theirs))""",
    "geweke": """
        x = np.arange(100.0)
        found = pm.geweke(x, intervals=5)
        early, late = x[:9], x[49:]
        z = (early.mean() - late.mean()) / np.sqrt(early.var() + late.var())
        got, want = (found.shape, found[0]), ((5, 2), [0, z])""",
    "waic": DRAWN + """
        ll = stats.norm(trace["mu"][:, None], trace["sigma"][:, None]).logpdf(Y)
        want = (np.log(np.exp(ll).mean(0)) - ll.var(0)).sum()
        found = pm.waic(trace, model=m)
        got, want = (found.waic, found.WAIC), (want, -2 * want)""",
    "loo": DRAWN + """
        import arviz as az
        idata = pm.sample(200, tune=200, chains=2, model=m, random_seed=1, progressbar=False,
                          return_inferencedata=True, idata_kwargs={"log_likelihood": True})
        theirs, ours = az.loo(idata), pm.loo(idata)
        if hasattr(theirs, "elpd_loo"):
            got = (ours.loo, ours.p_loo, ours.loo_se)
            want = (theirs.elpd_loo, theirs.p_loo, theirs.se)
        else:  # ArviZ 1 fits the tails in another way: the two agree far within the standard error
            got, want = abs(ours.loo - theirs.elpd) < 0.01 * theirs.se, True""",
    "compare by model": DRAWN + """
        with pm.Model(name="wide") as other:
            x = pm.Normal("x", 0, 1)
            pm.Normal("y", x, 50.0, observed=Y)
            second = pm.sample(20, tune=20, chains=2, progressbar=False, random_seed=1)
        table = pm.compare({other: second, m: trace}, ic="WAIC")
        got = [*table["rank"]] == [0, 1], table.index[1] == "wide", float(table["weight"].sum())
        want = True, True, 1.0""",
    "trace_to_dataframe": DRAWN + """
        frame = pm.trace_to_dataframe(trace, varnames=["mu"])
        got, want = frame["mu"].to_numpy(), trace["mu"]""",
    "find_MAP": ONE + """
        found = pm.find_MAP(model=m, progressbar=False)
        got, want = {"mu", "sigma", "sigma_log__"} <= set(found), True""",
    # -- modules
    "from pymc3 import names": """
        from pymc3 import Model, Normal, sample
        from pymc3.distributions.continuous import Gamma
        from pymc3.backends.base import MultiTrace
        got = (Normal is pm.Normal, Gamma is pm.Gamma, MultiTrace is pm.MultiTrace)
        want = (1, 1, 1)""",
    "star import": """
        space = {}
        exec("from pymc3 import *", space)
        got, want = space["Normal"] is pm.Normal and space["Model"] is pm.Model, True""",
    "pm.math": """
        got, want = pm.math.invlogit(np.array(0.0)).eval(), 0.5""",
    "pm.invlogit": """
        got, want = pm.invlogit(np.array(0.0)).eval(), 0.5""",
    "floatX": """
        got, want = pm.floatX([1, 2]).dtype == np.float64, True""",
    "model_to_graphviz": ONE + """
        got, want = '"mu" -> "y"' in pm.model_to_graphviz(m).source, True""",
    "model pickled": ONE + """
        import pickle
        again = pickle.loads(pickle.dumps(m))
        got = again.logp(m.test_point), again["mu"].random().shape
        want = m.logp(m.test_point), ()""",
}  # fmt: skip

REFUSED: dict[str, tuple[str, str]] = {
    "ADVI": ("pm.ADVI()", "variational"),
    "fit": ("pm.fit()", "variational"),
    "Minibatch": ("pm.Minibatch(Y, 10)", "minibatches"),
    "sample_smc": ("pm.sample_smc()", "SMC"),
    "gp": ("pm.gp.cov.ExpQuad(1, 1)", "Gaussian processes"),
    "ode": ("pm.ode.DifferentialEquation()", "differential"),
    "BART": ("pm.BART('x', Y, Y)", "trees"),
    "EllipticalSlice": ("pm.EllipticalSlice()", "Slice"),
    "iter_sample": ("pm.iter_sample(5, None)", "pm.sample"),
    "Text": ("pm.backends.Text('x')", "save_trace"),
    "dic": ("pm.dic(None)", "waic"),
    "unknown name": ("pm.Nromal('x', 0, 1)", "Normal"),
    "unknown keyword": ("pm.Normal.dist(0, 1, foo=3)", "foo"),
    "sd and sigma": ("pm.Normal.dist(0, sd=1.0, sigma=2.0)", "twice"),
    "too many positions": ("pm.Exponential.dist(1, 2, 3)", "positional"),
    "an unknown start": ("pm.sample(5, start={'nu': 1.0}, model=m)", "nu"),
    "a point without a value": ("m.logp({'mu': 1.0})", "sigma_log__"),
    "a point with a wrong name": ("m.logp({'mu': 1.0, 'tau': 1.0})", "tau"),
    "theano_config": ("pm.Model(theano_config={'x': 1})", "Theano"),
    "vars and var_names": (
        "pm.sample_posterior_predictive([{}], model=m, vars=[m.y], var_names=['y'])", "not both",
    ),
    "vars and var_names of the prior": (
        "pm.sample_prior_predictive(5, m, vars=['y'], var_names=['y'])", "not both",
    ),
    "a backend": ("pm.sample(5, trace='sqlite', model=m)", "save_trace"),
    "PyMC3's own workings": ("pm.DictToArrayBijection", "workings"),
    "keep_size and samples": (
        "pm.sample_posterior_predictive([{}], 5, m, keep_size=True)", "keep_size",
    ),
    "random of a deterministic": ("pm.Deterministic('d', m.mu * 2, model=m).random()", "random"),
    "Bound of a variable": ("pm.Bound(m.mu, lower=0)", "distribution itself"),
    "Bound observed": ("pm.Bound(pm.Normal, lower=0)('b', 0, 1, observed=Y)", "observed"),
    "a logp that is no density": (
        "pm.DensityDist.dist(lambda x: 'no', shape=2)", "tensor",
    ),
    "distribution classes": ("pm.Continuous()", "DensityDist"),
    "profile": ("m.logp_dlogp_function()", "compile_logp"),
}  # fmt: skip


@pytest.mark.parametrize("name", HONOURED)
@pytest.mark.filterwarnings("ignore")
def test_honoured(pm, name):
    space = run(pm, HONOURED[name])
    compare(space["got"], space["want"])


def run(pm, program: str) -> dict[str, object]:
    pandas = pytest.importorskip("pandas")
    space: dict[str, object] = {"pm": pm, "np": np, "pd": pandas, "stats": stats, "Y": Y}
    prelude = next((p for p in (DRAWN, ONE) if program.startswith(p)), "")
    exec(prelude, space)
    exec(textwrap.dedent(program.removeprefix(prelude)), space)
    return space


def compare(got, want) -> None:
    if isinstance(want, tuple):
        assert len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            compare(a, b)
        return
    np.testing.assert_allclose(np.asarray(got, float), np.asarray(want, float), rtol=1e-6,
                               atol=1e-12)  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(pm, name):
    program, word = REFUSED[name]
    space = run(pm, ONE)
    with pytest.raises(Exception, match=word) as caught:
        exec(program, space)
    assert type(caught.value).__module__.startswith("finetti") or isinstance(
        caught.value, AttributeError
    )


def test_inits_that_are_not_there_are_said(pm):
    space = run(pm, ONE)
    with pytest.warns(UserWarning, match="advi"):
        exec(f"trace = pm.sample({SAMPLE}, init='advi', n_init=1000, model=m)", space)
    assert len(space["trace"]) == 20


@pytest.mark.parametrize("init", ["adapt_full", "jitter+adapt_full"])
def test_a_dense_mass_matrix_is_learned(pm, init):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        space = run(pm, ONE)
        exec(f"trace = pm.sample({SAMPLE}, init={init!r}, model=m)", space)
    assert len(space["trace"]) == 20


def test_each_idiom_is_noted_once_a_place(pm):
    for _ in range(3):
        pm.Normal.dist(0, sd=1)
    pm.HalfNormal.dist(sd=1)
    found = [n for n in notes.noted() if n.idiom == "sd="]
    assert [n.today for n in found] == ["sigma=", "sigma="]
    assert found[0].file == __file__
    assert found[1].line == found[0].line + 1


def test_a_star_import_notes_nothing(pm):
    exec("from pymc3 import *", {})
    assert not notes.noted()


def test_versions(pm):
    assert pm.__version__.startswith("3.11")


def test_todays_dialect_learns_nothing():
    import finetti

    with finetti.Model():
        x = finetti.Normal("x", 0, 1)
        with pytest.raises(AttributeError):
            x.random()
        with pytest.raises(Exception, match="sd"):
            finetti.Normal("z", 0, sd=1)
        with pytest.raises(finetti.ModelError, match="random variables"):
            finetti.Normal("y", 0, 1, observed=Y - x)
