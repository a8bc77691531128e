"""Forward sampling: all draws of a variable at once, one variable after another."""

from __future__ import annotations

import zlib
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.backends import reference
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
    taken: set[str] = set()
    for place, node in enumerate(node for node in _needed(outputs, known) if is_rv(node)):
        label = names.get(node, "")
        if not label or label in taken:  # two variables must never share a stream
            label = f"{label}__{place}"
        taken.add(label)
        known[node] = draw_variable(node, count, known, stream(seed, label), backend)
    return compute(outputs, count, known, backend)


def _needed(outputs: Iterable[Node], known: Mapping[Node, Any]) -> list[Node]:
    seen: set[Node] = set()
    stack = [node for node in outputs if node not in known]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(arg for arg in node.args if arg not in known)
    return sorted(seen, key=lambda node: node.order)


def draw_variable(
    node: Node, count: int, known: Known, rng: np.random.Generator, backend: str | None = None
) -> Array:
    """`count` draws of one random variable, given the draws of what it depends on."""
    dist = dist_of(node)
    shape = tuple(map(int, node.shape))
    varies = [_depends(arg, known) for arg in node.args]
    params = _params(node.args, varies, count, known, backend)
    widest = max([1, *_sizes(shape, params, varies)])
    step = max(1, min(count, CHUNK // widest))
    parts = []
    for start in range(0, count, step):
        rows = min(step, count - start)
        given: dict[str, Tensor] = {}
        values: dict[Node, Array] = {}
        for (name, param), value, moves in zip(dist.params.items(), params, varies, strict=True):
            if moves:  # the axis of draws comes first, then axes of length 1 up to the batch's
                value = value[start : start + rows]
                fill = len(shape) - dist.event_ndim - (value.ndim - 1 - param.ndim)
                value = value.reshape(rows, *(1,) * fill, *value.shape[1:])
            given[name] = new_input(name, value.shape, canonical_dtype(value.dtype))
            values[given[name].node] = value
        drawn = dist.draw((rows, *shape), **given)
        parts += reference.evaluate([drawn], values, rng)
    result = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else None
    return np.empty((0, *shape), node.type.dtype) if result is None else result


def _sizes(shape: tuple[int, ...], params: list[Array], varies: list[bool]) -> list[int]:
    """How many numbers one draw takes: of the variable, and of each parameter that varies."""
    sizes = [int(np.prod(shape, dtype=int))]
    for param, moves in zip(params, varies, strict=True):
        if moves:
            sizes.append(int(np.prod(param.shape[1:], dtype=int)))
    return sizes


def _depends(node: Node, known: Container[Node]) -> bool:
    return any(part in known for part in topological([node]))


def _params(
    args: Sequence[Node], varies: Sequence[bool], count: int, known: Known, backend: str | None
) -> list[Array]:
    """Parameters that vary from draw to draw as [count, *shape], the others as they are."""
    moving = [arg for arg, moves in zip(args, varies, strict=True) if moves]
    fixed = [arg for arg, moves in zip(args, varies, strict=True) if not moves]
    values = dict(zip(moving, compute(moving, count, known, backend), strict=True))
    values.update(zip(fixed, reference.evaluate(fixed), strict=True))
    return [values[arg] for arg in args]


def compute(
    outputs: Sequence[Node], count: int, known: Known, backend: str | None = None
) -> list[Array]:
    """Values [count, *shape] of nodes that are functions of known ones."""
    results: dict[Node, Array] = {node: known[node] for node in outputs if node in known}
    missing = [node for node in dict.fromkeys(outputs) if node not in results]
    needed = _needed(missing, known)
    if any(node.op.family == "random" for node in needed):
        raise SamplingError("a draw outside of any distribution cannot be sampled forward")
    used = {arg for node in needed for arg in node.args if arg in known}
    moving = [node for node in missing if used and _depends(node, used)]
    fixed = [node for node in missing if node not in moving]
    for node, value in zip(fixed, reference.evaluate(fixed), strict=True):
        results[node] = np.broadcast_to(value, (count, *value.shape))
    if moving:
        replaced: dict[Node, Node] = {}
        inputs, columns = [], []
        for place, node in enumerate(sorted(used, key=lambda node: node.order)):
            twin = new_input(f"known_{place}", tuple(map(int, node.shape)))
            whole = twin if node.type.dtype == FLOAT else ops.cast(twin, node.type.dtype)
            replaced[node] = whole.node
            inputs.append(twin.node)
            columns.append(known[node].reshape(count, -1))
        function = compile_outputs(rebuild(moving, replaced), inputs, backend)
        results.update(_mapped(function, moving, columns, count))
    return [results[node] for node in outputs]


def _mapped(
    function: Any, nodes: Sequence[Node], columns: Sequence[Array], count: int
) -> dict[Node, Array]:
    """Apply the function to rows in chunks, so that memory stays bounded by the results."""
    sizes = [node.type.size for node in nodes]
    results = [np.empty((count, *map(int, node.shape)), node.type.dtype) for node in nodes]
    step = max(1, CHUNK // max(1, sum(sizes), sum(column.shape[1] for column in columns)))
    for start in range(0, count, step):
        x = np.concatenate([np.asarray(c[start : start + step], float) for c in columns], axis=1)
        flat = map_rows(function, x)
        at = 0
        for result, size in zip(results, sizes, strict=True):
            part = flat[:, at : at + size].reshape(len(x), *result.shape[1:])
            result[start : start + step] = part
            at += size
    return dict(zip(nodes, results, strict=True))


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
