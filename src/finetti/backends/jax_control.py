"""Loops and calls of Python in JAX: the functions that the records of `ir.ops.control` name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.backends.jax_lowering import canonical, interpreter
from finetti.ir.body import Body
from finetti.ir.ops.blackbox import BlackBox
from finetti.ir.types import Shape

Array = Any


def piece(x: Array, *, start: int, shape: Shape, dtype: str) -> Array:
    """A part of a flat array in its own shape and dtype."""
    size = int(np.prod(shape, dtype=np.int64))
    return jnp.asarray(x)[start : start + size].reshape(shape).astype(canonical(dtype))


def scan(*arrays: Array, body: Body, length: int, reverse: bool, sizes: tuple[int, ...]) -> Array:
    """The last carry and the results of all steps, flattened one after another."""
    first, second = body.carries, body.carries + body.sequences
    step = _step(body, arrays[second:])
    carry = tuple(
        jnp.asarray(x, canonical(node.type.dtype))
        for x, node in zip(arrays[:first], body.inputs, strict=False)
    )
    moving = tuple(jnp.asarray(x) for x in arrays[first:second])
    last, kept = jax.lax.scan(step, carry, moving, length=length, reverse=reverse)
    flat = [jnp.ravel(x).astype(float) for x in (*last, *kept)]
    return jnp.concatenate([*flat, jnp.zeros(0)])


def _step(body: Body, fixed: tuple[Array, ...]) -> Callable[[Any, Any], Any]:
    run = interpreter(body.outputs, body.inputs)

    def step(carry: tuple[Array, ...], elements: tuple[Array, ...]) -> Any:
        results = run(*carry, *elements, *fixed)
        return tuple(results[: body.carries]), tuple(results[body.carries :])

    return step


def blackbox(*arrays: Array, box: BlackBox, shapes: tuple[Shape, ...]) -> Array:
    """The outputs of a Python function, flattened one after another."""
    size = sum(int(np.prod(shape, dtype=np.int64)) for shape in shapes)
    dtypes = [np.dtype(x.dtype) for x in map(jnp.asarray, arrays)]

    def call(*values: Any) -> np.ndarray:
        given = [np.asarray(v, dtype) for v, dtype in zip(values, dtypes, strict=True)]
        return box.run(given, shapes).astype(canonical("float64"))

    result = jax.ShapeDtypeStruct((size,), canonical("float64"))
    return jax.pure_callback(call, result, *arrays, vmap_method="sequential")
