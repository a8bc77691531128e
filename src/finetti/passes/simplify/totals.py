"""Sums over all steps, and elements read at positions that do not wait for a carry.

A carry to which every step adds something is the sum of what they add: only that has to be kept,
and its functions are computed for all steps at once. Where a step adds to a few elements of an
array, as derivatives by what was read at a position do, the steps together are one scattered sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from finetti.ir import FLOAT, INT, OPS, Node, topological
from finetti.ir.body import slot
from finetti.ir.ops.leaf import const, is_constant
from finetti.ir.types import TensorType
from finetti.passes.simplify import fission
from finetti.passes.simplify.core import build, stretch

_LARGEST = 1 << 21  # elements that may be read before a loop
_OUTER = 16  # products of two vectors of more elements than this are summed as one matrix product
_WORTH = 3  # operations that leave a loop for every array that has to be kept for them

Values = Mapping[Node, Node]


# -- reading before the loop ---------------------------------------------------------------------


def reads_ahead(
    roots: Sequence[Node], moving: set[Node], steady: set[Node], length: int
) -> list[Node]:
    """Elements of what does not change, at positions that the sequences alone decide.

    Parameters
    ----------
    roots : sequence of Node
        What the steps compute.
    moving : set of Node
        The slots of the sequences.
    steady : set of Node
        The slots of what does not change.
    length : int
        Number of steps.
    """
    cones = set(moving)
    found = []
    for node in topological(roots):
        known = [arg in cones or arg in steady or arg.op is const for arg in node.args]
        moves = any(arg in cones for arg in node.args)
        if node.op.name == "index" and len(node.args) > 1 and moves and all(known[1:]):
            fixed = node.args[0] in steady or node.args[0].op is const
            if fixed and length * node.type.size <= _LARGEST:
                found.append(node)
        elif node.op.family == "elementwise" and moves and all(known):
            cones.add(node)
    return found


def read_at_once(node: Node, moving: Values, steady: Values, length: int) -> Node:
    """What an `index` reads in all steps, along a new first axis; some position moves."""
    x, *indices = node.args
    (spec,) = node.attrs
    places, axis = _places(x.type, indices, spec, (moving, steady, length))
    read = build("index", x if x.op is const else steady[x], *places, attrs=(spec,))
    ndim = read.type.ndim
    order = (axis, *(k for k in range(ndim) if k != axis))
    return read if axis == 0 else build("transpose", read, attrs=(order,))


def _places(
    kind: TensorType, indices: Sequence[Node], spec: object, steps: tuple[Values, Values, int]
) -> tuple[list[Node], int]:
    """The positions of all steps, and the axis of what they read along which the steps lie."""
    moving, steady, length = steps
    ndim = max(index.type.ndim for index in indices)
    places, others = [], []
    for index in indices:
        shape = (1,) * (ndim - index.type.ndim) + index.shape
        if index.op is const or index in steady:
            places.append(index if index.op is const else steady[index])
            others.append(index.type)
            continue
        every = fission.at_once(index, moving, steady, length)
        places.append(build("reshape", every, attrs=((length, *shape),)))
        others.append(TensorType(INT, (length + 1, *shape)))
    own, other = (
        OPS["index"].infer(kind, *kinds, spec=spec).shape
        for kinds in ([place.type for place in places], others)
    )
    return places, next(k for k, (n, m) in enumerate(zip(own, other, strict=True)) if n != m)


# -- sums ----------------------------------------------------------------------------------------


@dataclass
class Total:
    """What every step adds to a carry that nothing else asks for.

    Parameters
    ----------
    slot : Node
        The carry.
    terms : list of Node
        What is added.
    """

    slot: Node
    terms: list[Node]


def totals(carries: Sequence[tuple[Node, Node]], kept: Iterable[Node]) -> list[Total]:
    """The carries of a loop that are sums over its steps.

    Parameters
    ----------
    carries : sequence of (Node, Node)
        The slot of each and its next value.
    kept : iterable of Node
        What the steps leave behind.
    """
    roots = [*(out for _, out in carries), *kept]
    users = Counter(arg for node in topological(roots) for arg in node.args)
    users.update(roots)
    found = []
    for carry, out in carries:
        terms = _terms(carry, out, users) if carry.type.dtype == FLOAT else None
        if terms:
            found.append(Total(carry, terms))
    return found


def _terms(carry: Node, out: Node, users: Counter[Node]) -> list[Node] | None:
    terms: list[Node] = []
    waiting = {carry}
    for node in topological([out]):
        if any(arg in waiting for arg in node.args):
            waiting.add(node)
    node = out
    while node is not carry:
        if node.op.name != "add" or node.type != carry.type or users[node] != 1:
            return None
        late = [arg for arg in node.args if arg in waiting]
        if len(late) != 1:
            return None
        terms += (arg for arg in node.args if arg is not late[0])
        node = late[0]
    return terms if users[carry] == 1 else None


def chosen(
    found: Sequence[Total], essential: set[Node], slots: set[Node]
) -> tuple[list[Total], list[Node]]:
    """The sums that are worth taking out, and the nodes to keep from all steps for them.

    Parameters
    ----------
    found : sequence of Total
    essential : set of Node
        What waits for the other carries and is needed for them.
    slots : set of Node
        Of the sequences and of what does not change, which are known outside.
    """
    sure: list[Total] = []
    numbers: list[Total] = []
    edges: dict[Node, None] = {}
    for total in found:
        if total.slot.type.size == 1 and all(t.op.family == "elementwise" for t in total.terms):
            numbers.append(total)
            continue
        parts = [_edges(term, essential, slots) for term in total.terms]
        if all(part is not None for part in parts):
            sure.append(total)
            edges.update((edge, None) for part in parts if part is not None for edge in part)
    carried = {node for node in essential if node.op is slot}
    ways = [_cut(numbers, carried, slots), _cut(numbers, essential, slots)]
    inside, need = min(ways, key=lambda way: len(way[1].keys() - edges.keys()))
    fresh = need.keys() - edges.keys()
    much = fission.heavy(inside) or len(numbers) + len(inside) >= _WORTH * len(fresh)
    if len(fresh) <= fission.MOST and much:
        sure += numbers
        edges.update(need)
    return sure, sorted(edges, key=lambda node: node.order)


def _cut(
    numbers: Sequence[Total], essential: set[Node], slots: set[Node]
) -> tuple[dict[Node, None], dict[Node, None]]:
    """What is computed after the loop for some sums, and what is kept for that."""
    inside: dict[Node, None] = {}
    need: dict[Node, None] = {}
    for total in numbers:
        for term in total.terms:
            fission.cut(term, essential, slots, inside, need)
    return inside, need


def _edges(term: Node, essential: set[Node], slots: set[Node]) -> list[Node] | None:
    """What to keep of each step for the sum of a term; None where it may as well stay."""
    if _scatter(term) is not None:
        value, scatter = _scatter(term) or (term, term)
        found = fission.after(value, essential, slots)
        return [
            node for node in (*(found or [value]), *scatter.args[1:])
            if node.op is not const and node not in slots
        ]  # fmt: skip
    sides = _sides(term)
    if sides is not None:
        return [node for node in sides if node.op is not const and node not in slots]
    return fission.after(term, essential, slots)


def _scatter(term: Node) -> tuple[Node, Node] | None:
    """(what is added, the `index_add`) of a term that touches few elements."""
    if term.op.name == "index_add":
        dense = len(term.args) == 1 or 2 * term.args[0].type.size > term.type.size
        return None if dense else (term.args[0], term)
    if term.op.name == "where" and not term.args[0].shape and is_constant(term.args[2], 0.0):
        found = _scatter(term.args[1])
        if found is not None:
            zero = stretch(term.args[2], found[0].shape) if term.args[2].shape else term.args[2]
            return build("where", term.args[0], found[0], zero), found[1]
    return None


def _sides(term: Node) -> tuple[Node, Node] | None:
    """The column and the row of which a large term is the product."""
    if term.type.ndim != 2 or min(term.shape) < 2 or term.type.size <= _OUTER:
        return None
    if term.op.name not in ("multiply", "matmul"):
        return None
    column, row = term.args
    if column.shape == (1, term.shape[1]):
        column, row = row, column
    if column.shape != (term.shape[0], 1) or row.shape != (1, term.shape[1]):
        return None
    return _flat(column), _flat(row)


def _flat(node: Node) -> Node:
    while node.op.name == "reshape":
        node = node.args[0]
    return node


def summed(total: Total, known: Values, steady: Values, length: int) -> Node:
    """The sum of a carry's terms over all steps.

    Parameters
    ----------
    total : Total
    known : mapping
        Node of the body -> its values in all steps.
    steady : mapping
        Node of the body -> what it is outside.
    length : int
        Number of steps.
    """
    parts = [_summed(term, known, steady, length) for term in total.terms]
    result = parts[0]
    for part in parts[1:]:
        result = build("add", result, part)
    return result


def _summed(term: Node, known: Values, steady: Values, length: int) -> Node:
    found, sides = _scatter(term), _sides(term)
    if found is not None:
        return _scattered(*found, known, steady, length)
    if sides is not None:
        column, row = (
            build("reshape", fission.at_once(side, known, steady, length), attrs=((length, n),))
            for side, n in zip(sides, term.shape, strict=True)
        )
        return build("matmul", build("transpose", column, attrs=((1, 0),)), row)
    every = fission.at_once(term, known, steady, length)
    return build("sum", every, attrs=((0,),))


def _scattered(value: Node, term: Node, known: Values, steady: Values, length: int) -> Node:
    shape, spec = term.attrs
    steps = known, steady, length
    indices = term.args[1:]
    if not any(index in known for index in indices):  # always the same places
        every = fission.at_once(value, known, steady, length)
        places = [index if index.op is const else steady[index] for index in indices]
        return build("index_add", build("sum", every, attrs=((0,),)), *places, attrs=(shape, spec))
    places, axis = _places(term.type, indices, spec, steps)
    own = OPS["index"].infer(term.type, *(i.type for i in indices), spec=spec).shape
    every = fission.at_once(value, known, steady, length)
    if value.shape != own:
        missing = len(own) - value.type.ndim
        every = build("reshape", every, attrs=((length, *(1,) * missing, *value.shape),))
        every = build("broadcast_to", every, attrs=((length, *own),))
    order = (*range(1, axis + 1), 0, *range(axis + 1, len(own) + 1))
    if axis:
        every = build("transpose", every, attrs=(order,))
    return build("index_add", every, *places, attrs=(shape, spec))


__all__ = ["Total", "chosen", "read_at_once", "reads_ahead", "summed", "totals"]
