"""Tensor types, and sizes that remember where they came from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from finetti.errors import DtypeError, ShapeError

FLOAT, INT, BOOL = "float64", "int64", "bool"
DTYPES = (BOOL, INT, FLOAT)  # in order of promotion

Shape = tuple[int, ...]


class TensorType(NamedTuple):
    """dtype and static shape of a node."""

    dtype: str
    shape: Shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def __call__(self, name: str | None = None) -> TensorType:
        """Something of this type; nothing but the type is known of it."""
        return self

    def __str__(self) -> str:
        short = {FLOAT: "f64", INT: "i64", BOOL: "bool"}[self.dtype]
        return f"{short}[{','.join(map(str, self.shape))}]"


@lru_cache(maxsize=256)
def canonical_dtype(dtype: Any) -> str:
    """The one of float64, int64 and bool that holds values of `dtype`."""
    kind = np.dtype(dtype).kind
    if kind == "b":
        return BOOL
    if kind in "iu":
        return INT
    if kind == "f":
        return FLOAT
    raise DtypeError(
        f"dtype {np.dtype(dtype)} cannot enter a model: expected real numbers, integers or "
        "booleans. Convert the values first, e.g. strings with `pandas.factorize`."
    )


def promote(*dtypes: str) -> str:
    """NumPy's common dtype of several."""
    if FLOAT in dtypes:
        return FLOAT
    return INT if INT in dtypes else BOOL


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcast shape of several.

    Raises
    ------
    ShapeError
        When two lengths differ and neither is 1.
    """
    first = shapes[0]
    for shape in shapes:
        if shape != first:
            break
    else:
        return first
    ndim = max(map(len, shapes))
    result: list[int] = [1] * ndim
    for shape in shapes:
        for axis, length in enumerate(shape, ndim - len(shape)):
            if length != 1 and length != result[axis]:
                if result[axis] != 1:
                    raise ShapeError(
                        f"shapes {' and '.join(map(str, shapes))} do not broadcast: lengths "
                        f"{result[axis]} and {length} meet in one axis. Shapes must be equal or "
                        "1 from the right; add an axis with `x[:, None]` where one is missing."
                    )
                result[axis] = length
    return tuple(result)


class Size(int):
    """A length that remembers its origin, so that new data can change it.

    `origin` is ``("shape", node, axis)``, ``("dim", handle)`` or ``(operator, left, right)``.
    """

    origin: tuple[Any, ...]

    def __new__(cls, value: int, origin: tuple[Any, ...]) -> Size:
        size = super().__new__(cls, value)
        size.origin = origin
        return size

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (int(self), self.origin)


def _sized(name: str, swap: bool) -> Callable[[Size, Any], Any]:
    function = getattr(operator, name)

    def method(self: Size, other: Any) -> Any:
        if not isinstance(other, (int, np.integer)) or isinstance(other, (bool, np.bool_)):
            return NotImplemented
        left, right = (int(other), int(self)) if swap else (int(self), int(other))
        operands = (other, self) if swap else (self, other)
        return Size(function(left, right), (name, *operands))

    return method


for _name in ("add", "sub", "mul", "floordiv", "mod"):
    setattr(Size, f"__{_name}__", _sized(_name, swap=False))
    setattr(Size, f"__r{_name}__", _sized(_name, swap=True))


def resolve_size(size: int, leaf: Callable[[tuple[Any, ...]], int]) -> int:
    """The value of `size` when `leaf` answers for the shapes and dims it came from."""
    if not isinstance(size, Size):
        return size
    kind = size.origin[0]
    if kind in ("shape", "dim"):
        return leaf(size.origin)
    left, right = (resolve_size(part, leaf) for part in size.origin[1:])
    return Size(getattr(operator, kind)(int(left), int(right)), (kind, left, right))


def contains_size(attrs: Any) -> bool:
    """Whether a tuple of attributes holds a `Size` anywhere."""
    if not isinstance(attrs, tuple):
        return isinstance(attrs, Size)
    return bool(attrs) and any(map(contains_size, attrs))


def map_sizes(attrs: Any, function: Callable[[int], Any]) -> Any:
    """`attrs` with every `Size` in it replaced."""
    if isinstance(attrs, Size):
        return function(attrs)
    if isinstance(attrs, tuple) and contains_size(attrs):
        return tuple(map_sizes(part, function) for part in attrs)
    return attrs


def as_shape(shape: Any) -> Shape:
    """A tuple of lengths from an int, a sequence or an array; sizes keep their memory."""
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    elif isinstance(shape, np.ndarray):
        shape = shape.tolist() if shape.ndim else [shape.item()]
    elif not isinstance(shape, Iterable):
        raise ShapeError(
            f"shape={shape!r} is no shape: expected an int or a sequence of ints, e.g. "
            "shape=(3, 2)."
        )
    lengths = []
    for length in shape:
        if not isinstance(length, (int, np.integer)) or isinstance(length, bool) or length < 0:
            raise ShapeError(f"shape={tuple(shape)!r} has {length!r}: expected whole numbers >= 0.")
        lengths.append(length if isinstance(length, Size) else int(length))
    return tuple(lengths)
