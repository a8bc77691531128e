"""Elementwise primitives of JAX and reductions: name -> function of parameters and tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.ir import BOOL, FLOAT, INT, Tensor, ops

Rule = Callable[..., Any]


def _is_float(x: Tensor) -> bool:
    return x.node.type.dtype == FLOAT


def _is_bool(x: Tensor) -> bool:
    return x.node.type.dtype == BOOL


def plain(function: Rule) -> Rule:
    """A rule that needs no parameters."""
    return lambda params, *args: function(*args)


def _narrow(rule: Rule) -> Rule:
    """A rule of two operands without the axes that JAX puts in front of one, as NumPy has it."""

    def narrowed(params: Any, *args: Tensor) -> Any:
        inner = [_unstretched(x) for x in args]
        same = max(x.ndim for x in inner) == max(x.ndim for x in args)
        return rule(params, *(inner if same else args))

    return narrowed


def _unstretched(x: Tensor) -> Tensor:
    if x.node.op.name != "broadcast_to":
        return x
    inner = Tensor(x.node.args[0])
    lead = x.ndim - inner.ndim
    return inner if tuple(x.shape) == (*(1,) * lead, *inner.shape) else x


# -- whole numbers -------------------------------------------------------------------------------


def _div(params: Any, x: Tensor, y: Tensor) -> Tensor:
    if _is_float(x):
        return ops.divide(x, y)
    # JAX rounds towards zero, NumPy down.
    size = ops.floor_divide(ops.absolute(x), ops.absolute(y))
    return size * ops.sign(x) * ops.sign(y)


def _rem(params: Any, x: Tensor, y: Tensor) -> Tensor:
    # the sign of the dividend, as C has it
    rest = ops.mod(ops.absolute(x), ops.absolute(y))
    return ops.where(x < 0, -rest, rest)


def _power(params: Any, x: Tensor, y: Tensor) -> Tensor:
    return ops.power(ops.cast(x, FLOAT), y) if not _is_float(x) else ops.power(x, y)


def _integer_pow(params: Any, x: Tensor) -> Tensor:
    return ops.power(x, int(params["y"]))


def _logic(on_booleans: Rule, name: str) -> Rule:
    def rule(params: Any, *args: Tensor) -> Tensor:
        if all(map(_is_bool, args)):
            return on_booleans(*args)
        numbers = [ops.constant_value(x) for x in args]
        if any(number is None for number in numbers):
            raise NotYetSupported(f"JAX's bitwise {name!r} of whole numbers that are not known.")
        function = {"not": np.bitwise_not, "and": np.bitwise_and}.get(name)
        function = function or {"or": np.bitwise_or, "xor": np.bitwise_xor}[name]
        return ops.as_tensor(function(*numbers))

    return rule


def _shift(function: Rule) -> Rule:
    def rule(params: Any, x: Tensor, y: Tensor) -> Tensor:
        return function(x, ops.cast(ops.power(2.0, y), INT))

    return rule


def _compare(function: Rule) -> Rule:
    def rule(params: Any, x: Tensor, y: Tensor) -> Tensor:
        return function(*(ops.cast(v, INT) if _is_bool(v) else v for v in (x, y)))

    return rule


def _equal(same: bool) -> Rule:
    def rule(params: Any, x: Tensor, y: Tensor) -> Tensor:
        return ops.equal(x, y) if same else ops.not_equal(x, y)

    return rule


def _extreme(function: Rule, boolean: Rule) -> Rule:
    def rule(params: Any, x: Tensor, y: Tensor) -> Tensor:
        return boolean(x, y) if _is_bool(x) and _is_bool(y) else function(x, y)

    return rule


# -- choices and types ---------------------------------------------------------------------------


def _select_n(params: Any, which: Tensor, *cases: Tensor) -> Tensor:
    if len(cases) == 1:
        return cases[0]
    if _is_bool(which):
        return ops.where(which, cases[1], cases[0])
    result = cases[-1]
    for k in range(len(cases) - 2, -1, -1):
        result = ops.where(ops.less_equal(which, k), cases[k], result)
    return result


def _clamp(params: Any, low: Tensor, x: Tensor, high: Tensor) -> Tensor:
    return ops.minimum(ops.maximum(x, low), high)


def _convert(params: Any, x: Tensor) -> Tensor:
    kind = np.dtype(params["new_dtype"]).kind
    target = {"f": FLOAT, "i": INT, "u": INT, "b": BOOL}.get(kind)
    if target is None:
        raise NotYetSupported(f"JAX's conversion to {params['new_dtype']}.")
    if target == BOOL and not _is_bool(x):
        return ops.not_equal(x, 0)
    return ops.cast(x, target)  # towards zero where a fraction is lost, as JAX does


def _reduce_precision(params: Any, x: Tensor) -> Tensor:
    return x


# -- special functions ---------------------------------------------------------------------------


def _polygamma(params: Any, order: Tensor, x: Tensor) -> Tensor:
    number = ops.constant_value(order)
    if number is None or number.size == 0 or (number != number.flat[0]).any():
        raise NotYetSupported("JAX's polygamma with an order that is not one known number.")
    return ops.polygamma(int(number.flat[0]), x)


def _round(params: Any, x: Tensor) -> Tensor:
    if int(params["rounding_method"]) == 1:
        return ops.round_(x)
    # away from zero
    return ops.sign(x) * ops.floor(ops.absolute(x) + 0.5)


def _cbrt(x: Tensor) -> Tensor:
    return ops.sign(x) * ops.power(ops.absolute(x), 1.0 / 3.0)


# -- reductions ----------------------------------------------------------------------------------


def _reduction(function: Rule, boolean: Rule | None = None) -> Rule:
    def rule(params: Any, x: Tensor) -> Tensor:
        axes = tuple(params["axes"])
        if not axes:
            return x
        return (boolean if boolean is not None and _is_bool(x) else function)(x, axes)

    return rule


def _position(function: Rule) -> Rule:
    return lambda params, x: function(x, int(params["axes"][0]))


def _running(function: Rule) -> Rule:
    def rule(params: Any, x: Tensor) -> Tensor:
        axis = int(params["axis"])
        if not params["reverse"]:
            return function(x, axis)
        return ops.flip(function(ops.flip(x, axis), axis), axis)

    return rule


def cumlogsumexp(x: Tensor, axis: int) -> Tensor:
    """Running logsumexp: sums of ratios to the largest element so far never overflow."""
    if x.shape[axis] < 2:
        return x
    top = ops.stop_gradient(ops.cummax(x, axis))
    top = ops.where(ops.isfinite(top), top, 0.0)
    before = (slice(None),) * axis
    ratio = ops.exp(top[(*before, slice(0, -1))] - top[(*before, slice(1, None))])
    first = ops.zeros_like(ratio[(*before, slice(0, 1))])
    total = ops.recurrence(ops.concatenate([first, ratio], axis), ops.exp(x - top), axis)
    return top + ops.log(total)


def _sort(params: Any, *operands: Tensor) -> list[Tensor]:
    axis = int(params["dimension"])
    if int(params["num_keys"]) != 1:
        raise NotYetSupported("JAX's sort by several keys.")
    if len(operands) == 1:
        return [ops.sort(operands[0], axis)]
    order = ops.argsort(operands[0], axis)
    return [ops.take_along(x, order, axis) for x in operands]


def _top_k(params: Any, x: Tensor) -> list[Tensor]:
    axis = int(params.get("axis", x.ndim - 1)) % x.ndim
    places = ops.argsort(-x, axis)[(slice(None),) * axis + (slice(0, int(params["k"])),)]
    return [ops.take_along(x, places, axis), places]


_PLAIN: dict[str, Rule] = {
    "add": ops.add, "add_any": ops.add, "sub": ops.subtract, "mul": ops.multiply,
    "neg": ops.negative, "abs": ops.absolute, "sign": ops.sign, "floor": ops.floor,
    "ceil": ops.ceil, "exp": ops.exp, "exp2": ops.exp2, "log": ops.log, "log1p": ops.log1p,
    "expm1": ops.expm1, "sqrt": ops.sqrt, "cbrt": _cbrt, "square": ops.square,
    "rsqrt": lambda x: 1.0 / ops.sqrt(x), "logistic": ops.sigmoid, "tanh": ops.tanh,
    "sin": ops.sin, "cos": ops.cos, "tan": ops.tan, "asin": ops.arcsin, "acos": ops.arccos,
    "atan": ops.arctan, "atan2": ops.arctan2, "sinh": ops.sinh, "cosh": ops.cosh,
    "asinh": ops.arcsinh, "acosh": ops.arccosh, "atanh": ops.arctanh, "erf": ops.erf,
    "erfc": ops.erfc, "erf_inv": ops.erfinv, "lgamma": ops.gammaln, "digamma": ops.digamma,
    "igamma": ops.gammainc, "igammac": ops.gammaincc, "bessel_i0e": ops.i0e,
    "bessel_i1e": ops.i1e, "regularized_incomplete_beta": ops.betainc,
    "is_finite": ops.isfinite, "stop_gradient": ops.stop_gradient, "copy": lambda x: x,
    "copy_p": lambda x: x, "real": lambda x: x, "one_minus_square": lambda x: 1.0 - x * x,
}  # fmt: skip

ELEMENTWISE: dict[str, Rule] = {
    **{name: plain(function) for name, function in _PLAIN.items()},
    "div": _div, "rem": _rem, "pow": _power, "integer_pow": _integer_pow,
    "not": _logic(ops.logical_not, "not"), "and": _logic(ops.logical_and, "and"),
    "or": _logic(ops.logical_or, "or"), "xor": _logic(ops.logical_xor, "xor"),
    "shift_left": _shift(ops.multiply), "shift_right_arithmetic": _shift(ops.floor_divide),
    "lt": _compare(ops.less), "le": _compare(ops.less_equal), "gt": _compare(ops.greater),
    "ge": _compare(ops.greater_equal), "lt_to": _compare(ops.less),
    "le_to": _compare(ops.less_equal), "eq_to": _equal(True), "eq": _equal(True),
    "ne": _equal(False),
    "max": _extreme(ops.maximum, ops.logical_or), "min": _extreme(ops.minimum, ops.logical_and),
    "select_n": _select_n, "clamp": _clamp, "convert_element_type": _convert,
    "reduce_precision": _reduce_precision, "polygamma": _polygamma, "round": _round,
    "optimization_barrier": lambda params, *args: list(args),
    "reduce_sum": _reduction(ops.sum_), "reduce_prod": _reduction(ops.prod),
    "reduce_max": _reduction(ops.max_, ops.any_), "reduce_min": _reduction(ops.min_, ops.all_),
    "reduce_and": _reduction(ops.all_), "reduce_or": _reduction(ops.any_),
    "argmax": _position(ops.argmax), "argmin": _position(ops.argmin),
    "cumsum": _running(ops.cumsum), "cumprod": _running(ops.cumprod),
    "cummax": _running(ops.cummax), "cummin": _running(ops.cummin),
    "cumlogsumexp": _running(cumlogsumexp), "sort": _sort, "top_k": _top_k,
}  # fmt: skip
_BINARY = "add add_any sub mul div rem pow max min atan2 lt le gt ge eq ne and or xor".split()
ELEMENTWISE.update({name: _narrow(ELEMENTWISE[name]) for name in _BINARY})
