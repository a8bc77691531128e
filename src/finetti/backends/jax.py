"""What JAX has not under one name, or means differently: the functions that records name.

Imported only by name, from the `jax` column of a record, so that JAX stays optional. Each takes the
arguments of its operation in order and its attributes by keyword.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.backends.jax_bessel import ive
from finetti.backends.jax_incomplete import (
    betainc_d,
    betaincinv,
    gammainc,
    gammainc_d,
    gammaincc,
    gammaincinv,
)
from finetti.ir.opdef import OpDef
from finetti.ir.ops.indexing import Spec, index_key

__all__ = [
    "add_along", "betainc_d", "betaincinv", "cholesky", "cholesky_adjoint", "concatenate",
    "cumargmax", "eigh", "erfcx", "gammainc", "gammainc_d", "gammaincc", "gammaincinv", "index",
    "index_add", "index_set", "ive", "log1mexp", "log_ndtr", "mills_inverse", "places_of",
    "polygamma", "put_along", "recurrence", "slogdet", "solve", "solve_triangular",
]  # fmt: skip

Array = Any


# -- indexing and joining ------------------------------------------------------------------------


def index(x: Array, *indices: Array, spec: Spec) -> Array:
    """Elements of `x`; NaN at places out of bounds, where NumPy raises and JAX clamps."""
    return jnp.asarray(x).at[index_key(spec, indices)].get(mode="fill")


def index_add(g: Array, *indices: Array, shape: tuple[int, ...], spec: Spec) -> Array:
    """Zeros with `g` added at the given places."""
    g = jnp.asarray(g)
    if not indices:
        return _spread(g, shape, spec)
    return jnp.zeros(shape, g.dtype).at[index_key(spec, indices)].add(g)


def _spread(g: Array, shape: tuple[int, ...], spec: Spec) -> Array:
    """`index_add` of ints and slices, by padding.

    XLA fuses that; and with JAX 0.10 it crashes over the reverse of a scatter to a whole array.
    """
    if not g.size:
        return jnp.zeros(shape, g.dtype)
    parts = [part for part in spec if part != ("new",)]
    parts += [("slice", None, None, None)] * (len(shape) - len(parts))
    places = []
    for part, n in zip(parts, shape, strict=True):
        if isinstance(part, tuple):
            places.append(range(n)[slice(*part[1:])])
        else:
            places.append(range(int(part) % n, int(part) % n + 1))
    g = g.reshape([len(p) for p in places])
    g = jnp.flip(g, [axis for axis, p in enumerate(places) if p.step < 0])
    margins = [
        (min(p), n - 1 - max(p), abs(p.step) - 1) for p, n in zip(places, shape, strict=True)
    ]
    return jax.lax.pad(g, jnp.zeros((), g.dtype), margins)


def index_set(x: Array, v: Array, *indices: Array, spec: Spec) -> Array:
    """A copy of `x` with `v` at the given places."""
    x, v = jnp.asarray(x), jnp.asarray(v)
    return x.astype(jnp.result_type(x, v)).at[index_key(spec, indices)].set(v)


def concatenate(*parts: Array, axis: int) -> Array:
    """The parts along an axis."""
    return jnp.concatenate(parts, axis)


# -- along an axis -------------------------------------------------------------------------------


def _along(indices: Array, axis: int) -> tuple[Any, ...]:
    places: list[Any] = list(jnp.indices(jnp.shape(indices), sparse=True))
    places[axis] = indices
    return tuple(places)


def add_along(g: Array, indices: Array, *, axis: int, length: int) -> Array:
    """Zeros with `g` added at positions along an axis."""
    g = jnp.asarray(g)
    shape = (*g.shape[:axis], length, *g.shape[axis + 1 :])
    return jnp.zeros(shape, g.dtype).at[_along(indices, axis)].add(g)


def put_along(x: Array, v: Array, indices: Array, *, axis: int) -> Array:
    """A copy of `x` with `v` at positions along an axis."""
    x, v = jnp.asarray(x), jnp.asarray(v)
    return x.astype(jnp.result_type(x, v)).at[_along(indices, axis)].set(v)


def recurrence(a: Array, b: Array, *, axis: int) -> Array:
    """y[i] = a[i] y[i - 1] + b[i], from ``y[0] = b[0]``."""
    a, b = (jnp.moveaxis(jnp.asarray(v, float), axis, 0) for v in (a, b))
    if not b.shape[0]:
        return jnp.moveaxis(b, 0, axis)

    def step(last: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        y = now[0] * last + now[1]
        return y, y

    # Step by step: the products of a parallel scan could overflow where the result does not.
    _, rest = jax.lax.scan(step, b[0], (a[1:], b[1:]))
    return jnp.moveaxis(jnp.concatenate([b[:1], rest]), 0, axis)


def cumargmax(x: Array, *, axis: int) -> Array:
    """Where the largest element so far is; the first of equals, and the first NaN for good."""
    x = jnp.moveaxis(jnp.asarray(x), axis, 0)
    before = jax.lax.cummax(x)[:-1]
    record = (x[1:] > before) | jnp.isnan(x[1:]) & ~jnp.isnan(before)
    record = jnp.concatenate([jnp.zeros_like(x[:1], bool), record])
    places = jnp.arange(len(x)).reshape(-1, *(1,) * (x.ndim - 1))
    return jnp.moveaxis(jax.lax.cummax(jnp.where(record, places, 0)), 0, axis)


def places_of(x: Array, extreme: Array, *, axes: tuple[int, ...], op: OpDef) -> Array:
    """Where `x` has its largest (or smallest) elements over some axes.

    XLA may compute `x` twice, for the extreme and for the search, and round differently: then no
    element equals it. So the place that a search by order finds is one of them in any case.
    """
    x = jnp.asarray(x)
    kept = [a for a in range(x.ndim) if a not in axes]
    moved = jnp.transpose(x, (*kept, *axes))
    lines = moved.reshape(*moved.shape[: len(kept)], -1)
    first = (jnp.argmax if op.name == "max" else jnp.argmin)(lines, -1)
    hit = jnp.arange(lines.shape[-1]) == first[..., None]
    back = np.argsort((*kept, *axes))
    # NaN is no extreme's place, as it equals nothing.
    return (x == extreme) | jnp.transpose(hit.reshape(moved.shape), back) & ~jnp.isnan(x)


# -- linear algebra ------------------------------------------------------------------------------


def _all_nan_if(bad: Array, x: Array) -> Array:
    return jnp.where(bad[..., None, None], jnp.nan, x)


def cholesky(x: Array) -> Array:
    """The lower factor, of the lower triangle alone; NaN throughout when there is none."""
    factor = jax.lax.linalg.cholesky(jnp.asarray(x, float), symmetrize_input=False)
    return _all_nan_if(jnp.isnan(factor).any((-1, -2)), factor)


def cholesky_adjoint(g: Array, y: Array) -> Array:
    """The adjoint of a matrix from that of its lower factor."""
    n = y.shape[-1]
    half = jnp.tril(jnp.ones((n, n))) - 0.5 * jnp.eye(n)
    phi = (jnp.swapaxes(jnp.tril(y), -1, -2) @ jnp.tril(g)) * half
    inner = jnp.swapaxes(solve_triangular(y, phi, lower=True, trans=True), -1, -2)
    total = solve_triangular(y, inner, lower=True, trans=True)
    return 0.5 * (total + jnp.swapaxes(total, -1, -2))


def solve_triangular(a: Array, b: Array, *, lower: bool, trans: bool) -> Array:
    """The solution for a batch of matrices; NaN throughout where a matrix is singular or NaN."""
    a, b = jnp.asarray(a, float), jnp.asarray(b, float)
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = jnp.broadcast_to(jnp.tril(a) if lower else jnp.triu(a), (*batch, *a.shape[-2:]))
    b = jnp.broadcast_to(b, (*batch, *b.shape[-2:]))
    solved = jax.lax.linalg.triangular_solve(
        a, b, left_side=True, lower=lower, transpose_a=bool(trans)
    )
    zero = (jnp.diagonal(a, axis1=-2, axis2=-1) == 0).any(-1)
    return _all_nan_if(zero | jnp.isnan(a).any((-1, -2)), solved)


def solve(a: Array, b: Array) -> Array:
    """a^-1 b; NaN throughout where `a` is singular."""
    solved = jnp.linalg.solve(jnp.asarray(a, float), jnp.asarray(b, float))
    return _all_nan_if(~jnp.isfinite(solved).all((-1, -2)), solved)


def slogdet(a: Array) -> Array:
    """Sign and logarithm of the determinant along a last axis of length 2."""
    return jnp.stack(jnp.linalg.slogdet(jnp.asarray(a, float)), -1)


def eigh(a: Array) -> Array:
    """Eigenvalues in the first row, below them the eigenvectors, first elements positive."""
    values, vectors = jnp.linalg.eigh(jnp.asarray(a, float), symmetrize_input=False)
    if not values.shape[-1]:
        return values[..., None, :]
    # The sign is free: the first element that is not rounding noise is made positive.
    first = jnp.argmax(jnp.abs(vectors) > 1e-9, axis=-2, keepdims=True)
    negative = jnp.take_along_axis(vectors, first, -2) < 0
    return jnp.concatenate([values[..., None, :], jnp.where(negative, -vectors, vectors)], -2)


# -- special functions ---------------------------------------------------------------------------


def polygamma(x: Array, *, order: int) -> Array:
    """The derivative of digamma of a given order."""
    return jax.scipy.special.polygamma(int(order), x)


def log1mexp(x: Array) -> Array:
    """log(1 - exp(x)) for x < 0, accurate at both ends (Maechler 2012)."""
    return jnp.where(x > -np.log(2.0), jnp.log(-jnp.expm1(x)), jnp.log1p(-jnp.exp(x)))


def erfcx(x: Array) -> Array:
    """exp(x^2) erfc(x) without underflow."""
    x = jnp.asarray(x, float)
    near = jnp.minimum(x, 3.0)
    # Laplace's continued fraction; from 3 on, 60 terms are enough for all digits.
    far = jnp.maximum(x, 3.0)
    tail = jax.lax.fori_loop(0, 60, lambda k, t: (60 - k) / 2.0 / (far + t), jnp.zeros_like(far))
    return jnp.where(
        x > 3.0,
        1.0 / (np.sqrt(np.pi) * (far + tail)),
        jnp.exp(near * near) * jax.scipy.special.erfc(near),
    )


def mills_inverse(x: Array) -> Array:
    """The standard normal density over its distribution function."""
    low = jnp.minimum(x, 0.0)
    body = np.sqrt(2.0 / np.pi) / erfcx(low * -np.sqrt(0.5))
    density = jnp.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)
    return jnp.where(x < 0.0, body, density / jax.scipy.special.ndtr(x))


def log_ndtr(x: Array) -> Array:
    """The logarithm of the standard normal distribution function."""
    low, high = jnp.minimum(x, 0.0), jnp.maximum(x, 0.0)
    tail = jnp.log(0.5 * erfcx(low * -np.sqrt(0.5))) - 0.5 * low * low
    body = jnp.log1p(-0.5 * jax.scipy.special.erfc(high * np.sqrt(0.5)))
    return jnp.where(x < 0.0, tail, body)
