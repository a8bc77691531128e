"""Functions of statistics: sigmoid and its kin, the error and the gamma functions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.ir.node import topological
from finetti.ir.opdef import OpDef, binary, float_type, reals, unary
from finetti.ir.ops.elementwise import (
    absolute,
    equal,
    exp,
    isinf,
    log,
    log1p,
    logical_and,
    sign,
    where,
)  # fmt: skip
from finetti.ir.ops.shape import as_tensor
from finetti.ir.tensor import Tensor


def fixed(name: str, *params: Tensor) -> None:
    """Refuse a gradient with respect to parameters for which there is no rule."""
    leaves = (node for node in topological(param.node for param in params) if not node.args)
    if any(leaf.op.name not in ("const", "data", "size", "arange") for leaf in leaves):
        raise NotYetSupported(
            f"the gradient of {name} with respect to its parameters is not written yet; only that "
            "with respect to its last argument is."
        )


def _softplus(x: Any) -> Any:
    return np.logaddexp(0.0, x)


def _sigmoid(x: Any) -> Any:
    tail = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1.0, tail) / (1.0 + tail)


sigmoid = unary(
    "sigmoid", numpy=_sigmoid, native="sigmoid", jax="jax.nn.sigmoid", samples=reals(-40.0, 40.0),
    vjp=lambda g, y, x: (g * (y * sigmoid(-x)),),
)  # fmt: skip
softplus = unary(
    "softplus", numpy=_softplus, native="softplus", jax="jax.nn.softplus",
    samples=reals(-40.0, 40.0),
    vjp=lambda g, y, x: (g * sigmoid(x),),
)  # fmt: skip
erf = unary(
    "erf", numpy="scipy.special.erf", native="erf", jax="jax.scipy.special.erf",
    vjp=lambda g, y, x: (g * (2.0 / math.sqrt(math.pi)) * exp(-(x * x)),),
)  # fmt: skip
erfc = unary(
    "erfc", numpy="scipy.special.erfc", native="erfc", jax="jax.scipy.special.erfc",
    vjp=lambda g, y, x: (g * (-2.0 / math.sqrt(math.pi)) * exp(-(x * x)),),
)  # fmt: skip
erfinv = unary(
    "erfinv", numpy="scipy.special.erfinv", native="erfinv", jax="jax.scipy.special.erfinv",
    samples=reals(-0.95, 0.95), vjp=lambda g, y, x: (g * (math.sqrt(math.pi) / 2.0) * exp(y * y),),
)  # fmt: skip
gammaln = unary(
    "gammaln", numpy="scipy.special.gammaln", native="gammaln", jax="jax.scipy.special.gammaln",
    samples=reals(0.05, 30.0), tol=1e-11, vjp=lambda g, y, x: (g * digamma(x),),
)  # fmt: skip
digamma = unary(
    "digamma", numpy="scipy.special.digamma", native="digamma", jax="jax.scipy.special.digamma",
    samples=reals(0.05, 30.0), tol=1e-11, vjp=lambda g, y, x: (g * polygamma(1, x),),
)  # fmt: skip
_polygamma = OpDef(
    "polygamma", "elementwise", attr_names=("order",), infer=lambda x, order: float_type(x),
    numpy="finetti.ir.reference.polygamma", native="polygamma",
    jax="finetti.backends.jax.polygamma",
    samples=((lambda rng: ((rng.uniform(0.2, 9.0, (11,)),), {"order": 1})),
             (lambda rng: ((rng.uniform(0.2, 9.0, (4, 2)),), {"order": 3}))),
    tol=1e-10, vjp=lambda g, y, x, order: (g * _polygamma(x, order=order + 1),),
)  # fmt: skip


def _unless_zero(x: Any, slope: Any) -> Tensor:
    """The slope of ``x log y`` in y: 0 where x is 0, also at the edge y = 0."""
    return where(equal(x, 0.0), 0.0, slope)


xlogy = binary(
    "xlogy", infer=float_type, numpy="scipy.special.xlogy", native="xlogy",
    jax="jax.scipy.special.xlogy", samples=reals(0.1, 4.0, 2),
    vjp=lambda g, out, x, y: (g * log(y), g * _unless_zero(x, x / y)),
)  # fmt: skip
xlog1py = binary(
    "xlog1py", infer=float_type, numpy="scipy.special.xlog1py", native="xlog1py",
    jax="jax.scipy.special.xlog1py", samples=reals(0.1, 4.0, 2),
    vjp=lambda g, out, x, y: (g * log1p(y), g * _unless_zero(x, x / (1.0 + y))),
)  # fmt: skip


def polygamma(order: int, x: Any) -> Tensor:
    """The derivative of digamma of the given order >= 1."""
    return _polygamma(x, order=int(order))


# -- the normal distribution ----------------------------------------------------------------------

erfcx = unary(
    "erfcx", numpy="scipy.special.erfcx", native="erfcx", jax="finetti.backends.jax.erfcx",
    samples=reals(-3.0, 12.0), vjp=lambda g, y, x: (g * (2.0 * x * y - 2.0 / math.sqrt(math.pi)),),
)  # fmt: skip
ndtri = unary(
    "ndtri", numpy="scipy.special.ndtri", native="ndtri", jax="jax.scipy.special.ndtri",
    samples=reals(0.02, 0.98),
    vjp=lambda g, y, x: (g * (math.sqrt(2.0 * math.pi) * exp(0.5 * y * y)),),
)  # fmt: skip
# The normal density over its distribution function, the slope of log_ndtr.
mills_inverse = unary(
    "mills_inverse", numpy="finetti.ir.reference.mills_inverse", native="mills_inverse",
    jax="finetti.backends.jax.mills_inverse", samples=reals(-30.0, 8.0),
    vjp=lambda g, y, x: (-(g * (y * (x + y))),),
)  # fmt: skip
log_ndtr = unary(
    "log_ndtr", numpy="scipy.special.log_ndtr", native="log_ndtr", samples=reals(-30.0, 8.0),
    jax="finetti.backends.jax.log_ndtr", vjp=lambda g, y, x: (g * mills_inverse(x),),
)  # fmt: skip

# -- sums and differences on the log scale --------------------------------------------------------


def _logaddexp_vjp(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    # Equal infinities share the adjoint as equal numbers do.
    gap = where(logical_and(isinf(x), equal(x, y)), 0.0, x - y)
    return g * sigmoid(gap), g * sigmoid(-gap)


logaddexp = binary(
    "logaddexp", infer=float_type, ufunc="logaddexp", numpy=np.logaddexp, native="logaddexp",
    jax="jax.numpy.logaddexp", samples=reals(-30.0, 30.0, 2), vjp=_logaddexp_vjp,
)  # fmt: skip
log1mexp = unary(
    "log1mexp", numpy="finetti.ir.reference.log1mexp", native="log1mexp",
    jax="finetti.backends.jax.log1mexp",
    samples=reals(-30.0, -0.01), vjp=lambda g, y, x: (-(g * exp(x - y)),),
)  # fmt: skip

# -- modified Bessel functions, scaled by exp(-|x|) -----------------------------------------------


def _i1e_vjp(g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
    at_zero = equal(x, 0.0)
    ratio = where(at_zero, 0.5, y / where(at_zero, 1.0, x))
    return (g * (i0e(x) - ratio - sign(x) * y),)


def _ive_vjp(g: Tensor, y: Tensor, order: Tensor, x: Tensor) -> Any:
    fixed("ive", order)
    return None, g * ((order / x - sign(x)) * y + ive(order + 1.0, x))


gamma = unary(
    "gamma", numpy="scipy.special.gamma", native="tgamma", jax="jax.scipy.special.gamma",
    samples=reals(0.1, 9.0), vjp=lambda g, y, x: (g * y * digamma(x),),
)  # fmt: skip
i0e = unary(
    "i0e", numpy="scipy.special.i0e", native="i0e", jax="jax.scipy.special.i0e",
    samples=reals(-30.0, 30.0), vjp=lambda g, y, x: (g * (i1e(x) - sign(x) * y),),
)  # fmt: skip
i1e = unary(
    "i1e", numpy="scipy.special.i1e", native="i1e", jax="jax.scipy.special.i1e",
    samples=reals(-30.0, 30.0), vjp=_i1e_vjp,
)  # fmt: skip
ive = binary(
    "ive", infer=float_type, numpy="scipy.special.ive", native="ive",
    jax="finetti.backends.jax.ive", vjp=_ive_vjp, tol=1e-11,
    notes={"jax": "whole orders from 0 to 300"},
    samples=tuple(
        (lambda rng, s=s: (rng.integers(0, 9, s), rng.uniform(0.3, 40.0, s)))
        for s in ((), (11,), (3, 4))
    ),
)  # fmt: skip


# -- what is made of the above -------------------------------------------------------------------


def _of_tensors(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Numbers, arrays and lists become tensors before they meet operators."""

    @functools.wraps(function)
    def call(*args: Any) -> Tensor:
        return function(*map(as_tensor, args))

    return call


@_of_tensors
def betaln(x: Any, y: Any) -> Tensor:
    """Logarithm of the beta function."""
    return gammaln(x) + gammaln(y) - gammaln(x + y)


@_of_tensors
def logit(p: Any) -> Tensor:
    """Log odds of a probability."""
    return log(p) - log1p(-p)


@_of_tensors
def invprobit(x: Any) -> Tensor:
    """The standard normal distribution function."""
    return 0.5 * erfc(-x / math.sqrt(2.0))


ndtr = invprobit


def probit(p: Any) -> Tensor:
    """The standard normal quantile function."""
    return ndtri(p)


@_of_tensors
def log2(x: Any) -> Tensor:
    """Logarithm to base 2."""
    return log(x) * (1.0 / math.log(2.0))


@_of_tensors
def log10(x: Any) -> Tensor:
    """Logarithm to base 10."""
    return log(x) * (1.0 / math.log(10.0))


@_of_tensors
def exp2(x: Any) -> Tensor:
    """2 to the power x."""
    return exp(x * math.log(2.0))


@_of_tensors
def erfcinv(x: Any) -> Tensor:
    """The inverse of the complementary error function, accurate near 0."""
    return -math.sqrt(0.5) * ndtri(0.5 * x)


@_of_tensors
def logdiffexp(x: Any, y: Any) -> Tensor:
    """log(exp(x) - exp(y)) without overflow, for x > y."""
    return x + log1mexp(where(y > -math.inf, y - x, -math.inf))


@_of_tensors
def i0(x: Any) -> Tensor:
    """The modified Bessel function of order 0."""
    return exp(absolute(x)) * i0e(x)


@_of_tensors
def i1(x: Any) -> Tensor:
    """The modified Bessel function of order 1."""
    return exp(absolute(x)) * i1e(x)


@_of_tensors
def iv(order: Any, x: Any) -> Tensor:
    """The modified Bessel function of the first kind."""
    return exp(absolute(x)) * ive(order, x)
