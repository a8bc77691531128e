"""Theano's types of symbolic inputs: ``dvector("x")``, ``TensorType("float64", (False,))``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from finetti.dialects.theano.deferred import Input
from finetti.errors import DtypeError, ParameterError
from finetti.ir.types import canonical_dtype

_SHAPES = {"scalar": 0, "vector": 1, "row": 2, "col": 2, "matrix": 2, "tensor3": 3, "tensor4": 4,
           "tensor5": 5}  # fmt: skip
_DTYPES = {"": "float64", "d": "float64", "f": "float32", "b": "int8", "w": "int16", "i": "int32",
           "l": "int64"}  # fmt: skip


class TensorType:
    """A dtype and a number of axes; called with a name it makes a symbolic input.

    Parameters
    ----------
    dtype
        NumPy's name of it. Computations are in float64 and int64.
    broadcastable
        One entry for each axis; PyTensor calls it `shape` and puts lengths or None there.
    name
        Of the type itself.
    """

    def __init__(
        self,
        dtype: Any = "float64",
        broadcastable: Sequence[Any] | None = None,
        name: str | None = None,
        shape: Sequence[Any] | None = None,
    ):
        axes = shape if broadcastable is None else broadcastable
        if axes is None:
            raise ParameterError("TensorType: how many axes? Give shape=(None,) for a vector.")
        self.dtype, self.name = str(np.dtype(dtype)), name
        self.broadcastable = tuple(bool(axis is True or axis == 1) for axis in axes)
        canonical_dtype(np.dtype(dtype))  # raises for complex numbers and texts

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.broadcastable)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Lengths that are known."""
        return tuple(1 if one else None for one in self.broadcastable)

    def __call__(self, name: str | None = None, dtype: Any = None) -> Input:
        return Input(name, self.dtype if dtype is None else str(np.dtype(dtype)), self.ndim)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TensorType)
            and (self.dtype, self.broadcastable) == (other.dtype, other.broadcastable)
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.dtype, self.broadcastable))

    def __repr__(self) -> str:
        return f"TensorType({self.dtype}, {self.shape})"


def tensor(
    name: Any = None, dtype: Any = None, broadcastable: Any = None, shape: Any = None
) -> Input:
    """A symbolic input: PyTensor's ``tensor("x", shape=(None,))`` or Theano's order of arguments.

    Parameters
    ----------
    name
        Its name; Theano has the dtype here.
    dtype
        NumPy's name of the dtype.
    broadcastable, shape
        One entry for each axis.
    """
    if isinstance(dtype, (list, tuple)):  # Theano: dtype, broadcastable, name
        name, dtype, broadcastable = None, name, dtype
    return TensorType(dtype or "float64", broadcastable, shape=shape)(name)


def _several(kind: TensorType) -> Any:
    def make(*names: Any) -> Any:
        given = range(names[0]) if len(names) == 1 and isinstance(names[0], int) else names
        made = [kind(name if isinstance(name, str) else None) for name in given]
        return made[0] if len(made) == 1 else made

    return make


def _complex(*_: Any) -> Any:
    raise DtypeError("complex tensors are not there: keep real and imaginary parts apart.")


TYPES: dict[str, Any] = {"TensorType": TensorType, "tensor": tensor}
for _prefix, _dtype in _DTYPES.items():
    for _shape, _ndim in _SHAPES.items():
        _pattern = {"row": (True, False), "col": (False, True)}.get(_shape, (False,) * _ndim)
        _kind = TYPES[_prefix + _shape] = TensorType(_dtype, _pattern, _prefix + _shape)
        _plural = {"matrix": "matrices"}.get(_shape, _shape + "s")
        TYPES[_prefix + _plural] = _several(_kind)
for _shape in _SHAPES:
    TYPES[f"z{_shape}"] = TYPES[f"c{_shape}"] = _complex
