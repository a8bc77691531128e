"""Random graphs for comparing backends.

Every operation adds noise where it compares, so that no two backends stand on different sides of a
tie, and what grows large is squashed, so that differences are those of rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from finetti.backends.reference import evaluate
from finetti.ir import FLOAT, Node, Tensor, ops
from finetti.ir.ops.leaf import data

SHAPES = ((), (1,), (1, 1), (5,), (16,), (17,), (37,), (4, 3), (40, 6), (1, 3), (12, 1), (2, 3, 4),
          (9, 9), (3, 1, 5), (0,), (3, 0))  # fmt: skip
LARGEST = 20_000


class Handle:
    """Mutable data, as a model's container holds them."""

    def __init__(self, value: np.ndarray):
        self.value = value


class Grower:
    """A pool of tensors that grows by one random operation at a time.

    Parameters
    ----------
    seed : int
    shapes : sequence of shapes
        From which those of the inputs are drawn.
    steps : sequence of callable, optional
        From which the operations are drawn.
    """

    def __init__(
        self,
        seed: int,
        shapes: Sequence[tuple[int, ...]] = SHAPES,
        steps: Sequence[Callable[[Grower, Tensor], Tensor | None]] | None = None,
    ):
        self.rng = np.random.default_rng(seed)
        self.steps = STEPS if steps is None else steps
        self.values: dict[Node, np.ndarray] = {}
        self.inputs: list[Tensor] = []
        for i in range(3):
            shape = shapes[self.rng.integers(len(shapes))]
            self.inputs.append(ops.new_input(f"x{i}", shape))
            self.values[self.inputs[-1].node] = self.rng.normal(size=shape)
        self.pool = list(self.inputs)

    # -- drawing

    def any(self) -> Tensor:
        """A tensor of the pool, late ones more often."""
        n = len(self.pool)
        return self.pool[max(int(self.rng.integers(n)), int(self.rng.integers(n)))]

    def noise(self, x: Tensor, scale: float = 1.0) -> np.ndarray:
        return self.rng.normal(size=x.node.shape) * scale

    def matching(self, x: Tensor) -> Tensor:
        """A tensor that broadcasts with `x`, without making it much larger."""
        for _ in range(4):
            y = self.any()
            try:
                shape = np.broadcast_shapes(x.node.shape, y.node.shape)
            except ValueError:
                continue
            if np.prod(shape) <= LARGEST:
                return y
        return ops.as_tensor(self.noise(x))

    def pick(self, functions: Sequence[Callable[..., Tensor]]) -> Callable[..., Tensor]:
        return functions[int(self.rng.integers(len(functions)))]

    # -- growing

    def step(self) -> None:
        """Add one tensor."""
        new = self.pick(self.steps)(self, self.any())
        if new is None or new.node.type.size > LARGEST:
            return
        if new.node.type.dtype != FLOAT:
            new = new * 0.37 - 0.21
        (value,) = evaluate([new], self.values)
        if value.size and not np.abs(value).max() < 30.0:
            new = self.tamed(new, value)
            (value,) = evaluate([new], self.values)
        self.values[new.node] = value
        self.pool.append(new)

    def tamed(self, new: Tensor, value: np.ndarray) -> Tensor:
        """What takes the place of a tensor that grew too large."""
        return ops.sin(new) if np.isfinite(value).all() else ops.where(ops.isnan(new), 0.0, 0.5)

    def point(self) -> np.ndarray:
        return np.concatenate([self.values[x.node].ravel() for x in self.inputs])


# -- operations ----------------------------------------------------------------------------------

UNARY = (
    ops.tanh, ops.sin, ops.sigmoid, ops.softplus, lambda x: ops.exp(ops.tanh(x)),
    lambda x: ops.log1p(ops.square(x)), lambda x: ops.sqrt(1.0 + x * x), lambda x: -x,
    lambda x: x * 0.5 - 1.25, lambda x: 1.0 / (2.0 + ops.sigmoid(x)), lambda x: x / 3.0 / 0.7,
    lambda x: ops.log(ops.sigmoid(x)), lambda x: ops.gammaln(1.5 + ops.sigmoid(x)), ops.erf,
    lambda x: ops.log1p(-ops.sigmoid(x)), lambda x: 1.0 - ops.sigmoid(x), lambda x: x**3,
    lambda x: (1.5 + ops.tanh(x)) ** -1.7, lambda x: ops.exp(ops.tanh(x)) ** 0.5,
    lambda x: ops.logsumexp(x) if x.size else x, lambda x: ops.log(ops.exp(x) * 2.0),
    lambda x: ops.expm1(ops.tanh(x)), lambda x: x - x * 0.0, lambda x: (x + 1.5) + 2.5,
    lambda x: ops.where(ops.exp(x) > 0, x, -np.inf),
)  # fmt: skip
BINARY = (
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: ops.tanh(x) * y,
    lambda x, y: x / (1.5 + ops.square(y)), ops.logaddexp, lambda x, y: x * x + y * y,
    lambda x, y: ops.exp(ops.tanh(x)) ** ops.tanh(y),
    lambda x, y: x * ops.tanh(y) / ops.exp(ops.tanh(x)),
    lambda x, y: ops.xlogy(1.5 + ops.tanh(x), 2.0 + ops.tanh(y)),
)  # fmt: skip


def _unary(g: Grower, x: Tensor) -> Tensor:
    return g.pick(UNARY)(x)


def _binary(g: Grower, x: Tensor) -> Tensor:
    return g.pick(BINARY)(x, g.matching(x))


def _scaled(g: Grower, x: Tensor) -> Tensor:
    """An array times scalars of the pool, on either side."""
    scalars = [t for t in g.pool if t.node.type.size == 1]
    s = scalars[g.rng.integers(len(scalars))] if scalars else ops.mean(x) if x.size else 0.5
    return g.pick((
        lambda x, s: x * s, lambda x, s: s * x / (1.0 + s * s), lambda x, s: (s * x) * (x * s),
        lambda x, s: (x - s) * ops.exp(-ops.tanh(s)), lambda x, s: x + s,
    ))(x, s)  # fmt: skip


def _compared(g: Grower, x: Tensor) -> Tensor:
    y = g.matching(x)
    y = y + g.rng.normal(size=np.broadcast_shapes(x.node.shape, y.node.shape))
    return g.pick((
        lambda x, y: ops.maximum(x, y), lambda x, y: ops.minimum(x, y),
        lambda x, y: ops.where(x > y, ops.sin(x), ops.cos(y)),
        lambda x, y: ops.where((x < y) & (x > -1.0 + 0.1 * y), x, 0.3),
        lambda x, y: ops.where((x >= y) | ~(y < 0.123), y, x * 0.5),
        lambda x, y: ops.absolute(x - y), lambda x, y: ops.sign(x - y) * x,
        lambda x, y: ops.cast(x > y, FLOAT), lambda x, y: (x > y) * (y > 0.2),
        lambda x, y: (x > y) + (y > 0.2), lambda x, y: ops.where(x > 0.2, x <= y, y > 0.3),
    ))(x, y)  # fmt: skip


def _whole(g: Grower, x: Tensor) -> Tensor:
    k = ops.cast(ops.floor(x * 3.0 + g.noise(x)), "int64")
    j = ops.cast(ops.round_(ops.sin(x) * 4.0 + g.noise(x)), "int64")
    return g.pick((
        lambda k, j: k, lambda k, j: k + j * 2, lambda k, j: k % 3, lambda k, j: k // 3 - j,
        lambda k, j: ops.where(k > j, k, j), lambda k, j: ops.cast(ops.equal(k, j), FLOAT),
        lambda k, j: k / 7, lambda k, j: ops.floor(k / 7), lambda k, j: ops.absolute(k * j),
        lambda k, j: k * k * -1, lambda k, j: k * 0 + j * 1, lambda k, j: ops.maximum(k, j) - j,
        lambda k, j: ops.xlogy(ops.absolute(k), 1.5), lambda k, j: ops.sum_(k) if k.ndim else k,
    ))(k, j)  # fmt: skip


def _reduced(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim:
        return None
    axes = tuple(a for a in range(x.ndim) if g.rng.integers(2)) or (int(g.rng.integers(x.ndim)),)
    keep = bool(g.rng.integers(2))
    if not all(x.shape[a] for a in axes):
        return ops.sum_(x, axes, keep)
    x = x * 0.7 + g.noise(x, 0.3)
    return g.pick((
        lambda x: ops.sum_(x, axes, keep), lambda x: ops.max_(x, axes, keep),
        lambda x: ops.min_(x, axes, keep), lambda x: ops.mean(x, axes, keep),
        lambda x: ops.sum_(x > 0.1, axes, keep), lambda x: ops.logsumexp(x, axes, keep),
        lambda x: ops.cast(ops.all_(x > -1.5, axes, keep), FLOAT),
        lambda x: ops.where(ops.any_(x > 1.5, axes, True), x, x * 0.5),
        lambda x: ops.prod(ops.tanh(x[..., :6]), axes, keep), lambda x: ops.softmax(x, axes[0]),
    ))(x)  # fmt: skip


def _gathered(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim or not x.size:
        return None
    axis = int(g.rng.integers(x.ndim))
    n = x.node.shape[axis]
    lead = (slice(None),) * axis
    many = g.rng.integers(-n, n, size=int(g.rng.integers(0, 90)))
    grid = g.rng.integers(-n, n, size=(3, 4))
    start = int(g.rng.integers(n))
    return g.pick((
        lambda x: x[(*lead, many)], lambda x: x[(*lead, grid)], lambda x: x[(*lead, start)],
        lambda x: x[(*lead, slice(start, None))], lambda x: x[(*lead, slice(None, None, -2))],
        lambda x: x[(*lead, None, slice(0, start))], lambda x: ops.flatten(x)[many % x.size],
        lambda x: x[(*lead, np.arange(n) % 2 == 0)],
        lambda x: x[(*lead, many)][(*lead, many[:5] % max(len(many), 1))],
        lambda x: x[(*lead, slice(start, start + 1))], lambda x: ops.repeat(x, 3, axis),
    ))(x)  # fmt: skip


def _crossed(g: Grower, x: Tensor) -> Tensor | None:
    """Rows that belong to groups of two arrays."""
    y = g.any()
    if not x.size or not y.size:
        return None
    x, y, rows = ops.flatten(x), ops.flatten(y), int(g.rng.integers(20, 900))
    i, j = (g.rng.integers(0, t.node.type.size, size=rows) for t in (x, y))
    slope = g.rng.normal(size=rows)
    return g.pick((
        lambda x, y: x[i] + y[j] * slope,
        lambda x, y: ops.tanh(x)[i] * slope - y[i % y.node.type.size],
        lambda x, y: ops.exp(-ops.square(slope - x[i] * ops.tanh(y[j]))),
        lambda x, y: (x[i] * ops.mean(y))[rows // 2 :],
    ))(x, y)  # fmt: skip


def _moved(g: Grower, x: Tensor) -> Tensor:
    if not x.ndim:
        return ops.full(((7,), (3, 4), (1,), (20,))[g.rng.integers(4)], x)
    axis = int(g.rng.integers(x.ndim))
    order = tuple(int(a) for a in g.rng.permutation(x.ndim))
    return g.pick((
        lambda x: ops.transpose(x, order), lambda x: ops.flatten(x)[::-1], lambda x: x.T * 2.0,
        lambda x: ops.expand_dims(x, axis), lambda x: ops.stack([x, ops.tanh(x)], axis),
        lambda x: ops.concatenate([x, x * 2.0, x[(slice(None),) * axis + (slice(0, 1),)]], axis),
        lambda x: ops.concatenate([ops.flatten(x), ops.full((1,), 0.5), ops.flatten(x)[:3]]),
        lambda x: ops.squeeze(x), lambda x: ops.reshape(x, (-1, 1)) if x.size else x,
        lambda x: ops.broadcast_to(x, (2, *x.shape)),
        lambda x: ops.stack([ops.sum_(x), 0.5, ops.sum_(x * x)]),
    ))(x)  # fmt: skip


def _written(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim or not x.size:
        return None
    n = x.node.shape[0]
    where = g.rng.integers(0, n, size=int(g.rng.integers(0, 7)))
    row = ops.tanh(x[0])
    return g.pick((
        lambda x: ops.set_at(x, where, 0.25), lambda x: ops.set_at(x, n - 1, row),
        lambda x: ops.set_at(x, slice(0, n // 2), row),
        lambda x: ops.set_at(x, where, x[where] * 0.5),
    ))(x)  # fmt: skip


def _running(g: Grower, x: Tensor) -> Tensor | None:
    return ops.cumsum(x * 0.3, int(g.rng.integers(x.ndim))) if x.ndim else None


def _looped(g: Grower, x: Tensor) -> Tensor | None:
    """Steps along the first axis, forwards or backwards."""
    if not x.ndim or x.node.shape[0] > 60:
        return None
    s, y = g.matching(x), x * 0.4
    s = ops.tanh(ops.mean(s)) if s.size else ops.as_tensor(0.3)
    start, back = ops.zeros(x.node.shape[1:]), bool(g.rng.integers(2))
    k = g.rng.integers(0, 5, size=x.node.shape[0])
    _, kept = g.pick((
        lambda: ops.scan(lambda c, e: ((n := s * c + e), n), start, [y], reverse=back),
        lambda: ops.scan(lambda c, e: ((n := ops.tanh(c * s + e)), ops.exp(n * s)), start, [y]),
        lambda: ops.scan(lambda c, e: (ops.where(c > 0.4, e * s, c + e), c), start, [y]),
        lambda: ops.scan(lambda c, e: ((c[1], c[0] * 0.5 + e), c[0] * s), (start, start), [y],
                         reverse=back),
        lambda: ops.scan(lambda c, e: (0.5 * c + ops.sum_(e), c), 0.1, [ops.sin(y)]),
        lambda: ops.scan(lambda c, e, i: (c * 0.3 + e, ops.stack([c, s * e, e, c, c])[i]),
                         start, [y, k]),
    ))()  # fmt: skip
    return kept


def _product(g: Grower, x: Tensor) -> Tensor | None:
    if not x.ndim:
        return None
    n = x.node.shape[-1]
    matrix = g.rng.normal(size=(int(g.rng.integers(0, 60)), n)) / np.sqrt(n + 1)
    tall = g.rng.normal(size=(n, int(g.rng.integers(1, 5)))) / np.sqrt(n + 1)
    line = ops.flatten(x)[:n] if x.size else ops.zeros((n,))
    square = lambda x: ops.matrix_transpose(ops.tanh(x)) @ x / (1 + x.node.shape[-2])  # noqa: E731
    return g.pick((
        lambda x: matrix @ line, lambda x: line @ matrix.T, lambda x: x @ tall,
        lambda x: (2.0 * x) @ (tall * 0.5), lambda x: ops.tanh(tall.T) @ line,
        lambda x: square(x) if x.ndim > 1 else ops.outer(x, x)[:5],
        lambda x: matrix @ (line * ops.sigmoid(line)), lambda x: ops.stack([x, -x]) @ tall,
        lambda x: x[..., None, :] @ tall, lambda x: x @ ops.tanh(line * 0.1),
    ))(x)  # fmt: skip


def _definite(g: Grower, x: Tensor) -> Tensor | None:
    """Cholesky factors of positive definite matrices, and what is solved with them."""
    if x.ndim < 2 or not 1 <= x.shape[-1] <= 12 or not x.size:
        return None
    n = x.node.shape[-1]
    x = ops.tanh(x)
    root = ops.cholesky(ops.matrix_transpose(x) @ x * (1.0 / x.node.shape[-2]) + np.eye(n))
    v = ops.flatten(x)[:n] if x.ndim > 2 else x[0]
    return g.pick((
        lambda c: c, lambda c: ops.solve_triangular(c, ops.matrix_transpose(c)),
        lambda c: ops.solve_triangular(c, v, trans=True) if c.ndim == 2 else c[0],
        lambda c: ops.log(ops.diagonal(c)),
        lambda c: ops.quadratic_form(c, v) if c.ndim == 2 else c,
    ))(root)  # fmt: skip


def _mutable(g: Grower, x: Tensor) -> Tensor:
    """Data and the lengths that come from them."""
    held = data(handle=Handle(g.noise(x)))
    if not x.ndim:
        return held * x
    return g.pick((
        lambda x: held * x, lambda x: x + ops.as_tensor(held.shape[0]) * 0.01,
        lambda x: ops.arange(held.shape[0]) * 0.1 + ops.sum_(x) * 0.01,
        lambda x: ops.mean(held - x) * x, lambda x: ops.where(held > 0, x, held),
        lambda x: ops.reshape(x, (held.shape[0], -1)) if x.size else x,
    ))(x)  # fmt: skip


STEPS = (_unary, _unary, _unary, _binary, _binary, _binary, _scaled, _scaled, _compared, _compared,
         _whole, _reduced, _reduced, _gathered, _gathered, _crossed, _moved, _moved, _written,
         _running, _looped, _product, _product, _definite, _mutable)  # fmt: skip


def random_graph(
    seed: int, length: int = 16, shapes: Sequence[tuple[int, ...]] = SHAPES
) -> tuple[Tensor, list[Tensor], np.ndarray]:
    """(scalar, inputs, point) of a graph drawn from a seed."""
    g = Grower(seed, shapes)
    for _ in range(length):
        g.step()
    total = ops.as_tensor(0.0)
    for tensor in g.pool[-8:] + g.inputs:
        total = total + ops.sum_(ops.tanh(tensor) * g.noise(tensor))
    return total, g.inputs, g.point()


def random_outputs(seed: int, length: int = 10) -> tuple[list[Tensor], list[Tensor], np.ndarray]:
    """(outputs of all dtypes, inputs, point) of a graph drawn from a seed."""
    g = Grower(seed)
    for _ in range(length):
        g.step()
    last = g.pool[-1]
    whole = ops.cast(ops.floor(last * 9.7 + g.noise(last)), "int64")
    truths = [t > 0.1234 for t in g.pool[-2:]]
    return [*g.pool[-6:], *truths, whole, g.inputs[0]], g.inputs, g.point()
