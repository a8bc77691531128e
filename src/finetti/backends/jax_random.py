"""Random primitives in JAX: the functions that the records of random operations name.

Each takes a key, the arguments of its operation in order, and the full shape of the result.
Where JAX can differentiate a draw by its parameters (normal, gamma), the derivative goes through.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

Array = Any
Shape = tuple[int, ...]


def _float() -> Any:
    return jnp.result_type(float)


def standard_normal(key: Array, *, shape: Shape, serial: int) -> Array:
    """Standard normal numbers."""
    return jax.random.normal(key, shape, _float())


def uniform(key: Array, *, shape: Shape, serial: int) -> Array:
    """Numbers from 0 to 1, without 1."""
    return jax.random.uniform(key, shape, _float())


def standard_exponential(key: Array, *, shape: Shape, serial: int) -> Array:
    """Exponential numbers of rate 1."""
    return jax.random.exponential(key, shape, _float())


def standard_gamma(key: Array, a: Array, *, shape: Shape, serial: int) -> Array:
    """Gamma numbers of scale 1."""
    # In logarithms: a small shape gives numbers that underflow, and with them a ratio of two.
    return jnp.exp(jax.random.loggamma(key, jnp.asarray(a, _float()), shape, _float()))


def poisson(key: Array, mu: Array, *, shape: Shape, serial: int) -> Array:
    """Poisson counts."""
    # JAX draws with its own integers only from keys of one kind.
    if str(jax.random.key_impl(key)) != "threefry2x32":
        key = jax.random.wrap_key_data(_threefry(key), impl="threefry2x32")
    return jax.random.poisson(key, mu, shape)


def _threefry(key: Array) -> Array:
    """Two words of a key, of whatever kind it is."""
    return jax.random.bits(key, (2,), jnp.uint32)


def binomial(key: Array, n: Array, p: Array, *, shape: Shape, serial: int) -> Array:
    """Successes in n trials."""
    n, p = jnp.asarray(n, _float()), jnp.asarray(p, _float())
    # JAX's algorithm is for p up to a half.
    many = p > 0.5
    drawn = jax.random.binomial(key, n, jnp.where(many, 1.0 - p, p), shape, _float())
    return jnp.where(many, n - drawn, drawn)


def categorical(key: Array, p: Array, *, shape: Shape, serial: int) -> Array:
    """Positions along the last axis of the probabilities."""
    edges = jnp.cumsum(jnp.broadcast_to(p, (*shape, jnp.shape(p)[-1])), -1)
    u = jax.random.uniform(key, shape, _float()) * edges[..., -1]
    return (u[..., None] >= edges).sum(-1)


def multinomial(key: Array, n: Array, p: Array, *, shape: Shape, serial: int) -> Array:
    """Counts of categories in n trials: a binomial share of what the ones before left over."""
    n = jnp.broadcast_to(jnp.asarray(n, _float()), shape[:-1])
    p = jnp.broadcast_to(p, shape)
    rest = jnp.flip(jnp.cumsum(jnp.flip(p, -1), -1), -1)
    counts = []
    for k, one in enumerate(jax.random.split(key, max(shape[-1] - 1, 1))[: shape[-1] - 1]):
        share = jnp.where(rest[..., k] > 0.0, p[..., k] / rest[..., k], 0.0)
        drawn = binomial(one, n, jnp.clip(share, 0.0, 1.0), shape=shape[:-1], serial=serial)
        counts.append(drawn)
        n = n - drawn
    return jnp.stack([*counts, n], -1)


def hypergeometric(
    key: Array, good: Array, bad: Array, n: Array, *, shape: Shape, serial: int
) -> Array:
    """Good ones among n taken from good and bad ones: one by one."""
    good, bad, n = (jnp.broadcast_to(jnp.asarray(x, _float()), shape) for x in (good, bad, n))

    def take(k: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        taken, key = state
        key, one = jax.random.split(key)
        u = jax.random.uniform(one, shape, _float())
        hit = (k < n) & (u * (good + bad - k) < good - taken)
        return taken + hit, key

    most = jnp.max(n, initial=0.0).astype(int)
    return jax.lax.fori_loop(0, most, take, (jnp.zeros(shape, _float()), key))[0]


def vonmises(key: Array, mu: Array, kappa: Array, *, shape: Shape, serial: int) -> Array:
    """Angles, by rejection from a wrapped Cauchy envelope (Best and Fisher 1979)."""
    kappa = jnp.broadcast_to(jnp.asarray(kappa, _float()), shape)
    # Below it the angle is uniform to the last digit, and the envelope's formula cancels.
    small = kappa < 1e-6
    k = jnp.where(small, 1.0, kappa)
    tau = 1.0 + jnp.sqrt(1.0 + 4.0 * k * k)
    rho = (tau - jnp.sqrt(2.0 * tau)) / (2.0 * k)
    s = jnp.where(k > 1e4, 1.0 + 0.5 / k, (1.0 + rho * rho) / (2.0 * rho))

    def draw(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        key, cosine, done = state
        key, one, two = jax.random.split(key, 3)
        z = jnp.cos(jnp.pi * jax.random.uniform(one, shape, _float()))
        w = (1.0 + s * z) / (s + z)
        y = k * (s - w)
        u = 1.0 - jax.random.uniform(two, shape, _float())
        ok = (y * (2.0 - y) > u) | (jnp.log(y / u) + 1.0 >= y)
        return key, jnp.where(ok & ~done, w, cosine), done | ok

    key, side, flat = jax.random.split(key, 3)
    start = (key, jnp.zeros(shape, _float()), jnp.zeros(shape, bool))
    cosine = jax.lax.while_loop(lambda state: ~state[2].all(), draw, start)[1]
    angle = jnp.arccos(jnp.clip(cosine, -1.0, 1.0))
    angle = jnp.where(jax.random.bernoulli(side, shape=shape), angle, -angle)
    even = jax.random.uniform(flat, shape, _float(), -jnp.pi, jnp.pi)
    angle = jnp.where(small, even, angle) + mu
    return jnp.mod(angle + jnp.pi, 2.0 * jnp.pi) - jnp.pi


def wald(key: Array, mu: Array, lam: Array, *, shape: Shape, serial: int) -> Array:
    """First passage times (Michael, Schucany and Haas 1976)."""
    one, two = jax.random.split(key)
    y = jax.random.normal(one, shape, _float()) ** 2 * mu
    # The smaller root, without cancellation.
    x = mu * 2.0 * lam / (2.0 * lam + y + jnp.sqrt(4.0 * lam * y + y * y))
    u = jax.random.uniform(two, shape, _float())
    return jnp.where(u <= mu / (mu + x), x, mu * mu / x)
