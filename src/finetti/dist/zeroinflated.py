"""Counts with more zeros: 0 with probability 1 - psi, else a count of another distribution."""

from __future__ import annotations

from typing import Any

from finetti.dist import binomial, negativebinomial, poisson, support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.ir import INT, Tensor, ops


def inflated_logp(value: Tensor, psi: Tensor, inner: Tensor) -> Tensor:
    """Log density for that of the count."""
    counted = ops.log(psi) + inner
    return ops.where(ops.equal(value, 0), ops.logaddexp(ops.log1p(-psi), counted), counted)


def inflated_logcdf(value: Tensor, psi: Tensor, inner: Tensor) -> Tensor:
    """Log distribution function for that of the count."""
    both = ops.logaddexp(ops.log1p(-psi), ops.log(psi) + inner)
    return ops.where(value < 0, -float("inf"), both)


def inflated_draw(shape: Any, psi: Tensor, inner: Tensor) -> Tensor:
    """Draws for those of the count."""
    counted = ops.cast(ops.random.uniform(shape=shape) < psi, INT)
    return counted * inner


def inflated_var(psi: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    """The variance for the mean and variance of the count."""
    return psi * (var + (1.0 - psi) * mean * mean)


def poisson_logp(value: Tensor, psi: Tensor, mu: Tensor) -> Tensor:
    return inflated_logp(value, psi, poisson.logp(value, mu))


def poisson_draw(shape: Any, psi: Tensor, mu: Tensor) -> Tensor:
    return inflated_draw(shape, psi, poisson.draw(shape, mu))


def binomial_logp(value: Tensor, psi: Tensor, n: Tensor, p: Tensor) -> Tensor:
    return inflated_logp(value, psi, binomial.logp(value, n, p))


def binomial_draw(shape: Any, psi: Tensor, n: Tensor, p: Tensor) -> Tensor:
    return inflated_draw(shape, psi, binomial.draw(shape, n, p))


def negative_logp(value: Tensor, psi: Tensor, mu: Tensor, alpha: Tensor) -> Tensor:
    return inflated_logp(value, psi, negativebinomial.logp(value, mu, alpha))


def negative_draw(shape: Any, psi: Tensor, mu: Tensor, alpha: Tensor) -> Tensor:
    return inflated_draw(shape, psi, negativebinomial.draw(shape, mu, alpha))


def negative_logcdf(value: Tensor, psi: Tensor, mu: Tensor, alpha: Tensor) -> Tensor:
    inner = negativebinomial.np_logcdf(value, alpha, alpha / (alpha + mu))
    return inflated_logcdf(value, psi, inner)


def from_probability(p: Tensor, **size: Tensor) -> dict[str, Tensor]:
    """Mean and size of a size and a probability."""
    (n,) = size.values()
    return {"mu": n * (1.0 - p) / p, "alpha": n}


ZeroInflatedPoisson = Distribution(
    "ZeroInflatedPoisson",
    params={"psi": Param(support.unit_interval), "mu": Param(support.nonnegative)},
    support=lambda psi, mu: support.counts,
    density=poisson_logp,
    draw=poisson_draw,
    center=lambda psi, mu: ops.round_(psi * ops.floor(mu)),
    mean=lambda psi, mu: psi * mu,
    var=lambda psi, mu: inflated_var(psi, mu, mu),
    cdf=lambda value, psi, mu: inflated_logcdf(value, psi, poisson.logcdf(value, mu)),
    discrete=True,
    scipy="twins.zero_inflated(psi, stats.poisson(mu))",
    samples=({"psi": 0.7, "mu": 2.4}, {"psi": [0.2, 1.0], "mu": [30.0, 0.5]}),
    tol=1e-11,
    notes={"quantile": "PyMC has none either"},
)

ZeroInflatedBinomial = Distribution(
    "ZeroInflatedBinomial",
    params={
        "psi": Param(support.unit_interval),
        "n": Param(support.counts),
        "p": Param(support.unit_interval),
    },
    support=lambda psi, n, p: support.integers(0, n),
    density=binomial_logp,
    draw=binomial_draw,
    center=lambda psi, n, p: ops.round_(psi * ops.round_(n * p)),
    mean=lambda psi, n, p: psi * n * p,
    var=lambda psi, n, p: inflated_var(psi, n * p, n * p * (1.0 - p)),
    cdf=lambda value, psi, n, p: inflated_logcdf(value, psi, binomial.logcdf(value, n, p)),
    discrete=True,
    scipy="twins.zero_inflated(psi, stats.binom(n, p))",
    samples=({"psi": 0.7, "n": 10, "p": 0.3}, {"psi": [0.2, 1.0], "n": [5, 100], "p": [0.9, 0.1]}),
    tol=1e-11,
    notes={"quantile": "PyMC has none either"},
)

ZeroInflatedNegativeBinomial = Distribution(
    "ZeroInflatedNegativeBinomial",
    params={
        "psi": Param(support.unit_interval),
        "mu": Param(support.nonnegative),
        "alpha": Param(support.positive),
    },
    support=lambda psi, mu, alpha: support.counts,
    density=negative_logp,
    draw=negative_draw,
    center=lambda psi, mu, alpha: ops.round_(psi * negativebinomial.center(mu, alpha)),
    mean=lambda psi, mu, alpha: psi * mu,
    var=lambda psi, mu, alpha: inflated_var(psi, mu, mu + mu * mu / alpha),
    cdf=negative_logcdf,
    discrete=True,
    alternatives=(
        Alternative(("n", "p"), ("mu", "alpha"), from_probability),
        Alternative(("alpha", "p"), ("mu", "alpha"), from_probability),
        Alternative(("mu", "n"), ("mu", "alpha"), lambda mu, n: {"mu": mu, "alpha": n}),
    ),
    scipy="twins.zero_inflated(psi, stats.nbinom(alpha, 1 / (1 + mu / alpha)))",
    samples=(
        {"psi": 0.7, "mu": 3.0, "alpha": 0.4},
        {"psi": [0.2, 1.0], "mu": [0.1, 40.0], "alpha": [5.0, 1.5]},
    ),
    tol=1e-10,
    notes={"quantile": "PyMC has none either"},
)
