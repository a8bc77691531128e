"""Steps made short: whatever a step can do without the carry is done beside it.

Steps follow each other as fast as a carry can be made of itself. So sums and products are regrouped
until it comes in last, a product with a sum that holds it is distributed, and several products with
it are made one: then a linear recurrence costs one fused multiply-add a step. Terms are regrouped,
so rounding and what overflows half-way may differ, and a carry that has overflowed stays infinite
where a choice would have cut its product to zero. Where infinities or NaN may come otherwise, from
the numbers that a loop is given or a function in its steps, such choices stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from finetti.ir import FLOAT, OPS, Node, rebuild, topological
from finetti.ir.body import Body
from finetti.ir.node import make
from finetti.ir.ops.control import body_of, scan_op
from finetti.ir.ops.leaf import const, data, input_, is_constant
from finetti.passes.facts import finite
from finetti.passes.simplify.conditions import is_finite
from finetti.passes.simplify.core import constant

# About how many cycles a result is waited for; other operations take as long as a sum.
_CYCLES = {"exp": 30, "log": 35, "log1p": 35, "reciprocal": 14, "sqrt": 20, "tanh": 40, "where": 2,
           "sum": 10, "max": 10, "min": 10, "reshape": 0, "index": 3}  # fmt: skip
_SUM = 4
_LARGEST = 64  # elements of a carry: larger ones keep the processor busy in any order


def shorten(outputs: Sequence[Node]) -> list[Node]:
    """Regroup the bodies of all loops of a graph."""
    new: dict[Node, Node] = {}
    nodes = topological(outputs)
    holes = _holes(nodes) if any(node.op is scan_op for node in nodes) else set()
    for node in nodes:
        args, attrs = tuple(new[arg] for arg in node.args), node.attrs
        if node.op is scan_op:
            attrs = (_shortened(body_of(node), node not in holes), *attrs[1:])
        same = args == node.args and attrs == node.attrs
        new[node] = node if same else make(node.op, args, attrs)
    return [new[node] for node in outputs]


def _holes(nodes: Sequence[Node]) -> set[Node]:
    """Numbers that are not finite in constants or data, and what is computed from them."""
    found: set[Node] = set()
    for node in nodes:
        if node.type.dtype != FLOAT:
            continue
        hole = any(arg in found for arg in node.args)
        if node.op in (const, data):
            hole = not np.isfinite(node.attrs[0].value).all()
        elif node.op is scan_op:
            body = body_of(node)
            inside = _holes(body.nodes)
            hole |= any(own.args or own in body.outputs for own in inside)
        if hole:
            found.add(node)
    return found


def _shortened(body: Body, whole: bool) -> Body:
    carried = body.inputs[: body.carries]
    if sum(node.type.size for node in carried) > _LARGEST:
        return body
    return body.rewritten(
        "shorten" if whole else "shorten with holes",
        lambda outputs: _Chains(body, whole).run(outputs),
    )


class _Chains:
    """One body: which carries each node waits for and makes. Sets of carries are bits of an int.

    Parameters
    ----------
    body : Body
    whole : bool
        Whether all constants are finite that carries are made of.
    """

    def __init__(self, body: Body, whole: bool):
        slots = [make(input_, (), (("step", i), n.type)) for i, n in enumerate(body.inputs)]
        self.finite = dict(zip(body.inputs, slots, strict=True)) if whole else None
        self.carried = body.outputs[: body.carries]
        self.waits: dict[Node, int] = {
            node: 1 << i for i, node in enumerate(body.inputs[: body.carries])
        }
        self.ready: dict[Node, int] = {}  # cycles after the carries
        self.uses = Counter(arg for node in body.nodes for arg in node.args)
        self.uses.update(body.outputs)
        for node in body.nodes:
            self._noted(node)
        makes: dict[Node, int] = {}
        for i, out in enumerate(body.outputs[: body.carries]):
            makes[out] = makes.get(out, 0) | 1 << i
        for node in reversed(body.nodes):
            for arg in node.args:
                makes[arg] = makes.get(arg, 0) | makes.get(node, 0)
        # What a carry is made of, and again what that is made of: a node on a round trip waits for
        # a carry that is made of one that it makes.
        follow = [makes.get(node, 0) for node in body.inputs[: body.carries]]
        for _ in follow:
            follow = [_union(follow, own) | own for own in follow]
        self.round = {node: _union(follow, own) | own for node, own in makes.items()}

    def run(self, outputs: Sequence[Node]) -> list[Node]:
        new: dict[Node, Node] = {}
        for node in topological(outputs):
            args = tuple(new[arg] for arg in node.args)
            made = None
            if node.type.dtype == FLOAT and node.op.name in ("add", "multiply"):
                made = self._shifted(node, args) or self._grouped(node, args)
            elif node.type.dtype == FLOAT and node.op.name == "where" and self.finite:
                made = self._chosen(node, *args)
            if made is None:
                made = self._noted(node if args == node.args else make(node.op, args, node.attrs))
            new[node] = made
            self.uses[new[node]] = max(self.uses[new[node]], self.uses[node])
        return [new[node] for node in outputs]

    def _noted(self, node: Node) -> Node:
        if node not in self.waits:
            self.waits[node] = 0
            for arg in node.args:
                self.waits[node] |= self.waits.get(arg, 0)
        if node not in self.ready:
            before = max((self.ready.get(arg, 0) for arg in node.args), default=0)
            own = _CYCLES.get(node.op.name, _SUM) if self.waits[node] else 0
            self.ready[node] = before + own
        return node

    def _late(self, part: Node, node: Node) -> int:
        """2: on a round trip of a carry through `node`; 1: waits for another carry; 0: for none."""
        waits = self.waits.get(part, 0)
        return 2 if waits & self.round.get(node, 0) else 1 if waits else 0

    def _chosen(self, node: Node, condition: Node, x: Node, y: Node) -> Node | None:
        """A product with the carry or zero: the carry times a factor or zero."""
        swapped = is_constant(x, 0.0)
        product = y if swapped else x
        if not (swapped or is_constant(y, 0.0)) or condition.shape not in ((), node.shape):
            return None
        factors = self._factors(product, node)
        if self._late(condition, node) or product.type != node.type or factors is None:
            return None
        early, late = factors
        if not self._sure([late]) or self.waits.get(late, 0) & self.unsure:
            return None
        factor = self._chain("multiply", early, node) if early else _ones(node)
        chosen = (condition, x, factor) if swapped else (condition, factor, y)
        return self._chain("multiply", [self._noted(make(OPS["where"], chosen)), late], node)

    def _sure(self, nodes: Sequence[Node]) -> bool:
        """Whether nodes are finite as long as what the step is given is."""
        return self.finite is not None and all(map(finite, rebuild(nodes, self.finite)))

    @cached_property
    def unsure(self) -> int:
        """The carries that a function may make infinite, and those made of them."""
        found = 0
        for i, out in enumerate(self.carried):
            found |= 0 if self._sure([out]) else 1 << i
        for _ in self.carried:
            for i, out in enumerate(self.carried):
                found |= 1 << i if self.waits[out] & found else 0
        return found

    def _shifted(self, node: Node, args: tuple[Node, ...]) -> Node | None:
        """``x - shift``, the shift being 0 where a maximum is infinite, without waiting for that.

        So sums of exponentials are shifted: the difference and the question are made side by side.
        """
        for x, shift in (args, args[::-1]):
            top = _guarded(shift) if node.op.name == "add" and len(args) == 2 else None
            if top is None or not self._late(top, node):
                continue
            size = self._noted(make(OPS["absolute"], (top,)))
            if size.shape != node.shape:
                size = self._noted(make(OPS["broadcast_to"], (size,), (node.shape,)))
            finite = self._noted(make(OPS["less"], (size, constant(np.inf))))
            negative = self._noted(make(OPS["multiply"], (top, constant(-1.0))))
            moved = self._noted(make(OPS["add"], (x, negative)))
            if x.shape != node.shape or moved.type != node.type:
                continue
            return self._noted(make(OPS["where"], (finite, moved, x)))
        return None

    def _factors(self, part: Node, node: Node) -> tuple[list[Node], Node] | None:
        """(factors that do not wait, the one that does), if just one of a product does."""
        factors = self._parts("multiply", [part], node)
        late = [factor for factor in factors if self._late(factor, node) == 2]
        if len(late) != 1 or any(factor.type != node.type for factor in factors):
            return None
        return [factor for factor in factors if factor is not late[0]], late[0]

    def _collected(self, parts: Sequence[Node], node: Node) -> list[Node]:
        """Terms of a sum, those with one and the same late factor as one product with it."""
        result: list[Node] = []
        shares: dict[Node, list[tuple[Node, list[Node]]]] = {}
        for part in parts:
            found = self._factors(part, node) if self._late(part, node) == 2 else None
            if found is None:
                result.append(part)
            else:
                shares.setdefault(found[1], []).append((part, found[0]))
        for late, entries in shares.items():
            if len(entries) == 1:
                result.append(entries[0][0])
                continue
            products = [
                self._chain("multiply", early, node) if early else _ones(node)
                for _, early in entries
            ]
            total = self._chain("add", products, node)
            result.append(self._chain("multiply", [total, late], node))
        return result

    def _grouped(self, node: Node, args: tuple[Node, ...]) -> Node | None:
        name = node.op.name
        parts = self._parts(name, args, node)
        late = [part for part in parts if self._late(part, node) == 2]
        if not late or any(part.type != node.type for part in parts):
            return None
        if name == "add":
            parts = self._collected(parts, node)
        if name == "multiply" and len(late) == 1:
            terms = self._parts("add", late, node)
            behind = [term for term in terms if self._late(term, node) == 2]
            if len(terms) > len(behind) == 1 and all(term.type == node.type for term in terms):
                factors = [part for part in parts if part is not late[0]]
                beside = self._chain("add", [t for t in terms if t is not behind[0]], node)
                inner = self._parts("multiply", behind, node)
                inner = inner if all(part.type == node.type for part in inner) else behind
                sides = [[*factors, beside], [*factors, *inner]]
                return self._chain("add", [self._chain("multiply", s, node) for s in sides], node)
        return self._chain(name, parts, node)

    def _parts(self, name: str, args: Sequence[Node], user: Node) -> list[Node]:
        """Terms or factors, those of inner sums or products that nobody else uses among them."""
        parts: list[Node] = []
        stack = list(reversed(args))
        while stack:
            part = stack.pop()
            inner = part.op.name == name and part.type == user.type
            below = part.args[0] if part.op.name == "reshape" else part
            if inner and (self.uses[part] <= 1 or len(args) == 1 and part is args[0]):
                stack += reversed(part.args)
            elif (
                below is not part and below.op.name == name and self.uses[part] <= 1
                and self.uses[below] <= 1 and all(arg.type == below.type for arg in below.args)
            ):  # fmt: skip
                stack += (
                    self._noted(make(part.op, (arg,), part.attrs)) for arg in reversed(below.args)
                )
            else:
                parts.append(part)
        return parts

    def _chain(self, name: str, parts: Sequence[Node], node: Node) -> Node:
        """The parts joined, those that are waited for longest last."""
        total, *rest = sorted(
            parts, key=lambda part: (self._late(part, node), self.ready.get(part, 0))
        )
        for part in rest:  # of two products that are added, the first becomes a multiply-add
            total = self._noted(make(OPS[name], (part, total)))
        return total


def _guarded(shift: Node) -> Node | None:
    """m, when a shift is minus m where m is finite and 0 where it is not."""
    if shift.op.name != "multiply" or not is_constant(shift.args[1], -1.0):
        return None
    chosen = shift.args[0]
    if chosen.op.name == "stop_gradient":
        chosen = chosen.args[0]
    if chosen.op.name != "where" or not is_constant(chosen.args[2], 0.0):
        return None
    condition, top, _ = chosen.args
    return top if condition is is_finite(top) else None


def _ones(node: Node) -> Node:
    return constant(np.ones(node.shape))


def _union(sets: Sequence[int], chosen: int) -> int:
    """The union of the sets that the bits of `chosen` name."""
    total = 0
    for i, own in enumerate(sets):
        if chosen >> i & 1:
            total |= own
    return total


__all__ = ["shorten"]
