"""Distributions: one record each, in one file a distribution or close family."""

from finetti.dist import diracdelta
from finetti.dist.base import (
    DISTRIBUTIONS,
    Alternative,
    Distribution,
    Param,
    as_param,
    constant,
    make_rv,
    require,
    rv,
    rv_params,
)
from finetti.dist.bernoulli import Bernoulli
from finetti.dist.beta import Beta
from finetti.dist.betabinomial import BetaBinomial
from finetti.dist.bijectors import Bijector, bijector_for
from finetti.dist.binomial import Binomial
from finetti.dist.categorical import Categorical
from finetti.dist.cauchy import Cauchy, HalfCauchy
from finetti.dist.checks import bad_parameters, check_data
from finetti.dist.chisquared import ChiSquared
from finetti.dist.diracdelta import DiracDelta
from finetti.dist.dirichlet import Dirichlet
from finetti.dist.discreteuniform import DiscreteUniform
from finetti.dist.exgaussian import ExGaussian
from finetti.dist.exponential import Exponential
from finetti.dist.flat import Flat, HalfFlat
from finetti.dist.gamma import Gamma
from finetti.dist.geometric import Geometric
from finetti.dist.gumbel import Gumbel
from finetti.dist.halfnormal import HalfNormal
from finetti.dist.halfstudentt import HalfStudentT
from finetti.dist.hypergeometric import HyperGeometric
from finetti.dist.interpolated import Interpolated
from finetti.dist.inversegamma import InverseGamma
from finetti.dist.kumaraswamy import Kumaraswamy
from finetti.dist.laplace import AsymmetricLaplace, Laplace
from finetti.dist.logistic import Logistic
from finetti.dist.logitnormal import LogitNormal
from finetti.dist.lognormal import LogNormal
from finetti.dist.mixture import NormalMixture
from finetti.dist.moyal import Moyal
from finetti.dist.multinomial import DirichletMultinomial, Multinomial
from finetti.dist.mvnormal import MvNormal
from finetti.dist.mvstudentt import MvStudentT
from finetti.dist.negativebinomial import NegativeBinomial
from finetti.dist.normal import Normal
from finetti.dist.ordered import OrderedLogistic
from finetti.dist.pareto import Pareto
from finetti.dist.poisson import Poisson
from finetti.dist.resolve import parameter_names, resolve
from finetti.dist.rice import Rice
from finetti.dist.skewnormal import SkewNormal
from finetti.dist.studentt import StudentT
from finetti.dist.support import Support
from finetti.dist.triangular import Triangular
from finetti.dist.truncatednormal import TruncatedNormal
from finetti.dist.uniform import Uniform
from finetti.dist.vonmises import VonMises
from finetti.dist.wald import Wald
from finetti.dist.weibull import Weibull
from finetti.dist.zeroinflated import (
    ZeroInflatedBinomial,
    ZeroInflatedNegativeBinomial,
    ZeroInflatedPoisson,
)

__all__ = [
    "Alternative", "AsymmetricLaplace", "Bernoulli", "Beta", "BetaBinomial", "Bijector",
    "Binomial", "Categorical", "Cauchy", "ChiSquared", "DISTRIBUTIONS", "DiracDelta",
    "Dirichlet", "DirichletMultinomial", "DiscreteUniform", "Distribution", "ExGaussian",
    "Exponential", "Flat", "Gamma", "Geometric", "Gumbel", "HalfCauchy", "HalfFlat",
    "HalfNormal", "HalfStudentT", "HyperGeometric", "Interpolated", "InverseGamma",
    "Kumaraswamy", "Laplace", "LogNormal", "Logistic", "LogitNormal", "Moyal", "Multinomial",
    "MvNormal", "MvStudentT", "NegativeBinomial", "Normal", "NormalMixture", "OrderedLogistic",
    "Param", "Pareto", "Poisson", "Rice", "SkewNormal", "StudentT", "Support", "Triangular",
    "TruncatedNormal", "Uniform", "VonMises", "Wald", "Weibull", "ZeroInflatedBinomial",
    "ZeroInflatedNegativeBinomial", "ZeroInflatedPoisson", "as_param", "bad_parameters",
    "bijector_for", "check_data", "constant", "diracdelta", "make_rv", "parameter_names",
    "require", "resolve", "rv", "rv_params",
]  # fmt: skip
