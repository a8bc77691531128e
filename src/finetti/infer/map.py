"""The point of highest density, and the curvature there."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.errors import (
    InitialPointError,
    ModelError,
    NotYetSupported,
    ParameterError,
    did_you_mean,
    warn,
)
from finetti.infer.groups import coords_of, data_groups, dims_of, output_names
from finetti.infer.logs import log
from finetti.model.compile import Array, CompiledMap, Layout, compile_logp, compile_named
from finetti.model.context import modelcontext
from finetti.model.diagnose import explain
from finetti.model.forward import seed_number
from finetti.model.functions import Point
from finetti.model.hessian import compile_hessian
from finetti.model.logdensity import Density, Value
from finetti.results.arviz import make_result
from finetti.results.trace import Draws

# scipy.optimize.minimize's methods -> what they can use
METHODS = {
    "nelder-mead": "", "powell": "", "cg": "g", "bfgs": "g", "newton-cg": "gh", "l-bfgs-b": "g",
    "tnc": "g", "cobyla": "", "cobyqa": "", "slsqp": "g", "trust-constr": "gh", "dogleg": "gh",
    "trust-ncg": "gh", "trust-exact": "gh", "trust-krylov": "gh",
}  # fmt: skip
# PyMC3's `fmin=` -> the method of today
FMIN = {
    "fmin_bfgs": "BFGS", "fmin_l_bfgs_b": "L-BFGS-B", "fmin_powell": "Powell", "fmin_cg": "CG",
    "fmin_ncg": "Newton-CG", "fmin": "Nelder-Mead", "fmin_tnc": "TNC", "fmin_cobyla": "COBYLA",
}  # fmt: skip
MINIMIZE = ("bounds", "constraints", "tol", "callback", "options")


class _Stop(Exception):
    """The number of evaluations that was asked for is used up."""


@dataclass
class _Objective:
    """The negative log density over the moved values, and the best point seen."""

    function: Any
    x: Array  # all values; the moved ones are overwritten
    moved: Array
    budget: float
    best: float = np.inf
    best_moved: Array | None = None
    calls: int = 0
    failure: Exception | None = None

    def __call__(self, moved: Array) -> tuple[float, Array]:
        if self.calls >= self.budget:
            raise _Stop
        self.calls += 1
        self.x[self.moved] = moved
        logp, slopes = self.function(self.x)
        if np.isnan(logp):
            logp = -np.inf
        if self.best_moved is None or -logp < self.best:
            self.best, self.best_moved = -logp, np.array(moved)
        return -logp, -slopes[self.moved]


def find_MAP(  # noqa: PLR0913, a user's keywords as PyMC spells them
    method: Any = "L-BFGS-B",
    *,
    vars: Any = None,
    use_grad: bool | None = None,
    use_hess: bool | None = None,
    use_hessp: bool | None = None,
    initvals: Mapping[Any, Any] | None = None,
    jitter: bool | None = None,
    jitter_max_retries: int = 10,
    random_seed: Any = None,
    progressbar: bool | str = True,
    progressbar_theme: Any = None,
    compute_hessian: bool = False,
    return_inferencedata: bool = False,
    idata_kwargs: Mapping[str, Any] | None = None,
    model: Any = None,
    backend: str | None = None,
    compile_kwargs: Mapping[str, Any] | None = None,
    start: Mapping[Any, Any] | None = None,
    seed: Any = None,
    maxeval: int | None = None,
    return_raw: bool = False,
    include_transformed: bool = True,
    fmin: Any = None,
    live_disp: bool = False,
    **optimizer_kwargs: Any,
) -> Any:
    """Find a local maximum of the posterior density.

    As in PyMC, the density is that of the variables' own values: the log-determinants of the
    transforms are left out.

    Parameters
    ----------
    method : str
        A method of `scipy.optimize.minimize`, or "basinhopping".
    vars : variable or list, optional
        Free variables to move; all continuous ones by default. The others stay at their starts.
        With discrete ones the method is Powell's, which needs no gradient.
    use_grad, use_hess, use_hessp : bool, optional
        Whether the optimiser gets the gradient, the Hessian, or its products with vectors; what
        the method can use by default.
    initvals : dict, optional
        Starting values by the variables' names.
    jitter : bool, optional
        Add U(-1, 1) to the start; not by default.
    jitter_max_retries : int
        How many jittered starts are tried until the log density is finite.
    random_seed : int, optional
        For the jitter and for basinhopping.
    progressbar, progressbar_theme, live_disp
        Accepted: too fast for a bar or a display.
    compute_hessian : bool
        With `return_inferencedata`, add the inverse Hessian at the maximum to the attributes.
    return_inferencedata : bool
        The point as a posterior of one draw, instead of a dict.
    idata_kwargs : dict, optional
        "include_transformed".
    model : Model, optional
        The open model by default.
    backend : str, optional
        "native" (default) or "reference".
    compile_kwargs : None
        PyMC's; without a meaning here.
    start, seed
        What `initvals` and `random_seed` were called before PyMC 6.
    maxeval : int, optional
        At most so many evaluations; then the best point so far is returned, with a warning.
    return_raw : bool
        Also return the optimiser's result.
    include_transformed : bool
        Whether the dict has the unconstrained values too.
    fmin : callable, optional
        PyMC3's: a function of `scipy.optimize`, whose method is used.
    **optimizer_kwargs
        For `scipy.optimize.minimize`: tol, bounds, ..., and its options (maxiter, gtol, ...).

    Returns
    -------
    dict
        Name -> value: free variables, their unconstrained values, deterministics.

    Raises
    ------
    InitialPointError
        When the log density is not finite at the start.
    """
    if isinstance(method, Mapping):  # PyMC3's first argument
        start, method = method, "L-BFGS-B"
    if compile_kwargs:
        raise NotYetSupported("find_MAP: compile_kwargs= belongs to PyMC's compiler: leave it out.")
    initvals = _either(initvals, start, "initvals", "start")
    random_seed = _either(random_seed, seed, "random_seed", "seed")
    method = _method(method, fmin)
    idata = dict(idata_kwargs or {})
    if set(idata) - {"include_transformed"}:
        raise NotYetSupported(f"find_MAP: idata_kwargs={idata!r}: only include_transformed.")
    model = modelcontext(model)
    density: Density = model.density()
    values = chosen_values(density, model, vars, "find_MAP")
    method, use = _uses(method, values, (use_grad, use_hess, use_hessp))
    rng = np.random.default_rng(seed_number(random_seed))
    layout = Layout.of(density.inputs)
    x = layout.pack(model.start_point(initvals, int(rng.integers(2**30))), "find_MAP: start")
    objective = _objective(density, layout, values, x, backend, maxeval)
    tries = jitter_max_retries if jitter else 0
    _find_start(objective, density, rng, tries, jitter=bool(jitter))
    raw = _optimise(objective, method, _hessian(density, values, use, x, backend), optimizer_kwargs,
                    use, rng)  # fmt: skip
    assert objective.best_moved is not None
    x[objective.moved] = objective.best_moved
    _report(raw, objective)
    include_transformed = idata.get("include_transformed", include_transformed)
    point = full_point(model, density, x, include_transformed, backend)
    if return_inferencedata:
        attrs = _fit(density, values, x, backend) if compute_hessian else {}
        point = _as_result(model, density, point, attrs)
    return (point, raw) if return_raw else point


def _either(new: Any, old: Any, new_name: str, old_name: str) -> Any:
    if new is not None and old is not None:
        raise ParameterError(f"find_MAP got {new_name}= and {old_name}=: give {new_name} only.")
    return old if new is None else new


def _method(method: Any, fmin: Any) -> str:
    if fmin is not None:
        name = getattr(fmin, "__name__", str(fmin))
        if name not in FMIN:
            raise ParameterError(
                f"find_MAP: fmin={name!r}: expected a function of scipy.optimize. Write "
                "method= with the name of a method of scipy.optimize.minimize."
            )
        return FMIN[name].lower()
    if not isinstance(method, str):
        raise ParameterError(f"find_MAP: method={method!r}: expected the name of a method.")
    valid = [*METHODS, "basinhopping"]
    if method.lower() not in valid:
        raise ParameterError(f"find_MAP: method={method!r}. {did_you_mean(method.lower(), valid)}")
    return method.lower()


def chosen_values(density: Density, model: Any, vars: Any, where: str) -> list[Value]:
    """The free variables to move: those asked for, all continuous ones by default."""
    if vars is None:
        values = [value for value in density.values if not value.discrete]
        if not values:
            raise ModelError(f"{where}: the model has no free continuous variables to move.")
        return values
    asked = list(vars) if isinstance(vars, (list, tuple)) else [vars]
    free = {value.name: value for value in density.values}
    names = {value.value_name: value.name for value in density.values} | {n: n for n in free}
    chosen = set()
    for var in asked:
        name = var if isinstance(var, str) else var.name
        if name not in names:
            raise ParameterError(
                f"{where}: vars has {name!r}, which is no free variable of the model. "
                f"{did_you_mean(str(name), list(names))}"
            )
        chosen.add(names[name])
    return [value for name, value in free.items() if name in chosen]


def _uses(
    method: str, values: Sequence[Value], asked: tuple[bool | None, bool | None, bool | None]
) -> tuple[str, dict[str, bool]]:
    """The method, and which derivatives it gets."""
    discrete = [value.name for value in values if value.discrete]
    if discrete and METHODS.get(method, "g") and asked[0] is None:
        if method != "l-bfgs-b":  # a method that the user chose
            warn(
                f"find_MAP: {', '.join(discrete)} are discrete, so there is no gradient for "
                f"method={method!r}; Powell's method is used.",
            )
        method = "powell"
    can = METHODS.get(method, "g")
    use = {
        "grad": ("g" in can) if asked[0] is None else bool(asked[0]),
        "hess": bool(asked[1]),
        "hessp": bool(asked[2]),
    }
    needs_matrix = method in ("dogleg", "trust-exact")
    if "h" in can and asked[1] is None and asked[2] is None:
        use["hess" if needs_matrix else "hessp"] = True
    return method, use


def _objective(
    density: Density, layout: Layout, values: Sequence[Value], x: Array, backend: str | None,
    maxeval: int | None,
) -> _Objective:  # fmt: skip
    function = compile_logp(density, jacobian=False, backend=backend)
    budget = np.inf if maxeval is None else maxeval
    return _Objective(function, x, _places(layout, values), budget)


def _places(layout: Layout, values: Sequence[Value]) -> Array:
    """Where values lie in the vector of all of them."""
    slices, numbers = dict(zip(layout.names, layout.slices, strict=True)), np.arange(layout.n)
    return np.concatenate([numbers[slices[value.value_name]] for value in values])


def _find_start(
    objective: _Objective, density: Density, rng: np.random.Generator, tries: int, jitter: bool
) -> None:
    base = objective.x[objective.moved].copy()
    for _ in range(1 + tries):
        moved = base + rng.uniform(-1, 1, base.size) if jitter else base
        objective.best_moved = None
        if np.isfinite(objective(moved)[0]):
            return
    sentence = explain(density, objective.x)
    raise InitialPointError(
        f"find_MAP: the log density is {-objective.best} at the start. {sentence or ''}".rstrip()
    )


def _hessian(
    density: Density, values: Sequence[Value], use: Mapping[str, bool], x: Array, backend: Any
) -> dict[str, Callable[..., Any]]:
    """The second derivatives that the optimiser takes, as functions of the moved values."""
    if not (use["hess"] or use["hessp"]):
        return {}
    hessian = compile_hessian(density, [v.input for v in values], False, True, backend)
    moved = _places(hessian.layout, values)

    def at(point: Array) -> Array:
        x[moved] = point
        return x

    if use["hess"]:
        return {"hess": lambda point: hessian(at(point))[0]}
    return {"hessp": lambda point, vector: hessian.product(at(point), np.atleast_2d(vector))[0]}


def _optimise(
    objective: _Objective, method: str, second: Mapping[str, Any], given: Mapping[str, Any],
    use: Mapping[str, bool], rng: np.random.Generator,
) -> Any:  # fmt: skip
    from scipy import optimize  # heavy

    assert objective.best_moved is not None
    start, gradient = objective.best_moved.copy(), use["grad"]
    fun: Callable[..., Any] = objective if gradient else lambda moved: objective(moved)[0]
    if method == "basinhopping":
        valid = list(inspect.signature(optimize.basinhopping).parameters)
        _check_options(given, valid)
        inner = {"jac": gradient, "method": "L-BFGS-B", **given.get("minimizer_kwargs", {})}
        # the seed's name differs between versions of SciPy
        seeded = {"rng" if "rng" in valid else "seed": rng}
        rest = {k: v for k, v in given.items() if k != "minimizer_kwargs"}
        return _guarded(
            lambda: optimize.basinhopping(fun, start, minimizer_kwargs=inner, **seeded, **rest)
        )
    direct = {name: value for name, value in given.items() if name in MINIMIZE}
    options = {name: value for name, value in given.items() if name not in MINIMIZE}
    direct["options"] = {**direct.get("options", {}), **options}
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Unknown solver options", append=False)
        try:
            return _guarded(
                lambda: optimize.minimize(
                    fun, start, method=method, jac=gradient or None, **second, **direct
                )
            )
        except optimize.OptimizeWarning as error:
            raise ParameterError(f"find_MAP: method={method!r}: {error}.") from None


def _guarded(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except _Stop:
        return None


def _check_options(given: Mapping[str, Any], valid: Sequence[str]) -> None:
    for name in given:
        if name not in valid:
            raise ParameterError(
                f"find_MAP: unknown keyword {name}={given[name]!r}. {did_you_mean(name, valid)}"
            )


def _report(raw: Any, objective: _Objective) -> None:
    if raw is None:
        log.warning(
            "find_MAP: stopped after maxeval=%d evaluations; the best point so far is returned, "
            "with log density %.6g.", objective.calls, -objective.best,
        )  # fmt: skip
    elif not getattr(raw, "success", True):
        log.warning(
            "find_MAP: the optimiser reports %r after %d evaluations, at log density %.6g.",
            str(raw.message), objective.calls, -objective.best,
        )  # fmt: skip


def full_point(
    model: Any, density: Density, x: Array, include_transformed: bool, backend: str | None
) -> dict[str, Array]:
    """Every unobserved value at a vector of values, by name."""
    layout = Layout.of(density.inputs)
    names = output_names(model, None, "find_MAP")
    named: CompiledMap = compile_named(density, names, backend)
    own = {name: rows[0] for name, rows in named.rows(x[None]).items()}
    transformed = {
        name: value for name, value in layout.unpack(x).items() if name not in own
    }  # fmt: skip
    return {**transformed, **own} if include_transformed else own


def _fit(density: Density, values: Sequence[Value], x: Array, backend: Any) -> dict[str, Any]:
    hessian = compile_hessian(density, [value.input for value in values], False, True, backend)
    names = ", ".join(value.value_name for value in values)
    return {"covariance_matrix": np.linalg.inv(hessian(x)[0]), "covariance_of": names}


def _as_result(model: Any, density: Density, point: Mapping[str, Array], attrs: Any) -> Any:
    draws = Draws(
        posterior={name: np.asarray(value)[None, None] for name, value in point.items()},
        coords=coords_of(model),
        dims=dims_of(model),
        attrs={**attrs, "inference_method": "find_MAP"},
    )
    return make_result(draws.with_groups(data_groups(model, density.frozen)))


def find_hessian(
    point: Mapping[str, Any], vars: Any = None, model: Any = None, negate_output: bool = True
) -> Array:
    """The Hessian of the log density at a point, in the unconstrained values.

    Parameters
    ----------
    point : dict
        As `find_MAP` returns it.
    vars : variable or list, optional
        With respect to these free variables only.
    model : Model, optional
        The open model by default.
    negate_output : bool
        Of the negative log density (PyMC's default): its inverse approximates the covariance.

    Returns
    -------
    ndarray
        [n, n], in the order of the model's values.
    """
    model = modelcontext(model)
    hessian = model.compile_d2logp(vars, negate_output=negate_output)
    return np.asarray(hessian(Point(point, filter_model_vars=True, model=model)))
