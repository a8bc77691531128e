"""Second derivatives of the log density: Hessian-vector products in one compiled function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.backends.rows import map_rows
from finetti.ir import Node, Tensor, ops
from finetti.ir.ops.leaf import new_input
from finetti.model.compile import Array, Layout, compile_outputs
from finetti.model.logdensity import Density
from finetti.passes.grad import gradient


@dataclass(frozen=True)
class Hessian:
    """The Hessian of a log density as a function of a point.

    One graph of the size of two gradients computes its product with a vector, and is evaluated for
    every unit vector (Pearlmutter 1994, "Fast exact multiplication by the Hessian").

    Parameters
    ----------
    layout : Layout
        Names and places of all values of a point.
    sign : float
        -1 for the Hessian of the negative log density.
    function : object
        The compiled product of (point, vector).
    size : int
        Rows and columns of the result.
    """

    layout: Layout
    sign: float
    function: Any
    size: int

    def product(self, x: Array, vectors: Array) -> Array:
        """Products with the rows of `vectors` [k, size] at the vector of values `x`."""
        rows = np.concatenate([np.tile(x, (len(vectors), 1)), vectors], axis=1)
        return self.sign * map_rows(self.function, rows)

    def __call__(self, x: Array) -> list[Array]:
        """The matrix [size, size] at a vector of values, in a list as of a map with one output."""
        rows = self.product(np.asarray(x, float), np.eye(self.size))
        return [0.5 * (rows + rows.T)]


def compile_hessian(
    density: Density,
    inputs: Sequence[Node],
    jacobian: bool = True,
    negate: bool = False,
    backend: str | None = None,
) -> Hessian:
    """Compile the Hessian of the log density.

    Parameters
    ----------
    density : Density
        The model's.
    inputs : list of Node
        Continuous values to differentiate by, some of the density's.
    jacobian : bool
        With the log-determinants of the transforms.
    negate : bool
        Of the negative log density.
    backend : str, optional
        "native" (default) or "reference".
    """
    slopes = gradient(density.logp(jacobian=jacobian).node, inputs)
    vectors = [new_input(f"vector_{i}", node.shape) for i, node in enumerate(inputs)]
    along = ops.as_tensor(0.0)
    for slope, vector in zip(slopes, vectors, strict=True):
        along = ops.add(along, ops.sum_(ops.multiply(Tensor(slope), vector)))
    products = gradient(along.node, inputs)
    function = compile_outputs(
        products, [*density.inputs, *(vector.node for vector in vectors)], backend
    )
    size = sum(node.type.size for node in inputs)
    return Hessian(Layout.of(density.inputs), -1.0 if negate else 1.0, function, size)


def hessian_graph(total: Node, inputs: Sequence[Node]) -> Tensor:
    """The Hessian [n, n] of a scalar as a graph: one gradient for each row."""
    flat = [Tensor(slope).flatten() for slope in gradient(total, inputs)]
    rows = []
    for slopes in flat:
        for i in range(int(slopes.shape[0])):
            row = [Tensor(part).flatten() for part in gradient(slopes[i].node, inputs)]
            rows.append(ops.concatenate(row))
    return ops.stack(rows) if rows else ops.zeros((0, 0))
