"""Every operation, and how tensors and NumPy reach it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.ir import tensor as _tensor
from finetti.ir.opdef import OPS, UFUNCS, OpDef
from finetti.ir.ops import (
    blackbox as _blackbox,
)
from finetti.ir.ops import (
    control,
    decompose,
    elementwise,
    incomplete,
    indexing,
    leaf,
    linalg,
    order,
    parts,
    random,
    reduce,
    scans,
    shape,
    special,
)
from finetti.ir.ops import (
    einsum as _einsum,
)
from finetti.ir.ops.blackbox import blackbox
from finetti.ir.ops.control import scan
from finetti.ir.ops.decompose import (
    block_diag,
    cho_solve,
    det,
    eigh,
    expm,
    inv,
    kron,
    logdet,
    matrix_power,
    norm,
    slogdet,
    solve,
    trace,
)
from finetti.ir.ops.einsum import dot, einsum, tensordot
from finetti.ir.ops.elementwise import (
    absolute,
    add,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cast,
    ceil,
    cos,
    cosh,
    divide,
    equal,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    not_equal,
    power,
    reciprocal,
    round_,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    stop_gradient,
    subtract,
    tan,
    tanh,
    trunc,
    where,
)
from finetti.ir.ops.incomplete import betainc, betaincinv, gammainc, gammaincc, gammaincinv
from finetti.ir.ops.indexing import (
    add_at,
    diag,
    diagonal,
    getitem,
    inc_subtensor,
    set_at,
    set_subtensor,
    take,
)
from finetti.ir.ops.leaf import as_constant, constant_value, is_constant, new_input
from finetti.ir.ops.linalg import (
    cholesky,
    matmul,
    matrix_transpose,
    outer,
    quadratic_form,
    solve_triangular,
    tril,
    triu,
)
from finetti.ir.ops.order import (
    add_along,
    argmax,
    argmin,
    argsort,
    put_along,
    sort,
    take_along,
)
from finetti.ir.ops.reduce import (
    all_,
    any_,
    cumsum,
    log_softmax,
    logsumexp,
    max_,
    mean,
    min_,
    prod,
    softmax,
    std,
    sum_,
    var,
)
from finetti.ir.ops.scans import cummax, cummin, cumprod, recurrence
from finetti.ir.ops.shape import (
    arange,
    as_tensor,
    broadcast_to,
    concatenate,
    dimshuffle,
    expand_dims,
    eye,
    flatten,
    flip,
    full,
    full_like,
    linspace,
    moveaxis,
    ones,
    ones_like,
    repeat,
    reshape,
    roll,
    split,
    squeeze,
    stack,
    swapaxes,
    tile,
    transpose,
    zeros,
    zeros_like,
)
from finetti.ir.ops.special import (
    betaln,
    digamma,
    erf,
    erfc,
    erfcinv,
    erfcx,
    erfinv,
    exp2,
    gamma,
    gammaln,
    i0,
    i0e,
    i1,
    i1e,
    invprobit,
    iv,
    ive,
    log1mexp,
    log2,
    log10,
    log_ndtr,
    logaddexp,
    logdiffexp,
    logit,
    ndtr,
    ndtri,
    polygamma,
    probit,
    sigmoid,
    softplus,
    xlog1py,
    xlogy,
)  # fmt: skip


def clip(x: Any, low: Any, high: Any) -> _tensor.Tensor:
    """`x` kept between two bounds; None leaves a side open."""
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


_tensor.METHODS.update(
    as_constant=as_constant, getitem=getitem, stack=stack, transpose=transpose, reshape=reshape,
    dimshuffle=dimshuffle, flatten=flatten, ravel=flatten, squeeze=squeeze, repeat=repeat,
    take=take, diagonal=diagonal,
    sum=sum_, prod=prod, max=max_, min=min_, all=all_, any=any_, mean=mean, var=var, std=std,
    argmax=argmax, argmin=argmin, argsort=argsort, sort=sort, cumprod=cumprod, trace=trace,
    inc=inc_subtensor, set=set_subtensor, cumsum=cumsum, dot=dot, clip=clip,
    astype=lambda x, dtype: cast(x, np.dtype(dtype).name),
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
    "argmax": argmax, "argmin": argmin, "argsort": argsort, "sort": sort, "cumprod": cumprod,
    "flip": flip, "roll": roll, "kron": kron, "einsum": einsum, "tensordot": tensordot,
    "trace": trace, "take_along_axis": take_along, "i0": i0,
    "round": round_, "shape": lambda x: x.shape, "ndim": lambda x: x.ndim, "size": lambda x: x.size,
}  # fmt: skip
_tensor.FUNCTIONS.update({getattr(np, name): function for name, function in _FUNCTIONS.items()})
_tensor.FUNCTIONS.update({
    np.linalg.cholesky: cholesky, np.linalg.det: det, np.linalg.eigh: eigh, np.linalg.inv: inv,
    np.linalg.matrix_power: matrix_power, np.linalg.norm: norm, np.linalg.slogdet: slogdet,
    np.linalg.solve: solve,
})  # fmt: skip


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
_MORE_UFUNCS: dict[str, Callable[..., Any]] = {
    "isfinite": isfinite, "matmul": matmul, "log2": log2, "log10": log10, "exp2": exp2,
    "bitwise_and": logical_and, "bitwise_or": logical_or, "bitwise_xor": logical_xor,
    "invert": logical_not, "float_power": power, "fabs": absolute,
    "positive": lambda x: x, "conjugate": lambda x: x,
    # scipy.special
    "expit": sigmoid, "logit": logit, "gammaln": gammaln, "psi": digamma, "erf": erf,
    "erfc": erfc, "erfinv": erfinv, "ndtr": ndtr, "log_ndtr": log_ndtr, "xlogy": xlogy,
    "xlog1py": xlog1py,
}  # fmt: skip
_tensor.UFUNC_METHODS.update(
    {(name, "__call__"): _without_out(name, f) for name, f in _MORE_UFUNCS.items()}
)


def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(
        x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Any:
        if dtype is not None or out is not None:
            raise NotYetSupported("reduce with dtype= or out=: cast or keep the result instead.")
        return function(x, axis, keepdims)

    return call


_tensor.UFUNC_METHODS.update(
    {(name, "reduce"): _reduce(function) for name, function in {
        "add": sum_, "multiply": prod, "maximum": max_, "minimum": min_, "logical_and": all_,
        "logical_or": any_, "logaddexp": logsumexp}.items()}
)  # fmt: skip


def _accumulate(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        if dtype is not None or out is not None:
            raise NotYetSupported(
                "accumulate with dtype= or out=: cast or keep the result instead."
            )
        return function(x, axis)

    return call


_tensor.UFUNC_METHODS.update(
    {(name, "accumulate"): _accumulate(function) for name, function in {
        "add": cumsum, "multiply": cumprod, "maximum": cummax, "minimum": cummin}.items()}
)  # fmt: skip

__all__ = [
    name for name, value in list(globals().items())
    if not name.startswith("_") and callable(value) and name not in ("Any", "Callable")
]  # fmt: skip
