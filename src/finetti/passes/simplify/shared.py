"""What a loop computed, kept for the loop that runs back over its steps.

The adjoint of a loop computes each step again from the carry that it began with. What is dear in
that, functions and products, is the same as in the loop itself: it is kept there and read.
"""

from __future__ import annotations

from collections.abc import Sequence

from finetti.ir import Node, rebuild, topological
from finetti.ir.body import Body, make_slot
from finetti.ir.node import make
from finetti.ir.ops.control import body_of, parts_of, piece, scan_op
from finetti.ir.ops.leaf import const
from finetti.passes.simplify import fission
from finetti.passes.simplify.loops import place_of

_LARGEST = 1 << 18  # elements that are kept of one node: more would come from far memory
_SWAPPED = {"add", "multiply", "maximum", "minimum"}

Found = dict[Node, tuple[Node, Node]]  # node of a body -> (the earlier loop, the node in its body)


def share(outputs: Sequence[Node]) -> list[Node]:
    """Have loops read what earlier ones computed of the same steps."""
    order = topological(outputs)
    found: dict[Node, Found] = {}
    kept: dict[Node, dict[Node, None]] = {}
    for node in order:
        if node.op is not scan_op:
            continue
        for earlier in dict.fromkeys(arg.args[0] for arg in node.args if arg.op is piece):
            if earlier.op is scan_op and earlier.attrs[1] == node.attrs[1]:
                for own, other in _repeated(node, earlier).items():
                    found.setdefault(node, {}).setdefault(own, (earlier, other))
                    kept.setdefault(earlier, {})[other] = None
    if not found:
        return list(outputs)
    new: dict[Node, Node] = {}
    places: dict[tuple[Node, Node], Node] = {}
    for node in order:
        args = tuple(new[arg] for arg in node.args)
        if node not in found and node not in kept:
            new[node] = node if args == node.args else make(node.op, args, node.attrs)
            continue
        body, inner = body_of(node), list(kept.get(node, ()))
        more = Body(body.inputs, (*body.outputs, *inner), body.carries, body.sequences)
        values = {n: places[key] for n, key in found.get(node, {}).items()}
        made = new[node] = _reading(node, more, args, values)
        parts = parts_of(more, int(node.attrs[1]))[len(body.outputs) :]
        for n, (start, kind) in zip(inner, parts, strict=True):
            places[node, n] = make(piece, (made,), (start, kind.shape, kind.dtype))
    return [new[node] for node in outputs]


def _repeated(node: Node, earlier: Node) -> dict[Node, Node]:
    """Nodes of a body that are worth reading -> what they are in the body of an earlier loop."""
    body, other = body_of(node), body_of(earlier)
    by_arg = dict(zip(earlier.args[other.carries :], other.inputs[other.carries :], strict=True))
    same: dict[Node, Node] = {}
    for place, (own, arg) in enumerate(zip(body.inputs, node.args, strict=True)):
        moving = body.carries <= place < body.carries + body.sequences
        inner = by_arg.get(arg)
        if place < body.carries:
            continue
        if moving and arg.op is piece and arg.args[0] is earlier:
            at = place_of(arg)
            if at is not None and at >= other.carries:
                same[own] = other.outputs[at]
        elif inner is not None and moving == (
            inner in other.inputs[other.carries : other.carries + other.sequences]
        ):
            same[own] = inner
    given, known = set(same), set(other.nodes)
    dear: set[Node] = set()
    for own in body.nodes:
        if own.op is const:
            same[own] = own
            continue
        if own in same or not own.args or not all(arg in same for arg in own.args):
            continue
        args = tuple(same[arg] for arg in own.args)
        twin = make(own.op, args, own.attrs)
        if twin not in known and own.op.name in _SWAPPED:
            twin = make(own.op, args[::-1], own.attrs)
        if twin in known:
            same[own] = twin
            if _dear(own) or any(arg in dear for arg in own.args):
                dear.add(own)
    wanted = dict.fromkeys(own for own in body.outputs if own in dear)
    for own in body.nodes:
        if own not in same:
            wanted.update((arg, None) for arg in own.args if arg in dear)
    length = int(node.attrs[1])
    return {
        own: same[own] for own in wanted if own not in given and length * own.type.size <= _LARGEST
    }


def _dear(node: Node) -> bool:
    if node.op.name == "index":  # a few elements are kept instead of all
        return 4 * node.type.size <= node.args[0].type.size
    return fission.heavy([node]) or node.op.family not in ("elementwise", "movement")


def _reading(node: Node, body: Body, args: tuple[Node, ...], values: dict[Node, Node]) -> Node:
    """A loop that reads the values of nodes of its body along with its sequences."""
    edge = body.carries + body.sequences
    extra = [make_slot(("kept", i), n.type, False) for i, n in enumerate(values)]
    inputs = [*body.inputs[:edge], *extra, *body.inputs[edge:]]
    slots = [make_slot(i, n.type, False) for i, n in enumerate(inputs)]
    outs = rebuild(body.outputs, dict(zip(values, extra, strict=True)))
    outs = rebuild(outs, dict(zip(inputs, slots, strict=True)))
    made = Body(tuple(slots), tuple(outs), body.carries, body.sequences + len(extra))
    args = (*args[:edge], *values.values(), *args[edge:])
    return make(scan_op, args, (made, *node.attrs[1:3], ()))


__all__ = ["share"]
