"""Maps between sets of values, with their volumes: what transformed distributions are made of.

A map has functions of tensors. `log_det` is the logarithm of the absolute determinant of the
Jacobian of `forward`, one number an event. Values and volumes are NumPyro's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from finetti.dist.bijectors import Bijector
from finetti.dist.zerosum import zerosum
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops
from finetti.ir.ops.leaf import new_input

_TINY = float(np.finfo(float).tiny)
_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Map:
    """A map with parameters.

    Parameters
    ----------
    name : str
        What it is called in messages.
    forward, inverse : callable
        ``forward(x, **params)`` and ``inverse(y, **params)``.
    log_det : callable
        ``log_det(x, y, **params)``, for y = forward(x).
    params : mapping
        Parameter -> how many axes one value of it has.
    domain_ndim, codomain_ndim : int
        How many axes are mapped together, before and after.
    sign : callable, optional
        ``sign(**params)``: whether it rises or falls; None where it does not have one.
    """

    name: str
    forward: Callable[..., Tensor]
    inverse: Callable[..., Tensor]
    log_det: Callable[..., Tensor]
    params: Mapping[str, int] = field(default_factory=dict)
    domain_ndim: int = 0
    codomain_ndim: int = 0
    sign: Callable[..., Tensor] | None = None

    def __repr__(self) -> str:
        return f"<map {self.name}>"


@cache
def inverse_of(way: Map) -> Map:
    """The map that undoes another."""
    return Map(
        f"inverse of {way.name}",
        forward=way.inverse,
        inverse=way.forward,
        log_det=lambda x, y, **params: -way.log_det(y, x, **params),
        params=way.params,
        domain_ndim=way.codomain_ndim,
        codomain_ndim=way.domain_ndim,
        sign=way.sign,
    )


@cache
def independent(way: Map, axes: int) -> Map:
    """A map whose events have more axes."""
    if not axes:
        return way
    last = tuple(range(-axes, 0))
    return Map(
        way.name,
        forward=way.forward,
        inverse=way.inverse,
        log_det=lambda x, y, **params: ops.sum_(way.log_det(x, y, **params), last),
        params={name: ndim + axes for name, ndim in way.params.items()},
        domain_ndim=way.domain_ndim + axes,
        codomain_ndim=way.codomain_ndim + axes,
    )


@cache
def composed(*ways: Map) -> Map:
    """One map after another; parameters are called ``{position}_{name}``."""
    domain = ways[-1].domain_ndim
    for way in ways[-2::-1]:
        domain = way.domain_ndim + max(domain - way.codomain_ndim, 0)
    codomain = ways[0].codomain_ndim
    for way in ways[1:]:
        codomain = way.codomain_ndim + max(codomain - way.domain_ndim, 0)

    def of(k: int, params: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: params[f"{k}_{name}"] for name in ways[k].params}

    def through(x: Tensor, params: Mapping[str, Tensor]) -> list[Tensor]:
        values = [x]
        for k, way in enumerate(ways):
            values.append(way.forward(values[-1], **of(k, params)))
        return values

    def inverse(y: Tensor, **params: Tensor) -> Tensor:
        for k in reversed(range(len(ways))):
            y = ways[k].inverse(y, **of(k, params))
        return y

    def log_det(x: Tensor, y: Tensor, **params: Tensor) -> Tensor:
        values, total, axes = through(x, params)[:-1] + [y], None, domain
        for k, way in enumerate(ways):
            one = way.log_det(values[k], values[k + 1], **of(k, params))
            more = axes - way.domain_ndim
            one = ops.sum_(one, tuple(range(-more, 0))) if more else one
            total = one if total is None else total + one
            axes = way.codomain_ndim + more
        return ops.as_tensor(total)

    return Map(
        " then ".join(way.name for way in ways),
        forward=lambda x, **params: through(x, params)[-1],
        inverse=inverse,
        log_det=log_det,
        params={f"{k}_{n}": ndim for k, way in enumerate(ways) for n, ndim in way.params.items()},
        domain_ndim=domain,
        codomain_ndim=codomain,
    )


def bijector(way: Map, name: str, **params: Any) -> Bijector:
    """A map from the reals as the bijector of a variable."""

    def shape(constrained: tuple[int, ...]) -> tuple[int, ...]:
        return way.inverse(new_input("x", constrained), **params).shape

    def log_det(u: Any) -> Tensor:
        u = ops.as_tensor(u)
        return way.log_det(u, way.forward(u, **params), **params)

    return Bijector(
        name,
        forward=lambda x: way.inverse(ops.as_tensor(x), **params),
        backward=lambda u: way.forward(ops.as_tensor(u), **params),
        log_det=log_det,
        event_ndim=way.codomain_ndim,
        unconstrained_shape=shape,
    )


# -- numbers -------------------------------------------------------------------------------------


def _rising(**params: Tensor) -> Tensor:
    return ops.as_tensor(1.0)


def _no_inverse(y: Tensor) -> Tensor:
    raise NotYetSupported("the absolute value has no inverse")


identity = Map("identity", lambda x: x, lambda y: y, lambda x, y: ops.zeros_like(x), sign=_rising)
absolute = Map("abs", ops.absolute, lambda y: y, lambda x, y: _no_inverse(y))
exp = Map("exp", ops.exp, ops.log, lambda x, y: x, sign=_rising)
affine = Map(
    "affine",
    lambda x, loc, scale: loc + scale * x,
    lambda y, loc, scale: (y - loc) / scale,
    lambda x, y, loc, scale: ops.log(ops.absolute(scale)) + ops.zeros_like(x),
    {"loc": 0, "scale": 0},
    sign=lambda loc, scale: ops.sign(scale),
)


def _clipped(x: Tensor) -> Tensor:
    # Never 0 or 1, as in NumPyro, so that logarithms of both are finite.
    return ops.clip(ops.sigmoid(x), _TINY, 1.0 - _EPS)


def _softplus_inverse(y: Tensor) -> Tensor:
    return ops.log(-ops.expm1(-y)) + y


def _log_one_minus_tanh2(x: Tensor) -> Tensor:
    return -2.0 * (x + ops.softplus(-2.0 * x) - math.log(2.0))


sigmoid = Map(
    "sigmoid", _clipped, ops.logit, lambda x, y: -ops.softplus(x) - ops.softplus(-x), sign=_rising
)
softplus = Map(
    "softplus", ops.softplus, _softplus_inverse, lambda x, y: -ops.softplus(-x), sign=_rising
)
power = Map(
    "power",
    lambda x, exponent: x**exponent,
    lambda y, exponent: y ** (1.0 / exponent),
    lambda x, y, exponent: ops.log(ops.absolute(exponent * y / x)),
    {"exponent": 0},
    sign=lambda exponent: ops.sign(exponent),
)


# -- vectors -------------------------------------------------------------------------------------


def _vector(
    name: str,
    forward: Callable[..., Tensor],
    inverse: Callable[..., Tensor],
    log_det: Callable[..., Tensor],
    params: Mapping[str, int] | None = None,
    sides: tuple[int, int] = (1, 1),
) -> Map:
    return Map(name, forward, inverse, log_det, params or {}, *sides)


def _ones_before(x: Tensor) -> Tensor:
    return ops.concatenate([ops.ones((*x.shape[:-1], 1)), x], -1)


def _ordered(x: Tensor) -> Tensor:
    return ops.cumsum(ops.concatenate([x[..., :1], ops.exp(x[..., 1:])], -1), -1)


def _ordered_inverse(y: Tensor) -> Tensor:
    return ops.concatenate([y[..., :1], ops.log(y[..., 1:] - y[..., :-1])], -1)


ordered = _vector("ordered", _ordered, _ordered_inverse, lambda x, y: ops.sum_(x[..., 1:], -1))


def _rests(length: int) -> np.ndarray:
    return np.log(length - np.arange(float(length)))


def _stick(x: Tensor) -> Tensor:
    z = _clipped(x - _rests(x.shape[-1]))
    one = ops.ones((*x.shape[:-1], 1))
    return ops.concatenate([z, one], -1) * _ones_before(ops.cumprod(1.0 - z, -1))


def _stick_inverse(y: Tensor) -> Tensor:
    first = y[..., :-1]
    rest = ops.maximum(1.0 - ops.cumsum(first, -1), _TINY)
    return ops.log(first / rest) + _rests(first.shape[-1])


def _stick_log_det(x: Tensor, y: Tensor) -> Tensor:
    x = x - _rests(x.shape[-1])
    return ops.sum_(ops.log(y[..., :-1]) - ops.softplus(-x) - x, -1)


stick_breaking = _vector("stick breaking", _stick, _stick_inverse, _stick_log_det)


def _ball(x: Tensor) -> Tensor:
    t = ops.tanh(x)
    return t * _ones_before(ops.cumprod(1.0 - ops.absolute(t[..., :-1]), -1))


def _ball_inverse(y: Tensor) -> Tensor:
    rest = _ones_before(1.0 - ops.cumsum(ops.absolute(y[..., :-1]), -1))
    t = y / ops.maximum(rest, _TINY)
    return ops.arctanh(ops.clip(t, -1.0 + _EPS, 1.0 - _EPS))


def _ball_log_det(x: Tensor, y: Tensor) -> Tensor:
    used = ops.minimum(ops.cumsum(ops.absolute(y[..., :-1]), -1), 1.0 - _EPS)
    return ops.sum_(ops.log1p(-used), -1) + ops.sum_(_log_one_minus_tanh2(x), -1)


l1_ball = _vector("l1 ball", _ball, _ball_inverse, _ball_log_det)


def _cut(x: Tensor, anchor: Tensor) -> Tensor:
    return ops.logit(ops.cumsum(x[..., :-1], -1)) + ops.expand_dims(anchor, -1)


def _cut_inverse(y: Tensor, anchor: Tensor) -> Tensor:
    s = ops.sigmoid(y - ops.expand_dims(anchor, -1))
    ends = [ops.zeros((*s.shape[:-1], 1)), s, ops.ones((*s.shape[:-1], 1))]
    edges = ops.concatenate(ends, -1)
    return edges[..., 1:] - edges[..., :-1]


def _cut_log_det(x: Tensor, y: Tensor, anchor: Tensor) -> Tensor:
    # NumPyro's takes the anchored cutpoints, which is right for an anchor of 0.
    return ops.sum_(ops.softplus(y) + ops.softplus(-y), -1)


simplex_to_ordered = _vector("simplex to ordered", _cut, _cut_inverse, _cut_log_det, {"anchor": 0})


def _permuted(x: Tensor, permutation: Tensor) -> Tensor:
    return x[..., permutation]


permute = _vector(
    "permute",
    _permuted,
    lambda y, permutation: y[..., ops.argsort(permutation)],
    lambda x, y, permutation: ops.zeros(x.shape[:-1]),
    {"permutation": 1},
)


def _lower_affine(x: Tensor, loc: Tensor, scale_tril: Tensor) -> Tensor:
    return loc + ops.squeeze(ops.matmul(scale_tril, ops.expand_dims(x, -1)), -1)


def _lower_affine_inverse(y: Tensor, loc: Tensor, scale_tril: Tensor) -> Tensor:
    rest = ops.expand_dims(y - loc, -1)
    return ops.squeeze(ops.solve_triangular(scale_tril, rest), -1)


lower_affine = _vector(
    "lower affine",
    _lower_affine,
    _lower_affine_inverse,
    lambda x, y, loc, scale_tril: (
        ops.sum_(ops.log(ops.diagonal(scale_tril)), -1) + ops.zeros(x.shape[:-1])
    ),
    {"loc": 1, "scale_tril": 2},
)


@cache
def zero_sum(axes: int) -> Map:
    """An isometry to arrays that sum to zero along their last axes."""
    both = zerosum(axes)
    return Map(
        "zero sum", both.backward, both.forward, lambda x, y: both.log_det(x),
        {}, axes, axes,
    )  # fmt: skip


@cache
def reshape(after: tuple[int, ...], before: tuple[int, ...]) -> Map:
    """The same numbers in another shape."""

    def to(shape: tuple[int, ...], old: int) -> Callable[[Tensor], Tensor]:
        return lambda x: ops.reshape(x, (*x.shape[: x.ndim - old], *shape))

    return Map(
        "reshape",
        to(after, len(before)),
        to(before, len(after)),
        lambda x, y: ops.zeros(x.shape[: x.ndim - len(before)]),
        {},
        len(before),
        len(after),
    )


def _haar(n: int) -> np.ndarray:
    """The rows of Haar's orthonormal transform; an odd element at the end of a level stays."""
    low = np.eye(n)
    parts: list[np.ndarray] = []
    while len(low) > 1:
        pairs = len(low) // 2
        even, odd = low[0 : 2 * pairs : 2], low[1 : 2 * pairs : 2]
        parts = [math.sqrt(0.5) * (even - odd), low[2 * pairs :], *parts]
        low = math.sqrt(0.5) * (even + odd)
    return np.concatenate([low, *parts])


def _cosines(n: int) -> np.ndarray:
    """The rows of the orthonormal discrete cosine transform of type 2."""
    k, i = np.arange(n)[:, None], np.arange(n)
    rows = np.cos(np.pi * k * (2 * i + 1) / (2 * n)) * math.sqrt(2.0 / n)
    rows[0] /= math.sqrt(2.0)
    return rows


def _along(rows: Callable[[int], np.ndarray], axis: int, name: str) -> Map:
    """An orthonormal matrix times the vectors along an axis, counted from the end."""

    def through(x: Tensor, matrix: np.ndarray) -> Tensor:
        moved = ops.swapaxes(x, axis, -1)
        return ops.swapaxes(ops.matmul(moved, ops.as_tensor(matrix)), axis, -1)

    return Map(
        name,
        lambda x: through(x, rows(int(x.shape[axis])).T),
        lambda y: through(y, np.linalg.inv(rows(int(y.shape[axis]))).T),
        lambda x, y: ops.zeros(x.shape[:axis]),
        {},
        -axis,
        -axis,
    )


@cache
def haar(axis: int, flip: bool) -> Map:
    """Haar's transform along an axis, counted from the end."""
    return _along(lambda n: _haar(n)[:, ::-1] if flip else _haar(n), axis, "haar")


@cache
def cosine(axis: int, smooth: float) -> Map:
    """The discrete cosine transform along an axis; `smooth` weighs high frequencies."""

    def rows(n: int) -> np.ndarray:
        weight = (np.arange(n) + 0.5) ** smooth
        weight = weight / np.exp(np.mean(np.log(weight)))
        return _cosines(n) * weight[:, None]

    return _along(rows, axis, "cosine")
