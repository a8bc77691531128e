"""Functions of a model for inference: densities, transforms, starting points. All run in JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.checks import CANNOT_START, InvalidStart
from finetti.dialects.numpyro.distributions import biject_to, constraints
from finetti.dialects.numpyro.infer.initialization import init_to_uniform, strategy_of
from finetti.dialects.numpyro.primitives import Message, Messenger, factor
from finetti.errors import NotYetSupported, ParameterError

__all__ = [
    "ModelInfo", "ParamInfo", "compute_log_probs", "constrain_fn", "find_valid_initial_params",
    "get_potential_fn", "get_transforms", "initialize_model", "log_density", "potential_energy",
    "transform_fn", "unconstrain_fn",
]  # fmt: skip

Model = Callable[..., Any]
Values = Mapping[str, Any]


class ParamInfo(NamedTuple):
    """A point, its potential energy and the gradient of that."""

    z: Any
    potential_energy: Any
    z_grad: Any


class ModelInfo(NamedTuple):
    """What `initialize_model` returns."""

    param_info: ParamInfo
    potential_fn: Any
    postprocess_fn: Any
    model_trace: Any


class _FixedKey(Messenger):
    """Random keys for what is not substituted: densities do not depend on them."""

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "control_flow" or (msg["type"] == "prng_key" and msg["value"] is None):
            if msg["kwargs"].get("rng_key") is None:
                msg["kwargs"]["rng_key"] = jax.random.key(0)


def _sum(x: Any) -> Any:
    return jnp.sum(x) if jnp.ndim(x) else x


def compute_log_probs(
    model: Model,
    model_args: tuple[Any, ...],
    model_kwargs: Values,
    params: Values,
    sum_log_prob: bool = True,
) -> tuple[dict[str, Any], Any]:
    """The log density of every site, and the trace.

    Parameters
    ----------
    model : callable
        The model.
    model_args, model_kwargs
        Its arguments.
    params : dict
        Name -> value of sites.
    sum_log_prob : bool
        One number for each site.
    """
    fixed = handlers.substitute(_FixedKey(model), data=params)
    trace = handlers.trace(fixed).get_trace(*model_args, **model_kwargs)
    found = {}
    for name, site in trace.items():
        if site["type"] != "sample":
            continue
        term = site["fn"].log_prob(site["value"])
        if site["scale"] is not None:
            term = site["scale"] * term
        found[name] = _sum(term) if sum_log_prob else term
    return found, trace


def log_density(
    model: Model, model_args: tuple[Any, ...], model_kwargs: Values, params: Values
) -> tuple[Any, Any]:
    """The log of the joint density at values of the sites, and the trace.

    Parameters
    ----------
    model : callable
        The model.
    model_args, model_kwargs
        Its arguments.
    params : dict
        Name -> value of sites.
    """
    terms, trace = compute_log_probs(model, model_args, model_kwargs, params)
    return sum(terms.values()), trace


def potential_energy(
    model: Model,
    model_args: tuple[Any, ...],
    model_kwargs: Values,
    params: Values,
    enum: bool = False,
) -> Any:
    """Minus the log density of unconstrained values, with the log-determinants of the transforms.

    Parameters
    ----------
    model : callable
        The model.
    model_args, model_kwargs
        Its arguments.
    params : dict
        Name -> unconstrained value.
    enum : bool
        Summing discrete sites out; only False.
    """
    if enum:
        raise NotYetSupported("potential_energy: enum=True: discrete sites are not summed out yet.")

    def constrained(site: Message) -> Any:
        name = site["name"]
        if name not in params:
            return None
        point = params[name]
        if site["type"] != "sample":
            return point
        support = site["fn"].support
        transform = biject_to(support)
        step = site["infer"].get("_scan_current_index")
        if step is not None and jnp.ndim(point) > len(transform.inverse_shape(site["fn"].shape())):
            point = point[step]  # the values of all steps of a loop were given
        if _is_real(support):
            return point
        value = transform(point)
        log_det = transform.log_abs_det_jacobian(point, value)
        extra = jnp.ndim(log_det) - jnp.ndim(value) + len(site["fn"].event_shape)
        if extra > 0:
            log_det = jnp.sum(log_det, axis=tuple(range(-extra, 0)))
        factor(f"_{name}_log_det", log_det)
        return value

    substituted = handlers.substitute(model, substitute_fn=constrained)
    total, _ = log_density(substituted, model_args, model_kwargs, {})
    return -total


def _is_real(support: Any) -> bool:
    if support is constraints.real:
        return True
    return getattr(support, "base_constraint", None) is constraints.real and hasattr(
        support, "reinterpreted_batch_ndims"
    )


# -- transforms ----------------------------------------------------------------------------------


def transform_fn(transforms: Values, params: Values, invert: bool = False) -> dict[str, Any]:
    """Apply transforms by name; values without one stay.

    Parameters
    ----------
    transforms : dict
        Name -> transform.
    params : dict
        Name -> value.
    invert : bool
        Apply the inverses.
    """
    if invert:
        transforms = {name: t.inv for name, t in transforms.items()}
    return {name: transforms[name](v) if name in transforms else v for name, v in params.items()}


def constrain_fn(
    model: Model,
    model_args: tuple[Any, ...],
    model_kwargs: Values,
    params: Values,
    return_deterministic: bool = False,
    *,
    batch_ndims: int = 0,
) -> dict[str, Any]:
    """The values of sites for unconstrained values.

    Parameters
    ----------
    model : callable
        The model.
    model_args, model_kwargs
        Its arguments.
    params : dict
        Name -> unconstrained value.
    return_deterministic : bool
        With deterministic sites.
    batch_ndims : int
        How many leading axes are draws.
    """
    if batch_ndims < 0:
        raise ValueError(f"constrain_fn: batch_ndims={batch_ndims}, expected at least 0.")

    def one(point: Values) -> dict[str, Any]:
        def constrained(site: Message) -> Any:
            if site["name"] not in point:
                return None
            value = point[site["name"]]
            if site["type"] == "sample":
                return biject_to(site["fn"].support)(value)
            if site["type"] == "param":
                return biject_to(site["kwargs"].get("constraint", constraints.real))(value)
            return value

        substituted = handlers.substitute(_FixedKey(model), substitute_fn=constrained)
        trace = handlers.trace(substituted).get_trace(*model_args, **model_kwargs)
        return {
            name: site["value"]
            for name, site in trace.items()
            if name in point or (return_deterministic and site["type"] == "deterministic")
        }

    function = one
    for _ in range(batch_ndims):
        function = jax.vmap(function)
    return function(params)


def get_transforms(
    model: Model, model_args: tuple[Any, ...], model_kwargs: Values, params: Values
) -> dict[str, Any]:
    """Name -> transform from the reals, at given values of the sites."""
    substituted = handlers.substitute(_FixedKey(model), data=params)
    trace = handlers.trace(substituted).get_trace(*model_args, **model_kwargs)
    found = {}
    for name, site in trace.items():
        if site["type"] == "sample" and not site["is_observed"]:
            if not site["fn"].support.is_discrete:
                found[name] = biject_to(site["fn"].support)
        elif site["type"] == "param":
            found[name] = biject_to(site["kwargs"].get("constraint", constraints.real))
    return found


def unconstrain_fn(
    model: Model, model_args: tuple[Any, ...], model_kwargs: Values, params: Values
) -> dict[str, Any]:
    """Unconstrained values for the values of sites.

    Parameters
    ----------
    model : callable
        The model.
    model_args, model_kwargs
        Its arguments.
    params : dict
        Name -> value.
    """
    transforms = get_transforms(model, model_args, model_kwargs, params)
    return transform_fn(transforms, params, invert=True)


# -- starting points -----------------------------------------------------------------------------


def first_trace(
    rng_key: Any, model: Model, init_strategy: Any, args: tuple[Any, ...], kwargs: Values
) -> Any:
    """A trace whose latent sites have the values of a strategy."""
    function, keywords = strategy_of(init_strategy)

    def first(site: Message) -> Any:
        if site["type"] == "sample" and not site["is_observed"]:
            if site["value"] is None and site["kwargs"].get("rng_key") is None:
                site["kwargs"]["rng_key"] = handlers.prng_key()
        elif site["type"] != "param":
            return None
        return function(site, **keywords)

    seeded = handlers.seed(handlers.substitute(model, substitute_fn=first), rng_key)
    return handlers.trace(seeded).get_trace(*args, **kwargs)


def free_sites(trace: Mapping[str, Message]) -> dict[str, Any]:
    """Name -> value of the continuous latent sites of a trace."""
    return {
        name: site["value"]
        for name, site in trace.items()
        if site["type"] == "sample"
        and not site["is_observed"]
        and not site["fn"].support.is_discrete
    }


def find_valid_initial_params(  # noqa: PLR0913, a user's keywords
    rng_key: Any,
    model: Model,
    *,
    init_strategy: Any = init_to_uniform,
    enum: bool = False,
    model_args: tuple[Any, ...] = (),
    model_kwargs: Values | None = None,
    prototype_params: Any = None,
    forward_mode_differentiation: bool = False,
    validate_grad: bool = True,
) -> tuple[Any, Any]:
    """A point with a finite density and gradient, and whether it is one.

    Parameters
    ----------
    rng_key : key
        A random key.
    model : callable
        The model.
    init_strategy : callable
        A strategy of `infer.initialization`.
    enum : bool
        Only False.
    model_args, model_kwargs
        The model's arguments.
    prototype_params : ignored
        NumPyro's shapes, which are found here.
    forward_mode_differentiation : bool
        Accepted: it changes no value.
    validate_grad : bool
        Whether the gradient has to be finite.
    """
    if enum:
        raise NotYetSupported("find_valid_initial_params: enum=True is not there yet.")
    kwargs = dict(model_kwargs or {})

    def energy(z: Values) -> Any:
        return potential_energy(model, model_args, kwargs, z)

    info = None
    for attempt in range(100):
        key = jax.random.fold_in(rng_key, attempt)
        trace = first_trace(key, model, init_strategy, model_args, kwargs)
        z = unconstrain_fn(model, model_args, kwargs, free_sites(trace))
        value, slope = jax.value_and_grad(energy)(z)
        info = (z, value, slope)
        finite = jnp.isfinite(value)
        if validate_grad:
            leaves = jax.tree_util.tree_leaves(slope)
            finite = finite & jnp.all(jnp.array([jnp.all(jnp.isfinite(g)) for g in leaves]))
        if bool(finite):
            return info, True
    return info, False


def get_potential_fn(
    model: Model,
    inv_transforms: Values,
    *,
    enum: bool = False,
    replay_model: bool = False,
    dynamic_args: bool = False,
    model_args: tuple[Any, ...] = (),
    model_kwargs: Values | None = None,
) -> tuple[Any, Any]:
    """The potential energy as a function, and the function from points to sites.

    Parameters
    ----------
    model : callable
        The model.
    inv_transforms : dict
        Name -> transform from the reals.
    enum : bool
        Only False.
    replay_model : bool
        Whether the sites are found by running the model again.
    dynamic_args : bool
        Whether the functions take the model's arguments first.
    model_args, model_kwargs
        The model's arguments.
    """
    if enum:
        raise NotYetSupported("get_potential_fn: enum=True is not there yet.")

    def potential_gen(*args: Any, **kwargs: Any) -> Any:
        return lambda z: potential_energy(model, args, kwargs, z)

    def postprocess_gen(*args: Any, **kwargs: Any) -> Any:
        if replay_model:
            return lambda z: constrain_fn(model, args, kwargs, z, return_deterministic=True)
        return lambda z: transform_fn(inv_transforms, z)

    if dynamic_args:
        return potential_gen, postprocess_gen
    given = dict(model_kwargs or {})
    return potential_gen(*model_args, **given), postprocess_gen(*model_args, **given)


def initialize_model(
    rng_key: Any,
    model: Model,
    *,
    init_strategy: Any = init_to_uniform,
    dynamic_args: bool = False,
    model_args: tuple[Any, ...] = (),
    model_kwargs: Values | None = None,
    forward_mode_differentiation: bool = False,
    validate_grad: bool = True,
) -> ModelInfo:
    """A starting point, the potential energy, and the function from points to sites, for JAX.

    Other samplers take these, e.g. BlackJAX.

    Parameters
    ----------
    rng_key : key
        A random key, or a batch of them.
    model : callable
        The model.
    init_strategy : callable
        A strategy of `infer.initialization`.
    dynamic_args : bool
        Whether the functions take the model's arguments first.
    model_args, model_kwargs
        The model's arguments.
    forward_mode_differentiation : bool
        Accepted: it changes no value.
    validate_grad : bool
        Whether the gradient at the start has to be finite.
    """
    kwargs = dict(model_kwargs or {})
    many = not handlers.is_prng_key(rng_key)
    keys = list(rng_key) if many else [rng_key]
    trace = first_trace(keys[0], model, init_strategy, model_args, kwargs)
    discrete = [
        name for name, site in trace.items()
        if site["type"] == "sample" and not site["is_observed"] and site["fn"].support.is_discrete
    ]  # fmt: skip
    if discrete:
        raise NotYetSupported(
            f"initialize_model: {', '.join(map(repr, discrete))}: discrete latent sites are not "
            "summed out yet."
        )
    points = []
    for key in keys:
        info, valid = find_valid_initial_params(
            key, model, init_strategy=init_strategy, model_args=model_args, model_kwargs=kwargs,
            validate_grad=validate_grad,
        )  # fmt: skip
        if not valid:
            raise InvalidStart(CANNOT_START)
        points.append(info)
    found = jax.tree_util.tree_map(lambda *x: jnp.stack(x), *points) if many else points[0]
    transforms = get_transforms(model, model_args, kwargs, free_sites(trace))
    potential, postprocess = get_potential_fn(
        model, transforms, replay_model=True, dynamic_args=dynamic_args, model_args=model_args,
        model_kwargs=kwargs,
    )  # fmt: skip
    return ModelInfo(ParamInfo(*found), potential, postprocess, trace)


def check_positive(value: Any, name: str, where: str) -> None:
    """Refuse numbers that are not positive."""
    if not value > 0:
        raise ParameterError(f"{where}: {name}={value!r}, expected a positive number.")
