"""NumPy and SciPy meanings of operations, imported when the first of them is evaluated.

Records name these functions by their path, so that building a graph does not import SciPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from finetti.ir.reference.incomplete import betainc_d, gammainc_d
from finetti.ir.reference.linalg import eigh, expm, slogdet, solve

__all__ = [
    "betainc_d", "eigh", "expm", "gammainc_d", "log1mexp", "mills_inverse", "polygamma", "slogdet",
    "solve",
]  # fmt: skip


def polygamma(x: Any, order: int) -> Any:
    """The derivative of digamma of the given order."""
    return special.polygamma(order, x)


def mills_inverse(x: Any) -> Any:
    """The normal density over its distribution function."""
    return math.sqrt(2.0 / math.pi) / special.erfcx(np.asarray(x) * -math.sqrt(0.5))


def log1mexp(x: Any) -> np.ndarray:
    """log(1 - exp(x)) for x < 0, accurate at both ends (Maechler 2012)."""
    x = np.asarray(x, float)
    return np.where(x > -math.log(2.0), np.log(-np.expm1(x)), np.log1p(-np.exp(x)))
