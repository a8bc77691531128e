"""Rules for sums, products, quotients, powers and roots, and for operands that only stretch."""

from __future__ import annotations

import math
from math import prod
from typing import Any

from finetti.ir import BOOL, FLOAT, OPS, Node
from finetti.ir.types import broadcast, promote
from finetti.passes.facts import nonnegative, whole
from finetti.passes.simplify.core import (
    RULES,
    Rule,
    add,
    as_dtype,
    build,
    constant,
    fit,
    is_all,
    mul,
    negate,
    number,
    rules,
    scalar,
    scalar_value,
    scale,
    split_scale,
    stretch,
    value,
)

# -- operands that only stretch ------------------------------------------------------------------


def _narrow(name: str) -> Rule:
    """Compute before stretching, and what has one element as a scalar."""
    arity = -len(OPS[name].attr_names) or None
    stretched = OPS["broadcast_to"]

    def rule(*args: Any) -> Node | None:
        operands: tuple[Node, ...] = args[:arity]
        for x in operands:
            shape = x.type.shape
            if shape and (x.op is stretched or prod(shape) == 1):
                break
        else:
            return None
        narrowed = tuple(map(_inner, operands))
        small = build(name, *narrowed, attrs=args[len(operands) :])
        return stretch(small, broadcast(*(operand.shape for operand in operands)))

    return rule


def _inner(x: Node) -> Node:
    while x.op.name == "broadcast_to":
        x = x.args[0]
    return scalar(x) if x.type.size == 1 else x


for _op in list(OPS.values()):
    if _op.family == "elementwise":
        RULES.setdefault(_op.name, []).append(_narrow(_op.name))


# -- sums and differences ------------------------------------------------------------------------


def _minus_one(x: Node) -> Node:
    return constant(-1.0 if x.type.dtype == FLOAT else -1)


@rules("subtract")
def _subtract(x: Node, y: Node) -> Node:
    return add(x, build("multiply", y, _minus_one(y)))


@rules("negative")
def _negative(x: Node) -> Node:
    return build("multiply", x, _minus_one(x))


@rules("add")
def _add_truths(x: Node, y: Node) -> Node | None:
    """NumPy's sum of booleans is `or`."""
    return build("logical_or", x, y) if x.type.dtype == y.type.dtype == BOOL else None


def _float_constants(name: str) -> Rule:
    """Whole constants beside floats are floats: `1 - x` meets the rules of `1.0 - x`."""

    def rule(x: Node, y: Node) -> Node | None:
        if x.type.dtype == y.type.dtype or FLOAT not in (x.type.dtype, y.type.dtype):
            return None
        operands = [constant(value(a).astype(FLOAT)) if value(a) is not None else a for a in (x, y)]
        return None if operands == [x, y] else build(name, *operands)

    return rule


for _name in ("add", "multiply"):
    rules(_name)(_float_constants(_name))


@rules("add")
def _add(x: Node, y: Node) -> Node | None:
    dtype = promote(x.type.dtype, y.type.dtype)
    for a, b in ((x, y), (y, x)):
        if is_all(a, 0.0):
            return fit(b, x, y, dtype=dtype)
    if value(y) is None and (value(x) is not None or x.order > y.order):
        return add(y, x)
    if x is y:
        return mul(x, constant(2.0 if dtype == FLOAT else 2))
    c = scalar_value(y)
    if c is not None and x.type.dtype == y.type.dtype == FLOAT:
        if x.op.name == "add" and scalar_value(x.args[1]) is not None:
            return add(x.args[0], build("add", x.args[1], y))
        return None
    return _softplus_difference(x, y) or _softplus_difference(y, x)


def _softplus_difference(x: Node, y: Node) -> Node | None:
    """softplus(x) - softplus(-x) is x: the logit of a sigmoid."""
    if x.op.name != "softplus" or y.op.name != "multiply" or not is_all(y.args[1], -1.0):
        return None
    mirrored = y.args[0]
    if mirrored.op.name == "softplus" and mirrored.args[0] is negate(x.args[0]):
        return fit(x.args[0], x, y)
    return None


# -- products ------------------------------------------------------------------------------------


@rules("multiply")
def _multiply_truths(x: Node, y: Node) -> Node | None:
    """NumPy's product of booleans is `and`."""
    return build("logical_and", x, y) if x.type.dtype == y.type.dtype == BOOL else None


@rules("multiply")
def _multiply_unit(x: Node, y: Node) -> Node | None:
    dtype = promote(x.type.dtype, y.type.dtype)
    for a, b in ((x, y), (y, x)):
        if is_all(a, 1.0):
            return fit(b, x, y, dtype=dtype)
        # As in PyTensor: a constant zero switches a term off, infinite or not.
        if is_all(a, 0.0):
            return fit(number(0.0), x, y, dtype=dtype)
    return None


@rules("multiply")
def _multiply(x: Node, y: Node) -> Node | None:
    if not x.type.dtype == y.type.dtype == FLOAT:
        return None
    if not x.shape and not y.shape:
        return _multiply_scalars(x, y)
    if not x.shape:
        return mul(y, x)
    array, factor = split_scale(x)
    if not y.shape:
        return None if factor is None else mul(array, mul(factor, y))
    other, second = split_scale(y)
    if factor is None:
        if second is None:
            return mul(y, x) if x.order > y.order else None
        return mul(mul(array, other), second)
    return mul(mul(array, other), factor if second is None else mul(factor, second))


def _multiply_scalars(x: Node, y: Node) -> Node | None:
    if value(x) is not None:
        return mul(y, x)
    if x.op.name == "multiply" and value(x.args[1]) is not None:
        if value(y) is not None:
            return mul(x.args[0], build("multiply", x.args[1], y))
        return mul(mul(x.args[0], y), x.args[1])
    if y.op.name == "multiply" and value(y.args[1]) is not None:
        return mul(mul(x, y.args[0]), y.args[1])
    if value(y) is None and x.order > y.order:
        return mul(y, x)
    return None


@rules("square")
def _square(x: Node) -> Node:
    return mul(x, x)


# -- quotients -----------------------------------------------------------------------------------


@rules("divide")
def _divide(x: Node, y: Node) -> Node | None:
    # 49 times the rounded 1/49 is not 1: a ratio of whole numbers may be compared or floored.
    if whole(x) and whole(y):
        return None
    return mul(x, build("reciprocal", y))


@rules("reciprocal")
def _reciprocal(x: Node) -> Node | None:
    if x.op.name == "reciprocal":
        return as_dtype(x.args[0], FLOAT)
    if x.op.name == "exp":
        return build("exp", negate(x.args[0]))
    if x.op.name == "multiply":
        array, factor = split_scale(x)
        if factor is not None or value(x.args[1]) is not None:
            return mul(build("reciprocal", x.args[0]), build("reciprocal", x.args[1]))
    return None


# -- powers and roots ----------------------------------------------------------------------------


def _chain(x: Node, exponent: int) -> Node:
    if exponent == 1:
        return x
    half = _chain(x, exponent // 2)
    return mul(mul(half, half), x) if exponent % 2 else mul(half, half)


@rules("power")
def _power(x: Node, y: Node) -> Node | None:
    exponent = scalar_value(y)
    if exponent is None or not math.isfinite(exponent) or x.type.dtype != FLOAT:
        return None
    if exponent == 0.0:
        return fit(number(1.0), x, y)
    if x.op.name == "exp":
        return fit(build("exp", scale(x.args[0], exponent)), x, y)
    size = abs(exponent)
    if size == int(size) and size <= 8:
        result = _chain(x, int(size))
    elif size == 0.5:
        result = build("sqrt", x)
    else:
        return None
    return fit(result if exponent > 0 else build("reciprocal", result), x, y)


@rules("sqrt")
def _sqrt(x: Node) -> Node | None:
    if x.op.name == "exp":
        return build("exp", scale(x.args[0], 0.5))
    if x.op.name == "multiply" and x.args[0] is x.args[1]:
        return as_dtype(build("absolute", x.args[0]), FLOAT)
    return None


@rules("absolute")
def _absolute(x: Node) -> Node | None:
    if x.op.name == "multiply" and is_all(x.args[1], -1.0):
        return fit(build("absolute", x.args[0]), x, dtype=x.type.dtype)
    return x if x.type.dtype == BOOL or nonnegative(x) else None


# -- extremes ------------------------------------------------------------------------------------


@rules("maximum")
def _maximum(x: Node, y: Node) -> Node | None:
    return _beyond(x, y, -math.inf)


@rules("minimum")
def _minimum(x: Node, y: Node) -> Node | None:
    return _beyond(x, y, math.inf)


def _beyond(x: Node, y: Node, end: float) -> Node | None:
    """The other number, where one of two is the end of the line."""
    for a, b in ((x, y), (y, x)):
        if b.type.dtype == FLOAT and is_all(a, end):
            return fit(b, x, y)
    return None
