"""Expressions of symbolic inputs: kept as they were written until the inputs have values.

finetti's tensors have shapes from the start; a Theano input such as ``dvector("x")`` gets its shape
with its value. So an expression of one is only remembered, and built when the function it belongs
to is called: then every shape is known, and the function is compiled for these shapes.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from finetti.errors import TracedValueError, did_you_mean
from finetti.ir import Tensor
from finetti.ir.tensor import METHODS

_counter = itertools.count()


class Deferred:
    """A call that waits for the values of symbolic inputs.

    Parameters
    ----------
    function
        What to call; None for an input.
    args, kwargs
        Its arguments, other deferred values among them.
    """

    # above a frame's and an array's own: `array * deferred` is left to it
    __pandas_priority__ = 5000
    __array_priority__ = 1000

    def __init__(
        self,
        function: Callable[..., Any] | None,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ):
        self._function, self._args, self._kwargs = function, args, dict(kwargs or {})
        self._order = next(_counter)
        self.name: str | None = None
        self.tag = SimpleNamespace()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"a symbolic expression has no attribute {name!r}")
        if name not in METHODS and not hasattr(Tensor, name):
            raise AttributeError(
                f"a symbolic expression has no attribute {name!r}. {did_you_mean(name, METHODS)}"
            )
        return Deferred(getattr, (self, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Deferred:
        return Deferred(_call, (self, *args), kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return Deferred(getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return Deferred(func, args, kwargs)

    def _no_value(self) -> TracedValueError:
        error = TracedValueError(
            f"{self!r} is symbolic: it has a value only where a `theano.function` is called with "
            "values of its inputs, or `.eval({input: value})`. Use `theano.tensor`'s functions "
            "(`tt.switch` instead of `if`)."
        )
        error.postponed = Deferred  # an operator of a tensor waits as well
        return error

    def __bool__(self) -> bool:
        raise self._no_value()

    def __int__(self) -> int:
        raise self._no_value()

    def __float__(self) -> float:
        raise self._no_value()

    __index__ = __len__ = __int__

    def __iter__(self) -> Iterator[Any]:
        raise self._no_value()

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._no_value()

    def __repr__(self) -> str:
        if self._function is None:
            return self.name or "<input>"
        return f"<symbolic {getattr(self._function, '__name__', 'expression')}>"

    @property
    def parts(self) -> list[Deferred]:
        """The deferred values among the arguments."""
        return list(deferred_in((self._args, self._kwargs)))

    def build(self, known: Mapping[Deferred, Any]) -> Any:
        """The call itself; it waits on where an input among its arguments still has no value."""
        if self._function is None:
            return self
        args, kwargs = _replaced((self._args, self._kwargs), known)
        return lift(self._function)(*args, **kwargs)


class Input(Deferred):
    """A symbolic input: dtype and number of axes, no shape.

    Parameters
    ----------
    name
        Its name.
    dtype
        One of NumPy's dtypes.
    ndim
        The number of axes.
    """

    def __init__(self, name: str | None, dtype: str, ndim: int):
        super().__init__(None)
        self.name, self.dtype, self.ndim = name, dtype, ndim

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        """Theano's pattern of axes that have length 1 for sure: none here."""
        return (False,) * self.ndim


def _operator(function: Callable[..., Any], swap: bool = False) -> Callable[..., Deferred]:
    def method(self: Deferred, *others: Any) -> Deferred:
        return Deferred(function, (*others, self) if swap else (self, *others))

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or",
              "xor"):  # fmt: skip
    _function = getattr(operator, f"__{_name}__")
    setattr(Deferred, f"__{_name}__", _operator(_function))
    setattr(Deferred, f"__r{_name}__", _operator(_function, swap=True))
for _name in ("lt", "le", "gt", "ge", "neg", "pos", "abs", "invert", "getitem"):
    setattr(Deferred, f"__{_name}__", _operator(getattr(operator, f"__{_name}__")))


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def deferred_in(value: Any) -> Iterator[Deferred]:
    """The deferred values in nested lists, tuples, dicts and slices."""
    if isinstance(value, Deferred):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from deferred_in(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from deferred_in(part)
    elif isinstance(value, slice):
        yield from deferred_in((value.start, value.stop, value.step))


def _replaced(value: Any, known: Mapping[Deferred, Any]) -> Any:
    if isinstance(value, Deferred):
        return known[value]
    if isinstance(value, (list, tuple)):
        parts = [_replaced(part, known) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {key: _replaced(part, known) for key, part in value.items()}
    if isinstance(value, slice):
        return slice(*(_replaced(part, known) for part in (value.start, value.stop, value.step)))
    return value


def lift(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, that waits when an argument is deferred."""

    @functools.wraps(function, updated=())
    def lifted(*args: Any, **kwargs: Any) -> Any:
        if next(deferred_in((args, kwargs)), None) is None:
            return function(*args, **kwargs)
        return Deferred(function, args, kwargs)

    return lifted


def inputs_of(value: Any) -> list[Input]:
    """The symbolic inputs that deferred values depend on, in the order of their making."""
    return [part for part in _needed(value, ()) if isinstance(part, Input)]


def build(value: Any, known: Mapping[Deferred, Any]) -> Any:
    """Nested deferred values with inputs (and others) replaced by what they are now."""
    values: dict[Deferred, Any] = dict(known)
    for part in _needed(value, known):
        values[part] = part.build(values)
    return _replaced(value, values)


def _needed(value: Any, known: Any) -> list[Deferred]:
    seen: set[Deferred] = set()
    stack = [part for part in deferred_in(value) if part not in known]
    while stack:
        part = stack.pop()
        if part not in seen:
            seen.add(part)
            stack.extend(inner for inner in part.parts if inner not in known)
    return sorted(seen, key=lambda part: part._order)
