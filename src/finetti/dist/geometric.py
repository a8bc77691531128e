"""The geometric distribution: the number of trials up to the first success."""

from __future__ import annotations

from typing import Any

from finetti.dist import support
from finetti.dist.base import Alternative, Distribution, Param
from finetti.ir import INT, Tensor, ops


def logp(value: Tensor, p: Tensor) -> Tensor:
    return ops.log(p) + ops.xlog1py(value - 1, -p)


def draw(shape: Any, p: Tensor) -> Tensor:
    rate = -ops.log1p(-p)
    return 1 + ops.cast(ops.floor(ops.random.standard_exponential(shape=shape) / rate), INT)


def logcdf(value: Tensor, p: Tensor) -> Tensor:
    k = ops.maximum(ops.floor(value), 0)
    return ops.log1mexp(ops.xlog1py(k, -p))


def icdf(q: Tensor, p: Tensor) -> Tensor:
    # SciPy's and PyMC's way: rounding must not lead beyond a quantile that is exact.
    k = ops.ceil(ops.log1p(-q) / ops.log1p(-p))
    before = ops.maximum(k - 1.0, 0.0)
    return ops.where(ops.exp(logcdf(before, p)) >= q, before, k)


Geometric = Distribution(
    "Geometric",
    params={"p": Param(support.unit_interval)},
    support=lambda p: support.integers(1, words="whole numbers >= 1"),
    density=logp,
    draw=draw,
    center=lambda p: ops.round_(1.0 / p),
    mean=lambda p: 1.0 / p,
    var=lambda p: (1.0 - p) / (p * p),
    cdf=logcdf,
    quantile=icdf,
    ccdf=lambda value, p: ops.xlog1py(ops.maximum(ops.floor(value), 0), -p),
    discrete=True,
    scipy="stats.geom(p)",
    samples=({"p": 0.3}, {"p": [0.02, 0.9]}),
    tol=1e-11,
)


def _failures_logp(value: Tensor, logit_p: Tensor) -> Tensor:
    return logit_p - (value + 1.0) * ops.softplus(logit_p)


def _shifted(function: Any, by: float) -> Any:
    return lambda x, p: function(x + by, p)


_failures: dict[str, Any] = dict(
    support=lambda **params: support.counts,
    discrete=True,
    tol=1e-11,
)

FailuresByLogit = Distribution(
    "Geometric",
    key="Geometric(failures, logit_p)",
    params={"logit_p": Param(support.real)},
    density=_failures_logp,
    draw=lambda shape, logit_p: draw(shape, ops.sigmoid(logit_p)) - 1,
    center=lambda logit_p: ops.round_(ops.exp(-logit_p)),
    mean=lambda logit_p: ops.exp(-logit_p),
    var=lambda logit_p: ops.exp(-logit_p) / ops.sigmoid(logit_p),
    cdf=lambda value, logit_p: logcdf(value + 1.0, ops.sigmoid(logit_p)),
    quantile=lambda q, logit_p: icdf(q, ops.sigmoid(logit_p)) - 1.0,
    scipy="stats.geom(special.expit(logit_p), loc=-1)",
    samples=({"logit_p": -0.7}, {"logit_p": [-3.0, 2.0]}),
    **_failures,
)

# The number of failures before the first success.
Failures = Distribution(
    "Geometric",
    key="Geometric(failures)",
    params={"p": Param(support.unit_interval)},
    density=_shifted(logp, 1),
    draw=lambda shape, p: draw(shape, p) - 1,
    center=lambda p: ops.round_(1.0 / p) - 1.0,
    mean=lambda p: (1.0 - p) / p,
    var=lambda p: (1.0 - p) / (p * p),
    cdf=_shifted(logcdf, 1.0),
    quantile=lambda q, p: icdf(q, p) - 1.0,
    alternatives=(
        Alternative(
            ("logit_p",), ("p",), lambda logit_p: {"logit_p": logit_p}, record=FailuresByLogit
        ),
    ),
    scipy="stats.geom(p, loc=-1)",
    samples=({"p": 0.3}, {"p": [0.02, 0.9]}),
    **_failures,
)
