"""Tensors out of numbers and shapes, with Theano's arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dialects.theano import function as functions
from finetti.errors import NotYetSupported, ShapeError
from finetti.ir import Tensor, ops, topological
from finetti.ir.types import canonical_dtype


def cast(x: Any, dtype: Any) -> Tensor:
    """`x` in another dtype: float64, int64 or bool, whatever the width asked for."""
    return ops.cast(x, canonical_dtype(np.dtype("float64" if dtype == "floatX" else dtype)))


def as_dtype(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None else cast(x, dtype)


def as_tensor_variable(x: Any, name: str | None = None, ndim: int | None = None,
                       dtype: Any = None) -> Tensor:  # fmt: skip
    """Numbers, arrays and lists of tensors as one tensor."""
    tensor = as_dtype(ops.as_tensor(_values(x)), dtype)
    if ndim is not None and tensor.ndim > ndim:
        raise ShapeError(f"as_tensor_variable: {tensor!r} has more than {ndim} axes")
    if ndim is not None and tensor.ndim < ndim:
        tensor = ops.expand_dims(tensor, tuple(range(ndim - tensor.ndim)))
    if name is None or isinstance(x, Tensor):
        return tensor
    return Tensor(tensor.node, name)


def _values(x: Any) -> Any:
    convert = getattr(x, "to_numpy", None)  # frames and series
    return x if convert is None or isinstance(x, Tensor) else convert()


def constant(x: Any, name: str | None = None, ndim: int | None = None, dtype: Any = None) -> Tensor:
    """A constant tensor."""
    return as_tensor_variable(x, name, ndim, dtype)


def lengths(shape: Any) -> Any:
    """Lengths known while the graph is made; a tensor of lengths must be constant."""
    if isinstance(shape, Tensor):
        return (
            length_of(shape) if not shape.ndim else [length_of(shape[k]) for k in range(len(shape))]
        )
    if isinstance(shape, (list, tuple)):
        return tuple(length_of(one) for one in shape)
    return shape


def length_of(length: Any) -> Any:
    if not isinstance(length, Tensor):
        return length
    node = length.node
    if node.op.name == "size":
        return node.attrs[0]
    if node.dynamic or any(part.op.name in ("rv", "input") for part in topological([node])):
        return _unknown(length)
    return int(functions.evaluate(length))


def _unknown(length: Tensor) -> Any:
    raise NotYetSupported(
        f"a shape with {length!r} in it: lengths must be known while the model is written. Use "
        "`x.shape[0]` of data, or a number."
    )


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros."""
    return as_dtype(ops.zeros(lengths(shape)), dtype)


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones."""
    return as_dtype(ops.ones(lengths(shape)), dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor of one value."""
    return as_dtype(ops.full(lengths(shape), fill_value), dtype)


def zeros_like(model: Any, dtype: Any = None, opt: bool = False) -> Tensor:
    """Zeros in the shape of a tensor, in its dtype."""
    model = ops.as_tensor(model)
    return cast(ops.zeros_like(model), model.dtype if dtype is None else dtype)


def ones_like(model: Any, dtype: Any = None, opt: bool = False) -> Tensor:
    """Ones in the shape of a tensor, in its dtype."""
    model = ops.as_tensor(model)
    return cast(ops.ones_like(model), model.dtype if dtype is None else dtype)


def full_like(a: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value in the shape of a tensor, in its dtype."""
    a = ops.as_tensor(a)
    return cast(ops.full_like(a, fill_value), a.dtype if dtype is None else dtype)


def fill(a: Any, b: Any) -> Tensor:
    """`b` in the shape of `a`."""
    return ops.full_like(a, b)


def alloc(value: Any, *shape: Any) -> Tensor:
    """A value repeated to fill a shape, given length by length or as one tuple."""
    given = shape[0] if len(shape) == 1 and isinstance(shape[0], (list, tuple)) else shape
    return ops.broadcast_to(value, lengths(tuple(given)))


def eye(n: Any, m: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on a diagonal."""
    if m is None and k == 0:
        return as_dtype(ops.eye(length_of(n)), dtype)
    return as_dtype(
        ops.as_tensor(np.eye(length_of(n), None if m is None else length_of(m), k)), dtype
    )


def identity_like(x: Any) -> Tensor:
    """The identity matrix in the shape of a matrix."""
    x = ops.as_tensor(x)
    return eye(x.shape[0], x.shape[1])


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Numbers from start to stop, which is left out."""
    bounds = [length_of(b) for b in ((start,) if stop is None and step == 1 else
                                   (0 if stop is None else start,
                                    start if stop is None else stop, step))]  # fmt: skip
    if any(isinstance(b, (float, np.floating)) for b in bounds):
        return as_dtype(ops.as_tensor(np.arange(*bounds)), dtype)
    return as_dtype(ops.arange(*bounds), dtype)


def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones at and below a diagonal."""
    return as_dtype(
        ops.as_tensor(np.tri(length_of(N), None if M is None else length_of(M), k)), dtype
    )
