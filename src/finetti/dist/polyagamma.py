"""The Polya-Gamma distribution with parameters 1 and 0, below a bound (Polson et al. 2013)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finetti.dist import support
from finetti.dist.base import Distribution, Param
from finetti.dist.compose import undefined
from finetti.ir import Tensor, ops

TRUNCATION = 2.5
_TERMS = 7
_GAMMAS = 8


def logp(value: Tensor, scale: Tensor) -> Tensor:
    """The alternating series, cut after an odd number of terms."""
    odd = 2.0 * np.arange(_TERMS) + 1.0
    x = ops.expand_dims(value, -1)
    terms = np.log(odd) - 1.5 * ops.log(x) - 0.125 * odd * odd / x
    plus, minus = ops.logsumexp(terms[..., ::2], -1), ops.logsumexp(terms[..., 1::2], -1)
    return ops.logdiffexp(plus, minus) - 0.5 * math.log(2.0 * math.pi)


def draw(shape: Any, scale: Tensor) -> Tensor:
    each = ops.random.standard_exponential(shape=(*shape, _GAMMAS))
    total = ops.sum_(each / (np.arange(_GAMMAS) + 0.5) ** 2, -1)
    return ops.minimum(total * (0.5 / math.pi**2), TRUNCATION)


# The parameter `scale` does not count: a record has at least one, whose batch it has.
TruncatedPolyaGamma = Distribution(
    "TruncatedPolyaGamma",
    params={"scale": Param(support.real, 1.0)},
    support=lambda scale: support.interval(0.0, TRUNCATION),
    density=logp,
    draw=draw,
    center=lambda scale: ops.as_tensor(0.25),
    mean=undefined("TruncatedPolyaGamma"),
    var=undefined("TruncatedPolyaGamma"),
    scipy="",
    samples=(),
    notes={"cdf": "a series that is not written", "quantile": "as cdf"},
)
