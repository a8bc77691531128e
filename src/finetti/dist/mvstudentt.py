"""The multivariate Student t distribution, by the Cholesky factor of its scale matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import mvnormal, support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape


def logp(value: Tensor, nu: Tensor, mu: Tensor, chol: Tensor) -> Tensor:
    n = float(chol.shape[-1])
    half = 0.5 * (nu + n)
    log_det = ops.sum_(ops.log(ops.diagonal(chol)), -1)
    norm = ops.gammaln(half) - ops.gammaln(0.5 * nu) - (0.5 * n) * ops.log(math.pi * nu)
    return norm - log_det - half * ops.log1p(ops.quadratic_form(chol, value - mu) / nu)


def draw(shape: Any, nu: Tensor, mu: Tensor, chol: Tensor) -> Tensor:
    half = 0.5 * nu
    mixed = ops.sqrt(half / ops.random.standard_gamma(half, shape=shape[:-1]))
    return mu + ops.expand_dims(mixed, -1) * mvnormal.draw(shape, ops.zeros_like(mu), chol)


def mean(nu: Tensor, mu: Tensor, chol: Tensor) -> Tensor:
    center = mu + ops.zeros_like(ops.diagonal(chol))
    return ops.where(ops.expand_dims(nu, -1) > 1.0, center, np.nan)


def var(nu: Tensor, mu: Tensor, chol: Tensor) -> Tensor:
    wide = ops.expand_dims(nu, -1)
    return ops.where(wide > 2.0, mvnormal.var(mu, chol) * wide / (wide - 2.0), np.inf)


def event_shape(nu: Shape, mu: Shape, chol: Shape) -> Shape:
    return mvnormal.event_shape(mu, chol)


MvStudentT = Distribution(
    "MvStudentT",
    params={
        "nu": Param(support.positive),
        "mu": Param(support.real, 0.0, ndim=1),
        "chol": Param(support.cholesky, ndim=2),
    },
    support=lambda nu, mu, chol: support.real_vector,
    density=logp,
    draw=draw,
    center=lambda nu, mu, chol: mu,
    mean=mean,
    var=var,
    event_ndim=1,
    event_shape=event_shape,
    alternatives=(
        Alternative(("scale",), ("chol",), lambda scale: mvnormal.from_cov(scale)),
        Alternative(("Sigma",), ("chol",), lambda Sigma: mvnormal.from_cov(Sigma)),
        Alternative(("cov",), ("chol",), mvnormal.from_cov),
        Alternative(("tau",), ("chol",), mvnormal.from_tau),
        Alternative(("chol", "lower"), ("chol",), mvnormal.from_chol),
    ),
    scipy="stats.multivariate_t(mu, chol @ chol.T, df=nu)",
    samples=(
        {"nu": 3.5, "mu": [0.0, 1.0], "chol": [[1.0, 0.0], [0.0, 1.0]]},
        {
            "nu": 8.0,
            "mu": [0.0, 1.0, -1.0],
            "chol": [[1.4, 0.0, 0.0], [0.4, 0.9, 0.0], [-0.2, 0.3, 0.6]],
        },
    ),
    tol=1e-11,
    notes={"cdf": "PyMC has none either", "quantile": "not defined for vectors"},
)
