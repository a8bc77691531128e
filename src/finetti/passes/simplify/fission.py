"""Functions taken out of loops: for all steps at once they are computed in vectors.

What a step makes of its elements alone can be made before the loop, and what it leaves behind, and
no later step asks for, after it. That pays for exponentials, logarithms, quotients and the like;
sums and products are as cheap where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from finetti.ir import Node, topological
from finetti.ir.ops.leaf import const
from finetti.passes.simplify.core import build, stretch

_LIGHT = {
    "add", "multiply", "negative", "subtract", "square", "absolute", "maximum", "minimum", "where",
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and",
    "logical_or", "logical_xor", "logical_not", "cast", "sign", "floor", "ceil", "trunc", "round",
    "isnan", "isinf", "stop_gradient",
}  # fmt: skip
FEWEST = 8  # steps that are worth a vector
_MOST = 4  # arrays that may be kept for what is computed after the loop


def _heavy(nodes: Iterable[Node]) -> bool:
    return any(node.op.family == "elementwise" and node.op.name not in _LIGHT for node in nodes)


def before(roots: Sequence[Node], moving: set[Node], steady: set[Node]) -> list[Node]:
    """What is worth computing before the loop.

    Parameters
    ----------
    roots : sequence of Node
        What the steps compute.
    moving : set of Node
        The slots of the sequences.
    steady : set of Node
        The slots of what does not change.
    """
    cones: dict[Node, bool] = dict.fromkeys(moving, False)  # node -> whether there is a function
    nodes = topological(roots)
    for node in nodes:
        if node.op.family != "elementwise" or not any(arg in cones for arg in node.args):
            continue
        if all(arg in cones or arg in steady or arg.op is const for arg in node.args):
            cones[node] = _heavy([node]) or any(cones.get(arg, False) for arg in node.args)
    wanted = dict.fromkeys(root for root in roots if cones.get(root))
    for node in nodes:
        if node not in cones:
            wanted.update((arg, None) for arg in node.args if cones.get(arg))
    return list(wanted)


def after(root: Node, essential: set[Node], slots: set[Node]) -> list[Node] | None:
    """The nodes to keep from all steps to compute `root` after the loop; None to leave it inside.

    Parameters
    ----------
    root : Node
        What every step leaves behind.
    essential : set of Node
        What the carry is made of.
    slots : set of Node
        Of the sequences and of what does not change, which are known outside.
    """
    inside: list[Node] = []
    edge: dict[Node, None] = {}
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        if node in slots or node.op is const:
            continue
        if node in essential or node.op.family != "elementwise":
            edge[node] = None
            continue
        inside.append(node)
        stack += [arg for arg in node.args if arg not in seen]
        seen.update(node.args)
    worth = _heavy(inside) and len(edge) <= _MOST
    return sorted(edge, key=lambda node: node.order) if worth else None


def at_once(
    root: Node, moving: Mapping[Node, Node], steady: Mapping[Node, Node], length: int
) -> Node:
    """An elementwise node for all steps, along a new first axis.

    Parameters
    ----------
    root : Node
        A node of the body.
    moving : mapping
        Node of the body -> its values in all steps.
    steady : mapping
        Node of the body -> what it is outside.
    length : int
        Number of steps.
    """
    known, same = dict(moving), dict(steady)
    for node in topological([root], {**moving, **steady}):
        if node.op is const:
            same[node] = node
            continue
        if not any(arg in known for arg in node.args):
            same[node] = build(node.op.name, *(same[arg] for arg in node.args), attrs=node.attrs)
            continue
        args = []
        for arg in node.args:
            value = known.get(arg)
            missing = node.type.ndim - arg.type.ndim
            if value is None:
                value = same[arg]
            elif missing:
                shape = (length, *(1,) * missing, *arg.shape)
                value = build("reshape", value, attrs=(shape,))
            args.append(value)
        known[node] = build(node.op.name, *args, attrs=node.attrs)
    return known[root] if root in known else stretch(same[root], (length, *root.shape))


__all__ = ["FEWEST", "after", "at_once", "before"]
