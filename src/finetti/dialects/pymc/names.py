"""How PyMC spells distributions: one row each. Mathematics is in `finetti.dist`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finetti import dist
from finetti.dist.base import Distribution


@dataclass(frozen=True)
class Row:
    """One spelling: PyMC's name, the record, and the order of positional parameters.

    `keyword_only` parameters come after them; `summary` begins the docstring. A `composed` one has
    no record of its own: one is made of what the user gives (`composed.py`), and `defaults` are
    those of its parameters.
    """

    name: str
    order: tuple[str, ...]
    keyword_only: tuple[str, ...] = ()
    summary: str = ""
    defaults: tuple[tuple[str, Any], ...] = ()
    composed: bool = False

    @property
    def record(self) -> Distribution | None:
        """The record of that name."""
        return None if self.composed else getattr(dist, self.name)


ROWS = (
    Row("AsymmetricLaplace", ("kappa", "mu", "b", "q"),
        summary="A real number with different tails below and above its mode."),
    Row("Bernoulli", ("p", "logit_p"), summary="Zero or one."),
    Row("Beta", ("alpha", "beta", "mu", "sigma", "nu"),
        summary="A proportion between 0 and 1."),
    Row("BetaBinomial", ("alpha", "beta", "n"),
        summary="The number of successes in n trials whose probability is a beta number."),
    Row("Binomial", ("n", "p", "logit_p"),
        summary="The number of successes in n trials."),
    Row("Categorical", ("p", "logit_p"),
        summary="One of several categories, numbered from 0."),
    Row("Cauchy", ("alpha", "beta"), summary="A real number with very heavy tails."),
    Row("ChiSquared", ("nu",), summary="A sum of squares of normal numbers."),
    Row("Dirichlet", ("a",), summary="Proportions that sum to 1."),
    Row("DirichletMultinomial", ("n", "a"),
        summary="How often categories occur in n trials, with Dirichlet probabilities."),
    Row("DiscreteUniform", ("lower", "upper"),
        summary="A whole number between two bounds, each equally likely."),
    Row("ExGaussian", ("mu", "sigma"), ("nu",),
        summary="The sum of a normal and an exponential number."),
    Row("Exponential", ("lam",), ("scale",),
        summary="A positive number, with constant hazard."),
    Row("Flat", (), summary="A real number of constant density, which is improper."),
    Row("Gamma", ("alpha", "beta", "mu", "sigma"), summary="A positive number."),
    Row("Geometric", ("p",), summary="The number of trials up to a success."),
    Row("Gumbel", ("mu", "beta"), summary="The largest of many numbers."),
    Row("HalfCauchy", ("beta",),
        summary="A positive number with a very heavy tail."),
    Row("HalfFlat", (),
        summary="A positive number of constant density, which is improper."),
    Row("HalfNormal", ("sigma", "tau"), summary="The size of a normal number."),
    Row("HalfStudentT", ("nu", "sigma", "lam"),
        summary="The size of a Student t number around 0."),
    Row("HyperGeometric", ("N", "k", "n"),
        summary="The successes among n taken from N of which k are successes."),
    Row("Interpolated", ("x_points", "pdf_points"),
        summary="A number whose density is given at points and linear between them."),
    Row("InverseGamma", ("alpha", "beta", "mu", "sigma"),
        summary="The reciprocal of a gamma number."),
    Row("Kumaraswamy", ("a", "b"), summary="A proportion between 0 and 1."),
    Row("Laplace", ("mu", "b"), summary="A real number with exponential tails."),
    Row("LogNormal", ("mu", "sigma", "tau"),
        summary="A positive number whose logarithm is normal."),
    Row("Logistic", ("mu", "s"), summary="A real number with exponential tails."),
    Row("LogitNormal", ("mu", "sigma", "tau"),
        summary="A proportion whose log odds are normal."),
    Row("Moyal", ("mu", "sigma"),
        summary="The loss of energy of a particle that passes through matter."),
    Row("Multinomial", ("n", "p"),
        summary="How often each of several categories occurs in n trials."),
    Row("MvNormal", ("mu", "cov"), ("tau", "chol", "lower"),
        summary="A vector of jointly normal numbers."),
    Row("MvStudentT", ("nu",),
        ("Sigma", "mu", "scale", "tau", "chol", "lower", "cov"),
        summary="A vector of numbers with heavy tails."),
    Row("NegativeBinomial", ("mu", "alpha", "p", "n"),
        summary="An over-dispersed count."),
    Row("Normal", ("mu", "sigma", "tau"), summary="A normal number."),
    Row("NormalMixture", ("w", "mu", "sigma", "tau"),
        summary="A normal number of one of several kinds."),
    Row("Pareto", ("alpha", "m"), summary="A number above m with a heavy tail."),
    Row("Poisson", ("mu",), summary="A count."),
    Row("Rice", ("nu", "sigma", "b"),
        summary="The length of a vector of two normal numbers."),
    Row("SkewNormal", ("alpha", "mu", "sigma", "tau"),
        summary="A normal number, leaning to a side."),
    Row("StudentT", ("nu", "mu"), ("sigma", "lam"),
        summary="A real number with heavy tails."),
    Row("Triangular", ("lower", "upper", "c"),
        summary="A number between two bounds, most likely at c."),
    Row("TruncatedNormal", ("mu", "sigma"), ("tau", "lower", "upper"),
        summary="A normal number between two bounds, each of which can be infinite."),
    Row("Uniform", ("lower", "upper"),
        summary="A number between two bounds, each equally likely."),
    Row("VonMises", ("mu", "kappa"), summary="An angle."),
    Row("Wald", ("mu", "lam", "phi", "alpha"),
        summary="The time a random walk with drift needs to a distance."),
    Row("Weibull", ("alpha", "beta"), summary="A time to failure."),
    Row("ZeroInflatedBinomial", ("psi", "n", "p"),
        summary="A binomial number, or 0 with probability 1 - psi."),
    Row("ZeroInflatedNegativeBinomial", ("psi", "mu", "alpha", "p", "n"),
        summary="A negative binomial number, or 0 with probability 1 - psi."),
    Row("ZeroInflatedPoisson", ("psi", "mu"),
        summary="A Poisson number, or 0 with probability 1 - psi."),
)  # fmt: skip


def _composed(
    name: str,
    order: tuple[str, ...],
    keyword_only: tuple[str, ...] = (),
    summary: str = "",
    defaults: tuple[tuple[str, Any], ...] = (),
) -> Row:
    return Row(name, order, keyword_only, summary, defaults, composed=True)


# Those that are made of other distributions, or whose record depends on what is given.
COMPOSED = (
    _composed("AR", ("rho", "sigma", "tau"), ("init_dist", "steps", "constant", "ar_order"),
        "A series whose numbers depend linearly on the ones before.", (("constant", False),)),
    _composed("CAR", ("mu", "W", "alpha", "tau", "sparse"),
        summary="Numbers at sites, each near the mean of its neighbours.",
        defaults=(("sparse", False),)),
    _composed("Censored", ("dist", "lower", "upper"),
        summary="A number of which only the bound is seen when it lies beyond one."),
    _composed("CustomDist", (), ("logp", "random", "dist"),
        "A distribution with a log density, or a generator, of your own."),
    _composed("DiracDelta", ("c",), summary="The number c."),
    _composed("GaussianRandomWalk", ("mu", "sigma"), ("init_dist", "steps"),
        "A series whose steps are normal.", (("mu", 0.0), ("sigma", 1.0))),
    _composed("LKJCholeskyCov", ("eta", "n", "sd_dist"), ("compute_corr", "store_in_trace"),
        "The Cholesky factor of a covariance, its correlations and standard deviations.",
        (("compute_corr", True), ("store_in_trace", True))),
    _composed("LKJCorr", ("n", "eta"), summary="The Cholesky factor of a correlation matrix."),
    _composed("Mixture", ("w", "comp_dists"),
        summary="A value of one of several distributions, chosen by weights."),
    Row("OrderedLogistic", ("eta", "cutpoints"),
        summary="One of several categories in an order."),
    _composed("RandomWalk", ("init_dist", "innovation_dist", "steps"),
        summary="A series whose steps follow a distribution."),
    _composed("Truncated", ("dist", "lower", "upper", "max_n_steps"),
        summary="A number of another distribution, given that it lies between two bounds.",
        defaults=(("max_n_steps", 10_000),)),
    _composed("ZeroSumNormal", ("sigma", "n_zerosum_axes", "support_shape"),
        summary="Normal numbers that sum to zero along their last axes.",
        defaults=(("sigma", 1.0),)),
)  # fmt: skip

# Spellings of other libraries and of earlier versions -> the spellings they stand for here.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "sd": ("sigma",), "std": ("sigma",), "stddev": ("sigma",), "scale": ("sigma", "beta"),
    "testval": ("initval",), "initial": ("initval",), "init": ("initval",), "start": ("initval",),
    "mean": ("mu",), "loc": ("mu", "alpha"), "precision": ("tau", "lam"), "prec": ("tau", "lam"),
    "rate": ("lam", "beta", "mu"), "lam": ("mu",), "lambda_": ("lam", "mu"), "df": ("nu",),
    "concentration": ("a", "alpha"), "alpha": ("a",), "probs": ("p",), "prob": ("p",),
    "logits": ("logit_p",), "logit": ("logit_p",), "covariance": ("cov",), "cov_matrix": ("cov",),
    "low": ("lower",), "high": ("upper",), "a": ("alpha", "lower"), "b": ("beta", "upper"),
    "obs": ("observed",), "data": ("observed",), "value": ("observed",), "dim": ("dims",),
    "size_": ("size",), "N": ("n",), "trials": ("n",), "total_count": ("n",),
}  # fmt: skip
