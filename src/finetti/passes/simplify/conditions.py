"""Rules for comparisons, logic and choice."""

from __future__ import annotations

import math

from finetti.ir import BOOL, FLOAT, Node
from finetti.ir.types import broadcast, promote
from finetti.passes.facts import finite, nonnegative, positive
from finetti.passes.simplify.core import (
    build,
    constant,
    fit,
    is_all,
    number,
    rules,
    stretch,
    value,
)
from finetti.passes.simplify.exponentials import in_unit_interval


def truth(shape: tuple[int, ...], holds: bool) -> Node:
    """A boolean that is the same everywhere."""
    return stretch(constant(holds), shape)


def is_finite(x: Node) -> Node:
    """Whether each element is finite: `x - x` is the rounding of x where x is a fused product."""
    return build("less", build("absolute", x), number(math.inf))


def certain(x: Node) -> bool | None:
    """True or False when a boolean node is that everywhere, else None."""
    while x.op.name == "broadcast_to":
        x = x.args[0]
    array = value(x)
    if array is None or not array.size:
        return None
    return True if array.all() else False if not array.any() else None


@rules("greater")
def _greater(x: Node, y: Node) -> Node | None:
    if is_all(y, 0.0) and positive(x) and finite(x):
        return truth(broadcast(x.shape, y.shape), True)
    return None


@rules("greater_equal")
def _greater_equal(x: Node, y: Node) -> Node | None:
    if is_all(y, 0.0) and nonnegative(x) and finite(x):
        return truth(broadcast(x.shape, y.shape), True)
    return None


@rules("less")
def _less(x: Node, y: Node) -> Node:
    if is_all(y, 1.0) and in_unit_interval(x) and finite(x):
        return truth(broadcast(x.shape, y.shape), True)
    return build("greater", y, x)


@rules("less_equal")
def _less_equal(x: Node, y: Node) -> Node:
    if is_all(y, 1.0) and in_unit_interval(x) and finite(x):
        return truth(broadcast(x.shape, y.shape), True)
    return build("greater_equal", y, x)


@rules("logical_and")
def _and(x: Node, y: Node) -> Node | None:
    for a, b in ((x, y), (y, x)):
        holds = certain(a)
        if holds is not None:
            return fit(b if holds else a, x, y, dtype=BOOL)
    return x if x is y else None


@rules("logical_or")
def _or(x: Node, y: Node) -> Node | None:
    for a, b in ((x, y), (y, x)):
        holds = certain(a)
        if holds is not None:
            return fit(a if holds else b, x, y, dtype=BOOL)
    return x if x is y else None


@rules("where")
def _where(c: Node, x: Node, y: Node) -> Node | None:
    holds = certain(c)
    if holds is None and x is not y:
        return None
    return fit(y if holds is False else x, c, x, y, dtype=promote(x.type.dtype, y.type.dtype))


@rules("maximum")
def _maximum_truths(x: Node, y: Node) -> Node | None:
    return build("logical_or", x, y) if x.type.dtype == y.type.dtype == BOOL else None


@rules("minimum")
def _minimum_truths(x: Node, y: Node) -> Node | None:
    return build("logical_and", x, y) if x.type.dtype == y.type.dtype == BOOL else None


@rules("isnan", "isinf")
def _finite_test(x: Node) -> Node | None:
    return truth(x.shape, False) if x.type.dtype != FLOAT else None


@rules("isnan")
def _isnan(x: Node) -> Node | None:
    """These are NaN where their argument is."""
    if x.op.name in ("exp", "sigmoid", "softplus", "tanh", "absolute"):
        return build("isnan", x.args[0])
    return None


@rules("cast")
def _cast(x: Node, dtype: str) -> Node | None:
    return x if x.type.dtype == dtype else None
