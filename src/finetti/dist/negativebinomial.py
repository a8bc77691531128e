"""The negative binomial distribution, by a mean and a size or by a size and a probability."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.dist.respell import respelled
from finetti.ir import Tensor, ops


def log_rising(alpha: Tensor, k: Tensor) -> Tensor:
    """Logarithm of gamma(alpha + k) / gamma(alpha).

    The difference of two large numbers loses digits where alpha is large; there the sum of
    log(1 + i/alpha) over i < k is expanded in 1/alpha.
    """
    large = alpha > 1e6 * (k + 1.0)
    first = 0.5 * (k * (k - 1.0))
    second = first * (2.0 * k - 1.0) / 3.0
    safe = ops.maximum(alpha, 1.0)
    series = k * ops.log(safe) + (first - 0.5 * second / safe) / safe
    return ops.where(large, series, ops.gammaln(alpha + k) - ops.gammaln(alpha))


def logp(value: Tensor, mu: Tensor, alpha: Tensor) -> Tensor:
    failure = ops.log1p(mu / alpha)
    power = ops.xlogy(value, mu) - value * ops.log(alpha) - (value + alpha) * failure
    return power + log_rising(alpha, value) - ops.gammaln(value + 1.0)


def draw(shape: Any, mu: Tensor, alpha: Tensor) -> Tensor:
    rate = ops.random.standard_gamma(alpha, shape=shape) * (mu / alpha)
    return ops.random.poisson(rate, shape=shape)


def center(mu: Tensor, alpha: Tensor) -> Tensor:
    # PyMC goes through p, where rounding can cross a whole number: floor(3.0) becomes 2.
    p = ops.sigmoid(ops.log(alpha) - ops.log(mu))
    return ops.floor(alpha * (1.0 - p) / p)


def np_logp(value: Tensor, n: Tensor, p: Tensor) -> Tensor:
    power = ops.xlogy(n, p) + ops.xlog1py(value, -p)
    return power + log_rising(n, value) - ops.gammaln(value + 1.0)


def np_draw(shape: Any, n: Tensor, p: Tensor) -> Tensor:
    return draw(shape, n * (1.0 - p) / p, n)


def np_logcdf(value: Tensor, n: Tensor, p: Tensor) -> Tensor:
    k = ops.floor(value)
    body = ops.log(ops.betainc(n, ops.maximum(k, 0) + 1.0, p))
    return ops.where(k < 0, -float("inf"), body)


def np_logccdf(value: Tensor, n: Tensor, p: Tensor) -> Tensor:
    k = ops.floor(value)
    body = ops.log(ops.betainc(ops.maximum(k, 0) + 1.0, n, 1.0 - p))
    return ops.where(k < 0, 0.0, body)


def _np(**given: Tensor) -> dict[str, Tensor]:
    return {"n": given["n"] if "n" in given else given["alpha"], "p": given["p"]}


ByProbability = Distribution(
    "NegativeBinomial",
    key="NegativeBinomial(n, p)",
    params={"n": Param(support.positive), "p": Param(support.unit_interval)},
    support=lambda n, p: support.counts,
    density=np_logp,
    draw=np_draw,
    center=lambda n, p: ops.floor(n * (1.0 - p) / p),
    mean=lambda n, p: n * (1.0 - p) / p,
    var=lambda n, p: n * (1.0 - p) / (p * p),
    cdf=np_logcdf,
    ccdf=np_logccdf,
    discrete=True,
    scipy="stats.nbinom(n, p)",
    samples=({"n": 4.5, "p": 0.35}, {"n": [1.0, 200.0], "p": [0.05, 0.9]}),
    tol=1e-11,
    notes={"quantile": "PyMC has none either"},
)

NegativeBinomial = Distribution(
    "NegativeBinomial",
    params={"mu": Param(support.nonnegative), "alpha": Param(support.positive)},
    support=lambda mu, alpha: support.counts,
    density=logp,
    draw=draw,
    center=center,
    mean=lambda mu, alpha: mu,
    var=lambda mu, alpha: mu + mu * mu / alpha,
    cdf=lambda value, mu, alpha: np_logcdf(value, alpha, alpha / (alpha + mu)),
    ccdf=lambda value, mu, alpha: np_logccdf(value, alpha, alpha / (alpha + mu)),
    discrete=True,
    alternatives=(
        Alternative(("n", "p"), ("mu", "alpha"), _np, record=ByProbability),
        Alternative(("alpha", "p"), ("mu", "alpha"), _np, record=ByProbability),
        Alternative(("mu", "n"), ("mu", "alpha"), lambda mu, n: {"mu": mu, "alpha": n}),
    ),
    scipy="stats.nbinom(alpha, 1 / (1 + mu / alpha))",
    samples=(
        {"mu": 3.0, "alpha": 0.4},
        {"mu": 3.0, "alpha": 1e3},
        {"mu": [0.1, 40.0], "alpha": [5.0, 1.5]},
    ),
    tol=1e-10,
    notes={"quantile": "PyMC has none either"},
)


def _rate_logp(value: Tensor, alpha: Tensor, rate: Tensor) -> Tensor:
    power = -alpha * ops.log1p(1.0 / rate) - value * ops.log1p(rate)
    return power + log_rising(alpha, value) - ops.gammaln(value + 1.0)


def _logits_logp(value: Tensor, n: Tensor, logit_p: Tensor) -> Tensor:
    power = -n * ops.softplus(logit_p) - value * ops.softplus(-logit_p)
    return power + log_rising(n, value) - ops.gammaln(value + 1.0)


def _success_logp(value: Tensor, n: Tensor, p: Tensor) -> Tensor:
    power = ops.xlog1py(n, -p) + ops.xlogy(value, p)
    return power + log_rising(n, value) - ops.gammaln(value + 1.0)


# A Poisson count whose mean is a gamma number of this shape and rate.
ByRate = respelled(
    NegativeBinomial,
    "NegativeBinomial(alpha, rate)",
    {"alpha": Param(support.positive), "rate": Param(support.positive)},
    lambda alpha, rate: {"mu": alpha / rate, "alpha": alpha},
    density=_rate_logp,
    scipy="stats.nbinom(alpha, np.divide(rate, np.add(rate, 1)))",
    samples=({"alpha": [0.4, 30.0], "rate": [0.1, 5.0]},),
)

# The number of successes of probability p before n failures.
BySuccess = respelled(
    ByProbability,
    "NegativeBinomial(n, success)",
    {"n": Param(support.positive), "p": Param(support.unit_interval)},
    lambda n, p: {"n": n, "p": 1.0 - p},
    density=_success_logp,
    scipy="stats.nbinom(n, np.subtract(1, p))",
    samples=({"n": [1.0, 20.5], "p": [0.05, 0.9]},),
)

ByLogits = respelled(
    ByProbability,
    "NegativeBinomial(n, logit_p)",
    {"n": Param(support.positive), "logit_p": Param(support.real)},
    lambda n, logit_p: {"n": n, "p": ops.sigmoid(-logit_p)},
    density=_logits_logp,
    scipy="stats.nbinom(n, special.expit(np.negative(logit_p)))",
    samples=({"n": [1.0, 20.5], "logit_p": [-2.0, 1.5]},),
)
