"""Formulas as users write them, whose plain evaluation loses digits: what they mean exactly.

Each form: a name, the formula over a module of functions `m` (NumPy for the plain evaluation,
finetti's for ours, mpmath's for the exact value), and the points at which it is looked at. Formulas
of a vector `v` of three elements say so by their points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WIDE = (-750.0, -40.0, -20.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 20.0, 40.0, 750.0)
NEGATIVE = (-750.0, -40.0, -20.0, -1.0, -0.3, -1e-5, -1e-9, -1e-17)
POSITIVE = (1e-300, 1e-17, 1e-9, 1e-3, 1.0, 20.0, 1e6)
SMALL = (-1e-3, -1e-9, -1e-17, 1e-17, 1e-9, 1e-3, 1.0)
TAILS = (-35.0, -12.0, -5.0, -1.0, -1e-9, 1e-9, 1.0, 5.0, 12.0, 35.0)
HUGE = (-1e200, -1e155, -3.0, -1e-170, 1e-170, 2.0, 1e155, 1e200)
VECTORS = (
    (0.0, 1.0, 2.0), (800.0, 801.0, 799.0), (-800.0, -790.0, -801.0), (1e-9, 0.0, -50.0),
    (600.0, -600.0, 0.0),
)  # fmt: skip
PAIRS = (
    (0.0, 1.0), (800.0, 799.0), (-800.0, -801.0), (40.0, -40.0), (-1.0, -1.5), (1e-9, -1e-9),
)  # fmt: skip

FALLING = ((1.0, 0.0), (800.0, 799.0), (-800.0, -801.0), (40.0, -40.0), (1e-9, -1e-9))


@dataclass(frozen=True)
class Form:
    """A formula and where it is looked at.

    Parameters
    ----------
    name : str
        As a user writes it.
    formula : callable
        (m, x) -> value; `x` is a number, or a list of numbers for points that are tuples.
    points : sequence
        Numbers or tuples of numbers.
    absolute : float
        Error that is allowed beside the relative one: of logarithms of what is nearly 1.
    """

    name: str
    formula: Callable[[Any, Any], Any]
    points: Sequence[Any]
    absolute: float = 0.0


FORMS = [
    Form("log(1 + exp(x))", lambda m, x: m.log(1 + m.exp(x)), WIDE),
    Form("log(exp(x) + 1)", lambda m, x: m.log(m.exp(x) + 1), WIDE),
    Form("log(1 + exp(-x))", lambda m, x: m.log(1 + m.exp(-x)), WIDE),
    Form("log1p(exp(x))", lambda m, x: m.log1p(m.exp(x)), WIDE),
    Form("log(1 - exp(x))", lambda m, x: m.log(1 - m.exp(x)), NEGATIVE),
    Form("log1p(-exp(x))", lambda m, x: m.log1p(-m.exp(x)), NEGATIVE),
    Form("log(-expm1(x))", lambda m, x: m.log(-m.expm1(x)), NEGATIVE),
    Form("log(exp(x) - 1)", lambda m, x: m.log(m.exp(x) - 1), (1e-17, 1e-9, 0.1, 1.0, 40.0, 750.0)),
    Form("1 / (1 + exp(-x))", lambda m, x: 1 / (1 + m.exp(-x)), WIDE),
    Form("exp(x) / (1 + exp(x))", lambda m, x: m.exp(x) / (1 + m.exp(x)), WIDE),
    Form("1 - 1 / (1 + exp(-x))", lambda m, x: 1 - 1 / (1 + m.exp(-x)), WIDE),
    Form("1 - exp(x) / (1 + exp(x))", lambda m, x: 1 - m.exp(x) / (1 + m.exp(x)), WIDE),
    Form("log(1 / (1 + exp(-x)))", lambda m, x: m.log(1 / (1 + m.exp(-x))), WIDE),
    Form("log(1 - 1 / (1 + exp(-x)))", lambda m, x: m.log(1 - 1 / (1 + m.exp(-x))), WIDE),
    Form("log(exp(x) / (1 + exp(x)))", lambda m, x: m.log(m.exp(x) / (1 + m.exp(x))), WIDE),
    Form("log(sigmoid(x))", lambda m, x: m.log(m.sigmoid(x)), WIDE),
    Form("log(1 - sigmoid(x))", lambda m, x: m.log(1 - m.sigmoid(x)), WIDE),
    Form("log1p(-sigmoid(x))", lambda m, x: m.log1p(-m.sigmoid(x)), WIDE),
    Form("1 - sigmoid(x)", lambda m, x: 1 - m.sigmoid(x), WIDE),
    Form(
        "log(p / (1 - p)), p = sigmoid(x)",
        lambda m, x: m.log(m.sigmoid(x) / (1 - m.sigmoid(x))),
        WIDE,
    ),
    Form(
        "log(p) - log(1 - p), p = sigmoid(x)",
        lambda m, x: m.log(m.sigmoid(x)) - m.log(1 - m.sigmoid(x)),
        WIDE,
    ),
    Form(
        "3 log(p) + 4 log(1 - p), p = sigmoid(x)",
        lambda m, x: 3 * m.log(m.sigmoid(x)) + 4 * m.log(1 - m.sigmoid(x)),
        WIDE,
    ),
    Form("exp(x) - 1", lambda m, x: m.exp(x) - 1, SMALL),
    Form("1 - exp(-x)", lambda m, x: 1 - m.exp(-x), POSITIVE),
    Form("log(1 + x)", lambda m, x: m.log(1 + x), SMALL),
    Form("log(1 - x)", lambda m, x: m.log(1 - x), (-20.0, -1e-9, -1e-17, 1e-17, 1e-9, 1e-3, 0.5)),
    Form("log(1 + x**2 / 5)", lambda m, x: m.log(1 + x**2 / 5), (1e-12, 1e-8, 1e-3, 1.0, 1e3)),
    Form("log(exp(x))", lambda m, x: m.log(m.exp(x)), WIDE),
    Form("log(exp(x)**2)", lambda m, x: m.log(m.exp(x) ** 2), WIDE),
    Form("log(sqrt(exp(x)))", lambda m, x: m.log(m.sqrt(m.exp(x))), WIDE),
    Form("sqrt(x**2)", lambda m, x: m.sqrt(x**2), HUGE),
    Form("log(x**2)", lambda m, x: m.log(x**2), HUGE),
    Form("log(1 / x)", lambda m, x: m.log(1 / x), (1e-310, 1e-300, 1e-9, 1.0, 1e300)),
    Form("1 - exp(-exp(x))", lambda m, x: 1 - m.exp(-m.exp(x)), (-700.0, -40.0, -20.0, -1.0, 2.0)),
    Form(
        "log(1 - exp(-exp(x)))",
        lambda m, x: m.log(1 - m.exp(-m.exp(x))),
        (-700.0, -40.0, -20.0, -1.0, 1.0, 3.0),
    ),
    Form(
        "(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
        lambda m, x: (m.exp(x) - m.exp(-x)) / (m.exp(x) + m.exp(-x)),
        (-750.0, -20.0, -1.0, -1e-9, 1e-9, 1.0, 750.0),
    ),
    Form("log(cosh(x))", lambda m, x: m.log(m.cosh(x)), (-750.0, -20.0, -1e-3, 1e-3, 1.0, 750.0)),
    Form("1 - erf(x)", lambda m, x: 1 - m.erf(x), (-3.0, 0.1, 1.0, 3.0, 6.0, 20.0)),
    Form("log(1 - erf(x))", lambda m, x: m.log(1 - m.erf(x)), TAILS),
    Form("log(erfc(x))", lambda m, x: m.log(m.erfc(x)), TAILS),
    Form("0.5 (1 + erf(x / sqrt(2)))", lambda m, x: 0.5 * (1 + m.erf(x / 2**0.5)), TAILS),
    Form(
        "log(0.5 (1 + erf(x / sqrt(2))))", lambda m, x: m.log(0.5 * (1 + m.erf(x / 2**0.5))), TAILS
    ),
    Form("log(0.5 erfc(-x / sqrt(2)))", lambda m, x: m.log(0.5 * m.erfc(-x / 2**0.5)), TAILS),
    Form("log(Phi(x))", lambda m, x: m.log(m.ndtr(x)), TAILS),
    Form("log(1 - Phi(x))", lambda m, x: m.log(1 - m.ndtr(x)), TAILS),
    Form("log(exp(a) exp(b))", lambda m, x: m.log(m.exp(x[0]) * m.exp(x[1])), PAIRS),
    Form("log(exp(a) / exp(b))", lambda m, x: m.log(m.exp(x[0]) / m.exp(x[1])), PAIRS),
    Form("log(exp(a) + exp(b))", lambda m, x: m.log(m.exp(x[0]) + m.exp(x[1])), PAIRS),
    Form("log(exp(a) - exp(b))", lambda m, x: m.log(m.exp(x[0]) - m.exp(x[1])), FALLING),
    Form(
        "log(0.3 exp(a) + 0.7 exp(b))",
        lambda m, x: m.log(0.3 * m.exp(x[0]) + 0.7 * m.exp(x[1])),
        PAIRS[:-1],
    ),
    Form("log(sum(exp(v)))", lambda m, v: m.log(m.sum(m.exp(v))), VECTORS),
    Form("log(mean(exp(v)))", lambda m, v: m.log(m.mean(m.exp(v))), VECTORS),
    Form("exp(v) / sum(exp(v))", lambda m, v: (m.exp(v) / m.sum(m.exp(v)))[1], VECTORS),
    Form(
        "log(exp(v) / sum(exp(v)))",
        lambda m, v: m.log(m.exp(v) / m.sum(m.exp(v)))[1],
        VECTORS,
        3e-16,
    ),
    Form("log(softmax(v))", lambda m, v: m.log(m.softmax(v))[1], VECTORS, 3e-16),
]
