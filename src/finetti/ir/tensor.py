"""What the user holds: a thin wrapper of a node that follows NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from finetti.errors import NotYetSupported, ParameterError, TracedValueError
from finetti.ir.node import Node
from finetti.ir.types import Shape, Size, TensorType

# Filled by `finetti.ir.ops`: this module cannot import the operations that are made of it.
METHODS: dict[str, Callable[..., Any]] = {}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
UFUNC_METHODS: dict[tuple[str, str], Callable[..., Any]] = {}


class Tensor:
    """A symbolic array: operators, methods, NumPy ufuncs and indexing build the graph."""

    __slots__ = ("node", "name", "__weakref__")

    def __init__(self, node: Node, name: str | None = None):
        self.node = node
        self.name = name

    if TYPE_CHECKING:  # set below, from the operations

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __getitem__(self, key: Any) -> Tensor: ...

    # -- what is known before sampling
    @property
    def shape(self) -> Shape:
        node = self.node
        if not node.dynamic:
            return node.type.shape
        return tuple(
            Size(length, ("shape", node, axis)) for axis, length in enumerate(node.type.shape)
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.node.type.dtype)

    @property
    def type(self) -> TensorType:
        """dtype and shape; called, it stands for something of that type, as in PyTensor."""
        return self.node.type

    @property
    def ndim(self) -> int:
        return len(self.node.type.shape)

    @property
    def size(self) -> int:
        total = 1
        for length in self.shape:
            total = length * total
        return total

    @property
    def T(self) -> Tensor:
        return METHODS["transpose"](self)  # type: ignore[no-any-return]

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError(f"{self!r} is a scalar and has no length")
        return int(self.node.type.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        label = f"{self.name} ~ " if self.name else ""
        return f"<{label}{self.node.op.name} {self.node.type}>"

    # -- what is not
    def _no_value(self, asked: str, instead: str) -> TracedValueError:
        who = f"'{self.name}'" if self.name else repr(self)
        return TracedValueError(
            f"{asked} of {who} was asked for while the model is being written, but it has a value "
            f"only when the model runs. {instead}"
        )

    def __bool__(self) -> bool:
        raise self._no_value(
            "the truth value",
            "Write `pm.math.switch(condition, a, b)` (or `np.where`) instead of "
            "`if`, and `&`, `|`, `~` instead of `and`, `or`, `not`.",
        )

    def __float__(self) -> float:
        raise self._no_value("the number", "Keep it symbolic, or draw values with `pm.draw(x)`.")

    def __int__(self) -> int:
        raise self._no_value("the integer", "Keep it symbolic, or draw values with `pm.draw(x)`.")

    __index__ = __int__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise self._no_value(
            "the NumPy array",
            "Use tensor functions (`pm.math.stack`, `np.exp(x)`, `x.sum()`), or draw values with "
            "`pm.draw(x)`.",
        )

    def __setitem__(self, index: Any, value: Any) -> None:
        raise ParameterError(
            f"item assignment to {self!r}: a tensor does not change. Write "
            "`x = pm.math.set_subtensor(x[index], value)`, or build it with `pm.math.switch` or "
            "`pm.math.stack`."
        )

    # -- NumPy protocols
    # above a DataFrame's 4000: `frame["x"] * tensor` is left to the tensor
    __pandas_priority__ = 5000

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = UFUNC_METHODS.get((ufunc.__name__, method))
        if function is None:
            called = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            raise NotYetSupported(
                f"the NumPy or SciPy function {called!r} takes no tensors yet. Look for it in "
                "`pm.math`, or write it with operators and functions that do, e.g. `np.exp(x)`."
            )
        return function(*inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        function = FUNCTIONS.get(func)
        if function is None:
            return NotImplemented
        return function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        method = METHODS.get(name)
        if method is None:
            raise AttributeError(f"a tensor has no attribute {name!r}")
        return method.__get__(self)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *METHODS})

    def __reduce__(self) -> tuple[Any, ...]:
        return Tensor, (self.node, self.name)

    __hash__ = object.__hash__


def _operator(name: str, swap: bool = False) -> Callable[..., Any]:
    def method(self: Tensor, *others: Any) -> Any:
        args = (*others, self) if swap else (self, *others)
        try:
            return METHODS[name](*args)
        except TracedValueError as error:
            if error.postponed is None:
                raise
            return error.postponed(METHODS[name], args)

    return method


_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide",
    "floordiv": "floor_divide", "mod": "mod", "pow": "power", "matmul": "matmul",
    "and": "logical_and", "or": "logical_or", "xor": "logical_xor",
}  # fmt: skip
for _symbol, _name in _OPERATORS.items():
    setattr(Tensor, f"__{_symbol}__", _operator(_name))
    setattr(Tensor, f"__r{_symbol}__", _operator(_name, swap=True))
for _symbol, _name in {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
    "ne": "not_equal", "neg": "negative", "abs": "absolute", "invert": "logical_not",
    "getitem": "getitem",
}.items():  # fmt: skip
    setattr(Tensor, f"__{_symbol}__", _operator(_name))


def __pos__(self: Tensor) -> Tensor:
    return self


Tensor.__pos__ = __pos__  # type: ignore[method-assign]


def as_node(value: Any) -> Node:
    """The node of a tensor, or a constant made of a number, array or sequence of tensors."""
    if isinstance(value, Tensor):
        return value.node
    if isinstance(value, Node):
        return value
    return METHODS["as_constant"](value)  # type: ignore[no-any-return]
