"""Rules for reductions: what does not depend on the elements leaves the sum."""

from __future__ import annotations

from functools import reduce

import numpy as np

from finetti.ir import BOOL, FLOAT, INT, OPS, Node
from finetti.passes.simplify.conditions import certain, truth
from finetti.passes.simplify.core import (
    add,
    as_dtype,
    build,
    constant,
    mul,
    number,
    rules,
    scale,
    split_scale,
    stretch,
    value,
)

Axes = tuple[int, ...]


def _kept(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    return tuple(n for a, n in enumerate(shape) if a not in axes)


@rules("sum")
def _sum(x: Node, axes: Axes) -> Node | None:
    if x.type.dtype != FLOAT:
        return None
    kept = _kept(x.shape, axes)
    if x.type.size == 0:
        return stretch(number(0.0), kept)
    if all(x.shape[a] == 1 for a in axes):
        return build("reshape", x, attrs=(kept,))
    if x.op.name == "broadcast_to":
        return _sum_stretched(x, axes, kept)
    array, factor = split_scale(x)
    if factor is not None:
        return mul(build("sum", array, attrs=(axes,)), factor)
    if x.op.name == "where" and not x.args[0].shape:
        branches = [
            build("sum", as_dtype(stretch(branch, x.shape), FLOAT), attrs=(axes,))
            for branch in x.args[1:]
        ]
        return build("where", x.args[0], *branches)
    return _sum_all(x) if len(axes) == len(x.shape) else None


def _sum_all(x: Node) -> Node | None:
    """The sum of all elements of a float array that is not empty."""
    if x.op.name == "add":
        a, b = x.args
        if any(value(side) is not None or not side.shape for side in (a, b)):
            return add(_total(a, x.type.size), _total(b, x.type.size))
        rest, apart = _without_gathers(x, x.shape, 0)
        if apart:
            totals = [_total(term, x.type.size) for term in ([rest] if rest else []) + apart]
            return reduce(add, totals)
    if _is_gather(x):
        return _sum_gathered(x)
    if x.op.name in ("reshape", "transpose", "index_add"):
        return _total(x.args[0], x.args[0].type.size)
    return None


_DEEPEST = 8  # sums inside of sums that are looked through for gathered terms


def _without_gathers(x: Node, shape: Axes, depth: int) -> tuple[Node | None, list[Node]]:
    """A sum of arrays, and the terms taken out of it because they are read from shorter arrays."""
    if x.shape != shape or depth > _DEEPEST:
        return x, []
    if _is_gather(split_scale(x)[0]):
        return None, [x]
    if x.op.name != "add":
        return x, []
    (a, apart), (b, more) = (_without_gathers(arg, shape, depth + 1) for arg in x.args)
    if not apart and not more:
        return x, []
    rest = b if a is None else a if b is None else add(a, b)
    return rest, apart + more


def _is_gather(x: Node) -> bool:
    """Whether an array reads a shorter one at constant positions."""
    if x.op.name != "index" or 2 * x.args[0].type.size > x.type.size:
        return False
    return all(value(index) is not None for index in x.args[1:])


def _sum_gathered(x: Node) -> Node:
    """The sum of what is read: every element of the array as often as it is read."""
    source, *indices = x.args
    places = np.arange(source.type.size).reshape(source.shape)
    read = OPS["index"].evaluate((places, *(value(index) for index in indices)), x.attrs)
    counts = np.bincount(np.ravel(read), minlength=source.type.size)
    flat = build("reshape", source, attrs=((source.type.size,),))
    (some,) = np.nonzero(counts)
    if len(some) < len(counts):  # what nobody reads may be infinite
        flat = build("index", flat, constant(some), attrs=((("at", 0),),))
    times = constant(counts[some].astype(float))
    return build("sum", build("multiply", flat, times), attrs=((0,),))


def _total(x: Node, size: int) -> Node:
    """The sum of all elements of `x` stretched to a size."""
    x = as_dtype(x, FLOAT)
    own = build("sum", x, attrs=(tuple(range(len(x.shape))),)) if x.shape else x
    return scale(own, size / x.type.size) if x.type.size else own


def _sum_stretched(x: Node, axes: Axes, kept: tuple[int, ...]) -> Node:
    inner = x.args[0]
    lead = len(x.shape) - len(inner.shape)
    padded = (1,) * lead + inner.shape
    copies = 1
    for a in axes:
        copies *= x.shape[a] if padded[a] == 1 else 1
    own = tuple(a - lead for a in axes if a >= lead)
    reduced = build("sum", inner, attrs=(own,)) if own else inner
    aligned = build("reshape", reduced, attrs=(_kept(padded, axes),))
    return scale(stretch(aligned, kept), copies)


@rules("all", "any")
def _one_truth(x: Node, axes: Axes) -> Node | None:
    if all(x.shape[a] == 1 for a in axes):
        return build("reshape", x, attrs=(_kept(x.shape, axes),))
    return None


@rules("prod", "max", "min")
def _one_number(x: Node, axes: Axes) -> Node | None:
    if all(x.shape[a] == 1 for a in axes):
        x = as_dtype(x, INT) if x.type.dtype == BOOL else x
        return build("reshape", x, attrs=(_kept(x.shape, axes),))
    return None


@rules("all", "any")
def _reduce_certain(x: Node, axes: Axes) -> Node | None:
    holds = certain(x)
    return None if holds is None or not x.type.size else truth(_kept(x.shape, axes), holds)
