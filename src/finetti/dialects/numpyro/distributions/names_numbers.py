"""How NumPyro spells distributions of numbers: one row each. Mathematics is in `finetti.dist`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from finetti.dialects.numpyro.distributions import constraints
from finetti.dialects.numpyro.distributions import transforms as T
from finetti.dialects.numpyro.distributions.tabled import Arg, Row

C = constraints

LOC = Arg("loc", C.real, 0.0)
SCALE = Arg("scale", C.positive, 1.0)
NEEDED_LOC = Arg("loc", C.real)
NEEDED_SCALE = Arg("scale", C.positive)
CONCENTRATION = Arg("concentration", C.positive)
RATE = Arg("rate", C.positive, 1.0)
PAIR = (Arg("concentration1", C.positive), Arg("concentration0", C.positive))
NO_CDF = ("cdf", "icdf", "entropy")


def between(d: Any) -> C.Constraint:
    """From `low` to `high`."""
    return C.interval(d.low, d.high)


CONTINUOUS = (
    Row("Normal", "continuous", (LOC, SCALE), "Normal", {"mu": "loc", "sigma": "scale"}, C.real,
        "A normal number."),
    Row("HalfNormal", "continuous", (SCALE,), "HalfNormal", {"sigma": "scale"}, C.positive,
        "The size of a normal number.", missing=("entropy",)),
    Row("LogNormal", "continuous", (LOC, SCALE), "LogNormal", {"mu": "loc", "sigma": "scale"},
        C.positive, "A positive number whose logarithm is normal.",
        parent="TransformedDistribution",
        mapped=lambda d: (d._classes["Normal"](d.loc, d.scale), [T.ExpTransform()])),
    Row("Exponential", "continuous", (RATE,), "Exponential", {"lam": "rate"}, C.positive,
        "A positive number, with constant hazard."),
    Row("Gamma", "continuous", (CONCENTRATION, RATE), "Gamma",
        {"alpha": "concentration", "beta": "rate"}, C.positive, "A positive number."),
    Row("Chi2", "continuous", (Arg("df", C.positive),), "ChiSquared", {"nu": "df"}, C.positive,
        "A sum of squares of normal numbers.", parent="Gamma"),
    Row("InverseGamma", "continuous", (CONCENTRATION, RATE), "InverseGamma",
        {"alpha": "concentration", "beta": "rate"}, C.positive,
        "The reciprocal of a gamma number.", parent="TransformedDistribution",
        mapped=lambda d: (d._classes["Gamma"](d.concentration, d.rate), [T.PowerTransform(-1.0)])),
    Row("Beta", "continuous", PAIR, "Beta",
        {"alpha": "concentration1", "beta": "concentration0"}, C.unit_interval,
        "A proportion between 0 and 1."),
    Row("BetaProportion", "continuous",
        (Arg("mean", C.open_interval(0.0, 1.0)), CONCENTRATION), "Beta",
        {"mu": "mean", "nu": "concentration"}, C.unit_interval,
        "A proportion between 0 and 1, by its mean.", parent="Beta"),
    Row("Kumaraswamy", "continuous", PAIR, "Kumaraswamy",
        {"a": "concentration1", "b": "concentration0"}, C.unit_interval,
        "A proportion between 0 and 1.", missing=NO_CDF),
    Row("Uniform", "continuous",
        (Arg("low", C.dependent(is_discrete=False, event_dim=0), 0.0),
         Arg("high", C.dependent(is_discrete=False, event_dim=0), 1.0)),
        "Uniform", {"lower": "low", "upper": "high"}, between,
        "A number between two bounds, each equally likely."),
    Row("LogUniform", "continuous", (Arg("low", C.positive), Arg("high", C.positive)),
        "loguniform.LogUniform", {"lower": "low", "upper": "high"}, between,
        "A positive number whose logarithm is uniform.", parent="TransformedDistribution",
        mapped=lambda d: (d._classes["Uniform"](jnp.log(d.low), jnp.log(d.high)),
                          [T.ExpTransform(domain=C.interval(jnp.log(d.low), jnp.log(d.high)))])),
    Row("Cauchy", "continuous", (LOC, SCALE), "Cauchy", {"alpha": "loc", "beta": "scale"}, C.real,
        "A real number with very heavy tails."),
    Row("HalfCauchy", "continuous", (SCALE,), "HalfCauchy", {"beta": "scale"}, C.positive,
        "A positive number with a very heavy tail.", missing=("entropy",)),
    Row("StudentT", "continuous", (Arg("df", C.positive), LOC, SCALE), "StudentT",
        {"nu": "df", "mu": "loc", "sigma": "scale"}, C.real, "A real number with heavy tails."),
    Row("Laplace", "continuous", (LOC, SCALE), "Laplace", {"mu": "loc", "b": "scale"}, C.real,
        "A real number with exponential tails."),
    Row("AsymmetricLaplace", "continuous", (LOC, SCALE, Arg("asymmetry", C.positive, 1.0)),
        "laplace.ByScale", {"mu": "loc", "scale": "scale", "kappa": "asymmetry"}, C.real,
        "A real number with different tails below and above its mode.", missing=("entropy",)),
    Row("AsymmetricLaplaceQuantile", "continuous",
        (LOC, SCALE, Arg("quantile", C.open_interval(0.0, 1.0), 0.5)), "laplace.ByQuantile",
        {"mu": "loc", "scale": "scale", "quantile": "quantile"}, C.real,
        "A real number with different tails, whose quantile is known.", missing=("entropy",)),
    Row("SoftLaplace", "continuous", (NEEDED_LOC, NEEDED_SCALE), "softlaplace.SoftLaplace",
        {"mu": "loc", "sigma": "scale"}, C.real,
        "A real number with exponential tails and a smooth mode.", missing=("entropy",)),
    Row("Logistic", "continuous", (LOC, SCALE), "Logistic", {"mu": "loc", "s": "scale"}, C.real,
        "A real number with exponential tails."),
    Row("Gumbel", "continuous", (LOC, SCALE), "Gumbel", {"mu": "loc", "beta": "scale"}, C.real,
        "The largest of many numbers.", missing=("entropy",)),
    Row("Levy", "continuous", (NEEDED_LOC, NEEDED_SCALE), "levy.Levy",
        {"m": "loc", "c": "scale"}, lambda d: C.greater_than(d.loc),
        "A number above a bound with a very heavy tail.", differentiable=()),
    Row("Weibull", "continuous", (NEEDED_SCALE, CONCENTRATION), "Weibull",
        {"beta": "scale", "alpha": "concentration"}, C.positive, "A time to failure.",
        missing=("icdf",)),
    Row("Pareto", "continuous", (NEEDED_SCALE, Arg("alpha", C.positive)), "Pareto",
        {"m": "scale", "alpha": "alpha"}, lambda d: C.greater_than(d.scale),
        "A number above a bound with a heavy tail.", parent="TransformedDistribution",
        mapped=lambda d: (d._classes["Exponential"](d.alpha), [
            T.ExpTransform(domain=C.positive),
            T.AffineTransform(0.0, d.scale, domain=C.greater_than(1.0))])),
    Row("Gompertz", "continuous", (CONCENTRATION, RATE), "gompertz.Gompertz",
        {"eta": "concentration", "b": "rate"}, C.positive,
        "A time to failure whose hazard grows exponentially.", missing=("variance", "entropy")),
    Row("Dagum", "continuous",
        (CONCENTRATION, Arg("sharpness", C.positive), NEEDED_SCALE), "dagum.Dagum",
        {"p": "concentration", "a": "sharpness", "b": "scale"}, C.positive,
        "A positive number with a heavy tail, as incomes.", missing=("entropy",)),
    Row("VonMises", "directional", (NEEDED_LOC, CONCENTRATION), "VonMises",
        {"mu": "loc", "kappa": "concentration"}, C.circular, "An angle.",
        differentiable=("loc",), missing=("entropy", "cdf", "icdf")),
    Row("DoublyTruncatedPowerLaw", "truncated",
        (Arg("alpha", C.real), Arg("low", C.greater_than_eq(0)), Arg("high", C.greater_than(0))),
        "DoublyTruncatedPowerLaw", {"alpha": "alpha", "lower": "low", "upper": "high"}, between,
        "A number between two bounds whose density is a power.",
        missing=("entropy", "mean", "variance")),
    Row("LowerTruncatedPowerLaw", "truncated",
        (Arg("alpha", C.less_than(-1.0)), Arg("low", C.greater_than(0.0))),
        "powerlaw.LowerTruncatedPowerLaw", {"alpha": "alpha", "lower": "low"},
        lambda d: C.greater_than(d.low), "A number above a bound whose density is a power.",
        missing=("entropy", "mean", "variance")),
)  # fmt: skip
