"""A log density of many alike terms as one loop over its parts.

Models that are written as loops of Python have graphs as long as their data. Here their alike terms
become one node that evaluates a part's terms and their derivatives (`ir.ops.parts`), so that what
follows, and the code, does not grow with their number. Inputs that belong to one part each become
one input with a row for each part; where the values lie does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finetti.ir import FLOAT, Node, Tensor, ops, rebuild, topological
from finetti.ir.body import close
from finetti.ir.node import make
from finetti.ir.ops.indexing import index
from finetti.ir.ops.leaf import input_
from finetti.ir.ops.parts import Places
from finetti.ir.ops.pullback import pullback
from finetti.ir.types import TensorType
from finetti.passes.abreast import evaluate
from finetti.passes.alike import Group, Strip, groups, stand_in, terms
from finetti.passes.grad import gradient
from finetti.passes.simplify import simplify
from finetti.passes.simplify.core import constant
from finetti.passes.simplify.scatters import collect

# Graphs of fewer nodes than this are as well off without a loop.
LEAST_NODES = 60
# Longer arrays are loops of their own, which several threads may share.
_LONGEST = 1 << 13
# Derivatives by arrays that all parts read are kept for each part up to this many numbers.
_KEPT = 1 << 16


@dataclass(frozen=True)
class Rolled:
    """A log density with loops over parts in it.

    Parameters
    ----------
    inputs : list of Node
        What lies in ``x`` now, one after another.
    outputs : list of Node
        The log density, then its gradient by each of the inputs; not simplified.
    """

    inputs: list[Node]
    outputs: list[Node]


def roll(logp: Node, inputs: Sequence[Node]) -> Rolled | None:
    """The density with its alike terms in loops, and its gradient; None if there are no loops."""
    every = terms(logp)
    loops = [loop for group in groups(every, inputs) if (loop := _loop(group)) is not None]
    if not loops:
        return None
    inside = {term for loop in loops for term in loop.group.terms}
    rest = ops.as_tensor(0.0)
    for term in every:
        if term not in inside:
            rest = ops.add(rest, Tensor(term))
    outer = _Outer(inputs, [strip for loop in loops for strip in loop.group.strips])
    around = [node for loop in loops for node in loop.around]
    value, *around = simplify(outer.express([rest.node, *around]))
    total, outs, seeds = Tensor(value), [value], [ops.as_tensor(1.0)]
    by_rows: dict[Node, Tensor] = {}
    for loop in loops:
        own, around = around[: len(loop.around)], around[len(loop.around) :]
        rows = [outer.rows[strip.start] for strip in loop.group.strips]
        summed, *slopes = loop.results([*rows, *own])
        total = ops.add(total, summed)
        by_rows.update(zip(rows, slopes, strict=False))
        outs += loop.sloped(own)
        seeds += slopes[len(rows) :]
    grads = pullback(outs, seeds, outer.inputs)
    whole = [_plus(by_rows.get(node), g, node) for node, g in zip(outer.inputs, grads, strict=True)]
    return Rolled(outer.inputs, [total.node, *(grad.node for grad in whole)])


def _plus(x: Tensor | None, y: Tensor | None, node: Node) -> Tensor:
    if x is None or y is None:
        part = x if y is None else y
        return ops.zeros(node.shape) if part is None else part
    return x + y


class _Outer:
    """What is outside of the loops: inputs by strip, and other inputs as they were.

    Parameters
    ----------
    inputs : sequence of Node
    strips : list of Strip

    Attributes
    ----------
    rows : dict of int to Node
        Where a strip begins -> its input.
    inputs : list of Node
        All of them in order.
    """

    def __init__(self, inputs: Sequence[Node], strips: list[Strip]):
        self.rows = {
            strip.start: make(
                input_, (), (("rows", strip.start), TensorType(FLOAT, (strip.count * strip.row,)))
            )
            for strip in strips
        }
        self.inputs: list[Node] = []
        self._places: dict[Node, tuple[Node, int]] = {}
        start, end, rows = 0, 0, None
        for node in inputs:
            if start in self.rows and node.type.size:
                rows, begin = self.rows[start], start
                end = start + rows.type.size
                self.inputs.append(rows)
            if start < end and node.type.size and rows is not None:
                self._places[node] = rows, start - begin
            else:
                self.inputs.append(node)
            start += node.type.size

    def express(self, outputs: list[Node]) -> list[Node]:
        """Nodes over the old inputs as nodes over the new ones."""
        replaced = {}
        for node in topological(outputs):
            if node in self._places:
                rows, at = self._places[node]
                run = index(Tensor(rows), spec=(("slice", at, at + node.type.size, None),))
                replaced[node] = ops.reshape(run, node.shape).node
        return rebuild(outputs, replaced)


@dataclass(frozen=True)
class _Loop:
    """A group of terms, made a part's value and slopes.

    Parameters
    ----------
    group : Group
    outputs : list of Node
        A part's value, then its slopes by what it reads that is smooth.
    reads : dict
        What the outputs read -> the argument that has it, and the place in the part's row of it or
        None where it is the same for all parts. The strips are the first arguments.
    homes : tuple
        For each output the result to which it belongs, and its place in the row or None for a sum.
    around : list of Node
        The other arguments, of the graph outside.
    smooth : list of int
        Which of `around` the slopes after those of the strips belong to.
    """

    group: Group
    outputs: list[Node]
    reads: dict[Node, tuple[int, int | None]]
    homes: Places
    around: list[Node]
    smooth: list[int]

    def sloped(self, around: Sequence[Node]) -> list[Node]:
        """Those of the nodes around by which there is a slope."""
        return [around[k] for k in self.smooth]

    def results(self, args: Sequence[Node]) -> list[Tensor]:
        """The sum of the terms, and its slopes by the strips and by what is around."""
        strips = len(self.group.strips)
        value, *slopes = map(
            Tensor, evaluate(self.outputs, self.reads, self.homes, args, self.group.walk.count)
        )
        nodes = [*args[:strips], *self.sloped(args[strips:])]
        fitted = []
        for k, (slope, node) in enumerate(zip(slopes, nodes, strict=True)):
            shared = k >= strips and self.smooth[k - strips] >= len(self.group.leaves)
            slope = ops.sum_(slope, 0) if shared and slope.ndim else slope
            fitted.append(ops.reshape(slope, node.shape))
        return [value, *fitted]


def _loop(group: Group) -> _Loop | None:
    """A group as a loop, unless it is better left as it is."""
    own = [leaf for strip in group.strips for leaf in strip.places]
    count, leaves = group.walk.count, [*own, *group.leaves]
    (simple,) = simplify([group.form])
    closed = close(leaves, [simple], carries=0, length=count, since=simple.order + 1)
    shared = closed.captured
    if count * len(closed.body.nodes) < LEAST_NODES:
        return None
    if any(count * node.type.size > _KEPT for node in shared if node.shape):
        return None
    if any(node.type.size > _LONGEST for node in closed.body.nodes):
        return None
    # While a part is simplified, what is known of what it reads stays known.
    other = [*group.leaves, *(stand_in(("shared", k), node) for k, node in enumerate(shared))]
    (term,) = closed.body.apply([*own, *other])
    smooth = [
        k for k, node in enumerate([*group.leaves, *shared])
        if node.type.dtype == FLOAT and node not in group.walk.data
    ]  # fmt: skip
    slopes = gradient(term, [*own, *(other[k] for k in smooth)])
    strips = len(group.strips)
    places: list[tuple[int, int | None]] = [
        (k, place) for k, strip in enumerate(group.strips) for place in strip.places.values()
    ]
    homes: list[tuple[int, int | None]] = [(0, None), *((k + 1, place) for k, place in places)]
    for k in range(len(other)):
        places.append((strips + k, 0 if k < len(group.leaves) else None))
    for result, k in enumerate(smooth, strips + 1):
        homes.append((result, None if k >= len(group.leaves) and not other[k].shape else 0))
    return _Loop(
        group, collect(simplify([term, *slopes])), dict(zip([*own, *other], places, strict=True)),
        tuple(homes), [*(_row(group, leaf) for leaf in group.leaves), *shared], smooth,
    )  # fmt: skip


def _row(group: Group, leaf: Node) -> Node:
    """What all parts have in the place of a leaf, one after another."""
    data = group.walk.data.get(leaf)
    if data is not None:
        return constant(data)
    elements = group.walk.elements[leaf]
    array = elements[0].args[0]
    flat = np.arange(array.type.size).reshape(array.shape)
    at = np.array([int(node.op.evaluate((flat,), node.attrs)) for node in elements])
    line = ops.reshape(Tensor(array), (array.type.size,))
    if (np.diff(at) == 1).all():
        return index(line, spec=(("slice", int(at[0]), int(at[-1]) + 1, None),)).node
    return index(line, at, spec=(("at", 0),)).node
