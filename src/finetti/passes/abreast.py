"""Alike parts, evaluated: numbers of all parts side by side, and a loop for what is left.

What a part computes of numbers only is an array over the parts, eight of which are worked on at
once. If arrays are involved as well, a loop goes from part to part; it finds the dear functions of
numbers computed, and what is the same in every part.
"""

from __future__ import annotations

from collections.abc import Sequence

from finetti.ir import Node, Tensor, ops, topological
from finetti.ir.body import Body, make_slot
from finetti.ir.node import make, rebuild
from finetti.ir.ops.indexing import index
from finetti.ir.ops.leaf import const
from finetti.ir.ops.parts import Places, make_parts
from finetti.passes.costs import own_cost

# What costs as many additions is computed for several parts at once.
_DEAR = 20

Reads = dict[Node, tuple[int, int | None]]


def evaluate(
    outputs: Sequence[Node], reads: Reads, homes: Places, args: Sequence[Node], count: int
) -> list[Node]:
    """The results of all parts, in the graph of the arguments.

    Parameters
    ----------
    outputs : sequence of Node
        What a part computes.
    reads : dict
        Leaves -> the argument, and the place in the part's row of it or None if there is no row.
    homes : tuple
        The result of each output, and the place in the part's row of it or None for a sum.
    args : sequence of Node
    count : int
        The number of parts.

    Returns
    -------
    list of Node
        Numbers, and arrays of a row for each part.
    """
    side = _SideBySide(outputs, reads, args, count)
    if all(out in side.numbers for out in outputs):
        return _joined([side.column(out) for out in outputs], homes, count)
    cut = side.cut(outputs)
    args, reads = list(args), dict(reads)
    stand_ins: dict[Node, Node] = {}
    for node in cut:
        stand_ins[node] = make_slot(("cut", len(stand_ins)), node.type, False)
        reads[stand_ins[node]] = (len(args), None if node in side.same else 0)
        args.append(side.array(node))
    return _looped(rebuild(outputs, stand_ins), reads, homes, args, count)


def _looped(
    outputs: Sequence[Node], reads: Reads, homes: Places, args: Sequence[Node], count: int
) -> list[Node]:
    """A loop over the parts, of the arguments that are read."""
    nodes = set(topological(outputs))
    leaves = [leaf for leaf in reads if leaf in nodes]
    used = sorted({reads[leaf][0] for leaf in leaves})
    slots = tuple(make_slot(i, leaf.type, False) for i, leaf in enumerate(leaves))
    body = Body(slots, tuple(rebuild(outputs, dict(zip(leaves, slots, strict=True)))), 0, 0)
    places = tuple((used.index(reads[leaf][0]), reads[leaf][1]) for leaf in leaves)
    return make_parts([args[k] for k in used], body, count, places, homes)


def _joined(columns: Sequence[Tensor], homes: Places, count: int) -> list[Node]:
    """Results of outputs that are an array over the parts each."""
    rows: dict[int, list[Tensor]] = {}
    sums: dict[int, Tensor] = {}
    for column, (result, place) in zip(columns, homes, strict=True):
        if place is None:
            sums[result] = ops.sum_(column)
        else:
            rows.setdefault(result, []).append(ops.reshape(column, (count, 1)))
    joined = {
        result: parts[0] if len(parts) == 1 else ops.concatenate(parts, 1)
        for result, parts in rows.items()
    }
    return [(sums | joined)[result].node for result in range(len(sums) + len(joined))]


class _SideBySide:
    """What a part computes of numbers only, as arrays over the parts.

    Attributes
    ----------
    numbers : set of Node
        Nodes that are numbers, made of numbers by elementwise operations.
    same : set of Node
        Those of them that are the same in every part.
    """

    def __init__(self, outputs: Sequence[Node], reads: Reads, args: Sequence[Node], count: int):
        self._count = count
        self.numbers: set[Node] = set()
        self.same: set[Node] = set()
        self._arrays: dict[Node, Node] = {}
        for node in topological(outputs):
            if node.shape:
                continue
            if node in reads:
                arg, place = reads[node]
                self._arrays[node] = args[arg] if place is None else self._row(args[arg], place)
                alike = place is None
            elif node.op is const:
                self._arrays[node] = node
                alike = True
            elif node.op.family == "elementwise" and self.numbers.issuperset(node.args):
                alike = self.same.issuperset(node.args)
            else:
                continue
            self.numbers.add(node)
            if alike:
                self.same.add(node)

    def _row(self, arg: Node, place: int) -> Node:
        if arg.type.size == self._count:
            return ops.reshape(Tensor(arg), (self._count,)).node
        rows = ops.reshape(Tensor(arg), (self._count, arg.type.size // self._count))
        return index(rows, spec=(("slice", None, None, None), place)).node

    def array(self, node: Node) -> Node:
        """A number of every part as an array over the parts; as a number if it is the same."""
        for below in topological([node], self._arrays):
            args = tuple(self._arrays[arg] for arg in below.args)
            self._arrays[below] = make(below.op, args, below.attrs)
        return self._arrays[node]

    def column(self, node: Node) -> Tensor:
        """A number of every part as an array over the parts."""
        return ops.broadcast_to(Tensor(self.array(node)), (self._count,))

    def cut(self, outputs: Sequence[Node]) -> list[Node]:
        """The nodes that the loop is to find computed."""
        found: dict[Node, None] = {}
        seen: set[Node] = set()
        stack = list(outputs)
        while stack:
            node = stack.pop()
            if node in seen or not node.args:
                continue
            seen.add(node)
            if node in self.same or node in self.numbers and own_cost(node) >= _DEAR:
                found[node] = None
            else:
                stack += node.args
        return list(found)
