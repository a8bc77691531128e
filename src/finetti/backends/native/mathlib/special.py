"""The gamma function's logarithm, digamma, and the error function's family, for vectors.

Scalar code (one lane) calls libm or the kernels of finetti._core. The polynomials were fitted by
`tools/fit_mathlib.py`.
"""

from __future__ import annotations

import math

from finetti.backends.native.builder import Builder
from finetti.backends.native.mathlib.calls import slow_lanes
from finetti.backends.native.mathlib.elementary import exp, log, log1p, log_of_normal

# (log(x) - 1 / 2x - digamma(x)) x^2 as a polynomial in 1 / x^2, x >= 8
DIGAMMA = (
    -0.017711160415846534, 0.007519088230747095, -0.004166217650696842, 0.003968252342841619,
    -0.008333333331168558, 0.08333333333333287,
)  # fmt: skip
# the error of Stirling's formula for log Gamma(x), times x, as a polynomial in 1 / x^2, x >= 8
STIRLING = (
    -0.0016526004455595122, 0.0008372834512071336, -0.0005952025951802712, 0.0007936506649488252,
    -0.002777777777606244, 0.0833333333333333,
)  # fmt: skip
# (1/2 + x) erfcx(x) as a polynomial in (x - 4) / (x + 4), x >= 0
ERFCX = tuple(
    0.5 * c
    for c in (
        9.655408225482863e-10, 1.5712153638319064e-09, -1.2544825403855518e-08,
        -1.6357383982124768e-08, 1.0683442926744586e-07, 7.111912428010423e-08,
        -8.218020654813044e-07, 2.980596055322769e-07, 5.707239573693257e-06,
        -1.1225140354449658e-05, -2.439811794207995e-05, 0.0001506231178516207,
        -0.00019925700412184815, -0.0007577737141838885, 0.005031970032548695,
        -0.01619773397992426, 0.0371675155318432, -0.06633036582050367, 0.09373283499865172,
        -0.10103906603585294, 0.0680970542546862, 0.015379652102610162, -0.1396211168405625,
        1.2329951186255526,
    )
)  # fmt: skip
# erf(x) / x as a polynomial in x^2, |x| <= 1
ERF = (
    -7.795898827002142e-10, 1.3720064546777686e-08, -1.6208483801871705e-07,
    1.6447424703317362e-06, -1.492473690741966e-05, 0.00012055294904839707,
    -0.0008548325975389692, 0.0052239776071164225, -0.02686617064323777, 0.11283791670945006,
    -0.37612638903183543, 1.1283791670955126,
)  # fmt: skip

_SHIFT = 8.0
# below this the vector formulas of digamma and gammaln give way to the scalar kernels
TINY = 1e-300


def digamma(b: Builder, x: str, lanes: int) -> str:
    """The derivative of log Gamma: an asymptotic series, from x + 8 on where x is below 8."""
    if lanes == 1:
        return b.call("finetti_digamma", [x])
    small = b.fcmp("olt", x, _SHIFT, lanes)
    # 1/x + ... + 1/(x+7) = (2x + 7) Q'(t) / Q(t), t = x (x + 7), Q = t (t + 6) (t + 10) (t + 12)
    t = b.fmul(x, b.fadd(x, 7.0, lanes), lanes)
    top = b.horner(t, (4.0, 84.0, 504.0, 720.0), lanes)
    top = b.fmul(b.fma(x, 2.0, 7.0, lanes), top, lanes)
    shift = b.fdiv(top, _rising_factorial(b, t, lanes), lanes)
    shifted = b.select(small, b.fadd(x, _SHIFT, lanes), x, lanes)
    r = b.fdiv(1.0, shifted, lanes)
    r2 = b.fmul(r, r, lanes)
    y = b.fma(r, -0.5, log_of_normal(b, shifted, lanes), lanes)
    y = b.fsub(y, b.fmul(r2, b.horner(r2, DIGAMMA, lanes), lanes), lanes)
    y = b.select(small, b.fsub(y, shift, lanes), y, lanes)
    y = b.select(b.fcmp("oeq", x, math.inf, lanes), x, y, lanes)
    return slow_lanes(b, b.fcmp("olt", x, TINY, lanes), y, "finetti_digamma", [x], lanes)


def gammaln(b: Builder, x: str, lanes: int) -> str:
    """log |Gamma(x)|: Stirling's series, from x + 8 on where x is below 8.

    With L = log(x + 8), and P = x (x + 1) ... (x + 7): (x - 1/2) (L - 1) + series - log(P C L^-8),
    in which nothing large cancels; without the shift P / (x + 8)^8 becomes 1.
    """
    if lanes == 1:
        return b.call("finetti_gammaln", [x])
    small = b.fcmp("olt", x, _SHIFT, lanes)
    shifted = b.select(small, b.fadd(x, _SHIFT, lanes), x, lanes)
    r = b.fdiv(1.0, shifted, lanes)
    r2 = b.fmul(r, r, lanes)
    r4 = b.fmul(r2, r2, lanes)
    t = b.fmul(x, b.fadd(x, 7.0, lanes), lanes)
    constant = 0.5 - 0.5 * math.log(2.0 * math.pi)
    ratio = b.fmul(b.fmul(r4, math.exp(constant + _SHIFT), lanes), r4, lanes)
    ratio = b.fmul(_rising_factorial(b, t, lanes), ratio, lanes)
    ratio = b.select(small, ratio, math.exp(constant), lanes)
    series = b.fmul(r, b.horner(r2, STIRLING, lanes), lanes)
    rest = b.fsub(series, log_of_normal(b, ratio, lanes), lanes)
    head = b.fsub(log_of_normal(b, shifted, lanes), 1.0, lanes)
    y = b.fma(b.fsub(x, 0.5, lanes), head, rest, lanes)
    return slow_lanes(b, b.fcmp("olt", x, TINY, lanes), y, "finetti_gammaln", [x], lanes)


def _rising_factorial(b: Builder, t: str, lanes: int) -> str:
    """x (x + 1) ... (x + 7), its factors paired from both ends, by t = x (x + 7)."""
    outer = b.fmul(t, b.fadd(t, 6.0, lanes), lanes)
    inner = b.fmul(b.fadd(t, 10.0, lanes), b.fadd(t, 12.0, lanes), lanes)
    return b.fmul(outer, inner, lanes)


def _erfcx_of_positive(b: Builder, x: str, lanes: int) -> str:
    """exp(x^2) erfc(x) for x >= 0, infinity included."""
    q = b.fsub(1.0, b.fdiv(8.0, b.fadd(x, 4.0, lanes), lanes), lanes)
    return b.fdiv(b.horner(q, ERFCX, lanes), b.fadd(x, 0.5, lanes), lanes)


def _exp_of_square(b: Builder, x: str, lanes: int, *, sign: float) -> str:
    """exp(sign x^2), corrected for the rounding of x^2."""
    with b.exact():
        square = b.fmul(x, x, lanes)
        lost = b.fma(x, x, b.fneg(square, lanes), lanes)
        power = exp(b, b.fmul(square, sign, lanes), lanes)
        return b.fmul(power, b.fma(lost, sign, 1.0, lanes), lanes)


def _upper_tail(b: Builder, size: str, lanes: int) -> str:
    """erfc(x) for x >= 0."""
    # beyond 28 the answer underflows
    size = b.clamp_above(size, 28.0, lanes)
    tail = _exp_of_square(b, size, lanes, sign=-1.0)
    return b.fmul(_erfcx_of_positive(b, size, lanes), tail, lanes)


def erf(b: Builder, x: str, lanes: int) -> str:
    """The error function."""
    if lanes == 1:
        return b.call("erf", [x])
    size = b.fabs(x, lanes)
    far = b.copysign(b.fsub(1.0, _upper_tail(b, size, lanes), lanes), x, lanes)
    near = b.fmul(x, b.horner(b.fmul(x, x, lanes), ERF, lanes), lanes)
    return b.select(b.fcmp("olt", size, 1.0, lanes), near, far, lanes)


def erfc(b: Builder, x: str, lanes: int) -> str:
    """1 - erf(x), accurate in its tail."""
    if lanes == 1:
        return b.call("erfc", [x])
    tail = _upper_tail(b, b.fabs(x, lanes), lanes)
    return b.select(b.fcmp("olt", x, 0.0, lanes), b.fsub(2.0, tail, lanes), tail, lanes)


def erfcx(b: Builder, x: str, lanes: int) -> str:
    """exp(x^2) erfc(x)."""
    if lanes == 1:
        return b.call("finetti_erfcx", [x])
    tail = _erfcx_of_positive(b, b.fabs(x, lanes), lanes)
    # beyond -27 the answer overflows; keeping x finite keeps the rounding of x^2 finite
    growth = _exp_of_square(b, b.clamp_below(x, -27.0, lanes), lanes, sign=1.0)
    left = b.fsub(b.fmul(growth, 2.0, lanes), tail, lanes)
    return b.select(b.fcmp("olt", x, 0.0, lanes), left, tail, lanes)


def ndtr(b: Builder, x: str, lanes: int) -> str:
    """The standard normal distribution function."""
    scaled = b.fmul(x, -math.sqrt(0.5), lanes)
    return b.fmul(erfc(b, scaled, lanes), 0.5, lanes)


def log_ndtr(b: Builder, x: str, lanes: int) -> str:
    """The logarithm of the standard normal distribution function, accurate in both tails."""
    if lanes == 1:
        return b.call("finetti_log_ndtr", [x])
    size = b.fmul(b.fabs(x, lanes), math.sqrt(0.5), lanes)
    half = b.fmul(_erfcx_of_positive(b, size, lanes), 0.5, lanes)
    square = b.fmul(b.fmul(x, x, lanes), 0.5, lanes)
    # its logarithm needs a normal number; where it is cut, the square is all that counts
    half = b.clamp_below(half, TINY, lanes)
    with b.exact():
        upper = b.fmul(half, exp(b, b.fneg(square, lanes), lanes), lanes)
        # log of 1 - upper, kept in two parts, to the right of zero; of half to the left
        right = b.fcmp("ogt", x, 0.0, lanes)
        whole = b.fsub(1.0, upper, lanes)
        lost = b.fsub(b.fsub(1.0, whole, lanes), upper, lanes)
        argument = b.select(right, whole, half, lanes)
        y = log_of_normal(b, argument, lanes, rest=b.select(right, lost, 0.0, lanes))
    y = b.select(right, y, b.fsub(y, square, lanes), lanes)
    return b.select(b.fcmp("uno", x, x, lanes), x, y, lanes)


def xlogy(b: Builder, x: str, y: str, lanes: int) -> str:
    """x log(y), and 0 where x is 0 (unless y is NaN)."""
    return _zero_wins(b, x, y, b.fmul(x, log(b, y, lanes), lanes), lanes)


def xlog1py(b: Builder, x: str, y: str, lanes: int) -> str:
    """x log(1 + y), and 0 where x is 0 (unless y is NaN)."""
    return _zero_wins(b, x, y, b.fmul(x, log1p(b, y, lanes), lanes), lanes)


def _zero_wins(b: Builder, x: str, y: str, product: str, lanes: int) -> str:
    zero = b.logical_and(b.fcmp("oeq", x, 0.0, lanes), b.fcmp("ord", y, y, lanes), lanes)
    return b.select(zero, 0.0, product, lanes)
