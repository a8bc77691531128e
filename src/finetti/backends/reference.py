"""The reference backend: NumPy, one node at a time. What it computes is what a graph means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from finetti.errors import CompileError
from finetti.ir import Node, Tensor, topological


def evaluate(
    outputs: Sequence[Node | Tensor],
    values: Mapping[Node, np.ndarray] | None = None,
    rng: np.random.Generator | None = None,
) -> list[np.ndarray]:
    """The values of nodes.

    Parameters
    ----------
    outputs : sequence of Node
        What to compute.
    values : mapping, optional
        Node -> its value; must cover every input that the outputs need.
    rng : numpy.random.Generator, optional
        Feeds random nodes, in the order of their making.

    Returns
    -------
    list of numpy.ndarray
        One array per output, in its dtype.
    """
    roots = [output.node if isinstance(output, Tensor) else output for output in outputs]
    known: dict[Node, np.ndarray] = dict(values or {})
    with np.errstate(all="ignore"):
        for node in topological(roots, known):
            args: tuple[object, ...] = tuple(known[arg] for arg in node.args)
            if node.op.numpy is None:
                raise CompileError(f"no value was given for {node!r} {node.attrs}")
            if node.op.family == "random":
                if rng is None:
                    raise CompileError(f"{node!r} is random: evaluate it with a generator")
                args = (rng, *args)
            known[node] = np.asarray(node.op.evaluate(args, node.attrs), node.type.dtype)
    return [known[root] for root in roots]
