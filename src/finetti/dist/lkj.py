"""Correlation matrices (Lewandowski, Kurowicka and Joe 2009), and covariances with them.

Values are Cholesky factors: of a correlation, or of a covariance, packed row by row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from finetti.dist import beta, support
from finetti.dist.base import Distribution, Param, constant, known
from finetti.dist.compose import Component, take_apart, undefined
from finetti.dist.triangle import (
    cholesky_corr,
    diagonal_places,
    packed_cholesky,
    packed_length,
    unpacked,
)
from finetti.errors import ParameterError
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape

_NOTES = {"cdf": "PyMC has none either", "quantile": "not defined for matrices"}


def log_norm(eta: Tensor, n: int) -> Tensor:
    """Log of the normalising constant of the density of correlations."""
    k = np.arange(1, n)
    rest = ops.gammaln(ops.expand_dims(eta, -1) + 0.5 * (n - 1 - k)) + 0.5 * math.log(math.pi) * k
    return (n - 1.0) * ops.gammaln(eta + 0.5 * (n - 1)) - ops.sum_(rest, -1)


def draw_corr(shape: Any, eta: Tensor, n: int) -> Tensor:
    """Cholesky factors of correlations of the given batch shape, by the onion method."""
    batch = tuple(shape)
    rows = [ops.concatenate([ops.ones((*batch, 1)), ops.zeros((*batch, n - 1))], -1)]
    for m in range(1, n):
        b = eta + 0.5 * (n - 1 - m)
        share = beta.draw(batch, ops.full((), 0.5 * m), b)
        z = ops.random.standard_normal(shape=(*batch, m))
        length = ops.sqrt(share / ops.sum_(z * z, -1))
        parts = [z * ops.expand_dims(length, -1), ops.expand_dims(ops.sqrt(1.0 - share), -1)]
        rows.append(ops.concatenate([*parts, ops.zeros((*batch, n - 1 - m))], -1))
    return ops.stack(rows, -2)


def _unit_rows(x: Any) -> Any:
    return (abs((x * x).sum(-1) - 1.0) <= 1e-8).all(-1)


@cache
def corr_of(n: int) -> Distribution:
    """The record for correlations of n variables."""

    def logp(value: Tensor, eta: Tensor) -> Tensor:
        powers = 2.0 * ops.expand_dims(eta, -1) - 2.0 + n - np.arange(1, n + 1)
        # The first element of the diagonal is 1.
        terms = (powers * ops.log(ops.diagonal(value)))[..., 1:]
        return log_norm(eta, n) + ops.sum_(terms, -1)

    factor = support.Support(
        "cholesky_corr",
        "Cholesky factors of correlation matrices",
        _unit_rows,
        event_ndim=2,
        bijector=cholesky_corr(n),
    )
    return Distribution(
        "LKJCorr",
        key=f"LKJCorr({n})",
        params={"eta": Param(support.positive)},
        support=lambda eta: factor,
        density=logp,
        draw=lambda shape, eta: draw_corr(shape[:-2], eta, n),
        center=lambda eta: ops.eye(n),
        mean=undefined("LKJCorr"),
        var=undefined("LKJCorr"),
        event_ndim=2,
        event_shape=lambda eta: (n, n),
        scipy="",
        samples=(),
        notes=_NOTES,
        made_by=(corr_of, n),
    )


def _cov_logp(n: int, sd: Component) -> Callable[..., Tensor]:
    places = diagonal_places(n)
    row = np.arange(n)

    def logp(value: Tensor, eta: Tensor, **params: Tensor) -> Tensor:
        factor = unpacked(n, value)
        stds = ops.sqrt(ops.sum_(factor * factor, -1))
        if sd.record.event_ndim:
            scales = sd.record.logp(stds, **sd.of(params))
        else:
            scales = ops.sum_(sd.record.logp(stds, **sd.of(params)), -1)
        log_sd = ops.log(stds)
        log_diagonal = ops.log(value[..., places]) - log_sd
        # The correlation's density, and the volume of the map from it and the scales; the first
        # row of a correlation's factor is 1.
        powers = 2.0 * ops.expand_dims(eta, -1) - 2.0 + n - row
        terms = (powers * log_diagonal - row * log_sd)[..., 1:]
        return log_norm(eta, n) + scales + ops.sum_(terms, -1)

    return logp


def _cov_draw(n: int, sd: Component) -> Callable[..., Tensor]:
    rows, cols = np.tril_indices(n)

    def draw(shape: Any, eta: Tensor, **params: Tensor) -> Tensor:
        batch = tuple(shape[:-1])
        stds = sd.record.draw((*batch, n), **sd.of(params))
        factor = ops.expand_dims(stds, -1) * draw_corr(batch, eta, n)
        return factor[..., rows, cols]

    return draw


def _positive_diagonal(n: int) -> Callable[[Any], Any]:
    places = diagonal_places(n)
    return lambda x: (x[..., places] > 0.0).all(-1)


@cache
def cov_of(n: int, scale: Distribution) -> Distribution:
    """The record for packed Cholesky factors of covariances of n variables."""
    sd = Component(scale, "sd_", 0 if scale.event_ndim else 1)
    packed = support.Support(
        "cholesky_packed",
        "packed Cholesky factors of covariance matrices",
        _positive_diagonal(n),
        event_ndim=1,
        bijector=packed_cholesky(n),
    )
    start = np.isin(np.arange(packed_length(n)), diagonal_places(n)).astype(float)

    def event_shape(eta: Shape, **shapes: Shape) -> Shape:
        return (packed_length(n),)

    return Distribution(
        "LKJCholeskyCov",
        key=f"LKJCholeskyCov({n}, {scale.key})",
        params={"eta": Param(support.positive), **sd.declared()},
        support=lambda **params: packed,
        density=_cov_logp(n, sd),
        draw=_cov_draw(n, sd),
        center=lambda **params: ops.as_tensor(start),
        mean=undefined("LKJCholeskyCov"),
        var=undefined("LKJCholeskyCov"),
        event_ndim=1,
        event_shape=event_shape,
        scipy="",
        samples=(),
        notes=_NOTES,
        made_by=(cov_of, n, scale),
    )


def whole_number(n: Any, name: str, where: str) -> int:
    """A parameter that must be a whole number when the model is written.

    Raises
    ------
    ParameterError
        When it is none.
    """
    number = constant(n, name, where)
    if number is None:
        number = known(ops.as_tensor(n))
    if number is None or number.ndim or number != np.floor(number) or number < 1:
        raise ParameterError(f"{where}: {name}={n!r}: expected a whole number >= 1.")
    return int(number)


def lkj_corr(n: Any, eta: Any, where: str) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a correlation."""
    return corr_of(whole_number(n, "n", where)), {"eta": eta}


def lkj_cov(eta: Any, n: Any, sd_dist: Any, where: str) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a covariance whose scales follow `sd_dist`."""
    scale, params = take_apart(sd_dist, where, "sd_dist")
    if scale.discrete or scale.event_ndim > 1:
        raise ParameterError(
            f"{where}: sd_dist is {scale.name}: expected a distribution of positive numbers, e.g. "
            "`pm.Exponential.dist(1.0)`."
        )
    record = cov_of(whole_number(n, "n", where), scale)
    return record, {"eta": eta, **{f"sd_{name}": x for name, x in params.items()}}


def parts(n: int, packed: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The factor, the correlations and the standard deviations of a packed Cholesky factor."""
    factor = unpacked(n, packed)
    stds = ops.sqrt(ops.sum_(factor * factor, -1))
    scaled = factor / ops.expand_dims(stds, -1)
    return factor, ops.matmul(scaled, ops.matrix_transpose(scaled)), stds
