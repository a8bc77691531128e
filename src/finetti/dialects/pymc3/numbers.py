"""PyMC3's casts to Theano's float and int types: floats are float64 here."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dialects.notes import note
from finetti.ir import FLOAT, INT, Tensor, ops


def floatX(x: Any) -> Any:
    """`x` as float64."""
    note("pm.floatX(x)", "np.asarray(x, float)")
    return ops.cast(x, FLOAT) if isinstance(x, Tensor) else np.asarray(x, FLOAT)


def intX(x: Any) -> Any:
    """`x` as int64."""
    note("pm.intX(x)", "np.asarray(x, int)")
    return ops.cast(x, INT) if isinstance(x, Tensor) else np.asarray(x, INT)


smartfloatX = floatX
