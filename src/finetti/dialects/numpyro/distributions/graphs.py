"""Calls of graphs with arrays or tracers, through JAX: once made for given shapes, then reused.

A graph is named by a function of tensors and what is static of its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.backends.jax_functions import differentiable
from finetti.backends.jax_lowering import lower_draws
from finetti.dialects.jaxpr.own import own_graph
from finetti.dist import Distribution
from finetti.dist.composed import made
from finetti.dist.entropy import entropy
from finetti.ir import BOOL, FLOAT, INT, Tensor, ops
from finetti.ir.ops.leaf import new_input

Array = Any
Kind = tuple[tuple[int, ...], str]

_DTYPES = {"f": FLOAT, "i": INT, "u": INT, "b": BOOL}


def call(build: Callable[..., Tensor], *arrays: Any, static: Hashable = ()) -> Array:
    """``build(static, *tensors)`` for the values of the arrays; JAX can differentiate it."""
    arrays = tuple(_array(x) for x in arrays)
    return _function(build, static, _kinds(arrays), _precision())(*arrays)


def draw(key: Array, build: Callable[..., Tensor], *arrays: Any, static: Hashable = ()) -> Array:
    """As `call`, for a graph that draws random numbers."""
    arrays = tuple(_array(x) for x in arrays)
    return _drawing(build, static, _kinds(arrays), _precision())(key, *arrays)[0]


def _array(x: Any) -> Any:
    return x if isinstance(x, (jax.Array, np.ndarray)) else jnp.asarray(x)


def _precision() -> bool:
    return bool(jax.config.jax_enable_x64)


def _kinds(arrays: Sequence[Any]) -> tuple[Kind, ...]:
    return tuple((tuple(x.shape), _DTYPES[np.dtype(x.dtype).kind]) for x in arrays)


def _inputs(kinds: Sequence[Kind]) -> list[Tensor]:
    return [new_input(f"x{i}", shape, dtype) for i, (shape, dtype) in enumerate(kinds)]


@lru_cache(4096)
def _function(build: Any, static: Any, kinds: tuple[Kind, ...], precision: bool) -> Any:
    inputs = _inputs(kinds)
    output = ops.as_tensor(build(static, *inputs))
    graph = own_graph(partial(build, static), tuple(shape for shape, _ in kinds))
    return differentiable(output.node, [x.node for x in inputs], of=graph)


@lru_cache(1024)
def _drawing(build: Any, static: Any, kinds: tuple[Kind, ...], precision: bool) -> Any:
    inputs = _inputs(kinds)
    output = ops.as_tensor(build(static, *inputs))
    return lower_draws([output.node], [x.node for x in inputs])


def _applied(function: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    return function(*tensors)


def apply(function: Callable[..., Tensor], *arrays: Any) -> Array:
    """A function of tensors, for the values of arrays."""
    return call(_applied, *arrays, static=function)


# -- the columns of a record ---------------------------------------------------------------------
# Static is the record and the names of the parameters that follow.

Named = tuple[Distribution, tuple[str, ...]]


def _own(named: Any, params: Sequence[Tensor]) -> tuple[Distribution, dict[str, Any]]:
    record, names = named
    return made(record, dict(zip(names, params, strict=True)))


def _logp(named: Named, value: Tensor, *params: Tensor) -> Tensor:
    record, own = _own(named, params)
    # Whether values lie in the support is the caller's to say, as NumPyro says it.
    return record.logp(value, inside=True, **own)


def _cdf(named: Named, value: Tensor, *params: Tensor) -> Tensor:
    record, own = _own(named, params)
    return ops.exp(record.logcdf(value, **own))


def _icdf(named: Named, q: Tensor, *params: Tensor) -> Tensor:
    record, own = _own(named, params)
    return record.icdf(q, **own)


def _column(static: tuple[str, Named, tuple[int, ...]], *params: Tensor) -> Tensor:
    column, named, shape = static
    record, own = _own(named, params)
    tensors = {name: ops.as_tensor(x) for name, x in own.items()}
    if column == "entropy":
        return ops.broadcast_to(entropy(record, **tensors), shape)
    return ops.broadcast_to(ops.as_tensor(getattr(record, column)(**tensors)), shape)


def _draw(static: tuple[Named, tuple[int, ...]], *params: Tensor) -> Tensor:
    named, shape = static
    record, own = _own(named, params)
    return record.draw(shape, **{name: ops.as_tensor(x) for name, x in own.items()})


def _parts(record: Distribution, params: dict[str, Any]) -> tuple[Named, tuple[Any, ...]]:
    return (record, tuple(params)), tuple(params.values())


def log_density(record: Distribution, params: dict[str, Any], value: Any) -> Array:
    """The log density of a record with these parameters."""
    named, arrays = _parts(record, params)
    return call(_logp, value, *arrays, static=named)


def probability(record: Distribution, params: dict[str, Any], value: Any) -> Array:
    """The probability of values up to `value`."""
    named, arrays = _parts(record, params)
    return call(_cdf, value, *arrays, static=named)


def quantile(record: Distribution, params: dict[str, Any], q: Any) -> Array:
    """The value that has probability `q` below it."""
    named, arrays = _parts(record, params)
    return call(_icdf, q, *arrays, static=named)


def column(
    name: str, record: Distribution, params: dict[str, Any], shape: tuple[int, ...]
) -> Array:
    """A column of the record that takes parameters only (`mean`, `var`, `entropy`)."""
    named, arrays = _parts(record, params)
    return call(_column, *arrays, static=(name, named, shape))


def sample(
    key: Array, record: Distribution, params: dict[str, Any], shape: tuple[int, ...]
) -> Array:
    """Random values of the full shape."""
    named, arrays = _parts(record, params)
    return draw(key, _draw, *arrays, static=(named, shape))
