"""`theano.tensor` and `pytensor.tensor`: names onto finetti's operations.

Functions are here where Theano's arguments differ from NumPy's; the rest is a table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from finetti.dialects.pymc import math
from finetti.dialects.theano import function as functions
from finetti.dialects.theano.deferred import Deferred, lift
from finetti.dialects.theano.loops import ifelse
from finetti.dialects.theano.making import (
    alloc,
    arange,
    as_dtype,
    as_tensor_variable,
    cast,
    constant,
    eye,
    fill,
    full,
    full_like,
    identity_like,
    length_of,
    lengths,
    ones,
    ones_like,
    tri,
    zeros,
    zeros_like,
)
from finetti.dialects.theano.types import TYPES
from finetti.errors import NotYetSupported, ShapeError
from finetti.ir import BOOL, Tensor, ops
from finetti.model.data import DataTensor


def _reduction(f: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduce(
        input: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False,
        acc_dtype: Any = None,
    ) -> Tensor:  # fmt: skip
        return as_dtype(f(input, axis, keepdims=keepdims), dtype)

    return _documented(reduce, f)


def _boolean(f: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        return f(ops.cast(x, BOOL), axis, keepdims)

    return _documented(reduce, f)


def _documented(new: Callable[..., Any], f: Callable[..., Any]) -> Callable[..., Any]:
    new.__name__ = getattr(f, "__name__", f"{f}").rstrip("_")
    new.__doc__ = f.__doc__
    return new


def _many(f: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def call(first: Any, *others: Any) -> Tensor:
        return functools.reduce(f, others, ops.as_tensor(first))

    return _documented(call, f)


def _spread(input: Any, axis: Any, ddof: int, keepdims: bool, corrected: bool) -> Tensor:
    if corrected:
        raise NotYetSupported("var with corrected=True is not there: it is ddof=0 without it.")
    return ops.var(input, axis, ddof, keepdims)


def var(
    input: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False
) -> Tensor:
    """The variance along axes."""
    return _spread(input, axis, ddof, keepdims, corrected)


def std(
    input: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False
) -> Tensor:
    """The standard deviation along axes."""
    return ops.sqrt(_spread(input, axis, ddof, keepdims, corrected))


def ptp(a: Any, axis: Any = None) -> Tensor:
    """The largest element less the smallest."""
    return ops.max_(a, axis) - ops.min_(a, axis)


def max_and_argmax(a: Any, axis: Any = None, keepdims: bool = False) -> tuple[Tensor, Tensor]:
    """The largest elements and where they are."""
    return ops.max_(a, axis, keepdims), ops.argmax(a, axis, keepdims)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """A norm of vectors or matrices."""
    return ops.norm(x, ord, axis, keepdims)


# -- shapes ---------------------------------------------------------------------------------------


def reshape(x: Any, newshape: Any, ndim: int | None = None, *, shape: Any = None) -> Tensor:
    """The same elements in another shape."""
    return ops.reshape(x, lengths(newshape if shape is None else shape))


def flatten(x: Any, ndim: int = 1, outdim: int | None = None) -> Tensor:
    """The last axes in one, so that `ndim` remain."""
    ndim = ndim if outdim is None else outdim
    x = ops.as_tensor(x)
    return ops.reshape(x, (*x.shape[: ndim - 1], -1)) if x.ndim else ops.reshape(x, (1,))


def shape_padleft(t: Any, n_ones: int = 1) -> Tensor:
    """Axes of length 1 in front."""
    return ops.expand_dims(t, tuple(range(n_ones)))


def shape_padright(t: Any, n_ones: int = 1) -> Tensor:
    """Axes of length 1 at the end."""
    t = ops.as_tensor(t)
    return ops.expand_dims(t, tuple(range(t.ndim, t.ndim + n_ones)))


def shape_padaxis(t: Any, axis: int) -> Tensor:
    """An axis of length 1 at a place."""
    return ops.expand_dims(t, axis)


def atleast_Nd(*xs: Any, n: int = 1, left: bool = True) -> Any:
    """Tensors with at least `n` axes."""
    pad = shape_padleft if left else shape_padright
    made = [pad(x, max(0, n - ops.as_tensor(x).ndim)) for x in xs]
    return made[0] if len(made) == 1 else made


def _at_least(n: int) -> Callable[..., Any]:
    return functools.partial(atleast_Nd, n=n)


def unbroadcast(x: Any, *axes: Any) -> Tensor:
    """`x` itself: which axes may be repeated is known from the lengths."""
    return ops.as_tensor(x)


def join(axis: int, *tensors: Any) -> Tensor:
    """Join along an existing axis."""
    return ops.concatenate(list(tensors), axis)


def horizontal_stack(*args: Any) -> Tensor:
    """Matrices side by side."""
    return ops.concatenate(list(args), 1)


def vertical_stack(*args: Any) -> Tensor:
    """Matrices on top of each other."""
    return ops.concatenate(list(args), 0)


def split(x: Any, splits_size: Any, n_splits: int | None = None, axis: int = 0) -> list[Tensor]:
    """Cut along an axis into parts of given lengths."""
    sizes = [int(length_of(n)) for n in lengths(splits_size)]
    return ops.split(x, np.cumsum(sizes)[:-1], axis)


def tile(x: Any, reps: Any, ndim: int | None = None) -> Tensor:
    """Copies side by side."""
    return ops.tile(x, lengths(reps))


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element several times."""
    value = lengths(repeats) if isinstance(repeats, Tensor) else repeats
    return ops.repeat(x, value, axis)


def sort(self: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Tensor:
    """Sorted along an axis."""
    return ops.sort(self, axis)


def argsort(self: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Tensor:
    """The positions that sort along an axis."""
    return ops.argsort(self, axis)


def diag(v: Any, k: int = 0) -> Tensor:
    """A diagonal of a matrix, or the matrix with a given diagonal."""
    return ops.diag(v, k)


def fill_diagonal(a: Any, val: Any) -> Tensor:
    """A copy of a matrix with another diagonal."""
    return fill_diagonal_offset(a, val, 0)


def fill_diagonal_offset(a: Any, val: Any, offset: int) -> Tensor:
    """A copy of a matrix with another diagonal above (below) the main one."""
    a = ops.as_tensor(a)
    rows, columns = map(int, a.shape)
    n = np.arange(max(0, min(rows + min(offset, 0), columns - max(offset, 0))))
    return ops.set_at(a, (n + max(-offset, 0), n + max(offset, 0)), val)


def diff(x: Any, n: int = 1, axis: int = -1) -> Tensor:
    """Differences of neighbours along an axis."""
    x = ops.as_tensor(x)
    before = (slice(None),) * (axis % x.ndim)
    for _ in range(n):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x


def to_one_hot(y: Any, nb_class: int, dtype: Any = None) -> Tensor:
    """A row for each class number, 1 at the class."""
    classes = np.arange(int(length_of(nb_class)))
    hot = ops.equal(ops.expand_dims(y, 1), classes)
    return cast(hot, "float64" if dtype is None else dtype)


def searchsorted(x: Any, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
    """Where values belong in a sorted vector."""
    if sorter is not None:
        raise NotYetSupported("searchsorted with sorter= is not there: sort the vector first.")
    v = ops.as_tensor(v)
    below = ops.less if side == "left" else ops.less_equal
    return ops.sum_(below(x, ops.expand_dims(v, v.ndim)), -1)


def bincount(x: Any, weights: Any = None, minlength: int | None = None,
             assert_nonneg: bool = False) -> Tensor:  # fmt: skip
    """How often each whole number occurs; `minlength` is the number of them."""
    if not minlength:
        raise NotYetSupported("bincount without minlength=: say how many numbers there are.")
    hot = to_one_hot(x, minlength, "int64")
    return ops.sum_(hot if weights is None else hot * ops.expand_dims(weights, 1), 0)


def choose(a: Any, choices: Any, mode: str = "raise") -> Tensor:
    """For each element the choice that it numbers."""
    result = choices[0]
    for k in range(1, len(choices)):
        result = ops.where(ops.equal(a, k), choices[k], result)
    return ops.as_tensor(result)


# -- products -------------------------------------------------------------------------------------


def batched_dot(a: Any, b: Any) -> Tensor:
    """Products of the entries along the first axis."""
    return batched_tensordot(a, b, 1)


def batched_tensordot(x: Any, y: Any, axes: Any = 2) -> Tensor:
    """`tensordot` of the entries along the first axis."""
    x, y = ops.as_tensor(x), ops.as_tensor(y)
    if isinstance(axes, int):
        if x.ndim == 3 and y.ndim == 3 and axes == 1:
            return ops.matmul(x, y)
    else:
        axes = [[a - 1 for a in _axes(one)] for one in axes]
    return ops.stack([ops.tensordot(x[k], y[k], axes) for k in range(len(x))])


def _axes(value: Any) -> Sequence[int]:
    return [value] if isinstance(value, int) else list(value)


def outer(x: Any, y: Any) -> Tensor:
    """Every element of one vector times every element of the other."""
    return ops.outer(ops.flatten(x), ops.flatten(y))


# -- others ---------------------------------------------------------------------------------------


def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8,
            equal_nan: bool = False) -> Tensor:  # fmt: skip
    """Whether elements are nearly equal."""
    near = ops.less_equal(ops.absolute(ops.subtract(a, b)), atol + rtol * ops.absolute(b))
    near = ops.logical_or(near, ops.equal(a, b))
    return ops.logical_or(near, ops.logical_and(ops.isnan(a), ops.isnan(b))) if equal_nan else near


def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8,
             equal_nan: bool = False) -> Tensor:  # fmt: skip
    """Whether all elements are nearly equal."""
    return ops.all_(isclose(a, b, rtol, atol, equal_nan))


def logit(x: Any) -> Tensor:
    """log(x / (1 - x))."""
    return ops.logit(x)


def softmax(x: Any, axis: int | None = None) -> Tensor:
    """exp(x) normalised to sum to 1; over all elements when `axis` is None, as PyTensor."""
    return ops.softmax(x, axis)


def chi2sf(x: Any, k: Any) -> Tensor:
    """The probability that a chi-squared number exceeds `x`."""
    return ops.gammaincc(ops.divide(k, 2.0), ops.divide(x, 2.0))


def set_subtensor(
    x: Any, y: Any, inplace: bool = False, tolerate_inplace_aliasing: bool = False
) -> Tensor:
    """Given ``x[key]``, a copy of `x` with `y` there."""
    return ops.set_subtensor(x, y)


def inc_subtensor(
    x: Any, y: Any, inplace: bool = False, tolerate_inplace_aliasing: bool = False
) -> Tensor:
    """Given ``x[key]``, a copy of `x` with `y` added there."""
    return ops.inc_subtensor(x, y)


def clip(x: Any, min: Any, max: Any) -> Tensor:
    """`x` kept between two bounds."""
    return ops.clip(x, min, max)


def specify_shape(x: Any, shape: Any) -> Tensor:
    """`x`, after a check of its shape; None stands for any length."""
    x = ops.as_tensor(x)
    want = tuple(None if n is None else length_of(n) for n in shape)
    have = tuple(map(int, x.node.shape))
    if len(want) != len(have) or any(w not in (None, h) for w, h in zip(want, have, strict=True)):
        raise ShapeError(f"specify_shape of {x!r}: expected {want}")
    return x


def _identity(x: Any) -> Tensor:
    return ops.as_tensor(x)


_SAME_NAME = """
    arccos arccosh arcsin arcsinh arctan arctan2 arctanh ceil cos cosh cumprod cumsum
    dimshuffle dot erf erfc erfcinv erfcx erfinv exp exp2 expm1 floor gamma gammainc gammaincc
    gammaln i0 i1 isinf isnan iv ive log log10 log1mexp log1p log2 logaddexp logsumexp
    maximum minimum matmul moveaxis outer polygamma power roll sigmoid sign sin sinh softplus
    sqrt square squeeze stop_gradient swapaxes take tan tanh tensordot transpose tril triu trunc
    where betainc betaincinv broadcast_to einsum expand_dims flip kron linspace log_softmax
    stack concatenate
""".split()

NAMES: dict[str, Callable[..., Any]] = {
    **{name: getattr(ops, name) for name in _SAME_NAME},
    "sum": _reduction(ops.sum_), "prod": _reduction(ops.prod),
    **{name: _boolean(getattr(ops, f"{name}_")) for name in ("all", "any")},
    "abs": ops.absolute, "abs_": ops.absolute, "absolute": ops.absolute,
    "add": _many(ops.add), "and_": math.and_, "bitwise_and": math.and_,
    "argmax": ops.argmax, "argmin": ops.argmin, "as_tensor": as_tensor_variable,
    "as_tensor_variable": as_tensor_variable, "atleast_1d": _at_least(1),
    "atleast_2d": _at_least(2), "atleast_3d": _at_least(3), "betaln": ops.betaln,
    "bitwise_not": ops.logical_not, "bitwise_or": math.or_, "bitwise_xor": ops.logical_xor,
    "block_diag": math.block_diagonal, "cholesky": ops.cholesky, "conj": _identity,
    "deg2rad": lambda x: ops.multiply(x, np.pi / 180.0), "digamma": ops.digamma,
    "div_proxy": ops.divide, "divide": ops.divide, "eq": ops.equal, "equal": ops.equal,
    "expit": ops.sigmoid, "extract_diag": ops.diagonal, "diagonal": ops.diagonal,
    "floor_div": ops.floor_divide, "ge": ops.greater_equal, "greater": ops.greater,
    "greater_equal": ops.greater_equal, "gt": ops.greater, "ifelse": ifelse,
    "int_div": ops.floor_divide, "inv": ops.reciprocal, "reciprocal": ops.reciprocal,
    "invert": ops.logical_not, "iround": lambda a: ops.cast(ops.round_(a), "int64"),
    "le": ops.less_equal, "less": ops.less, "less_equal": ops.less_equal,
    "log1pexp": ops.softplus, "logical_not": ops.logical_not, "logical_and": math.and_,
    "logical_or": math.or_, "lt": ops.less, "max": ops.max_, "mean": _reduction(ops.mean),
    "min": ops.min_, "mod": ops.mod, "mul": _many(ops.multiply), "multiply": ops.multiply,
    "neg": ops.negative, "negative": ops.negative, "neq": ops.not_equal,
    "not_equal": ops.not_equal, "or_": math.or_, "patternbroadcast": unbroadcast,
    "pow": ops.power, "psi": ops.digamma, "rad2deg": lambda x: ops.multiply(x, 180.0 / np.pi),
    "real": _identity, "round": lambda a, mode=None: ops.round_(a),
    "round_half_to_even": ops.round_, "second": fill, "sgn": ops.sign,
    "specify_shape": specify_shape, "sqr": ops.square, "sub": ops.subtract,
    "subtract": ops.subtract, "switch": ops.where, "tensor_copy": _identity,
    "tri_gamma": lambda x: ops.polygamma(1, x), "true_div": ops.divide, "xor": ops.logical_xor,
    "shape": lambda x: ops.stack([ops.as_tensor(n) for n in ops.as_tensor(x).shape]),
    "stack": math.stack, "trace": ops.trace, "logdet": ops.logdet, "expm": ops.expm,
    "grad": functions.grad, "jacobian": functions.jacobian, "hessian": functions.hessian,
    **{f.__name__: f for f in (
        alloc, allclose, arange, argsort, atleast_Nd, batched_dot, batched_tensordot, bincount,
        cast, chi2sf, choose, clip, constant, diag, diff, eye, fill, fill_diagonal,
        fill_diagonal_offset, flatten, full, full_like, horizontal_stack, identity_like,
        inc_subtensor, isclose, join, logit, max_and_argmax, norm, ones, ones_like, outer, ptp,
        repeat, reshape, searchsorted, set_subtensor, shape_padaxis, shape_padleft, shape_padright,
        softmax, sort, split, std, tile, to_one_hot, tri, unbroadcast, var, vertical_stack, zeros,
        zeros_like)},
}  # fmt: skip

TABLE: dict[str, Any] = {
    **{name: lift(f) for name, f in NAMES.items()},
    **TYPES,
    "TensorVariable": Tensor, "TensorConstant": Tensor, "Variable": Tensor,
    "TensorSharedVariable": DataTensor, "SharedVariable": DataTensor, "newaxis": None,
    "inf": np.inf, "pi": np.pi, "e": np.e, "euler_gamma": np.euler_gamma,
    "is_symbolic": lambda x: isinstance(x, (Tensor, Deferred)),
}  # fmt: skip
