"""Fit the polynomials of `finetti.backends.native.mathlib` and of `native/include/finetti/special`.

    python tools/fit_mathlib.py          # needs mpmath

Each is a Chebyshev interpolant, which is near the minimax polynomial; printed are its largest error
and its coefficients from the highest power down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

Real = Any
Row = tuple[Callable[[Real], Real], Real, Real, int]


def exp_rest(r: Real) -> Real:
    """(exp(r) - 1 - r) / r^2."""
    if abs(r) < 1e-6:
        return sum(r**k / mp.factorial(k + 2) for k in range(8))
    return (mp.expm1(r) - r) / r**2


def log_rest(z: Real) -> Real:
    """(2 atanh(s) / s - 2) / s^2 with z = s^2."""
    if abs(z) < 1e-8:
        return sum(2 * z**k / (2 * k + 3) for k in range(6))
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def digamma_rest(y: Real) -> Real:
    """(log x - 1 / 2x - digamma(x)) x^2 with y = 1 / x^2."""
    if y < 1e-6:
        return sum(mp.bernoulli(2 * k) / (2 * k) * y ** (k - 1) for k in range(1, 9))
    x = 1 / mp.sqrt(y)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) / y


def stirling_rest(y: Real) -> Real:
    """The error of Stirling's formula for log Gamma(x), times x, with y = 1 / x^2."""
    if y < 1e-6:
        return sum(mp.bernoulli(2 * k) / (2 * k * (2 * k - 1)) * y ** (k - 1) for k in range(1, 9))
    x = 1 / mp.sqrt(y)
    return (mp.loggamma(x) - (x - 0.5) * mp.log(x) + x - mp.log(2 * mp.pi) / 2) * x


def erfcx_scaled(q: Real) -> Real:
    """(1 + 2 x) exp(x^2) erfc(x) with q = (x - 4) / (x + 4)."""
    if q > 1 - mp.mpf(10) ** -12:
        return 2 / mp.sqrt(mp.pi)
    x = 4 * (1 + q) / (1 - q)
    if x < 30:
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)
    terms = [(-1) ** k * mp.fac2(2 * k - 1) / (2 * x * x) ** k for k in range(30)]
    return (1 + 2 * x) * sum(terms) / (x * mp.sqrt(mp.pi))


def erf_ratio(z: Real) -> Real:
    """erf(x) / x with z = x^2."""
    x = mp.sqrt(z)
    return 2 / mp.sqrt(mp.pi) if z < mp.mpf(10) ** -20 else mp.erf(x) / x


def rows() -> dict[str, Row]:
    """Name -> function, interval, number of coefficients."""
    # a little beyond the interval that occurs, as the reduction itself rounds
    half_log2 = mp.log(2) / 2 * mp.mpf("1.0001")
    atanh_range = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.0001")
    return {
        "EXP": (exp_rest, -half_log2, half_log2, 11),
        "LOG": (log_rest, mp.mpf(0), atanh_range, 7),
        "DIGAMMA": (digamma_rest, mp.mpf(0), mp.mpf(1) / 64, 6),
        "STIRLING": (stirling_rest, mp.mpf(0), mp.mpf(1) / 64, 6),
        "ERFCX": (erfcx_scaled, mp.mpf(-1), mp.mpf(1), 24),
        "ERF": (erf_ratio, mp.mpf(0), mp.mpf(1), 12),
    }


def main() -> None:
    """Print every fit."""
    mp.mp.dps = 40
    for name, (function, low, high, count) in rows().items():
        coefficients, error = mp.chebyfit(function, [low, high], count, error=True)
        print(f"{name}: error {mp.nstr(error, 3)}")
        print("   ", ", ".join(repr(float(c)) for c in coefficients))


if __name__ == "__main__":
    main()
