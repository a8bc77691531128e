"""Graphs with any shape of output as JAX functions, with our own derivatives of every order.

The derivative along a direction is itself a graph: the adjoint of the adjoint. So it can be
differentiated the same way, when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from finetti.backends.jax_lowering import library, lower
from finetti.ir import FLOAT, Node, Tensor, ops
from finetti.ir.node import make
from finetti.ir.ops.leaf import input_
from finetti.passes.grad import gradient
from finetti.passes.simplify import simplify

Function = Callable[..., Any]

# From here on JAX differentiates the graph of a derivative by itself.
_ORDERS = 2


def differentiable(
    output: Node, inputs: Sequence[Node], orders: int = _ORDERS, *, of: Any = None
) -> Function:
    """A float graph as a JAX function of its inputs' arrays, in whatever precision JAX is set to.

    Parameters
    ----------
    output : Node
        What it computes.
    inputs : sequence of Node
        Its inputs. Those that are not floats have no derivatives.
    orders : int, optional
        How many derivatives are our own.
    of : object, optional
        What the graph is of: the function has its `name` and keeps it alive.
    """
    jax = library(any_precision=True)
    (output,) = simplify([output])
    plain = lower([output], inputs, any_precision=True)
    places = [i for i, node in enumerate(inputs) if node.type.dtype == FLOAT]
    if not orders or not places or output.type.dtype != FLOAT:
        return lambda *x: plain(*x)[0]

    @cache
    def along() -> Function:
        floats = [inputs[i] for i in places]
        names = [("direction", orders, i) for i in places]
        directions = [
            make(input_, (), ((name, node.attrs[0]), node.type))
            for name, node in zip(names, floats, strict=True)
        ]
        slope = _directional(output, floats, directions)
        return differentiable(slope, [*inputs, *directions], orders - 1)

    @jax.custom_jvp  # type: ignore[untyped-decorator]
    def value(*x: Any) -> Any:
        return plain(*x)[0]

    @value.defjvp  # type: ignore[untyped-decorator]
    def value_jvp(x: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return value(*x), along()(*x, *(tangents[i] for i in places))

    if of is not None:
        value.fun.__name__ = of.name
        value.of = of
    return value  # type: ignore[no-any-return]


def _directional(output: Node, inputs: list[Node], directions: list[Node]) -> Node:
    """The derivative of `output` along directions: the adjoint of its adjoint."""
    weights = make(input_, (), (("weights", None), output.type))
    total = ops.sum_(Tensor(output) * Tensor(weights)).node
    inner = ops.as_tensor(0.0)
    for adjoint, direction in zip(gradient(total, inputs), directions, strict=True):
        inner = inner + ops.sum_(Tensor(adjoint) * Tensor(direction))
    (slope,) = gradient(inner.node, [weights])
    return slope
