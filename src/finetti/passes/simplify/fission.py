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
_MANY = 5  # light operations on single numbers that are as good as a function
MOST = 4  # arrays that may be kept for what is computed after the loop


def heavy(nodes: Iterable[Node]) -> bool:
    """Whether there is a function among nodes, not only sums, products and choices."""
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
    cones: dict[Node, int] = dict.fromkeys(moving, 0)  # node -> about how many operations it is
    nodes = topological(roots)
    for node in nodes:
        if node.op.family != "elementwise" or not any(arg in cones for arg in node.args):
            continue
        if all(arg in cones or arg in steady or arg.op is const for arg in node.args):
            own = _MANY if heavy([node]) else node.type.size == 1
            cones[node] = own + sum(cones.get(arg, 0) for arg in node.args)
    wanted = dict.fromkeys(root for root in roots if cones.get(root, 0) >= _MANY)
    for node in nodes:
        if node not in cones:
            wanted.update((arg, None) for arg in node.args if cones.get(arg, 0) >= _MANY)
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
    inside: dict[Node, None] = {}
    edge: dict[Node, None] = {}
    cut(root, essential, slots, inside, edge)
    worth = heavy(inside) and len(edge) <= MOST
    return sorted(edge, key=lambda node: node.order) if worth else None


def cut(
    root: Node,
    essential: set[Node],
    slots: set[Node],
    inside: dict[Node, None],
    edge: dict[Node, None],
) -> None:
    """Add what can be computed after the loop for `root` to `inside`, and what to keep to `edge`.

    Parameters
    ----------
    root, essential, slots
        As for `after`.
    inside, edge : dict
        Filled with nodes.
    """
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        if node in slots or node.op is const:
            continue
        if node in essential or node.op.family != "elementwise":
            edge[node] = None
            continue
        inside[node] = None
        stack += [arg for arg in node.args if arg not in seen]
        seen.update(node.args)


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


__all__ = ["FEWEST", "MOST", "after", "at_once", "before", "cut", "heavy"]
