"""Sums of many arrays that are zero but for a few elements, made one array.

The gradient of `x[0] + x[1] * x[2] + ...` by `x` is such a sum: as it stands, every element read
costs a whole array.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from finetti.ir import FLOAT, OPS, Node, topological
from finetti.ir.node import make
from finetti.ir.ops.leaf import const
from finetti.passes.simplify.core import add, build, constant

_LEAST = 3  # of so few the arrays themselves are cheaper


def collect(outputs: Sequence[Node]) -> list[Node]:
    """Replace sums of elements added into zeros by all elements added at once."""
    order = topological(outputs)
    if sum(node.op.name == "index_add" for node in order) < _LEAST:
        return list(outputs)
    users = Counter(arg for node in order for arg in node.args)
    users.update(outputs)
    inner = {
        arg for node in order if _is_sum(node) for arg in node.args
        if _is_sum(arg) and users[arg] == 1 and arg.shape == node.shape
    }  # fmt: skip
    new: dict[Node, Node] = {}
    for node in order:
        if node in inner:
            continue
        terms = _terms(node, inner) if _is_sum(node) else []
        few = [term for term in terms if _is_scatter(term) and users[term] == 1]
        if len(few) >= _LEAST:
            rest = [new[term] for term in terms if term not in set(few)]
            whole = _together([(new[term.args[0]], term) for term in few], node.shape)
            for term in rest:
                whole = add(term, whole)
            new[node] = whole
            continue
        _renew(node, new)
    return [new[node] for node in outputs]


def _renew(node: Node, new: dict[Node, Node]) -> None:
    """Put a node into the new graph, with sums inside of it that were passed over."""
    stack = [node]
    while stack:
        top = stack[-1]
        missing = [arg for arg in top.args if arg not in new]
        if missing:
            stack += missing
            continue
        args = tuple(new[arg] for arg in top.args)
        new[top] = top if args == top.args else make(top.op, args, top.attrs)
        stack.pop()


def _is_sum(node: Node) -> bool:
    return node.op.name == "add" and node.type.dtype == FLOAT and node.type.size > 1


def _is_scatter(node: Node) -> bool:
    if node.op.name != "index_add" or node.type.dtype != FLOAT:
        return False
    few = 2 * node.args[0].type.size <= node.type.size
    return few and all(index.op is const for index in node.args[1:])


def _terms(node: Node, inner: set[Node]) -> list[Node]:
    """The terms of a sum, through the sums that only it has."""
    terms, stack = [], list(node.args)
    while stack:
        top = stack.pop()
        if top in inner:
            stack += top.args
        else:
            terms.append(top)
    return terms


def _together(parts: list[tuple[Node, Node]], shape: tuple[int, ...]) -> Node:
    """One array of all parts: (what is added, the node that adds it into zeros)."""
    size = int(np.prod(shape))
    flat = np.arange(size).reshape(shape)
    values, places = [], []
    for value, node in parts:
        indices = (index.attrs[0].value for index in node.args[1:])
        at = np.asarray(OPS["index"].evaluate((flat, *indices), (node.attrs[1],)))
        if value.shape != at.shape:
            value = build("broadcast_to", value, attrs=(at.shape,))
        values.append(build("reshape", value, attrs=((at.size,),)))
        places.append(at.ravel())
    joined = make(OPS["concatenate"], tuple(values), (0,))
    at = np.concatenate(places)
    if len(at) == size and len(np.unique(at)) == size:  # each element once: nothing to add
        total = build("index", joined, constant(np.argsort(at)), attrs=((("at", 0),),))
    else:
        total = build("index_add", joined, constant(at), attrs=((size,), (("at", 0),)))
    return build("reshape", total, attrs=(shape,))
