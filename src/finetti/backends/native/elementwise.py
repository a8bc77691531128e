"""How one element, or one vector of them, of each elementwise operation is computed."""

from __future__ import annotations

from collections.abc import Callable

from finetti.backends.native.builder import Builder
from finetti.backends.native.mathlib import MATH
from finetti.errors import NotYetSupported
from finetti.ir import BOOL, Node

Emit = Callable[..., str]


def _compare(predicate: str) -> Emit:
    return lambda b, x, y, lanes: b.fcmp(predicate, x, y, lanes)


def _rounding(name: str) -> Emit:
    return lambda b, x, lanes: b.intrinsic(name, [x], lanes)


def _sign(b: Builder, x: str, lanes: int) -> str:
    signed = b.copysign(1.0, x, lanes)
    # Zero and NaN are their own signs.
    return b.select(b.fcmp("une", x, 0.0, lanes), b.select(b.fcmp("ord", x, x, lanes), signed, x, lanes), x, lanes)  # fmt: skip


def _mod(b: Builder, x: str, y: str, lanes: int) -> str:
    quotient = b.intrinsic("floor", [b.fdiv(x, y, lanes)], lanes)
    return b.fsub(x, b.fmul(quotient, y, lanes), lanes)


OPERATIONS: dict[str, Emit] = {
    "fadd": Builder.fadd,
    "fsub": Builder.fsub,
    "fmul": Builder.fmul,
    "fdiv": Builder.fdiv,
    "fneg": Builder.fneg,
    "fabs": Builder.fabs,
    "square": lambda b, x, lanes: b.fmul(x, x, lanes),
    "reciprocal": lambda b, x, lanes: b.fdiv(1.0, x, lanes),
    "maximum": Builder.maximum,
    "minimum": Builder.minimum,
    "sign": _sign,
    "mod": _mod,
    "floor_divide": lambda b, x, y, lanes: b.intrinsic("floor", [b.fdiv(x, y, lanes)], lanes),
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "trunc": _rounding("trunc"),
    "rint": _rounding("rint"),
    "isnan": lambda b, x, lanes: b.fcmp("uno", x, x, lanes),
    "isinf": lambda b, x, lanes: b.fcmp("oeq", b.fabs(x, lanes), float("inf"), lanes),
    "and": Builder.logical_and,
    "or": Builder.logical_or,
    "xor": Builder.logical_xor,
    "not": Builder.logical_not,
    **{name: _compare(name) for name in ("olt", "ole", "ogt", "oge", "oeq", "une")},
    **MATH,
}
_BOOLEAN = {"and", "or", "xor", "not"}


def emit_elementwise(b: Builder, node: Node, args: list[str], lanes: int) -> str:
    """Emit one elementwise node.

    Parameters
    ----------
    b : Builder
    node : Node
        Its record's `native` column names the operation.
    args : list of str
        SSA values: i1 for boolean arguments, doubles for the others.
    lanes : int
        1 for scalars.

    Returns
    -------
    str
        The SSA value: i1 when the node is boolean, else double.
    """
    name = node.op.native or node.op.name
    if name == "select":
        condition, x, y = args
        if node.type.dtype == BOOL:
            return b.select(condition, x, y, lanes, "i1")
        x, y = (_double(b, v, a, lanes) for v, a in ((x, node.args[1]), (y, node.args[2])))
        return b.select(condition, x, y, lanes)
    if name in _BOOLEAN:
        return OPERATIONS[name](b, *args, lanes)
    doubles = [_double(b, v, a, lanes) for v, a in zip(args, node.args, strict=True)]
    if name == "cast":
        return doubles[0] if node.attrs[0] != "int64" else b.intrinsic("trunc", doubles, lanes)
    if name == "polygamma":
        return OPERATIONS["polygamma"](b, b.const(float(node.attrs[0]), lanes), *doubles, lanes)
    operation = OPERATIONS.get(name)
    if operation is None:
        raise NotYetSupported(f"{node.op.name} has no native code yet")
    return operation(b, *doubles, lanes)


def _double(b: Builder, value: str, node: Node, lanes: int) -> str:
    """A boolean as 0.0 or 1.0; numbers as they are."""
    return b.select(value, 1.0, 0.0, lanes) if node.type.dtype == BOOL else value
