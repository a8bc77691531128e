"""Sums of logarithms as logarithms of products: one logarithm a loop instead of one a row.

Numbers are multiplied lane by lane and a loop takes the logarithm of the products in its end. For
log(1 + t) what is kept is the product less 1, which has the digits of small sums. `Sink.combine`
says "log", "log1p" or, for t of any size, "log1p_any"; the loops take care of products that grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from finetti.ir import FLOAT, Node, topological
from finetti.ir.node import make
from finetti.ir.opdef import OpDef, Sample, reals, unary
from finetti.ir.types import TensorType
from finetti.passes.facts import nonnegative
from finetti.passes.simplify import add, build, mul, split_scale

log1p_unit = unary(
    "log1p_unit", numpy=np.log1p, native="log1p01", jax="jax.numpy.log1p", samples=reals(0.0, 1.0),
    vjp=None, notes={"vjp": "made after differentiation: log1p of a number in [0, 1]"},
)  # fmt: skip
log_few = unary(
    "log_few", numpy=np.log, native="log", jax="jax.numpy.log", samples=reals(1.0, 10.0),
    vjp=None, notes={"vjp": "made after differentiation: log of a number in [1, 16], 0 or inf"},
)  # fmt: skip


def _scalar(x: TensorType, axes: tuple[int, ...]) -> TensorType:
    return TensorType(FLOAT, tuple(n for a, n in enumerate(x.shape) if a not in axes))


def _sample(shape: tuple[int, ...]) -> Sample:
    axes = tuple(range(len(shape)))
    return lambda rng: ((rng.uniform(0.5, 1.0, shape),), {"axes": axes})


def _total(name: str, numpy: Any) -> OpDef:
    """A reduction of all elements to a sum of logarithms."""
    return OpDef(
        name, "reduction", attr_names=("axes",), native="reduce", jax=None, vjp=None,
        infer=_scalar, numpy=lambda x, axes: np.sum(numpy(x), axes),
        samples=tuple(_sample(shape) for shape in ((5,), (40,), (7, 3))),
        notes={"vjp": "made after differentiation", "jax": "made by lowering alone"},
    )  # fmt: skip


sum_log1p = _total("sum_log1p", np.log1p)
sum_log1p_any = _total("sum_log1p_any", np.log1p)
sum_log = _total("sum_log", np.log)
_SUMS = {"log1p_unit": sum_log1p, "log1p": sum_log1p_any, "log_few": sum_log}
_DEEPEST = 30

Terms = list[tuple["Node | None", Node]]  # (scalar factor, logarithm)


def multiply_logs(outputs: Iterable[Node]) -> list[Node]:
    """Rewrite sums of all elements of arrays by products, where logarithms are among the terms."""
    outputs = list(outputs)
    order = topological(outputs)
    if not any(node.op.name in _SUMS and node.type.size > 1 for node in order):
        return outputs
    new: dict[Node, Node] = {}
    for node in order:
        args = tuple(new[arg] for arg in node.args)
        made = _product(node, new) if node.op.name == "sum" and not node.shape else None
        if made is None:
            made = node if args == node.args else make(node.op, args, node.attrs)
        new[node] = made
    return [new[node] for node in outputs]


def _product(node: Node, new: Mapping[Node, Node]) -> Node | None:
    terms: Terms = []
    rest = _without(node.args[0], None, terms, 0)
    if not terms:
        return None
    total = None if rest is None else build("sum", rest, attrs=(tuple(range(rest.type.ndim)),))
    for factor, logarithm in terms:
        (inner,) = logarithm.args
        own = make(_SUMS[logarithm.op.name], (inner,), (tuple(range(inner.type.ndim)),))
        own = own if factor is None else mul(own, factor)
        total = own if total is None else add(total, own)
    return total


def _without(x: Node, factor: Node | None, terms: Terms, depth: int) -> Node | None:
    """What is left of a sum when the logarithms are taken out of it, None for nothing."""
    if depth > _DEEPEST or x.type.dtype != FLOAT:
        return x
    fits = x.op.name in _SUMS and x.args[0].type.size > 1
    if fits and (x.op.name != "log1p" or nonnegative(x.args[0])):
        terms.append((factor, x))
        return None
    if x.op.name == "reshape":
        inner = _without(x.args[0], factor, terms, depth + 1)
        return inner if inner is None else build("reshape", inner, attrs=x.attrs)
    if x.op.name == "multiply":
        array, own = split_scale(x)
        if own is None:
            return x
        both = own if factor is None else mul(factor, own)
        inner = _without(array, both, terms, depth + 1)
        return x if inner is array else None if inner is None else mul(inner, own)
    if x.op.name == "add" and all(arg.shape == x.shape for arg in x.args):
        left = [_without(arg, factor, terms, depth + 1) for arg in x.args]
        if left[0] is x.args[0] and left[1] is x.args[1]:
            return x
        kept = [part for part in left if part is not None]
        return add(*kept) if len(kept) == 2 else kept[0] if kept else None
    return x


__all__ = ["log1p_unit", "log_few", "multiply_logs", "sum_log", "sum_log1p",
           "sum_log1p_any"]  # fmt: skip
