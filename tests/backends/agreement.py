"""Whether backends agree on a graph, as far as its rounding lets them; and the least that does not.

The reference is evaluated again with noise of the size that each operation may be wrong by. What
that moves, other backends may move as well; a graph that it moves far says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from finetti.backends.native import compile_density
from finetti.backends.reference import evaluate
from finetti.ir import FLOAT, Node, Tensor, ops, rebuild, topological
from finetti.passes.grad import gradient

Values = Mapping[Node, np.ndarray]
# (a scalar node, inputs, their values) -> the scalar and its gradient
Backend = Callable[[Node, Sequence[Node], Values], list[np.ndarray]]
# Their results are other elements' values, to the last digit.
_EXACT = {"where", "maximum", "minimum", "absolute", "negative", "max", "min", "floor", "ceil",
          "trunc", "round", "sign", "stop_gradient", "cast"}  # fmt: skip
_NOISY = {"elementwise", "reduction", "scan", "linalg", "control"}
ROUNDS = 3  # evaluations with noise
MARGIN = 20.0  # how much farther than that a backend may be off
LOST = 1e-4  # beyond this share of the largest element a graph is left out


def values_of(inputs: Sequence[Tensor], point: np.ndarray) -> dict[Node, np.ndarray]:
    """The value of each input in a flat point."""
    values, start = {}, 0
    for node in (tensor.node for tensor in inputs):
        values[node] = point[start : start + node.type.size].reshape(node.shape)
        start += node.type.size
    return values


def noisy(outputs: Sequence[Node], values: Values, rng: np.random.Generator) -> list[np.ndarray]:
    """The reference's values, every rounded result a little off."""
    known = dict(values)
    with np.errstate(all="ignore"):
        for node in topological(outputs, known):
            args = tuple(known[arg] for arg in node.args)
            value = np.asarray(node.op.evaluate(args, node.attrs), node.type.dtype)
            op = node.op
            if op.family in _NOISY and op.name not in _EXACT and node.type.dtype == FLOAT:
                off = value * (1.0 + 0.1 * op.tol * rng.uniform(-1.0, 1.0, value.shape))
                value = np.where(value == np.rint(value), value, off)
            known[node] = value
    return [known[output] for output in outputs]


@dataclass
class Expected:
    """A value and gradient, and how far off each may be."""

    arrays: list[np.ndarray]
    bounds: list[float]
    lost: bool

    def complaint(self, got: Sequence[np.ndarray]) -> str | None:
        """What differs by too much."""
        for k, (want, one, bound) in enumerate(zip(self.arrays, got, self.bounds, strict=True)):
            one = np.asarray(one).reshape(want.shape)
            with np.errstate(invalid="ignore"):
                close = (np.abs(one - want) <= bound) | (one == want)
            close |= np.isnan(one) & np.isnan(want)
            if not close.all():
                at = np.argwhere(~close)[0]
                what = "value" if k == 0 else f"gradient of input {k - 1}"
                return (
                    f"{what} at {at.tolist()}: {one[tuple(at)]!r} instead of {want[tuple(at)]!r} "
                    f"({(~close).sum()} of {close.size} elements, bound {bound:.1e})"
                )
        return None


def expected(total: Node, inputs: Sequence[Node], values: Values) -> Expected:
    """What the reference makes of a graph as it was written."""
    graph = [total, *gradient(total, inputs)]
    rng = np.random.default_rng(1)
    arrays, *others = [noisy(graph, values, rng) for _ in range(ROUNDS)]
    known = evaluate(graph, values)
    bounds, lost = [], False
    largest = max((_largest(a) for a in known[1:]), default=0.0)
    for k, want in enumerate(known):
        scale = max(1.0, _largest(want), largest if k else 0.0)
        moved = max(_largest(other[k] - want) for other in (arrays, *others))
        lost |= moved > LOST * scale
        bounds.append(MARGIN * moved + 1e-11 * scale)
    return Expected(known, bounds, lost)


def _largest(array: np.ndarray) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max(initial=0.0))


def native(total: Node, inputs: Sequence[Node], values: Values) -> list[np.ndarray]:
    """Value and gradient by compiled code."""
    point = np.concatenate([np.ravel(values[node]) for node in inputs])
    lp, slopes = compile_density(total, inputs)(point)
    ends = np.cumsum([node.type.size for node in inputs])[:-1]
    parts = zip(np.split(slopes, ends), inputs, strict=True)
    return [np.asarray(lp), *(part.reshape(node.shape) for part, node in parts)]


def by_jax(total: Node, inputs: Sequence[Node], values: Values) -> list[np.ndarray]:
    """Value and gradient by JAX."""
    import jax  # noqa: PLC0415

    from finetti.backends.jax_lowering import density  # noqa: PLC0415

    with jax.enable_x64(True):
        function = jax.value_and_grad(density(total, inputs), tuple(range(len(inputs))))
        value, grads = function(*(values[node] for node in inputs))
        return [np.asarray(value), *map(np.asarray, grads)]


# -- the least that fails ------------------------------------------------------------------------


def smallest(
    total: Node, inputs: Sequence[Node], values: Values, fails: Callable[..., bool]
) -> tuple[Node, list[Node], dict[Node, np.ndarray]]:
    """A small graph that still fails: (scalar, inputs, values).

    First the earliest node that fails by itself, then as many of its ancestors as possible are
    replaced by their values, as inputs.

    Parameters
    ----------
    total : Node
        A scalar that fails.
    inputs, values
        Its inputs and where they are.
    fails : callable
        ``fails(total, inputs, values) -> bool``.
    """
    nodes = [n for n in topological([total]) if n.type.dtype == FLOAT and n.args]
    found = next((n for n in nodes if fails(weighted(n), list(inputs), dict(values))), None)
    if found is None:
        return total, list(inputs), dict(values)
    known = dict(values)
    everything = topological([found])
    arrays = dict(zip(everything, evaluate(everything, values), strict=True))
    # Nodes near the result first: each that goes takes what is before it along.
    tried: set[Node] = set()
    while (node := next(_untried(found, tried), None)) is not None:
        tried.add(node)
        own = _stand_in(node, arrays[node])
        (cut,) = rebuild([found], {node: own})
        given = {**known, own: arrays[node]} if own.op.name == "input" else known
        needed = set(topological([cut]))
        given = {n: array for n, array in given.items() if n in needed}
        if given and fails(weighted(cut), list(given), given):
            before = topological([found])
            after = rebuild(before, {node: own})
            arrays.update((b, arrays[a]) for a, b in zip(before, after, strict=True))
            tried.update(b for a, b in zip(before, after, strict=True) if a in tried)
            found, known = cut, given
    needed = set(topological([found]))
    known = {node: array for node, array in known.items() if node in needed}
    return weighted(found), list(known), known


def weighted(node: Node) -> Node:
    """A scalar that depends on all elements of a node."""
    weights = np.cos(1.0 + np.arange(node.type.size)).reshape(node.shape)
    return ops.sum_(Tensor(node) * weights).node


def _stand_in(node: Node, value: np.ndarray) -> Node:
    if node.type.dtype != FLOAT:
        return ops.as_tensor(value).node
    return ops.new_input(f"cut{node.order}", node.shape).node


def _untried(found: Node, tried: set[Node]) -> Iterator[Node]:
    """Nodes that could become inputs, the latest first."""
    return (n for n in reversed(topological([found])[:-1]) if n.args and n not in tried)


__all__ = [
    "Backend",
    "Expected",
    "by_jax",
    "expected",
    "native",
    "smallest",
    "values_of",
    "weighted",
]
