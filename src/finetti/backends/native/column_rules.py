"""Of each operation, what a column of its result is computed from, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from finetti.ir import Node
from finetti.ir.ops.leaf import const
from finetti.passes.simplify import as_dtype, build, number
from finetti.passes.simplify.core import constant

# Columns of arguments (argument, axis, place), or whole ones (argument, None, 0).
Wanted = tuple[Node, "int | None", int]
Finish = Callable[[Sequence[Node]], Node]
Shape = tuple[int, ...]


def without(shape: Shape, axis: int) -> Shape:
    """A shape that lacks one axis."""
    return shape[:axis] + shape[axis + 1 :]


def rule_of(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish] | None:
    """What a column of a node is made of and how, None where nothing is known."""
    if node.op.family == "elementwise":
        shift = axis - node.type.ndim
        wanted = [_aligned(arg, shift, k) for arg in node.args]
        return wanted, lambda args: build(node.op.name, *args, attrs=node.attrs)
    rule = _RULES.get(node.op.name)
    if rule is None and node.op.family == "reduction":
        rule = _reduction
    return None if rule is None else rule(node, axis, k)


def _rebuilt(name: str, attrs: tuple[object, ...], args: Sequence[Node]) -> Node:
    return build(name, *args, attrs=attrs)


def _aligned(arg: Node, shift: int, k: int) -> Wanted:
    """An argument that broadcasts, `shift` counted from its end."""
    place = arg.type.ndim + shift
    return (arg, place, k) if place >= 0 else (arg, None, 0)


def _broadcast_to(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish]:
    shape = without(node.shape, axis)
    wanted = [_aligned(node.args[0], axis - node.type.ndim, k)]
    return wanted, lambda args: build("broadcast_to", args[0], attrs=(shape,))


def _reshape(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish] | None:
    (x,), shape = node.args, node.shape
    before, length = int(np.prod(shape[:axis])), shape[axis]
    for place, other in enumerate(x.shape):
        if other == length and int(np.prod(x.shape[:place])) == before:
            attrs = (without(shape, axis),)
            return [(x, place, k)], partial(_rebuilt, "reshape", attrs)
    return None


def _transpose(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish]:
    order = node.attrs[0]
    place = order[axis]
    left = tuple(a - (a > place) for a in order if a != place)
    return [(node.args[0], place, k)], lambda args: build("transpose", args[0], attrs=(left,))


def _concatenate(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish]:
    (joined,) = node.attrs
    if joined != axis:
        wanted: list[Wanted] = [(arg, axis, k) for arg in node.args]
        along = joined - (joined > axis)
        return wanted, lambda args: build("concatenate", *args, attrs=(along,))
    start = 0
    for arg in node.args:
        if k < start + arg.shape[axis]:
            break
        start += arg.shape[axis]
    dtype = node.type.dtype
    return [(arg, axis, k - start)], lambda args: as_dtype(args[0], dtype)


def _reduction(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish]:
    axes = node.attrs[0]
    place = [a for a in range(node.args[0].type.ndim) if a not in axes][axis]
    left = tuple(a - (a > place) for a in axes)
    wanted: list[Wanted] = [(node.args[0], place, k)]
    return wanted, lambda args: build(node.op.name, args[0], attrs=(left,))


def _index(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish] | None:
    """Rows of an array at positions along its first axis."""
    x, *indices = node.args
    if node.attrs[0] != (("at", 0),) or len(indices) != 1:
        return None
    place = axis - indices[0].type.ndim + 1
    if place < 1:
        return None
    wanted: list[Wanted] = [(x, place, k), (indices[0], None, 0)]
    return wanted, lambda args: build("index", *args, attrs=node.attrs)


def _index_add(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish] | None:
    """The same for what is added up at positions."""
    g, *indices = node.args
    shape, spec = node.attrs
    if axis == 1 and len(shape) == 2 and _is_one_each(indices, spec, shape[0]):
        here = constant(indices[1].attrs[0].value % shape[1] == k)
        return [(g, None, 0)], lambda args: build("where", here, args[0], number(0.0))
    if spec != (("at", 0),) or len(indices) != 1 or axis < 1:
        return None
    place = axis + indices[0].type.ndim - 1 - (node.type.ndim - 1 + indices[0].type.ndim)
    wanted: list[Wanted] = [_aligned(g, place, k), (indices[0], None, 0)]
    attrs = (without(shape, axis), spec)
    return wanted, lambda args: build("index_add", *args, attrs=attrs)


def _matmul(node: Node, axis: int, k: int) -> tuple[list[Wanted], Finish] | None:
    """A column of a product of matrices is a product with a vector."""
    a, b = node.args
    if a.type.ndim != 2 or b.type.ndim != 2 or axis != 1:
        return None
    (rows, inner), wanted = a.shape, [(a, None, 0), (b, 1, k)]

    def finish(args: Sequence[Node]) -> Node:
        column = build("reshape", args[1], attrs=((inner, 1),))
        return build("reshape", build("matmul", args[0], column), attrs=((rows,),))

    return wanted, finish  # type: ignore[return-value]  # a list of tuples of one kind


_RULES: dict[str, Callable[[Node, int, int], tuple[list[Wanted], Finish] | None]] = {
    "broadcast_to": _broadcast_to,
    "reshape": _reshape,
    "transpose": _transpose,
    "concatenate": _concatenate,
    "index": _index,
    "index_add": _index_add,
    "matmul": _matmul,
}


def places(node: Node, axis: int) -> list[int] | None:
    """The places on an axis of its argument that a node reads as they are, rows untouched.

    Either slices of a whole array, or for each row a place of its own: then a list of all rows.
    """
    if node.op.name != "index":
        return None
    x, *indices = node.args
    (spec,) = node.attrs
    if not indices:
        whole = all(part == _ALL for a, part in enumerate(spec) if a != axis)
        if (
            not whole
            or axis >= len(spec)
            or isinstance(spec[axis], tuple)
            and (spec[axis][0] != "slice")
        ):
            return None
        part = spec[axis]
        length = x.shape[axis]
        return list(range(*slice(*part[1:]).indices(length))) if isinstance(part, tuple) else [part]
    if axis != 1 or x.type.ndim != 2 or not _is_one_each(indices, spec, x.shape[0]):
        return None
    return [int(place) for place in indices[1].attrs[0].value]


_ALL = ("slice", None, None, None)


def _is_one_each(indices: Sequence[Node], spec: object, rows: int) -> bool:
    """Whether positions are one place in every row."""
    if spec != (("at", 0), ("at", 1)) or any(index.op is not const for index in indices):
        return False
    row, place = (index.attrs[0].value for index in indices)
    return row.shape == place.shape == (rows,) and bool((row == np.arange(rows)).all())
