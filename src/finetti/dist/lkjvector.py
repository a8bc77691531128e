"""PyMC3's LKJCorr: the correlations above the diagonal in a vector, each between -1 and 1.

The box is larger than the set of correlation matrices; outside of that the density is 0.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.bijectors import interval
from finetti.dist.compose import undefined
from finetti.dist.lkj import draw_corr, log_norm, whole_number
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape

_NOTES = {"cdf": "PyMC has none either", "quantile": "not defined for vectors"}


@cache
def vector_of(n: int) -> Distribution:
    """The record for the correlations of n variables."""
    rows, cols = np.triu_indices(n, 1)
    many = len(rows)
    place = np.zeros((n, n), np.int64)
    place[rows, cols] = place[cols, rows] = np.arange(many)
    off = 1.0 - np.eye(n)
    inside = support.interval(-1.0, 1.0)
    box = support.Support(
        "interval", "vectors of correlations", lambda x: ((x > -1.0) & (x < 1.0)).all(-1), 1,
        lower=-1.0, upper=1.0, bijector=_events(inside),
    )  # fmt: skip

    def density(value: Tensor, eta: Tensor) -> Tensor:
        matrix = value[..., place] * off + np.eye(n)
        diagonal = ops.diagonal(ops.cholesky(matrix))  # NaN for what is no correlation matrix
        log_det = 2.0 * ops.sum_(ops.log(diagonal), -1)
        log_det = ops.where(ops.isnan(log_det), -np.inf, log_det)
        return log_norm(eta, n) + ops.where(ops.isinf(log_det), -np.inf, (eta - 1.0) * log_det)

    def draw(shape: Any, eta: Tensor) -> Tensor:
        factor = draw_corr(tuple(shape[:-1]), eta, n)
        return ops.matmul(factor, ops.matrix_transpose(factor))[..., rows, cols]

    def event_shape(eta: Shape) -> Shape:
        return (many,)

    return Distribution(
        "LKJCorr",
        key=f"LKJCorrVector({n})",
        params={"eta": Param(support.positive)},
        support=lambda eta: box,
        density=density,
        draw=draw,
        center=lambda eta: ops.zeros((many,)),
        mean=lambda eta: ops.zeros((many,)),
        var=undefined("LKJCorr"),
        event_ndim=1,
        event_shape=event_shape,
        scipy="",
        samples=(),
        notes=_NOTES,
        made_by=(vector_of, n),
    )


def _events(inside: support.Support) -> Any:
    """The map of the interval for each element of a vector."""
    single = interval(inside.lower, inside.upper)
    return replace(single, log_det=lambda u: ops.sum_(single.log_det(u), -1), event_ndim=1)


def lkj_vector(eta: Any, n: Any, where: str) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a vector of correlations."""
    return vector_of(whole_number(n, "n", where)), {"eta": eta}
