"""Functions of doubles as LLVM text IR, for any number of lanes.

`MATH` maps a name to ``function(builder, *operands, lanes) -> value``. Vectors inline polynomials,
with the same bits on every instruction set that has fma; scalars call libm or a kernel of
finetti._core. A function may split the block it is emitted into (see `calls.slow_lanes`).
"""

from __future__ import annotations

from collections.abc import Callable

from finetti.backends.native.builder import Builder, Operand
from finetti.backends.native.mathlib import elementary, logs, power, special
from finetti.backends.native.mathlib.calls import elementwise_call

__all__ = ["MATH"]

Emit = Callable[..., str]


def _called(symbol: str, count: int) -> Emit:
    """A function of `count` operands that is called lane by lane."""

    def emit(b: Builder, *arguments: Operand | int) -> str:
        *operands, lanes = arguments
        if len(operands) != count:
            raise TypeError(f"{symbol} takes {count} operands, got {len(operands)}")
        return elementwise_call(b, symbol, operands, int(lanes))

    return emit


_CALLED = {
    1: ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tgamma", "cbrt"),
    2: ("atan2", "hypot", "fmod"),
}
_KERNELS = {
    1: ("erfinv", "i0e", "i1e", "ndtri", "trigamma"),
    2: ("gammainc", "gammaincc", "gammaincinv", "ive", "polygamma"),
    3: ("betainc", "betaincinv", "gammainc_d"),
    5: ("betainc_d",),
}

MATH: dict[str, Emit] = {
    **{name: _called(name, count) for count, names in _CALLED.items() for name in names},
    **{
        name: _called(f"finetti_{name}", count)
        for count, names in _KERNELS.items()
        for name in names
    },
    "exp": elementary.exp,
    "expm1": elementary.expm1,
    "log": elementary.log,
    "log1p": elementary.log1p,
    "log1p01": elementary.log1p_unit,
    "acosh": logs.arccosh,
    "asinh": logs.arcsinh,
    "atanh": logs.arctanh,
    "log1mexp": logs.log1mexp,
    "logaddexp": logs.logaddexp,
    "mills_inverse": logs.mills_inverse,
    "pow": power.power,
    "sqrt": elementary.sqrt,
    "tanh": elementary.tanh,
    "digamma": special.digamma,
    "erf": special.erf,
    "erfc": special.erfc,
    "erfcx": special.erfcx,
    "gammaln": special.gammaln,
    "log_ndtr": special.log_ndtr,
    "ndtr": special.ndtr,
    "xlog1py": special.xlog1py,
    "xlogy": special.xlogy,
}
