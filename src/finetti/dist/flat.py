"""Constant densities on the real line and its positive half, which integrate to no number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops


def draw(shape: Any) -> Tensor:
    raise NotYetSupported(
        "a flat distribution has no draws, as its density integrates to no finite number. Give it "
        "an initial value, and leave prior draws of it out, or use a wide proper prior."
    )


def logcdf(value: Tensor) -> Tensor:
    body = ops.where(ops.equal(value, np.inf), 0.0, -math.log(2.0))
    return ops.where(ops.equal(value, -np.inf), -np.inf, body)


def half_logcdf(value: Tensor) -> Tensor:
    return ops.where(ops.equal(value, np.inf), 0.0, -np.inf)


def _undefined() -> Tensor:
    return ops.as_tensor(np.nan)


Flat = Distribution(
    "Flat",
    params={},
    support=lambda: support.real,
    density=lambda value: ops.zeros_like(value),
    draw=draw,
    center=lambda: ops.as_tensor(0.0),
    mean=_undefined,
    var=_undefined,
    cdf=logcdf,
    scipy="",
    samples=(),
    notes={"quantile": "PyMC has none either"},
)

HalfFlat = Distribution(
    "HalfFlat",
    params={},
    support=lambda: support.nonnegative,
    density=lambda value: ops.zeros_like(value),
    draw=draw,
    center=lambda: ops.as_tensor(1.0),
    mean=_undefined,
    var=_undefined,
    cdf=half_logcdf,
    scipy="",
    samples=(),
    notes={"quantile": "PyMC has none either"},
)
