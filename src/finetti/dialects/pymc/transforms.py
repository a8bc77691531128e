"""PyMC's names for the maps between values and the unconstrained numbers that are sampled.

Pass one as ``pm.Normal("x", ..., transform=log, default_transform=None)``.
"""

from __future__ import annotations

from typing import Any

from finetti.dist import bijectors
from finetti.dist.bijectors import Bijector
from finetti.errors import NotYetSupported, ParameterError, did_you_mean
from finetti.ir import Tensor

log = bijectors.log
logodds = bijectors.logodds
simplex = bijectors.simplex
circular = bijectors.circular
Ordered = bijectors.ordered
ordered = Ordered()


def Interval(lower: Any = None, upper: Any = None) -> Bijector:
    """The map of an interval; None leaves a side open.

    Parameters
    ----------
    lower, upper : float or tensor, optional
        The bounds; both are excluded.

    Returns
    -------
    Bijector
    """
    if callable(lower) and not isinstance(lower, Tensor):
        raise NotYetSupported(
            "Interval with a function of the distribution's parameters is not there yet: pass the "
            "bounds themselves."
        )
    if lower is None and upper is None:
        raise ParameterError("Interval() has neither bound: give lower=, upper= or both.")
    return bijectors.interval(lower, upper)


_MISSING = frozenset(
    """
    Chain CholeskyCorrTransform CholeskyCovPacked CholeskyCovTransform Transform
    ZeroSumTransform log_exp_m1 sum_to_1
    """.split()
)
__all__ = ["Interval", "Ordered", "circular", "log", "logodds", "ordered", "simplex"]


def __getattr__(name: str) -> Any:
    if name in _MISSING:
        raise NotYetSupported(
            f"the transform {name!r} is not there yet; there are {', '.join(__all__)}."
        )
    raise AttributeError(f"pymc's transforms have no {name!r}. {did_you_mean(name, __all__)}")
