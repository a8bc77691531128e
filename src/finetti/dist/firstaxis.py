"""PyMC3's random walk: time runs along the first axis, and the first number may be anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from finetti.dist import custom, flat, normal
from finetti.dist.base import Distribution, as_param
from finetti.dist.compose import take_apart
from finetti.errors import NotYetSupported
from finetti.ir import FLOAT, Tensor, ops


class _Walk:
    """The log density and random values of a walk whose first numbers follow `init`."""

    def __init__(self, init: Distribution):
        self.init = init

    def logp(self, value: Tensor, mu: Tensor, sigma: Tensor, *init: Tensor) -> Tensor:
        """Of the whole walk."""
        given: dict[str, Any] = dict(zip(self.init.params, init, strict=True))
        first = self.init.logp(value[0], **given)
        mu, sigma = (_after_first(x, value) for x in (mu, sigma))
        steps = normal.Normal.logp(value[1:], mu=value[:-1] + mu, sigma=sigma)
        return ops.sum_(first) + ops.sum_(steps)

    def __call__(self, rng: np.random.Generator, shape: Any, params: Sequence[Any]) -> Any:
        """Walks that begin at 0, as PyMC3 draws them where the first number may be anywhere."""
        if self.init is not flat.Flat:
            raise NotYetSupported(
                f"random values of a walk of {len(shape) - 1} axes that begins with "
                f"{self.init.name} are not there yet; with init=pm.Flat.dist() they begin at 0."
            )
        (mu, mu_moves), (sigma, sigma_moves) = params[:2]
        noise = rng.standard_normal(shape)
        steps = _aligned(mu, mu_moves, shape) + _aligned(sigma, sigma_moves, shape) * noise
        steps[:, 0] = 0.0
        return np.cumsum(steps, axis=1)


def _after_first(x: Tensor, value: Tensor) -> Tensor:
    """A parameter of each moment without that of the first one, as PyMC3 has it."""
    return x[1:] if x.ndim and x.node.shape[0] == value.node.shape[0] else x


def _aligned(value: np.ndarray, moves: bool, shape: Any) -> np.ndarray:
    if not moves:
        return value
    return value.reshape(shape[0], *(1,) * (len(shape) - value.ndim), *value.shape[1:])


def walk(
    mu: Any, sigma: Any, init: Tensor, shape: tuple[Any, ...], where: str
) -> tuple[Distribution, dict[str, Any]]:
    """The record and parameters of a walk of the given shape."""
    record, first = take_apart(init, where, "init")
    way = _Walk(record)
    params = [as_param("mu", mu, where), as_param("sigma", sigma, where), *first.values()]
    traced, everything = custom.trace(way.logp, shape, FLOAT, params, where)
    return custom.custom("GaussianRandomWalk", traced, everything, random=way)
