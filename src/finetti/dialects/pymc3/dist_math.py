"""The functions of `pymc3.distributions.dist_math` that custom densities use: a table."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from finetti import dist
from finetti.errors import NotYetSupported, did_you_mean
from finetti.ir import Tensor, ops


def bound(logp: Any, *conditions: Any, broadcast_conditions: bool = True) -> Tensor:
    """A log density where all conditions hold, -inf elsewhere."""
    if not conditions:
        return ops.as_tensor(logp)
    tensors = [ops.as_tensor(condition) for condition in conditions]
    if not broadcast_conditions:
        tensors = [ops.all_(condition) for condition in tensors]
    return ops.where(functools.reduce(ops.logical_and, tensors), logp, -np.inf)


def _logpow(x: Any, m: Any) -> Tensor:
    return ops.where(ops.equal(x, 0.0), ops.where(ops.equal(m, 0.0), 0.0, -np.inf), m * ops.log(x))


def _log_normal(x: Any, mean: Any, **scale: Any) -> Tensor:
    given = {"mu": mean, **{"sigma" if key == "sd" else key: x for key, x in scale.items()}}
    record, params = dist.resolve(dist.Normal, given, "log_normal")
    return record.logp(x, inside=False, **params)


def _normal(what: str) -> Callable[..., Tensor]:
    def function(mu: Any, sigma: Any, x: Any) -> Tensor:
        z = (ops.as_tensor(x) - mu) / sigma
        return ops.log_ndtr(z if what == "lcdf" else -z)

    return function


_TABLE: dict[str, Callable[..., Any]] = {
    "betaln": ops.betaln,
    "binomln": lambda n, k: -ops.log1p(n) - ops.betaln(n - k + 1.0, k + 1.0),
    "bound": bound,
    "factln": lambda n: ops.gammaln(ops.as_tensor(n) + 1.0),
    "gammaln": ops.gammaln,
    "log_normal": _log_normal,
    "logpow": _logpow,
    "normal_lccdf": _normal("lccdf"),
    "normal_lcdf": _normal("lcdf"),
    "sigma2rho": lambda sigma: ops.log(ops.expm1(ops.absolute(sigma))),
    "rho2sigma": ops.softplus,
    "std_cdf": ops.ndtr,
    "zvalue": lambda value, sigma=1.0, mu=0.0: (ops.as_tensor(value) - mu) / sigma,
}  # fmt: skip
globals().update(_TABLE)
__all__ = sorted(_TABLE)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotYetSupported(f"pymc3's dist_math.{name} is not there. {did_you_mean(name, _TABLE)}")
