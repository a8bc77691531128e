"""Derivatives of the incomplete gamma and beta functions with respect to their parameters.

Series and continued fractions, differentiated term by term (Moore 1982, algorithm AS 187; Boik and
Robison-Cox 1998) by arithmetic on truncated Taylor expansions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaln, digamma, gammaln, polygamma

_TINY = 1e-300
_MOST = 100_000


class Jet:
    """A number with its derivatives to second order by two parameters, for arrays of numbers."""

    __slots__ = ("v", "a", "b", "aa", "ab", "bb")

    def __init__(
        self, v: Any, a: Any = 0.0, b: Any = 0.0, aa: Any = 0.0, ab: Any = 0.0, bb: Any = 0.0
    ):
        self.v, self.a, self.b, self.aa, self.ab, self.bb = v, a, b, aa, ab, bb

    def __add__(self, other: Jet) -> Jet:
        return Jet(self.v + other.v, self.a + other.a, self.b + other.b, self.aa + other.aa,
                   self.ab + other.ab, self.bb + other.bb)  # fmt: skip

    def __mul__(self, y: Jet) -> Jet:
        x = self
        return Jet(
            x.v * y.v,
            x.a * y.v + x.v * y.a,
            x.b * y.v + x.v * y.b,
            x.aa * y.v + 2.0 * x.a * y.a + x.v * y.aa,
            x.ab * y.v + x.a * y.b + x.b * y.a + x.v * y.ab,
            x.bb * y.v + 2.0 * x.b * y.b + x.v * y.bb,
        )

    def inverse(self) -> Jet:
        """One divided by the number."""
        r = 1.0 / np.where(np.abs(self.v) < _TINY, _TINY, self.v)
        square, cube = r * r, 2.0 * r * r * r
        return Jet(
            r, -square * self.a, -square * self.b,
            cube * self.a * self.a - square * self.aa,
            cube * self.a * self.b - square * self.ab,
            cube * self.b * self.b - square * self.bb,
        )  # fmt: skip

    def settled(self, sums: Jet) -> bool:
        """Whether multiplying `sums` by this factor changes nothing any more."""
        scale = np.abs(sums.v)
        steps = np.abs(self.v - 1.0) + sum(
            np.abs(part) * scale / np.maximum(np.abs(own), scale)
            for part, own in ((self.a, sums.a), (self.b, sums.b), (self.aa, sums.aa),
                              (self.ab, sums.ab), (self.bb, sums.bb))
        )  # fmt: skip
        return bool(np.all(~(steps > 4e-16)))


def _fraction(first: Jet, terms: Any) -> Jet:
    """The continued fraction 1 / (first + c_1 / (b_1 + c_2 / (b_2 + ...))), modified Lentz."""
    d = first.inverse()
    c = Jet(1.0 / _TINY + 0.0 * first.v)
    h = d
    for numerator, b in terms:
        d = (numerator * d + b).inverse()
        c = b + numerator * c.inverse()
        change = c * d
        h = h * change
        if change.settled(h):
            break
    return h


def _gamma_terms(a: Any, x: Any) -> Any:
    for i in range(1, _MOST):
        yield Jet(-i * (i - a), i), Jet(x + 1.0 - a + 2.0 * i, -1.0)


def _gamma_lower(order: int, a: Any, x: Any) -> Any:
    """The derivative of P by its power series, for x up to a + 1."""
    term = np.exp(a * np.log(x) - x - gammaln(a + 1.0))
    slope, curve = np.log(x) - digamma(a + 1.0), polygamma(1, a + 1.0)
    total = 0.0
    for n in range(1, _MOST):
        step = term * (slope if order == 1 else slope * slope - curve)
        total = total + step
        if np.all(~(term * (1.0 + slope * slope) > 1e-18 * np.abs(total))):
            break
        term = term * (x / (a + n))
        slope, curve = slope - 1.0 / (a + n), curve - 1.0 / (a + n) ** 2
    return total


def _gamma_upper(order: int, a: Any, x: Any) -> Any:
    """The derivative of Q by its continued fraction, for x above a + 1."""
    h = _fraction(Jet(x + 1.0 - a, -1.0), _gamma_terms(a, x))
    density = np.exp(a * np.log(x) - x - gammaln(a))
    slope = np.log(x) - digamma(a)
    if order == 1:
        return density * (slope * h.v + h.a)
    return density * ((slope * slope - polygamma(1, a)) * h.v + 2.0 * slope * h.a + h.aa)


def _on(mask: np.ndarray, function: Any, *arrays: np.ndarray) -> np.ndarray:
    """`function` of the elements that `mask` picks, zero elsewhere."""
    result = np.zeros(mask.shape)
    if mask.any():
        result[mask] = function(*(array[mask] for array in arrays))
    return result


def gammainc_d(a: Any, x: Any, order: int) -> np.ndarray:
    """The derivative of the lower incomplete gamma function P(a, x) by a, of order 1 or 2."""
    a, x = np.broadcast_arrays(np.asarray(a, float), np.asarray(x, float))
    valid = (a > 0) & np.isfinite(a) & (x >= 0)
    fine = valid & (x > 0) & np.isfinite(x)
    low = fine & (x <= a + 1.0)
    with np.errstate(all="ignore"):
        result = _on(low, lambda p, q: _gamma_lower(order, p, q), a, x)
        result -= _on(fine & ~low, lambda p, q: _gamma_upper(order, p, q), a, x)
    return np.where(valid, result, np.nan)


def _beta_terms(a: Any, b: Any, x: Any) -> Any:
    """DLMF 8.17.22 with derivatives: d_{2m-1} and d_{2m} in turn."""
    one = Jet(1.0 + 0.0 * x)
    pa, pb = Jet(a, 1.0), Jet(b, 0.0, 1.0)
    total = pa + pb
    for m in range(_MOST):
        if m:
            k = 2.0 * m
            below = ((pa + Jet(k - 1.0)) * (pa + Jet(k))).inverse()
            yield Jet(m * x) * Jet(b - m, 0.0, 1.0) * below, one
        below = ((pa + Jet(2.0 * m)) * (pa + Jet(2.0 * m + 1.0))).inverse()
        yield Jet(-x) * (pa + Jet(1.0 * m)) * (total + Jet(1.0 * m)) * below, one


def _beta_lower(i: int, j: int, a: Any, b: Any, x: Any, y: Any) -> Any:
    """The derivative of I_x(a, b) where x is below the mean, with y = 1 - x."""
    h = _fraction(Jet(1.0 + 0.0 * x), _beta_terms(a, b, x))
    front = np.exp(a * np.log(x) + b * np.log(y) - betaln(a, b)) / a
    both = digamma(a + b)
    p, q = np.log(x) - digamma(a + 1.0) + both, np.log(y) - digamma(b) + both
    if (i, j) == (1, 0):
        return front * (p * h.v + h.a)
    if (i, j) == (0, 1):
        return front * (q * h.v + h.b)
    both = polygamma(1, a + b)
    if (i, j) == (1, 1):
        return front * ((p * q + both) * h.v + p * h.b + q * h.a + h.ab)
    if i == 2:
        return front * ((p * p + both - polygamma(1, a + 1.0)) * h.v + 2.0 * p * h.a + h.aa)
    return front * ((q * q + both - polygamma(1, b)) * h.v + 2.0 * q * h.b + h.bb)


def betainc_d(a: Any, b: Any, x: Any, i: int, j: int) -> np.ndarray:
    """The derivative of I_x(a, b), i times by a and j times by b, i + j being 1 or 2."""
    a, b, x = np.broadcast_arrays(*(np.asarray(v, float) for v in (a, b, x)))
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1) & np.isfinite(a) & np.isfinite(b)
    fine = valid & (x > 0) & (x < 1)
    low = fine & (x <= (a + 1.0) / (a + b + 2.0))
    with np.errstate(all="ignore"):
        result = _on(low, lambda p, q, z: _beta_lower(i, j, p, q, z, 1.0 - z), a, b, x)
        result -= _on(fine & ~low, lambda p, q, z: _beta_lower(j, i, q, p, 1.0 - z, z), a, b, x)
    return np.where(valid, result, np.nan)
