"""`cond` whose branches may have sites: both have the same ones, and one of them counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.ops.pytree import PytreeTrace
from finetti.dialects.numpyro.primitives import _PYRO_STACK, Message, apply_stack
from finetti.errors import ParameterError

__all__ = ["cond"]

Body = Callable[..., Any]


def cond(pred: Any, true_fun: Body, false_fun: Body, operand: Any) -> Any:
    """`jax.lax.cond` over branches with sites.

    A site has the distribution of the branch that counts, so both branches have sites of the same
    names, with the same kinds of distributions.

    Parameters
    ----------
    pred : bool
        Which branch.
    true_fun, false_fun : callable
        The branches.
    operand : pytree
        Their argument.
    """
    if not _PYRO_STACK:
        return jax.lax.cond(pred, true_fun, false_fun, operand)
    msg = apply_stack({
        "type": "control_flow", "fn": run, "args": (pred, true_fun, false_fun, operand),
        "kwargs": {"rng_key": None, "substitute_stack": []}, "value": None,
    })  # fmt: skip
    value, found = msg["value"]
    for site in found.trace.values():
        apply_stack(site)
    return value


def run(pred: Any, true_fun: Body, false_fun: Body, operand: Any, *, rng_key: Any,
        substitute_stack: Any) -> Any:  # fmt: skip
    """What the branch that counts returns, and its sites.

    Parameters
    ----------
    pred, true_fun, false_fun, operand
        As for `cond`.
    rng_key : key or None
        A random key; without one all sites have to have values.
    substitute_stack : list
        Values for sites inside, as the handlers outside left them.
    """

    def branch(fun: Body) -> Body:
        def both(given: Any) -> Any:
            value, sites = traced(fun, given[1], given[0], substitute_stack)
            return value, PytreeTrace(sites)

        return both

    branches, given = [branch(true_fun), branch(false_fun)], (rng_key, operand)
    shapes = [jax.eval_shape(one, given) for one in branches]
    check([found.trace for _, found in shapes])
    if jax.tree_util.tree_structure(shapes[0]) != jax.tree_util.tree_structure(shapes[1]):
        raise ParameterError(
            "cond: the branches return different structures: "
            f"{jax.tree_util.tree_structure(shapes[0][0])} and "
            f"{jax.tree_util.tree_structure(shapes[1][0])}."
        )
    common = jax.tree_util.tree_map(_common, *shapes)

    def widened(one: Body) -> Body:
        return lambda given: jax.tree_util.tree_map(_wide, one(given), common)

    return jax.lax.cond(pred, *map(widened, branches), given)


def traced(fun: Body, operand: Any, rng_key: Any, stack: Any) -> tuple[Any, dict[str, Message]]:
    """What a branch returns, and its sites, with the values that handlers outside have for them."""
    with handlers.block():
        body = fun if rng_key is None else handlers.seed(fun, rng_key)
        for kind, source in stack:
            handler = handlers.condition if kind == "condition" else handlers.substitute
            body = handler(body, None, _giver(kind, source))
        with handlers.trace() as found:
            value = body(operand)
    return value, {n: m for n, m in found.items() if m["type"] in ("sample", "deterministic")}


def _giver(kind: str, source: Any) -> Callable[[Message], Any]:
    """What a handler outside has for a site."""

    def give(msg: Message) -> Any:
        if not isinstance(source, Mapping):
            return source(msg)
        value = source.get(msg["name"])
        return value["value"] if kind == "replay" and value is not None else value

    return give


def check(traces: Sequence[Mapping[str, Message]]) -> None:
    """Refuse branches whose sites differ in what cannot be chosen.

    Raises
    ------
    ParameterError
        Which names the site.
    """
    one, two = traces
    alone = [name for name in (*one, *two) if (name in one) != (name in two)]
    if alone:
        which, other = ("true", "false") if alone[0] in one else ("false", "true")
        raise ParameterError(
            f"cond: site {alone[0]!r} is in the {which} branch only. Both branches have to have "
            f"the same sites: write one in the {other} branch too, or draw it outside."
        )
    for name, first in one.items():
        second = two[name]
        for key in ("type", "is_observed", "scale"):
            if first.get(key) is not second.get(key) and first.get(key) != second.get(key):
                raise ParameterError(
                    f"cond: site {name!r} has {key}={first.get(key)!r} in the true branch and "
                    f"{key}={second.get(key)!r} in the false one; they have to be the same."
                )
        if first["type"] == "sample":
            chosen(True, name, first["fn"], second["fn"])


def chosen(pred: Any, name: str, first: Any, second: Any) -> Any:
    """A site's distribution: that of the branch that counts."""
    parts = [jax.tree_util.tree_flatten(fn) for fn in (first, second)]
    if type(first) is not type(second) or parts[0][1] != parts[1][1]:
        what = [_described(fn) for fn in (first, second)]
        raise ParameterError(
            f"cond: site {name!r} is {what[0]} in the true branch and {what[1]} in the false one. "
            "They have to be of one kind, of one shape, with the same arguments: draw two sites "
            "outside and choose with `jax.numpy.where`."
        )
    leaves = [
        x if isinstance(x, jax.ShapeDtypeStruct) else jnp.where(pred, x, y)
        for x, y in zip(parts[0][0], parts[1][0], strict=True)
    ]
    return jax.tree_util.tree_unflatten(parts[0][1], leaves)


def _described(fn: Any) -> str:
    inner = fn
    while (base := inner.__dict__.get("base_dist")) is not None:
        inner = base
    return f"{type(inner).__name__} of shape {fn.batch_shape + fn.event_shape}"


def _common(x: Any, y: Any) -> Any:
    if x.shape == y.shape and x.dtype == y.dtype:
        return x
    shape = jnp.broadcast_shapes(x.shape, y.shape)
    return jax.ShapeDtypeStruct(shape, jnp.result_type(x.dtype, y.dtype))


def _wide(x: Any, common: Any) -> Any:
    if getattr(x, "shape", None) == common.shape and x.dtype == common.dtype:
        return x
    return jnp.broadcast_to(jnp.asarray(x, common.dtype), common.shape)
