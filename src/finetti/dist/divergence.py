"""Kullback-Leibler divergences: of the first parameters' distribution from the second's."""

from __future__ import annotations

import numpy as np

from finetti.ir import Tensor, ops


def normal(mu: Tensor, sigma: Tensor, mu2: Tensor, sigma2: Tensor) -> Tensor:
    ratio = ops.square(sigma / sigma2)
    return 0.5 * (ratio + ops.square((mu - mu2) / sigma2) - 1.0 - ops.log(ratio))


def beta(a: Tensor, b: Tensor, a2: Tensor, b2: Tensor) -> Tensor:
    first, second = a2 - a, b2 - b
    own = first * ops.digamma(a) + second * ops.digamma(b)
    norm = ops.betaln(a2, b2) - ops.betaln(a, b)
    return norm - own + (first + second) * ops.digamma(a + b)


def gamma(alpha: Tensor, beta: Tensor, alpha2: Tensor, beta2: Tensor) -> Tensor:
    ratio = beta2 / beta
    norm = ops.gammaln(alpha2) - ops.gammaln(alpha)
    rest = (alpha - alpha2) * ops.digamma(alpha) - alpha2 * ops.log(ratio)
    return norm + rest + alpha * (ratio - 1.0)


def dirichlet(a: Tensor, a2: Tensor) -> Tensor:
    total, total2 = ops.sum_(a, -1), ops.sum_(a2, -1)
    norm = ops.gammaln(total) - ops.gammaln(total2)
    own = ops.sum_(ops.gammaln(a) - ops.gammaln(a2), -1)
    logs = ops.digamma(a) - ops.expand_dims(ops.digamma(total), -1)
    return norm - own + ops.sum_((a - a2) * logs, -1)


def categorical(p: Tensor, p2: Tensor) -> Tensor:
    """Infinite where the second leaves out what the first has."""
    terms = ops.xlogy(p, p) - ops.xlogy(p, p2)
    return ops.sum_(ops.where(p > 0.0, terms, 0.0), -1)


def mvnormal(mu: Tensor, chol: Tensor, mu2: Tensor, chol2: Tensor) -> Tensor:
    ratio = ops.solve_triangular(chol2, chol)
    apart = ops.solve_triangular(chol2, ops.expand_dims(mu - mu2, -1))
    logs = ops.log(ops.diagonal(chol)) - ops.log(ops.diagonal(chol2))
    square = ops.sum_(ratio * ratio, (-2, -1)) + ops.sum_(apart * apart, (-2, -1))
    return 0.5 * (square - float(chol.shape[-1])) - ops.sum_(logs, -1)


def weibull_gamma(alpha: Tensor, beta: Tensor, alpha2: Tensor, beta2: Tensor) -> Tensor:
    scaled = beta * beta2
    norm = ops.log(alpha) + ops.gammaln(alpha2)
    logs = alpha2 * (np.euler_gamma / alpha - ops.log(scaled))
    return norm + logs + scaled * ops.exp(ops.gammaln(1.0 / alpha + 1.0)) - (np.euler_gamma + 1.0)


def kumaraswamy_beta(a: Tensor, b: Tensor, a2: Tensor, b2: Tensor) -> Tensor:
    """With NumPyro's number of terms of the series."""
    first = (a2 / a - 1.0) * (-1.0) * (-np.euler_gamma - ops.digamma(b) - 1.0 / b)
    norm = ops.log(a * b) + ops.betaln(a2, b2) + (1.0 / b - 1.0)
    m = np.arange(1.0, 11.0)
    wide_a, wide_b = ops.expand_dims(a, -1), ops.expand_dims(b, -1)
    terms = ops.exp(ops.betaln(m / wide_a, wide_b)) / (m + wide_a * wide_b)
    return first + norm + (b2 - 1.0) * b * ops.sum_(terms, -1)
