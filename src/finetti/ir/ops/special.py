"""Functions of statistics: sigmoid and its kin, the error and the gamma functions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.ir.opdef import OpDef, binary, float_type, reals, unary
from finetti.ir.ops.elementwise import (
    absolute,
    arctan,
    equal,
    exp,
    expm1,
    less,
    log,
    log1p,
    maximum,
    minimum,
    sign,
    sqrt,
    where,
)  # fmt: skip
from finetti.ir.ops.leaf import constant_value
from finetti.ir.ops.shape import as_tensor
from finetti.ir.tensor import Tensor


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
    "softplus", numpy=_softplus, native="softplus", jax="jax.nn.softplus", samples=reals(-40.0, 40.0),
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
    numpy=lambda x, order: _scipy_polygamma(order, x), native="polygamma", jax="jax.scipy.special.polygamma",
    samples=((lambda rng: ((rng.uniform(0.2, 9.0, (11,)),), {"order": 1})),
             (lambda rng: ((rng.uniform(0.2, 9.0, (4, 2)),), {"order": 3}))),
    tol=1e-10, vjp=lambda g, y, x, order: (g * _polygamma(x, order=order + 1),),
)  # fmt: skip
xlogy = binary(
    "xlogy", infer=float_type, numpy="scipy.special.xlogy", native="xlogy",
    jax="jax.scipy.special.xlogy", samples=reals(0.1, 4.0, 2),
    vjp=lambda g, out, x, y: (g * log(y), g * (x / y)),
)  # fmt: skip
xlog1py = binary(
    "xlog1py", infer=float_type, numpy="scipy.special.xlog1py", native="xlog1py",
    jax="jax.scipy.special.xlog1py", samples=reals(0.1, 4.0, 2),
    vjp=lambda g, out, x, y: (g * log1p(y), g * (x / (1.0 + y))),
)  # fmt: skip


def _scipy_polygamma(order: int, x: Any) -> Any:
    from scipy.special import polygamma as function

    return function(order, x)


def polygamma(order: int, x: Any) -> Tensor:
    """The derivative of digamma of the given order >= 1."""
    return _polygamma(x, order=int(order))


# -- distribution functions and their inverses ---------------------------------------------------


def _fixed(name: str, *params: Tensor) -> None:
    if any(constant_value(param) is None for param in params):
        raise NotYetSupported(
            f"the gradient of {name} with respect to its parameters is not written yet; only that "
            "with respect to its last argument is."
        )


def _betainc_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor, x: Tensor) -> Any:
    _fixed("betainc", a, b)
    slope = exp(xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - betaln(a, b))
    return None, None, g * slope


def _betaincinv_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor, q: Tensor) -> Any:
    _fixed("betaincinv", a, b)
    return None, None, g * exp(betaln(a, b) - xlogy(a - 1.0, y) - xlog1py(b - 1.0, -y))


def _gammainc_vjp(sign: float) -> Any:
    def vjp(g: Tensor, y: Tensor, a: Tensor, x: Tensor) -> Any:
        _fixed("gammainc", a)
        return None, g * (sign * exp(xlogy(a - 1.0, x) - x - gammaln(a)))

    return vjp


def _gammaincinv_vjp(g: Tensor, y: Tensor, a: Tensor, q: Tensor) -> Any:
    _fixed("gammaincinv", a)
    return None, g * exp(gammaln(a) + y - xlogy(a - 1.0, y))


_forward_only: dict[str, Any] = dict(
    native=None, tol=1e-9, infer=float_type,
    notes={"native": "not in the vector library yet; the reference backend has it"},
)  # fmt: skip


def _with_shapes(count: int) -> tuple[Any, ...]:
    """Samples: whole shape parameters, which stay constants, then a number between 0 and 1."""
    return tuple(
        (lambda rng, s=s: (*(np.asarray(k + 2) for k in range(count)), rng.uniform(0.1, 0.9, s)))
        for s in ((), (7,), (3, 4))
    )


betainc = OpDef(
    "betainc", "elementwise", numpy="scipy.special.betainc", jax="jax.scipy.special.betainc",
    samples=_with_shapes(2), vjp=_betainc_vjp, **_forward_only,
)  # fmt: skip
betaincinv = OpDef(
    "betaincinv", "elementwise", numpy="scipy.special.betaincinv", jax=None,
    samples=_with_shapes(2), vjp=_betaincinv_vjp,
    **{**_forward_only, "notes": {**_forward_only["notes"], "jax": "JAX has none"}},
)  # fmt: skip
gammainc = OpDef(
    "gammainc", "elementwise", numpy="scipy.special.gammainc", jax="jax.scipy.special.gammainc",
    samples=_with_shapes(1), vjp=_gammainc_vjp(1.0), **_forward_only,
)  # fmt: skip
gammaincc = OpDef(
    "gammaincc", "elementwise", numpy="scipy.special.gammaincc", jax="jax.scipy.special.gammaincc",
    samples=_with_shapes(1), vjp=_gammainc_vjp(-1.0), **_forward_only,
)  # fmt: skip
gammaincinv = OpDef(
    "gammaincinv", "elementwise", numpy="scipy.special.gammaincinv", jax=None,
    samples=_with_shapes(1), vjp=_gammaincinv_vjp,
    **{**_forward_only, "notes": {**_forward_only["notes"], "jax": "JAX has none"}},
)  # fmt: skip
ndtri = unary(
    "ndtri", numpy="scipy.special.ndtri", jax="jax.scipy.special.ndtri", samples=reals(0.1, 0.9),
    vjp=lambda g, y, x: (g * (math.sqrt(2.0 * math.pi) * exp(0.5 * y * y)),), **_forward_only,
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
def logaddexp(x: Any, y: Any) -> Tensor:
    """log(exp(x) + exp(y)) without overflow."""
    larger = maximum(x, y)
    # inf - inf would be NaN, where the sum of two infinite terms is that infinity.
    finite = larger - larger == 0.0
    return where(finite, larger + log1p(exp(-absolute(x - y))), larger)


@_of_tensors
def log1mexp(x: Any) -> Tensor:
    """log(1 - exp(x)) for x < 0, accurate at both ends (Maechler 2012)."""
    return where(x > -math.log(2.0), log(-expm1(x)), log1p(-exp(x)))


@_of_tensors
def invprobit(x: Any) -> Tensor:
    """The standard normal distribution function."""
    return 0.5 * erfc(-x / math.sqrt(2.0))


@_of_tensors
def probit(p: Any) -> Tensor:
    """The standard normal quantile function."""
    return math.sqrt(2.0) * erfinv(2.0 * p - 1.0)


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
def log_ndtr(x: Any) -> Tensor:
    """Log of the standard normal distribution function, accurate in both tails."""
    far = minimum(x, -30.0)
    r = 1.0 / (far * far)
    # Abramowitz and Stegun 26.2.12; the term left out is below 1e-13 of the result at -30.
    series = r * (-1.0 + r * (3.0 + r * (-15.0 + r * (105.0 - 945.0 * r))))
    tail = -0.5 * far * far - log(-far) - 0.5 * math.log(2.0 * math.pi) + log1p(series)
    near = maximum(x, -30.0)
    q = erfc(absolute(near) * math.sqrt(0.5))
    body = where(near < 0.0, log(0.5 * q), log1p(-0.5 * q))
    return where(x < -30.0, tail, body)


@_of_tensors
def erfcinv(x: Any) -> Tensor:
    """The inverse of the complementary error function, accurate near 0."""
    return -math.sqrt(0.5) * ndtri(0.5 * x)


@_of_tensors
def logdiffexp(x: Any, y: Any) -> Tensor:
    """log(exp(x) - exp(y)) without overflow, for x > y."""
    return where(y > -math.inf, x + log1mexp(y - x), x)


@_of_tensors
def arcsinh(x: Any) -> Tensor:
    """The inverse of sinh."""
    size = absolute(x)
    # log(size + sqrt(size^2 + 1)), written so that small numbers keep their digits.
    return sign(x) * log1p(size + size * size / (1.0 + sqrt(size * size + 1.0)))


@_of_tensors
def arccosh(x: Any) -> Tensor:
    """The inverse of cosh for x >= 1."""
    above = x - 1.0
    return log1p(above + sqrt(above * (x + 1.0)))


@_of_tensors
def arctanh(x: Any) -> Tensor:
    """The inverse of tanh."""
    return 0.5 * (log1p(x) - log1p(-x))


@_of_tensors
def arctan2(y: Any, x: Any) -> Tensor:
    """The angle of the point (x, y)."""
    ratio = arctan(y / where(equal(x, 0.0), 1.0, x))
    behind = where(less(y, 0.0), ratio - math.pi, ratio + math.pi)
    upright = sign(y) * (0.5 * math.pi)
    return where(equal(x, 0.0), upright, where(less(x, 0.0), behind, ratio))
