"""Functions of Python inside a graph, called with arrays whenever the graph is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, ParameterError, ShapeError
from finetti.ir.opdef import OpDef
from finetti.ir.ops.control import count, piece, seeds_of
from finetti.ir.ops.shape import as_tensor, zeros
from finetti.ir.tensor import Tensor
from finetti.ir.types import FLOAT, Shape, TensorType, as_shape, broadcast, canonical_dtype


class BlackBox:
    """A Python function as an operation on tensors; call it with tensors, arrays or numbers.

    Parameters
    ----------
    fn : callable
        ``fn(*arrays) -> array``, or a tuple of arrays when there are several outputs.
    out_shape : shape, list of shapes, callable, or None
        Of the output; a list for several; a function of the arguments' shapes; None: the shape to
        which the arguments broadcast.
    out_dtype : str or list of str
        Their dtypes.
    grad : callable or None
        ``grad(g, *args) -> adjoints``, called once with tensors: the adjoint of the output (a tuple
        for several) and the arguments; one adjoint for each argument, None where there is none.
        Written with tensor functions or with another black box. Without it samplers that need
        gradients refuse.
    name : str, optional
        For messages and dumps.
    """

    def __init__(
        self, fn: Callable[..., Any], out_shape: Any = None, out_dtype: Any = FLOAT,
        grad: Callable[..., Any] | None = None, name: str | None = None,
    ):  # fmt: skip
        for what, value in (("fn", fn), ("grad", grad)):
            if not callable(value) and not (what == "grad" and value is None):
                raise ParameterError(f"blackbox: {what}={value!r} cannot be called")
        self.fn, self.grad, self._out_shape = fn, grad, out_shape
        self.name = name or getattr(fn, "__name__", type(fn).__name__)
        self.several = isinstance(out_shape, list) or isinstance(out_dtype, (list, tuple))
        dtypes = list(out_dtype) if isinstance(out_dtype, (list, tuple)) else [out_dtype]
        if isinstance(out_shape, list) and len(dtypes) == 1:
            dtypes *= len(out_shape)
        self.dtypes = tuple(canonical_dtype(np.dtype(dtype)) for dtype in dtypes)
        self.__name__, self.__doc__ = self.name, getattr(fn, "__doc__", None)
        self.native: dict[Any, Any] = {}  # what keeps compiled code's way back to Python alive

    def __reduce__(self) -> tuple[Any, ...]:
        shape = self._out_shape
        dtypes = list(self.dtypes) if self.several else self.dtypes[0]
        return BlackBox, (self.fn, shape, dtypes, self.grad, self.name)

    def __repr__(self) -> str:
        return f"<black box {self.name}>"

    def __call__(self, *args: Any) -> Any:
        tensors = [as_tensor(arg) for arg in args]
        if not tensors:
            raise ParameterError(f"the black box {self.name!r} was called without arguments")
        shapes = self._shapes([tensor.shape for tensor in tensors])
        node = blackbox_op(*tensors, box=self, shapes=shapes)
        start: int = 0
        outs = []
        for shape, dtype in zip(shapes, self.dtypes, strict=True):
            outs.append(piece(node, start=start, shape=shape, dtype=dtype))
            start = count(shape) + start
        return tuple(outs) if self.several else outs[0]

    def _shapes(self, given: Sequence[Shape]) -> tuple[Shape, ...]:
        shape = self._out_shape
        if callable(shape):
            shape = shape(*given)
        if shape is None:
            shape = broadcast(*given)
        shapes = tuple(map(as_shape, shape)) if self.several else (as_shape(shape),)
        if len(shapes) != len(self.dtypes):
            raise ParameterError(
                f"the black box {self.name!r} has {len(shapes)} output shapes and "
                f"{len(self.dtypes)} dtypes: expected one of each for every output"
            )
        return shapes

    def run(self, arrays: Sequence[np.ndarray], shapes: Sequence[Shape]) -> np.ndarray:
        """Call the function; its outputs flattened one after another.

        Raises
        ------
        ShapeError
            When an output has another shape than was said.
        """
        # Copies: what the function keeps or changes must be nobody else's.
        result = self.fn(*(np.array(array) for array in arrays))
        results = result if self.several else (result,)
        if len(results) != len(shapes):
            raise ShapeError(
                f"the black box {self.name!r} returned {len(results)} outputs: expected "
                f"{len(shapes)}"
            )
        parts = []
        for value, shape, dtype in zip(results, shapes, self.dtypes, strict=True):
            array = np.asarray(value)
            if array.shape != tuple(map(int, shape)):
                raise ShapeError(
                    f"the black box {self.name!r} returned an array of shape {array.shape}: "
                    f"expected {tuple(map(int, shape))}, as `out_shape` says."
                )
            parts.append(array.astype(dtype).astype(float).ravel())
        return np.concatenate(parts)


def _type(*types: TensorType, box: BlackBox, shapes: tuple[Shape, ...]) -> TensorType:
    return TensorType(FLOAT, (sum(TensorType(FLOAT, shape).size for shape in _whole(shapes)),))


def _whole(shapes: Sequence[Shape]) -> list[Shape]:
    return [tuple(map(int, shape)) for shape in shapes]


def _vjp(
    g: Tensor, y: Tensor, *args: Tensor, box: BlackBox, shapes: tuple[Shape, ...]
) -> tuple[Tensor | None, ...]:
    if box.grad is None:
        raise NotYetSupported(
            f"the black-box function {box.name!r} has no gradient, and a gradient is asked for. "
            "Give it one (`grad=` where it is made, the method `grad` of an Op class), or sample "
            "with a step that needs none: `step=pm.Metropolis()` or `pm.Slice()`."
        )
    kinds, start = [], 0
    for shape, dtype in zip(_whole(shapes), box.dtypes, strict=True):
        kinds.append((start, TensorType(dtype, shape)))
        start += kinds[-1][1].size
    seeds = [
        zeros(kind.shape) if seed is None else seed
        for seed, (_, kind) in zip(seeds_of(g, kinds), kinds, strict=True)
    ]
    found = box.grad(tuple(seeds) if box.several else seeds[0], *args)
    found = list(found) if isinstance(found, (tuple, list)) else [found]
    if len(found) != len(args):
        raise ShapeError(
            f"grad of the black box {box.name!r} returned {len(found)} adjoints: expected "
            f"{len(args)}, one for each argument (None where there is none)."
        )
    result: list[Tensor | None] = []
    for i, (part, arg) in enumerate(zip(found, args, strict=True)):
        part = None if part is None else as_tensor(part)
        if part is not None and part.node.shape != arg.node.shape:
            raise ShapeError(
                f"grad of the black box {box.name!r} returned {part!r} for argument {i}: "
                f"expected its shape, {arg.node.shape}."
            )
        result.append(part)
    return tuple(result)


def _sample(fn: Any, *shapes: Shape, **how: Any) -> Any:
    box = BlackBox(fn, name="sample", **how)

    def draw(rng: np.random.Generator) -> Any:
        attrs = {"box": box, "shapes": box._shapes(shapes)}
        return tuple(np.asarray(rng.normal(size=shape)) for shape in shapes), attrs

    return draw


blackbox_op = OpDef(
    "blackbox", "control", attr_names=("box", "shapes"), infer=_type, vjp=_vjp, native="callback",
    jax="finetti.backends.jax_control.blackbox",
    numpy=lambda *arrays, box, shapes: box.run([np.asarray(a) for a in arrays], shapes),
    samples=(
        _sample(lambda x: np.sin(x), (5,), grad=lambda g, x: g * np.cos(x)),
        _sample(lambda x, y: (x @ y, x.sum()), (3, 4), (4,), out_shape=[(3,), ()],
                grad=lambda g, x, y: [g[0][:, None] * y + g[1], x.T @ g[0]]),
    ),
)  # fmt: skip


def blackbox(
    fn: Callable[..., Any] | None = None,
    out_shape: Any = None,
    out_dtype: Any = FLOAT,
    grad: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """A Python function of arrays as an operation on tensors; also a decorator.

    Compiled code calls it back wherever it needs it, holding the interpreter's lock meanwhile, so
    chains take turns in it. An exception in it ends the sampling and is raised there.

    Parameters
    ----------
    fn : callable
        ``fn(*arrays) -> array``, or a tuple of arrays when there are several outputs.
    out_shape : shape, list of shapes, callable, or None
        Of the output; a list of shapes for several outputs; a function of the arguments' shapes;
        None (default): the shape to which the arguments broadcast.
    out_dtype : str or list of str, default "float64"
        Of each output.
    grad : callable, optional
        ``grad(g, *args)``, called once with tensors: the adjoint of the output (a tuple for
        several) and the arguments. Returns one adjoint for each argument, None where there is
        none, made with tensor functions or another black box. Without it NUTS refuses the model;
        Metropolis and Slice do not need it.
    name : str, optional
        For messages; by default the function's own.

    Examples
    --------
    >>> import numpy as np
    >>> import finetti as pm
    >>> slope = pm.blackbox(lambda g, x: g * np.cos(x))
    >>> sine = pm.blackbox(np.sin, grad=slope)
    >>> with pm.Model():
    ...     x = pm.Normal("x")
    ...     y = pm.Normal("y", mu=sine(x), observed=0.5)
    """
    if fn is None:
        return lambda function: BlackBox(function, out_shape, out_dtype, grad, name)
    return BlackBox(fn, out_shape, out_dtype, grad, name)


__all__ = ["BlackBox", "blackbox", "blackbox_op"]
