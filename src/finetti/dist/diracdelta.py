"""A single value with probability 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.ir import INT, Tensor, ops


def logp(value: Tensor, c: Tensor) -> Tensor:
    return ops.where(ops.equal(value, c), 0.0, -np.inf)


def draw(shape: Any, c: Tensor) -> Tensor:
    return ops.broadcast_to(c, shape)


def logcdf(value: Tensor, c: Tensor) -> Tensor:
    return ops.where(value < c, -np.inf, 0.0)


_columns: dict[str, Any] = dict(
    density=logp,
    draw=draw,
    center=lambda c: c,
    mean=lambda c: c,
    var=lambda c: ops.zeros(c.shape),
    cdf=logcdf,
    notes={"quantile": "PyMC has none either"},
)

OfReal = Distribution(
    "DiracDelta",
    key="DiracDelta(real)",
    params={"c": Param(support.real)},
    support=lambda c: support.real,
    scipy="",
    samples=(),
    **_columns,
)

DiracDelta = Distribution(
    "DiracDelta",
    params={"c": Param(support.integers(None))},
    support=lambda c: support.integers(c, c),
    discrete=True,
    scipy="twins.constant(c)",
    samples=({"c": 2}, {"c": [-1, 7]}),
    **_columns,
)


def of(c: Any) -> Distribution:
    """The record for a value: of whole numbers, or of real ones."""
    return DiracDelta if ops.as_tensor(c).node.type.dtype == INT else OfReal
