"""Forward sampling: all draws of a variable at once, one variable after another."""

from __future__ import annotations

import zlib
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.backends import reference
from finetti.dist.base import Distribution
from finetti.errors import ParameterError, SamplingError
from finetti.ir import FLOAT, Node, Tensor, ops, rebuild, topological
from finetti.ir.ops.leaf import new_input
from finetti.ir.types import canonical_dtype
from finetti.model.compile import Array, compile_outputs, map_rows
from finetti.model.frozen import freeze
from finetti.model.variables import dist_of, is_rv

CHUNK = 4_000_000  # numbers in memory at once for one variable and its parameters
FEW = 4  # so few draws are computed faster than a function is compiled

Known = dict[Node, Array]


def seed_number(random_seed: Any) -> int:
    """One number below 2**63 from an int, a sequence, a Generator, a RandomState or None.

    Raises
    ------
    ParameterError
        For anything else.
    """
    if random_seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1))
    if isinstance(random_seed, (int, np.integer)) and not isinstance(random_seed, bool):
        number = int(random_seed)
        return number if 0 <= number < 2**63 else _mixed([number % 2**64])
    if isinstance(random_seed, (np.random.Generator, np.random.RandomState)):
        draw = getattr(random_seed, "integers", None) or random_seed.randint  # type: ignore[union-attr]
        return int(draw(2**31 - 1)) * 2**31 + int(draw(2**31 - 1))
    if isinstance(random_seed, np.random.SeedSequence):
        return int(random_seed.generate_state(1, np.uint64)[0] >> np.uint64(1))
    try:
        numbers = [int(part) % 2**64 for part in random_seed]
    except (TypeError, ValueError):
        raise ParameterError(
            f"random_seed={random_seed!r}: expected an int, a sequence of ints, a "
            "numpy.random.Generator or None."
        ) from None
    return _mixed(numbers)


def _mixed(numbers: Sequence[int]) -> int:
    return int(
        np.random.SeedSequence(list(numbers)).generate_state(1, np.uint64)[0] >> np.uint64(1)
    )


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one variable: other variables of the model do not change its draws."""
    return np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(name.encode())]))


def draw_all(
    outputs: Sequence[Node],
    count: int,
    known: Known,
    seed: int,
    names: Mapping[Node, str] | None = None,
    backend: str | None = None,
) -> list[Array]:
    """Values of nodes for `count` draws at once.

    Parameters
    ----------
    outputs : sequence of Node
        Nodes of a frozen graph.
    count : int
        The number of draws.
    known : dict
        Node -> values [count, *shape]; these are not drawn again. Drawn ones are added.
    seed : int
        Of all streams.
    names : mapping, optional
        Node -> the name that its stream of random numbers has.
    backend : str, optional
        That computes parameters and deterministics: "native" (default) or "reference".

    Returns
    -------
    list of ndarray
        [count, *shape] each.
    """
    names = names or {}
    backend = "reference" if backend is None and count <= FEW else backend
    waiting = [node for node in topological(outputs, known) if is_rv(node)]
    streams = _streams(waiting, names, seed)
    parents = {node: _parents(node, known) for node in waiting}
    while waiting:
        ready = [node for node in waiting if parents[node] <= known.keys()]
        draw_level(ready, count, known, streams, backend)
        waiting = [node for node in waiting if node not in known]
    return compute(outputs, count, known, backend)


def _streams(
    nodes: Sequence[Node], names: Mapping[Node, str], seed: int
) -> dict[Node, np.random.Generator]:
    streams: dict[Node, np.random.Generator] = {}
    taken: set[str] = set()
    for place, node in enumerate(nodes):
        label = names.get(node, "")
        if not label or label in taken:  # two variables must never share a stream
            label = f"{label}__{place}"
        taken.add(label)
        streams[node] = stream(seed, label)
    return streams


def _parents(node: Node, known: Container[Node]) -> set[Node]:
    """The random variables that a variable's parameters depend on at first hand."""
    found: set[Node] = set()
    seen: set[Node] = set()
    stack = list(node.args)
    while stack:
        part = stack.pop()
        if part in seen or part in known:
            continue
        seen.add(part)
        if is_rv(part):
            found.add(part)
        else:
            stack.extend(part.args)
    return found


def draw_level(
    nodes: Sequence[Node],
    count: int,
    known: Known,
    streams: Mapping[Node, np.random.Generator],
    backend: str | None = None,
) -> None:
    """Draw variables whose parameters are known, in chunks of draws, into `known`."""
    args = list(dict.fromkeys(arg for node in nodes for arg in node.args))
    rows = Rows(args, known, backend)
    results = {node: np.empty((count, *map(int, node.shape)), node.type.dtype) for node in nodes}
    widest = sum(node.type.size for node in [*nodes, *rows.moving])
    step = max(1, CHUNK // max(1, widest))
    for start in range(0, count, step):
        stop = min(start + step, count)
        values = rows(start, stop)
        for node in nodes:
            results[node][start:stop] = draw_rows(node, stop - start, values, streams[node])
    known.update(results)


def draw_rows(
    node: Node, rows: int, values: Mapping[Node, tuple[Array, bool]], rng: np.random.Generator
) -> Array:
    """Draws [rows, *shape] of one variable.

    Parameters
    ----------
    node : Node
        The variable.
    rows : int
        How many.
    values : mapping
        Parameter node -> its value, and whether it has a leading axis of draws.
    rng : numpy.random.Generator
        Its stream.
    """
    dist = dist_of(node)
    shape = tuple(map(int, node.shape))
    if dist.host_draw is not None:
        own = zip(dist.params, (values[arg] for arg in node.args), strict=True)
        return np.asarray(dist.host_draw(rng, (rows, *shape), **dict(own)), node.type.dtype)
    given: dict[str, Tensor] = {}
    inputs: dict[Node, Array] = {}
    for (name, param), arg in zip(dist.params.items(), node.args, strict=True):
        value, moves = values[arg]
        if moves:  # the axis of draws comes first, then axes of length 1 up to the batch's
            fill = len(shape) - dist.event_ndim - (value.ndim - 1 - param.ndim)
            value = value.reshape(rows, *(1,) * fill, *value.shape[1:])
        given[name] = new_input(name, value.shape, canonical_dtype(value.dtype))
        inputs[given[name].node] = value
    if dist.redraw is not None:
        return _redrawn(dist, (rows, *shape), given, inputs, rng)
    return reference.evaluate([dist.draw((rows, *shape), **given)], inputs, rng)[0]


def _redrawn(
    dist: Distribution,
    shape: tuple[int, ...],
    given: Mapping[str, Tensor],
    inputs: Mapping[Node, Array],
    rng: np.random.Generator,
) -> Array:
    """Random values by rejection."""
    assert dist.redraw is not None
    propose, accept, tries = dist.redraw
    value = propose(shape, **given)
    outputs = [value, accept(value, **given)]
    result, kept = reference.evaluate(outputs, inputs, rng)
    for _ in range(tries - 1):
        if kept.all():
            return result
        again, good = reference.evaluate(outputs, inputs, rng)
        result, kept = np.where(kept, result, again), kept | good
    if kept.all():
        return result
    raise SamplingError(
        f"{dist.name}: {int((~kept).sum())} of {kept.size} random values did not come to lie "
        f"between the bounds in {tries} tries. Raise max_n_steps=, or check the bounds."
    )


def _depends(node: Node, known: Container[Node]) -> bool:
    return any(part in known for part in topological([node]))


class Rows:
    """Values of nodes for a range of draws, given the draws of what they depend on.

    Parameters
    ----------
    nodes : sequence of Node
        What to compute.
    known : dict
        Node -> [count, *shape].
    backend : str, optional
        "native" (default) or "reference".
    """

    def __init__(self, nodes: Sequence[Node], known: Known, backend: str | None = None):
        self._known = {node: known[node] for node in nodes if node in known}
        rest = [node for node in dict.fromkeys(nodes) if node not in known]
        needed = topological(rest, known)
        if any(node.op.family == "random" for node in needed):
            raise SamplingError("a draw outside of any distribution cannot be sampled forward")
        used = {arg for node in needed for arg in node.args if arg in known}
        self.moving = [node for node in rest if used and _depends(node, used)]
        fixed = [node for node in rest if node not in self.moving]
        self._fixed = dict(zip(fixed, reference.evaluate(fixed), strict=True))
        self._columns: list[Array] = []
        self._function: Any = None
        if self.moving:
            self._compile(sorted(used, key=lambda node: node.order), known, backend)

    def _compile(self, used: list[Node], known: Known, backend: str | None) -> None:
        replaced: dict[Node, Node] = {}
        inputs = []
        for place, node in enumerate(used):
            twin = new_input(f"known_{place}", tuple(map(int, node.shape)))
            whole = twin if node.type.dtype == FLOAT else ops.cast(twin, node.type.dtype)
            replaced[node] = whole.node
            inputs.append(twin.node)
            self._columns.append(known[node].reshape(len(known[node]), -1))
        self._function = compile_outputs(rebuild(self.moving, replaced), inputs, backend)

    @property
    def width(self) -> int:
        """How many numbers one draw takes in and gives out."""
        return sum(node.type.size for node in self.moving) + sum(
            column.shape[1] for column in self._columns
        )

    def __call__(self, start: int, stop: int) -> dict[Node, tuple[Array, bool]]:
        """Node -> its value, and whether that has a leading axis of draws."""
        values = {node: (value[start:stop], True) for node, value in self._known.items()}
        values.update({node: (value, False) for node, value in self._fixed.items()})
        if self.moving:
            x = np.concatenate([np.asarray(c[start:stop], float) for c in self._columns], axis=1)
            flat = map_rows(self._function, x)
            at = 0
            for node in self.moving:
                part = flat[:, at : at + node.type.size].reshape(len(x), *map(int, node.shape))
                values[node] = (part.astype(node.type.dtype, copy=False), True)
                at += node.type.size
        return values


def compute(
    outputs: Sequence[Node], count: int, known: Known, backend: str | None = None
) -> list[Array]:
    """Values [count, *shape] of nodes that are functions of known ones."""
    rows = Rows([node for node in outputs if node not in known], known, backend)
    results = {node: known[node] for node in outputs if node in known}
    for node in rows.moving:
        results[node] = np.empty((count, *map(int, node.shape)), node.type.dtype)
    step = max(1, CHUNK // max(1, rows.width))
    for start in range(0, count, step):
        for node, (value, moves) in rows(start, min(start + step, count)).items():
            if moves:
                results[node][start : start + step] = value
            else:
                results[node] = np.broadcast_to(value, (count, *value.shape))
    return [results[node] for node in outputs]


def draw(
    vars: Any,
    draws: int = 1,
    random_seed: Any = None,
    *,
    backend: str | None = None,
) -> Any:
    """Draw values of variables and expressions from their prior.

    Parameters
    ----------
    vars : tensor or sequence of tensors
        What to draw. Several are drawn jointly.
    draws : int
        How many; a single draw has no leading axis.
    random_seed : int, sequence, Generator or None
        The same seed gives the same draws.
    backend : str, optional
        "native" (default) or "reference".

    Returns
    -------
    ndarray or list of ndarray
        [draws, *shape] for each variable.
    """
    several = isinstance(vars, (list, tuple))
    tensors = [ops.as_tensor(var) for var in (vars if several else [vars])]
    if draws < 1:
        raise ParameterError(f"draw: draws={draws!r}, expected a whole number >= 1.")
    results = draw_tensors(tensors, draws, random_seed, backend=backend)
    results = [result[0] if draws == 1 else np.array(result) for result in results]
    return results if several else results[0]


def draw_tensors(
    tensors: Sequence[Tensor],
    draws: int,
    random_seed: Any,
    given: Mapping[Node, Array] | None = None,
    backend: str | None = None,
) -> list[Array]:
    """Joint draws of tensors of any model, with some nodes' values given."""
    roots = [tensor.node for tensor in tensors]
    labels = _labels(tensors)
    fixed = dict.fromkeys(given or {})
    nodes = freeze([*roots, *fixed, *labels])
    frozen, rest = nodes[: len(roots)], nodes[len(roots) :]
    known: Known = {}
    for node, original in zip(rest, fixed, strict=False):
        value = np.asarray((given or {})[original])
        known[node] = np.broadcast_to(value, (draws, *value.shape))
    names = dict(zip(rest[len(fixed) :], labels.values(), strict=True))
    return draw_all(frozen, draws, known, seed_number(random_seed), names, backend)


def _labels(tensors: Sequence[Tensor]) -> dict[Node, str]:
    return {tensor.node: tensor.name for tensor in tensors if is_rv(tensor.node) and tensor.name}
