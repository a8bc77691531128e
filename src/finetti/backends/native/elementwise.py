"""How one element, or one vector of them, of each elementwise operation is computed."""

from __future__ import annotations

from collections.abc import Callable

from finetti.backends.native.builder import Builder, vector_type
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
    signed = b.select(b.fcmp("ord", x, x, lanes), signed, x, lanes)
    return b.select(b.fcmp("une", x, 0.0, lanes), signed, x, lanes)


def _remainder(b: Builder, x: str, y: str, lanes: int) -> tuple[str, str]:
    """C's remainder, and whether NumPy's is one divisor further, on the divisor's side of zero."""
    rest = MATH["fmod"](b, x, y, lanes)
    apart = b.logical_xor(b.fcmp("olt", rest, 0.0, lanes), b.fcmp("olt", y, 0.0, lanes), lanes)
    return rest, b.logical_and(b.fcmp("une", rest, 0.0, lanes), apart, lanes)


def _mod(b: Builder, x: str, y: str, lanes: int) -> str:
    rest, further = _remainder(b, x, y, lanes)
    return b.select(further, b.fadd(rest, y, lanes), rest, lanes)


def _floor_divide(b: Builder, x: str, y: str, lanes: int) -> str:
    # As NumPy: floor(x / y) is one too many where the quotient is rounded up to a whole number.
    rest, further = _remainder(b, x, y, lanes)
    quotient = b.fdiv(b.fsub(x, rest, lanes), y, lanes)
    quotient = b.select(further, b.fsub(quotient, 1.0, lanes), quotient, lanes)
    quotient = b.intrinsic("rint", [quotient], lanes)
    return b.select(b.fcmp("oeq", y, 0.0, lanes), b.fdiv(x, y, lanes), quotient, lanes)


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
    "floor_divide": _floor_divide,
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "trunc": _rounding("trunc"),
    "rint": _rounding("rint"),
    "isnan": lambda b, x, lanes: b.fcmp("uno", x, x, lanes),
    "isinf": lambda b, x, lanes: b.fcmp("oeq", b.fabs(x, lanes), float("inf"), lanes),
    "identity": lambda b, x, lanes: x,
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
    # What is left of static attributes are numbers: orders of derivatives. They come first.
    doubles = [*(b.const(float(value), lanes) for value in node.attrs), *doubles]
    operation = OPERATIONS.get(name)
    if operation is None:
        raise NotYetSupported(f"{node.op.name} has no native code yet")
    if b.call_math and lanes > 1 and name in MATH:
        return b.call(_written_once(b, name, len(doubles), lanes), doubles, lanes)
    return operation(b, *doubles, lanes)


def is_math(node: Node) -> bool:
    """Whether a node is a function of mathematics: tens of instructions, not one."""
    return (node.op.native or node.op.name) in MATH


def _written_once(b: Builder, name: str, count: int, lanes: int) -> str:
    """The symbol of a function of vectors, which is added to the module when it is new."""
    symbol = f"math_{name}_{lanes}"
    if symbol not in b.functions:
        body, kind = b.child(), vector_type(lanes)
        result = MATH[name](body, *(f"%x{i}" for i in range(count)), lanes)
        body.ret(f"{kind} {result}")
        arguments = ", ".join(f"{kind} %x{i}" for i in range(count))
        header = f"define internal {kind} @{symbol}({arguments})"
        b.define(symbol, f"{header} noinline nounwind willreturn memory(none)", body)
    return symbol


def _double(b: Builder, value: str, node: Node, lanes: int) -> str:
    """A boolean as 0.0 or 1.0; numbers as they are."""
    return b.select(value, 1.0, 0.0, lanes) if node.type.dtype == BOOL else value
