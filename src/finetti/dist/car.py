"""Conditional autoregression: numbers at sites of a graph, near the mean of their neighbours."""

from __future__ import annotations

from typing import Any

from finetti.dist import mvnormal, support
from finetti.dist.base import Distribution, Param
from finetti.dist.normal import HALF_LOG_2PI
from finetti.ir import Tensor, ops
from finetti.ir.types import Shape

_open = support.Support(
    "interval", "numbers between -1 and 1", lambda x: (x > -1.0) & (x < 1.0), lower=-1.0, upper=1.0
)


def _degrees(adjacency: Tensor) -> Tensor:
    return ops.sum_(adjacency, -1)


def logp(value: Tensor, mu: Tensor, rho: Tensor, tau: Tensor, adjacency: Tensor) -> Tensor:
    degrees = _degrees(adjacency)
    root = 1.0 / ops.sqrt(degrees)
    scaled = adjacency * ops.expand_dims(root, -1) * ops.expand_dims(root, -2)
    eigenvalues, _ = ops.eigh(scaled)
    wide = ops.expand_dims(rho, -1)
    log_det = ops.sum_(ops.log1p(-wide * eigenvalues), -1) + ops.sum_(ops.log(degrees), -1)
    x = value - mu
    near = ops.squeeze(ops.matmul(adjacency, ops.expand_dims(x, -1)), -1)
    square = tau * ops.sum_(x * (degrees * x - wide * near), -1)
    n = float(adjacency.shape[-1])
    return 0.5 * (n * ops.log(tau) + log_det - square) - n * HALF_LOG_2PI


def _factor(rho: Tensor, tau: Tensor, adjacency: Tensor) -> Tensor:
    own = ops.expand_dims(_degrees(adjacency), -1) * ops.eye(int(adjacency.shape[-1]))
    precision = own - ops.expand_dims(rho, (-1, -2)) * adjacency
    return mvnormal.from_tau(ops.expand_dims(tau, (-1, -2)) * precision)["chol"]


def draw(shape: Any, mu: Tensor, rho: Tensor, tau: Tensor, adjacency: Tensor) -> Tensor:
    return mvnormal.draw(shape, mu, _factor(rho, tau, adjacency))


def mean(mu: Tensor, rho: Tensor, tau: Tensor, adjacency: Tensor) -> Tensor:
    return mu + ops.zeros_like(_degrees(adjacency))


def _length(mu: Shape, rho: Shape, tau: Shape, adjacency: Shape) -> Shape:
    return adjacency[-1:]


CAR = Distribution(
    "CAR",
    params={
        "mu": Param(support.real, 0.0, ndim=1),
        "rho": Param(_open),
        "tau": Param(support.positive),
        "adjacency": Param(support.real, ndim=2),
    },
    support=lambda **params: support.real_vector,
    density=logp,
    draw=draw,
    center=mean,
    mean=mean,
    var=lambda mu, rho, tau, adjacency: mvnormal.var(mu, _factor(rho, tau, adjacency)),
    event_ndim=1,
    event_shape=_length,
    scipy="",
    samples=(),
    notes={"cdf": "not defined for vectors", "quantile": "not defined for vectors"},
)
