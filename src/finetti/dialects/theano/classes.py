"""Operations that a script writes itself, as classes: Theano's and PyTensor's `Op` and `Apply`.

Their `perform` is a black box to the compiler; their gradient is an expression like any other.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.dialects.theano.deferred import lift
from finetti.errors import FinettiError, NotYetSupported, ParameterError, ShapeError
from finetti.ir import Tensor, TensorType, ops
from finetti.ir.ops.blackbox import BlackBox
from finetti.ir.types import canonical_dtype
from finetti.model.forward import draw_tensors

_GRADIENTS = ("pullback", "L_op", "grad")
_ANY = 0.5  # stands for what has no value yet, when an operation is tried


class Apply:
    """An operation with its inputs, and placeholders for its outputs.

    Parameters
    ----------
    op : Op
        The operation.
    inputs : list of Tensor
        What it is applied to.
    outputs : list
        What has the types of its results: ``x.type()``, ``tt.dscalar()``.
    """

    def __init__(self, op: Any, inputs: Sequence[Any], outputs: Sequence[Any]):
        self.op, self.inputs, self.outputs = op, list(inputs), list(outputs)

    @property
    def nin(self) -> int:
        """How many inputs there are."""
        return len(self.inputs)

    @property
    def nout(self) -> int:
        """How many outputs there are."""
        return len(self.outputs)


class NoGradient:
    """What an operation gives for an input that it has no gradient for.

    Parameters
    ----------
    text : str
        What the error says where the gradient is needed all the same; empty when the input does
        not count.
    """

    def __init__(self, text: str = ""):
        self.text = text

    def __call__(self, *args: Any) -> NoGradient:
        return self

    def raises(self, array: np.ndarray) -> np.ndarray:
        """The black box that stands where a number would be needed."""
        raise NotYetSupported(self.text)


def grad_not_implemented(op: Any, x_pos: int, x: Any, comment: str = "") -> NoGradient:
    """Mark an input whose gradient has not been written.

    Parameters
    ----------
    op, x_pos, x
        The operation, and which input of it.
    comment : str
        Why.
    """
    return NoGradient(f"{op}: its gradient for input {x_pos} is not implemented. {comment}".strip())


def grad_undefined(op: Any, x_pos: int, x: Any, comment: str = "") -> NoGradient:
    """Mark an input for which there is no gradient.

    Parameters
    ----------
    op, x_pos, x, comment
        As for `grad_not_implemented`.
    """
    return NoGradient(f"{op}: it has no gradient for input {x_pos}. {comment}".strip())


class Op:
    """An operation of a script's own: a subclass writes `perform`, and `grad` if it has one.

    What it takes and gives is said by `itypes` and `otypes`, or by its own `make_node`.
    """

    itypes: Any = None
    otypes: Any = None
    default_output: int | None = None
    __props__: tuple[str, ...] = ()

    def __str__(self) -> str:
        return type(self).__name__

    def make_node(self, *inputs: Any) -> Apply:
        """The operation applied to inputs, by `itypes` and `otypes`.

        Parameters
        ----------
        *inputs
            Tensors, arrays or numbers.
        """
        if self.itypes is None or self.otypes is None:
            raise ParameterError(f"{self}: give itypes and otypes, or write make_node.")
        if len(inputs) != len(self.itypes):
            raise ParameterError(f"{self} takes {len(self.itypes)} inputs, got {len(inputs)}.")
        tensors = [ops.as_tensor(x) for x in inputs]
        for place, (tensor, kind) in enumerate(zip(tensors, self.itypes, strict=True)):
            if tensor.ndim != kind.ndim:
                raise ShapeError(
                    f"{self}: input {place} has {tensor.ndim} axes: expected {kind.ndim}, as "
                    "itypes says."
                )
        return Apply(self, tensors, [kind() for kind in self.otypes])

    def perform(self, node: Apply, inputs: Any, output_storage: Any, params: Any = None) -> None:
        """Compute the outputs: a subclass writes ``output_storage[0][0] = ...``.

        Parameters
        ----------
        node : Apply
            The operation with its inputs.
        inputs : list of ndarray
            Their values.
        output_storage : list of list
            Where the results go.
        """
        raise ParameterError(f"{self}: write perform(self, node, inputs, output_storage).")

    def __call__(self, *inputs: Any, return_list: bool = False, **kwargs: Any) -> Any:
        kwargs.pop("name", None)
        return lift(self._applied)(inputs, kwargs, return_list)

    def _applied(self, inputs: Any, kwargs: Any, return_list: bool) -> Any:
        node = self.make_node(*inputs, **kwargs)
        tensors = [ops.as_tensor(x) for x in node.inputs]
        kinds = [_Kind.of(output) for output in node.outputs]
        shapes = _shapes(self, node, tensors, kinds)
        # one box for equal calls: what is applied twice to the same is computed once
        boxes = self.__dict__.setdefault("_boxes", {})
        key = (tuple(x.node.type for x in tensors), tuple(shapes), tuple(k.dtype for k in kinds))
        if key not in boxes:
            gradient = next((name for name in _GRADIENTS if hasattr(self, name)), None)
            boxes[key] = BlackBox(
                _Perform(self, node),
                list(shapes),
                [kind.dtype for kind in kinds],
                None if gradient is None else _Adjoint(self, gradient),
                str(self),
            )
        results = list(boxes[key](*tensors))
        if return_list or (len(results) > 1 and self.default_output is None):
            return results
        return results[self.default_output or 0]


@dataclass(frozen=True)
class _Kind:
    """Of an output: its dtype, its axes, and its shape if that is known."""

    dtype: str
    ndim: int
    shape: tuple[int, ...] | None

    @classmethod
    def of(cls, output: Any) -> _Kind:
        kind = output.node.type if isinstance(output, Tensor) else output
        if not hasattr(kind, "dtype") or not hasattr(kind, "ndim"):
            raise ParameterError(
                f"an output of an Op is {output!r}: expected a type that was called, such as "
                "`tt.dscalar()` or `x.type()`."
            )
        shape = tuple(map(int, kind.shape)) if isinstance(kind, TensorType) else None
        return cls(canonical_dtype(np.dtype(kind.dtype)), kind.ndim, shape)


@dataclass(frozen=True)
class _Perform:
    """`perform` as a function of arrays."""

    op: Any
    node: Apply

    def __call__(self, *arrays: np.ndarray) -> tuple[Any, ...]:
        storage: list[list[Any]] = [[None] for _ in self.node.outputs]
        self.op.perform(self.node, list(arrays), storage)
        for place, (value,) in enumerate(storage):
            if value is None:
                raise ParameterError(
                    f"{self.op}: perform left output {place} empty: write "
                    f"`output_storage[{place}][0] = ...`."
                )
        return tuple(value for (value,) in storage)


@dataclass(frozen=True)
class _Adjoint:
    """The gradient of an operation as black boxes take it."""

    op: Any
    name: str

    def __call__(self, seeds: Sequence[Tensor], *args: Tensor) -> list[Tensor | None]:
        inputs, seeds = list(args), list(seeds)
        if self.name == "grad":
            found = self.op.grad(inputs, seeds)
        else:
            outputs = self.op(*inputs, return_list=True)
            found = getattr(self.op, self.name)(inputs, outputs, seeds)
        listed = list(found) if isinstance(found, (list, tuple)) else [found]
        if len(listed) != len(inputs):
            raise ShapeError(
                f"{self.op}.{self.name} returned {len(listed)} terms: expected {len(inputs)}, one "
                "for each input."
            )
        return [_term(part, x) for part, x in zip(listed, inputs, strict=True)]


def _term(part: Any, x: Tensor) -> Tensor | None:
    """The adjoint of one input; what has none fails when it is computed, not before."""
    if part is None or (isinstance(part, NoGradient) and not part.text):
        return None
    if isinstance(part, NoGradient):
        box = BlackBox(part.raises, tuple(map(int, x.node.shape)), name="no gradient")
        return box(x)  # type: ignore[no-any-return]
    tensor = ops.as_tensor(part)
    if tensor.node.shape == x.node.shape or tensor.node.type.size != x.node.type.size:
        return tensor
    return ops.reshape(tensor, x.shape)


def _shapes(
    op: Op, node: Apply, tensors: Sequence[Tensor], kinds: Sequence[_Kind]
) -> list[tuple[int, ...]]:
    """The shapes of the outputs: as the operation says, or as it gives them once."""
    rule = getattr(op, "infer_shape", None)
    if rule is not None:
        given = [tuple(map(int, x.node.shape)) for x in tensors]
        several = len(inspect.signature(rule).parameters) > 2  # PyTensor's has a graph before it
        found = rule(None, node, given) if several else rule(node, given)
        return [tuple(int(_number(length)) for length in shape) for shape in found]
    if all(kind.ndim == 0 for kind in kinds):
        return [()] * len(kinds)
    if all(kind.shape is not None for kind in kinds):
        return [kind.shape or () for kind in kinds]
    results = _Perform(op, node)(*(_value(x) for x in tensors))
    return [np.shape(result) for result in results]


def _number(length: Any) -> Any:
    value = ops.constant_value(ops.as_tensor(length))
    return length if value is None else value


def _value(x: Tensor) -> np.ndarray:
    """A value to try an operation with: of a draw from the prior, as Theano had test values."""
    try:
        return np.asarray(draw_tensors([x], 1, 0, backend="reference")[0][0])
    except FinettiError:
        return np.full(tuple(map(int, x.node.shape)), _ANY).astype(x.node.type.dtype)


CLASSES: dict[str, Any] = {
    "Apply": Apply,
    "DisconnectedType": NoGradient,
    "Op": Op,
    "PureOp": Op,
    "grad_not_implemented": grad_not_implemented,
    "grad_undefined": grad_undefined,
}
