"""x to the power y for vectors, by a logarithm in two parts: its product with y may be large."""

from __future__ import annotations

import math

from finetti.backends.native.builder import Builder, Operand
from finetti.backends.native.mathlib.calls import elementwise_call, slow_lanes
from finetti.backends.native.mathlib.elementary import (
    EXPONENT_BIAS,
    LN2_HIGH,
    LN2_LOW,
    LOG,
    exp,
    split_normal,
)


def power(b: Builder, x: Operand, y: Operand, lanes: int) -> str:
    """x to the power y, as C's pow; off by about 1 ulp, 6 near overflow."""
    if lanes == 1 or not b.has_fma:
        return elementwise_call(b, "pow", [x, y], lanes)
    x, y = (v if isinstance(v, str) else b.const(v, lanes) for v in (x, y))
    with b.exact():
        high, low = _log_in_two_parts(b, x, lanes)
        product = b.fmul(y, high, lanes)
        rest = b.fma(y, high, b.fneg(product, lanes), lanes)
        rest = b.fma(y, low, rest, lanes)
        value = exp(b, product, lanes)
        # an infinite value is not corrected: infinity times a negative rest would be NaN
        corrected = b.fma(value, rest, value, lanes)
        value = b.select(b.fcmp("olt", value, math.inf, lanes), corrected, value, lanes)
    normal = b.fcmp("oge", x, 2.0**-1022, lanes)
    finite = b.fcmp("olt", x, math.inf, lanes)
    moderate = b.fcmp("olt", b.fabs(y, lanes), 1e100, lanes)
    fine = b.logical_and(b.logical_and(normal, finite, lanes), moderate, lanes)
    return slow_lanes(b, b.logical_not(fine, lanes), value, "pow", [x, y], lanes)


def _log_in_two_parts(b: Builder, x: str, lanes: int) -> tuple[str, str]:
    """log(x) as high + low, relative error about 2^-59, for normal positive x.

    log(1 + f) = 2 s + s^3 P(s^2) with s = f / (2 + f), the first term kept in two parts.
    """
    _, k, f = split_normal(b, x, EXPONENT_BIAS, lanes)
    below = b.fadd(f, 2.0, lanes)
    below_low = b.fsub(f, b.fsub(below, 2.0, lanes), lanes)
    inverse = b.fdiv(1.0, below, lanes)
    s = b.fmul(f, inverse, lanes)
    miss = b.fma(b.fneg(s, lanes), below, f, lanes)
    miss = b.fma(b.fneg(s, lanes), below_low, miss, lanes)
    s_low = b.fmul(miss, inverse, lanes)
    z = b.fmul(s, s, lanes)
    series = b.fmul(b.fmul(s, z, lanes), b.horner(z, LOG, lanes), lanes)
    low = b.fma(s_low, 2.0, b.fma(k, LN2_LOW, series, lanes), lanes)
    # k LN2_HIGH is exact, and either 0 or larger than 2 s
    start, twice = b.fmul(k, LN2_HIGH, lanes), b.fmul(s, 2.0, lanes)
    high = b.fadd(start, twice, lanes)
    low = b.fadd(low, b.fadd(b.fsub(start, high, lanes), twice, lanes), lanes)
    total = b.fadd(high, low, lanes)
    return total, b.fadd(b.fsub(high, total, lanes), low, lanes)
