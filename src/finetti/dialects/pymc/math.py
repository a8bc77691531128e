"""PyMC's `pm.math`: the operations on tensors under its names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported, nearest
from finetti.ir import Tensor, ops

_SAME = """
arccos arcsin arctan as_tensor broadcast_to ceil cholesky clip concatenate cos cosh cumsum diag
digamma dot erf erfc erfinv exp expand_dims expm1 eye flatten floor full gammaln invprobit log log10
log1mexp log1p log2 log_softmax logaddexp logit logsumexp matmul maximum mean minimum moveaxis ones
ones_like outer polygamma probit prod repeat reshape sigmoid sin sinh softmax softplus
solve_triangular sqrt squeeze stack std take tan tanh tile transpose tril triu var where zeros
zeros_like betainc gammainc gammaincc stack isnan isinf power
""".split()
_RENAMED: dict[str, str] = {
    "abs": "absolute", "all": "all_", "any": "any_", "and_": "logical_and", "eq": "equal",
    "ge": "greater_equal", "gt": "greater", "invlogit": "sigmoid",
    "le": "less_equal", "log1pexp": "softplus", "lt": "less", "max": "max_", "min": "min_",
    "neq": "not_equal", "or_": "logical_or", "round": "round_", "sgn": "sign", "sqr": "square",
    "sum": "sum_", "switch": "where", "constant": "as_tensor",
}  # fmt: skip
_TABLE: dict[str, str] = {
    **{name: name for name in _SAME if hasattr(ops, name)},
    **{name: there for name, there in _RENAMED.items() if there},
}
# the rest of `pymc.math`
_LATER = frozenset(
    """
    arange arccosh arcsinh arctan2 arctanh argmax argmin argsort batched_diag block_diag
    broadcast_arrays cartesian cho_solve cumprod det diff eigh erfcinv expand_packed_triangular
    flat_outer flatten_list full_like gamma i0 i1 iv kron kron_diag kron_dot kron_solve_lower
    kron_solve_upper kronecker kv linspace logbern logdet logdiffexp matrix_inverse norm slogdet
    solve sort swapaxes trace unique betainc gammainc gammaincc
    """.split()
)


def logdiffexp(a: Any, b: Any) -> Tensor:
    """log(exp(a) - exp(b)) for a > b."""
    a = ops.as_tensor(a)
    return a + ops.log1mexp(b - a)


def full_like(x: Any, fill_value: Any) -> Tensor:
    """A tensor of one value in the shape of another."""
    return ops.full(ops.as_tensor(x).shape, fill_value)


def flat_outer(a: Any, b: Any) -> Tensor:
    """The outer product of two vectors, as a vector."""
    return ops.outer(a, b).flatten()


def trace(x: Any) -> Tensor:
    """The sum of a matrix' diagonal."""
    return ops.sum_(ops.diagonal(x), -1)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Exchange two axes."""
    x = ops.as_tensor(x)
    axes = list(range(x.ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return ops.transpose(x, tuple(axes))


def arange(*bounds: Any) -> Tensor:
    """Whole numbers, as `numpy.arange`."""
    return ops.arange(*bounds)


def linspace(start: float, stop: float, num: int = 50) -> Tensor:
    """Evenly spaced numbers, as `numpy.linspace`."""
    return ops.as_tensor(np.linspace(start, stop, num))


_OWN = ("arange", "flat_outer", "full_like", "linspace", "logdiffexp", "swapaxes", "trace")
__all__ = sorted([*_TABLE, *_OWN])


def __getattr__(name: str) -> Callable[..., Tensor]:
    if name in _TABLE:
        function: Callable[..., Tensor] = getattr(ops, _TABLE[name])
        globals()[name] = function
        return function
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    close = nearest(name, __all__)
    near = f" The nearest names there are: {', '.join(close)}." if close else ""
    if name in _LATER:
        raise NotYetSupported(f"pm.math.{name} is not there yet.{near}")
    raise AttributeError(f"pm.math has no {name!r}.{near}")


def __dir__() -> list[str]:
    return list(__all__)
