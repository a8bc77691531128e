"""The verifier that runs between passes in tests."""

from __future__ import annotations

import os
from collections.abc import Iterable

from finetti.errors import CompileError
from finetti.ir.body import Body, bodies
from finetti.ir.node import Node, topological
from finetti.ir.opdef import OPS, attrs_of
from finetti.ir.types import DTYPES

ENABLED = os.environ.get("FINETTI_VERIFY", "") not in ("", "0")


def verify(outputs: Iterable[Node], where: str) -> None:
    """Check every node against its record.

    Raises
    ------
    CompileError
        Naming the pass after which, and the node in which, something is wrong.
    """
    for node in topological(outputs):
        if OPS.get(node.op.name) is not node.op:
            raise CompileError(f"after {where}: {node!r} has an operation that is not registered")
        if node.type.dtype not in DTYPES or any(length < 0 for length in node.type.shape):
            raise CompileError(f"after {where}: {node!r} has an impossible type")
        if any(arg.order >= node.order for arg in node.args):
            raise CompileError(f"after {where}: {node!r} is older than one of its arguments")
        inferred = node.op.infer(*(arg.type for arg in node.args), **attrs_of(node))
        if inferred != node.type and not node.op.volatile:
            raise CompileError(f"after {where}: {node!r} should have type {inferred}")
        for body in bodies(node):
            _verify_body(body, where, node)


def _verify_body(body: Body, where: str, node: Node) -> None:
    verify(body.outputs, f"{where}, in the steps of {node!r}")
    strangers = [
        inner for inner in topological(body.outputs)
        if inner.op.family == "leaf" and inner.op.name not in ("const", "size", "arange")
        and inner not in body.inputs
    ]  # fmt: skip
    if strangers:
        raise CompileError(f"after {where}: the steps of {node!r} use {strangers[0]!r} outside")
