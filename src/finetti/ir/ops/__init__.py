"""Every operation, and how tensors and NumPy reach it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.ir import tensor as _tensor
from finetti.ir.opdef import OPS, UFUNCS, OpDef
from finetti.ir.ops import elementwise, indexing, leaf, linalg, random, reduce, shape, special
from finetti.ir.ops.elementwise import (
    absolute, add, arccos, arcsin, arctan, cast, ceil, cos, cosh, divide, equal, exp, expm1, floor,
    floor_divide, greater, greater_equal, isinf, isnan, less, less_equal, log, log1p, logical_and,
    logical_not, logical_or, logical_xor, maximum, minimum, mod, multiply, negative, not_equal,
    power, reciprocal, round_, sign, sin, sinh, sqrt, square, subtract, tan, tanh, trunc, where,
)
from finetti.ir.ops.indexing import diag, diagonal, getitem, set_at, take
from finetti.ir.ops.leaf import as_constant, constant_value, is_constant, new_input
from finetti.ir.ops.linalg import (
    cholesky, dot, matmul, matrix_transpose, outer, quadratic_form, solve_triangular, tril, triu,
)
from finetti.ir.ops.reduce import (
    all_, any_, cumsum, log_softmax, logsumexp, max_, mean, min_, prod, softmax, std, sum_, var,
)
from finetti.ir.ops.shape import (
    arange, as_tensor, broadcast_to, concatenate, expand_dims, eye, flatten, full, full_like, moveaxis,
    ones, ones_like, repeat, reshape, squeeze, stack, swapaxes, tile, transpose, zeros, zeros_like,
)
from finetti.ir.ops.special import (
    arccosh, arcsinh, arctan2, arctanh, betainc, betaincinv, betaln, digamma, erf, erfc, erfcinv,
    erfinv, exp2, gammainc, gammaincc, gammaincinv, gammaln, invprobit, log1mexp, log2, log10,
    log_ndtr, logaddexp, logdiffexp, logit, ndtri, polygamma, probit, sigmoid, softplus, xlog1py,
    xlogy,
)  # fmt: skip


def clip(x: Any, low: Any, high: Any) -> _tensor.Tensor:
    """`x` kept between two bounds; None leaves a side open."""
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


def split(x: Any, sections: Any, axis: int = 0) -> list[_tensor.Tensor]:
    """Cut along an axis into equal sections, or at the given positions."""
    x = as_tensor(x)
    places = np.array_split(np.arange(x.shape[axis]), sections)
    before = (slice(None),) * (axis % x.ndim)
    return [getitem(x, (*before, slice(int(p[0]), int(p[-1]) + 1))) for p in places if p.size]


_tensor.METHODS.update(
    as_constant=as_constant, getitem=getitem, stack=stack, transpose=transpose, reshape=reshape,
    flatten=flatten, ravel=flatten, squeeze=squeeze, repeat=repeat, take=take, diagonal=diagonal,
    sum=sum_, prod=prod, max=max_, min=min_, all=all_, any=any_, mean=mean, var=var, std=std,
    cumsum=cumsum, dot=dot, clip=clip, astype=lambda x, dtype: cast(x, np.dtype(dtype).name),
    round=round_, conj=lambda x: x, copy=lambda x: x, matmul=matmul,
    **{name: UFUNCS[name] for name in (
        "add", "subtract", "multiply", "divide", "floor_divide", "power", "negative", "absolute",
        "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and",
        "logical_or", "logical_xor", "logical_not", "exp", "log", "sqrt", "sin", "cos", "tanh",
        "sign", "floor", "ceil")},
    mod=mod, log10=log10, log2=log2, log1p=log1p, expm1=expm1, abs=absolute,
)  # fmt: skip

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": sum_, "prod": prod, "mean": mean, "var": var, "std": std, "max": max_, "min": min_,
    "amax": max_, "amin": min_, "all": all_, "any": any_, "cumsum": cumsum, "where": where,
    "concatenate": concatenate, "stack": stack, "reshape": reshape, "transpose": transpose,
    "ravel": flatten, "squeeze": squeeze, "expand_dims": expand_dims, "broadcast_to": broadcast_to,
    "repeat": repeat, "tile": tile, "take": take, "diag": diag, "diagonal": diagonal, "tril": tril,
    "triu": triu, "dot": dot, "outer": outer, "clip": clip, "zeros_like": zeros_like,
    "ones_like": ones_like, "moveaxis": moveaxis, "swapaxes": swapaxes, "split": split,
    "round": round_, "shape": lambda x: x.shape, "ndim": lambda x: x.ndim, "size": lambda x: x.size,
}  # fmt: skip
_tensor.FUNCTIONS.update({getattr(np, name): function for name, function in _FUNCTIONS.items()})
_tensor.FUNCTIONS[np.linalg.cholesky] = cholesky


def _without_out(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*inputs: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise NotYetSupported(
                f"np.{name} on a tensor with {', '.join(kwargs)}=: tensors are never written into. "
                f"Call np.{name} without it and keep the result."
            )
        return function(*inputs)

    return call


_tensor.UFUNC_METHODS.update(
    {(name, "__call__"): _without_out(name, function) for name, function in UFUNCS.items()}
)
_tensor.UFUNC_METHODS.update(
    {(name, "__call__"): _without_out(name, function) for name, function in {
        "arcsinh": arcsinh, "arccosh": arccosh, "arctanh": arctanh, "arctan2": arctan2,
        "matmul": matmul, "logaddexp": logaddexp, "log2": log2, "log10": log10, "exp2": exp2,
        "bitwise_and": logical_and, "bitwise_or": logical_or, "bitwise_xor": logical_xor,
        "invert": logical_not, "float_power": power, "fabs": absolute,
        "positive": lambda x: x, "conjugate": lambda x: x,
    }.items()}
)  # fmt: skip
def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        if dtype is not None or out is not None:
            raise NotYetSupported("reduce with dtype= or out=: cast or keep the result instead.")
        return function(x, axis, keepdims)

    return call


_tensor.UFUNC_METHODS.update(
    {(name, "reduce"): _reduce(function) for name, function in {
        "add": sum_, "multiply": prod, "maximum": max_, "minimum": min_, "logical_and": all_,
        "logical_or": any_}.items()}
)  # fmt: skip

__all__ = [
    name for name, value in list(globals().items())
    if not name.startswith("_") and callable(value) and name not in ("Any", "Callable")
]  # fmt: skip
