"""Sums over alike parts: one body, evaluated once for each part, instead of as many graphs.

A model that a loop of Python wrote has many terms of one form, which differ in the elements that
they read. `parts` is one node for all of them. Its body computes a part's terms and their
derivatives: numbers are summed over the parts, arrays and derivatives by what belongs to the part
alone are kept in rows. Its value is flat; `piece` takes the results out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from finetti.ir.body import Body, make_slot
from finetti.ir.node import Node, make
from finetti.ir.opdef import OPS, OpDef
from finetti.ir.ops.control import piece
from finetti.ir.tensor import Tensor
from finetti.ir.types import FLOAT, Shape, TensorType

# Where an input of the body is read: an argument, and the place in the part's row of it, or None
# where all parts read the whole. Where an output goes: a result, and the place in the part's row of
# it, or None where it is summed.
Places = tuple[tuple[int, int | None], ...]


def results_of(body: Body, count: int, homes: Places) -> list[tuple[int, Shape]]:
    """Where each result begins in the flat value, and its shape: () or (parts, row)."""
    rows: dict[int, int | None] = {}
    for out, (result, place) in zip(body.outputs, homes, strict=True):
        rows[result] = None if place is None else (rows.get(result) or 0) + out.type.size
    found: list[tuple[int, Shape]] = []
    start = 0
    for result in range(len(rows)):
        row = rows[result]
        found.append((start, () if row is None else (count, row)))
        start += 1 if row is None else count * row
    return found


def _parts_type(*types: TensorType, body: Body, count: int, places: Places, homes: Places) -> Any:
    size = sum(int(np.prod(shape)) for _, shape in results_of(body, count, homes))
    return TensorType(FLOAT, (size,))


def _reference(*arrays: Any, body: Body, count: int, places: Places, homes: Places) -> np.ndarray:
    found = results_of(body, count, homes)
    results = [np.zeros(shape) for _, shape in found]
    flat = [np.asarray(array).reshape(-1) for array in arrays]
    for part in range(count):
        known: dict[Node, Any] = {}
        for node, (arg, place) in zip(body.inputs, places, strict=True):
            start = 0 if place is None else part * (len(flat[arg]) // count) + place
            known[node] = flat[arg][start : start + node.type.size].reshape(node.shape)
        for node in body.nodes:
            if node not in known:
                args = tuple(known[arg] for arg in node.args)
                known[node] = np.asarray(node.op.evaluate(args, node.attrs), node.type.dtype)
        for out, (result, place) in zip(body.outputs, homes, strict=True):
            if place is None:
                results[result] += known[out]
            else:
                results[result][part, place : place + out.type.size] = known[out].ravel()
    return np.concatenate([result.reshape(-1) for result in results])


def _sample(rng: np.random.Generator) -> Any:
    """(x a)^2 summed over six parts, with its derivatives by x and by a."""
    number = TensorType(FLOAT, ())
    x, a = (Tensor(make_slot(i, number, False)) for i in range(2))
    outputs = (x * a) ** 2, 2 * x * a * a, 2 * x * x * a
    body = Body((x.node, a.node), tuple(out.node for out in outputs), 0, 1)
    attrs = {"body": body, "count": 6, "places": ((0, 0), (1, None)),
             "homes": ((0, None), (1, 0), (2, None))}  # fmt: skip
    return (rng.normal(size=6), rng.normal(size=())), attrs


parts = OpDef(
    "parts", "control", attr_names=("body", "count", "places", "homes"), infer=_parts_type,
    numpy=_reference, native="loop over parts", jax=None, vjp=None, samples=(_sample,),
    notes={"vjp": "made after differentiation", "jax": "made for native code only"},
)  # fmt: skip


def is_result(node: Node) -> bool:
    """Whether a node is a result taken out of a sum over parts: an array of its own."""
    return node.op is piece and node.args[0].op.name == "parts"


def make_parts(
    args: Sequence[Node], body: Body, count: int, places: Places, homes: Places
) -> list[Node]:
    """The results of a sum over parts."""
    node = make(OPS["parts"], tuple(args), (body, count, places, homes))
    return [make(piece, (node,), (*found, FLOAT)) for found in results_of(body, count, homes)]
