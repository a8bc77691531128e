"""How PyMC spells distributions: one row each. Mathematics is in `finetti.dist`."""

from __future__ import annotations

from dataclasses import dataclass

from finetti import dist
from finetti.dist.base import Distribution


@dataclass(frozen=True)
class Row:
    """One spelling: PyMC's name, the record, and the order of positional parameters.

    `keyword_only` parameters come after them; `summary` begins the docstring.
    """

    name: str
    record: Distribution
    order: tuple[str, ...]
    keyword_only: tuple[str, ...] = ()
    summary: str = ""


ROWS = (
    Row("Bernoulli", dist.Bernoulli, ("p", "logit_p"), summary="Zero or one."),
    Row("Beta", dist.Beta, ("alpha", "beta", "mu", "sigma", "nu"),
        summary="A proportion between 0 and 1."),
    Row("Binomial", dist.Binomial, ("n", "p", "logit_p"),
        summary="The number of successes in n trials."),
    Row("Categorical", dist.Categorical, ("p", "logit_p"),
        summary="One of several categories, numbered from 0."),
    Row("Cauchy", dist.Cauchy, ("alpha", "beta"), summary="A real number with very heavy tails."),
    Row("Dirichlet", dist.Dirichlet, ("a",), summary="Proportions that sum to 1."),
    Row("Exponential", dist.Exponential, ("lam",), ("scale",),
        summary="A positive number, with constant hazard."),
    Row("Gamma", dist.Gamma, ("alpha", "beta", "mu", "sigma"), summary="A positive number."),
    Row("HalfCauchy", dist.HalfCauchy, ("beta",),
        summary="A positive number with a very heavy tail."),
    Row("HalfNormal", dist.HalfNormal, ("sigma", "tau"), summary="The size of a normal number."),
    Row("LogNormal", dist.LogNormal, ("mu", "sigma", "tau"),
        summary="A positive number whose logarithm is normal."),
    Row("MvNormal", dist.MvNormal, ("mu", "cov"), ("tau", "chol", "lower"),
        summary="A vector of jointly normal numbers."),
    Row("NegativeBinomial", dist.NegativeBinomial, ("mu", "alpha", "p", "n"),
        summary="An over-dispersed count."),
    Row("Normal", dist.Normal, ("mu", "sigma", "tau"), summary="A normal number."),
    Row("Poisson", dist.Poisson, ("mu",), summary="A count."),
    Row("StudentT", dist.StudentT, ("nu", "mu"), ("sigma", "lam"),
        summary="A real number with heavy tails."),
    Row("Uniform", dist.Uniform, ("lower", "upper"),
        summary="A number between two bounds, each equally likely."),
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
