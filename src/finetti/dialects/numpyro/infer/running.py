"""A kernel's model, sampled by the common engine: starting points, the run, the draws."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from finetti.backends import reference
from finetti.dialects.jaxpr.functions import from_jax
from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.checks import InvalidStart, cannot_start
from finetti.dialects.numpyro.infer import initialization as init
from finetti.dialects.numpyro.infer.inverse_mass import Part, metric_of, parts_of
from finetti.dialects.numpyro.infer.kernels import HMC, NUTS
from finetti.dialects.numpyro.infer.states import HMCState, resumed
from finetti.dialects.numpyro.infer.still import nothing_moves
from finetti.dialects.numpyro.infer.util import (
    constrain_fn,
    first_trace,
    free_sites,
)
from finetti.dialects.numpyro.translate import Translated, check_continuous, translate
from finetti.dist import Flat
from finetti.dist.base import make_rv
from finetti.errors import ParameterError, warn
from finetti.infer.compound import run_steps
from finetti.infer.nuts import Adapted, FailedRun, NutsDraws, run_nuts
from finetti.infer.options import Options
from finetti.infer.progress import make_progress
from finetti.infer.steps.hmc import HamiltonianMC
from finetti.ir import Tensor, ops
from finetti.model.compile import Layout, compile_density, compile_named
from finetti.model.diagnose import explain
from finetti.model.forward import draw_rows, seed_number, stream
from finetti.model.logdensity import Density, bijector_of
from finetti.model.model import Model
from finetti.model.variables import Potential

Array = Any
TRIES = 100  # starting points tried until the density and its gradient are finite


def seed_of(rng_key: Any, *more: int) -> int:
    """The engine's seed for a random key or a batch of keys, and further numbers."""
    if rng_key is None:
        raise ParameterError("MCMC: expected a random key, e.g. `jax.random.key(0)`, got None.")
    if isinstance(rng_key, (int, np.integer)):
        return seed_number([int(rng_key), *more] if more else int(rng_key))
    if isinstance(rng_key, jax.core.Tracer):
        raise ParameterError(
            "MCMC: the random key is traced by JAX (jit, vmap, ...), but sampling is done by "
            "native code outside of JAX. Call `run` outside of the transformation."
        )
    if jax.dtypes.issubdtype(rng_key.dtype, jax.dtypes.prng_key):
        rng_key = jax.random.key_data(rng_key)
    return seed_number(np.asarray(rng_key).ravel().tolist() + list(more))


@dataclass(frozen=True)
class Settings:
    """The sizes of a run.

    Parameters
    ----------
    num_warmup, num_samples, num_chains : int
        Sizes.
    progress_bar : bool
        Whether progress is shown.
    sequential : bool
        One chain after another.
    keep_warmup : bool
        Whether the warm-up's draws are kept.
    """

    num_warmup: int
    num_samples: int
    num_chains: int
    progress_bar: bool
    sequential: bool
    keep_warmup: bool = False


@dataclass(frozen=True)
class Target:
    """What is sampled.

    Parameters
    ----------
    density : Density
        The model's log density.
    names : list of str
        Latent sites and deterministic ones, sorted.
    deterministics : set of str
        Which of them are deterministic.
    rebuild : callable or None
        From a dict of draws to the structure that the user samples.
    translated : Translated or None
        The model function's translation, where there is one.
    model : Model
        The engine's model.
    """

    density: Density
    names: list[str]
    deterministics: set[str]
    rebuild: Callable[[dict[str, Any]], Any] | None
    translated: Translated | None
    model: Model


@dataclass(frozen=True)
class Result:
    """What a run gave.

    Parameters
    ----------
    samples : dict
        Name -> [chain, draw, ...], and of the warm-up where it was kept.
    warmup : dict or None
        The same for the warm-up.
    run : NutsDraws
        Unconstrained draws and statistics.
    target : Target
        What was sampled.
    seed : int
        The engine's seed.
    parts : list of Part
        How the inverse mass matrix is made up.
    """

    samples: dict[str, Array]
    warmup: dict[str, Array] | None
    run: NutsDraws
    target: Target
    seed: int
    parts: list[Part]


def target_of(kernel: HMC, rng_key: Any, args: Any, kwargs: Any, init_params: Any,
              chains: int) -> Target:  # fmt: skip
    """The density that a kernel samples."""
    if kernel.model is None:
        return _potential_target(kernel, init_params, chains)
    where = type(kernel).__name__
    key = None if rng_key is None else _single_key(rng_key)
    translated = translate(kernel.model, args, kwargs, rng_key=key, sampling=True)
    check_continuous(translated, where)
    density = translated.model.density()
    latent = {_site_name(name) for name in translated.names("latent")}
    deterministics = set(translated.names("deterministic")) - latent
    names = latent | deterministics
    return Target(density, sorted(names), deterministics, None, translated, translated.model)


def _single_key(rng_key: Any) -> Any:
    if isinstance(rng_key, (int, np.integer)):
        return jax.random.key(int(rng_key))
    return rng_key if handlers.is_prng_key(rng_key) else rng_key[0]


def _potential_target(kernel: HMC, init_params: Any, chains: int) -> Target:
    """A density given as JAX code over a pytree."""
    if init_params is None:
        raise ValueError("Valid value of `init_params` must be provided with `potential_fn`.")
    leaves, structure = jax.tree_util.tree_flatten(init_params)
    shapes = [np.shape(leaf)[1:] if chains > 1 else np.shape(leaf) for leaf in leaves]
    names = [f"leaf{i:04d}" for i in range(len(leaves))]

    def flat(*parts: Any) -> Any:
        return -kernel.potential_fn(jax.tree_util.tree_unflatten(structure, parts))

    flat.__name__ = getattr(kernel.potential_fn, "__name__", "potential_fn")
    model = Model(model=None)
    with model:
        variables = [
            model.register_rv(make_rv(Flat, {}, shape), name)
            for name, shape in zip(names, shapes, strict=True)
        ]
        Potential("potential", from_jax(flat)(*variables))

    def rebuild(draws: dict[str, Any]) -> Any:
        return jax.tree_util.tree_unflatten(structure, [draws[name] for name in names])

    return Target(model.density(), names, set(), rebuild, None, model)


# -- starting points -----------------------------------------------------------------------------


def _substituted(target: Target) -> dict[str, Any]:
    """Site -> the value that a handler has put there: it starts at it, and is sampled."""
    sites = {} if target.translated is None else target.translated.sites
    return {name: site.start for name, site in sites.items() if site.start is not None}


def starts(
    kernel: HMC, target: Target, settings: Settings, seed: int, call: Any, init_params: Any
) -> tuple[Array, float]:
    """Unconstrained starting points [chain, n], and the jitter that is added to them."""
    layout = Layout.of(target.density.inputs)
    chains = settings.num_chains
    if init_params is not None:
        return _given_starts(target, layout, chains, init_params, call), 0.0
    function, keywords = init.strategy_of(kernel._init_strategy)
    given = _substituted(target)
    if given:
        warn(
            f"{type(kernel).__name__}: {', '.join(map(repr, given))}: `handlers.substitute` gives "
            "a value to a site that is not observed, so it is sampled, starting there, as in "
            "NumPyro. To fix it write `handlers.condition`."
        )
    if function is init.init_to_uniform:
        radius = float(keywords.get("radius", 2.0))
        if isinstance(kernel, NUTS) and not given:
            return np.zeros((chains, layout.n)), radius
    rows = [
        _one_start(kernel, target, layout, (function, keywords), seed + chain, call)
        for chain in range(chains)
    ]
    return np.stack(rows), 0.0


def _one_start(
    kernel: HMC, target: Target, layout: Layout, strategy: Any, seed: int, call: Any
) -> Array:
    """The first starting point by a strategy at which the density is finite."""
    compiled = compile_density(None, None, target.density)
    function, keywords = strategy
    rng = stream(seed, "init_strategy")
    for attempt in range(TRIES):
        if function in init.KNOWN:
            point = _known_strategy(target, function, keywords, rng, seed + 1000 * attempt)
        else:
            point = _user_strategy(kernel, target, seed + attempt, call)
        x = layout.pack(point, "init_strategy")
        value, slope = compiled(x)
        if np.isfinite(value) and np.isfinite(slope).all():
            return x
    raise InvalidStart(_explained(target.density, x))


def _explained(density: Density, x: Array) -> str:
    return cannot_start(explain(density, x))


def _known_strategy(
    target: Target, function: Any, keywords: Mapping[str, Any], rng: Any, seed: int
) -> dict[str, Array]:
    """Unconstrained values by one of NumPyro's strategies, site after site."""
    from_user = _substituted(target)
    if function is init.init_to_value:
        from_user |= dict(keywords.get("values") or {})
    known: dict[Any, Array] = {}
    point: dict[str, Array] = {}
    for rv in target.density.frozen.rvs:
        if rv.observed is not None:
            known[rv.node] = _evaluate([rv.data], known)[0]
            continue
        params = [ops.as_tensor(v) for v in _evaluate(rv.node.args, known)]
        named = dict(zip(rv.dist.params, params, strict=True))
        bijector = bijector_of(rv, named)
        shape = rv.shape if bijector is None else tuple(bijector.unconstrained_shape(rv.shape))
        name = _site_name(rv.name)
        if name in from_user:
            u = _unconstrained(target, rv.name, bijector, np.asarray(from_user[name], float))
        elif function in (init.init_to_uniform, init.init_to_value):
            radius = float(keywords.get("radius", 2.0))
            u = rng.uniform(-radius, radius, shape)
        else:
            u = _from_prior(rv, function, keywords, bijector, params, seed)
            u = rng.uniform(-2.0, 2.0, shape) if u is None else u
        point[rv.value_name] = np.broadcast_to(u, shape)
        back = Tensor(ops.as_tensor(point[rv.value_name]).node)
        known[rv.node] = _evaluate([back if bijector is None else bijector.backward(back)], {})[0]
    return point


def _site_name(name: str) -> str:
    inner = name.startswith("_") and name.endswith("_unconstrained")
    return name[1 : -len("_unconstrained")] if inner else name


def _evaluate(outputs: Any, known: Any) -> list[Array]:
    return list(reference.evaluate(outputs, known))


def _from_prior(
    rv: Any, function: Any, keywords: Mapping[str, Any], bijector: Any, params: Any, seed: int
) -> Array | None:
    """A start made of the prior; None where it has no draws."""
    if function is init.init_to_feasible:
        shape = rv.shape if bijector is None else tuple(bijector.unconstrained_shape(rv.shape))
        return np.zeros(shape)
    named = dict(zip(rv.dist.params, params, strict=True))
    try:
        if function is init.init_to_mean:
            (mean,) = _evaluate([ops.broadcast_to(rv.dist.mean(**named), rv.shape)], {})
            if np.isfinite(mean).all():
                return _forward(bijector, mean)
        count = int(keywords.get("num_samples", 15))
        values = {
            arg: (np.asarray(ops.constant_value(param)), False)
            for arg, param in zip(rv.node.args, params, strict=True)
        }
        draws = draw_rows(rv.node, count, values, stream(seed, rv.name))
    except NotImplementedError:
        return None
    return np.median([_forward(bijector, draw) for draw in draws], axis=0)


def _forward(bijector: Any, value: Array) -> Array:
    if bijector is None:
        return np.asarray(value)
    return _evaluate([bijector.forward(ops.as_tensor(value))], {})[0]


def _unconstrained(target: Target, name: str, bijector: Any, value: Array) -> Array:
    """The unconstrained value of a site's value."""
    if _site_name(name) != name and target.translated is not None:
        return np.asarray(target.translated.sites[name].transform.inv(value))
    return _forward(bijector, value)


def _user_strategy(kernel: HMC, target: Target, seed: int, call: Any) -> dict[str, Array]:
    """Unconstrained values by a function of the user's, which sees every site's message."""
    args, kwargs = call
    key = jax.random.key(seed % 2**32)
    trace = first_trace(key, kernel.model, kernel._init_strategy, args, kwargs)
    values = {name: np.asarray(value, float) for name, value in free_sites(trace).items()}
    return _known_strategy(target, init.init_to_value, {"values": values}, None, seed)


def _given_starts(
    target: Target, layout: Layout, chains: int, init_params: Any, call: Any
) -> Array:
    """Starting points that the user gave, unconstrained as NumPyro understands it."""
    if target.rebuild is not None:
        leaves = [np.asarray(leaf, float) for leaf in jax.tree_util.tree_leaves(init_params)]
        return np.concatenate([leaf.reshape(chains, -1) for leaf in leaves], axis=1)
    assert target.translated is not None
    rows = []
    for chain in range(chains):
        own = {
            name: np.asarray(value, float)[chain] if chains > 1 else np.asarray(value, float)
            for name, value in init_params.items()
        }
        rows.append(layout.pack(_point_of(target, own), "init_params"))
    return np.stack(rows)


def _point_of(target: Target, unconstrained: Mapping[str, Array]) -> dict[str, Array]:
    """The engine's unconstrained values for NumPyro's."""
    values = {}
    sites = {_site_name(name): site for name, site in target.translated.sites.items()  # type: ignore[union-attr]
             if site.kind == "latent"}  # fmt: skip
    for name in sites:
        if name not in unconstrained:
            raise ParameterError(
                f"init_params: no value for {name!r}; expected {', '.join(map(repr, sites))}."
            )
    unknown = [name for name in unconstrained if name not in sites]
    if unknown:
        raise ParameterError(
            f"init_params: {unknown[0]!r} is no latent site; they are "
            f"{', '.join(map(repr, sites))}."
        )
    model, args, kwargs = target.translated.call  # type: ignore[union-attr]
    constrained = constrain_fn(model, args, kwargs, unconstrained)
    values.update({name: np.asarray(value, float) for name, value in constrained.items()})
    return _known_strategy(target, init.init_to_value, {"values": values}, None, 0)


def _point_of_state(state: HMCState, target: Target, chains: int, call: Any) -> Array:
    x = state._engine.x
    return x if x is not None else _given_starts(
        target, Layout.of(target.density.inputs), chains, state.z, call
    )  # fmt: skip


# -- the metric ----------------------------------------------------------------------------------


def sites_of(target: Target) -> tuple[dict[str, int], list[str] | None]:
    """Site -> the number of its unconstrained values, in order; and NumPyro's names for them.

    A potential function of a dict has sites by its keys; of another tree, one without a name.
    """
    layout = Layout.of(target.density.inputs)
    sizes = dict(zip(layout.names, (part.stop - part.start for part in layout.slices), strict=True))
    if target.rebuild is None:
        sites = {_site_name(v.name): sizes[v.value_name] for v in target.density.values}
        return sites, sorted(sites)
    tree = target.rebuild(sizes)
    if not isinstance(tree, dict):
        return {"z": layout.n}, None
    sites = {name: sum(jax.tree_util.tree_leaves(tree[name])) for name in sorted(tree)}
    return sites, list(sites)


def _given_metric(kernel: HMC, target: Target, chains: int) -> tuple[Adapted, list[Part]]:
    """What a run begins with, and what is dense."""
    sites, names = sites_of(target)
    matrix = kernel.inverse_mass_matrix
    parts = parts_of(kernel.dense_mass, matrix, sites, names is not None)
    return metric_of(matrix, parts, sites, chains), parts


# -- the run -------------------------------------------------------------------------------------


def run(
    kernel: HMC, settings: Settings, rng_key: Any, call: Any, init_params: Any = None,
    state: HMCState | None = None,
) -> Result:  # fmt: skip
    """Sample a kernel's density with the engine, from a state or with a warm-up."""
    # Not the random numbers of the run that the state comes from, whatever the key: two runs with
    # the same momenta come closer and closer.
    seed = seed_of(rng_key) if state is None else seed_of(rng_key, int(np.max(state.i)))
    args, kwargs = call
    target = target_of(kernel, rng_key, args, kwargs, init_params, settings.num_chains)
    if state is None:
        start, jitter = starts(kernel, target, settings, seed, call, init_params)
        given, parts = _given_metric(kernel, target, settings.num_chains)
    else:
        given, parts = resumed(state, sites_of(target)[0], settings.num_chains)
        start, jitter = _point_of_state(state, target, settings.num_chains, call), 0.0
    compiled = compile_density(None, None, target.density)
    expressions = compile_named(target.density, target.names)
    options = _options(settings, seed, {**kernel.fields(), "init_jitter": jitter})
    if not settings.num_warmup and state is None:
        options.nuts["initial_step"] = kernel.step_size  # nothing will search another
    shown = settings.progress_bar and "CI" not in os.environ
    try:
        drawn = _run_kernel(kernel, compiled, options, start, make_progress(shown), target, given)
    except FailedRun as error:
        raise InvalidStart(_explained(target.density, error.points[0])) from None
    samples = _constrained(expressions, drawn.draws)
    warmup = None
    if settings.keep_warmup and drawn.warmup_draws is not None:
        warmup = _constrained(expressions, drawn.warmup_draws)
    return Result(samples, warmup, drawn, target, seed, parts)


def _run_kernel(
    kernel: HMC, compiled: Any, options: Options, start: Array, progress: Any, target: Target,
    given: Adapted,
) -> NutsDraws:  # fmt: skip
    if not target.density.values:
        return nothing_moves(kernel.step_size, compiled, options)
    if isinstance(kernel, NUTS):
        return run_nuts(compiled, options, start, progress, given)
    if kernel._num_steps is None:
        length, most = float(kernel._trajectory_length or 0.0), 1024
    else:  # as many steps as that, however long they are
        length, most = 1e12, int(kernel._num_steps)
    step = HamiltonianMC(path_length=length, max_steps=most, model=target.model)
    step.settings |= options.nuts
    step.given = given
    return run_steps([step], target.density, options, start, progress)


def _constrained(expressions: Any, draws: Array) -> dict[str, Array]:
    chains, count, n = draws.shape
    rows = expressions.rows(draws.reshape(chains * count, n))
    return {name: x.reshape(chains, count, *x.shape[1:]) for name, x in rows.items()}


def _options(settings: Settings, seed: int, fields: dict[str, Any]) -> Options:
    cores = 1 if settings.sequential else min(settings.num_chains, _available())
    return Options(
        draws=settings.num_samples, tune=settings.num_warmup, chains=settings.num_chains,
        cores=cores, seed=seed, init="numpyro", jitter=True, retries=TRIES,
        keep_warmup=settings.keep_warmup, checks=False, log_likelihood=False, coords={}, dims={},
        nuts=fields, backend=None,
    )  # fmt: skip


def _available() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
