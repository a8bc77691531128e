"""Reverse-mode differentiation, written in the graph, so that it can be applied again."""

from __future__ import annotations

from collections.abc import Sequence

from finetti.errors import NotYetSupported
from finetti.ir.node import Node, topological
from finetti.ir.opdef import attrs_of
from finetti.ir.ops.elementwise import logical_and, logical_or, where
from finetti.ir.ops.leaf import is_constant
from finetti.ir.ops.reduce import sum_
from finetti.ir.ops.shape import broadcast_to
from finetti.ir.tensor import Tensor
from finetti.ir.types import FLOAT


def pullback(
    outs: Sequence[Node], seeds: Sequence[Tensor], wrt: Sequence[Node]
) -> list[Tensor | None]:
    """Adjoints of several nodes, given those of others that are computed from them.

    Parameters
    ----------
    outs : sequence of Node
        Float nodes.
    seeds : sequence of Tensor
        The adjoint of each.
    wrt : sequence of Node
        Float nodes. Where one depends on another, the other's adjoint includes the way through
        the first.

    Returns
    -------
    list of Tensor or None
        One adjoint per entry of `wrt` in its shape; None where no output depends on it.

    Raises
    ------
    NotYetSupported
        When an operation on the way has no gradient rule.
    """
    nodes = topological(outs)
    active = set(wrt)
    inner: set[Node] = set()
    for node in nodes:
        if any(arg in active for arg in node.args):
            active.add(node)
            inner.add(node)
    adjoints: dict[Node, Tensor] = {}
    for out, seed in zip(outs, seeds, strict=True):
        adjoints[out] = _sum(adjoints[out], seed) if out in adjoints else seed
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
                part = _fit(part if mask is None else where(mask, part, 0.0), arg)
                fresh[arg] = _sum(fresh[arg], part) if arg in fresh else part
        for arg, part in fresh.items():
            adjoints[arg] = _sum(adjoints[arg], part) if arg in adjoints else part
    return [adjoints.get(node) for node in wrt]


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
        mask = condition if mask is None else logical_and(mask, condition)
    same = adjoint.node.type.shape == node.type.shape and not adjoint.node.dynamic
    return mask, adjoint if same else broadcast_to(adjoint, node.shape)


def _sum(x: Tensor, y: Tensor) -> Tensor:
    """x + y, which is cut to zero visibly where both are, so that `_unmasked` finds it."""
    if not _is_cut(x) or not _is_cut(y) or x.node.shape != y.node.shape:
        return x + y
    (first, a, zero), (second, b, _) = (map(Tensor, part.node.args) for part in (x, y))
    if first.node is second.node:
        return where(first, a + b, zero)
    return where(logical_or(first, second), x + y, zero)


def _is_cut(x: Tensor) -> bool:
    return x.node.op.name == "where" and is_constant(x.node.args[2], 0.0)


def _fit(part: Tensor, arg: Node) -> Tensor:
    """Sum an adjoint over the axes along which its argument was broadcast."""
    have, want = part.node.shape, arg.shape
    if have == want:
        return part
    extra = len(have) - len(want)
    if extra > 0:
        part = sum_(part, tuple(range(extra)))
    squeezed = tuple(
        axis for axis, length in enumerate(want) if length == 1 and part.node.shape[axis] != 1
    )
    part = sum_(part, squeezed, keepdims=True) if squeezed else part
    return broadcast_to(part, want)
