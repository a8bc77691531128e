"""Steps with every operation, for random graphs of any length.

Arguments are squashed into the domains of the functions, matrices are well conditioned, and what
is compared, ordered or rounded gets noise first: what a graph computes hardly depends on rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from tests.backends.random_graphs import SHAPES, STEPS, Grower, Handle

from finetti.ir import FLOAT, OPS, Tensor, ops, topological
from finetti.ir.ops.leaf import data

Step = Callable[[Grower, Tensor], Tensor | None]


def between(low: float, high: float, x: Tensor) -> Tensor:
    return low + (high - low) * ops.sigmoid(0.5 * x)


def laid_out(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """The same numbers with other strides."""
    match int(rng.integers(5)):
        case 1:
            return np.asfortranarray(array)
        case 2 if array.ndim:
            wide = np.repeat(array, 2, -1)
            return wide[..., ::2]
        case 3 if array.ndim:
            return np.ascontiguousarray(array[::-1])[::-1]
        case 4 if array.ndim and array.size:
            return np.broadcast_to(array[:1], array.shape)
    return array


# -- element by element --------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "reciprocal": lambda x: ops.reciprocal(between(0.5, 3.0, x)),
    "tan": lambda x: ops.tan(ops.tanh(x)), "arcsin": lambda x: ops.arcsin(0.9 * ops.tanh(x)),
    "arccos": lambda x: ops.arccos(0.9 * ops.tanh(x)), "arctan": ops.arctan,
    "sinh": lambda x: ops.sinh(ops.tanh(x)), "cosh": lambda x: ops.cosh(ops.sin(x)),
    "arcsinh": ops.arcsinh, "arccosh": lambda x: ops.arccosh(between(1.1, 4.0, x)),
    "arctanh": lambda x: ops.arctanh(0.9 * ops.tanh(x)), "erfc": ops.erfc,
    "erfinv": lambda x: ops.erfinv(0.9 * ops.tanh(x)),
    "digamma": lambda x: ops.digamma(between(0.4, 9.0, x)),
    "trigamma": lambda x: ops.polygamma(1, between(0.4, 9.0, x)),
    "polygamma": lambda x: ops.polygamma(3, between(0.8, 9.0, x)),
    "erfcx": lambda x: ops.erfcx(between(-1.5, 8.0, x)),
    "ndtri": lambda x: ops.ndtri(between(0.03, 0.97, x)), "mills": OPS["mills_inverse"],
    "log_ndtr": ops.log_ndtr, "log1mexp": lambda x: ops.log1mexp(between(-6.0, -0.05, x)),
    "gamma": lambda x: ops.gamma(between(0.4, 4.0, x)), "i0e": ops.i0e, "i1e": ops.i1e,
    "i0": lambda x: ops.i0(ops.tanh(x)), "i1": lambda x: ops.i1(2.0 * ops.sin(x)),
    "logit": lambda x: ops.logit(between(0.1, 0.9, x)), "ndtr": ops.ndtr,
    "exp2": lambda x: ops.exp2(ops.tanh(x)), "log2": lambda x: ops.log2(between(0.2, 3.0, x)),
    "erfcinv": lambda x: ops.erfcinv(between(0.1, 1.9, x)),
    "log10": lambda x: ops.log10(between(0.2, 3.0, x)),
    "stopped": lambda x: ops.stop_gradient(x) * x,
    "logdiffexp": lambda x: ops.logdiffexp(between(1.0, 2.0, x), between(-2.0, 0.9, x)),
    "clip": lambda x: ops.clip(x, -0.731, 1.329), "abs": lambda x: ops.absolute(x - 0.2345),
    "log of exp sum": lambda x: ops.log(1.0 + ops.exp(x)), "log1m": lambda x: ops.log(
        1.0 - ops.exp(between(-5.0, -0.1, x))), "odds": lambda x: ops.exp(x) / (1.0 + ops.exp(x)),
    "root": lambda x: ops.sqrt(ops.square(x - 0.2718)),
    "inverse twice": lambda x: 1.0 / (1.0 / (x + 40.0)),
    "guarded log": lambda x: ops.where(x > 0.1357, ops.log(x), x),
    "guarded root": lambda x: ops.where(x < 0.1357, 0.5, ops.sqrt(x - 0.1357)),
}  # fmt: skip
PAIRS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "arctan2": lambda x, y: ops.arctan2(x, 1.2 + ops.tanh(y)),
    "any arctan2": lambda x, y: ops.arctan2(ops.sin(x) + 1.7, ops.tanh(y)),
    "xlog1py": lambda x, y: ops.xlog1py(between(0.1, 2.0, x), between(-0.8, 3.0, y)),
    "gammainc": lambda x, y: ops.gammainc(between(0.4, 6.0, x), between(0.3, 7.0, y)),
    "gammaincc": lambda x, y: ops.gammaincc(between(0.4, 6.0, x), between(0.3, 7.0, y)),
    "gammainc_d": lambda x, y: OPS["gammainc_d"](
        between(0.5, 4.0, x), between(0.4, 4.0, y), order=1),
    "betainc": lambda x, y: ops.betainc(between(0.5, 4.0, x), between(0.5, 4.0, y),
                                        between(0.1, 0.9, x)),
    "betainc_d": lambda x, y: OPS["betainc_d"](
        between(0.6, 3.0, x), between(0.6, 3.0, y), between(0.2, 0.8, y), i=1, j=0),
    "betaln": lambda x, y: ops.betaln(between(0.4, 4.0, x), between(0.4, 4.0, y)),
    "divided": lambda x, y: x / between(0.6, 3.0, y), "product": lambda x, y: ops.tanh(x) * y,
    "gammaincinv": lambda x, y: ops.gammaincinv(between(0.5, 5.0, x), between(0.1, 0.9, y)),
    "betaincinv": lambda x, y: ops.betaincinv(
        between(0.6, 4.0, x), between(0.6, 4.0, y), between(0.1, 0.9, x)),
    "remainder": lambda x, y: (x + 0.0171) % between(1.1, 2.3, y),
    "floor division": lambda x, y: (x + 0.0171) // between(1.1, 2.3, y),
}  # fmt: skip
# What JAX lacks.
ELSEWHERE: dict[str, Callable[[Tensor], Tensor]] = {
    "ive": lambda x: ops.ive(2, between(0.4, 9.0, x)),
    "iv": lambda x: ops.iv(3, between(0.4, 4.0, x)),
}


def function(g: Grower, x: Tensor) -> Tensor:
    return g.pick(list(FUNCTIONS.values()))(x)


def pair(g: Grower, x: Tensor) -> Tensor:
    return g.pick(list(PAIRS.values()))(x, g.matching(x))


def elsewhere(g: Grower, x: Tensor) -> Tensor:
    return g.pick(list(ELSEWHERE.values()))(x)


def truth(g: Grower, x: Tensor) -> Tensor:
    """Truths and whole numbers, mixed with each other and with constants of those kinds."""
    y = x + g.noise(x)
    k = ops.cast(ops.trunc(y * 3.0), "int64")
    a, b = y > 0.2, g.noise(x) < ops.sin(x)
    mask = ops.as_tensor(laid_out(g.rng, g.rng.random(x.node.shape) < 0.5))
    whole = ops.as_tensor(laid_out(g.rng, g.rng.integers(-3, 4, x.node.shape)))
    return g.pick((
        lambda: ops.logical_xor(a, mask), lambda: ops.where(ops.logical_xor(a, b), x, 0.5 * y),
        lambda: ops.where(ops.not_equal(k, whole), x, -x), lambda: ops.ceil(y) - ops.trunc(y),
        lambda: ops.where(~mask & b, k, whole), lambda: ops.cast(k * whole, FLOAT) * x,
        lambda: ops.where(ops.equal(k % 2, 0) | a, k // 3, k + whole), lambda: ops.sign(k) * whole,
        lambda: x * mask + whole * 0.1, lambda: ops.cast(k, "bool"), lambda: ops.absolute(k) ** 2,
        lambda: ops.maximum(k, whole) / (1 + ops.square(whole)), lambda: (k > whole) * y,
        lambda: ops.cast(a, "int64") - ops.cast(b, "int64"), lambda: -k + ops.cast(mask, "int64"),
    ))()  # fmt: skip


def hole(g: Grower, x: Tensor) -> Tensor:
    """Infinities and NaN that a choice takes out again."""
    kinds = g.rng.choice([np.nan, np.inf, -np.inf], x.node.shape)
    z = ops.where(g.rng.random(x.node.shape) < 0.7, x, kinds)
    return g.pick((
        lambda: ops.where(ops.isnan(z) | ops.isinf(z), 0.3, z),
        lambda: ops.where(ops.isfinite(z), z, ops.sin(x)), lambda: ops.cast(ops.isinf(z), FLOAT),
        lambda: ops.where(ops.isnan(z), x * x, ops.clip(z, -2.0, 2.0)),
        lambda: ops.tanh(ops.where(ops.isnan(z), 0.1, z)), lambda: ops.isnan(z),
        lambda: ops.sigmoid(ops.where(ops.isnan(z), x, z)),
    ))()  # fmt: skip


def strided(g: Grower, x: Tensor) -> Tensor:
    """Constants and data of any layout."""
    array = laid_out(g.rng, g.noise(x))
    held = data(handle=Handle(laid_out(g.rng, g.rng.integers(-2, 3, x.node.shape))))
    return g.pick((
        lambda: x * array, lambda: x - ops.as_tensor(array) * 0.5, lambda: x * held,
        lambda: ops.maximum(x, array), lambda: ops.where(held > 0, x, array),
        lambda: (x.T * array.T).T if x.ndim else x + array,
        lambda: x * (laid_out(g.rng, g.rng.random(x.node.shape)) < 0.5),
    ))()  # fmt: skip


# -- along axes ----------------------------------------------------------------------------------


def reduced(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim or not x.size:
        return None
    axis = int(g.rng.integers(x.ndim))
    y = x * 0.8 + g.noise(x, 0.5)
    return g.pick((
        lambda: ops.var(y, axis), lambda: ops.std(y + g.noise(x), None, keepdims=True) + 0.1 * x
        if x.size > 1 else y,
        lambda: ops.log_softmax(y, axis), lambda: ops.softmax(y, axis),
        lambda: ops.prod(1.0 + 0.1 * ops.tanh(y), axis), lambda: y - ops.max_(y, axis, True),
        lambda: ops.norm(y, axis=axis), lambda: ops.norm(y, 1, axis), lambda: ops.mean(y),
        lambda: ops.where(ops.all_(y < 2.5, axis, True), y, 0.5 * y),
        lambda: ops.any_(y > 1.0, axis),
        lambda: ops.sum_(ops.cast(ops.ceil(y), "int64"), axis),
        lambda: ops.logsumexp(y, axis, True),
        lambda: ops.prod(ops.cast(y > -9.0, "int64"), axis),
        lambda: ops.min_(y, axis) * ops.sum_(y),
    ))()  # fmt: skip


def running(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim:
        return None
    axis = int(g.rng.integers(x.ndim))
    y = x + g.noise(x)
    return g.pick((
        lambda: ops.cumprod(1.0 + 0.2 * ops.tanh(x), axis), lambda: ops.cummax(y, axis),
        lambda: ops.cummin(y, axis), lambda: ops.recurrence(0.8 * ops.tanh(x), y, axis),
        lambda: ops.recurrence(0.5, x, axis), lambda: ops.cumsum(y > 0.1, axis),
        lambda: ops.cumsum(ops.cast(ops.floor(y), "int64"), axis),
        lambda: ops.flip(ops.cumsum(ops.flip(0.2 * x, axis), axis), axis),
    ))()  # fmt: skip


def ordered(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim or not x.size:
        return None
    axis = int(g.rng.integers(x.ndim))
    y = x + g.noise(x)
    shape = list(x.node.shape)
    shape[axis] = int(g.rng.integers(1, 6))
    places = g.rng.integers(0, x.node.shape[axis], shape)
    order = ops.argsort(y, axis)
    first = order[(slice(None),) * axis + (slice(0, 2),)]
    values = ops.as_tensor(g.rng.normal(size=first.node.shape))
    return g.pick((
        lambda: ops.sort(y, axis), lambda: order, lambda: ops.take_along(x, order, axis),
        lambda: ops.argmax(y, axis), lambda: ops.argmin(y, axis, keepdims=True) + x,
        lambda: ops.take_along(x, places, axis), lambda: ops.flatten(x)[ops.argmax(y)] * x,
        lambda: ops.add_along(x, places, g.rng.normal(size=shape), axis),
        lambda: ops.put_along(x, first, values * ops.sin(ops.mean(x)), axis),
        lambda: ops.add_along(x, first, ops.tanh(values * ops.mean(x)), axis),
        lambda: ops.sort(y, None), lambda: x - ops.take_along(x, ops.argmax(y, axis, True), axis),
    ))()  # fmt: skip


# -- movement ------------------------------------------------------------------------------------


def moved(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim:
        return None
    axis, other = (int(a) for a in g.rng.integers(0, x.ndim, 2))
    n = x.node.shape[axis]
    shift = int(g.rng.integers(-4, 5))
    counts = g.rng.integers(0, 4, n)
    flat = ops.flatten(x)[:6]
    return g.pick((
        lambda: ops.roll(x, shift, axis), lambda: ops.roll(x, shift), lambda: ops.flip(x),
        lambda: ops.tile(x, 2), lambda: ops.tile(x, (2, 1, 3)), lambda: ops.repeat(x, counts, axis),
        lambda: ops.swapaxes(x, axis, other) * 1.5, lambda: ops.moveaxis(x, axis, other),
        lambda: ops.dimshuffle(x, "x", *range(x.ndim)), lambda: ops.flip(x, axis),
        lambda: ops.split(x, [n // 3, n // 2], axis)[int(g.rng.integers(3))],
        lambda: ops.diag(flat, int(g.rng.integers(-1, 2))), lambda: ops.block_diag(
            ops.reshape(flat, (1, -1)), ops.reshape(2.0 * flat, (-1, 1))),
        lambda: ops.outer(flat, ops.sin(flat)),
        lambda: ops.kron(flat[:3], ops.stack([flat, -flat])),
        lambda: ops.linspace(ops.sum_(flat), ops.sum_(ops.sin(flat)), 5),
        lambda: ops.concatenate([x, ops.broadcast_to(ops.sum_(flat), x.shape), x * 0.5], axis),
        lambda: ops.expand_dims(x, (0, -1)), lambda: ops.reshape(x, x.node.shape[::-1]),
        lambda: ops.concatenate([ops.cast(x > g.noise(x), "int64"), x], axis),
    ))()  # fmt: skip


def matrix(g: Grower, x: Tensor) -> Tensor | None:
    """Parts of the last two axes."""
    if x.ndim < 2:
        return None
    k = int(g.rng.integers(-2, 3))
    return g.pick((
        lambda: ops.tril(x, k), lambda: ops.triu(x, k), lambda: ops.diagonal(x, k),
        lambda: ops.trace(x), lambda: ops.matrix_transpose(x) + 0.5,
        lambda: ops.tril(x) - ops.triu(x),
    ))()  # fmt: skip


def key(g: Grower, shape: tuple[int, ...]) -> tuple:
    """What may stand between brackets: any mixture of the kinds of index."""
    parts: list = []
    length = int(g.rng.integers(1, 5))
    for n in shape:
        start = int(g.rng.integers(n))
        parts.append(g.pick((
            lambda n=n: slice(None), lambda s=start: s, lambda s=start, n=n: s - n,
            lambda s=start: slice(s, None), lambda: slice(None, None, -1),
            lambda: slice(None, None, 2), lambda s=start: slice(None, s + 1),
            lambda n=n: g.rng.integers(-n, n, length),
            lambda n=n: g.rng.integers(0, n, (2, length)),
            lambda n=n: g.rng.random(n) < 0.6 if len(shape) == 1 else slice(None),
        ))())  # fmt: skip
    if g.rng.integers(4) == 0:
        parts.insert(int(g.rng.integers(len(parts) + 1)), None)
    if g.rng.integers(4) == 0:
        parts[int(g.rng.integers(len(parts))) :] = [Ellipsis]
    return tuple(parts)


def indexed(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim or not x.size:
        return None
    at = key(g, x.node.shape)
    part = x[at]
    mask = g.rng.random(x.node.shape) < 0.5
    value = g.rng.normal(size=part.node.shape)
    return g.pick((
        lambda: part, lambda: part, lambda: ops.set_at(x, at, 0.3), lambda: x[mask],
        lambda: ops.add_at(x, at, value), lambda: ops.add_at(x, at, ops.sin(part)),
        lambda: ops.set_at(x, at, ops.tanh(part)), lambda: ops.set_at(x, mask, ops.mean(x)),
        lambda: ops.add_at(x, mask, ops.sin(x[mask])), lambda: ops.inc_subtensor(part, 0.5),
        lambda: ops.set_subtensor(x[0], ops.sin(x[-1])),
    ))()  # fmt: skip


def looked_up(g: Grower, x: Tensor) -> Tensor | None:
    """Positions known only when the graph runs."""
    if not x.ndim or not x.size:
        return None
    n = x.node.shape[0]
    y = ops.flatten(g.any())[:40]
    k = ops.cast(ops.floor(3.0 * y + g.noise(y)), "int64") % n
    j = ops.cast(ops.floor(5.0 * y + g.noise(y)), "int64") % x.node.shape[-1]
    distinct = ops.argsort(ops.flatten(x)[:n] + g.rng.normal(size=n))[: n // 2 + 1]
    row = x[distinct]
    return g.pick((
        lambda: x[k], lambda: x[k, ..., j] if x.ndim > 1 else x[k - n], lambda: x[..., j] * 2.0,
        lambda: ops.set_at(x, k, 0.25), lambda: ops.set_at(x, distinct, ops.sin(row)),
        lambda: ops.add_at(x, k, 0.1 * ops.sin(x[k])), lambda: ops.add_at(x, distinct, row * row),
        lambda: x[k[:, None] if k.node.shape[0] < 9 else k, ...],
        lambda: x[::-1][k % 2 if n > 1 else k],
        lambda: x[k, None], lambda: x[ops.argmax(ops.flatten(x)[:n] + g.rng.normal(size=n))],
    ))()  # fmt: skip


# -- linear algebra ------------------------------------------------------------------------------


def product(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim or not 0 < x.node.shape[-1] <= 40:
        return None
    n = x.node.shape[-1]
    const = laid_out(g.rng, g.rng.normal(size=(3, n, 2)) / np.sqrt(n))
    line = ops.flatten(x)[:n] if x.size else ops.zeros((n,))
    square = ops.outer(ops.sin(line), ops.tanh(line))
    batch = ops.stack([square, 0.5 * square, -square])
    flat = ops.reshape(x, (-1, n)) * (1.0 / np.sqrt(n))
    return g.pick((
        lambda: ops.expand_dims(flat, 0) @ const, lambda: batch @ const,
        lambda: batch @ batch[0] * (1.0 / n), lambda: ops.einsum("...i,i->...", x, line),
        lambda: ops.einsum("ij,kjl->kil", flat, const), lambda: ops.einsum("ij,ik->jk", flat, flat),
        lambda: ops.einsum("bij,bjk,k->bi", batch, batch, line) / n,
        lambda: ops.einsum("ii->i", square),
        lambda: ops.einsum("i,j->ji", line, line), lambda: ops.einsum("ij->j", flat),
        lambda: ops.tensordot(flat, const, ([1], [1])), lambda: ops.dot(flat, ops.tanh(line)),
        lambda: ops.tensordot(line, line, 0)[:5], lambda: ops.matmul(line, const),
        lambda: ops.einsum("bij,bij->b", batch, ops.tanh(batch)),
        lambda: ops.matmul(np.asfortranarray(const[0].T), ops.matrix_transpose(flat)),
    ))()  # fmt: skip


def square_of(g: Grower, x: Tensor) -> Tensor | None:
    """Small well-conditioned matrices, some in batches."""
    if not x.size:
        return None
    n = int(g.rng.integers(1, 8))
    batch: tuple[int, ...] = ((), (), (3,), (2, 1))[int(g.rng.integers(4))]
    many = int(np.prod(batch, dtype=int)) * n * n
    source = ops.flatten(x)[np.arange(many) % x.node.type.size]
    noise = g.rng.normal(size=(*batch, n, n))
    return ops.tanh(ops.reshape(source, (*batch, n, n)) * 0.3 + 0.5 * noise)


def solved(g: Grower, x: Tensor) -> Tensor | None:
    m = square_of(g, x)
    if m is None:
        return None
    n = m.node.shape[-1]
    a = m * (1.0 / n) + np.eye(n) * 1.5
    right = ops.tanh(m[..., :2] + 0.5)
    return g.pick((
        lambda: ops.solve(a, right), lambda: ops.inv(a), lambda: ops.det(a),
        lambda: ops.slogdet(a)[1], lambda: ops.logdet(a) * ops.slogdet(-a)[0],
        lambda: ops.solve(a, np.eye(n)[:, 0]) if a.ndim == 2 else ops.solve(a, right[..., :1]),
        lambda: ops.expm(m * 0.5), lambda: ops.expm(m * (3.0 / n)), lambda: ops.matrix_power(a, 3),
        lambda: ops.matrix_power(a, -2), lambda: ops.solve(ops.matrix_transpose(a), right),
    ))()  # fmt: skip


def factored(g: Grower, x: Tensor) -> Tensor | None:
    m = square_of(g, x)
    if m is None:
        return None
    n = m.node.shape[-1]
    root = ops.cholesky(ops.matmul(m, ops.matrix_transpose(m)) * (1.0 / n) + np.eye(n) * 0.7)
    right = ops.sin(m[..., :3])
    symmetric = (m + ops.matrix_transpose(m)) * (0.2 / n) + np.diag(np.arange(n) * 1.3)
    return g.pick((
        lambda: root, lambda: ops.solve_triangular(root, right),
        lambda: ops.solve_triangular(root, right, trans=True), lambda: ops.cho_solve(root, right),
        lambda: ops.solve_triangular(ops.matrix_transpose(root), right, lower=False),
        lambda: ops.solve_triangular(ops.matrix_transpose(root), right, trans=True, lower=False),
        lambda: ops.eigh(symmetric)[0], lambda: ops.eigh(symmetric)[1], lambda: ops.log(
            ops.diagonal(root)), lambda: ops.quadratic_form(root, right[..., 0]),
        lambda: ops.cholesky(ops.as_tensor(np.eye(n) * 2.0) + root @ ops.matrix_transpose(root)),
        lambda: OPS["cholesky_adjoint"](right @ ops.matrix_transpose(right), root),
        lambda: ops.solve_triangular(np.tri(n) + np.eye(n), right),
    ))()  # fmt: skip


# -- loops ---------------------------------------------------------------------------------------


def looped(g: Grower, x: Tensor) -> Tensor | None:
    """Loops with functions drawn for their steps, some of them within another."""
    if not x.ndim or x.node.shape[0] > 40 or x.node.type.size > 400:
        return None
    f, h = (g.pick([ops.tanh, ops.sin, *FUNCTIONS.values()]) for _ in range(2))
    pairs = g.pick(list(PAIRS.values()))
    s = g.matching(x)
    s = ops.tanh(ops.mean(s)) if s.size else ops.as_tensor(0.3)
    start, back = ops.sin(ops.full(x.node.shape[1:], s)), bool(g.rng.integers(2))
    k, rest = g.rng.integers(0, 3, x.node.shape[0]), laid_out(g.rng, g.rng.normal(size=(5, 2)))
    size, n = x.node.type.size, x.node.shape[0]
    flat = ops.flatten(x)[: min(size, 5)] if size else ops.as_tensor([0.2, -0.4]) * s

    def inner(c: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        last, seen = ops.scan(lambda d, r: (0.5 * d + r[0] * s, d * r[1]), c, [rest])
        return ops.tanh(last + e), ops.sum_(seen, 0)

    runs: dict[str, Callable[[], tuple]] = {
        "any": lambda: ops.scan(lambda c, e: (n := 0.3 * f(c) + 0.5 * ops.tanh(e), h(n)), start,
                                [x], reverse=back),
        "pair": lambda: ops.scan(lambda c, e: (0.4 * ops.tanh(pairs(c, e)), c * e), start, [x]),
        "counted": lambda: ops.scan(
            lambda c, e: ((c[0] + 1, ops.tanh(c[1] + e / (1 + c[0]))), c[0] * e),
            (ops.as_tensor(0), start), [x], reverse=back),
        "chosen": lambda: ops.scan(
            lambda c, e, i: (ops.where(ops.equal(i, 1), f(e) * 0.1, 0.5 * c),
                             ops.where(c > 0.3171 * s, c, e)), start, [x, k]),
        "no sequence": lambda: ops.scan(lambda c: (ops.sin(c + s), c), start, length=int(
            g.rng.integers(0, 6))),
        "rows": lambda: ops.scan(lambda c, e: (ops.tanh(0.2 * c + ops.mean(e)), c + ops.sum_(c)),
                                 flat, [x]),
        "matrix": lambda: ops.scan(lambda c, e, m: ((m @ c) * 0.2 + ops.sum_(ops.sin(e)), c),
                                   flat, [x], [ops.outer(flat, ops.tanh(flat))]),
        "lookup": lambda: ops.scan(lambda c, e, i, t: (0.4 * c + t[i], e * t[0]), start,
                                   [x, k % len(k)], [x], reverse=back),
        "nested": lambda: ops.scan(inner, start, [x], reverse=back),
        "last": lambda: ops.scan(lambda c, e: (ops.tanh(c + 0.5 * e), None), start, [x]),
        "running": lambda: ops.scan(
            lambda c, e: (0.5 * ops.cumsum(c) + 0.1 * ops.sum_(e), ops.max_(c)),
            flat + np.arange(flat.node.shape[0]), [x]),
    }  # fmt: skip
    if not n:
        del runs["lookup"]
    last, kept = runs[str(g.rng.choice(list(runs)))]()
    last = last[1] if isinstance(last, tuple) else last
    return last if kept is None or g.rng.integers(3) == 0 else kept


MORE: tuple[Step, ...] = (
    *(function,) * 12, *(pair,) * 6, truth, truth, hole, strided, reduced, running, ordered,
    ordered, moved, moved, matrix, indexed, indexed, looked_up, product, product, solved, factored,
    looped,
)  # fmt: skip
THREE_BACKENDS: tuple[Step, ...] = (*STEPS, *MORE)
TWO_BACKENDS: tuple[Step, ...] = (*THREE_BACKENDS, elsewhere, elsewhere)


class Stress(Grower):
    """Goes on from what is not used yet, and keeps values near 1."""

    def any(self) -> Tensor:
        ends = ends_of(self.pool) if self.rng.integers(3) else self.pool
        return ends[int(self.rng.integers(len(ends)))]

    def tamed(self, new: Tensor, value: np.ndarray) -> Tensor:
        if not np.isfinite(value).all():
            return ops.where(ops.isfinite(new), ops.tanh(new), 0.25)
        return new * (3.0 / float(np.abs(value).max()))  # a factor moves no digits


def ends_of(pool: Sequence[Tensor]) -> list[Tensor]:
    """The tensors on which no other depends."""
    used = {n for t in pool for n in topological(t.node.args)}
    return [t for t in pool if t.node not in used]


def stress_graph(
    seed: int, nodes: int = 200, steps: Sequence[Step] = THREE_BACKENDS
) -> tuple[Tensor, list[Tensor], np.ndarray]:
    """(scalar, inputs, point) of a graph of at most so many nodes, drawn from a seed."""
    g = Stress(seed, SHAPES, steps)
    most = int(g.rng.integers(max(10, nodes // 4), nodes + 1))
    states = [len(g.pool)]
    while len(topological([t.node for t in g.pool])) < most:
        g.step()
        states.append(len(g.pool))
    weights = {t: g.noise(t) for t in g.pool}
    for length in reversed(states):
        total = _ending(g.pool[:length], weights)
        if len(topological([total.node])) <= most:
            break
    return total, g.inputs, g.point()


def _ending(pool: Sequence[Tensor], weights: dict[Tensor, np.ndarray]) -> Tensor:
    """A scalar that depends on all of the tensors."""
    total = ops.as_tensor(0.0)
    for tensor in ends_of(pool):
        total = total + ops.sum_(ops.tanh(tensor) * weights[tensor])
    return total


__all__ = ["MORE", "THREE_BACKENDS", "TWO_BACKENDS", "stress_graph"]
