"""Rules for moving elements about: scalar factors are moved out, so that less is moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.ir import FLOAT, OPS, Node
from finetti.ir.types import TensorType, promote
from finetti.passes.simplify.core import (
    Rule,
    as_dtype,
    build,
    constant,
    mul,
    number,
    rules,
    scalar,
    split_scale,
    stretch,
    value,
)


def _repeated(x: Node) -> Node | None:
    """The scalar that fills an array, when one does."""
    if x.op.name == "broadcast_to" and x.args[0].type.size == 1:
        return scalar(x.args[0])
    return None


@rules("reshape")
def _reshape(x: Node, shape: tuple[int, ...]) -> Node | None:
    if x.shape == shape:
        return x
    if x.op.name == "reshape":
        return build("reshape", x.args[0], attrs=(shape,))
    filling = _repeated(x)
    if filling is not None:
        return build("broadcast_to", filling, attrs=(shape,))
    array, factor = split_scale(x)
    return None if factor is None else mul(build("reshape", array, attrs=(shape,)), factor)


@rules("broadcast_to")
def _broadcast_to(x: Node, shape: tuple[int, ...]) -> Node | None:
    if x.shape == shape:
        return x
    if x.op.name == "broadcast_to":
        return stretch(x.args[0], shape)
    if x.type.size == 1 and x.shape:
        return stretch(scalar(x), shape)
    same_size = x.type.size == TensorType(x.type.dtype, shape).size
    return build("reshape", x, attrs=(shape,)) if same_size else None


@rules("transpose")
def _transpose(x: Node, axes: tuple[int, ...]) -> Node | None:
    shape = tuple(x.shape[a] for a in axes)
    if x.op.name == "transpose":
        inner = tuple(x.attrs[0][a] for a in axes)
        if inner == tuple(range(len(inner))):
            return x.args[0]
        return build("transpose", x.args[0], attrs=(inner,))
    if sum(n != 1 for n in shape) <= 1:
        return build("reshape", x, attrs=(shape,))
    filling = _repeated(x)
    return None if filling is None else build("broadcast_to", filling, attrs=(shape,))


def _plain(x: Node, spec: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index counted from the front, without what takes all there is at its end."""
    found, axis = [], 0
    for part in spec:
        length = int(x.shape[axis]) if part not in (("new",), ("dots",)) else 0
        if not isinstance(part, tuple):
            part = int(part) % length
        elif part[0] == "slice" and part[3] in (None, 1):
            first, last, _ = slice(*part[1:3]).indices(length)
            part = ("slice", first or None, last if last != length else None, None)
        axis += part not in (("new",), ("dots",))
        found.append(part)
    # dots stand for no axes here; they would take those that are left out behind them
    while found and (found[-1] == _DOTS or found[-1] == _ALL and _DOTS not in found):
        found.pop()
    return tuple(found)


_ALL, _DOTS = ("slice", None, None, None), ("dots",)


@rules("index")
def _index(x: Node, *rest: Any) -> Node | None:
    *indices, spec = rest
    plain = _plain(x, spec)
    if plain != spec:
        return build("index", x, *indices, attrs=(plain,)) if plain else x
    filling = scalar(x) if x.type.size == 1 else _repeated(x)
    if filling is not None:
        node_type = OPS["index"].infer(x.type, *(i.type for i in indices), spec=spec)
        return stretch(filling, node_type.shape)
    array, factor = split_scale(x)
    return None if factor is None else mul(build("index", array, *indices, attrs=(spec,)), factor)


@rules("index_add")
def _index_add(g: Node, *rest: Any) -> Node | None:
    *indices, shape, spec = rest
    array, factor = _split(g)
    if factor is None or not _reaches_all(indices, shape, spec):
        return None
    return mul(build("index_add", array, *indices, attrs=(shape, spec)), factor)


def _reaches_all(indices: list[Node], shape: tuple[int, ...], spec: Any) -> bool:
    """Whether every place gets something: elsewhere 0 would be times an infinite factor."""
    positions = [value(index) for index in indices]
    if any(array is None for array in positions):
        return False
    reached = np.zeros(shape, bool)
    return bool(OPS["index_set"].evaluate((reached, True, *positions), (spec,)).all())


@rules("concatenate")
def _concatenate(*rest: Any) -> Node | None:
    *parts, axis = rest
    filled = [part for part in parts if part.type.size]
    if not 0 < len(filled) < len(parts):
        return None
    dtype = promote(*(part.type.dtype for part in parts))
    filled = [as_dtype(part, dtype) for part in filled]
    return filled[0] if len(filled) == 1 else build("concatenate", *filled, attrs=(axis,))


def _split(x: Node) -> tuple[Node, Node | None]:
    """(array factor, scalar factor), a repeated scalar being ones times it."""
    filling = _repeated(x)
    if filling is not None and value(filling) is None and x.type.dtype == FLOAT:
        return constant(np.ones(x.shape)), filling
    return split_scale(x)


@rules("matmul")
def _matmul(a: Node, b: Node) -> Node | None:
    if a.shape[-1] == 0:
        return stretch(number(0.0), OPS["matmul"].infer(a.type, b.type).shape)
    (array, first), (other, second) = _split(a), _split(b)
    if first is None and second is None:
        return None
    factor = second if first is None else first if second is None else mul(first, second)
    assert factor is not None
    return mul(build("matmul", array, other), factor)


# -- functions before copies ---------------------------------------------------------------------

_FUNCTIONS = ("exp", "expm1", "log", "log1p", "sqrt", "reciprocal", "sigmoid", "softplus", "tanh",
              "gammaln", "digamma", "erf", "erfc", "log1mexp", "log_ndtr")  # fmt: skip


def _before_reading(name: str) -> Rule:
    """A function of elements that are read several times is computed once for each."""

    def rule(x: Node) -> Node | None:
        if x.op.name != "index" or 2 * x.args[0].type.size > x.type.size or not _reads_all(x):
            return None
        source, *indices = x.args
        return build("index", build(name, source), *indices, attrs=x.attrs)

    return rule


def _reads_all(x: Node) -> bool:
    """Whether every element is read: what is not read may lie outside of a function's domain."""
    source, *indices = x.args
    positions = [value(index) for index in indices]
    if any(array is None for array in positions):
        return False
    places = np.arange(source.type.size).reshape(source.shape)
    read = np.zeros(source.type.size, bool)
    read[np.ravel(OPS["index"].evaluate((places, *positions), x.attrs))] = True
    return bool(read.all())


for _name in _FUNCTIONS:
    rules(_name)(_before_reading(_name))
