"""Where the values of a distribution lie, and which values a parameter may have.

A test is written once, with operators: it takes tensors (checks in a density) and arrays (checks of
data). Which map leads from a support to the reals stands in `bijectors.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.ir import Node, Tensor, ops


@dataclass(frozen=True, eq=False)
class Support:
    """A set of values.

    Parameters
    ----------
    kind : str
        Its row in the table of bijectors.
    words : str
        What error messages call its members.
    test : callable or None
        Membership, elementwise or for each event; None when every number is a member. For a tensor
        it may return None: it is one by construction.
    event_ndim : int
        How many trailing axes make up one member.
    discrete : bool
        Whether members are whole numbers.
    lower, upper : array_like, optional
        The bounds of an interval; tensors when they depend on parameters.
    exact : callable or None
        What only numbers are tested for, because a density need not: that proportions sum to 1.
    infinite : bool
        Whether infinities are members.
    bijector : Bijector, optional
        The map to the reals, where `kind` is not enough to know it.
    """

    kind: str
    words: str
    test: Callable[[Any], Any] | None = None
    event_ndim: int = 0
    discrete: bool = False
    lower: Any = None
    upper: Any = None
    exact: Callable[[np.ndarray], Any] | None = None
    infinite: bool = False
    bijector: Any = None

    def contains(self, value: Tensor) -> Tensor | None:
        """Membership as a tensor; None when nothing has to be checked."""
        return None if self.test is None else self.test(value)

    def check(self, values: np.ndarray) -> np.ndarray:
        """Membership of numbers, elementwise or for each event."""
        ok = ~np.isnan(values) if self.infinite else np.isfinite(values)
        if self.discrete:
            ok = ok & (values == np.floor(values))
        if self.event_ndim:
            ok = ok.all(tuple(range(-self.event_ndim, 0)))
        for test in (self.test, self.exact):
            ok = ok if test is None else ok & np.asarray(test(values))
        return ok


def interval(
    lower: Any, upper: Any, *, words: str = "", discrete: bool = False, kind: str = "interval"
) -> Support:
    """Numbers from `lower` to `upper`, both included; None leaves a side open."""
    if not words:
        many = "whole numbers" if discrete else "numbers"
        low = "" if lower is None else f" from {_text(lower, 'the lower bound')}"
        high = "" if upper is None else f" to {_text(upper, 'the upper bound')}"
        words = many + low + high

    def test(value: Any) -> Any:
        above = None if lower is None else value >= lower
        below = None if upper is None else value <= upper
        if above is None or below is None:
            return below if above is None else above
        return above & below

    return Support(kind, words, test, 0, discrete, lower, upper)


def _text(bound: Any, otherwise: str) -> str:
    value = None if isinstance(bound, Tensor) else np.asarray(bound)
    return f"{value.item():g}" if value is not None and value.size == 1 else otherwise


def integers(lower: Any = 0, upper: Any = None, words: str = "") -> Support:
    """Whole numbers from `lower` to `upper`, both included."""
    return interval(lower, upper, words=words, discrete=True, kind="integers")


def _inside_simplex(x: Any) -> Any:
    return ((x >= 0.0) & (x <= 1.0)).all(-1)


def _sums_to_one(x: np.ndarray) -> Any:
    return abs(x.sum(-1) - 1.0) <= 1e-6


def _probabilities(p: Any) -> Any:
    if isinstance(p, Tensor) and _is_softmax(p.node):
        return None
    # PyMC's tolerance.
    return _inside_simplex(p) & (abs(p.sum(-1) - 1.0) <= 1.001e-5)


def _is_softmax(node: Node) -> bool:
    """Whether a node is what `ops.softmax` makes over the last axis: equal nodes are one node."""
    if node.op is not ops.exp or node.args[0].op is not ops.subtract:
        return False
    x, total = map(Tensor, node.args[0].args)
    return x.ndim > 0 and total.node is ops.logsumexp(x, -1, keepdims=True).node


def _positive_diagonal(x: Any) -> Any:
    n = np.arange(x.shape[-1])
    return (x[..., n, n] > 0.0).all(-1)


real = Support("real", "real numbers")
extended_real = Support("real", "real numbers and infinities", infinite=True)
circle = interval(-np.pi, np.pi, words="angles from -pi to pi", kind="circle")
positive = Support("positive", "positive numbers", lambda x: x > 0.0)
nonnegative = Support("nonnegative", "numbers >= 0", lambda x: x >= 0.0)
unit_interval = interval(0.0, 1.0, words="numbers from 0 to 1", kind="unit_interval")
open_unit_interval = Support(
    "unit_interval", "numbers between 0 and 1", lambda x: (x > 0.0) & (x < 1.0)
)
counts = integers(0, words="whole numbers >= 0")
boolean = interval(0, 1, words="0 and 1", discrete=True, kind="boolean")
real_vector = Support("real_vector", "vectors of real numbers", event_ndim=1)
simplex = Support(
    "simplex",
    "vectors of numbers >= 0 that sum to 1",
    _inside_simplex,
    event_ndim=1,
    exact=_sums_to_one,
)
probabilities = Support(
    "probabilities", "probabilities that sum to 1", _probabilities, event_ndim=1
)
cholesky = Support(
    "cholesky",
    "lower triangular matrices with a positive diagonal (Cholesky factors)",
    _positive_diagonal,
    event_ndim=2,
)
