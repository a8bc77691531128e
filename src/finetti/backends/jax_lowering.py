"""Graph to JAX: functions that can be traced, with our own first and second derivatives.

A graph is interpreted while JAX traces it; each record names the JAX function that means it.
Derivatives are those of `passes.grad`, not JAX's: a graph has one gradient on every backend, so
`where(x > 0, log(x), 0)`, a Cholesky factor or a ratio at its limit behave as they do when we
sample. Both modes, `jit`, `vmap` and second derivatives work; from the third derivative on JAX
differentiates the second by itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from finetti.errors import CompileError, NotYetSupported
from finetti.ir import FLOAT, Node, Tensor, attrs_of, ops, topological
from finetti.ir.node import make
from finetti.ir.ops.leaf import input_
from finetti.ir.types import map_sizes
from finetti.passes.grad import gradient
from finetti.passes.simplify import simplify

Function = Callable[..., Any]


def library(*, any_precision: bool = False) -> Any:
    """The module `jax`, with 64-bit numbers switched on unless any precision will do.

    Raises
    ------
    NotYetSupported
        When JAX is not installed.
    CompileError
        When JAX is set to 32 bits, which would round data and results without a word.
    """
    try:
        import jax
    except ImportError as error:
        raise NotYetSupported(
            "to_jax: JAX is not installed. It is an optional dependency; install it with "
            '`pip install "finetti[jax]"`.'
        ) from error
    if not any_precision and not jax.config.jax_enable_x64:
        raise CompileError(
            "to_jax: JAX is set to 32-bit numbers, and a log density needs 64. Write "
            '`jax.config.update("jax_enable_x64", True)` right after `import jax`, or work inside '
            "`with jax.enable_x64(True):`."
        )
    return jax


def lower(
    outputs: Sequence[Node], inputs: Sequence[Node], *, any_precision: bool = False
) -> Function:
    """A traceable function from the inputs' arrays to a tuple of the outputs' arrays.

    Parameters
    ----------
    outputs : sequence of Node
        What to compute.
    inputs : sequence of Node
        `input` nodes, in the order of the function's arguments.
    any_precision : bool, optional
        Whether 32-bit numbers will do, where JAX is set to them.

    Raises
    ------
    NotYetSupported
        For an operation that JAX does not have.
    """
    return library(any_precision=any_precision).jit(interpreter(outputs, inputs))  # type: ignore[no-any-return]


def lower_draws(outputs: Sequence[Node], inputs: Sequence[Node]) -> Function:
    """As `lower`, for graphs that draw random numbers: the first argument is a key."""
    return library(any_precision=True).jit(interpreter(outputs, inputs, draws=True))  # type: ignore[no-any-return]


def interpreter(outputs: Sequence[Node], inputs: Sequence[Node], draws: bool = False) -> Function:
    """As `lower`, without `jit` around it: for what is part of a traced function already."""
    jax = library(any_precision=True)
    jnp, given = jax.numpy, set(inputs)
    nodes = [node for node in topological(outputs) if node not in given]
    steps = [(node, _meaning(node, draws), canonical(node.type.dtype)) for node in nodes]
    random = [node for node in nodes if node.op.family == "random"]

    def run(*arrays: Any) -> tuple[Any, ...]:
        keys: dict[Node, Any] = {}
        if draws:
            key, *arrays = arrays  # type: ignore[assignment]
            # one draw takes the key itself, as a program's own call of `jax.random` would
            several = jax.random.split(key, len(random)) if len(random) > 1 else [key]
            keys = dict(zip(random, several, strict=False))
        known: dict[Node, Any] = {
            node: jnp.asarray(array, canonical(node.type.dtype))
            for node, array in zip(inputs, arrays, strict=True)
        }
        for node, meaning, dtype in steps:
            args = [known[arg] for arg in node.args]
            value = meaning(keys[node], *args) if node in keys else meaning(*args)
            # Constants stay NumPy's, so that JAX can look at indices while it traces; as other
            # objects each time, because JAX remembers arrays in the type it has traced them with.
            if not isinstance(value, np.ndarray):
                known[node] = jnp.asarray(value, dtype)
            elif value.dtype == dtype:
                known[node] = value.view()
            else:
                with np.errstate(over="ignore"):  # the largest number of 64 bits is infinite in 32
                    known[node] = value.astype(dtype)
        return tuple(jnp.asarray(known[node], canonical(node.type.dtype)) for node in outputs)

    return run


def canonical(dtype: str) -> Any:
    """The dtype that JAX has for one of ours: of 32 bits where it is set to them."""
    return library(any_precision=True).dtypes.canonicalize_dtype(dtype)


def _meaning(node: Node, draws: bool = False) -> Function:
    """The function of a node's arguments that JAX traces; after a key, if it draws."""
    op = node.op
    if op.family == "random" and not draws:
        raise NotYetSupported(
            f"to_jax: {op.name!r} draws random numbers, and a log density is not random. Use "
            "`finetti.draw`."
        )
    search = _extreme_of(node)
    if search is not None:
        return partial(_resolve("finetti.backends.jax.places_of"), **attrs_of(search), op=search.op)
    if op.jax is not None:
        function = _resolve(op.jax)
        attrs = {name: map_sizes(value, int) for name, value in attrs_of(node).items()}
        if op.jax.startswith("finetti."):
            return partial(function, **attrs)
        if "dtype" in attrs:
            attrs["dtype"] = canonical(attrs["dtype"])
        return lambda *args: function(*args, *attrs.values())
    if op.family == "leaf" and op.numpy is not None:
        value = np.asarray(op.evaluate((), node.attrs), node.type.dtype)
        return lambda: value
    if op.numpy is None:
        raise CompileError(f"to_jax: no value is given for {node!r} {node.attrs}")
    reason = op.notes.get("jax", "it has no JAX column")
    raise NotYetSupported(
        f"to_jax: the operation {op.name!r} cannot run in JAX ({reason}). The native backend has "
        "it: use `model.compile_logp()`, or `finetti.sample`."
    )


def _extreme_of(node: Node) -> Node | None:
    """The maximum or minimum of an array that `node` searches the array for, as derivatives do."""
    if node.op.name != "equal":
        return None
    array, found = node.args
    while found.op.name in ("reshape", "broadcast_to"):
        (found,) = found.args
    return found if found.op.name in ("max", "min") and found.args[0] is array else None


@cache
def _resolve(path: str) -> Function:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


def density(logp: Node, inputs: Sequence[Node]) -> Function:
    """A scalar as a differentiable JAX function of the inputs' arrays.

    Parameters
    ----------
    logp : Node
        A float scalar.
    inputs : sequence of Node
        Its inputs. Those that are not floats have no derivatives.
    """
    jax = library()
    jnp = jax.numpy
    (logp,) = simplify([logp])
    places = [i for i, node in enumerate(inputs) if node.type.dtype == FLOAT]
    floats = [inputs[i] for i in places]
    plain = lower([logp], inputs)

    # Graphs of derivatives are made when a derivative is asked for.
    @cache
    def first() -> Function:
        return lower(simplify([logp, *gradient(logp, floats)]), inputs)

    @cache
    def second() -> Function:
        along = [make(input_, (), (("tangent", n.attrs[0]), n.type)) for n in floats]
        return lower(simplify(_curvature(logp, floats, along)), [*inputs, *along])

    def dot(grads: Sequence[Any], tangents: Sequence[Any]) -> Any:
        return sum((jnp.vdot(g, t) for g, t in zip(grads, tangents, strict=True)), jnp.zeros(()))

    @jax.custom_jvp  # type: ignore[untyped-decorator]
    def value(*x: Any) -> Any:
        return plain(*x)[0]

    @jax.custom_jvp  # type: ignore[untyped-decorator]
    def with_gradient(*x: Any) -> Any:
        return first()(*x)

    @value.defjvp  # type: ignore[untyped-decorator]
    def value_jvp(x: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        y, *grads = with_gradient(*x)
        return y, dot(grads, [tangents[i] for i in places])

    @with_gradient.defjvp  # type: ignore[untyped-decorator]
    def gradient_jvp(x: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        result = with_gradient(*x)
        along = [tangents[i] for i in places]
        return result, (dot(result[1:], along), *second()(*x, *along))

    return value  # type: ignore[no-any-return]


def _curvature(logp: Node, inputs: list[Node], along: list[Node]) -> list[Node]:
    """The Hessian times a vector: the gradient of the slope along it."""
    slope = ops.as_tensor(0.0)
    for grad, tangent in zip(gradient(logp, inputs), along, strict=True):
        slope = slope + ops.sum_(Tensor(grad) * Tensor(tangent))
    return gradient(slope.node, inputs)
