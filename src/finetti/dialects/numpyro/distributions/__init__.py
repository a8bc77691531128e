"""`numpyro.distributions`: names, arguments and shapes as NumPyro has them, JAX needed.

Every distribution of the tables (`names_*.py`) is a record of `finetti.dist`; its `log_prob` runs
the same graph in JAX that a model compiles to native code.
"""

from __future__ import annotations

from typing import Any

from finetti.dialects.numpyro.distributions import biject_rows as _biject_rows  # noqa: F401
from finetti.dialects.numpyro.distributions import constraints, transforms, util
from finetti.dialects.numpyro.distributions.base import (
    Distribution,
    DistributionMeta,
    ExpandedDistribution,
    Independent,
    MaskedDistribution,
    enable_validation,
    validation_enabled,
)
from finetti.dialects.numpyro.distributions.biject import ConstraintRegistry, biject_to
from finetti.dialects.numpyro.distributions.choices import (
    Bernoulli,
    Binomial,
    Categorical,
    Geometric,
    Multinomial,
    NegativeBinomial,
)
from finetti.dialects.numpyro.distributions.classes import CLASSES as _CLASSES
from finetti.dialects.numpyro.distributions.special import (
    Delta,
    FoldedDistribution,
    ImproperUniform,
    TransformedDistribution,
    Unit,
)

globals().update({name: cls for name, cls in _CLASSES.items() if name not in globals()})


def __getattr__(name: str) -> Any:
    raise AttributeError(f"numpyro.distributions has no attribute {name!r}")


__all__ = [
    "Bernoulli", "Binomial", "Categorical", "ConstraintRegistry", "Delta", "Distribution",
    "DistributionMeta", "ExpandedDistribution", "FoldedDistribution", "Geometric",
    "ImproperUniform", "Independent", "MaskedDistribution", "Multinomial", "NegativeBinomial",
    "TransformedDistribution", "Unit", "biject_to", "constraints", "enable_validation",
    "transforms", "util", "validation_enabled", *_CLASSES,
]  # fmt: skip  # noqa: PLE0604
