"""Random numbers as nodes: the primitives that every distribution's draw is made of.

Each node carries a number of its own, so that two draws are never merged into one.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from finetti.ir.opdef import OpDef
from finetti.ir.tensor import Tensor
from finetti.ir.types import FLOAT, INT, Shape, TensorType, as_shape

_serial = itertools.count()
_LARGEST_RATE = 9.2e18  # NumPy refuses to draw with larger ones


def _primitive(name: str, draw: Callable[..., Any], dtype: str = FLOAT) -> Callable[..., Tensor]:
    def infer(*types: TensorType, shape: Shape, serial: int) -> TensorType:
        return TensorType(dtype, tuple(map(int, shape)))

    op = OpDef(
        name, "random", attr_names=("shape", "serial"), infer=infer, numpy=draw, vjp=None,
        native=None, jax=f"finetti.backends.jax_random.{name}",
        notes={"vjp": "draws are not differentiated", "native": "forward sampling runs on the "
               "reference backend, over all draws at once"},
    )  # fmt: skip

    def function(*params: Any, shape: Any) -> Tensor:
        return op(*params, shape=as_shape(shape), serial=next(_serial))

    function.__name__ = name
    function.__doc__ = f"Independent {name.replace('_', ' ')} draws of the given full shape."
    return function


def _categorical(rng: np.random.Generator, p: Any, *, shape: Shape, serial: int) -> np.ndarray:
    p = np.broadcast_to(p, (*shape, np.shape(p)[-1]))
    edges = np.cumsum(p, -1)
    u = rng.uniform(size=shape) * edges[..., -1]
    return (u[..., None] >= edges).sum(-1)


def _multinomial(
    rng: np.random.Generator, n: Any, p: Any, *, shape: Shape, serial: int
) -> np.ndarray:
    # probabilities that were kept in 32 bits may add up to 1 + 1e-7, which NumPy refuses
    total = np.sum(p, -1, keepdims=True)
    rounded = (total > 1.0 + 1e-12) & (total < 1.0 + 1e-5)
    return rng.multinomial(n, np.where(rounded, p / total, p), shape[:-1])


def _poisson(rng: np.random.Generator, mu: Any, *, shape: Shape, serial: int) -> np.ndarray:
    large = np.asarray(mu) > _LARGEST_RATE
    if not large.any():
        return rng.poisson(mu, shape)
    warnings.warn(
        "Poisson rates above 9.2e18 were drawn as the largest whole number: priors this wide on "
        "a log rate overflow.", RuntimeWarning, stacklevel=2,
    )  # fmt: skip
    return np.where(large, np.iinfo(np.int64).max, rng.poisson(np.where(large, 0.0, mu), shape))


# The reference backend passes its generator as the first argument of every random primitive.
standard_normal = _primitive(
    "standard_normal", lambda rng, *, shape, serial: rng.standard_normal(shape)
)
uniform = _primitive("uniform", lambda rng, *, shape, serial: rng.uniform(size=shape))
standard_exponential = _primitive(
    "standard_exponential", lambda rng, *, shape, serial: rng.standard_exponential(shape)
)
standard_gamma = _primitive(
    "standard_gamma", lambda rng, a, *, shape, serial: rng.standard_gamma(a, shape)
)
poisson = _primitive("poisson", _poisson, dtype=INT)
binomial = _primitive(
    "binomial", lambda rng, n, p, *, shape, serial: rng.binomial(n, p, shape), dtype=INT
)
categorical = _primitive("categorical", _categorical, dtype=INT)
hypergeometric = _primitive(
    "hypergeometric",
    lambda rng, good, bad, n, *, shape, serial: rng.hypergeometric(good, bad, n, shape),
    dtype=INT,
)
multinomial = _primitive("multinomial", _multinomial, dtype=INT)
vonmises = _primitive(
    "vonmises", lambda rng, mu, kappa, *, shape, serial: rng.vonmises(mu, kappa, shape)
)
wald = _primitive("wald", lambda rng, mu, lam, *, shape, serial: rng.wald(mu, lam, shape))
