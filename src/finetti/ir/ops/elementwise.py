"""Arithmetic, comparison, logic, and the elementary functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.errors import DtypeError
from finetti.ir.opdef import (
    OpDef,
    binary,
    common_type,
    comparison,
    float_type,
    logical_type,
    promoted_type,
    reals,
    signed_type,
    unary,
)
from finetti.ir.tensor import Tensor
from finetti.ir.types import BOOL, FLOAT, TensorType, broadcast, promote


def _bools(count: int) -> tuple[Any, ...]:
    return tuple(
        (lambda rng, shape=shape: tuple(rng.uniform(size=shape) < 0.5 for _ in range(count)))
        for shape in ((), (7,), (3, 4))
    )


def _cut(condition: Any, g: Tensor) -> Tensor:
    """The adjoint where the condition holds, zero elsewhere."""
    return where(condition, g, 0.0)


# -- arithmetic ----------------------------------------------------------------------------------

add = binary(
    "add", infer=common_type, ufunc="add", numpy=lambda x, y: np.add(x, y), native="fadd",
    jax="jax.numpy.add",
    vjp=lambda g, out, x, y: (g, g),
)  # fmt: skip
subtract = binary(
    "subtract", infer=signed_type, ufunc="subtract", numpy=np.subtract, native="fsub",
    jax="jax.numpy.subtract",
    vjp=lambda g, out, x, y: (g, -g),
)  # fmt: skip
multiply = binary(
    "multiply", infer=common_type, ufunc="multiply", numpy=np.multiply, native="fmul",
    jax="jax.numpy.multiply",
    vjp=lambda g, out, x, y: (g * y, g * x),
)  # fmt: skip
divide = binary(
    "divide", ufunc="divide", infer=float_type, numpy=np.divide, native="fdiv",
    jax="jax.numpy.divide", samples=reals(0.5, 3.0, 2),
    vjp=lambda g, out, x, y: (g / y, -(g * out / y)),
)  # fmt: skip
floor_divide = binary(
    "floor_divide", ufunc="floor_divide", numpy=np.floor_divide, native="floor_divide",
    jax="jax.numpy.floor_divide", samples=reals(0.6, 3.3, 2), vjp=None,
    notes={"vjp": "piecewise constant"},
)  # fmt: skip
mod = binary(
    "mod", ufunc="remainder", numpy=np.mod, native="mod", jax="jax.numpy.mod",
    samples=reals(0.6, 3.3, 2), vjp=lambda g, out, x, y: (g, -(g * floor(x / y))),
)  # fmt: skip
power = binary(
    "power", ufunc="power", numpy=np.power, native="pow", jax="jax.numpy.power",
    samples=reals(0.3, 2.5, 2),
    vjp=lambda g, out, x, y: (g * y * power(x, y - 1), g * where(x > 0, log(x), 0.0) * out),
)  # fmt: skip
negative = unary(
    "negative", infer=signed_type, ufunc="negative", numpy=np.negative, native="fneg",
    jax="jax.numpy.negative", vjp=lambda g, y, x: (-g,),
)  # fmt: skip
absolute = unary(
    "absolute", infer=common_type, ufunc="absolute", numpy=np.absolute, native="fabs",
    jax="jax.numpy.abs", vjp=lambda g, y, x: (g * sign(x),),
)  # fmt: skip
sign = unary(
    "sign", infer=signed_type, ufunc="sign", numpy=np.sign, native="sign", jax="jax.numpy.sign",
    vjp=None, notes={"vjp": "piecewise constant"},
)  # fmt: skip
square = unary(
    "square", infer=common_type, ufunc="square", numpy=np.square, native="square",
    jax="jax.numpy.square", vjp=lambda g, y, x: (g * (2.0 * x),),
)  # fmt: skip
reciprocal = unary(
    "reciprocal", ufunc="reciprocal", numpy=lambda x: 1.0 / x, native="reciprocal",
    jax="jax.numpy.reciprocal", samples=reals(0.3, 3.0),
    vjp=lambda g, y, x: (-(g * (y * y)),),
)  # fmt: skip
sqrt = unary(
    "sqrt", ufunc="sqrt", numpy=np.sqrt, native="sqrt", jax="jax.numpy.sqrt",
    samples=reals(0.1, 9.0), vjp=lambda g, y, x: (g * 0.5 / y,),
)  # fmt: skip
maximum = binary(
    "maximum", infer=common_type, ufunc="maximum", numpy=np.maximum, native="maximum",
    jax="jax.numpy.maximum",
    vjp=lambda g, out, x, y: (_cut(x >= y, g), _cut(x < y, g)),
)  # fmt: skip
minimum = binary(
    "minimum", infer=common_type, ufunc="minimum", numpy=np.minimum, native="minimum",
    jax="jax.numpy.minimum",
    vjp=lambda g, out, x, y: (_cut(x <= y, g), _cut(x > y, g)),
)  # fmt: skip
_step = dict(infer=promoted_type, vjp=None, notes={"vjp": "piecewise constant"})
floor = unary(
    "floor", ufunc="floor", numpy=np.floor, native="floor", jax="jax.numpy.floor", **_step,
)  # fmt: skip
ceil = unary("ceil", ufunc="ceil", numpy=np.ceil, native="ceil", jax="jax.numpy.ceil", **_step)
trunc = unary(
    "trunc", ufunc="trunc", numpy=np.trunc, native="trunc", jax="jax.numpy.trunc", **_step,
)  # fmt: skip
round_ = unary("round", ufunc="rint", numpy=np.rint, native="rint", jax="jax.numpy.rint", **_step)

# -- comparison and logic ------------------------------------------------------------------------

less = comparison("less", ufunc="less", numpy=np.less, native="olt", jax="jax.numpy.less")
less_equal = comparison(
    "less_equal", ufunc="less_equal", numpy=np.less_equal, native="ole", jax="jax.numpy.less_equal"
)
greater = comparison(
    "greater", ufunc="greater", numpy=np.greater, native="ogt", jax="jax.numpy.greater"
)
greater_equal = comparison(
    "greater_equal", ufunc="greater_equal", numpy=np.greater_equal, native="oge",
    jax="jax.numpy.greater_equal",
)  # fmt: skip
equal = comparison("equal", ufunc="equal", numpy=np.equal, native="oeq", jax="jax.numpy.equal")
not_equal = comparison(
    "not_equal", ufunc="not_equal", numpy=np.not_equal, native="une", jax="jax.numpy.not_equal"
)
_logic = dict(infer=logical_type, vjp=None, notes={"vjp": "boolean"})
logical_and = binary(
    "logical_and", ufunc="logical_and", numpy=np.logical_and, native="and",
    jax="jax.numpy.logical_and", samples=_bools(2), **_logic,
)  # fmt: skip
logical_or = binary(
    "logical_or", ufunc="logical_or", numpy=np.logical_or, native="or",
    jax="jax.numpy.logical_or", samples=_bools(2), **_logic,
)  # fmt: skip
logical_xor = binary(
    "logical_xor", ufunc="logical_xor", numpy=np.logical_xor, native="xor",
    jax="jax.numpy.logical_xor", samples=_bools(2), **_logic,
)  # fmt: skip
logical_not = unary(
    "logical_not", ufunc="logical_not", numpy=np.logical_not, native="not",
    jax="jax.numpy.logical_not", samples=_bools(1), **_logic,
)  # fmt: skip
_test = dict(
    infer=lambda x: TensorType(BOOL, x.shape), vjp=None, notes={"vjp": "piecewise constant"}
)
isnan = unary(
    "isnan", ufunc="isnan", numpy=np.isnan, native="isnan", jax="jax.numpy.isnan", **_test,
)  # fmt: skip
isinf = unary(
    "isinf", ufunc="isinf", numpy=np.isinf, native="isinf", jax="jax.numpy.isinf", **_test,
)  # fmt: skip


def _where_type(condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    if condition.dtype != BOOL:
        raise DtypeError(
            f"where/switch got a condition of type {condition}: expected booleans. Compare first, "
            "e.g. `x > 0`."
        )
    return TensorType(promote(x.dtype, y.dtype), broadcast(condition.shape, x.shape, y.shape))


def _where_samples() -> tuple[Any, ...]:
    return tuple(
        (
            lambda rng, s=s: (
                rng.uniform(size=s[0]) < 0.5,
                rng.normal(size=s[1]),
                rng.normal(size=s[2]),
            )
        )
        for s in (((), (), ()), ((6,), (), (6,)), ((3, 1), (4,), (3, 4)))
    )


_where = OpDef(
    "where", "elementwise", infer=_where_type, numpy=np.where, native="select",
    jax="jax.numpy.where",
    samples=_where_samples(),
    vjp=lambda g, out, c, x, y: (None, where(c, g, 0.0), where(c, 0.0, g)),
)  # fmt: skip


def where(condition: Any, x: Any, y: Any) -> Tensor:
    """`x` where the condition holds, else `y`, elementwise."""
    return _where(condition, x, y)


def _cast_type(x: TensorType, dtype: str) -> TensorType:
    return TensorType(dtype, x.shape)


_cast = OpDef(
    "cast", "elementwise", attr_names=("dtype",), infer=_cast_type, native="cast",
    jax="jax.numpy.astype",
    numpy=lambda x, dtype: np.asarray(x).astype(dtype),
    vjp=lambda g, y, x, dtype: (g if dtype == FLOAT else None,),
    samples=((lambda rng: ((rng.integers(-4, 5, (6,)),), {"dtype": FLOAT})),
             (lambda rng: ((rng.uniform(-4, 5, (6,)),), {"dtype": "int64"}))),
)  # fmt: skip


def cast(x: Any, dtype: str) -> Tensor:
    """`x` as float64, int64 or bool; to bool means unequal to zero."""
    x = x if isinstance(x, Tensor) else add(x, 0)
    if x.node.type.dtype == dtype:
        return x
    return not_equal(x, 0) if dtype == BOOL else _cast(x, dtype=dtype)


# -- elementary functions ------------------------------------------------------------------------

exp = unary(
    "exp",
    ufunc="exp",
    numpy=np.exp,
    native="exp",
    jax="jax.numpy.exp",
    vjp=lambda g, y, x: (g * y,),
)
expm1 = unary(
    "expm1", ufunc="expm1", numpy=np.expm1, native="expm1", jax="jax.numpy.expm1",
    vjp=lambda g, y, x: (g * exp(x),),
)  # fmt: skip
log = unary(
    "log", ufunc="log", numpy=np.log, native="log", jax="jax.numpy.log", samples=reals(0.05, 20.0),
    vjp=lambda g, y, x: (g / x,),
)  # fmt: skip
log1p = unary(
    "log1p", ufunc="log1p", numpy=np.log1p, native="log1p", jax="jax.numpy.log1p",
    samples=reals(-0.9, 20.0), vjp=lambda g, y, x: (g / (1.0 + x),),
)  # fmt: skip
sin = unary(
    "sin", ufunc="sin", numpy=np.sin, native="sin", jax="jax.numpy.sin",
    vjp=lambda g, y, x: (g * cos(x),),
)  # fmt: skip
cos = unary(
    "cos", ufunc="cos", numpy=np.cos, native="cos", jax="jax.numpy.cos",
    vjp=lambda g, y, x: (-(g * sin(x)),),
)  # fmt: skip
tan = unary(
    "tan", ufunc="tan", numpy=np.tan, native="tan", jax="jax.numpy.tan", samples=reals(-1.2, 1.2),
    vjp=lambda g, y, x: (g * (1.0 + y * y),),
)  # fmt: skip
arcsin = unary(
    "arcsin", ufunc="arcsin", numpy=np.arcsin, native="asin", jax="jax.numpy.arcsin",
    samples=reals(-0.9, 0.9), vjp=lambda g, y, x: (g / sqrt(1.0 - x * x),),
)  # fmt: skip
arccos = unary(
    "arccos", ufunc="arccos", numpy=np.arccos, native="acos", jax="jax.numpy.arccos",
    samples=reals(-0.9, 0.9), vjp=lambda g, y, x: (-(g / sqrt(1.0 - x * x)),),
)  # fmt: skip
arctan = unary(
    "arctan", ufunc="arctan", numpy=np.arctan, native="atan", jax="jax.numpy.arctan",
    vjp=lambda g, y, x: (g / (1.0 + x * x),),
)  # fmt: skip
sinh = unary(
    "sinh", ufunc="sinh", numpy=np.sinh, native="sinh", jax="jax.numpy.sinh",
    vjp=lambda g, y, x: (g * cosh(x),),
)  # fmt: skip
cosh = unary(
    "cosh", ufunc="cosh", numpy=np.cosh, native="cosh", jax="jax.numpy.cosh",
    vjp=lambda g, y, x: (g * sinh(x),),
)  # fmt: skip
tanh = unary(
    "tanh", ufunc="tanh", numpy=np.tanh, native="tanh", jax="jax.numpy.tanh",
    vjp=lambda g, y, x: (g * (1.0 - y * y),),
)  # fmt: skip
arcsinh = unary(
    "arcsinh", ufunc="arcsinh", numpy=np.arcsinh, native="asinh", jax="jax.numpy.arcsinh",
    vjp=lambda g, y, x: (g / sqrt(1.0 + x * x),),
)  # fmt: skip
arccosh = unary(
    "arccosh", ufunc="arccosh", numpy=np.arccosh, native="acosh", jax="jax.numpy.arccosh",
    samples=reals(1.1, 9.0), vjp=lambda g, y, x: (g / (sqrt(x - 1.0) * sqrt(x + 1.0)),),
)  # fmt: skip
arctanh = unary(
    "arctanh", ufunc="arctanh", numpy=np.arctanh, native="atanh", jax="jax.numpy.arctanh",
    samples=reals(-0.9, 0.9), vjp=lambda g, y, x: (g / ((1.0 - x) * (1.0 + x)),),
)  # fmt: skip


def _arctan2_vjp(g: Tensor, out: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    share = g / (x * x + y * y)
    return share * x, -(share * y)


arctan2 = binary(
    "arctan2", infer=float_type, ufunc="arctan2", numpy=np.arctan2, native="atan2",
    jax="jax.numpy.arctan2", samples=reals(-3.0, 3.0, 2), vjp=_arctan2_vjp,
)  # fmt: skip


def isfinite(x: Any) -> Tensor:
    """Whether each element is neither infinite nor NaN."""
    return less(absolute(x), np.inf)


# What it holds counts as a constant: where the true derivative is known to cancel.
stop_gradient = unary(
    "stop_gradient", infer=lambda x: x, numpy=np.positive, native="identity",
    jax="jax.lax.stop_gradient", vjp=None, notes={"vjp": "none, by definition"},
)  # fmt: skip
