"""What can be said of a node without its value: its sign, whether it is finite, whether whole."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from finetti.ir import FLOAT, Node

_T = TypeVar("_T")
_Fact = Callable[[Node], _T]


class Known(NamedTuple):
    """The name of a leaf that stands for something of which the sign is known, as below.

    Numbers do not underflow.
    """

    name: Any
    sign: int
    numbers: bool


_MOVED = {"index", "reshape", "transpose", "broadcast_to", "concatenate"}


def _fact(rule: Callable[[Node, list[_T]], _T]) -> _Fact[_T]:
    """Remember what `rule` says of each node, given what it said of the node's arguments."""
    known: weakref.WeakKeyDictionary[Node, _T] = weakref.WeakKeyDictionary()

    def ask(node: Node) -> _T:
        stack = [node]
        while stack:
            top = stack[-1]
            missing = [arg for arg in top.args if arg not in known]
            if missing:
                stack += missing
                continue
            if top not in known:
                known[top] = rule(top, [known[arg] for arg in top.args])
            stack.pop()
        return known[node]

    return ask


@_fact
def _sign(node: Node, args: list[int]) -> int:
    """2: positive, 1: nonnegative, 0: unknown. Underflow to zero counts as positive."""
    match node.op.name:
        case "const":
            return sign_of(node.attrs[0].value)
        case "input" | "slot":
            return node.attrs[0].sign if isinstance(node.attrs[0], Known) else 0
        case "exp" | "sigmoid" | "softplus" | "erfc" | "cosh":
            return 2
        case "multiply":
            return max(1, args[0]) if node.args[0] is node.args[1] else min(args)
        case "add":
            return max(args) if min(args) >= 1 else 0
        case "maximum":
            return max(args)
        case "where":
            return min(args[1:])
        case "minimum" | "concatenate":
            return min(args)
        case "index" | "reshape" | "transpose" | "broadcast_to" | "max" | "min" | "prod":
            return args[0]
        case "reciprocal" | "sqrt":
            return args[0]
        case "sum":
            # The sum of nothing is zero.
            return args[0] if node.args[0].type.size else min(1, args[0])
        case "absolute" | "square":
            return max(1, args[0])
    return 0


def sign_of(array: np.ndarray) -> int:
    """2: positive, 1: nonnegative, 0: neither."""
    return 2 if (array > 0).all() else 1 if (array >= 0).all() else 0


def sign(node: Node) -> int:
    """2: every element is > 0 (or NaN), 1: >= 0 (or NaN), 0: unknown."""
    return _sign(node)


def positive(node: Node) -> bool:
    """Whether every element is > 0 (or NaN)."""
    return _sign(node) == 2


def nonnegative(node: Node) -> bool:
    """Whether every element is >= 0 (or NaN)."""
    return _sign(node) >= 1


_FINITE_OF_FINITE = _MOVED | {
    "add", "multiply", "sum", "prod", "max", "min", "maximum", "minimum", "matmul", "cumsum",
    "index_add", "index_set", "square", "absolute", "sign", "cast", "floor", "ceil", "trunc",
    "round", "exp", "expm1", "softplus", "sigmoid", "tanh", "sinh", "cosh", "sin", "cos", "arctan",
    "arcsinh", "erf", "erfc",
}  # fmt: skip


@_fact
def _finite(node: Node, args: list[bool]) -> bool:
    match node.op.name:
        case "input":
            return True
        case "const":
            return bool(np.isfinite(node.attrs[0].value).all())
        case "where":
            return all(args[1:])
        case "log1p" | "sqrt":
            return args[0] and nonnegative(node.args[0])
        case "reciprocal":
            return args[0] and positive(node.args[0])
        case "log":
            return args[0] and given_positive(node.args[0])
        case name:
            return node.type.dtype != FLOAT or (name in _FINITE_OF_FINITE and all(args))


def given_positive(node: Node) -> bool:
    """Whether a leaf stands for data that are > 0."""
    known = node.attrs[0] if node.op.name in ("input", "slot") else None
    return isinstance(known, Known) and known.numbers and known.sign == 2


def finite(node: Node) -> bool:
    """Whether no element is infinite or NaN, overflow aside."""
    return _finite(node)


_WHOLE_OF_WHOLE = _MOVED | {
    "add", "multiply", "sum", "prod", "max", "min", "maximum", "minimum", "absolute", "square",
    "cumsum", "matmul", "cast",
}  # fmt: skip


@_fact
def _whole(node: Node, args: list[bool]) -> bool:
    name = node.op.name
    if node.type.dtype != FLOAT or name in ("floor", "ceil", "trunc", "round", "sign"):
        return True
    if name == "const":
        array = node.attrs[0].value
        return bool((array == np.rint(array)).all())
    if name == "where":
        return all(args[1:])
    return name in _WHOLE_OF_WHOLE and all(args)


def whole(node: Node) -> bool:
    """Whether every element is a whole number, so that rounding could be seen."""
    return _whole(node)
