"""Entropies of distributions, by the key of their record."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.dist import mvmore
from finetti.dist.base import Distribution
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops

_LOG_2PI_E = 1.0 + math.log(2.0 * math.pi)


def _beta(alpha: Tensor, beta: Tensor) -> Tensor:
    total = alpha + beta
    rest = (total - 2.0) * ops.digamma(total)
    own = (alpha - 1.0) * ops.digamma(alpha) + (beta - 1.0) * ops.digamma(beta)
    return ops.betaln(alpha, beta) - own + rest


def _gamma(alpha: Tensor, beta: Tensor) -> Tensor:
    return alpha - ops.log(beta) + ops.gammaln(alpha) + (1.0 - alpha) * ops.digamma(alpha)


def _inverse_gamma(alpha: Tensor, beta: Tensor) -> Tensor:
    return alpha + ops.log(beta) + ops.gammaln(alpha) - (1.0 + alpha) * ops.digamma(alpha)


def _dirichlet(a: Tensor) -> Tensor:
    total, n = ops.sum_(a, -1), float(a.shape[-1])
    norm = ops.sum_(ops.gammaln(a), -1) - ops.gammaln(total)
    own = ops.sum_((a - 1.0) * ops.digamma(a), -1)
    return norm + (total - n) * ops.digamma(total) - own


def _mvnormal(mu: Tensor, chol: Tensor) -> Tensor:
    n = float(chol.shape[-1])
    return 0.5 * n * _LOG_2PI_E + ops.sum_(ops.log(ops.diagonal(chol)), -1)


def wishart(nu: Tensor, chol: Tensor) -> Tensor:
    """The entropy of a Wishart matrix, by the factor of its scale matrix."""
    n = int(chol.shape[-1])
    halves = 0.5 * ops.expand_dims(nu, -1) - 0.5 * np.arange(float(n))
    log_gamma = ops.sum_(ops.gammaln(halves), -1) + 0.25 * n * (n - 1) * math.log(math.pi)
    scale = (n + 1.0) * ops.sum_(ops.log(ops.diagonal(chol)), -1)
    norm = scale + 0.5 * n * (n + 1) * math.log(2.0) + log_gamma
    return norm - 0.5 * (nu - n - 1.0) * ops.sum_(ops.digamma(halves), -1) + 0.5 * n * nu


def _student(nu: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    half, more = 0.5 * nu, 0.5 * (nu + 1.0)
    rest = ops.log(sigma) + 0.5 * ops.log(nu) + ops.betaln(half, ops.full_like(half, 0.5))
    return more * (ops.digamma(more) - ops.digamma(half)) + rest


def _shares(p: Tensor) -> Tensor:
    return -ops.sum_(ops.xlogy(p, p), -1)


def _bernoulli(p: Tensor) -> Tensor:
    return -ops.xlogy(p, p) - ops.xlog1py(1.0 - p, -p)


def _bernoulli_logit(logit_p: Tensor) -> Tensor:
    return ops.softplus(logit_p) - logit_p * ops.sigmoid(logit_p)


def _failures(p: Tensor) -> Tensor:
    return -(1.0 - p) * ops.log1p(-p) / p - ops.log(p)


def _weibull(alpha: Tensor, beta: Tensor) -> Tensor:
    return np.euler_gamma * (1.0 - 1.0 / alpha) + ops.log(beta / alpha) + 1.0


def _log_uniform(lower: Tensor, upper: Tensor) -> Tensor:
    low, high = ops.log(lower), ops.log(upper)
    return 0.5 * (low + high) + ops.log(high - low)


_LEVY = 0.5 + 1.5 * np.euler_gamma + 0.5 * math.log(16.0 * math.pi)

ENTROPIES: dict[str, Callable[..., Any]] = {
    "Bernoulli": _bernoulli,
    "Bernoulli(logit_p)": _bernoulli_logit,
    "Beta": _beta,
    "Categorical": _shares,
    "Categorical(logit_p)": lambda logit_p: _shares(ops.softmax(logit_p)),
    "Cauchy": lambda alpha, beta: ops.log(beta) + math.log(4.0 * math.pi),
    "ChiSquared": lambda nu: _gamma(0.5 * nu, ops.as_tensor(0.5)),
    "Dirichlet": _dirichlet,
    "DiscreteUniform": lambda lower, upper: ops.log(ops.floor(upper) - ops.floor(lower) + 1.0),
    "Exponential": lambda lam: 1.0 - ops.log(lam),
    "Gamma": _gamma,
    "Geometric(failures)": _failures,
    "Geometric(failures, logit_p)": lambda logit_p: _failures(ops.sigmoid(logit_p)),
    "InverseGamma": _inverse_gamma,
    "Laplace": lambda mu, b: ops.log(b) + math.log(2.0) + 1.0,
    "Levy": lambda m, c: ops.log(c) + _LEVY,
    "LogNormal": lambda mu, sigma: 0.5 * _LOG_2PI_E + mu + ops.log(sigma),
    "LogUniform": _log_uniform,
    "Logistic": lambda mu, s: ops.log(s) + 2.0,
    "MvNormal": _mvnormal,
    "MvNormal(circulant)": lambda **params: _mvnormal(**mvmore.circulant(**params)),
    "MvNormal(low rank)": lambda **params: _mvnormal(**mvmore.low_rank(**params)),
    "MvNormal(spectrum)": lambda **params: _mvnormal(**mvmore.circulant_of(**params)),
    "Normal": lambda mu, sigma: 0.5 * _LOG_2PI_E + ops.log(sigma),
    "Pareto": lambda alpha, m: ops.log(m / alpha) + 1.0 + 1.0 / alpha,
    "StudentT": _student,
    "Uniform": lambda lower, upper: ops.log(upper - lower),
    "Weibull": _weibull,
}


def entropy(record: Distribution, **params: Any) -> Tensor:
    """The entropy of a record with its own parameters, one number an event.

    Raises
    ------
    NotYetSupported
        When it has no formula here.
    """
    function = ENTROPIES.get(record.key)
    if function is None:
        raise NotYetSupported(f"the entropy of {record.name} is not written yet")
    return ops.as_tensor(function(**{name: ops.as_tensor(x) for name, x in params.items()}))
