"""`scan` and `cond` whose bodies may have sites."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.ops.pytree import PytreeTrace
from finetti.dialects.numpyro.primitives import _PYRO_STACK, Message, Messenger, apply_stack
from finetti.errors import NotYetSupported, ParameterError

__all__ = ["cond", "scan"]

Body = Callable[..., Any]


def scan(
    f: Body,
    init: Any,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    history: int = 1,
) -> tuple[Any, Any]:
    """`jax.lax.scan` over a body with sites: each becomes one site with an axis of steps in front.

    Parameters
    ----------
    f : callable
        ``f(carry, x) -> (carry, y)``.
    init : pytree
        The first carry.
    xs : pytree
        What the steps take, along first axes.
    length : int, optional
        The number of steps, where `xs` is None.
    reverse : bool
        From the last step to the first.
    history : int
        Only 1: it belongs to discrete sites that are summed out.

    Returns
    -------
    tuple
        The last carry, and what the steps returned, along first axes.
    """
    if history != 1:
        raise NotYetSupported("scan: history= belongs to the enumeration of discrete sites.")
    if not _PYRO_STACK:
        carry, (_, ys) = run_scan((f, init, xs, length, reverse), jax.random.key(0), [])
        return carry, ys
    msg = apply_stack({
        "type": "control_flow", "fn": _run, "args": (f, init, xs, length, reverse),
        "kwargs": {"rng_key": None, "substitute_stack": [], "history": history}, "value": None,
    })  # fmt: skip
    carry, (trace, ys) = msg["value"]
    for site in trace.trace.values():
        if site["type"] != "plate":
            apply_stack(site)
    return carry, ys


def _run(*args: Any, rng_key: Any, substitute_stack: Any, history: int) -> Any:
    return run_scan(args, rng_key, substitute_stack)


def run_scan(call: Any, rng_key: Any, substitute_stack: Any) -> Any:
    """The loop itself: the last carry, then a trace and the results of all steps.

    Parameters
    ----------
    call : tuple
        Body, first carry, sequences, length, direction.
    rng_key : key or None
        A random key; without one all sites have to have values.
    substitute_stack : list
        Values for sites inside, as the handlers outside left them.
    """
    f, init, xs, length, reverse = call
    length = length_of(xs, length)

    def step(carry: Any, now: Any) -> Any:
        key, inner = carry
        i, rows, x = now
        key, sub = (None, None) if key is None else jax.random.split(key)
        with handlers.block():
            body = _substituted(f, substitute_stack, rows, i)
            body = body if sub is None else handlers.seed(body, sub)
            with handlers.trace() as found:
                inner, y = body(inner, x)
        sites = {n: m for n, m in found.items() if m["type"] in ("sample", "deterministic")}
        for site in sites.values():
            if site["type"] == "sample":
                site["fn"] = full_rank(site["fn"], len(site["fn"].batch_shape))
        return (key, inner), (PytreeTrace(sites), y)

    rows = [_sequences(kind, source, length) for kind, source in substitute_stack]
    walked = (jnp.arange(length), rows, xs)
    (_, carry), outputs = jax.lax.scan(step, (rng_key, init), walked, length, reverse)
    return carry, outputs


def _sequences(kind: str, source: Any, length: int) -> dict[str, Any]:
    """The values for all steps that a handler has; the gradient of `value[i]` would be as long."""
    if not isinstance(source, Mapping):
        return {}
    values = {n: v["value"] if kind == "replay" else v for n, v in source.items()}
    return {
        name: jnp.asarray(value)[:length]
        for name, value in values.items()
        if getattr(value, "ndim", 0) and value.shape[0] >= length
    }


def full_rank(fn: Any, batch: int) -> Any:
    """A distribution whose parameters have all axes of the batch, so that steps can be stacked."""
    twin = copy.copy(fn)
    inner = batch + (fn.reinterpreted_batch_ndims if isinstance(fn, dist.Independent) else 0)
    for name in fn.gather_pytree_data_fields():
        value = fn.__dict__.get(name)
        if isinstance(value, dist.Distribution):
            own = inner if name == "base_dist" else len(value.batch_shape)
            twin.__dict__[name] = full_rank(value, own)
        elif name in fn.arg_constraints and value is not None:
            rank = batch + fn.arg_constraints[name].event_dim
            value = jnp.asarray(value)
            if value.ndim < rank:
                twin.__dict__[name] = value.reshape((1,) * (rank - value.ndim) + value.shape)
    return twin


def length_of(xs: Any, length: int | None) -> int:
    """The number of steps."""
    leaves = jax.tree_util.tree_leaves(xs)
    found = {int(jnp.shape(leaf)[0]) for leaf in leaves}
    if length is not None:
        found.add(int(length))
    if len(found) != 1:
        raise ParameterError(
            f"scan: the first axes have lengths {sorted(found)}: expected one number of steps."
            if found else "scan: give xs or length, so that the number of steps is known."
        )  # fmt: skip
    return found.pop()


class _Step(Messenger):
    """Tells sites which step they are in."""

    def __init__(self, fn: Body, i: Any) -> None:
        self._i = i
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "sample":
            msg["infer"] = {**msg["infer"], "_scan_current_index": self._i}


def _substituted(f: Body, stack: Any, rows: Any, i: Any) -> Body:
    """The body with the values that handlers outside have for its sites."""
    body: Body = _Step(f, i)
    for (kind, source), own in zip(stack, rows, strict=True):
        handler = handlers.condition if kind == "condition" else handlers.substitute
        body = handler(body, None, _row_giver(kind, source, own, i))
    return body


def _row_giver(kind: str, source: Any, rows: Any, i: Any) -> Callable[[Message], Any]:
    """What a handler has for a site in this step: a row of what is walked, or found by number."""

    def give(msg: Message) -> Any:
        if msg["type"] not in ("sample", "deterministic"):
            return None
        if msg["name"] in rows:
            return rows[msg["name"]]
        if isinstance(source, Mapping):
            value = source.get(msg["name"])
            if kind == "replay":
                value = None if value is None else value["value"]
            return None if value is None else jnp.asarray(value)[i]
        value = source(msg)
        if value is None or msg["type"] != "sample":
            return value
        # a function may know the values of all steps
        return value[i] if jnp.ndim(value) > len(msg["fn"].shape()) else value

    return give


def cond(pred: Any, true_fun: Body, false_fun: Body, operand: Any) -> Any:
    """`jax.lax.cond`; its branches have no sites.

    Parameters
    ----------
    pred : bool
        Which branch.
    true_fun, false_fun : callable
        The branches.
    operand : pytree
        Their argument.
    """
    for branch in (true_fun, false_fun):
        with handlers.block(), handlers.trace() as found, handlers.seed(rng_seed=0):
            jax.eval_shape(branch, operand)
        sites = [name for name, msg in found.items() if msg["type"] == "sample"]
        if sites:
            raise NotYetSupported(
                f"cond: site {sites[0]!r} is in a branch. Draw both branches' variables outside "
                "and choose with `jax.numpy.where`."
            )
    return jax.lax.cond(pred, true_fun, false_fun, operand)
