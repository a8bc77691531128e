"""Cases of ``make_dist_reference.py --more``: the distributions of the second file."""

from __future__ import annotations

from typing import Any

REAL = [-2.5, -1.0, 0.0, 0.3, 1.0, 4.2, 20.0, "inf", "-inf"]
POSITIVE = [-1.0, 0.0, 1e-8, 0.2, 1.0, 3.7, 60.0]
INSIDE = [-1.0, 1e-8, 0.2, 1.0, 3.7, 20.0]
UNIT = [-0.1, 1e-9, 0.2, 0.5, 0.95, 1.1]
COUNT = [-1, 0, 1, 2, 5, 9, 10, 11, 60]
PAIR = [[0.3, 1.2], [2.5, 0.1]]
COUNTS = [[2, 3, 5], [10, 0, 0], [0, 0, 10], [3, 3, 3], [-1, 6, 5]]
SCALE = [[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]]
CHOL = [[1.4, 0.0, 0.0], [0.4, 0.9, 0.0], [-0.2, 0.3, 0.6]]
VECTORS = [[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [30.0, 5.0, -4.0]]
X, PDF = [-1.0, 0.0, 0.5, 2.0], [0.1, 2.0, 2.0, 0.2]

PACKED = [[1.2, 0.3, 0.8, -0.4, 0.2, 1.5], [0.5, 0.0, 0.5, 0.0, 0.0, 0.5]]
CORR = [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.48, 0.6, 0.64]]
SERIES = [[0.0, 0.5, 1.0, 0.7, -0.2], [1.0, 2.0, 0.0, -4.0, 3.0]]
ZERO_SUM = [[0.5, -0.2, -0.3], [0.0, 0.0, 0.0]]


def inner(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """A component: ``pm.<name>.dist(*args, **kwargs)``."""
    return {"dist": name, "args": list(args), "kwargs": kwargs}


N01 = inner("Normal", 0.3, 2.0)
# No further shape is tried: PyMC cannot, or the case has its own.
ONE_SHAPE = frozenset({"LKJCholeskyCov", "LKJCorr", "ZeroSumNormal", "AR"})
# (distribution, label, positional arguments, keywords, values)
CASES: list[tuple[str, str, list[Any], dict[str, Any], list[Any]]] = [
    ("HalfStudentT", "positional", [3.0, 2.0], {}, POSITIVE),
    ("HalfStudentT", "nu", [], {"nu": 4.0}, POSITIVE),
    ("HalfStudentT", "lam", [], {"nu": 4.0, "lam": 0.25}, POSITIVE),
    ("InverseGamma", "positional", [2.0, 0.5], {}, INSIDE),
    ("InverseGamma", "alpha", [], {"alpha": 0.7}, INSIDE),
    ("InverseGamma", "mu-sigma", [], {"mu": 3.0, "sigma": 1.5}, INSIDE),
    ("InverseGamma", "vector", [], {"alpha": [2.0, 3.0], "beta": [1.0, 4.0]}, PAIR),
    ("Laplace", "positional", [0.5, 2.0], {}, REAL),
    ("AsymmetricLaplace", "positional", [0.5, 0.3, 2.0], {}, REAL[:-2]),
    ("AsymmetricLaplace", "q", [], {"q": 0.3, "mu": 1.0, "b": 2.0}, REAL[:-2]),
    ("Logistic", "default", [], {}, REAL[:-2]),
    ("Logistic", "positional", [0.5, 2.0], {}, REAL[:-2]),
    ("Weibull", "positional", [2.0, 0.5], {}, INSIDE),
    ("Weibull", "alpha-beta", [], {"alpha": 0.7, "beta": 3.0}, INSIDE),
    ("ChiSquared", "positional", [3.0], {}, INSIDE),
    ("Gumbel", "positional", [0.5, 2.0], {}, REAL[:-2]),
    ("Pareto", "positional", [2.0, 0.1], {}, INSIDE),
    ("Kumaraswamy", "positional", [2.0, 3.0], {}, UNIT),
    ("Kumaraswamy", "a-b", [], {"a": 0.5, "b": 0.7}, UNIT),
    ("Triangular", "default", [], {}, [-0.1, 0.1, 0.5, 0.8, 1.1]),
    ("Triangular", "positional", [-1.0, 4.0, 0.5], {}, [-2.0, -0.5, 0.5, 3.0, 5.0]),
    ("VonMises", "default", [], {}, [-3.0, 0.0, 0.5, 3.1, 4.0]),
    ("VonMises", "positional", [1.0, 5.0], {}, [-3.0, 0.0, 0.5, 3.1, -4.0]),
    ("Wald", "mu", [2.0], {}, [-1.0, 0.01, 0.5, 3.0, 20.0]),
    ("Wald", "mu-lam", [2.0, 3.0], {}, [-1.0, 0.01, 0.5, 3.0, 20.0]),
    ("Wald", "mu-phi", [], {"mu": 2.0, "phi": 0.7}, [0.5, 3.0]),
    ("Wald", "lam-phi", [], {"lam": 2.0, "phi": 0.7, "alpha": 0.3}, [0.2, 0.5, 3.0]),
    ("SkewNormal", "default", [], {}, REAL[:-3]),
    ("SkewNormal", "positional", [3.0, 1.0, 2.0], {}, [0.0, 0.3, 1.0, 4.2]),
    ("SkewNormal", "tau", [], {"alpha": -1.0, "tau": 4.0}, [-1.0, 0.0, 0.3]),
    ("ExGaussian", "nu", [], {"nu": 2.0}, REAL[:-2]),
    ("ExGaussian", "positional", [0.5, 2.0], {"nu": 1.0}, REAL[:-2]),
    ("Moyal", "default", [], {}, REAL[:-2]),
    ("Moyal", "positional", [0.5, 2.0], {}, REAL[:-2]),
    ("Rice", "nu", [1.5], {}, [-1.0, 0.01, 1.0, 4.0]),
    ("Rice", "nu-sigma", [1.5, 2.0], {}, [-1.0, 0.01, 1.0, 4.0]),
    ("Rice", "b", [], {"b": 1.5}, [0.01, 1.0, 4.0]),
    ("Rice", "b-sigma", [], {"b": 1.5, "sigma": 2.0}, [0.01, 1.0, 4.0]),
    ("Flat", "default", [], {}, REAL),
    ("HalfFlat", "default", [], {}, POSITIVE),
    ("TruncatedNormal", "default", [], {}, REAL[:-2]),
    ("TruncatedNormal", "lower", [0.5, 2.0], {"lower": 0.0}, REAL[:-2]),
    ("TruncatedNormal", "upper", [0.5, 2.0], {"upper": 3.0}, REAL[:-2]),
    ("TruncatedNormal", "both", [0.5, 2.0], {"lower": -1.0, "upper": 3.0}, REAL[:-2]),
    ("TruncatedNormal", "tau", [], {"mu": 1.0, "tau": 4.0, "lower": 2.0, "upper": 5.0}, [2.5, 4.9]),
    ("TruncatedNormal", "tail", [], {"lower": 8.0, "upper": 9.0}, [8.1, 8.9]),
    ("Interpolated", "positional", [X, PDF], {}, [-1.5, -0.5, 0.2, 1.0, 2.5]),
    ("DiscreteUniform", "positional", [1, 10], {}, COUNT),
    ("DiscreteUniform", "reals", [], {"lower": -1.5, "upper": 9.2}, COUNT),
    ("Geometric", "positional", [0.3], {}, COUNT),
    ("ZeroInflatedPoisson", "positional", [0.7, 2.4], {}, COUNT),
    ("ZeroInflatedBinomial", "positional", [0.7, 10, 0.3], {}, COUNT),
    ("ZeroInflatedNegativeBinomial", "mu-alpha", [0.7, 3.0, 2.0], {}, COUNT),
    ("ZeroInflatedNegativeBinomial", "n-p", [], {"psi": 0.4, "n": 4.5, "p": 0.35}, COUNT),
    ("BetaBinomial", "positional", [2.0, 3.0, 10], {}, COUNT),
    ("HyperGeometric", "positional", [50, 12, 10], {}, COUNT),
    ("OrderedLogistic", "positional", [0.3, [-1.0, 0.0, 2.0]], {}, [0, 1, 2, 3]),
    ("DiracDelta", "whole", [2], {}, [1, 2, 3]),
    ("DiracDelta", "real", [2.5], {}, [1.0, 2.5, 3.0]),
    ("Multinomial", "positional", [10, [0.2, 0.3, 0.5]], {}, COUNTS),
    ("Multinomial", "batch", [], {"n": [10, 5], "p": [0.2, 0.3, 0.5]}, [[[2, 3, 5], [0, 0, 5]]]),
    ("DirichletMultinomial", "positional", [10, [0.2, 3.0, 0.5]], {}, COUNTS),
    ("MvStudentT", "scale", [3.0], {"mu": [0.0, 1.0, -1.0], "scale": SCALE}, VECTORS),
    ("MvStudentT", "chol", [], {"nu": 3.0, "chol": CHOL}, VECTORS),
    ("NormalMixture", "positional", [[0.3, 0.7], [0.0, 2.0], [1.0, 0.5]], {}, REAL[:-2]),
    ("NormalMixture", "tau", [[0.3, 0.7]], {"mu": [0.0, 2.0], "tau": 4.0}, REAL[:-3]),
    ("Mixture", "several", [[0.3, 0.7], [N01, inner("StudentT", 3.0, 1.0)]], {}, REAL[:-2]),
    (
        "Mixture",
        "positive",
        [[0.3, 0.7], [inner("Exponential", 0.3), inner("Gamma", 2.0, 0.5)]],
        {},
        INSIDE,
    ),
    ("Mixture", "vector", [[0.3, 0.7], inner("Poisson", [2.0, 7.0])], {}, COUNT),
    (
        "Mixture",
        "events",
        [
            [0.3, 0.7],
            [inner("MvNormal", [0.0, 1.0, -1.0], SCALE), inner("MvNormal", [2.0, 2.0, 2.0], SCALE)],
        ],
        {},
        VECTORS,
    ),
    (
        "LKJCholeskyCov",
        "scalar",
        [],
        {"eta": 2.0, "n": 3, "compute_corr": False, "sd_dist": inner("Exponential", 0.7)},
        PACKED,
    ),
    (
        "LKJCholeskyCov",
        "vector",
        [],
        {
            "eta": 0.7,
            "n": 3,
            "compute_corr": False,
            "sd_dist": inner("HalfNormal", [0.5, 1.0, 2.0]),
        },
        PACKED,
    ),
    ("LKJCorr", "positional", [3, 2.5], {}, [CORR]),
    ("LKJCorr", "four", [4, 0.8], {}, []),
    ("ZeroSumNormal", "default", [], {"shape": [3]}, ZERO_SUM),
    ("ZeroSumNormal", "sigma", [1.7], {"shape": [4, 3]}, [[ZERO_SUM[0]] * 4]),
    ("ZeroSumNormal", "two-axes", [1.7], {"shape": [4, 3], "n_zerosum_axes": 2}, []),
    ("GaussianRandomWalk", "steps", [0.1, 0.7], {"init_dist": N01, "steps": 4}, SERIES),
    ("AR", "first", [[0.6]], {"sigma": 0.5, "init_dist": N01, "steps": 4}, SERIES),
    ("AR", "second", [[0.6, -0.2], 0.5], {"init_dist": N01, "steps": 3}, SERIES),
    (
        "AR",
        "constant",
        [[0.6, -0.2], 0.5],
        {"init_dist": N01, "steps": 4, "constant": True},
        SERIES,
    ),
    ("AR", "batch", [0.3, [0.5, 1.0]], {"init_dist": N01, "shape": [2, 5]}, [SERIES]),
    ("Truncated", "normal", [inner("Normal", 0.3, 2.0)], {"lower": 0.0}, REAL[:-2]),
    ("Truncated", "positional", [inner("StudentT", 3.0, 0.5), -1.0, 2.0], {}, REAL[:-2]),
    ("Truncated", "gamma", [inner("Gamma", 2.0, 0.5)], {"lower": 1.5}, INSIDE),
    ("Truncated", "weibull", [inner("Weibull", 1.5, 2.0)], {"lower": 0.5, "upper": 4.0}, INSIDE),
    ("Truncated", "upper", [inner("Logistic", 0.5, 2.0)], {"upper": 1.0}, REAL[:-2]),
    ("Truncated", "gumbel", [inner("Gumbel", 0.5, 2.0), -1.0, 4.0], {}, REAL[:-2]),
    ("Truncated", "tail", [inner("Exponential", 1.0), 30.0, 32.0], {}, [29.0, 30.5, 33.0]),
    ("Truncated", "lognormal", [inner("LogNormal", 0.0, 1.0), 2.0], {}, INSIDE),
    (
        "Truncated",
        "vector",
        [inner("Laplace", [0.0, 1.0], 2.0)],
        {"lower": [-1.0, "-inf"], "upper": [2.0, 3.0]},
        PAIR,
    ),
    ("Truncated", "poisson", [inner("Poisson", 2.4)], {"lower": 1}, COUNT),
    ("Truncated", "poisson-both", [inner("Poisson", 2.4)], {"lower": 1, "upper": 9}, COUNT),
    ("Truncated", "binomial", [inner("Binomial", 10, 0.3)], {"upper": 5}, COUNT),
    (
        "Truncated",
        "negativebinomial",
        [inner("NegativeBinomial", 3.0, 2.0)],
        {"lower": 2},
        COUNT,
    ),
    ("Censored", "both", [inner("Normal", 0.3, 2.0)], {"lower": -1.0, "upper": 4.2}, REAL),
    ("Censored", "positional", [inner("StudentT", 3.0, 0.5), -1.0, 1.0], {}, REAL),
    ("Censored", "lower", [inner("Logistic", 0.5, 2.0)], {"lower": 0.0}, REAL[:-2]),
    ("Censored", "weibull", [inner("Weibull", 1.5, 2.0)], {"lower": None, "upper": 3.7}, INSIDE),
    ("Censored", "zero", [inner("Gamma", 2.0, 0.5)], {"lower": 0.2, "upper": "inf"}, INSIDE),
    (
        "Censored",
        "vector",
        [inner("Exponential", [1.0, 0.3])],
        {"upper": [0.3, "inf"]},
        [[0.3, 1.2], [0.1, 20.0]],
    ),
    ("Censored", "poisson", [inner("Poisson", 2.4)], {"lower": 1, "upper": 9}, COUNT),
    ("Censored", "binomial", [inner("Binomial", 10, 0.3)], {"upper": 5}, COUNT),
]
