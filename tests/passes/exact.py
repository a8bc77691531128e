"""Formulas over three kinds of numbers: NumPy's, finetti's tensors, and mpmath's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
from scipy import special

from finetti.backends import native
from finetti.ir import ops
from finetti.ir.ops.leaf import new_input

mpmath.mp.dps = 800  # exp(-750) must be seen beside 1


class Vector:
    """A list of mpmath numbers with arithmetic by element."""

    def __init__(self, items: Any):
        self.items = list(items)

    def __getitem__(self, k: int) -> Any:
        return self.items[k]

    def __truediv__(self, other: Any) -> Vector:
        return Vector(item / other for item in self.items)


def _each(function: Any) -> Any:
    return lambda x: Vector(map(function, x.items)) if isinstance(x, Vector) else function(x)


def _softmax(v: Vector) -> Vector:
    total = sum(mpmath.exp(item) for item in v.items)
    return Vector(mpmath.exp(item) / total for item in v.items)


EXACT = SimpleNamespace(
    log=_each(mpmath.log), exp=_each(mpmath.exp), sqrt=mpmath.sqrt, erf=mpmath.erf,
    erfc=mpmath.erfc, cosh=mpmath.cosh, expm1=mpmath.expm1, log1p=mpmath.log1p,
    sigmoid=lambda x: 1 / (1 + mpmath.exp(-x)), ndtr=lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    sum=lambda v: sum(v.items), mean=lambda v: sum(v.items) / len(v.items), softmax=_softmax,
)  # fmt: skip
PLAIN = SimpleNamespace(
    log=np.log, exp=np.exp, sqrt=np.sqrt, erf=special.erf, erfc=special.erfc, cosh=np.cosh,
    expm1=np.expm1, log1p=np.log1p, sigmoid=lambda x: 1 / (1 + np.exp(-x)),
    ndtr=lambda x: 0.5 * (1 + special.erf(x / np.sqrt(2))), sum=np.sum, mean=np.mean,
    softmax=lambda v: np.exp(v) / np.sum(np.exp(v)),
)  # fmt: skip
OURS = SimpleNamespace(
    log=ops.log, exp=ops.exp, sqrt=ops.sqrt, erf=ops.erf, erfc=ops.erfc, cosh=ops.cosh,
    expm1=ops.expm1, log1p=ops.log1p, sigmoid=ops.sigmoid, ndtr=ops.ndtr, sum=ops.sum_,
    mean=ops.mean, softmax=ops.softmax,
)  # fmt: skip


def exact(form: Any, point: Any) -> tuple[float, list[float]]:
    """The value and its derivatives, from 800 digits."""
    if not isinstance(point, tuple):
        x = mpmath.mpf(point)
        slope = mpmath.diff(lambda t: form.formula(EXACT, t), x, h=abs(x) * 1e-200 or 1e-300)
        return float(form.formula(EXACT, x)), [float(slope)]
    numbers = [mpmath.mpf(item) for item in point]

    def at(k: int, t: Any) -> Any:
        return form.formula(EXACT, Vector([t if i == k else n for i, n in enumerate(numbers)]))

    slopes = [mpmath.diff(lambda t, k=k: at(k, t), n, h=mpmath.mpf(10) ** -200)
              for k, n in enumerate(numbers)]  # fmt: skip
    return float(at(0, numbers[0])), [float(slope) for slope in slopes]


def plain(form: Any, point: Any) -> float:
    """The value by NumPy, step by step as written."""
    with np.errstate(all="ignore"):
        return float(form.formula(PLAIN, np.asarray(point) if isinstance(point, tuple) else
                                  np.float64(point)))  # fmt: skip


class Ours:
    """A form compiled with its gradient, as a log density is."""

    def __init__(self, form: Any):
        size = len(form.points[0]) if isinstance(form.points[0], tuple) else 0
        x = new_input("x", (size,) if size else ())
        self.function = native.compile_density(form.formula(OURS, x).node, [x.node])

    def __call__(self, point: Any) -> tuple[float, list[float]]:
        value, slopes = self.function(np.atleast_1d(np.asarray(point, float)))
        return value, slopes.tolist()


def error(got: float, want: float) -> float:
    """The relative error; the absolute one beside 0."""
    if np.isnan(got):
        return np.inf
    if got == want:
        return 0.0
    return abs(got - want) / abs(want) if want else abs(got)
