"""Convergence diagnostics of draws, and the warnings that follow from them.

Everything is computed by the C++ core, with the values of arviz-stats 1.x (to rounding) and ArviZ's
classic defaults: the tail ESS looks at the 5 % and 95 % quantiles, intervals hold 94 %.
An array is `[chain, draw, *shape]` and a result has that `shape`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from finetti import _core
from finetti.errors import DtypeError, ParameterError, ShapeError, did_you_mean
from finetti.results.labels import element_labels

Floats: TypeAlias = npt.NDArray[np.float64]

RHAT_LIMIT = 1.01
ESS_PER_CHAIN_LIMIT = 100
TREEDEPTH_SHARE_LIMIT = 0.05
TAIL_PROB = 0.05
INTERVAL_PROB = 0.94

_ESS_METHODS = ("bulk", "tail", "mean", "sd", "median", "quantile")
_MCSE_METHODS = ("mean", "sd", "median", "quantile")
_PAPER = "See https://arxiv.org/abs/1903.08008 for details"
_NAMED_AT_MOST = 5


def describe(draws: npt.ArrayLike, measures: Iterable[tuple[str, float]]) -> Floats:
    """Several measures of every scalar in one pass over the draws.

    Parameters
    ----------
    draws
        Numbers or booleans of shape `[chain, draw, *shape]`.
    measures
        Pairs of a name that the core knows (`_core.measures()`) and a probability, which only
        some of them use.

    Returns
    -------
    numpy.ndarray
        Shape `[measure, *shape]`.
    """
    array = _as_draws(draws)
    requests = [(name, float(prob)) for name, prob in measures]
    shape = array.shape[2:]
    flat = array.reshape(*array.shape[:2], int(np.prod(shape)))
    values: Floats = np.asarray(_core.describe(flat, requests))
    return values.reshape(len(requests), *shape)


def rhat(draws: npt.ArrayLike) -> Floats:
    """Rank-normalised split R-hat, the larger of bulk and folded.

    NaN for a single chain, for fewer than four draws, for NaN draws and for constants.
    """
    return describe(draws, [("rhat", 0.0)])[0]


def ess(draws: npt.ArrayLike, method: str = "bulk", prob: float | None = None) -> Floats:
    """Effective sample size.

    Parameters
    ----------
    draws
        Shape `[chain, draw, *shape]`.
    method
        `"bulk"`, `"tail"`, `"mean"`, `"sd"`, `"median"` or `"quantile"`.
    prob
        The quantile for `"quantile"`; for `"tail"` one of its two quantiles (0.05).
    """
    return describe(draws, [_measure("ess", method, prob, _ESS_METHODS)])[0]


def mcse(draws: npt.ArrayLike, method: str = "mean", prob: float | None = None) -> Floats:
    """Monte Carlo standard error of the mean, the sd, the median or a quantile.

    Parameters
    ----------
    draws
        Shape `[chain, draw, *shape]`.
    method
        `"mean"`, `"sd"`, `"median"` or `"quantile"`.
    prob
        The quantile for `"quantile"`.
    """
    return describe(draws, [_measure("mcse", method, prob, _MCSE_METHODS)])[0]


def quantile(draws: npt.ArrayLike, prob: float | Sequence[float]) -> Floats:
    """Quantiles by linear interpolation; several probabilities become the last axis."""
    if np.ndim(prob) > 1:
        raise ShapeError(f"quantile: prob has shape {np.shape(prob)}; give a number or a list")
    requests = [("quantile", check_prob("quantile", "prob", p)) for p in np.atleast_1d(prob)]
    values = describe(draws, requests)
    return values[0] if np.ndim(prob) == 0 else np.moveaxis(values, 0, -1)


def hdi(draws: npt.ArrayLike, prob: float = INTERVAL_PROB) -> Floats:
    """Highest-density interval, the narrowest that holds `prob`: shape `[*shape, 2]`."""
    prob = check_prob("hdi", "prob", prob)
    return np.moveaxis(describe(draws, [("hdi_lower", prob), ("hdi_upper", prob)]), 0, -1)


def eti(draws: npt.ArrayLike, prob: float = INTERVAL_PROB) -> Floats:
    """Equal-tailed interval: shape `[*shape, 2]`."""
    edge = (1 - check_prob("eti", "prob", prob)) / 2
    return quantile(draws, [edge, 1 - edge])


def bfmi(energy: npt.ArrayLike) -> Floats:
    """Estimated Bayesian fraction of missing information of every chain of `[chain, draw]`."""
    array = _as_draws(energy)
    if array.ndim != 2:
        raise ShapeError(
            f"bfmi: energy has shape {array.shape}; expected (chain, draw), "
            "as in sample_stats['energy']"
        )
    values: Floats = np.asarray(_core.bfmi(array))
    return values


def geweke(x: npt.ArrayLike, first: float, last: float, intervals: int) -> Floats:
    """Geweke's comparison of the beginnings of one chain with its end.

    Parameters
    ----------
    x
        The draws of one scalar in one chain.
    first, last
        Which share of the draws that are left each side has.
    intervals
        How many beginnings in the first half.

    Returns
    -------
    numpy.ndarray
        Rows of the first draw and the difference of the means in standard deviations.
    """
    draws = np.asarray(x, float)
    if not (0 < first and 0 < last and first + last < 1):
        raise ParameterError(
            f"geweke: first={first!r} and last={last!r}: expected shares with a sum below 1"
        )
    end = len(draws) - 1
    step = max(1, int((end / 2) / max(1, intervals - 1)))
    rows = []
    for start in range(0, end // 2, step):
        early = draws[start : start + int(first * (end - start))]
        late = draws[int(end - last * (end - start)) :]
        spread = np.sqrt(early.var() + late.var())
        rows.append([start, (early.mean() - late.mean()) / spread])
    return np.array(rows)


def check_prob(where: str, name: str, prob: Any) -> float:
    """A probability as a float, or an error that names it."""
    if isinstance(prob, (bool, np.bool_)) or not np.isscalar(prob) or isinstance(prob, str):
        raise ParameterError(f"{where}: {name} must be a number between 0 and 1, got {prob!r}")
    value = float(prob)  # type: ignore[arg-type]
    if not 0 <= value <= 1:
        raise ParameterError(f"{where}: {name} must lie between 0 and 1, got {prob!r}")
    return value


def convergence_warnings(
    posterior: Mapping[str, npt.ArrayLike],
    *,
    sample_stats: Mapping[str, npt.ArrayLike] | None = None,
    dims: Mapping[str, Sequence[str | None]] | None = None,
    coords: Mapping[str, Any] | None = None,
) -> list[str]:
    """What a user should know about these draws before using them, in PyMC's words.

    Parameters
    ----------
    posterior
        Variable name to array `[chain, draw, *shape]`: the free variables (PyMC leaves
        deterministics out).
    sample_stats
        Statistic name to array `[chain, draw]`; `diverging` and `reached_max_treedepth` are read.
    dims, coords
        Names and labels of the variables' dimensions, to name single elements.

    Returns
    -------
    list of str
        One message a problem, the gravest of sampling itself first; empty when all is well.
    """
    messages = _sampler_messages(sample_stats or {})
    arrays = {name: _as_draws(array, name) for name, array in posterior.items()}
    if not arrays:
        return messages
    chains, draws = next(iter(arrays.values())).shape[:2]
    if draws < ESS_PER_CHAIN_LIMIT:
        messages.append(
            f"Only {draws} samples per chain. Reliable r-hat and ESS diagnostics require longer "
            "chains for accurate estimate."
        )
        return messages
    if chains == 1:
        messages.append(
            "Only one chain was sampled, this makes it impossible to run some convergence checks"
        )
        return messages
    if chains < 4:
        messages.append(
            "We recommend running at least 4 chains for robust computation of convergence "
            "diagnostics"
        )
    return messages + _parameter_messages(arrays, dims or {}, coords or {})


def _parameter_messages(
    arrays: Mapping[str, Floats],
    dims: Mapping[str, Sequence[str | None]],
    coords: Mapping[str, Any],
) -> list[str]:
    measures = [("rhat", 0.0), ("ess_bulk", 0.0), ("ess_tail", TAIL_PROB)]
    columns, labels = [], []
    for name, array in arrays.items():
        columns.append(describe(array, measures).reshape(len(measures), -1))
        labels += element_labels(name, array.shape[2:], dims.get(name), coords)
    rhats, bulk, tail = np.concatenate(columns, axis=1)
    smallest = np.fmin(bulk, tail)  # NaN is no verdict: constants and NaN draws have no R-hat
    chains = next(iter(arrays.values())).shape[0]
    messages = []
    bad = np.flatnonzero(rhats > RHAT_LIMIT)
    if bad.size:
        worst = bad[np.argsort(-rhats[bad], kind="stable")]
        messages.append(
            "The rhat statistic is larger than 1.01 for some parameters. This indicates problems "
            f"during sampling. {_PAPER}. "
            + _concerned([f"{labels[i]} ({rhats[i]:.2f})" for i in worst])
        )
    bad = np.flatnonzero(smallest / chains < ESS_PER_CHAIN_LIMIT)
    if bad.size:
        worst = bad[np.argsort(smallest[bad], kind="stable")]
        messages.append(
            "The effective sample size per chain is smaller than 100 for some parameters. A "
            f"higher number is needed for reliable rhat and ess computation. {_PAPER}. "
            + _concerned([f"{labels[i]} ({smallest[i] / chains:.0f})" for i in worst])
        )
    return messages


def _concerned(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED_AT_MOST])
    more = len(names) - _NAMED_AT_MOST
    return f"Worst: {shown}" + (f" and {more} more" if more > 0 else "")


def _sampler_messages(sample_stats: Mapping[str, npt.ArrayLike]) -> list[str]:
    messages = []
    diverging = int(np.sum(np.asarray(sample_stats.get("diverging", 0), dtype=bool)))
    if diverging:
        verb, word = ("was", "divergence") if diverging == 1 else ("were", "divergences")
        messages.append(
            f"There {verb} {diverging} {word} after tuning. Increase `target_accept` or "
            "reparameterize."
        )
    reached = sample_stats.get("reached_max_treedepth")
    if reached is not None:
        array = np.asarray(reached, dtype=float)
        # several samplers in one run have an axis of their own
        shares = array.mean(axis=1).reshape(len(array), -1).max(axis=1) if array.size else ()
        for chain, share in enumerate(shares):
            if share > TREEDEPTH_SHARE_LIMIT:
                messages.append(
                    f"Chain {chain} reached the maximum tree depth. Increase `max_treedepth`, "
                    "increase `target_accept` or reparameterize."
                )
    return messages


def _measure(
    kind: str, method: str, prob: float | None, methods: Sequence[str]
) -> tuple[str, float]:
    if method not in methods:
        raise ParameterError(f"{kind}: no method {method!r}. {did_you_mean(str(method), methods)}")
    if method == "quantile" and prob is None:
        raise ParameterError(f"{kind}: method 'quantile' needs prob, a number between 0 and 1")
    if method not in ("quantile", "tail") and prob is not None:
        raise ParameterError(f"{kind}: method {method!r} takes no prob, got prob={prob!r}")
    value = TAIL_PROB if prob is None else check_prob(kind, "prob", prob)
    return f"{kind}_{method}", value


def _as_draws(draws: npt.ArrayLike, name: str = "draws") -> Floats:
    array = np.asarray(draws)
    if array.dtype.kind not in "biuf":
        raise DtypeError(
            f"{name}: dtype {array.dtype} came; diagnostics take real numbers, integers and bools"
        )
    if array.ndim < 2:
        raise ShapeError(
            f"{name}: shape {array.shape} came; expected (chain, draw, ...). "
            "For a single chain pass draws[None]"
        )
    return array.astype(np.float64, copy=False)
