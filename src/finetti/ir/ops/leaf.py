"""Nodes that start a graph: constants, inputs, data, and lengths."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from finetti.errors import ShapeError
from finetti.ir.node import Constant, Node, constant_data, make
from finetti.ir.opdef import OpDef
from finetti.ir.tensor import METHODS, Tensor
from finetti.ir.types import FLOAT, INT, Size, TensorType, canonical_dtype

const = OpDef(
    "const", "leaf", attr_names=("data",),
    infer=lambda data: TensorType(canonical_dtype(data.value.dtype), data.value.shape),
    numpy=lambda data: data.value, vjp=lambda g, y, data: (), native="const", jax=None,
    notes={"jax": "an array is itself"},
)  # fmt: skip

input_ = OpDef(
    "input", "leaf", attr_names=("name", "kind"), infer=lambda name, kind: kind,
    numpy=None, vjp=lambda g, y, name, kind: (), native="input", jax=None,
    notes={"numpy": "its value is given", "jax": "its value is given"},
)  # fmt: skip

size = OpDef(
    "size", "leaf", attr_names=("length",), infer=lambda length: TensorType(INT, ()),
    numpy=lambda length: np.asarray(int(length), INT), vjp=lambda g, y, length: (),
    native="const", jax=None, notes={"jax": "a length is static"},
)  # fmt: skip

data = OpDef(
    "data", "leaf", attr_names=("handle",), volatile=True,
    infer=lambda handle: TensorType(canonical_dtype(handle.value.dtype), handle.value.shape),
    numpy=lambda handle: handle.value, vjp=lambda g, y, handle: (), native="const", jax=None,
    notes={"jax": "an array is itself"},
)  # fmt: skip


def new_input(name: str, shape: tuple[int, ...], dtype: str = FLOAT) -> Tensor:
    """A tensor whose value is given when the graph is evaluated."""
    return input_(name=name, kind=TensorType(dtype, shape))


@lru_cache(maxsize=512, typed=True)
def _literal(value: float, sign: float) -> Node:
    """Numbers that programs write are few; with their sign, as 0.0 equals -0.0."""
    return make(const, (), (constant_data(value),))


def as_constant(value: Any) -> Node:
    """The node of a number, an array, or a nested sequence with tensors in it."""
    if type(value) is float:
        return _literal(value, math.copysign(1.0, value))
    if isinstance(value, Size):
        return make(size, (), (value,))
    if isinstance(value, (list, tuple)) and _holds_tensor(value):
        return METHODS["stack"](value).node  # type: ignore[no-any-return]
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(
            f"a nested sequence with rows of different lengths cannot become a tensor: {error}. "
            "Pad the rows, or keep one long vector and an index of groups."
        ) from None
    return make(const, (), (constant_data(array),))


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_tensor, value))
    return isinstance(value, (Tensor, Size))


def constant_value(node: Node | Tensor) -> np.ndarray | None:
    """The array of a constant node, else None."""
    node = node.node if isinstance(node, Tensor) else node
    return node.attrs[0].value if node.op is const else None  # type: ignore[no-any-return]


def is_constant(node: Node, value: float) -> bool:
    """Whether every element of `node` is the constant `value`."""
    if node.op is not const:
        return False
    array = node.attrs[0].value
    if array.size == 1:
        return bool(array.reshape(()) == value)
    return bool(array.size) and bool((array == value).all())


__all__ = ["Constant", "as_constant", "const", "constant_value", "data", "input_", "is_constant",
           "new_input", "size"]  # fmt: skip
