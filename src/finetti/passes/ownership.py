"""Which elements of some inputs each element of a graph depends on.

The graph is run on sets of element numbers instead of values. A set is a row of an integer array:
the numbers, then `NONE` up to the width; or `MANY` first, for more elements than are worth naming.
What an operation reads is never too small: a rule that is not written counts as "all of it".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from finetti.ir import Node, topological
from finetti.ir.ops.indexing import index_key

NONE, MANY = -1, -2
LIMIT = 64  # elements that one element may depend on before it counts as depending on many
BUDGET = 4_000_000  # numbers in one array of sets

Sets = npt.NDArray[np.int64]
Owners = Sets | None  # None: no element depends on any


def owners(outputs: Sequence[Node], inputs: Mapping[Node, int]) -> list[Owners]:
    """The elements of the inputs that each element of the outputs depends on.

    Parameters
    ----------
    outputs : sequence of Node
        What to look at.
    inputs : mapping
        Node -> the number of its first element; the others follow in row-major order.

    Returns
    -------
    list of ndarray or None
        ``[*shape, width]`` sets for each output; None where it depends on no element.
    """
    known = _Values()
    sets: dict[Node, Owners] = {
        node: (first + np.arange(node.type.size)).reshape(*node.shape, 1)
        for node, first in inputs.items()
    }
    for node in topological(outputs, sets):
        args = [sets[arg] for arg in node.args]
        if all(part is None for part in args) or not node.type.size:
            sets[node] = None
        else:
            sets[node] = _rule(node)(node, args, known)
    return [sets[node] for node in outputs]


def colours(sets: Sequence[Owners], count: int) -> list[int]:
    """A colour for each element, such that no set holds two of one colour.

    Parameters
    ----------
    sets : sequence of ndarray
        As `owners` gives them.
    count : int
        The number of elements.

    Returns
    -------
    list of int
        Colours count from 0; as few as a greedy choice needs.
    """
    near: list[set[int]] = [set() for _ in range(count)]
    for part in sets:
        if part is None:
            continue
        rows = part.reshape(-1, part.shape[-1])
        if (rows[:, 0] == MANY).any():
            return list(range(count))
        if rows.shape[1] == 1:
            continue
        if rows.size * rows.shape[1] > BUDGET:  # more neighbours than colours are worth
            return list(range(count))
        for row in np.unique(rows, axis=0).tolist():
            members = [element for element in row if element >= 0]
            for element in members:
                near[element].update(members)
    chosen = [-1] * count
    for element in range(count):
        taken = {chosen[other] for other in near[element]}
        colour = 0
        while colour in taken:
            colour += 1
        chosen[element] = colour
    return chosen


class _Values:
    """Values of nodes that no input feeds, computed when asked for."""

    def __init__(self) -> None:
        self._known: dict[Node, Any] = {}

    def __call__(self, node: Node) -> Any:
        """The array, or None where it is not known."""
        for part in topological([node], self._known):
            args = tuple(self._known[arg] for arg in part.args)
            if part.op.numpy is None or part.op.family == "random" or any(a is None for a in args):
                self._known[part] = None
                continue
            with np.errstate(all="ignore"):
                value = part.op.evaluate(args, part.attrs)
            self._known[part] = np.asarray(value, part.type.dtype)
        return self._known[node]


# -- sets ----------------------------------------------------------------------------------------


def _tidy(sets: Sets) -> Owners:
    """Rows without repeats, as narrow as they can be."""
    many = (sets == MANY).any(-1)
    if sets.shape[-1] > 1:
        sets = -np.sort(-sets, -1)
        fresh = np.ones(sets.shape, bool)
        fresh[..., 1:] = sets[..., 1:] != sets[..., :-1]
        sets = -np.sort(-np.where(fresh, sets, NONE), -1)
    counts = (sets >= 0).sum(-1)
    widest = max(1, min(LIMIT, BUDGET // max(1, counts.size)))
    many |= counts > widest
    width = int(np.where(many, 1, counts).max(initial=0))
    if not width:
        return None
    sets = sets[..., :width].copy()
    sets[many] = NONE
    sets[many, 0] = MANY
    return sets


def _padded(sets: Owners, shape: tuple[int, ...], width: int) -> Sets:
    """Sets of a given width, broadcast to a shape; empty ones for None."""
    if sets is None:
        return np.full((*shape, width), NONE)
    fill = [(0, 0)] * (sets.ndim - 1) + [(0, width - sets.shape[-1])]
    sets = np.pad(sets, fill, constant_values=NONE) if sets.shape[-1] < width else sets
    return np.broadcast_to(sets, (*shape, width))


def _width(parts: Sequence[Owners]) -> int:
    return max((part.shape[-1] for part in parts if part is not None), default=1)


def _union(parts: Sequence[Owners], shape: tuple[int, ...]) -> Owners:
    """The sets of several tensors that broadcast to a shape, united."""
    found: list[Sets] = []
    for part in parts:
        if part is not None:
            part = np.broadcast_to(part, (*shape, part.shape[-1]))
            if not any(_same(part, other) for other in found):
                found.append(part)
    if len(found) < 2:
        return found[0] if found else None
    return _tidy(np.concatenate(found, -1))


def _same(a: Sets, b: Sets) -> bool:
    return a.shape == b.shape and np.array_equal(a, b)


def _over_axes(sets: Owners, axes: Sequence[int]) -> Owners:
    """The sets along axes, united."""
    if sets is None or not axes:
        return sets
    kept = [axis for axis in range(sets.ndim - 1) if axis not in axes]
    moved = sets.transpose(*kept, *axes, sets.ndim - 1)
    return _tidy(moved.reshape(*(sets.shape[axis] for axis in kept), -1))


def _everything(parts: Sequence[Owners], shape: tuple[int, ...]) -> Owners:
    """All sets in one, for every element of a shape."""
    total = _union([_over_axes(p, range(p.ndim - 1)) for p in parts if p is not None], ())
    return None if total is None else np.broadcast_to(total, (*shape, total.shape[-1]))


def _slots(sets: Sets, move: Callable[[Sets], Any]) -> Sets:
    """Each column of the sets moved as the values are."""
    return np.stack([move(sets[..., slot]) for slot in range(sets.shape[-1])], -1)


def _scattered(sets: Sets, targets: npt.NDArray[Any], shape: tuple[int, ...]) -> Owners:
    """Sets added up at target positions of a shape."""
    size, width = int(np.prod(shape, dtype=int)), sets.shape[-1]
    where = np.repeat(targets.ravel(), width)
    number = sets.reshape(-1)
    pairs = np.unique(np.stack([where, number], 1)[number != NONE], axis=0)
    counts = np.bincount(pairs[:, 0], minlength=size)
    starts = np.cumsum(counts) - counts
    place = np.arange(len(pairs)) - starts[pairs[:, 0]]
    many = counts > LIMIT
    many[pairs[pairs[:, 1] == MANY, 0]] = True
    result = np.full((size, max(1, min(LIMIT, int(counts.max(initial=0))))), NONE)
    inside = place < result.shape[1]
    result[pairs[inside, 0], place[inside]] = pairs[inside, 1]
    result[many, 0] = MANY
    return _tidy(result.reshape(*shape, -1))


# -- rules ---------------------------------------------------------------------------------------

_Rule = Callable[[Node, list[Owners], _Values], Owners]


def _any(node: Node, args: list[Owners], known: _Values) -> Owners:
    """The rule where nothing better is known."""
    return _everything(args, node.shape)


def _elementwise(node: Node, args: list[Owners], known: _Values) -> Owners:
    return _union(args, node.shape)


def _where(node: Node, args: list[Owners], known: _Values) -> Owners:
    condition = known(node.args[0])
    if condition is None:
        return _union(args, node.shape)
    width = _width(args[1:])
    chosen, other = (_padded(part, node.shape, width) for part in args[1:])
    return _tidy(np.where(np.broadcast_to(condition, node.shape)[..., None], chosen, other))


def _moved(node: Node, args: list[Owners], known: _Values) -> Owners:
    (sets,) = args
    assert sets is not None
    return _slots(sets, lambda column: node.op.evaluate((column,), node.attrs))


def _concatenate(node: Node, args: list[Owners], known: _Values) -> Owners:
    width = _width(args)
    parts = [_padded(p, arg.shape, width) for p, arg in zip(args, node.args, strict=True)]
    return np.concatenate(parts, node.attrs[0])


def _reduced(node: Node, args: list[Owners], known: _Values) -> Owners:
    return _over_axes(args[0], node.attrs[0])


def _matmul(node: Node, args: list[Owners], known: _Values) -> Owners:
    left, right = args
    if min(len(arg.shape) for arg in node.args) < 2:
        return _everything(args, node.shape)
    if left is not None:
        rows = _over_axes(left, [left.ndim - 2])
        left = None if rows is None else rows[..., None, :]
    if right is not None:
        columns = _over_axes(right, [right.ndim - 3])
        right = None if columns is None else columns[..., None, :, :]
    return _union([left, right], node.shape)


def _index(node: Node, args: list[Owners], known: _Values) -> Owners:
    (source, *indices), spec = args, node.attrs[0]
    parts: list[Owners] = []
    if source is not None:
        arrays = tuple(known(index) for index in node.args[1:])
        if any(array is None for array in arrays):
            parts.append(_everything([source], node.shape))
        else:
            parts.append(_slots(source, lambda column: column[index_key(spec, arrays)]))
    if any(sets is not None for sets in indices):
        shape, places = _places(node)
        for sets in indices:
            if sets is not None:
                wide = np.broadcast_to(sets, (*shape, sets.shape[-1]))
                parts.append(wide.reshape(-1, sets.shape[-1])[places])
    return _union(parts, node.shape)


def _places(node: Node) -> tuple[tuple[int, ...], npt.NDArray[Any]]:
    """The common shape of the index arrays, and which of their elements gave each result."""
    source, *indices = node.args
    spec = node.attrs[0]
    shape = np.broadcast_shapes(*(index.shape for index in indices))
    count = int(np.prod(shape, dtype=int))
    lengths, run = list(map(int, source.shape)), [1] * len(source.shape)
    arrays: list[npt.NDArray[Any]] = [np.zeros(shape, int)] * len(indices)
    axis, first = 0, True
    for part in spec:
        if isinstance(part, tuple) and part[0] == "at":
            lengths[axis] = count if first else 1
            if first:  # along the first indexed axis the probe holds the positions themselves
                run[axis] = count
                arrays[part[1]] = np.arange(count).reshape(shape)
            first = False
        axis += not (isinstance(part, tuple) and part[0] in ("new", "dots"))
    probe = np.broadcast_to(np.arange(count).reshape(run), lengths)
    return shape, probe[index_key(spec, tuple(arrays))]


def _targets(shape: Any, spec: Any, arrays: tuple[Any, ...]) -> npt.NDArray[Any]:
    """Flat positions of the elements that an index takes."""
    lengths = tuple(map(int, shape))
    flat = np.arange(int(np.prod(lengths, dtype=int))).reshape(lengths)
    return np.asarray(flat[index_key(spec, arrays)])


def _index_add(node: Node, args: list[Owners], known: _Values) -> Owners:
    arrays = tuple(known(index) for index in node.args[1:])
    if args[0] is None or any(array is None for array in arrays):
        return _everything(args, node.shape)
    targets = _targets(node.attrs[0], node.attrs[1], arrays)
    values = np.broadcast_to(args[0], (*targets.shape, args[0].shape[-1]))
    return _scattered(values, targets, node.shape)


def _index_set(node: Node, args: list[Owners], known: _Values) -> Owners:
    arrays = tuple(known(index) for index in node.args[2:])
    if any(array is None for array in arrays):
        return _everything(args, node.shape)
    width, source = _width(args[:2]), node.args[1]
    key = index_key(node.attrs[0], arrays)
    result = _padded(args[0], node.shape, width).copy()
    written = _padded(args[1], source.shape, width)
    for slot in range(width):
        result[..., slot][key] = written[..., slot]
    return _tidy(result)


def _take_along(node: Node, args: list[Owners], known: _Values) -> Owners:
    source, sets = args
    positions = known(node.args[1])
    if source is None:
        return sets
    if positions is None:
        return _everything(args, node.shape)
    return _slots(source, lambda column: node.op.evaluate((column, positions), node.attrs))


_RULES: dict[str, _Rule] = {
    "where": _where,
    "reshape": _moved,
    "transpose": _moved,
    "broadcast_to": _moved,
    "concatenate": _concatenate,
    "index": _index,
    "index_add": _index_add,
    "index_set": _index_set,
    "matmul": _matmul,
    "take_along": _take_along,
}
_FAMILIES: dict[str, _Rule] = {"elementwise": _elementwise, "reduction": _reduced}


def _rule(node: Node) -> _Rule:
    return _RULES.get(node.op.name) or _FAMILIES.get(node.op.family, _any)
