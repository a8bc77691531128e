"""Exponential and logarithm and their kin, as inlined polynomials.

Errors are below 1.2 ulp (tanh: 2.5); infinities, NaN, signed zeros and subnormals come out as from
libm, which scalar code (one lane) calls. The polynomials were fitted by `tools/fit_mathlib.py`.
"""

from __future__ import annotations

import math

from finetti.backends.native.builder import Builder, Operand

# log 2 in two parts; the first has 21 zero bits at its end, so that n * LN2_HIGH is exact
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
# adding 1.5 * 2^52 rounds to an integer, which then sits in the low bits
ROUNDER = 6755399441055744.0
# an exponent's field, put into the bits of 2^52, is a double that exceeds the exponent by this
EXPONENT_BIAS = 2.0**52 + 1023.0

# (exp(r) - 1 - r) / r^2 for |r| <= log(2) / 2
EXP = (
    2.0914686968086876e-09, 2.5105217004720745e-08, 2.75572736431103e-07,
    2.7557255400206422e-06, 2.4801587325547743e-05, 0.00019841269874820627,
    0.0013888888888883748, 0.008333333333326136, 0.04166666666666667, 0.1666666666666667, 0.5,
)  # fmt: skip
# (2 atanh(s) / s - 2) / s^2 as a polynomial in s^2, for s up to (sqrt(2) - 1) / (sqrt(2) + 1)
LOG = (
    0.14616585424888623, 0.15331710618210773, 0.18182889455674947, 0.22222211130259878,
    0.2857142862600327, 0.39999999999899444, 0.666666666666667,
)  # fmt: skip

# below it an exponential rounds to 0
_SMALLEST_LOG = -1075.0 * math.log(2.0)
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_ONE_BITS = 0x3FF0000000000000


def _reduce_by_ln2(b: Builder, x: str, lanes: int) -> tuple[str, str, str, str]:
    """x = n log 2 + r: the rounder's sum (n in its low bits), n, x - n LN2_HIGH, and r."""
    shifted = b.fma(x, math.log2(math.e), ROUNDER, lanes)
    n = b.fsub(shifted, ROUNDER, lanes)
    high = b.fma(n, -LN2_HIGH, x, lanes)
    return shifted, n, high, b.fma(n, -LN2_LOW, high, lanes)


def exp(b: Builder, x: str, lanes: int) -> str:
    """e to the power x, subnormal results included."""
    if lanes == 1:
        return b.call("exp", [x])
    with b.exact():
        # 710 overflows and -746 underflows by the arithmetic below
        x = b.clamp_below(b.clamp_above(x, 710.0, lanes), -746.0, lanes)
        shifted, _, _, r = _reduce_by_ln2(b, x, lanes)
        q = b.horner(r, EXP, lanes)
        p = b.fadd(b.fma(b.fmul(r, r, lanes), q, r, lanes), 1.0, lanes)
        # p 2^n in two steps with normal factors: 2^(n-1) 2, or 2^(n+256) 2^-256 near underflow
        tiny = b.fcmp("olt", x, -700.0, lanes)
        bias = b.select(tiny, (1023 + 256) << 52, 1022 << 52, lanes, "i64")
        power = b.iop("add", b.iop("shl", b.bits(shifted, lanes), 52, lanes), bias, lanes)
        p = b.fmul(p, b.from_bits(power, lanes), lanes)
        # below the smallest number times 0, since a product that underflows takes 100 cycles
        gone = b.fcmp("olt", x, _SMALLEST_LOG, lanes)
        last = b.select(tiny, b.select(gone, 0.0, 2.0**-256, lanes), 2.0, lanes)
        return b.fmul(p, last, lanes)


def expm1(b: Builder, x: str, lanes: int) -> str:
    """exp(x) - 1, accurate near zero."""
    if lanes == 1:
        return b.call("expm1", [x])
    with b.exact():
        t = b.clamp_below(b.clamp_above(x, 710.0, lanes), -40.0, lanes)
        shifted, n, high, r = _reduce_by_ln2(b, t, lanes)
        # what r lost to rounding matters here: for n = 1 the sum cancels
        lost = b.fma(n, -LN2_LOW, b.fsub(high, r, lanes), lanes)
        q = b.fma(b.fmul(r, r, lanes), b.horner(r, EXP, lanes), lost, lanes)
        # y = 2 ((s - 1/2) + s r + s q) with s = 2^(n-1), the first sum kept in two parts
        power = b.iop("shl", b.bits(shifted, lanes), 52, lanes)
        s = b.from_bits(b.iop("add", power, 1022 << 52, lanes), lanes)
        start, sr = b.fsub(s, 0.5, lanes), b.fmul(s, r, lanes)
        head = b.fadd(start, sr, lanes)
        tail = b.fadd(b.fsub(start, head, lanes), sr, lanes)
        y = b.fmul(b.fadd(head, b.fma(s, q, tail, lanes), lanes), 2.0, lanes)
        # below 2^-54 the answer is x itself, sign of zero and subnormals included
        return b.select(b.fcmp("olt", b.fabs(x, lanes), 2.0**-54, lanes), x, y, lanes)


def split_normal(b: Builder, x: str, bias: Operand, lanes: int) -> tuple[str, str, str]:
    """x = 2^k (1 + f), 1 + f between sqrt(1/2) and sqrt(2): k's field of bits, k, and f."""
    moved = b.iop("add", b.bits(x, lanes), _ONE_BITS - _SQRT_HALF_BITS, lanes)
    field = b.iop("lshr", moved, 52, lanes)
    mantissa = b.iop("and", moved, (1 << 52) - 1, lanes)
    mantissa = b.from_bits(b.iop("add", mantissa, _SQRT_HALF_BITS, lanes), lanes)
    k = b.from_bits(b.iop("or", field, 0x433 << 52, lanes), lanes)
    return field, b.fsub(k, bias, lanes), b.fsub(mantissa, 1.0, lanes)


def log_of_normal(
    b: Builder, x: str, lanes: int, *, bias: Operand = EXPONENT_BIAS, rest: str | None = None
) -> str:
    """log(x + rest) for normal positive x; `bias` turns the exponent's field into the exponent.

    With s = f / (2 + f): log(1 + f) = f - (f^2 / 2 - s (f^2 / 2 + s^2 P(s^2))).
    """
    with b.exact():
        field, k, f = split_normal(b, x, bias, lanes)
        s = b.fdiv(f, b.fadd(f, 2.0, lanes), lanes)
        z = b.fmul(s, s, lanes)
        series = b.fmul(b.horner(z, LOG, lanes), z, lanes)
        half = b.fmul(b.fmul(f, f, lanes), 0.5, lanes)
        low = b.fmul(k, LN2_LOW, lanes)
        if rest is not None:
            # rest / x = rest 2^(1-k) / 2 (1 + f), and 1 / 2 (1 + f) = 1/2 - f/2 + f^2 / 2 nearly
            power = b.iop("shl", b.iop("sub", 2047, field, lanes), 52, lanes)
            inverse = b.fma(f, -0.5, b.fadd(half, 0.5, lanes), lanes)
            scaled = b.fmul(rest, b.from_bits(power, lanes), lanes)
            low = b.fma(scaled, inverse, low, lanes)
        tail = b.fma(s, b.fadd(half, series, lanes), low, lanes)
        tail = b.fsub(f, b.fsub(half, tail, lanes), lanes)
        return b.fma(k, LN2_HIGH, tail, lanes)


def _edges_of_log(b: Builder, x: str, y: str, lanes: int, zero: float) -> str:
    """y where x lies inside the domain; -inf at its end `zero`, NaN beyond; inf and NaN as x."""
    y = b.select(b.fcmp("olt", x, math.inf, lanes), y, x, lanes)
    outside = b.select(b.fcmp("oeq", x, zero, lanes), -math.inf, math.nan, lanes)
    return b.select(b.fcmp("ole", x, zero, lanes), outside, y, lanes)


def log(b: Builder, x: str, lanes: int) -> str:
    """The natural logarithm, of subnormals too."""
    if lanes == 1:
        return b.call("log", [x])
    with b.exact():
        tiny = b.fcmp("olt", x, 2.0**-1022, lanes)
        scaled = b.select(tiny, b.fmul(x, 2.0**54, lanes), x, lanes)
        bias = b.select(tiny, EXPONENT_BIAS + 54.0, EXPONENT_BIAS, lanes)
        return _edges_of_log(b, x, log_of_normal(b, scaled, lanes, bias=bias), lanes, 0.0)


def log1p_unit(b: Builder, x: str, lanes: int) -> str:
    """log(1 + x) for x between 0 and 1 (or NaN), as softplus needs it: no edges."""
    if lanes == 1:
        return b.call("log1p", [x])
    with b.exact():
        u = b.fadd(x, 1.0, lanes)
        rest = b.fsub(x, b.fsub(u, 1.0, lanes), lanes)
        return log_of_normal(b, u, lanes, rest=rest)


def log1p(b: Builder, x: str, lanes: int) -> str:
    """log(1 + x), accurate near zero."""
    if lanes == 1:
        return b.call("log1p", [x])
    with b.exact():
        u = b.fadd(x, 1.0, lanes)
        larger, smaller = b.clamp_below(x, 1.0, lanes), b.clamp_above(x, 1.0, lanes)
        rest = b.fsub(smaller, b.fsub(u, larger, lanes), lanes)
        y = _edges_of_log(b, x, log_of_normal(b, u, lanes, rest=rest), lanes, -1.0)
        # keeps the sign of zero
        return b.select(b.fcmp("oeq", x, 0.0, lanes), x, y, lanes)


def tanh(b: Builder, x: str, lanes: int) -> str:
    """The hyperbolic tangent, from expm1."""
    if lanes == 1:
        return b.call("tanh", [x])
    with b.exact():
        e = expm1(b, b.fmul(b.fabs(x, lanes), -2.0, lanes), lanes)
        y = b.fdiv(e, b.fadd(e, 2.0, lanes), lanes)
        return b.copysign(y, x, lanes)


def sqrt(b: Builder, x: str, lanes: int) -> str:
    """The square root."""
    return b.sqrt(x, lanes)
