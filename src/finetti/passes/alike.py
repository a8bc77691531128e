"""Terms of one form: which there are in a sum, and how their parts lie in the inputs.

Terms are alike when they differ in leaves only: in which input they read, in constants, in the
place of an array. They are walked in step, so that whatever all of them have in common is found to
be one node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from finetti.ir import FLOAT, OPS, Node, topological
from finetti.ir.body import make_slot
from finetti.ir.node import make
from finetti.ir.ops.indexing import index
from finetti.ir.ops.leaf import const, input_
from finetti.ir.types import TensorType
from finetti.passes.facts import Known, finite, sign, sign_of
from finetti.passes.simplify import simplify
from finetti.passes.simplify.core import computed, constant

# From so many alike terms on they are parts of a loop.
FEWEST = 6
_FAMILIES = {"elementwise", "reduction", "movement"}
_INDEXED = {"index", "index_add", "index_set"}
# Of these the elements are computed by the part, where logarithms meet what they undo.
_CONSTRAINING = {"exp", "sigmoid"}

Nodes = tuple[Node, ...]


class Unlike(Exception):
    """Nodes that were walked in step turned out not to be of one form."""


def terms(total: Node) -> list[Node]:
    """The terms of a sum of numbers, in order."""
    found: list[Node] = []
    seen: set[Node] = set()
    stack = [total]
    while stack:
        node = stack.pop()
        if node.op.name == "add" and not node.shape and node not in seen:
            seen.add(node)
            stack += reversed(node.args)
        else:
            found.append(node)
    return found


def constants(nodes: Iterable[Node]) -> set[Node]:
    """Those of some nodes, arguments before users, that depend on no input."""
    found: set[Node] = set()
    for node in nodes:
        if node.op is const or node.args and found.issuperset(node.args):
            found.add(node)
    return found


def forms(nodes: Iterable[Node], fixed: set[Node]) -> dict[Node, int]:
    """A number for each node, equal for nodes that may differ in leaves only."""
    numbers: dict[Hashable, int] = {}
    found: dict[Node, int] = {}
    for node in nodes:
        key: Hashable
        if node.op is input_ or node in fixed:
            key = (node in fixed, node.type)
        elif is_element(node):
            key = (index, found[node.args[0]])
        else:
            key = (node.op, node.attrs, *[found[arg] for arg in node.args])
        found[node] = numbers.setdefault(key, len(numbers))
    return found


def is_element(node: Node) -> bool:
    """Whether a node is the element of an array at a place that is written in the model."""
    return node.op is index and not node.shape and len(node.args) == 1


@dataclass
class Walk:
    """Nodes of several parts, walked in step.

    Parameters
    ----------
    count : int
        The number of parts.
    fixed : set of Node
        Nodes that depend on no input.

    Attributes
    ----------
    own, data, elements : dict
        Leaf of the common form -> what the parts have in its place: inputs, constants, elements.
    """

    count: int
    fixed: set[Node]
    own: dict[Node, Nodes] = field(default_factory=dict)
    data: dict[Node, np.ndarray] = field(default_factory=dict)
    elements: dict[Node, Nodes] = field(default_factory=dict)
    _known: dict[Nodes, Node] = field(default_factory=dict)

    def form(self, members: Sequence[Node]) -> Node:
        """What the members, one of each part, have in common.

        Raises
        ------
        Unlike
            When they are not of one form after all, or of one that no loop is made of.
        """
        root = tuple(members)
        stack = [root]
        while stack:
            top = stack[-1]
            if top not in self._known:
                below = self._below(top)
                missing = [nodes for nodes in below if nodes not in self._known]
                if missing:
                    stack += missing
                    continue
                self._known[top] = self._common(top, below)
            stack.pop()
        return self._known[root]

    def _below(self, nodes: Nodes) -> list[Nodes]:
        first = nodes[0]
        if first.op is input_ or first in self.fixed or nodes.count(first) == self.count:
            return []
        if _are_elements(nodes):
            return [_before(nodes)] if first.args[0].op.name in _CONSTRAINING else []
        return _arguments(nodes)

    def _common(self, nodes: Nodes, below: list[Nodes]) -> Node:
        first = nodes[0]
        if nodes.count(first) == self.count:
            return first
        if first in self.fixed:
            return self._constant(nodes)
        if first.op is input_:
            leaf = make(input_, (), (("own", len(self.own)), first.type))
            self.own[leaf] = nodes
        elif _are_elements(nodes):
            if below:
                (array,) = first.args
                return make(array.op, (self._known[below[0]],), array.attrs)
            leaf = stand_in(("element", len(self.elements)), first)
            self.elements[leaf] = nodes
        elif not below:
            raise Unlike
        else:
            args = tuple(self._known[part] for part in below)
            matrix = first.op.name == "matmul"
            moved = first.op.name in _INDEXED and any(arg.op is not const for arg in args[1:])
            if first.op.family not in _FAMILIES and not matrix or moved:
                raise Unlike
            return make(first.op, args, first.attrs)
        return leaf

    def _constant(self, nodes: Nodes) -> Node:
        values = self._computed(nodes)
        if values.tobytes() == values[:1].tobytes() * self.count:
            return constant(values[0])
        name = Known(("data", len(self.data)), sign_of(values), True)
        leaf = _leaf(name, nodes[0].type, bool(np.isfinite(values).all()))
        self.data[leaf] = values
        return leaf

    def _computed(self, nodes: Nodes) -> np.ndarray:
        """The values of constant nodes, those of all parts at once where they are numbers."""
        known: dict[Nodes, np.ndarray] = {}
        stack = [nodes]
        while stack:
            top = stack[-1]
            if top not in known:
                first = top[0]
                numbers = _is_one_function(top)
                below = _arguments(top) if numbers else []
                missing = [part for part in below if part not in known]
                if missing:
                    stack += missing
                    continue
                if numbers:
                    with np.errstate(all="ignore"):
                        found = computed(first.op.name, tuple(known[b] for b in below), first.attrs)
                else:
                    found = np.stack([_value(node) for node in top])
                known[top] = np.asarray(found, first.type.dtype)
            stack.pop()
        return known[nodes]


def stand_in(name: Hashable, node: Node) -> Node:
    """A leaf of which is known what is known of a node."""
    return _leaf(Known(name, sign(node), False), node.type, finite(node))


def _leaf(name: Known, kind: TensorType, is_finite: bool) -> Node:
    # Inputs are known to be finite.
    if is_finite and kind.dtype == FLOAT:
        return make(input_, (), (name, kind))
    return make_slot(name, kind, False)


def _are_elements(nodes: Nodes) -> bool:
    """Whether nodes are elements of one array at different places."""
    first = nodes[0]
    if not is_element(first) or all(node.attrs == first.attrs for node in nodes):
        return False
    if any(node.args[0] is not first.args[0] for node in nodes):
        raise Unlike
    return True


def _before(nodes: Nodes) -> Nodes:
    """Elements of what an array is a function of."""
    (inner,) = nodes[0].args[0].args
    return tuple([make(index, (inner,), node.attrs) for node in nodes])


def _is_one_function(nodes: Nodes) -> bool:
    """Whether nodes apply the same function to numbers of the same types."""
    kinds = {(node.op, node.attrs, *[arg.type for arg in node.args]) for node in nodes}
    first = nodes[0]
    return (
        len(kinds) == 1 and first.op.family == "elementwise"
        and not any(arg.shape for arg in first.args)
    )  # fmt: skip


def _arguments(nodes: Nodes) -> list[Nodes]:
    return [tuple([node.args[k] for node in nodes]) for k in range(len(nodes[0].args))]


def _value(node: Node) -> np.ndarray:
    (node,) = (node,) if node.op is const else simplify([node])
    if node.op is not const:
        raise Unlike
    return node.attrs[0].value  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Strip:
    """Inputs that lie part after part, without gaps: a row for each part.

    Parameters
    ----------
    start, count, row : int
        Where it begins among all inputs, the number of rows, and their length.
    places : dict
        Leaf of the common form -> where it lies in a row.
    """

    start: int
    count: int
    row: int
    places: dict[Node, int]


def strips(own: dict[Node, Nodes], offsets: dict[Node, int]) -> list[Strip]:
    """The strips that leaves of a form make up; leaves that lie otherwise are left out."""
    regular: dict[int, list[tuple[int, Node]]] = defaultdict(list)
    for leaf, nodes in own.items():
        starts = np.array([offsets[node] for node in nodes])
        step = int(starts[1] - starts[0])
        if step > 0 and leaf.type.dtype == FLOAT and (np.diff(starts) == step).all():
            regular[step].append((int(starts[0]), leaf))
    found: list[Strip] = []
    taken: set[Node] = set()
    for row, leaves in regular.items():
        run: list[tuple[int, Node]] = []
        for start, leaf in sorted(leaves, key=lambda pair: pair[0]):
            if taken.isdisjoint(own[leaf]):
                if run and run[-1][0] + run[-1][1].type.size != start:
                    run = []
                run.append((start, leaf))
                if start + leaf.type.size - run[0][0] == row:
                    first = run[0][0]
                    places = {member: at - first for at, member in run}
                    found.append(Strip(first, len(own[leaf]), row, places))
                    taken.update(node for _, member in run for node in own[member])
                    run = []
    return found


@dataclass
class Group:
    """Terms that become one loop.

    Parameters
    ----------
    walk : Walk
    form : Node
        The sum of a part's terms.
    strips : list of Strip
        The inputs that belong to one part each.
    terms : list of Node
        The terms of all parts.
    leaves : list of Node
        The data and the elements that the form reads.
    """

    walk: Walk
    form: Node
    strips: list[Strip]
    terms: list[Node]
    leaves: list[Node]


def groups(found: Sequence[Node], inputs: Sequence[Node]) -> list[Group]:
    """The groups of alike terms in a sum."""
    if len(found) < FEWEST:
        return []
    nodes = topological(found)
    fixed = constants(nodes)
    form_of = forms(nodes, fixed)
    classes: dict[int, list[Node]] = defaultdict(list)
    for term in found:
        if term not in fixed:
            classes[form_of[term]].append(term)
    walks: dict[int, Walk] = {}
    alike: dict[int, list[tuple[Node, list[Node]]]] = defaultdict(list)
    for members in classes.values():
        count = len(members)
        if count >= FEWEST:
            walk = walks.setdefault(count, Walk(count, fixed))
            try:
                alike[count].append((walk.form(members), members))
            except Unlike:
                continue
    sizes = np.cumsum([0, *(node.type.size for node in inputs)]).tolist()
    offsets = dict(zip(inputs, sizes, strict=False))
    result: list[Group] = []
    taken: set[Node] = set()
    for count in sorted(alike, reverse=True):
        group = _group(walks[count], alike[count], offsets, taken)
        if group is not None:
            result.append(group)
    return result


def _group(
    walk: Walk,
    alike: list[tuple[Node, list[Node]]],
    offsets: dict[Node, int],
    taken: set[Node],
) -> Group | None:
    """One loop of all forms whose own inputs lie in strips that are read whole."""
    leaves = {**walk.own, **walk.data, **walk.elements}
    reads = {form: leaves.keys() & set(topological([form])) for form, _ in alike}
    lying: list[Strip] = []
    while reads:
        own = {
            leaf: nodes for leaf, nodes in walk.own.items()
            if any(leaf in read for read in reads.values()) and taken.isdisjoint(nodes)
            and all(node in offsets for node in nodes)
        }  # fmt: skip
        lying = strips(own, offsets)
        inside = {leaf for strip in lying for leaf in strip.places}
        kept = {form: read for form, read in reads.items() if read & walk.own.keys() <= inside}
        if len(kept) == len(reads):
            break
        reads = kept
    if not reads:
        return None
    taken.update(node for strip in lying for leaf in strip.places for node in walk.own[leaf])
    total, *rest = reads
    for form in rest:
        total = make(OPS["add"], (total, form))
    members = [term for form, terms_ in alike if form in reads for term in terms_]
    found = set().union(*reads.values())
    other = [leaf for leaf in (*walk.data, *walk.elements) if leaf in found]
    return Group(walk, total, lying, members, other)
