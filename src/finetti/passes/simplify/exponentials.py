"""Rules for exponentials, logarithms, and the functions made of both."""

from __future__ import annotations

from finetti.ir import FLOAT, Node
from finetti.passes.facts import finite, nonnegative, positive
from finetti.passes.simplify.core import (
    add,
    as_dtype,
    build,
    fit,
    is_all,
    mul,
    negate,
    number,
    read_of,
    rules,
    scalar_value,
    scale,
    value,
)


@rules("exp")
def _exp(x: Node) -> Node | None:
    if x.op.name == "log" and nonnegative(x.args[0]):
        return as_dtype(x.args[0], FLOAT)
    return None


@rules("log")
def _log(x: Node) -> Node | None:
    inner = x.args[0] if x.args else x
    match x.op.name:
        case "exp":
            return as_dtype(inner, FLOAT)
        case "index" if inner.op.name == "exp":
            return build("index", inner.args[0], *x.args[1:], attrs=x.attrs)
        case "index" if inner.op.name == "sigmoid":
            return negate(read_of("softplus", negate(inner.args[0]), x))
        case "sigmoid":
            return negate(build("softplus", negate(inner)))
        case "reciprocal":
            return negate(build("log", inner))
        case "sqrt":
            return scale(build("log", inner), 0.5)
        case "multiply":
            a, b = x.args
            if a.op.name == "erfc" and is_all(b, 0.5):  # the normal distribution function
                return None
            if positive(a) and positive(b) and any(_log_is_cheap(side) for side in (a, b)):
                return add(build("log", a), build("log", b))
        case "add":
            # log(1 + x), and log(1 - p) among them
            if scalar_value(x.args[1]) == 1.0:
                return build("log1p", inner)
    return None


def _log_is_cheap(x: Node) -> bool:
    return x.op.name in ("exp", "sigmoid", "const") or (
        x.op.name == "reciprocal" and _log_is_cheap(x.args[0])
    )


@rules("log1p")
def _log1p(x: Node) -> Node | None:
    if x.op.name == "exp":
        return build("softplus", x.args[0])
    if x.op.name == "multiply" and is_all(x.args[1], -1.0):
        p = x.args[0]
        if p.op.name == "sigmoid":
            return fit(negate(build("softplus", p.args[0])), x)
        if p.op.name == "index" and p.args[0].op.name == "sigmoid":
            return fit(negate(read_of("softplus", p.args[0].args[0], p)), x)
    return None


@rules("xlogy")
def _xlogy(x: Node, y: Node) -> Node | None:
    return _times_logarithm(x, y, "log")


@rules("xlog1py")
def _xlog1py(x: Node, y: Node) -> Node | None:
    return _times_logarithm(x, y, "log1p")


def _times_logarithm(x: Node, y: Node, name: str) -> Node | None:
    """A plain product, where zero never meets an infinite logarithm."""
    if is_all(x, 0.0):
        return fit(number(0.0), x, y)
    factors = value(x)
    logarithm = build(name, y)
    if finite(logarithm) or (factors is not None and (factors != 0).all()):
        return mul(x, logarithm)
    return None


@rules("sigmoid")
def _sigmoid(x: Node) -> Node | None:
    if x.op.name == "add" and _is_logit(x):
        return x.args[0].args[0]
    return None


def _is_logit(x: Node) -> bool:
    """log(p) - log1p(-p) of a probability"""
    a, b = x.args
    if a.op.name != "log" or b.op.name != "multiply" or not is_all(b.args[1], -1.0):
        return False
    p, tail = a.args[0], b.args[0]
    return tail.op.name == "log1p" and tail.args[0] is negate(p) and in_unit_interval(p)


def in_unit_interval(x: Node) -> bool:
    """Whether every element is between 0 and 1."""
    while x.op.name in ("broadcast_to", "reshape", "index", "transpose"):
        x = x.args[0]
    return x.op.name == "sigmoid"
