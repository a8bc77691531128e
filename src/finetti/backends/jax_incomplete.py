"""Incomplete gamma and beta functions in JAX that JAX lacks, or computes in loops without an end.

The same series and continued fractions as in `finetti.ir.reference.incomplete`. Derivatives by
parameters come from JAX's forward mode, which goes through the loops.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln

Array = Any

_TINY = 1e-300
_MOST = 100_000
# Derivatives settle after the value does.
_QUIET = 12


def _loop(step: Callable[..., tuple[Any, Array]], state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Repeat ``state, moving = step(n, *state)`` until nothing has moved for some steps."""

    def body(full: Any) -> Any:
        n, quiet, state = full
        state, moving = step(n, *state)
        return n + 1.0, jnp.where(moving, 0, quiet + 1), state

    def go_on(full: Any) -> Array:
        return (full[1] < _QUIET).any() & (full[0] < _MOST)

    start = (jnp.ones(()), jnp.zeros(jnp.shape(state[0]), int), state)
    _, quiet, state = jax.lax.while_loop(go_on, body, start)
    return tuple(jnp.where(quiet < _QUIET, jnp.nan, part) for part in state)


def _lentz(h: Array, c: Array, d: Array, numerator: Array, b: Array) -> tuple[Array, ...]:
    """One more term of a continued fraction; the last result is the factor of `h`."""
    d = numerator * d + b
    d = 1.0 / jnp.where(jnp.abs(d) < _TINY, _TINY, d)
    c = b + numerator / jnp.where(jnp.abs(c) < _TINY, _TINY, c)
    return h * c * d, c, d, c * d


def _moves(change: Array) -> Array:
    return jnp.abs(change - 1.0) > 4e-16


# -- gamma ---------------------------------------------------------------------------------------


def _lower(a: Array, x: Array) -> Array:
    """P by its power series, for x up to a + 1."""

    def step(n: Array, term: Array, total: Array) -> Any:
        term = term * (x / (a + n))
        total = total + term
        return (term, total), term > 1e-18 * total

    one = jnp.ones_like(x)
    total = _loop(step, (one, one))[1]
    return total * jnp.exp(a * jnp.log(x) - x - gammaln(a + 1.0))


def _upper(a: Array, x: Array) -> Array:
    """Q by its continued fraction, for x above a + 1."""

    def step(n: Array, h: Array, c: Array, d: Array) -> Any:
        *state, change = _lentz(h, c, d, -n * (n - a), x + 1.0 - a + 2.0 * n)
        return tuple(state), _moves(change)

    first = 1.0 / (x + 1.0 - a)
    h = _loop(step, (first, jnp.full_like(x, 1.0 / _TINY), first))[0]
    return h * jnp.exp(a * jnp.log(x) - x - gammaln(a))


def _gamma_pair(a: Array, x: Array) -> tuple[Array, Array]:
    """P and Q; each is computed where it is small, and the other from it."""
    a, x = jnp.broadcast_arrays(jnp.asarray(a, float), jnp.asarray(x, float))
    fine = (a > 0) & jnp.isfinite(a) & (x > 0) & jnp.isfinite(x)
    low, high = fine & (x <= a + 1.0), fine & (x > a + 1.0)
    # Elsewhere any argument will do that gives a finite number in few steps.
    p = _lower(jnp.where(low, a, 1.0), jnp.where(low, x, 1.0))
    q = _upper(jnp.where(high, a, 1.0), jnp.where(high, x, 3.0))
    ends = jnp.where((x == jnp.inf) & (a >= 0) | (a == 0) & (x > 0), 1.0, jnp.nan)
    ends = jnp.where((x == 0) & (a > 0) | (a == jnp.inf) & (x >= 0), 0.0, ends)
    ends = jnp.where((a == jnp.inf) & (x == jnp.inf), jnp.nan, ends)
    return (
        jnp.where(low, p, jnp.where(high, 1.0 - q, ends)),
        jnp.where(low, 1.0 - p, jnp.where(high, q, 1.0 - ends)),
    )


def gammainc(a: Array, x: Array) -> Array:
    """The lower incomplete gamma function P(a, x)."""
    return _gamma_pair(a, x)[0]


def gammaincc(a: Array, x: Array) -> Array:
    """The upper incomplete gamma function Q(a, x)."""
    return _gamma_pair(a, x)[1]


def _slope(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The derivative of an elementwise function."""
    return lambda a: jax.jvp(function, (a,), (jnp.ones_like(a),))[1]


def _swapped(x: Array, a: Array) -> Array:
    return gammainc(a, x)


def gammainc_d(a: Array, x: Array, *, order: int) -> Array:
    """The derivative of P(a, x) by a, of order 1 or 2."""
    a, x = jnp.broadcast_arrays(jnp.asarray(a, float), jnp.asarray(x, float))

    function: Callable[[Array], Array] = partial(_swapped, x)
    for _ in range(order):
        function = _slope(function)
    valid = (a > 0) & jnp.isfinite(a) & (x >= 0)
    return jnp.where(valid, function(a), jnp.nan)


def _inverse(below: Callable[[Array], Array], q: Array, low: Array, high: Array) -> Array:
    """Where a rising function reaches q, between two bounds: by halves, and one step of Newton's.

    The last step carries the derivatives by q and by what the function depends on.
    """

    def halve(_: int, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bounds
        middle = 0.5 * (low + high)
        right = below(middle) < q
        return jnp.where(right, middle, low), jnp.where(right, high, middle)

    low, high = jax.lax.fori_loop(0, 80, halve, (low, high))
    x = jax.lax.stop_gradient(0.5 * (low + high))
    height = _slope(below)(x)
    fine = jnp.isfinite(height) & (height > 0)
    step = (below(x) - q) / jnp.where(fine, height, 1.0)
    return x - jnp.where(fine, step, 0.0)


def gammaincinv(a: Array, q: Array) -> Array:
    """The x whose P(a, x) is q."""
    a, q = jnp.broadcast_arrays(jnp.asarray(a, float), jnp.asarray(q, float))
    inner = (a > 0) & jnp.isfinite(a) & (q > 0) & (q < 1)
    a, p = jnp.where(inner, a, 1.0), jnp.where(inner, q, 0.5)
    # In the logarithm, where small shapes have their quantiles too.
    top = jnp.log(a + 40.0 * jnp.sqrt(a) + 800.0)
    log_x = _inverse(lambda t: gammainc(a, jnp.exp(t)), p, jnp.full_like(a, -700.0), top)
    ends = jnp.where(q == 0, 0.0, jnp.where(q == 1, jnp.inf, jnp.nan))
    return jnp.where(inner, jnp.exp(log_x), ends)


# -- beta ----------------------------------------------------------------------------------------


def _beta_small(a: Array, b: Array, x: Array, y: Array) -> Array:
    """I_x(a, b) where x is below the mean, with y = 1 - x (DLMF 8.17.22)."""

    def odd(m: Array, h: Array, c: Array, d: Array) -> tuple[Array, ...]:
        below = (a + 2.0 * m) * (a + 2.0 * m + 1.0)
        return _lentz(h, c, d, -(a + m) * (a + b + m) * x / below, 1.0)

    def step(m: Array, h: Array, c: Array, d: Array) -> Any:
        below = (a + 2.0 * m - 1.0) * (a + 2.0 * m)
        h, c, d, first = _lentz(h, c, d, m * (b - m) * x / below, 1.0)
        h, c, d, second = odd(m, h, c, d)
        return (h, c, d), _moves(first) | _moves(second)

    one = jnp.ones_like(x)
    *state, _ = odd(jnp.zeros(()), one, jnp.full_like(x, 1.0 / _TINY), one)
    h = _loop(step, tuple(state))[0]
    whole = gammaln(a + b) - gammaln(a) - gammaln(b)
    return h * jnp.exp(a * jnp.log(x) + b * jnp.log(y) + whole) / a


def betainc_d(a: Array, b: Array, x: Array, *, i: int, j: int) -> Array:
    """The derivative of I_x(a, b), i times by a and j times by b."""
    a, b, x = jnp.broadcast_arrays(*(jnp.asarray(v, float) for v in (a, b, x)))
    valid = (a > 0) & (b > 0) & (x >= 0) & (x <= 1) & jnp.isfinite(a) & jnp.isfinite(b)
    inner = valid & (x > 0) & (x < 1)
    flip = x > (a + 1.0) / (a + b + 2.0)
    z = jnp.where(inner, x, 0.5)

    def value(a: Array, b: Array) -> Array:
        a, b = jnp.where(inner, a, 1.0), jnp.where(inner, b, 1.0)
        small = _beta_small(
            jnp.where(flip, b, a), jnp.where(flip, a, b),
            jnp.where(flip, 1.0 - z, z), jnp.where(flip, z, 1.0 - z),
        )  # fmt: skip
        return jnp.where(flip, -small, small)

    function: Callable[[Array, Array], Array] = value
    for _ in range(i):
        function = _by_first(function)
    for _ in range(j):
        function = _by_second(function)
    return jnp.where(valid, jnp.where(inner, function(a, b), 0.0), jnp.nan)


def _by_first(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda a, b: _slope(lambda t: function(t, b))(a)


def _by_second(function: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda a, b: _slope(lambda t: function(a, t))(b)


def betaincinv(a: Array, b: Array, q: Array) -> Array:
    """The x whose I_x(a, b) is q."""
    a, b, q = jnp.broadcast_arrays(*(jnp.asarray(v, float) for v in (a, b, q)))
    inner = (a > 0) & (b > 0) & (q > 0) & (q < 1)
    a, b, p = jnp.where(inner, a, 1.0), jnp.where(inner, b, 1.0), jnp.where(inner, q, 0.5)
    # In the log odds, where both ends have their digits.
    edge = jnp.full_like(a, 700.0)
    logit = _inverse(lambda t: jax.scipy.special.betainc(a, b, jax.nn.sigmoid(t)), p, -edge, edge)
    ends = jnp.where(q == 0, 0.0, jnp.where(q == 1, 1.0, jnp.nan))
    return jnp.where(inner, jax.nn.sigmoid(logit), ends)
