"""Reverse-mode differentiation, written in the graph, so that it can be applied again."""

from __future__ import annotations

from collections.abc import Sequence

from finetti.errors import NotYetSupported
from finetti.ir import FLOAT, Node, Tensor, attrs_of, ops, topological
from finetti.ir.ops.leaf import is_constant


def gradient(out: Node, wrt: Sequence[Node]) -> list[Node]:
    """The gradient of a scalar with respect to several nodes.

    Parameters
    ----------
    out : Node
        A float scalar.
    wrt : sequence of Node
        Float nodes; those that `out` does not depend on get zeros. Where one depends on another,
        the other's derivative includes the way through the first.

    Returns
    -------
    list of Node
        One node per entry of `wrt`, in its shape.

    Raises
    ------
    NotYetSupported
        When an operation on the way has no gradient rule.
    """
    nodes = topological([out])
    active = set(wrt)
    inner: set[Node] = set()
    for node in nodes:
        if any(arg in active for arg in node.args):
            active.add(node)
            inner.add(node)
    adjoints: dict[Node, Tensor] = {out: ops.as_tensor(1.0)}
    for node in reversed(nodes):
        if node not in inner or node not in adjoints:
            continue
        if node.type.dtype != FLOAT or node.op.notes.get("vjp"):
            continue  # piecewise constant: its derivative is zero wherever it exists
        if node.op.vjp is None:
            raise NotYetSupported(f"the gradient of {node.op.name} is not written yet")
        mask, adjoint = _unmasked(adjoints[node], node)
        parts = node.op.vjp(adjoint, Tensor(node), *map(Tensor, node.args), **attrs_of(node))
        # Parts of one argument are added to each other first: x * x gives 2 x, not x + (x + ...).
        fresh: dict[Node, Tensor] = {}
        for arg, part in zip(node.args, parts, strict=True):
            if part is not None and arg in active and arg.type.dtype == FLOAT:
                part = _fit(part if mask is None else ops.where(mask, part, 0.0), arg)
                fresh[arg] = fresh[arg] + part if arg in fresh else part
        for arg, part in fresh.items():
            adjoints[arg] = adjoints[arg] + part if arg in adjoints else part
    return [_result(adjoints.get(node), node) for node in wrt]


def _unmasked(adjoint: Tensor, node: Node) -> tuple[Tensor | None, Tensor]:
    """An adjoint that a condition cuts to zero as (condition, adjoint without it).

    A derivative is linear in the adjoint, so the condition can be applied after it as well. Then
    what is infinite or NaN in the branch that was not taken cannot meet the zero: 0 * inf is NaN.
    """
    mask: Tensor | None = None
    while adjoint.node.op.name == "where":
        condition, chosen, other = map(Tensor, adjoint.node.args)
        if condition.ndim and node.op.family != "elementwise":
            break
        if is_constant(other.node, 0.0):
            adjoint = chosen
        elif is_constant(chosen.node, 0.0):
            condition, adjoint = ~condition, other
        else:
            break
        mask = condition if mask is None else ops.logical_and(mask, condition)
    return mask, ops.broadcast_to(adjoint, node.shape)


def _fit(part: Tensor, arg: Node) -> Tensor:
    """Sum an adjoint over the axes along which its argument was broadcast."""
    have, want = part.node.shape, arg.shape
    if have == want:
        return part
    extra = len(have) - len(want)
    if extra > 0:
        part = ops.sum_(part, tuple(range(extra)))
    squeezed = tuple(
        axis for axis, length in enumerate(want) if length == 1 and part.node.shape[axis] != 1
    )
    part = ops.sum_(part, squeezed, keepdims=True) if squeezed else part
    return ops.broadcast_to(part, want)


def _result(adjoint: Tensor | None, node: Node) -> Node:
    return (ops.zeros(node.shape) if adjoint is None else adjoint).node
