"""Short axes taken apart: rows in the lanes, and what is summed over a few places side by side.

The density of a mixture is an array of rows by parts, reduced over the parts. In a loop over its
elements every reduction is a scatter, and what follows waits for it in another loop. Where a
reduced axis is short, the arrays along it become as many arrays of rows instead: their columns. All
is then computed in one loop over the rows, and what does not depend on the row is a scalar.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import permutations

import numpy as np

from finetti.backends.native.column_rules import places, rule_of, without
from finetti.backends.native.products import log_few
from finetti.ir import Node, topological
from finetti.ir.node import make
from finetti.ir.ops.leaf import const
from finetti.passes.costs import own_cost
from finetti.passes.simplify import as_dtype, build, number
from finetti.passes.simplify.conditions import is_finite
from finetti.passes.simplify.core import constant, is_all

# Places of an axis that is taken apart.
LONGEST = 12
# Rows from which on that pays, and elements up to which arrays are left alone: they are no loop.
FEWEST_ROWS = 8
_SMALL = 16
_COMBINE = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum",
            "all": "logical_and", "any": "logical_or"}  # fmt: skip
_HEAVY = 20  # additions: functions of mathematics and quotients


def take_apart(outputs: Iterable[Node]) -> list[Node]:
    """Rewrite what is reduced over short axes by their columns."""
    outputs = list(outputs)
    order = topological(outputs)
    found = [node for node in order if _has_short_axis(node)]
    if not found:
        return outputs
    users: dict[Node, list[Node]] = {node: [] for node in order}
    for node in order:
        for arg in dict.fromkeys(node.args):
            users[arg].append(node)
    short = {node: node.attrs[0][0] for node in found if not _is_sought(node, users)}
    if not short:
        return outputs
    columns = _Columns(_Reach(order, users, short))
    for node in order:
        columns.visit(node)
    return [columns.whole(node) for node in outputs]


def _has_short_axis(node: Node) -> bool:
    """Whether a node reduces over a short axis and much is left."""
    if node.op.name not in _COMBINE or len(node.attrs[0]) != 1 or node.type.size < FEWEST_ROWS:
        return False
    return 2 <= node.args[0].shape[node.attrs[0][0]] <= LONGEST


def _is_sought(node: Node, users: dict[Node, list[Node]]) -> bool:
    """Whether an extreme is looked for among the elements, which then must not be made twice."""
    if node.op.name not in ("max", "min"):
        return False
    stack = [node]
    while stack:
        for user in users[stack.pop()]:
            if user.op.name == "equal" and node.args[0] in user.args:
                return True
            if user.op.name in ("reshape", "broadcast_to"):
                stack.append(user)
    return False


# -- what is taken apart -------------------------------------------------------------------------


class _Reach:
    """Which arrays are taken apart, and along which axis.

    These are the arrays that are reduced over a short axis and what they are computed from; of what
    else is computed from them, whatever holds a function of mathematics or follows a reduction.
    """

    def __init__(
        self, order: list[Node], users: dict[Node, list[Node]], short: dict[Node, int]
    ) -> None:
        self.axis: dict[Node, int] = {}  # arrays that are taken apart
        self.picked: dict[Node, int] = {}  # what reads places on the axis of its argument
        self.late: set[Node] = set()  # what follows a reduction
        self.heavy: set[Node] = set()  # what holds a function
        self._users = users
        self._queue: deque[tuple[Node, int]] = deque()
        for node in order:
            if node in short or not self.late.isdisjoint(node.args):
                self.late.add(node)
            inside = node.op.family in ("elementwise", "movement") and node.type.size > _SMALL
            if inside and (_is_dear(node) or not self.heavy.isdisjoint(node.args)):
                self.heavy.add(node)
        self.reduced = dict(short)  # reductions over the axis of their argument
        # What is compared with its extremes is made once, or rounding might tell them apart.
        self.once = {node.args[0] for node in order if _is_sought(node, users)}
        for node, axis in short.items():
            self._place(node.args[0], axis)
        while self._queue:
            self._follow(*self._queue.popleft())

    def _place(self, root: Node, axis: int, least: int = _SMALL + 1) -> None:
        """Take an array apart, and what it is computed from."""
        stack = [(root, axis)]
        while stack:
            node, axis = stack.pop()
            known = node in self.axis or node in self.reduced or node in self.once
            if known or node.type.size < (least if node is root else _SMALL + 1):
                continue
            if node.op.family == "leaf":
                self._queue.append((node, axis))
                continue
            rules = [rule_of(node, axis, k) for k in range(node.shape[axis])]
            if None in rules:
                continue
            self.axis[node] = axis
            if node.type.size > _SMALL:
                self._queue.append((node, axis))
            wanted = [want for rule in rules if rule is not None for want in rule[0]]
            stack += dict.fromkeys(
                (arg, a) for arg, a, _ in wanted if a is not None and arg.shape[a] > 1
            )

    def _follow(self, node: Node, axis: int) -> None:
        """Go on from an array to what is computed from it."""
        for user in self._users[node]:
            if user in self.axis or user in self.reduced:
                continue
            if node in self.axis and places(user, axis) is not None:
                self.picked[user] = axis
                continue
            if user not in self.late and node not in self.heavy:
                continue
            if user.op.family == "reduction":
                self._follow_reduction(user, axis)
                continue
            along = _axis_in(user, node, axis)
            if along is not None:
                self._place(user, along, least=1)

    def _follow_reduction(self, user: Node, axis: int) -> None:
        if axis in user.attrs[0]:
            self.reduced[user] = axis
            return
        along = axis - sum(a < axis for a in user.attrs[0])
        self.axis[user] = along
        if user.type.size > _SMALL:
            self._queue.append((user, along))


def _is_dear(node: Node) -> bool:
    return node.op.family == "elementwise" and own_cost(node) >= _HEAVY


def _axis_in(user: Node, node: Node, axis: int) -> int | None:
    """Where the axis of an argument is found in what is computed from it."""
    name, length = user.op.name, node.shape[axis]
    if user.op.family == "elementwise" or name == "broadcast_to":
        along = axis + user.type.ndim - node.type.ndim
        return along if user.shape[along] == length else None
    if user.type.ndim > 8:
        return None
    for along, other in enumerate(user.shape):
        rule = rule_of(user, along, 0) if other == length else None
        if rule is not None and any(arg is node and a == axis for arg, a, _ in rule[0]):
            return along
    return None


# -- the new graph -------------------------------------------------------------------------------


class _Columns:
    """The graph anew, arrays of `_Reach` by their columns."""

    def __init__(self, reach: _Reach) -> None:
        self.reach = reach
        self.new: dict[Node, Node] = {}
        self.columns: dict[Node, list[Node]] = {}

    def visit(self, node: Node) -> None:
        """Make what a node becomes, its arguments having been visited."""
        if node in self.reach.reduced:
            self.new[node] = self._reduced(node)
        elif node in self.reach.axis:
            axis = self.reach.axis[node]
            self.columns[node] = [self._made(node, axis, k) for k in range(node.shape[axis])]
            if node.op.name == "exp" and node.shape[axis] == 2:
                pair = _of_two(*(column.args for column in self.columns[node]))
                self.columns[node] = pair or self.columns[node]
        else:
            self.whole(node)

    def _made(self, node: Node, axis: int, k: int) -> Node:
        rule = rule_of(node, axis, k)
        assert rule is not None
        wanted, finish = rule
        return finish([self._column(*want) for want in wanted])

    def _column(self, node: Node, axis: int | None, k: int) -> Node:
        if axis is None:
            return self.whole(node)
        shape = without(node.shape, axis)
        if node.shape[axis] == 1:
            return build("reshape", self.whole(node), attrs=(shape,))
        if self.reach.axis.get(node) == axis:
            return self.columns[node][k]
        if node.op is const:
            return constant(np.take(node.attrs[0].value, k, axis))
        spec = (("slice", None, None, None),) * axis + (k,)
        return build("index", self.whole(node), attrs=(spec,))

    def _reduced(self, node: Node) -> Node:
        axis = self.reach.reduced[node]
        axes = tuple(a - (a > axis) for a in node.attrs[0] if a != axis)
        total: Node | None = None
        for k in range(node.args[0].shape[axis]):
            part = self._column(node.args[0], axis, k)
            part = as_dtype(part, node.type.dtype)
            if axes:
                part = build(node.op.name, part, attrs=(axes,))
            total = part if total is None else _combined(_COMBINE[node.op.name], total, part)
        assert total is not None
        return total

    def whole(self, node: Node) -> Node:
        """A node of the new graph, put together from its columns where it was taken apart."""
        stack = [node]
        while stack:
            top = stack[-1]
            made = self.new.get(top) or self._from_columns(top)
            missing = [arg for arg in top.args if arg not in self.new] if made is None else []
            if missing:
                stack += missing
                continue
            self.new[top] = made or self._renewed(top)
            stack.pop()
        return self.new[node]

    def _from_columns(self, node: Node) -> Node | None:
        """A node made of columns alone: of its own, or of those of an array that it reads."""
        if node in self.columns:
            apart = node in self.reach.late or node in self.reach.heavy or node.op.name == "matmul"
            return _joined(self.columns[node], node, self.reach.axis[node]) if apart else None
        if node not in self.reach.picked:
            return None
        (x, *indices), axis = node.args, self.reach.picked[node]
        columns, read = self.columns[x], places(node, axis)
        assert read is not None
        if not indices and node.type.ndim == x.type.ndim:
            return _joined([columns[place] for place in read], node, axis)
        result = columns[read[0]]
        for k, column in enumerate(columns if indices else []):
            here = constant(np.array(read) % len(columns) == k)
            result = column if k == 0 else build("where", here, column, result)
        return result

    def _renewed(self, node: Node) -> Node:
        args = tuple(self.new[arg] for arg in node.args)
        if node.op.name == "log" and self._is_of_shares(node.args[0]):
            return make(log_few, args)
        same = args == node.args or node.op.family == "leaf"
        return node if same else build(node.op.name, *args, attrs=node.attrs)

    def _is_of_shares(self, node: Node) -> bool:
        """Whether a sum of few exponentials has their largest exponent taken off."""
        while node.op.name == "reshape":
            node = node.args[0]
        axis = self.reach.reduced.get(node)
        if axis is None or node.op.name != "sum" or node.args[0].op.name != "exp":
            return False
        (exponent,) = node.args[0].args
        return exponent.op.name == "add" and any(
            _peak_of(shift, axis) is v for v, shift in permutations(exponent.args)
        )


def _joined(columns: Sequence[Node], node: Node, axis: int) -> Node:
    """Columns as the array that they are columns of."""
    shape = (*node.shape[:axis], 1, *node.shape[axis + 1 :])
    parts = [build("reshape", column, attrs=(shape,)) for column in columns]
    return parts[0] if len(parts) == 1 else build("concatenate", *parts, attrs=(axis,))


def _combined(name: str, x: Node, y: Node) -> Node:
    """Two columns joined; a choice and its opposite add up to what is chosen from."""
    if name == "add" and x.op.name == y.op.name == "where" and x.args[0] is y.args[0]:
        (_, a, b), (_, c, d) = x.args, y.args
        if a is d and b is c:
            return build("add", a, b)
    return build(name, x, y)


# -- two parts -----------------------------------------------------------------------------------


def _of_two(first: tuple[Node, ...], second: tuple[Node, ...]) -> list[Node] | None:
    """Exponentials of two numbers less the larger: one of them is 1.

    The arguments are those of both exponentials. An infinite peak has not been taken off: there
    the larger exponential is 0 or infinite.
    """
    pair = first[0], second[0]
    if any(x.op.name != "add" for x in pair):
        return None
    for shift in set(pair[0].args) & set(pair[1].args):
        u, v = (_other(x, shift) for x in pair)
        peak = _larger_of(shift)
        if peak is None or set(peak.args) != {u, v} or u is v or u.shape != v.shape:
            continue
        low = build("exp", build("add", build("minimum", u, v), shift))
        high = build("where", is_finite(peak), number(1.0), build("maximum", peak, number(0.0)))
        ahead = build("greater_equal", u, v)
        return [build("where", ahead, high, low), build("where", ahead, low, high)]
    return None


def _other(x: Node, one: Node) -> Node:
    return x.args[1] if x.args[0] is one else x.args[0]


def _larger_of(shift: Node) -> Node | None:
    """The larger of two numbers, when a node is minus that number, or 0 if it is infinite."""
    peak = _taken_off(shift)
    return peak if peak is not None and peak.op.name == "maximum" else None


def _peak_of(shift: Node, axis: int) -> Node | None:
    """The array whose largest element along an axis is taken off by adding a node."""
    peak = _taken_off(shift)
    if peak is None or peak.op.name != "max" or peak.attrs[0] != (axis,):
        return None
    return peak.args[0]


def _taken_off(shift: Node) -> Node | None:
    """What is subtracted by adding a node, without the guard against infinity."""
    if shift.op.name != "multiply" or shift.args[1] is not number(-1.0):
        return None
    peak = shift.args[0]
    while peak.op.name in ("stop_gradient", "reshape", "broadcast_to") or _is_guard(peak):
        peak = peak.args[1] if peak.op.name == "where" else peak.args[0]
    return peak


def _is_guard(node: Node) -> bool:
    """Whether a node is a number, or 0 if that is infinite: any other choice is not a peak."""
    if node.op.name != "where" or not is_all(node.args[2], 0.0):
        return False
    finite, peak, _ = node.args
    inner = peak.args[0] if peak.op.name == "stop_gradient" else peak
    return finite in (is_finite(peak), is_finite(inner))


__all__ = ["take_apart"]
