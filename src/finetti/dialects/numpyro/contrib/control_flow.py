"""`scan` and `cond` whose bodies may have sites."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.contrib.branching import cond
from finetti.dialects.numpyro.ops.pytree import WEIGHTS, PytreeTrace, is_array
from finetti.dialects.numpyro.primitives import _PYRO_STACK, Message, Messenger, apply_stack
from finetti.errors import NotYetSupported, ParameterError

__all__ = ["cond", "scan"]

Body = Callable[..., Any]
IN_LOOP = "_in_loop"  # the key of messages whose first axis is that of a loop's steps


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
    steps = length_of(xs, length)
    for site in trace.trace.values():
        if site["type"] == "sample":
            site["fn"] = _of_all_steps(site["fn"], steps)
        if site["type"] != "plate":
            apply_stack({**site, IN_LOOP: True})
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
            # keys come first: where a site's values end before the loop does, it is drawn
            body = f if sub is None else handlers.seed(f, sub)
            body = _substituted(body, substitute_stack, rows, (i, length))
            with handlers.trace() as found:
                inner, y = body(inner, x)
        sites = {n: m for n, m in found.items() if m["type"] in ("sample", "deterministic")}
        for site in sites.values():
            if site["type"] == "sample":
                batch = len(site["fn"].batch_shape)
                site["fn"] = full_rank(site["fn"], batch)
                for what in WEIGHTS:
                    if is_array(site.get(what)):
                        weight = jnp.asarray(site[what])
                        site[what] = weight.reshape((1,) * (batch - weight.ndim) + weight.shape)
        return (key, inner), (PytreeTrace(sites), y)

    rows = [_sequences(kind, source, length) for kind, source in substitute_stack]
    walked = (jnp.arange(length), rows, xs)
    (_, carry), outputs = jax.lax.scan(step, (rng_key, init), walked, length, reverse)
    return carry, outputs


def first_step(call: Any, substitute_stack: Any) -> dict[str, Message]:
    """The sites of a loop's body, as its first step has them; what that computes is not needed."""
    f, init, xs, length, _ = call
    row = jax.tree_util.tree_map(lambda x: jnp.asarray(x)[0], xs)
    # traced, so that what depends on it is not taken for a number
    carry = jax.tree_util.tree_map(lambda x: jnp.asarray(x)[None][0], init)
    with handlers.block():
        seeded = handlers.seed(f, jax.random.key(0))
        rows: list[dict[str, Any]] = [{} for _ in substitute_stack]
        body = _substituted(seeded, substitute_stack, rows, (0, length_of(xs, length)))
        with handlers.trace() as found:
            body(carry, row)
    return dict(found)


def _sequences(kind: str, source: Any, length: int) -> dict[str, Any]:
    """The values for all steps that a handler has; the gradient of `value[i]` would be as long."""
    if not isinstance(source, Mapping):
        return {}
    values = {n: v["value"] if kind == "replay" else v for n, v in source.items()}
    return {
        name: jnp.asarray(value)
        for name, value in values.items()
        if jnp.ndim(value) and jnp.shape(value)[0] == length
    }


def full_rank(fn: Any, batch: int) -> Any:
    """A distribution whose parameters have all axes of the batch, so that steps can be stacked."""
    twin = copy.copy(fn)
    more = batch - len(fn.batch_shape)
    inner = batch + (fn.reinterpreted_batch_ndims if isinstance(fn, dist.Independent) else 0)
    twin.__dict__["_batch_shape"] = (1,) * more + tuple(fn.batch_shape)
    for name, value in _parts(fn):
        if name == "base_dist":
            twin.__dict__[name] = full_rank(value, inner)
        elif isinstance(value, dist.Distribution):
            twin.__dict__[name] = full_rank(value, len(value.batch_shape) + more)
        elif isinstance(value, (list, tuple)):
            each = [full_rank(one, len(one.batch_shape) + more) for one in value]
            twin.__dict__[name] = type(value)(each)
        else:
            axes = fn.arg_constraints[name].event_dim if name in fn.arg_constraints else 0
            value = jnp.asarray(value)
            if value.ndim < batch + axes:
                full = (1,) * (batch + axes - value.ndim) + value.shape
                twin.__dict__[name] = value.reshape(full)
    return twin


def _parts(fn: Any) -> Iterator[tuple[str, Any]]:
    """What has an axis for each axis of a batch: parameters, masks and inner distributions."""
    for name in fn.gather_pytree_data_fields():
        value = fn.__dict__.get(name)
        listed = isinstance(value, (list, tuple)) and len(value) > 0
        if isinstance(value, dist.Distribution) or (
            listed and all(isinstance(one, dist.Distribution) for one in value)
        ):
            yield name, value
        elif value is not None and (name in fn.arg_constraints or name == "_mask_array"):
            yield name, value


def _of_all_steps(fn: Any, steps: int) -> Any:
    """A distribution whose parameters have an axis of steps in front, with that in its batch."""
    twin = copy.copy(fn)
    twin.__dict__["_batch_shape"] = (steps, *fn.batch_shape)
    for name, value in _parts(fn):
        if isinstance(value, dist.Distribution):
            twin.__dict__[name] = _of_all_steps(value, steps)
        elif isinstance(value, (list, tuple)):
            twin.__dict__[name] = type(value)([_of_all_steps(one, steps) for one in value])
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


def _substituted(f: Body, stack: Any, rows: Any, place: tuple[Any, int]) -> Body:
    """The body with the values that handlers outside have for its sites."""
    body: Body = _Step(f, place[0])
    for (kind, source), own in zip(stack, rows, strict=True):
        handler = handlers.condition if kind == "condition" else handlers.substitute
        body = handler(body, None, _row_giver(kind, source, own, place))
    return body


def _row_giver(
    kind: str, source: Any, rows: Any, place: tuple[Any, int]
) -> Callable[[Message], Any]:
    """What a handler has for a site in this step: a row of what is walked, or found by number."""

    def give(msg: Message) -> Any:
        if msg["type"] not in ("sample", "deterministic"):
            return None
        if not isinstance(source, Mapping):
            value = source(msg)
        else:
            value = source.get(msg["name"])
            value = value["value"] if kind == "replay" and value is not None else value
        return None if value is None else _of_step(msg, value, rows.get(msg["name"]), place)

    return give


def _of_step(msg: Message, value: Any, row: Any, place: tuple[Any, int]) -> Any:
    """A site's value in one step: of values for all steps, of the first ones, or for each step."""
    i, length = place
    count = jnp.shape(value)[0] if jnp.ndim(value) else 0
    if msg["type"] != "sample":  # computed again where its values belong to another loop
        found = jnp.asarray(value)[i] if row is None else row
        return found if count == length else None
    fn, outer = msg["fn"], msg["kwargs"].get("sample_shape") or ()
    if jnp.ndim(value) <= len(outer) + len(fn.shape()):
        return value  # the same in all steps
    if count > length:
        raise RuntimeError(
            f"Substituted value for site {msg['name']} requires length less than or equal to scan "
            f"length. Expected length <= {length}, but got {count}."
        )
    if row is None:
        row = jnp.asarray(value)[i]
    if count == length:
        return row
    key = msg["kwargs"]["rng_key"]
    if key is None:
        raise NotYetSupported(
            f"scan: site {msg['name']!r} has values for {count} of {length} steps; the other "
            "steps' can be drawn by `Predictive`, or inside of `numpyro.handlers.seed`, but not "
            "sampled by a kernel: give the kernel's model as many steps as there are values."
        )
    return jnp.where(i < count, row, fn.sample(key, outer))
