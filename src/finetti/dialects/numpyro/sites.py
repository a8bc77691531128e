"""From a model function to a model: trace it once, then translate what was traced.

While the function runs under JAX's tracing, every site becomes one equation of a primitive of ours:
its operands are what the site's parameters depend on, its static part says what it is. So the whole
model is one jaxpr, without a random number drawn and without anything compiled by JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import batching

from finetti.dialects.jaxpr.functions import trace as traced
from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro.checks import (
    Plates,
    explain_tracing,
    fixed_support,
    observed_shape,
)
from finetti.dialects.numpyro.contrib import branching
from finetti.dialects.numpyro.contrib.control_flow import (
    IN_LOOP,
    first_step,
    length_of,
    run_scan,
)
from finetti.dialects.numpyro.lowered import Lowered
from finetti.dialects.numpyro.primitives import Message, Messenger, StatementError
from finetti.errors import NotYetSupported

NAME = "finetti_site"


@dataclass(eq=False)
class Site:
    """One statement of a model.

    Parameters
    ----------
    kind : str
        "latent", "observed", "factor" or "deterministic".
    name : str
        Its name.
    record : object
        The distribution's record, or a function that makes it.
    fixed : dict
        Role -> value that is a number already.
    roles : tuple of str
        What the operands are: "param:<name>", "value", "scale", "mask".
    shape : tuple of int, optional
        The shape of its value.
    dtype : dtype, optional
        The dtype of its value.
    inner : int
        How many axes of the record's batch belong to the event.
    distribution : str
        What the user calls the distribution.
    message : dict
        What later readers need of the statement: its type, plates, remarks, axes of an event.
    hidden : bool
        Whether it is a part of one of the user's sites.
    transform : Transform, optional
        From the reals to its support, of a latent site whose own variable is flat.
    start : array, optional
        Where a sampler starts with it.
    """

    kind: str
    name: str
    record: Any = None
    fixed: dict[str, Any] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    dtype: Any = None
    inner: int = 0
    distribution: str = ""
    message: Message = field(default_factory=dict)
    hidden: bool = False
    transform: Any = None
    start: Any = None

    def __repr__(self) -> str:
        return f"{self.kind} {self.name!r}"


site_p = Primitive(NAME)
site_p.multiple_results = True


@site_p.def_abstract_eval  # type: ignore[untyped-decorator]
def _abstract(*args: Any, site: Site) -> list[Any]:
    if site.kind != "latent":
        return []
    return [jax.core.ShapedArray(site.shape, jax.dtypes.canonicalize_dtype(site.dtype))]


def _refuse_batching(args: Any, dims: Any, *, site: Site) -> Any:
    raise NotYetSupported(
        f"site {site.name!r} inside of `jax.vmap`: a site is one variable. Give it the axis by "
        "`numpyro.plate` or `.expand(...)`."
    )


batching.primitive_batchers[site_p] = _refuse_batching


def _is_traced(value: Any) -> bool:
    return isinstance(value, jax.Array)  # tracers are too


def bind(site: Site, values: dict[str, Any]) -> Any:
    """Put a site into the jaxpr: what JAX has are operands, the other values are static."""
    operands = {role: value for role, value in values.items() if _is_traced(value)}
    site.roles = tuple(operands)
    site.fixed = {role: value for role, value in values.items() if role not in operands}
    results = site_p.bind(*operands.values(), site=site)
    return results[0] if results else None


class Recording(Messenger):
    """The outermost handler while a model is traced: gives latent sites tracers for values.

    Parameters
    ----------
    rng_key : callable
        Makes random keys, for programs that ask for one.
    params : dict
        Values of `param` statements.
    subsampling : bool
        Whether plates may draw rows.
    sampling : bool
        Whether a sampler gives every site that is not observed its value, whatever `substitute`
        has put there.
    """

    def __init__(
        self,
        rng_key: Callable[[], Any] | None = None,
        params: dict[str, Any] | None = None,
        subsampling: bool = False,
        sampling: bool = False,
    ) -> None:
        super().__init__()
        self._rng_key, self._params = rng_key, params or {}
        self._subsampling, self._sampling = subsampling, sampling
        self.sites: dict[str, Site] = {}
        self._in_loops: dict[str, str] = {}
        self._log_dets: dict[str, tuple[Any, int]] = {}
        self._plates = Plates()

    def process_message(self, msg: Message) -> None:
        kind = msg["type"]
        settled = kind != "sample" or msg["is_observed"] or msg.get("_control_flow_done")
        if not settled and self._is_free(msg["value"]):
            before, msg["value"] = msg["value"], self._latent(msg)
            self._starts_at(msg["name"], before)
        elif kind == "param" and msg["name"] in self._params:
            msg["value"] = self._params[msg["name"]]
        elif kind == "plate":
            self._plates.see(msg)
        elif kind == "control_flow":
            (self._branches if msg["fn"] is branching.run else self._loop)(msg)
        if kind == "prng_key" or (kind == "plate" and msg["value"] is None and self._subsampling):
            if msg["kwargs"]["rng_key"] is None and self._rng_key is not None:
                msg["kwargs"]["rng_key"] = self._rng_key()

    def postprocess_message(self, msg: Message) -> None:
        name = msg.get("name", "")
        if msg["type"] == "deterministic":
            self._new(Site("deterministic", name, message=_seen(msg)), {"value": msg["value"]})
        elif msg["type"] == "sample" and name in self._in_loops:
            self._observed({**msg, "name": f"_{name}_log_prob"}, hidden=True)
            self._jacobian(name, msg)
            self.sites[self._in_loops[name]].message = _seen(msg)
        elif msg["type"] == "sample" and name not in self.sites:
            self._observed(msg)
        elif msg["type"] == "sample":
            self.sites[name].message = _seen(msg)

    def _is_free(self, value: Any) -> bool:
        """Whether a site that is not observed is latent, though a handler gave it a value."""
        return value is None or self._sampling

    def _starts_at(self, name: str, value: Any) -> None:
        if not isinstance(value, jax.core.Tracer):
            self.sites[name].start = value

    # -- the kinds of sites
    def _new(self, site: Site, values: dict[str, Any]) -> Any:
        if site.name in self.sites:
            raise StatementError(
                f"all sites must have unique names but got `{site.name}` duplicated: give each "
                "its own name, or put one into `numpyro.handlers.scope`."
            )
        self.sites[site.name] = site
        return bind(site, values)

    def _latent(self, msg: Message) -> Any:
        fn = msg["fn"].expand_by(msg["kwargs"].get("sample_shape") or ())
        name = msg["name"]
        if isinstance(_base(fn, dist.Delta), dist.Delta):
            value = fn.sample(None)
            site = Site("deterministic", name, distribution="Delta", message=_seen(msg))
            self._new(site, {"value": value})
            return value
        lowered = fn._lower()
        if lowered is None:
            return self._unknown_latent(name, fn, msg)
        dtype = jnp.int64 if lowered_is_discrete(fn) else jnp.float64
        site = Site(
            "latent", name, lowered.record, shape=tuple(fn.shape()), dtype=dtype,
            inner=lowered.event_dims_reinterpreted, distribution=type(fn).__name__,
            message=_seen(msg),
        )  # fmt: skip
        values = _values(lowered, msg["scale"])
        if msg.get("mask") is not None:
            values["jacobian"] = msg["mask"]
        return self._new(site, values)

    def _unknown_latent(self, name: str, fn: Any, msg: Message) -> Any:
        """A distribution that has no record: a point of the reals and its transform, by JAX."""
        value = self._improper(name, fn, (), msg)
        self._jacobian(name, msg)
        self._factor(f"_{name}_log_prob", fn.log_prob(value), msg["scale"])
        return value

    def _improper(self, name: str, fn: Any, lead: tuple[int, ...], msg: Message) -> Any:
        """A latent value in the support of a distribution, with a flat density."""
        if lowered_is_discrete(fn):
            raise NotYetSupported(
                f"site {name!r}: a discrete latent variable of {type(fn).__name__} here: discrete "
                "sites are not summed out yet."
            )
        from_reals = dist.biject_to(fn.support)
        shape = (*lead, *from_reals.inverse_shape(fn.shape()))
        real = fn.support is dist.constraints.real
        inner = name if real else f"_{name}_unconstrained"
        site = Site("latent", inner, "flat", shape=shape, dtype=jnp.float64,
                    distribution=type(fn).__name__, message=_seen(msg),
                    transform=from_reals, hidden=not real)  # fmt: skip
        point = self._new(site, {})
        if real:
            return point
        value = from_reals(point)
        self._new(Site("deterministic", name, message=_seen(msg)), {"value": value})
        log_det = from_reals.log_abs_det_jacobian(point, value)
        self._log_dets[name] = log_det, jnp.ndim(log_det) - jnp.ndim(value) + fn.event_dim
        return value

    def _jacobian(self, name: str, msg: Message) -> None:
        """The Jacobian of such a value, with the mask and the scale of its site."""
        if name not in self._log_dets:
            return
        log_det, extra = self._log_dets[name]
        mask, scale = msg.get("mask"), msg["scale"]
        if extra and not (mask is None and scale is None):
            log_det = jnp.sum(log_det, tuple(range(-extra, 0)))
        if mask is not None:
            log_det = jnp.where(mask, log_det, 0.0)
        self._factor(f"_{name}_log_det", log_det, scale)

    def _loop(self, msg: Message) -> None:
        """Give the latent sites in a loop's body values for all steps, and run it with them."""
        call = msg["args"]
        steps = length_of(*call[2:4])
        stack = msg["kwargs"]["substitute_stack"]
        values = {}
        for name, site in first_step(call, stack).items():
            given = _given(name, stack)
            if site["type"] != "sample" or site["is_observed"] or not self._is_free(given):
                continue
            fn = site["fn"].expand_by(site["kwargs"].get("sample_shape") or ())
            if not fixed_support(fn.support):
                raise NotYetSupported(
                    f"scan: the support of site {name!r} is made of arrays of the loop, so it may "
                    "differ from step to step: write its bounds as numbers, or draw a variable of "
                    "fixed support and transform it."
                )
            values[name] = self._improper(name, fn, (steps,), site)
            inner = f"_{name}_unconstrained"
            self._in_loops[name] = inner if inner in self.sites else name
            self._starts_at(name, given)
        msg["value"] = run_scan(call, None, [*stack, ("substitute", values)])

    def _branches(self, msg: Message) -> None:
        """Make the latent sites of both branches one by one, and choose a branch with them."""
        pred, *branches, operand = msg["args"]
        stack = msg["kwargs"]["substitute_stack"]
        values: dict[str, Any] = {}
        while True:
            given = [*stack, ("substitute", values)]
            key = jax.random.key(0)
            found = [branching.traced(f, operand, key, given)[1] for f in branches]
            branching.check(found)
            site = next((m for n, m in found[0].items() if m["type"] == "sample"
                         and not m["is_observed"] and n not in values
                         and self._is_free(_given(n, stack))), None)  # fmt: skip
            if site is None:
                break
            name = site["name"]
            if site.get(IN_LOOP):  # its distribution depends on its own values
                raise NotYetSupported(
                    f"cond: site {name!r} is in a `scan` in a branch. Write the `cond` in the "
                    "loop's body, or choose with `jax.numpy.where`."
                )
            other = found[1][name]
            fn = branching.chosen(pred, name, site["fn"], other["fn"])
            mask = site.get("mask")
            if mask is not None and other.get("mask") is not None:
                mask = jnp.where(pred, mask, other["mask"])
            values[name] = self._latent({**site, "fn": fn, "mask": mask})
            self._starts_at(name, _given(name, stack))
        given = [*stack, ("substitute", values)]
        msg["value"] = branching.run(*msg["args"], rng_key=None, substitute_stack=given)

    def _factor(self, name: str, value: Any, scale: Any = None) -> None:
        self._new(Site("factor", name, hidden=True), {"value": value, "scale": scale})

    def _observed(self, msg: Message, hidden: bool = False) -> None:
        fn, name, value = msg["fn"], msg["name"], msg["value"]
        unit = _base(fn, dist.Unit)
        if unit is not None:
            term = fn.log_prob(value)
            self._new(Site("factor", name, message=_seen(msg)),
                      {"value": term, "scale": msg["scale"]})  # fmt: skip
            return
        lowered = fn._lower()
        if lowered is None:
            self._new(Site("factor", name, message=_seen(msg), hidden=hidden),
                      {"value": fn.log_prob(value), "scale": msg["scale"]})  # fmt: skip
            return
        if lowered.mask is not None and lowered.mask is not False:
            value = _harmless(fn, lowered, value)
        site = Site(
            "observed", name, lowered.record,
            shape=observed_shape(msg),
            dtype=jnp.int64 if lowered_is_discrete(fn) else jnp.float64,
            inner=lowered.event_dims_reinterpreted, distribution=type(fn).__name__,
            message=_seen(msg), hidden=hidden,
        )  # fmt: skip
        self._new(site, {"value": value, **_values(lowered, msg["scale"])})


def _given(name: str, stack: Any) -> Any:
    """What the handlers outside of a loop have for one of its sites, or None."""
    found = [source[name] for _, source in stack if isinstance(source, dict) and name in source]
    return found[-1] if found else None


def _seen(msg: Message) -> Message:
    """What later readers need of a message."""
    frames = list(msg.get("cond_indep_stack", ()))
    # not the distribution: it may hold tracers, and those the whole trace
    infer = {k: v for k, v in msg.get("infer", {}).items() if k != "_scan_current_index"}
    fn = msg.get("fn")
    events = fn.event_dim if msg["type"] == "sample" and fn is not None else 0
    return {
        "type": msg["type"], "cond_indep_stack": frames, "infer": infer, "event_dim": events,
        "loop": IN_LOOP in msg,
    }  # fmt: skip


def lowered_is_discrete(fn: Any) -> bool:
    """Whether a distribution's values are whole numbers."""
    return bool(fn.support.is_discrete) if fn.support is not None else False


def _base(fn: Any, kind: type) -> Any:
    """The distribution inside of wrappers, if it is of a kind."""
    while fn is not None and not isinstance(fn, kind):
        fn = fn.__dict__.get("base_dist")
    return fn


def _values(lowered: Lowered, scale: Any) -> dict[str, Any]:
    values = {f"param:{name}": value for name, value in lowered.params.items()}
    if scale is not None:
        values["scale"] = scale
    if lowered.mask is not None:
        values["mask"] = lowered.mask
    return values


def _harmless(fn: Any, lowered: Lowered, value: Any) -> Any:
    """Data with a valid number wherever the mask hides them, so that no NaN enters the graph."""
    axes = fn.event_dim - lowered.event_dims_reinterpreted
    mask = lowered.mask
    wide = jnp.reshape(mask, jnp.shape(mask) + (1,) * axes)
    try:
        filler = fn.support.feasible_like(value)
    except NotImplementedError:
        return value
    return jnp.where(wide, value, filler)


def _another_object(x: Any) -> Any:
    """The same array as another object: JAX remembers the types that it has traced arrays with."""
    return x.view() if type(x) is np.ndarray else x


@dataclass(frozen=True)
class Program:
    """A traced model.

    Parameters
    ----------
    closed : ClosedJaxpr
        Its equations; those of `site_p` are the sites. Not to be kept: as long as it lives, JAX
        remembers the user's arrays in the types that they were traced with.
    sites : dict
        Name -> site, in the order of the program.
    """

    closed: Any
    sites: dict[str, Site]


def record(
    model: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    rng_key: Any = None,
    params: dict[str, Any] | None = None,
    subsampling: bool = False,
    sampling: bool = False,
) -> Program:
    """Run a model once under tracing; its arguments stay the arrays they are.

    Parameters
    ----------
    model : callable
        The model.
    args, kwargs
        Its arguments.
    rng_key : key, optional
        For programs that ask for random keys.
    params : dict, optional
        Values of `param` statements.
    subsampling : bool
        Whether plates may draw rows.
    sampling : bool
        Whether sites that are not observed are latent, whatever `substitute` has put there.
    """
    found: dict[str, Site] = {}

    def run() -> None:
        keys = [rng_key if rng_key is not None else jax.random.key(0)]

        def fresh() -> Any:
            keys[0], key = jax.random.split(keys[0])
            return key

        handler = Recording(fresh, params, subsampling, sampling)
        given = [_another_object(x) for x in args]
        named = {name: _another_object(x) for name, x in (kwargs or {}).items()}
        with handler:
            model(*given, **named)
        found.clear()
        found.update(handler.sites)

    try:
        closed, _ = traced(run)
    except (TypeError, ValueError, jax.errors.JAXTypeError) as error:
        explain_tracing(error)
        raise
    return Program(closed, found)
