"""``pm.math``: the functions of tensors under PyMC's names. A table; the meaning is in `ir.ops`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from finetti.dist.triangle import diagonal_places, packed_length, unpacked
from finetti.errors import NotYetSupported, ShapeError, did_you_mean
from finetti.ir import Tensor, ops
from finetti.ir.types import broadcast


def softmax(x: Any, axis: int | None = None) -> Tensor:
    """exp(x) normalised to sum to 1 over an axis; over all elements when None, as PyMC."""
    return ops.softmax(x, axis)


def log_softmax(x: Any, axis: int | None = None) -> Tensor:
    """log(softmax(x)) without overflow; over all elements when `axis` is None, as PyMC."""
    return ops.log_softmax(x, axis)


def stack(tensors: Any, *more: Any, axis: int = 0) -> Tensor:
    """Join along a new axis; a list of tensors, or the tensors one by one."""
    if isinstance(tensors, (list, tuple)):
        place = more[0] if more else axis
        return ops.stack(tensors, place)
    return ops.stack([tensors, *more], axis)


def flatten_list(tensors: Sequence[Any]) -> Tensor:
    """All elements of several tensors in one vector."""
    return ops.concatenate([ops.flatten(x) for x in tensors])


def flatten(x: Any, ndim: int = 1) -> Tensor:
    """All elements in one axis, row by row."""
    if ndim != 1:
        raise NotYetSupported(f"pm.math.flatten with ndim={ndim}: write `x.reshape(...)` instead.")
    return ops.flatten(x)


def log1mexp(x: Any, *, negative_input: bool = True) -> Tensor:
    """log(1 - exp(x)) for x < 0."""
    if not negative_input:
        raise NotYetSupported("pm.math.log1mexp takes negative input only, as PyMC: negate it.")
    return ops.log1mexp(x)


def expand_packed_triangular(
    n: int, packed: Any, lower: bool = True, diagonal_only: bool = False
) -> Tensor:
    """The triangular matrix of a vector of its rows, one after another.

    Parameters
    ----------
    n : int
        Its number of rows.
    packed : tensor_like
        ``n * (n + 1) / 2`` numbers.
    lower : bool
        Below the diagonal, or above it.
    diagonal_only : bool
        Only the diagonal.
    """
    packed = ops.as_tensor(packed)
    if packed.ndim != 1 or int(packed.node.shape[0]) != packed_length(n):
        raise ShapeError(
            f"expand_packed_triangular: packed has shape {packed.node.shape}, expected "
            f"({packed_length(n)},) for {n} rows."
        )
    if diagonal_only and lower:
        return packed[diagonal_places(n)]
    if lower:
        return unpacked(n, packed)
    rows, cols = np.triu_indices(n)
    if diagonal_only:
        return packed[np.flatnonzero(rows == cols)]
    return ops.set_subtensor(ops.zeros((n, n))[rows, cols], packed)


def trace(x: Any) -> Tensor:
    """The sum of the diagonal."""
    return ops.sum_(ops.diagonal(x), -1)


def broadcast_arrays(*xs: Any) -> list[Tensor]:
    """All tensors in their common shape."""
    tensors = [ops.as_tensor(x) for x in xs]
    shape = broadcast(*(x.shape for x in tensors))
    return [ops.broadcast_to(x, shape) for x in tensors]


def kronecker(*matrices: Any) -> Tensor:
    """The Kronecker product of several matrices."""
    return functools.reduce(ops.kron, matrices)


def block_diagonal(matrices: Sequence[Any], sparse: bool = False, format: str = "csr") -> Tensor:
    """The matrix with the given ones along its diagonal."""
    if sparse:
        raise NotYetSupported("pm.math.block_diagonal with sparse=True: leave it dense.")
    return ops.block_diag(*matrices)


def cho_solve(factor: Any, b: Any) -> Tensor:
    """Solve ``A x = b`` given ``(chol, lower)`` of A."""
    chol, lower = factor
    return ops.cho_solve(chol if lower else ops.matrix_transpose(chol), b)


def gammainccinv(a: Any, q: Any) -> Tensor:
    """The inverse of the upper incomplete gamma function."""
    return ops.gammaincinv(a, 1.0 - ops.as_tensor(q))


def and_(*conditions: Any) -> Tensor:
    """Whether all conditions hold, elementwise."""
    return _chain(ops.logical_and, conditions, "and_")


def or_(*conditions: Any) -> Tensor:
    """Whether some condition holds, elementwise."""
    return _chain(ops.logical_or, conditions, "or_")


def _chain(function: Callable[..., Tensor], args: tuple[Any, ...], name: str) -> Tensor:
    if len(args) < 2:
        raise ShapeError(f"pm.math.{name} got {len(args)} conditions, expected at least two.")
    result = args[0]
    for other in args[1:]:
        result = function(result, other)
    return result  # type: ignore[no-any-return]


_TABLE: dict[str, Callable[..., Any]] = {
    "abs": ops.absolute, "abs_": ops.absolute, "all": ops.all_, "any": ops.any_,
    "arange": ops.arange, "arccos": ops.arccos, "arccosh": ops.arccosh, "arcsin": ops.arcsin,
    "arcsinh": ops.arcsinh, "arctan": ops.arctan, "arctan2": ops.arctan2, "arctanh": ops.arctanh,
    "as_tensor": ops.as_tensor, "betainc": ops.betainc,
    "betaln": ops.betaln, "broadcast_to": ops.broadcast_to, "cast": ops.cast, "ceil": ops.ceil,
    "cholesky": ops.cholesky, "clip": ops.clip, "concatenate": ops.concatenate,
    "constant": ops.as_tensor, "cos": ops.cos, "cosh": ops.cosh, "cumsum": ops.cumsum,
    "diag": ops.diag, "digamma": ops.digamma, "dot": ops.dot, "eq": ops.equal, "erf": ops.erf,
    "erfc": ops.erfc, "erfcinv": ops.erfcinv, "erfinv": ops.erfinv, "exp": ops.exp,
    "expand_dims": ops.expand_dims, "expm1": ops.expm1, "eye": ops.eye, "floor": ops.floor,
    "flat_outer": lambda a, b: ops.flatten(ops.outer(a, b)), "full": ops.full,
    "full_like": ops.full_like, "gammainc": ops.gammainc, "gammaincc": ops.gammaincc,
    "gammaln": ops.gammaln, "ge": ops.greater_equal, "gt": ops.greater, "invert": ops.logical_not,
    "invlogit": ops.sigmoid, "invprobit": ops.invprobit, "isinf": ops.isinf, "isnan": ops.isnan,
    "le": ops.less_equal, "linspace": ops.linspace, "log": ops.log,
    "log10": ops.log10, "log1p": ops.log1p,
    "log1pexp": ops.softplus, "log2": ops.log2, "logaddexp": ops.logaddexp,
    "logdiffexp": ops.logdiffexp, "logit": ops.logit, "logsumexp": ops.logsumexp, "lt": ops.less,
    "matmul": ops.matmul, "max": ops.max_, "maximum": ops.maximum, "mean": ops.mean,
    "min": ops.min_, "minimum": ops.minimum, "moveaxis": ops.moveaxis, "neq": ops.not_equal,
    "not_": ops.logical_not, "ones": ops.ones, "ones_like": ops.ones_like, "outer": ops.outer,
    "polygamma": ops.polygamma, "pow": ops.power,
    "power": ops.power, "probit": ops.probit, "prod": ops.prod,
    "repeat": ops.repeat, "reshape": ops.reshape, "round": ops.round_, "sgn": ops.sign,
    "sigmoid": ops.sigmoid, "sin": ops.sin, "sinh": ops.sinh, "softplus": ops.softplus,
    "solve_triangular": ops.solve_triangular, "sqr": ops.square, "sqrt": ops.sqrt,
    "square": ops.square, "squeeze": ops.squeeze, "std": ops.std, "sum": ops.sum_,
    "swapaxes": ops.swapaxes, "switch": ops.where, "take": ops.take, "tan": ops.tan,
    "tanh": ops.tanh, "tile": ops.tile, "transpose": ops.transpose, "tril": ops.tril,
    "triu": ops.triu, "var": ops.var, "where": ops.where, "zeros": ops.zeros,
    "zeros_like": ops.zeros_like,
    "argmax": ops.argmax, "argmin": ops.argmin, "argsort": ops.argsort,
    "betaincinv": ops.betaincinv, "block_diag": ops.block_diag, "block_diagonal": block_diagonal,
    "cho_solve": cho_solve, "cumprod": ops.cumprod, "det": ops.det, "diagonal": ops.diagonal,
    "einsum": ops.einsum, "eigh": ops.eigh, "erfcx": ops.erfcx, "expm": ops.expm, "flip": ops.flip,
    "gamma": ops.gamma, "gammainccinv": gammainccinv, "gammaincinv": ops.gammaincinv, "i0": ops.i0,
    "i1": ops.i1, "ifelse": ops.where, "inc_subtensor": ops.inc_subtensor, "isfinite": ops.isfinite,
    "iv": ops.iv, "ive": ops.ive, "kron": ops.kron, "kronecker": kronecker, "logdet": ops.logdet,
    "log_ndtr": ops.log_ndtr, "matrix_inverse": ops.inv, "ndtr": ops.ndtr, "ndtri": ops.ndtri,
    "norm": ops.norm, "roll": ops.roll, "set_subtensor": ops.set_subtensor, "slogdet": ops.slogdet,
    "solve": ops.solve, "sort": ops.sort, "split": ops.split, "tensordot": ops.tensordot,
    "and_": and_, "broadcast_arrays": broadcast_arrays, "flatten": flatten,
    "expand_packed_triangular": expand_packed_triangular, "flatten_list": flatten_list,
    "log1mexp": log1mexp, "log_softmax": log_softmax, "or_": or_,
    "softmax": softmax, "stack": stack, "trace": trace,
}  # fmt: skip
globals().update(_TABLE)

# The rest of PyMC's names, refused by name.
_MISSING = frozenset(
    """
    batched_diag cartesian diff kron_diag kron_dot kron_solve_lower
    kron_solve_upper kv logbern unique
    """.split()
)


def __getattr__(name: str) -> Any:
    if name in _MISSING:
        raise NotYetSupported(
            f"pm.math.{name} is not there yet. NumPy's functions can be applied to data before "
            "they enter the model."
        )
    raise AttributeError(f"pm.math has no {name!r}. {did_you_mean(name, _TABLE)}")


__all__ = sorted(_TABLE)
