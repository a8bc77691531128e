"""The Laplace approximation: a normal distribution around the mode of the unconstrained values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti.errors import ModelError, ParameterError, SamplingError
from finetti.infer.groups import coords_of, data_groups, dims_of, output_names, stacked
from finetti.infer.logs import log
from finetti.model.compile import Array, Layout, compile_logp, compile_named
from finetti.model.context import modelcontext
from finetti.model.forward import seed_number
from finetti.model.hessian import compile_hessian
from finetti.model.logdensity import Density
from finetti.results.arviz import make_result
from finetti.results.trace import Draws


def fit_laplace(
    draws: int = 1000,
    *,
    chains: int = 4,
    random_seed: Any = None,
    initvals: Mapping[Any, Any] | None = None,
    model: Any = None,
    backend: str | None = None,
    maxiter: int = 10_000,
    progressbar: bool | str = True,
) -> Any:
    """Draw from the normal approximation of the posterior around its mode.

    The mode and the Hessian are those of the density of the unconstrained values, with the
    log-determinants of the transforms (Tierney and Kadane 1986): unlike `find_MAP`, the result does
    not depend on which scale the density is written on, and its draws are inside the support.

    Parameters
    ----------
    draws : int
        Draws of each chain; they are independent.
    chains : int
        Leading axis of the result.
    random_seed : int, optional
        The same seed gives the same draws.
    initvals : dict, optional
        Where the search for the mode starts, by the variables' names.
    model : Model, optional
        The open model by default.
    backend : str, optional
        "native" (default) or "reference".
    maxiter : int
        At most so many iterations of the search.
    progressbar
        Accepted: too fast for a bar.

    Returns
    -------
    InferenceData
        Group posterior (free variables and deterministics) and the data; its attributes have
        `laplace_log_evidence`, the approximate log marginal likelihood, and `laplace_mode`, the
        unconstrained values of the mode.

    Raises
    ------
    ModelError
        For a model with discrete free variables.
    SamplingError
        When no mode is found: the Hessian is not positive definite where the search ended.
    """
    for name, count in (("draws", draws), ("chains", chains)):
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise ParameterError(f"fit_laplace: {name}={count!r}, expected a whole number >= 1.")
    model = modelcontext(model)
    density: Density = model.density()
    discrete = [value.name for value in density.values if value.discrete]
    if discrete or not density.values:
        what = f"{', '.join(discrete)}: discrete" if discrete else "no free variables"
        raise ModelError(f"fit_laplace: {what}; it approximates continuous variables only.")
    seed = seed_number(random_seed)
    layout = Layout.of(density.inputs)
    x = layout.pack(model.start_point(initvals, seed), "fit_laplace: start")
    mode, value = _mode(density, x, backend, maxiter)
    curvature = compile_hessian(density, density.inputs, True, True, backend)(mode)[0]
    factor = _cholesky(curvature)
    normals = np.random.default_rng(seed).standard_normal((chains * draws, layout.n))
    rows = mode + np.linalg.solve(factor.T, normals.T).T
    log_evidence = value + 0.5 * layout.n * np.log(2 * np.pi) - float(np.log(np.diag(factor)).sum())
    names = output_names(model, None, "fit_laplace")
    values = compile_named(density, names, backend).rows(rows)
    result = Draws(
        posterior=stacked(values, chains),
        coords=coords_of(model),
        dims=dims_of(model),
        attrs={
            "inference_method": "laplace",
            "laplace_log_evidence": log_evidence,
            "laplace_mode": mode,
            "random_seed": seed,
        },
    )
    return make_result(result.with_groups(data_groups(model, density.frozen)))


def _mode(density: Density, x: Array, backend: str | None, maxiter: int) -> tuple[Array, float]:
    from scipy.optimize import minimize  # heavy

    function = compile_logp(density, backend=backend)

    def negative(point: Array) -> tuple[float, Array]:
        logp, slopes = function(point)
        return (np.inf if np.isnan(logp) else -logp), -slopes

    raw = minimize(
        negative, x, jac=True, method="L-BFGS-B",
        options={"maxiter": maxiter, "maxfun": 10 * maxiter, "ftol": 1e-14, "gtol": 1e-8},
    )  # fmt: skip
    if not np.isfinite(raw.fun):
        raise SamplingError(f"fit_laplace: the log density is {-raw.fun} where the search began.")
    if not raw.success:
        log.warning("fit_laplace: the search for the mode ended with %r.", str(raw.message))
    return np.asarray(raw.x), -float(raw.fun)


def _cholesky(curvature: Array) -> Array:
    try:
        return np.linalg.cholesky(curvature)
    except np.linalg.LinAlgError:
        smallest = np.linalg.eigvalsh(curvature)[0] if np.isfinite(curvature).all() else np.nan
        raise SamplingError(
            "fit_laplace: the Hessian at the end of the search is not positive definite (smallest "
            f"eigenvalue {smallest:.3g}), so the posterior has no mode there that a normal "
            "distribution could describe. Start elsewhere with initvals=, or use `pm.sample`."
        ) from None
