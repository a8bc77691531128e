"""NumPyro's modules of distributions (`continuous`, `discrete`, ...), by what they hold."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_OTHERS = {
    "distribution": (
        "Delta", "Distribution", "DistributionMeta", "ExpandedDistribution", "FoldedDistribution",
        "ImproperUniform", "Independent", "MaskedDistribution", "TransformedDistribution", "Unit",
        "enable_validation", "validation_enabled",
    ),
    "discrete": (
        "Bernoulli", "Binomial", "Categorical", "Geometric", "HurdleDistribution", "HurdleLogits",
        "HurdleNegativeBinomial2", "HurdlePoisson", "HurdleProbs", "Multinomial",
        "ZeroInflatedDistribution", "ZeroInflatedLogits", "ZeroInflatedPoisson",
        "ZeroInflatedProbs",
    ),
    "conjugate": ("NegativeBinomial", "ZeroInflatedNegativeBinomial2"),
    "continuous": (
        "EulerMaruyama", "GaussianStateSpace", "HurdleGamma", "HurdleLogNormal", "InverseWishart",
        "LKJ", "RelaxedBernoulli", "RelaxedBernoulliLogits", "Wishart",
    ),
    "mixtures": ("Mixture", "MixtureGeneral", "MixtureSameFamily"),
    "directional": ("SineSkewed",),
    "copula": ("GaussianCopula", "GaussianCopulaBeta"),
    "truncated": (
        "LeftTruncatedDistribution", "LeftTruncatedGamma", "RightTruncatedDistribution",
        "RightTruncatedGamma", "TruncatedCauchy", "TruncatedDistribution", "TruncatedGamma",
        "TruncatedNormal", "TruncatedPolyaGamma", "TwoSidedTruncatedDistribution",
        "TwoSidedTruncatedGamma",
    ),
    "censored": (
        "IntervalCensoredDistribution", "LeftCensoredDistribution", "RightCensoredDistribution",
    ),
    "kl": ("kl_divergence",),
}  # fmt: skip


def made(package: str, names: dict[str, Any]) -> dict[str, ModuleType]:
    """The modules, also where `import` finds them."""
    content = {module: list(own) for module, own in _OTHERS.items()}
    for name, value in names.items():
        row = getattr(value, "row", None)
        if row is not None and row.name == name:
            content[row.module].append(name)
    modules = {}
    for short, own in content.items():
        module = sys.modules.get(f"{package}.{short}") or ModuleType(f"{package}.{short}")
        module.__dict__.update({name: names[name] for name in own})
        sys.modules[module.__name__] = modules[short] = module
    return modules
