"""Rules that compute what users write as an expert would: no overflow, no cancelled digits.

`docs/stability.md` lists the forms with the error before and after.
"""

from __future__ import annotations

import math

from finetti.ir import FLOAT, Node
from finetti.passes.facts import given_positive, positive
from finetti.passes.simplify.conditions import is_finite
from finetti.passes.simplify.core import (
    add,
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
    split_scale,
    stretch,
)

_STRETCHED = ("broadcast_to", "reshape")


def _scaled(x: Node) -> tuple[Node, float]:
    """A product with a number as (the rest, the number)."""
    if x.op.name == "multiply":
        factor = scalar_value(x.args[1])
        if factor is not None:
            return x.args[0], factor
    return x, 1.0


def _of(x: Node, name: str) -> Node | None:
    """The argument of `name`, when `x` is that function of it."""
    return x.args[0] if x.op.name == name else None


# -- beside 1 ------------------------------------------------------------------------------------


@rules("add")
def _beside_one(x: Node, y: Node) -> Node | None:
    """A constant plus or minus a function that approaches it."""
    constant = scalar_value(y)
    inner, factor = _scaled(x)
    if constant is None or not constant or x.type.dtype != FLOAT or not inner.args:
        return None
    u = inner.args[0]
    result = None
    match inner.op.name, factor / constant:
        case "exp", -1.0:
            result = scale(build("expm1", u), factor)
        case "erf", 1.0:
            result = scale(build("erfc", negate(u)), factor)
        case "erf", -1.0:
            result = scale(build("erfc", u), constant)
        case "erfc", -1.0:
            result = scale(build("erf", u), constant)
        case "erfc", -0.5:
            result = scale(build("erfc", negate(u)), -factor)
        case "sigmoid", -1.0:
            result = scale(build("sigmoid", negate(u)), constant)
        case "index", -1.0 if u.op.name == "sigmoid":
            result = scale(read_of("sigmoid", negate(u.args[0]), inner), constant)
    return None if result is None else fit(result, x, y)


# -- sigmoids and hyperbolic tangents ------------------------------------------------------------


@rules("reciprocal")
def _logistic(x: Node) -> Node | None:
    """1 / (1 + exp(u))"""
    if x.op.name == "add" and is_all(x.args[1], 1.0):
        u = _of(x.args[0], "exp")
        if u is not None:
            return fit(build("sigmoid", negate(u)), x)
    return None


@rules("multiply")
def _odds_to_probability(x: Node, y: Node) -> Node | None:
    """exp(u) sigmoid(-u)"""
    for a, b in ((x, y), (y, x)):
        u, v = _of(a, "exp"), _of(b, "sigmoid")
        if u is not None and v is not None and v is negate(u):
            return fit(build("sigmoid", u), x, y)
    return None


@rules("multiply")
def _tanh(x: Node, y: Node) -> Node | None:
    """(exp(u) - exp(-u)) / (exp(u) + exp(-u))"""
    for top, bottom in ((x, y), (y, x)):
        total = _of(bottom, "reciprocal")
        if total is None or total.op.name != "add" or top.op.name != "add":
            continue
        for a, b in (top.args, top.args[::-1]):
            inner, factor = _scaled(b)
            if factor != -1.0 or {a, inner} != set(total.args):
                continue
            u, v = _of(a, "exp"), _of(inner, "exp")
            if u is not None and v is not None and v is negate(u):
                return fit(build("tanh", u), x, y)
    return None


# -- softmax -------------------------------------------------------------------------------------


@rules("multiply")
def _softmax(x: Node, y: Node) -> Node | None:
    """exp(v) / sum(exp(v))"""
    for a, b in ((x, y), (y, x)):
        v, divisor = _of(a, "exp"), b
        while divisor.op.name in _STRETCHED:
            divisor = divisor.args[0]
        total = _of(divisor, "reciprocal")
        while total is not None and total.op.name in _STRETCHED:
            total = total.args[0]
        if v is None or total is None or total.op.name != "sum" or total.args[0] is not a:
            continue
        if not _is_shifted(v):
            shifted = add(v, negate(_along(_peak(v, total.attrs[0]), v, total.attrs[0])))
            shares = build("sum", build("exp", shifted), attrs=total.attrs)
            whole = _along(build("log", shares), v, total.attrs[0])
            return fit(build("exp", add(shifted, negate(whole))), x, y)
    return None


def _peak(v: Node, axes: tuple[int, ...]) -> Node:
    """The largest element along axes, as a constant to gradients; 0 for an infinite one."""
    peak = build("max", v, attrs=(axes,))
    # an infinite peak is the answer itself; subtracting it would give NaN
    return build("stop_gradient", build("where", is_finite(peak), peak, number(0.0)))


def _along(reduced: Node, v: Node, axes: tuple[int, ...]) -> Node:
    """What is left of axes, beside every element again."""
    kept = tuple(1 if i in axes else n for i, n in enumerate(v.shape))
    return stretch(build("reshape", reduced, attrs=(kept,)), v.shape)


def _is_shifted(v: Node) -> bool:
    """Whether exponents have their maximum taken off, so that their sum needs no other care."""
    stack, seen = ([*v.args] if v.op.name == "add" else []), 0
    while stack and seen < 12:
        node = stack.pop()
        seen += 1
        if node.op.name in ("max", "maximum", "stop_gradient"):
            return True
        if node.op.name in ("multiply", "where", "reshape", "broadcast_to"):
            stack += node.args
    return False


# -- logarithms ----------------------------------------------------------------------------------


@rules("log")
def _log_of_product(x: Node) -> Node | None:
    """A positive number leaves the logarithm, where what stays has a form of its own."""
    inner, factor = _scaled(x)
    if factor == -1.0 and (u := _of(inner, "expm1")) is not None:
        return fit(build("log1mexp", u), x)
    if factor == 0.5 and (u := _of(inner, "erfc")) is not None:
        return fit(build("log_ndtr", scale(u, -math.sqrt(2.0))), x)
    if x.op.name == "multiply" and x.args[0] is x.args[1]:
        return scale(build("log", build("absolute", x.args[0])), 2.0)
    if inner is not x and factor > 0 and inner.op.name in ("sum", "erfc", "expm1", "add", "cosh"):
        return fit(add(build("log", inner), number(math.log(factor))), x)
    return None


@rules("log")
def _log(x: Node) -> Node | None:
    match x.op.name:
        case "expm1":
            u = x.args[0]
            return add(u, build("log1mexp", negate(u)))
        case "erfc":
            return _log_erfc(x.args[0])
        case "cosh":
            return _log_cosh(x.args[0])
        case "add":
            return _log_of_sum(*x.args)
        case "sum":
            return _logsumexp(x)
        case "reshape" if x.args[0].op.name == "sum":  # its axes kept
            inner = _logsumexp(x.args[0])
            return None if inner is None else build("reshape", inner, attrs=(x.shape,))
    return None


@rules("log1p")
def _log1p(x: Node) -> Node | None:
    inner, factor = _scaled(x)
    u = _of(inner, "exp")
    return None if u is None or factor != -1.0 else fit(build("log1mexp", u), x)


def _log_erfc(u: Node) -> Node:
    """Through log1p(-erf(u)) below 1/2, through the normal distribution above."""
    half = number(0.5)
    low = build("log1p", negate(build("erf", build("minimum", u, half))))
    high = build("log_ndtr", scale(build("maximum", u, half), -math.sqrt(2.0)))
    return build("where", build("greater", u, half), add(high, number(math.log(2.0))), low)


def _log_cosh(u: Node) -> Node:
    """Through 2 sinh(u / 2)**2 below 1, without the exponential's overflow above."""
    size = build("absolute", u)
    half = build("sinh", scale(build("minimum", size, number(1.0)), 0.5))
    low = build("log1p", scale(mul(half, half), 2.0))
    high = add(add(size, build("softplus", scale(size, -2.0))), number(-math.log(2.0)))
    return build("where", build("greater", size, number(1.0)), high, low)


def _log_of_sum(x: Node, y: Node) -> Node | None:
    """The logarithm of exponentials added or subtracted."""
    a, b = _log_of_term(x), _log_of_term(y)
    if a is not None and b is not None:
        return fit(build("logaddexp", a, b), x, y)
    for plus, minus in ((x, y), (y, x)):
        inner, factor = _scaled(minus)
        u, v = _of(plus, "exp"), _of(inner, "exp")
        if factor == -1.0 and u is not None and v is not None:
            gap = add(v, negate(u))
            return fit(add(u, build("log1mexp", gap)), x, y)
    return None


def _log_of_term(x: Node) -> Node | None:
    """The logarithm of an exponential with a positive factor."""
    array, outer = split_scale(x)
    if outer is not None:
        inner = _log_of_term(array)
        return add(inner, build("log", outer)) if inner is not None and positive(outer) else None
    if x.op.name == "exp":
        return x.args[0]
    if x.op.name == "multiply" and positive(x):
        for a, b in (x.args, x.args[::-1]):
            known = b.op.name in ("const", "exp", "sigmoid") or given_positive(b)
            if a.op.name == "exp" and known:
                return fit(add(a.args[0], build("log", b)), x)
    return None


def _logsumexp(x: Node) -> Node | None:
    """log(sum(exp(v))): with the largest term taken out."""
    (terms,), (axes,) = x.args, x.attrs
    v = _of(terms, "exp")
    if v is None or not v.type.size or v.type.dtype != FLOAT or _is_shifted(v):
        return None
    peak = _peak(v, axes)
    total = build("sum", build("exp", add(v, negate(_along(peak, v, axes)))), attrs=(axes,))
    return add(build("log", total), peak)
