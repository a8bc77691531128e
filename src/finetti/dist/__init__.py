"""Distributions: one record each, in one file a distribution or close family."""

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
from finetti.dist.bijectors import Bijector, bijector_for
from finetti.dist.binomial import Binomial
from finetti.dist.categorical import Categorical
from finetti.dist.cauchy import Cauchy, HalfCauchy
from finetti.dist.checks import bad_parameters, check_data
from finetti.dist.dirichlet import Dirichlet
from finetti.dist.exponential import Exponential
from finetti.dist.gamma import Gamma
from finetti.dist.halfnormal import HalfNormal
from finetti.dist.lognormal import LogNormal
from finetti.dist.mvnormal import MvNormal
from finetti.dist.negativebinomial import NegativeBinomial
from finetti.dist.normal import Normal
from finetti.dist.poisson import Poisson
from finetti.dist.resolve import parameter_names, resolve
from finetti.dist.studentt import StudentT
from finetti.dist.support import Support
from finetti.dist.uniform import Uniform

__all__ = [
    "DISTRIBUTIONS", "Alternative", "Bernoulli", "Beta", "Bijector", "Binomial", "Categorical",
    "Cauchy", "Dirichlet", "Distribution", "Exponential", "Gamma", "HalfCauchy", "HalfNormal",
    "LogNormal", "MvNormal", "NegativeBinomial", "Normal", "Param", "Poisson", "StudentT",
    "Support", "Uniform", "as_param", "bad_parameters", "bijector_for", "check_data",
    "constant", "make_rv", "parameter_names", "require", "resolve", "rv", "rv_params",
]  # fmt: skip
