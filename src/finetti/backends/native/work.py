"""How much one evaluation does: arithmetic, functions, and bytes of memory it touches."""

from __future__ import annotations

from dataclasses import dataclass

from finetti.backends.native.parts import opened
from finetti.backends.native.plan import Plan
from finetti.ir import Node
from finetti.ir.ops.leaf import const

_FUNCTIONS = {"exp", "log", "log1p", "log1p_unit", "log_few", "expm1", "sqrt", "power", "sin",
              "cos", "tan", "tanh", "erf", "erfc", "gammaln", "digamma", "polygamma"}  # fmt: skip


@dataclass(frozen=True)
class Work:
    """What one evaluation does.

    Parameters
    ----------
    arithmetic : int
        Additions, multiplications, divisions, comparisons and selections.
    functions : int
        Exponentials, logarithms and the like.
    constants, inputs, outputs : int
        Bytes of data read, of the point read, and of results written.
    """

    arithmetic: int
    functions: int
    constants: int
    inputs: int
    outputs: int

    def __str__(self) -> str:
        return (
            f"{self.arithmetic:,} arithmetic operations, {self.functions:,} functions; "
            f"{self.constants:,} bytes of data, {self.inputs:,} of input, "
            f"{self.outputs:,} of output"
        )


def work(plan: Plan) -> Work:
    """Count over a plan: arrays as often as they are computed, products with every term."""
    arithmetic = functions = 0
    for node, count in _computed(plan):
        if node.op.name in _FUNCTIONS:
            functions += count
        else:
            arithmetic += count
    leaves = [node for node in plan.order if node.op.family == "leaf"]
    data = sum(8 * node.type.size for node in leaves if node.op is const and node.type.size > 1)
    inputs = sum(8 * node.type.size for node in leaves if node.op.name == "input")
    outputs = sum(8 * node.type.size for node, _ in plan.outputs)
    return Work(arithmetic, functions, data, inputs, outputs)


def _computed(plan: Plan) -> list[tuple[Node, int]]:
    """Operations with how many elements they work on."""
    counts = [(node, node.type.size) for node, _ in plan.computed]
    for node in plan.order:
        if node.op.family == "elementwise" and node.type.size == 1:
            counts.append((node, 1))
        elif node.op.family == "reduction" or node.op.name == "index_add":
            counts.append((node, node.args[0].type.size))
        elif node.op.name == "matmul":
            counts.append((node, 2 * node.type.size * node.args[0].shape[-1]))
        elif node.op.name == "parts":
            body, parts = opened(node.attrs[0]), node.attrs[1]
            inner = _computed(Plan([(out, i) for i, out in enumerate(body.outputs)]))
            counts += [(own, parts * count) for own, count in inner]
    return counts
