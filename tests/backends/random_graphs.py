"""Random graphs for comparing backends: chains of operations over shapes that broadcast."""

from __future__ import annotations

import numpy as np

from finetti.ir import Tensor, ops

SHAPES = ((), (5,), (37,), (4, 3), (40, 6), (1, 3), (12, 1), (2, 3, 4))

# Each stays moderate in value and derivative on moderate arguments.
UNARY = (
    ops.tanh, ops.sin, ops.sigmoid, ops.softplus, lambda x: ops.exp(ops.tanh(x)),
    lambda x: ops.log1p(ops.square(x)), lambda x: ops.sqrt(1.0 + x * x), lambda x: -x,
    lambda x: x * 0.5 - 1.25, lambda x: 1.0 / (2.0 + ops.sigmoid(x)), ops.absolute,
    lambda x: ops.maximum(x, 0.3), lambda x: ops.log(ops.sigmoid(x)),
    lambda x: ops.where(x > 0.2, x, 0.1 * x), lambda x: ops.logsumexp(x) if x.ndim else x,
    lambda x: ops.gammaln(1.5 + ops.sigmoid(x)), lambda x: ops.erf(x),
)  # fmt: skip
BINARY = (
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: ops.tanh(x) * y,
    lambda x, y: x / (1.5 + ops.square(y)), ops.logaddexp, ops.maximum, ops.minimum,
    lambda x, y: ops.where(x > y, ops.sin(x), ops.cos(y)),
)  # fmt: skip


def random_graph(seed: int, length: int = 14) -> tuple[Tensor, list[Tensor], np.ndarray]:
    """(scalar, inputs, point) of a graph drawn from a seed."""
    rng = np.random.default_rng(seed)
    inputs = []
    for i in range(3):
        shape = SHAPES[rng.integers(len(SHAPES))]
        inputs.append(ops.new_input(f"x{i}", shape))
    pool = list(inputs)
    for _ in range(length):
        pool.append(_step(pool, rng))
    total = ops.as_tensor(0.0)
    for tensor in pool[-6:] + inputs:
        total = total + ops.sum_(ops.tanh(tensor) * rng.normal(size=tensor.node.shape))
    point = rng.normal(size=sum(t.node.type.size for t in inputs))
    return total, inputs, point


def _step(pool: list[Tensor], rng: np.random.Generator) -> Tensor:
    x = pool[rng.integers(len(pool))]
    kind = rng.integers(10)
    if kind < 3:
        return UNARY[rng.integers(len(UNARY))](x)
    if kind < 6:
        y = pool[rng.integers(len(pool))]
        try:
            return BINARY[rng.integers(len(BINARY))](x, y)
        except ValueError:
            return BINARY[rng.integers(len(BINARY))](x, ops.mean(y))
    if not x.ndim:
        return ops.full((int(rng.integers(2, 30)),), x)
    if kind == 6:
        axis = int(rng.integers(x.ndim))
        return (ops.sum_, ops.max_, ops.mean)[rng.integers(3)](
            x * 0.7, axis, keepdims=bool(rng.integers(2))
        )
    if kind == 7:
        n = x.shape[0]
        return x[rng.integers(0, n, size=int(rng.integers(1, 90)))]
    if kind == 8:
        return _moved(x, rng)
    return _product(x, rng)


def _moved(x: Tensor, rng: np.random.Generator) -> Tensor:
    choice = rng.integers(5)
    if choice == 0:
        return x.T
    if choice == 1:
        return ops.flatten(x)[::-1]
    if choice == 2:
        return ops.concatenate([ops.flatten(x), ops.flatten(x)[:3] * 2.0, ops.full((1,), 0.5)])
    if choice == 3:
        return ops.expand_dims(x, 0)
    return ops.stack([x, ops.tanh(x)], axis=int(rng.integers(x.ndim + 1)))


def _product(x: Tensor, rng: np.random.Generator) -> Tensor:
    matrix = rng.normal(size=(int(rng.integers(1, 60)), x.node.shape[-1])) * 0.3
    flat = x if x.ndim == 1 else ops.reshape(x, (-1, x.node.shape[-1]))[0]
    return ops.matmul(matrix, flat)
