"""Expected log predictive densities of a model: WAIC, and leave-one-out by importance sampling.

Vehtari, Gelman and Gabry 2017 for both; the tail of the weights is smoothed by a generalised Pareto
distribution (Zhang and Stephens 2009), with Vehtari's prior on its shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finetti.errors import NotYetSupported, ParameterError, did_you_mean, warn

Floats = npt.NDArray[np.float64]

SCALES = {"log": 1.0, "negative_log": -1.0, "deviance": -2.0}
_GOOD_K = 0.7
_LARGE_VARIANCE = 0.4


@dataclass(frozen=True)
class ELPD:
    """The expected log predictive density of a model.

    Also asked by the names that PyMC3 and ArviZ gave them: ``result.loo``, ``p_loo``, ``loo_se``,
    ``loo_i``, ``elpd_loo``; ``result.LOO`` and so on are on the deviance scale.

    Parameters
    ----------
    kind : str
        "waic" or "loo".
    each : array
        The contribution of each observation, on the log scale.
    p : float
        The effective number of parameters.
    scale : str
        Of what is asked for: "log", "negative_log" or "deviance".
    n_samples : int
        Draws.
    warning : bool
        Whether the estimate is doubtful.
    pareto_k : array or None
        The shape of the weights' tail for each observation (of loo).
    """

    kind: str
    each: Floats
    p: float
    scale: str
    n_samples: int
    warning: bool
    pareto_k: Floats | None = None

    @property
    def n_data_points(self) -> int:
        """How many observations."""
        return len(self.each)

    def value(self, scale: str | None = None) -> float:
        """The estimate."""
        return float(SCALES[scale or self.scale] * self.each.sum())

    def se(self, scale: str | None = None) -> float:
        """Its standard error."""
        factor = abs(SCALES[scale or self.scale])
        return float(factor * np.sqrt(len(self.each) * np.var(self.each)))

    def _names(self) -> dict[str, Any]:
        low, up = self.kind, self.kind.upper()
        value, se = self.value(), self.se()
        return {
            low: value, f"elpd_{low}": value, f"{low}_se": se, f"p_{low}": self.p,
            f"{low}_i": SCALES[self.scale] * self.each, f"{low}_scale": self.scale,
            up: self.value("deviance"), f"{up}_se": self.se("deviance"), f"p_{up}": self.p,
        }  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        names = self._names()
        if name not in names:
            raise AttributeError(f"{self.kind} has no {name!r}. {did_you_mean(name, names)}")
        return names[name]

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __repr__(self) -> str:
        low = self.kind
        head = f"Computed from {self.n_samples} draws and {self.n_data_points} observations."
        rows = f"{low:>8} {self.value():10.2f}  se {self.se():.2f}\n{f'p_{low}':>8} {self.p:10.2f}"
        doubt = "\nThe estimate is doubtful: see the warning." if self.warning else ""
        return f"{head}\n{rows}{doubt}"


def check_scale(scale: str, where: str) -> str:
    """The name of a scale."""
    if scale not in SCALES:
        raise ParameterError(f"{where}: scale={scale!r}. {did_you_mean(str(scale), SCALES)}")
    return scale


def _flat(log_likelihood: npt.ArrayLike) -> Floats:
    array = np.asarray(log_likelihood, float)
    return array.reshape(array.shape[0] * array.shape[1], -1)


def _logsumexp(x: Floats) -> Floats:
    top = x.max(0)
    return np.asarray(top + np.log(np.exp(x - top).sum(0)))


def waic(log_likelihood: npt.ArrayLike, scale: str = "log") -> ELPD:
    """The widely applicable information criterion of log likelihoods [chain, draw, point]."""
    flat = _flat(log_likelihood)
    density = _logsumexp(flat) - np.log(len(flat))
    variance = flat.var(0)
    doubtful = bool((variance > _LARGE_VARIANCE).any())
    if doubtful:
        warn(
            "waic: the log density of some observations varies by more than "
            f"{_LARGE_VARIANCE} in the posterior; prefer loo.",
        )
    each = density - variance
    return ELPD(
        "waic", each, float(variance.sum()), check_scale(scale, "waic"), len(flat), doubtful
    )


def loo(log_likelihood: npt.ArrayLike, scale: str = "log", reff: float = 1.0) -> ELPD:
    """Leave-one-out cross-validation of log likelihoods [chain, draw, point].

    Parameters
    ----------
    log_likelihood : array
        Elementwise.
    scale : str
        "log", "negative_log" or "deviance".
    reff : float
        Effective draws per draw, which decides how much of the tail is smoothed.
    """
    flat = _flat(log_likelihood)
    weights, k = smoothed_weights(-flat, reff)
    each = _logsumexp(weights + flat)
    density = _logsumexp(flat) - np.log(len(flat))
    doubtful = bool((k > _GOOD_K).any())
    if doubtful:
        warn(
            f"loo: {int((k > _GOOD_K).sum())} of {len(k)} observations have a Pareto shape above "
            f"{_GOOD_K}: the model is surprised by them, and the estimate is not reliable.",
        )
    p = float(density.sum() - each.sum())
    return ELPD("loo", each, p, check_scale(scale, "loo"), len(flat), doubtful, k)


def smoothed_weights(log_ratios: Floats, reff: float = 1.0) -> tuple[Floats, Floats]:
    """Normalised log weights [draw, point] with smoothed tails, and the tails' shapes."""
    count = len(log_ratios)
    many = int(np.ceil(min(0.2 * count, 3.0 * np.sqrt(count / reff))))
    result = log_ratios - log_ratios.max(0)
    shapes = np.full(result.shape[1], np.inf)
    for column, shape in enumerate(shapes):
        x = result[:, column]
        order = np.argsort(x, kind="stable")
        cutoff = max(x[order[-many - 1]], np.log(np.finfo(float).tiny)) if many < count else -np.inf
        tail = order[x[order] > cutoff]
        if len(tail) > 4:
            shape, sigma = pareto_fit(np.exp(x[tail]) - np.exp(cutoff))
            if np.isfinite(shape):
                q = (np.arange(len(tail)) + 0.5) / len(tail)
                x[tail] = np.log(_pareto_quantile(q, shape, sigma) + np.exp(cutoff))
                np.minimum(x, 0.0, out=x)
        shapes[column] = shape
        result[:, column] = x - _logsumexp(x)
    return result, shapes


def pareto_fit(x: Floats) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution; `x` increases."""
    n = len(x)
    many = 30 + int(np.sqrt(n))
    b = 1.0 - np.sqrt(many / (np.arange(1, many + 1) - 0.5))
    b = b / (3.0 * x[int(n / 4 + 0.5) - 1]) + 1.0 / x[-1]
    k = np.log1p(-b[:, None] * x).mean(1)
    profile = n * (np.log(-b / k) - k - 1.0)
    weight = 1.0 / np.exp(profile - profile[:, None]).sum(1)
    keep = weight >= 10 * np.finfo(float).eps
    b, weight = b[keep], weight[keep] / weight[keep].sum()
    mean = float((b * weight).sum())
    shape = float(np.log1p(-mean * x).mean())
    return (n * shape + 5.0) / (n + 10.0), -shape / mean


def _pareto_quantile(q: Floats, shape: float, scale: float) -> Floats:
    if abs(shape) < np.finfo(float).eps:
        return np.asarray(-scale * np.log1p(-q))
    return np.asarray(scale * np.expm1(-shape * np.log1p(-q)) / shape)


# -- several models ------------------------------------------------------------------------------


METHODS = ("stacking", "pseudo-bma", "bb-pseudo-bma")


def compare(
    results: Mapping[str, ELPD],
    method: str = "stacking",
    b_samples: int = 1000,
    alpha: float = 1.0,
    seed: Any = None,
) -> Any:
    """Models in the order of their expected predictive density, as a pandas DataFrame.

    Parameters
    ----------
    results : mapping
        Name -> what `loo` or `waic` returned, on one scale.
    method : str
        "stacking", "pseudo-BMA", or "BB-pseudo-BMA" with weights and standard errors from a
        Bayesian bootstrap of the observations.
    b_samples, alpha, seed
        How often the bootstrap draws, the parameter of its Dirichlet distribution, and its seed;
        NumPy's global stream by default, as in ArviZ.
    """
    import pandas  # type: ignore[import-untyped]

    sizes = {name: result.n_data_points for name, result in results.items()}
    if len(set(sizes.values())) > 1:
        raise ParameterError(f"compare: the models have different numbers of data: {sizes}.")
    if not results:
        raise ParameterError("compare: expected at least one model.")
    names = sorted(results, key=lambda name: -results[name].each.sum())
    each = np.stack([results[name].each for name in names])
    errors: Any = [results[name].se() for name in names]
    if _method(method) == "bb-pseudo-bma":
        weights, spread = _bootstrapped(each, b_samples, alpha, seed)
        errors = [abs(SCALES[results[names[0]].scale]) * float(x) for x in spread]
    else:
        weights = _weights(each, method)
    best = results[names[0]]
    kind, factor = best.kind, SCALES[best.scale]
    rows = []
    for rank, name in enumerate(names):
        result = results[name]
        difference = best.each - result.each
        rows.append({
            "rank": rank, kind: result.value(), f"p_{kind}": result.p,
            f"d_{kind}": abs(factor) * float(difference.sum()), "weight": weights[rank],
            "se": errors[rank],
            "dse": abs(factor) * float(np.sqrt(len(difference) * np.var(difference))),
            "warning": result.warning, f"{kind}_scale": result.scale,
        })  # fmt: skip
    return pandas.DataFrame(rows, index=names)


def _method(method: str) -> str:
    """The name of a way to weigh models, as ArviZ writes it."""
    name = method.lower().replace("_", "-")
    if name not in METHODS:
        raise NotYetSupported(
            f"compare: method={method!r} is not there: expected 'stacking', 'pseudo-BMA' or "
            "'BB-pseudo-BMA'."
        )
    return name


def _bootstrapped(
    each: Floats, count: int, alpha: float, seed: Any
) -> tuple[Floats, npt.NDArray[Any]]:
    """Weights and standard deviations of the sums, observations weighted by Dirichlet numbers."""
    random: Any = np.random if seed is None else seed
    if not hasattr(random, "dirichlet"):
        random = np.random.RandomState(seed)
    shares = random.dirichlet([alpha] * each.shape[1], count)
    totals = each.shape[1] * shares @ each.T
    weights = np.exp(totals - totals.max(1, keepdims=True))
    return np.asarray((weights / weights.sum(1, keepdims=True)).mean(0)), totals.std(0)


def _weights(each: Floats, method: str) -> Floats:
    total = each.sum(1)
    if _method(method) == "pseudo-bma":
        weights = np.exp(total - total.max())
        return np.asarray(weights / weights.sum())
    density = np.exp(each - each.max(0))
    weights = np.full(len(each), 1.0 / len(each))
    for _ in range(20_000):  # the fixed point is the maximum of a concave function
        share = weights[:, None] * density
        new = (share / share.sum(0)).mean(1)
        moved, weights = np.abs(new - weights).max(), new
        if moved < 1e-10:
            break
    return weights
