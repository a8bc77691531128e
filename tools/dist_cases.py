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
]
