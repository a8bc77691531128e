"""Reverse-mode differentiation, written in the graph, so that it can be applied again."""

from __future__ import annotations

from collections.abc import Sequence

from finetti.errors import NotYetSupported
from finetti.ir import FLOAT, Node, Tensor, attrs_of, ops, topological


def gradient(out: Node, wrt: Sequence[Node]) -> list[Node]:
    """The gradient of a scalar with respect to several nodes.

    Parameters
    ----------
    out : Node
        A float scalar.
    wrt : sequence of Node
        Float nodes; those that `out` does not depend on get zeros.

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
    for node in nodes:
        if any(arg in active for arg in node.args):
            active.add(node)
    adjoints: dict[Node, Tensor] = {out: ops.as_tensor(1.0)}
    targets = set(wrt)
    for node in reversed(nodes):
        if node not in active or node not in adjoints or node in targets:
            continue
        if node.type.dtype != FLOAT or node.op.notes.get("vjp"):
            continue  # piecewise constant: its derivative is zero wherever it exists
        if node.op.vjp is None:
            raise NotYetSupported(f"the gradient of {node.op.name} is not written yet")
        parts = node.op.vjp(
            adjoints[node], Tensor(node), *map(Tensor, node.args), **attrs_of(node)
        )
        # Parts of one argument are added to each other first: x * x gives 2 x, not x + (x + ...).
        fresh: dict[Node, Tensor] = {}
        for arg, part in zip(node.args, parts, strict=True):
            if part is not None and arg in active and arg.type.dtype == FLOAT:
                part = _fit(part, arg)
                fresh[arg] = fresh[arg] + part if arg in fresh else part
        for arg, part in fresh.items():
            adjoints[arg] = adjoints[arg] + part if arg in adjoints else part
    return [_result(adjoints.get(node), node) for node in wrt]


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
