"""What has no counterpart in the graph: one equation as a black box that calls JAX back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.errors import NotYetSupported, warn
from finetti.ir import Tensor, ops
from finetti.ir.ops.blackbox import blackbox

Value = Any
_DTYPES = {"f": "float64", "i": "int64", "b": "bool"}


class CallsJaxWarning(UserWarning):
    """A part of a model is computed by JAX in every gradient, which is slow."""


def black_box(eqn: Any, args: Sequence[Value], line: str) -> list[Tensor]:
    """The results of an equation, computed by JAX whenever they are needed.

    Raises
    ------
    NotYetSupported
        When the equation takes or gives what no tensor can hold, e.g. complex numbers.
    """
    name = eqn.primitive.name
    kinds = [_DTYPES.get(_kind(v.aval)) for v in (*eqn.invars, *eqn.outvars)]
    if None in kinds or not all(isinstance(x, Tensor) for x in args) or not eqn.outvars:
        raise NotYetSupported(
            f"JAX's primitive {name!r} has no counterpart in finetti's graph, and takes or gives "
            "numbers that a graph cannot hold."
        )
    warn(
        f"JAX's {name!r} has no counterpart in finetti's graph: every evaluation of the model "
        "calls JAX for it, which costs some 50 microseconds and lets the chains take turns. "
        f"Write it with other functions where speed matters. {line}",
        CallsJaxWarning,
    )
    forward = _compiled(eqn)
    floats = [
        k for k, (v, x) in enumerate(zip(eqn.invars, args, strict=True))
        if _kind(v.aval) == "f" and ops.constant_value(x) is None
    ]  # fmt: skip
    backward = _compiled_adjoint(forward, floats)
    shapes = [tuple(v.aval.shape) for v in eqn.outvars]
    dtypes = [str(_DTYPES[_kind(v.aval)]) for v in eqn.outvars]
    single = len(shapes) == 1

    def call(*arrays: Any) -> Any:
        results = _run(forward, arrays)
        return results[0] if single else tuple(results)

    def slope(g: Any, *tensors: Tensor) -> list[Any]:
        given = list(g) if isinstance(g, (tuple, list)) else [g]
        shapes = [tuple(map(int, tensors[k].node.shape)) for k in floats]
        adjoint = blackbox(
            lambda *arrays: _adjoints(backward, len(given), arrays),
            out_shape=shapes if len(shapes) > 1 else shapes[0],
            out_dtype=["float64"] * len(floats) if len(shapes) > 1 else "float64",
            name=f"gradient of {name}",
        )
        found = adjoint(*given, *tensors)
        found = found if isinstance(found, (tuple, list)) else [found]
        to_args: list[Any] = [None] * len(tensors)
        for k, tensor in zip(floats, found, strict=True):
            to_args[k] = tensor
        return to_args

    box = blackbox(
        call, out_shape=shapes[0] if single else shapes, out_dtype=dtypes[0] if single else dtypes,
        grad=slope, name=name,
    )  # fmt: skip
    results = box(*args)
    return list(results) if isinstance(results, (tuple, list)) else [results]


def _kind(aval: Any) -> str:
    dtype = getattr(aval, "dtype", None)
    if dtype is None or jnp.issubdtype(dtype, jax.dtypes.extended):
        return "O"
    return np.dtype(dtype).kind


def _compiled(eqn: Any) -> Callable[..., Any]:
    """The equation as a compiled function from arrays to a list of them."""

    def run(*arrays: Any) -> list[Any]:
        values = [jnp.asarray(x, v.aval.dtype) for x, v in zip(arrays, eqn.invars, strict=True)]
        bound = eqn.primitive.get_bind_params(eqn.params)
        subfuns, params = ((), bound) if isinstance(bound, dict) else bound
        results = eqn.primitive.bind(*subfuns, *values, **params)
        return list(results) if eqn.primitive.multiple_results else [results]

    return jax.jit(run)


def _run(function: Callable[..., Any], arrays: Sequence[Any]) -> list[np.ndarray]:
    with jax.enable_x64(True):
        return [np.asarray(x) for x in function(*arrays)]


def _compiled_adjoint(forward: Callable[..., Any], floats: Sequence[int]) -> Callable[..., Any]:
    """The adjoints of the float arguments, given those of the results and all arguments."""

    def run(seeds: Any, args: Any) -> Any:
        def of_floats(*moving: Any) -> Any:
            full = list(args)
            for k, x in zip(floats, moving, strict=True):
                full[k] = x
            return forward(*full)

        results, back = jax.vjp(of_floats, *(args[k] for k in floats))
        given = [
            jnp.asarray(g, r.dtype) if r.dtype.kind == "f" else np.zeros(r.shape, jax.dtypes.float0)
            for g, r in zip(seeds, results, strict=True)
        ]
        return back(given)

    return jax.jit(run)


def _adjoints(adjoint: Callable[..., Any], count: int, arrays: Sequence[Any]) -> Any:
    with jax.enable_x64(True):
        found = [np.asarray(x) for x in adjoint(list(arrays[:count]), list(arrays[count:]))]
    return found[0] if len(found) == 1 else tuple(found)
