"""PyMC3's names for the maps between values and the unconstrained numbers that are sampled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from finetti.dialects.pymc import transforms as today
from finetti.dist import bijectors
from finetti.dist.bijectors import Bijector
from finetti.errors import NotYetSupported, did_you_mean

log = bijectors.log
logodds = bijectors.logodds
circular = bijectors.circular
ordered = bijectors.ordered()
Ordered = bijectors.ordered
stick_breaking = bijectors.simplex


def interval(a: Any, b: Any) -> Bijector:
    """The map of an interval."""
    return today.Interval(a, b)


def lowerbound(a: Any) -> Bijector:
    """The map of the numbers above a bound."""
    return replace(bijectors.interval(a, None), name="lowerbound")


def upperbound(b: Any) -> Bijector:
    """The map of the numbers below a bound."""
    return replace(bijectors.interval(None, b), name="upperbound")


def StickBreaking(eps: Any = None) -> Bijector:
    """The map of proportions."""
    return stick_breaking


Interval, LowerBound, UpperBound = interval, lowerbound, upperbound
_MISSING = frozenset(
    """
    Chain CholeskyCovPacked Circular ElemwiseTransform Log LogExpM1 LogOdds SumTo1 Transform
    TransformedDistribution identity log_exp_m1 sum_to_1 t_stick_breaking transform
    """.split()
)
__all__ = ["Interval", "LowerBound", "Ordered", "StickBreaking", "UpperBound", "circular",
           "interval", "log", "logodds", "lowerbound", "ordered", "stick_breaking",
           "upperbound"]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MISSING:
        raise NotYetSupported(
            f"the transform {name!r} is not there; there are {', '.join(__all__)}."
        )
    raise AttributeError(f"pymc3's transforms have no {name!r}. {did_you_mean(name, __all__)}")
