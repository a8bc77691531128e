"""Distributions: one record each, in one file a distribution or close family.

Records are loaded when they are first asked for: a model uses a handful of sixty.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from finetti.dist.base import (
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
from finetti.dist.bijectors import Bijector, bijector_for
from finetti.dist.checks import bad_parameters, check_data
from finetti.dist.resolve import parameter_names, resolve
from finetti.dist.support import Support

# Record -> the module that has it.
_RECORDS = {
    "AsymmetricLaplace": "laplace", "Bernoulli": "bernoulli", "Beta": "beta",
    "BetaBinomial": "betabinomial", "BetaNegativeBinomial": "betanegativebinomial",
    "Binomial": "binomial", "CAR": "car", "Categorical": "categorical", "Cauchy": "cauchy",
    "ChiSquared": "chisquared", "Dagum": "dagum", "DiracDelta": "diracdelta",
    "Dirichlet": "dirichlet", "DirichletMultinomial": "multinomial",
    "DiscreteUniform": "discreteuniform", "DoublyTruncatedPowerLaw": "powerlaw",
    "ExGaussian": "exgaussian", "Exponential": "exponential", "Flat": "flat", "Gamma": "gamma",
    "Geometric": "geometric", "Gompertz": "gompertz", "Gumbel": "gumbel", "HalfCauchy": "cauchy",
    "HalfFlat": "flat", "HalfNormal": "halfnormal", "HalfStudentT": "halfstudentt",
    "HyperGeometric": "hypergeometric", "Interpolated": "interpolated",
    "InverseGamma": "inversegamma", "InverseWishartCholesky": "wishart",
    "Kumaraswamy": "kumaraswamy", "Laplace": "laplace", "Levy": "levy", "LogNormal": "lognormal",
    "LogUniform": "loguniform", "Logistic": "logistic", "LogitNormal": "logitnormal",
    "MatrixNormal": "matrixnormal", "Moyal": "moyal", "Multinomial": "multinomial",
    "MvNormal": "mvnormal", "MvStudentT": "mvstudentt", "NegativeBinomial": "negativebinomial",
    "Normal": "normal", "NormalMixture": "mixture", "OrderedLogistic": "ordered",
    "Pareto": "pareto", "Poisson": "poisson", "ProjectedNormal": "directional", "Rice": "rice",
    "SineBivariateVonMises": "directional", "SkewNormal": "skewnormal",
    "SoftLaplace": "softlaplace", "StudentT": "studentt", "Triangular": "triangular",
    "TruncatedNormal": "truncatednormal", "Uniform": "uniform", "VonMises": "vonmises",
    "Wald": "wald", "Weibull": "weibull", "WishartCholesky": "wishart",
    "ZeroInflatedBinomial": "zeroinflated", "ZeroInflatedNegativeBinomial": "zeroinflated",
    "ZeroInflatedPoisson": "zeroinflated",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "DISTRIBUTIONS":
        return load_all()
    if name not in _RECORDS:
        raise AttributeError(f"finetti.dist has no attribute {name!r}")
    record = globals()[name] = getattr(import_module(f"finetti.dist.{_RECORDS[name]}"), name)
    return record


def load_all() -> dict[str, Distribution]:
    """Every record by key."""
    for module in set(_RECORDS.values()):
        import_module(f"finetti.dist.{module}")
    return import_module("finetti.dist.base").DISTRIBUTIONS  # type: ignore[no-any-return]


if TYPE_CHECKING:
    DISTRIBUTIONS: dict[str, Distribution]

__all__ = [
    "DISTRIBUTIONS", "Alternative", "Bijector", "Distribution", "Param", "Support", "as_param",
    "bad_parameters", "bijector_for", "check_data", "constant", "load_all", "make_rv",
    "parameter_names", "require", "resolve", "rv", "rv_params",
]  # fmt: skip
