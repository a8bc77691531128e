"""The gradient of a scalar, written in the graph."""

from __future__ import annotations

from collections.abc import Sequence

from finetti.ir import Node, ops
from finetti.ir.ops.pullback import pullback


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
    adjoints = pullback([out], [ops.as_tensor(1.0)], wrt)
    return [
        (ops.zeros(node.shape) if adjoint is None else adjoint).node
        for adjoint, node in zip(adjoints, wrt, strict=True)
    ]
