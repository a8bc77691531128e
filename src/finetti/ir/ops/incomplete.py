"""The incomplete gamma and beta functions, their inverses, and all derivatives to second order."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.ir.opdef import OpDef, float_type
from finetti.ir.ops.elementwise import exp, log, log1p
from finetti.ir.ops.special import betaln, digamma, fixed, gammaln, polygamma, xlog1py, xlogy
from finetti.ir.tensor import Tensor
from finetti.ir.types import TensorType

_SHAPES: tuple[tuple[int, ...], ...] = ((), (7,), (3, 4))


def _gamma_samples(**attrs: int) -> tuple[Any, ...]:
    """Free parameters and arguments, below and above the mean, and one with a fixed parameter."""

    def sample(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        a = rng.uniform(0.3, 9.0, shape)
        args = (a, a * rng.uniform(0.3, 2.2, shape))
        return (args, attrs) if attrs else args

    def whole(rng: np.random.Generator) -> Any:
        args = (np.asarray(3), rng.uniform(0.1, 9.0, (9,)))
        return (args, attrs) if attrs else args

    return (*((lambda rng, s=s: sample(rng, s)) for s in _SHAPES), whole)


def _quantile_samples(count: int) -> tuple[Any, ...]:
    return tuple(
        (
            lambda rng, s=s: (
                *(rng.uniform(0.4, 6.0, s) for _ in range(count)),
                rng.uniform(0.05, 0.95, s),
            )
        )
        for s in _SHAPES
    )


def _beta_samples(**attrs: int) -> tuple[Any, ...]:
    def sample(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        args = (*(rng.uniform(0.4, 8.0, shape) for _ in range(2)), rng.uniform(0.03, 0.97, shape))
        return (args, attrs) if attrs else args

    return tuple((lambda rng, s=s: sample(rng, s)) for s in _SHAPES)


# -- the gamma function --------------------------------------------------------------------------


def _gamma_density(a: Tensor, x: Tensor) -> Tensor:
    return exp(xlogy(a - 1.0, x) - x - gammaln(a))


def _gammainc_d_vjp(g: Tensor, y: Tensor, a: Tensor, x: Tensor, order: int) -> Any:
    slope = log(x) - digamma(a)
    factor = slope if order == 1 else slope * slope - polygamma(1, a)
    to_x = g * (_gamma_density(a, x) * factor)
    if order == 2:
        fixed("the second derivative of gammainc", a)
        return None, to_x
    return g * gammainc_d(a, x, order=2), to_x


gammainc_d = OpDef(
    "gammainc_d", "elementwise", attr_names=("order",),
    infer=lambda a, x, order: float_type(a, x), numpy="finetti.ir.reference.gammainc_d",
    native="gammainc_d", jax="finetti.backends.jax.gammainc_d", vjp=_gammainc_d_vjp, tol=1e-11,
    samples=(*_gamma_samples(order=1), _gamma_samples(order=2)[-1]),
)  # fmt: skip
gammainc = OpDef(
    "gammainc", "elementwise", infer=float_type, numpy="scipy.special.gammainc", native="gammainc",
    jax="finetti.backends.jax.gammainc", samples=_gamma_samples(), tol=1e-11,
    vjp=lambda g, y, a, x: (g * gammainc_d(a, x, order=1), g * _gamma_density(a, x)),
)  # fmt: skip
gammaincc = OpDef(
    "gammaincc", "elementwise", infer=float_type, numpy="scipy.special.gammaincc",
    native="gammaincc", jax="finetti.backends.jax.gammaincc", samples=_gamma_samples(), tol=1e-11,
    vjp=lambda g, y, a, x: (-(g * gammainc_d(a, x, order=1)), -(g * _gamma_density(a, x))),
)  # fmt: skip


def _gammaincinv_vjp(g: Tensor, y: Tensor, a: Tensor, q: Tensor) -> Any:
    share = g / _gamma_density(a, y)
    return -(share * gammainc_d(a, y, order=1)), share


gammaincinv = OpDef(
    "gammaincinv", "elementwise", infer=float_type, numpy="scipy.special.gammaincinv",
    native="gammaincinv", jax="finetti.backends.jax.gammaincinv", samples=_quantile_samples(1),
    vjp=_gammaincinv_vjp, tol=1e-11,
)  # fmt: skip

# -- the beta function ---------------------------------------------------------------------------


def _beta_density(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    return exp(xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - betaln(a, b))


def _betainc_d_type(a: TensorType, b: TensorType, x: TensorType, i: int, j: int) -> TensorType:
    return float_type(a, b, x)


def _betainc_d_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor, x: Tensor, i: int, j: int) -> Any:
    both = digamma(a + b)
    p, q = log(x) - digamma(a) + both, log1p(-x) - digamma(b) + both
    if i + j == 1:
        to_x = g * (_beta_density(a, b, x) * (p if i else q))
        return g * betainc_d(a, b, x, i=i + 1, j=j), g * betainc_d(a, b, x, i=i, j=j + 1), to_x
    fixed("the second derivative of betainc", a, b)
    both = polygamma(1, a + b)
    if i == j:
        factor = p * q + both
    else:
        factor = p * p + both - polygamma(1, a) if i else q * q + both - polygamma(1, b)
    return None, None, g * (_beta_density(a, b, x) * factor)


betainc_d = OpDef(
    "betainc_d", "elementwise", attr_names=("i", "j"), infer=_betainc_d_type,
    numpy="finetti.ir.reference.betainc_d", native="betainc_d", vjp=_betainc_d_vjp, tol=1e-11,
    jax="finetti.backends.jax.betainc_d",
    samples=(*_beta_samples(i=1, j=0), *_beta_samples(i=0, j=1)),
)  # fmt: skip
betainc = OpDef(
    "betainc", "elementwise", infer=float_type, numpy="scipy.special.betainc", native="betainc",
    jax="jax.scipy.special.betainc", samples=_beta_samples(), tol=1e-11,
    vjp=lambda g, y, a, b, x: (
        g * betainc_d(a, b, x, i=1, j=0), g * betainc_d(a, b, x, i=0, j=1),
        g * _beta_density(a, b, x)),
)  # fmt: skip


def _betaincinv_vjp(g: Tensor, y: Tensor, a: Tensor, b: Tensor, q: Tensor) -> Any:
    share = g / _beta_density(a, b, y)
    to_a, to_b = (betainc_d(a, b, y, i=i, j=1 - i) for i in (1, 0))
    return -(share * to_a), -(share * to_b), share


betaincinv = OpDef(
    "betaincinv", "elementwise", infer=float_type, numpy="scipy.special.betaincinv",
    native="betaincinv", jax="finetti.backends.jax.betaincinv", samples=_quantile_samples(2),
    vjp=_betaincinv_vjp, tol=1e-10,
)  # fmt: skip
