"""`numpyro.distributions`: names, arguments and shapes as NumPyro has them, JAX needed.

Every distribution of the tables (`names_*.py`) is a record of `finetti.dist`; its `log_prob` runs
the same graph in JAX that a model compiles to native code.
"""

from __future__ import annotations

from typing import Any

from finetti.dialects.numpyro.distributions import (
    base,
    choices,
    constraints,
    divergence,
    mapped,
    mixtures,
    polyagamma,
    special,
    submodules,
    transforms,
    trees,
    util,
    wrapped,
)
from finetti.dialects.numpyro.distributions.biject import ConstraintRegistry
from finetti.dialects.numpyro.distributions.biject_rows import biject_to
from finetti.dialects.numpyro.distributions.classes import CLASSES
from finetti.errors import NotYetSupported

# Module -> what is public of it.
_PUBLIC = {
    trees: ("DistributionMeta",),
    base: ("Distribution", "ExpandedDistribution", "Independent",
           "MaskedDistribution", "enable_validation", "validation_enabled"),
    special: ("Delta", "FoldedDistribution", "ImproperUniform", "TransformedDistribution", "Unit"),
    choices: ("Bernoulli", "Binomial", "Categorical", "Geometric", "Multinomial",
              "NegativeBinomial"),
    mixtures: ("Mixture", "MixtureGeneral", "MixtureSameFamily"),
    wrapped: ("HurdleDistribution", "HurdleGamma", "HurdleLogNormal", "HurdleLogits",
              "HurdleNegativeBinomial2", "HurdlePoisson", "HurdleProbs",
              "IntervalCensoredDistribution", "LeftCensoredDistribution",
              "LeftTruncatedDistribution", "LeftTruncatedGamma", "RightCensoredDistribution",
              "RightTruncatedDistribution", "RightTruncatedGamma", "TruncatedCauchy",
              "TruncatedDistribution", "TruncatedGamma", "TruncatedNormal",
              "TwoSidedTruncatedDistribution", "TwoSidedTruncatedGamma",
              "ZeroInflatedDistribution", "ZeroInflatedLogits", "ZeroInflatedNegativeBinomial2",
              "ZeroInflatedPoisson", "ZeroInflatedProbs"),
    mapped: ("EulerMaruyama", "GaussianCopula", "GaussianCopulaBeta", "GaussianStateSpace",
             "InverseWishart", "LKJ", "RelaxedBernoulli", "RelaxedBernoulliLogits", "SineSkewed",
             "Wishart"),
    polyagamma: ("TruncatedPolyaGamma",),
    divergence: ("kl_divergence",),
}  # fmt: skip

_NAMES: dict[str, Any] = {
    **{name: cls for name, cls in CLASSES.items() if name != "TransformedDistribution"},
    **{name: getattr(module, name) for module, names in _PUBLIC.items() for name in names},
    "ConstraintRegistry": ConstraintRegistry, "biject_to": biject_to, "constraints": constraints,
    "transforms": transforms, "util": util,
}  # fmt: skip
globals().update(_NAMES)
globals().update(submodules.made(__name__, _NAMES))

# What there is in NumPyro and not here, and why.
MISSING = {
    "flows": "inverse autoregressive and neural flows are used by guides, which come with SVI",
    "batch_util": "its functions (vmap over distributions) are internal to NumPyro",
    "gof": "goodness-of-fit tests: use `scipy.stats` on draws",
}


def __getattr__(name: str) -> Any:
    if name in MISSING:
        raise NotYetSupported(f"numpyro.distributions.{name}: {MISSING[name]}.")
    raise AttributeError(f"module 'numpyro.distributions' has no attribute {name!r}")


__all__ = sorted(_NAMES)  # noqa: PLE0605
