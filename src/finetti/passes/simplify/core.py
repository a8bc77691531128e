"""The machinery of simplification: registered rules, folding, and making simplified nodes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from finetti import _core
from finetti.errors import CompileError
from finetti.ir import FLOAT, OPS, Node, topological, verify
from finetti.ir.node import constant_data, make, settle
from finetti.ir.ops.leaf import const
from finetti.ir.types import TensorType, broadcast, map_sizes

Rule = Callable[..., Node | None]
RULES: dict[str, list[Rule]] = {}
FOLD_LIMIT = 1 << 16
_NUMBER = TensorType(FLOAT, ())


def rules(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for operations, after those registered before."""

    def register(rule: Rule) -> Rule:
        for name in names:
            RULES.setdefault(name, []).append(rule)
        return rule

    return register


def simplify(outputs: Iterable[Node]) -> list[Node]:
    """Rebuild a graph by the rules, arguments first."""
    outputs = list(outputs)
    new: dict[Node, Node] = {}
    for node in topological(outputs):
        if node.settled and all([new[arg] is arg for arg in node.args]):
            new[node] = node
        elif node.op.family in ("leaf", "random"):
            new[node] = _leaf(node)
        else:
            attrs = map_sizes(node.attrs, int) if node.dynamic else node.attrs
            new[node] = build(node.op.name, *(new[arg] for arg in node.args), attrs=attrs)
    return [_like(new[node], node) for node in outputs]


def build(name: str, *args: Node, attrs: tuple[Any, ...] = ()) -> Node:
    """The simplest node that means `name` applied to simplified arguments."""
    for arg in args:
        if arg.op is not const:
            break
    else:
        folded = _fold(name, args, attrs)
        if folded is not None:
            return folded
    for rule in RULES.get(name, ()):
        result = rule(*args, *attrs)
        if result is not None:
            if verify.ENABLED:
                _check(rule, result, _inferred(name, args, attrs))
            return result
    return settle(make(OPS[name], args, attrs))


def _check(rule: Rule, result: Node, expected: TensorType) -> None:
    if result.type != expected:
        raise CompileError(
            f"the rule {rule.__qualname__} made {result!r} where {expected} was expected"
        )


def _inferred(name: str, args: tuple[Node, ...], attrs: tuple[Any, ...]) -> TensorType:
    op = OPS[name]
    return op.infer(*(arg.type for arg in args), **dict(zip(op.attr_names, attrs, strict=True)))


def _leaf(node: Node) -> Node:
    """Data and lengths become constants; inputs stay."""
    if node.op.name in ("data", "size", "arange"):
        return constant(node.op.evaluate((), node.attrs))
    return node


def _like(node: Node, old: Node) -> Node:
    """An output keeps its type, whatever the rules found out about it."""
    return stretch(as_dtype(node, old.type.dtype), tuple(map(int, old.shape)))


# What Python computes of two floats exactly as NumPy does, and sooner.
_OF_FLOATS: dict[str, Callable[[float, float], float]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
}  # fmt: skip


def _fold(name: str, args: tuple[Node, ...], attrs: tuple[Any, ...]) -> Node | None:
    """The value of an operation on constants."""
    op = OPS[name]
    quick = _OF_FLOATS.get(name)
    if quick is not None and args[0].type == args[1].type == _NUMBER:
        return number(quick(args[0].attrs[0].value.item(), args[1].attrs[0].value.item()))
    if not args or op.family in ("random", "control") or name == "broadcast_to":
        return None
    node_type = _inferred(name, args, attrs)
    largest = max(arg.type.size for arg in args)
    # Matrices keep their transposes symbolic, so that one copy serves both products with it.
    if name == "transpose" and largest > 64 or node_type.size > max(largest, FOLD_LIMIT):
        return None
    with np.errstate(all="ignore"):
        result = computed(name, tuple(value(arg) for arg in args), attrs)
    return constant(np.asarray(result, node_type.dtype))


# The core's own functions, as importing scipy.special for one number takes longer than the rest of
# a compilation: 150 ms of CPU.
_KERNELS = _core.kernel_addresses()
_FOLDED = {name: _KERNELS[f"finetti_{name}"] for name in ("gammaln", "digamma")}


def computed(name: str, arrays: tuple[Any, ...], attrs: tuple[Any, ...]) -> Any:
    """The value of an operation on arrays."""
    address = _FOLDED.get(name)
    if address is None:
        return OPS[name].evaluate(arrays, attrs)
    flat = np.ascontiguousarray(arrays[0], float).reshape(-1)
    out = np.empty_like(flat)
    _core.apply_unary(address, flat, out)
    return out.reshape(arrays[0].shape)


# -- constants -----------------------------------------------------------------------------------


def constant(array: Any) -> Node:
    """A constant of the array's own dtype."""
    return make(const, (), (constant_data(array),))


def number(value: float) -> Node:
    """A scalar constant (float64)."""
    value = float(value)
    return _number(value, math.copysign(1.0, value)) if value in _COMMON else constant(value)


_COMMON = frozenset((-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0))


@cache
def _number(value: float, sign: float) -> Node:
    """Kept with its sign, as 0.0 equals -0.0."""
    return constant(value)


def value(node: Node) -> Any:
    """The array of a constant, else None."""
    return node.attrs[0].value if node.op is const else None


def scalar_value(node: Node) -> float | None:
    """The number of a constant of one element, else None."""
    if node.op is const and node.type.size == 1:
        return float(node.attrs[0].value.reshape(()))
    return None


def is_all(node: Node, wanted: float) -> bool:
    """Whether a node is a constant with `wanted` everywhere."""
    if node.op is not const:
        return False
    array = node.attrs[0].value
    if array.size <= 1:
        return bool(array.size and array.item() == wanted)
    return bool(array.flat[0] == wanted and (array == wanted).all())


# -- functions of what is read ------------------------------------------------------------------


def read_of(name: str, x: Node, reading: Node) -> Node:
    """A function of what is read of `x` as another node reads its array: fewest are computed."""
    indices, attrs = reading.args[1:], reading.attrs
    if reading.type.size < x.type.size:
        return build(name, build("index", x, *indices, attrs=attrs))
    return build("index", build(name, x), *indices, attrs=attrs)


# -- common nodes --------------------------------------------------------------------------------


def as_dtype(node: Node, dtype: str) -> Node:
    """`node` cast to a dtype, when it has another."""
    return node if node.type.dtype == dtype else build("cast", node, attrs=(dtype,))


def stretch(node: Node, shape: tuple[int, ...]) -> Node:
    """`node` filling a shape that it broadcasts to."""
    if node.shape == shape:
        return node
    if node.type.size == TensorType(FLOAT, shape).size:
        return build("reshape", node, attrs=(shape,))
    return build("broadcast_to", node, attrs=(shape,))


def fit(node: Node, *operands: Node, dtype: str = FLOAT) -> Node:
    """`node` in the shape and dtype that an elementwise operation on `operands` has."""
    return stretch(as_dtype(node, dtype), broadcast(*(operand.shape for operand in operands)))


def scalar(node: Node) -> Node:
    """A node of one element, without axes."""
    return build("reshape", node, attrs=((),)) if node.shape else node


def add(x: Node, y: Node) -> Node:
    """x + y"""
    return build("add", x, y)


def mul(x: Node, y: Node) -> Node:
    """x * y"""
    return build("multiply", x, y)


def scale(x: Node, factor: float) -> Node:
    """x times a number."""
    return build("multiply", x, number(factor))


def negate(x: Node) -> Node:
    """-x"""
    return scale(x, -1.0)


def split_scale(x: Node) -> tuple[Node, Node | None]:
    """(array factor, scalar factor) of a canonical product; the array has the product's shape."""
    if x.op.name == "multiply" and x.type.size > 1 and x.type.dtype == FLOAT:
        array, factor = x.args
        if not factor.shape and array.type.dtype == factor.type.dtype == FLOAT:
            return array, factor
    return x, None
