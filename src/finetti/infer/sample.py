"""`sample`: from a model to posterior draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from finetti.errors import (
    InitialPointError,
    ModelError,
    NotYetSupported,
    ParameterError,
    SamplingError,
)
from finetti.infer import logs
from finetti.infer.assign import Plan, assign
from finetti.infer.compound import run_steps
from finetti.infer.groups import coords_of, data_groups, dims_of, output_names, stacked
from finetti.infer.leaves import Forward, plan_forward, run_forward
from finetti.infer.loglik import log_likelihood_rows, observed_names
from finetti.infer.nuts import FailedRun, NutsDraws, nothing_to_walk, run_nuts
from finetti.infer.options import Options, names_list, parse
from finetti.infer.progress import Progress, make_progress
from finetti.infer.source import ModelSource
from finetti.infer.steps.compound import hierarchy
from finetti.infer.watch import Watch
from finetti.model.compile import (
    Array,
    CompiledMap,
    Layout,
    compile_density,
    compile_named,
)
from finetti.model.context import modelcontext
from finetti.model.diagnose import explain, faults
from finetti.model.logdensity import Density
from finetti.results.arviz import make_result
from finetti.results.diagnostics import convergence_warnings
from finetti.results.multitrace import MultiTrace
from finetti.results.trace import Draws

logs.show_by_default()


def sample(  # noqa: PLR0913, a user's keywords as PyMC spells them
    draws: int = 1000,
    *,
    tune: int | None = 1000,
    chains: int | None = None,
    cores: int | None = None,
    random_seed: Any = None,
    progressbar: bool | str = True,
    progressbar_theme: Any = None,
    quiet: bool = False,
    step: Any = None,
    var_names: Sequence[str] | None = None,
    nuts_sampler: str | None = None,
    initvals: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
    init: str = "auto",
    jitter_max_retries: int | None = None,
    n_init: int | None = None,
    trace: Any = None,
    discard_tuned_samples: bool = True,
    compute_convergence_checks: bool = True,
    keep_warning_stat: bool = False,
    return_inferencedata: bool = True,
    idata_kwargs: Mapping[str, Any] | None = None,
    nuts_sampler_kwargs: Mapping[str, Any] | None = None,
    callback: Callable[..., Any] | None = None,
    mp_ctx: Any = None,
    blas_cores: Any = "auto",
    model: Any = None,
    backend: str | None = None,
    compile_kwargs: Mapping[str, Any] | None = None,
    target_accept: float | None = None,
    max_treedepth: int | None = None,
    nuts: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Draw from the posterior of a model: with NUTS, and other steps for discrete variables.

    Parameters
    ----------
    draws : int
        Draws of each chain.
    tune : int
        Warm-up draws of each chain, which are not returned.
    chains : int, optional
        Chains; 4 by default.
    cores : int, optional
        Threads; as many as there are chains and cores by default. What chains leave idle works on
        the rows of large models.
    random_seed : int, sequence of int, numpy.random.Generator or None
        The same seed gives the same draws on any number of cores.
    progressbar : bool or str
        "split", "combined", "split+stats", "combined+stats", or False.
    quiet : bool
        No log lines and no progress bar.
    step : step method or list of them, optional
        How some or all variables are moved, e.g. ``[pm.NUTS([mu]), pm.Metropolis([z])]``; the
        others get the step that suits them. Settings of steps that are chosen so go under the
        step's name: ``metropolis={"tune_interval": 50}``.
    var_names : list of str, optional
        Free variables and deterministics to keep; all by default.
    initvals : dict or list of dict, optional
        Starting values by the variables' names, for all chains or for each.
    init : str
        "auto" or "jitter+adapt_diag"; "jitter+adapt_full" learns a dense mass matrix, which pays
        where variables are strongly correlated and few (up to some hundred numbers); "adapt_diag"
        and "adapt_full" start without jitter.
    jitter_max_retries : int, optional
        How many jittered starts are tried until the log density is finite; 100 by default.
    discard_tuned_samples : bool
        False returns the warm-up too, in groups of its own.
    compute_convergence_checks : bool
        Warn about divergences, R-hat and small effective sample sizes.
    idata_kwargs : dict, optional
        "log_likelihood": True or names; "coords" and "dims": more labels.
    model : Model, optional
        The open model by default.
    backend : str, optional
        "native" (default) or "reference" (slow, for checks).
    target_accept : float, optional
        Mean acceptance that the step size is tuned to; 0.8 by default.
    max_treedepth : int, optional
        At most 2**max_treedepth leapfrog steps a draw; 10 by default.
    nuts : dict, optional
        The last two in a dict, as PyMC also takes them.
    return_inferencedata : bool
        False returns a MultiTrace, as PyMC3 did: ``trace["mu"]``, ``trace[500:]``.
    callback : callable, optional
        ``callback(trace, draw)``, told of every draw, warm-up included: `trace` is the chain so
        far, `draw` has chain, draw_idx, tuning, is_last, stats and point. The sampler runs ahead of
        it; a KeyboardInterrupt that it raises ends the run with the draws it was told of.
    progressbar_theme, nuts_sampler, n_init, trace, keep_warning_stat,
    nuts_sampler_kwargs, mp_ctx, blas_cores, compile_kwargs : optional
        PyMC's; honoured as far as they have a meaning here, refused by name otherwise.

    Returns
    -------
    InferenceData
        What the installed ArviZ takes, with the groups posterior, sample_stats, observed_data and
        constant_data.
    """
    given = {name: value for name, value in locals().items() if name != "kwargs"}
    options = parse(given, kwargs)
    progress = make_progress(bool(progressbar) and not quiet and progressbar, progressbar_theme)
    with logs.quietly(quiet):
        return _sample(modelcontext(model), options, initvals, var_names, progress, callback)


def _sample(
    model: Any,
    options: Options,
    initvals: Any,
    var_names: Any,
    progress: Progress,
    callback: Callable[..., Any] | None,
) -> Any:
    names = output_names(model, names_list(var_names, "sample", "var_names"), "sample")
    density: Density = model.density()
    if not density.values:
        raise ModelError(
            "sample: the model has no free variables, so there is nothing to sample. Variables "
            "with `observed=` are data; for draws of the others use `pm.sample_prior_predictive`."
        )
    if options.log_likelihood:
        observed_names(density, options.log_likelihood, "sample: log_likelihood")
    plan = assign(model, density, options)
    starts = start_points(model, density, initvals, options)[:, _columns(density, plan.core)]
    outputs = Outputs.of(plan, names, options.backend)
    if callback is not None:
        options = replace(options, watch=_watch(callback, model, plan, outputs, options))
    try:
        run = _run(plan, starts, options, progress)
    except FailedRun as error:
        raise _start_error(plan.core, starts, error) from None
    chains, draws = run.draws.shape[:2]
    logs.log.info(logs.finished_line(chains, options.tune, draws, run.seconds))
    result = to_draws(model, plan.core, outputs, run, options)
    if options.checks:
        _warn(result, plan.core)
    if options.multitrace:
        return MultiTrace.from_draws(result, ModelSource(model))
    return make_result(result)


def _watch(
    callback: Callable[..., Any], model: Any, plan: Plan, outputs: Outputs, options: Options
) -> Watch:
    """Who tells the callback, and how it reads walked values."""
    if plan.only_nuts is None and not plan.kernels:
        raise NotYetSupported(
            "sample: callback= is told of every step, and no step is needed: all variables are "
            "drawn exactly from their distributions. Leave it out."
        )

    def read(rows: Array, chain: int) -> MultiTrace:
        found = Draws(posterior=stacked(outputs.rows(rows, options), 1))
        return MultiTrace.from_draws(found, ModelSource(model), chain)

    layout = Layout.of(plan.core.inputs)
    return Watch(callback, layout, read, options.chains, options.tune, options.draws)


def _columns(density: Density, core: Density) -> Array:
    """Where the walked values lie in the vector of all."""
    layout = Layout.of(density.inputs)
    walked = {value.value_name for value in core.values}
    parts = zip(layout.names, layout.slices, strict=True)
    places = [np.arange(layout.n)[part] for name, part in parts if name in walked]
    return np.concatenate([*places, np.empty(0, int)])


def _run(plan: Plan, starts: Array, options: Options, progress: Progress) -> NutsDraws:
    """Walk: NUTS by itself where it is the only step, else all steps in turn."""
    nuts = plan.only_nuts
    if nuts is None and plan.kernels:
        return _run_compound(plan, starts, options, progress)
    if nuts is None:
        _log_plan(plan, options)
        return nothing_to_walk(options)
    if plan.automatic:
        logs.log.info("Initializing NUTS using %s...", options.init)
    settings = nuts.fields(starts.shape[1])
    if not plan.automatic:
        settings.setdefault("init_jitter", 0.0)
    compiled = compile_density(None, options.backend, plan.core)
    _log_plan(plan, options)
    given = nuts.begins_with(plan.core, options.chains)
    return run_nuts(compiled, replace(options, nuts=settings), starts, progress, given)


def _run_compound(plan: Plan, starts: Array, options: Options, progress: Progress) -> NutsDraws:
    _log_plan(plan, options)
    # A term that no step can change is in none of their densities, but must be possible too.
    found = " ".join(fault.sentence() for fault in faults(plan.core, starts[0]))
    if found:
        raise InitialPointError(f"sample: sampling cannot start at the initial point. {found}")
    return run_steps(plan.kernels, plan.core, options, starts, progress)


def _log_plan(plan: Plan, options: Options) -> None:
    population = any(getattr(step, "of_population", False) for step in plan.kernels)
    if population:
        logs.log.info("Population sampling (%d chains)", options.chains)
    else:
        logs.log.info(logs.jobs_line(options.chains, options.cores))
    for line in hierarchy(plan.step) if plan.kernels else []:
        logs.log.info(line)
    for name in plan.leaves:
        logs.log.info(
            "%s: drawn exactly from its distribution, given the draws of the others", name
        )


def start_points(model: Any, density: Density, initvals: Any, options: Options) -> Array:
    """Unconstrained starts [chain, n], before the jitter."""
    if initvals is None or isinstance(initvals, Mapping):
        each: Sequence[Any] = [initvals] * options.chains
    else:
        each = list(initvals) if isinstance(initvals, Iterable) else [initvals]
        wrong = [x for x in each if not (x is None or isinstance(x, Mapping))]
        if wrong:
            raise ParameterError(
                f"sample: initvals: expected a dict {{name: value}}, or a list of one for each "
                f"chain, got {wrong[0]!r} of type {type(wrong[0]).__name__}."
            )
        if len(each) != options.chains:
            raise ParameterError(
                f"sample: initvals has {len(each)} entries for {options.chains} chains: give one "
                "dict for all chains, or one for each."
            )
    layout = Layout.of(density.inputs)
    random = "prior" in _strategies(model, each)
    rows: list[Array] = []
    for chain, overrides in enumerate(each):
        if chain and overrides is each[0] and not random:
            rows.append(rows[0])
        else:
            point = model.start_point(overrides, options.seed + chain)
            rows.append(layout.pack(point, "sample: initial point"))
    return np.stack(rows)


def _strategies(model: Any, each: Sequence[Any]) -> set[str]:
    values = [*model.root.rvs_to_initial_values.values()]
    for overrides in each:
        values += (overrides or {}).values()
    return {value for value in values if isinstance(value, str)}


def _start_error(density: Density, starts: Array, error: FailedRun) -> Exception:
    """The error of a failed start, with the term and the row at fault."""
    for row in [*starts, *error.points]:
        sentence = explain(density, row)
        if sentence is not None:
            return InitialPointError(f"sample: {error}. {sentence}")
    return SamplingError(f"sample: {error}.")


@dataclass(frozen=True)
class Outputs:
    """How what is returned follows from the walked values.

    Parameters
    ----------
    names : list of str
        Variables and deterministics, in order.
    direct : CompiledMap
        Those that are functions of the walked values.
    forward : Forward
        The others.
    """

    names: list[str]
    direct: CompiledMap
    forward: Forward

    @classmethod
    def of(cls, plan: Plan, names: Sequence[str], backend: str | None) -> Outputs:
        """Compile what is needed for some names."""
        if plan.leaves:
            forward = plan_forward(plan.core, plan.leaves, names)
        else:
            forward = Forward(plan.core, [], [], {}, [])
        later = {*plan.leaves, *forward.formulas}
        direct = compile_named(plan.core, [name for name in names if name not in later], backend)
        return cls(list(names), direct, forward)

    def rows(self, x: Array, options: Options, phase: str = "posterior") -> dict[str, Array]:
        """Name -> [count, *shape] at rows of walked values."""
        values = self.direct.rows(x)
        values |= run_forward(
            self.forward, x, options.seed, known=values, phase=phase, cores=options.cores,
            backend=options.backend,
        )  # fmt: skip
        return {name: values[name] for name in self.names}


def to_draws(
    model: Any,
    density: Density,
    outputs: Outputs,
    run: NutsDraws,
    options: Options,
) -> Draws:
    """Constrained values, deterministics, statistics and data of a run."""
    chains, draws, n = run.draws.shape
    flat = run.draws.reshape(chains * draws, n)
    groups: dict[str, Any] = data_groups(model, density.frozen)
    if options.log_likelihood:
        rows = log_likelihood_rows(density, flat, options.log_likelihood, options.backend)
        groups["log_likelihood"] = stacked(rows, chains)
    if run.warmup_draws is not None:
        rows = outputs.rows(run.warmup_draws.reshape(-1, n), options, "warmup")
        groups["warmup_posterior"] = stacked(rows, chains)
        groups["warmup_sample_stats"] = run.warmup_stats
    leaves = outputs.forward.leaves
    exact = {"drawn_exactly": ", ".join(leaves)} if leaves else {}
    return Draws(
        posterior=stacked(outputs.rows(flat, options), chains),
        sample_stats=run.stats,
        coords={**coords_of(model), **options.coords},
        dims={**dims_of(model), **options.dims},
        attrs={
            "sampling_time": run.seconds,
            "tuning_steps": options.tune,
            "gradient_evaluations": run.gradients,
            "random_seed": options.seed,
            **exact,
        },
    ).with_groups(groups)


def _warn(result: Draws, density: Density) -> None:
    free = {value.name: result.posterior[value.name] for value in density.values
            if value.name in result.posterior}  # fmt: skip
    messages = convergence_warnings(
        free, sample_stats=result.sample_stats, dims=result.dims, coords=result.coords
    )
    for message in messages:
        logs.log.warning(message)
