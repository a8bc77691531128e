"""Loops and maps of `numpyro.util`, by JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.errors import ParameterError

__all__ = [
    "cond", "control_flow_prims_disabled", "fori_collect", "fori_loop", "maybe_jit",
    "nested_attrgetter", "optional", "soft_vmap", "while_loop",
]  # fmt: skip

_PLAIN: list[bool] = []  # not empty: loops run in Python


@contextmanager
def optional(condition: bool, context_manager: Any) -> Iterator[None]:
    """Open a context manager only if a condition holds."""
    if not condition:
        yield
        return
    with context_manager:
        yield


@contextmanager
def control_flow_prims_disabled() -> Iterator[None]:
    """Run the loops and branches of this module in Python, step by step."""
    _PLAIN.append(True)
    try:
        yield
    finally:
        _PLAIN.pop()


def maybe_jit(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """`jax.jit` of a function, unless loops run in Python."""
    return fn if _PLAIN else jax.jit(fn, *args, **kwargs)


def cond(
    pred: Any, true_operand: Any, true_fun: Callable[[Any], Any], false_operand: Any,
    false_fun: Callable[[Any], Any],
) -> Any:  # fmt: skip
    """One of two functions of one of two operands."""
    if _PLAIN:
        return true_fun(true_operand) if pred else false_fun(false_operand)
    return jax.lax.cond(
        pred, lambda both: true_fun(both[0]), lambda both: false_fun(both[1]),
        (true_operand, false_operand),
    )  # fmt: skip


def while_loop(
    cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any
) -> Any:
    """`jax.lax.while_loop`."""
    if not _PLAIN:
        return jax.lax.while_loop(cond_fun, body_fun, init_val)
    value = init_val
    while cond_fun(value):
        value = body_fun(value)
    return value


def fori_loop(lower: int, upper: int, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """`jax.lax.fori_loop`."""
    if not _PLAIN:
        return jax.lax.fori_loop(lower, upper, body_fun, init_val)
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def fori_collect(  # noqa: PLR0913, a user's keywords
    lower: int,
    upper: int,
    body_fun: Callable[[Any], Any],
    init_val: Any,
    transform: Callable[[Any], Any] = lambda x: x,
    progbar: bool = True,
    progress_rate: int | None = None,
    return_last_val: bool = False,
    collection_size: int | None = None,
    thinning: int = 1,
    **progbar_opts: Any,
) -> Any:
    """Repeat a step and collect what it gives, along a new first axis.

    Parameters
    ----------
    lower : int
        How many steps are not collected.
    upper : int
        How many steps are made.
    body_fun : callable
        The step: from a tree of arrays to the next.
    init_val : pytree
        The first.
    transform : callable
        What is kept of each.
    return_last_val : bool
        Whether the last tree is returned too.
    collection_size : int, optional
        The length of the new axis; what is left over is zero.
    thinning : int
        Keep every so many-th.
    progbar, progress_rate, **progbar_opts
        Accepted: the loop is one call, which shows no progress.
    """
    kept = (upper - lower) // thinning if thinning >= 1 else -1
    size = kept if collection_size is None else collection_size
    if lower > upper or kept < 0 or size < kept:
        raise ParameterError(
            f"fori_collect: lower={lower}, upper={upper}, thinning={thinning}, collection_size="
            f"{collection_size}: expected lower <= upper, thinning >= 1 and a size of at least "
            f"{max(kept, 0)}."
        )
    first = upper - kept * thinning

    def step(state: Any, i: Any) -> Any:
        value = body_fun(state)
        return value, transform(value)

    last, rows = jax.lax.scan(step, init_val, jnp.arange(upper))

    def chosen(x: Any) -> Any:
        x = x[first + thinning - 1 :: thinning] if kept else x[:0]
        return jnp.pad(x, ((0, size - kept),) + ((0, 0),) * (x.ndim - 1))

    found = jax.tree_util.tree_map(chosen, rows)
    return (found, last) if return_last_val else found


def soft_vmap(
    fn: Callable[[Any], Any], xs: Any, batch_ndims: int = 1, chunk_size: int | None = None
) -> Any:
    """`jax.vmap` of a function over leading axes, some rows at a time.

    Parameters
    ----------
    fn : callable
        The function of one row.
    xs : pytree
        The rows.
    batch_ndims : int
        How many leading axes.
    chunk_size : int, optional
        How many rows at a time; all by default.
    """
    batch = {tuple(np.shape(x)[:batch_ndims]) for x in jax.tree_util.tree_leaves(xs)}
    if len(batch) != 1:
        raise ParameterError(f"soft_vmap: the leading axes have shapes {sorted(batch)}.")
    (shape,) = batch
    size = int(np.prod(shape))
    flat = jax.tree_util.tree_map(lambda x: jnp.reshape(x, (size, *np.shape(x)[batch_ndims:])), xs)
    if chunk_size is None or chunk_size >= size:
        rows = jax.vmap(fn)(flat)
    else:
        rows = jax.lax.map(fn, flat, batch_size=chunk_size)
    return jax.tree_util.tree_map(lambda x: jnp.reshape(x, (*shape, *x.shape[1:])), rows)


def nested_attrgetter(*collect_fields: str) -> Callable[[Any], Any]:
    """As `operator.attrgetter`, for keys of dicts and places of lists as well."""

    def one(value: Any, field: str) -> Any:
        for name in field.split("."):
            if isinstance(value, dict):
                value = value[name]
            elif isinstance(value, (tuple, list)) and name.isdecimal():
                value = value[int(name)]
            else:
                value = getattr(value, name)
        return value

    def getter(value: Any) -> Any:
        found = tuple(one(value, field) for field in collect_fields)
        return found if len(found) > 1 else found[0]

    return getter
