"""Sums and differences on the log scale, and the hyperbolic inverses, for any number of lanes."""

from __future__ import annotations

import math

from finetti.backends.native.builder import Builder
from finetti.backends.native.mathlib.elementary import exp, expm1, log, log1p, log1p_unit
from finetti.backends.native.mathlib.special import erfcx

# from here on x + 1 = x, and the square is not needed
_LARGE = 1e150


def logaddexp(b: Builder, x: str, y: str, lanes: int) -> str:
    """log(exp(x) + exp(y)); equal infinities give that infinity."""
    gap = b.select(b.fcmp("oeq", x, y, lanes), 0.0, b.fsub(x, y, lanes), lanes)
    tail = exp(b, b.fneg(b.fabs(gap, lanes), lanes), lanes)
    return b.fadd(b.maximum(x, y, lanes), log1p_unit(b, tail, lanes), lanes)


def log1mexp(b: Builder, x: str, lanes: int) -> str:
    """log(1 - exp(x)) for x < 0, accurate at both ends (Maechler 2012)."""
    near = log(b, b.fneg(expm1(b, x, lanes), lanes), lanes)
    far = log1p(b, b.fneg(exp(b, x, lanes), lanes), lanes)
    return b.select(b.fcmp("ogt", x, -math.log(2.0), lanes), near, far, lanes)


def mills_inverse(b: Builder, x: str, lanes: int) -> str:
    """The standard normal density over its distribution function."""
    scaled = erfcx(b, b.fmul(x, -math.sqrt(0.5), lanes), lanes)
    return b.fdiv(math.sqrt(2.0 / math.pi), scaled, lanes)


def arcsinh(b: Builder, x: str, lanes: int) -> str:
    """The inverse of sinh."""
    if lanes == 1:
        return b.call("asinh", [x])
    size = b.fabs(x, lanes)
    square = b.fmul(size, size, lanes)
    below = b.fadd(b.sqrt(b.fadd(square, 1.0, lanes), lanes), 1.0, lanes)
    # |x| + sqrt(x^2 + 1) - 1 without cancellation
    rest = b.fadd(size, b.fdiv(square, below, lanes), lanes)
    return b.copysign(_log1p_or_log2x(b, size, rest, lanes), x, lanes)


def arccosh(b: Builder, x: str, lanes: int) -> str:
    """The inverse of cosh for x >= 1."""
    if lanes == 1:
        return b.call("acosh", [x])
    above = b.fsub(x, 1.0, lanes)
    # two roots: their product is NaN below -1 too
    roots = b.fmul(b.sqrt(above, lanes), b.sqrt(b.fadd(x, 1.0, lanes), lanes), lanes)
    return _log1p_or_log2x(b, x, b.fadd(above, roots, lanes), lanes)


def _log1p_or_log2x(b: Builder, x: str, rest: str, lanes: int) -> str:
    """log(1 + rest), or log(2 x) where x is so large that rest may have overflowed."""
    large = b.fcmp("ogt", x, _LARGE, lanes)
    value = log1p(b, b.select(large, x, rest, lanes), lanes)
    return b.select(large, b.fadd(value, math.log(2.0), lanes), value, lanes)


def arctanh(b: Builder, x: str, lanes: int) -> str:
    """The inverse of tanh."""
    if lanes == 1:
        return b.call("atanh", [x])
    size = b.fabs(x, lanes)
    ratio = b.fdiv(b.fadd(size, size, lanes), b.fsub(1.0, size, lanes), lanes)
    return b.copysign(b.fmul(log1p(b, ratio, lanes), 0.5, lanes), x, lanes)
