"""PyMC3's statistics of plain draws: along the first axis of an array, or of every variable."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from finetti.dialects.notes import note
from finetti.dialects.pymc3.stats import trace_arrays
from finetti.results.trace import Array

_LEVELS = (2.5, 25, 50, 75, 97.5)


def _of_traces(today: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a function of draws take a trace too, and answer by variable."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def statistic(x: Any, *args: Any, **kwargs: Any) -> Any:
            note(f"pm.stats.{function.__name__}", today)
            if isinstance(x, (np.ndarray, list, tuple)):
                return function(np.asarray(x), *args, **kwargs)
            draws = trace_arrays(x, kwargs.pop("vars", None))
            flat = {name: a.reshape(-1, *a.shape[2:]) for name, a in draws.items()}
            return {name: function(a, *args, **kwargs) for name, a in flat.items()}

        return statistic

    return wrap


@_of_traces("np.percentile")
def quantiles(
    x: Array, qlist: Sequence[float] = _LEVELS, transform: Callable[[Array], Array] | None = None
) -> dict[float, Array]:
    """Percentiles of draws along the first axis, by level.

    Parameters
    ----------
    x : ndarray or trace
        The draws.
    qlist : sequence of float
        The levels, in per cent.
    transform : callable, optional
        Applied to the draws before.
    """
    values = x if transform is None else transform(x.copy())
    return dict(zip(qlist, np.percentile(values, list(qlist), axis=0), strict=True))


@_of_traces("az.autocov")
def autocov(x: Array, lag: int | None = None) -> Array:
    """Autocovariances of draws along the first axis, each divided by the number of its terms.

    Parameters
    ----------
    x : ndarray or trace
        The draws.
    lag : int, optional
        Only this lag; all lags by default.
    """
    count = len(x)
    spectrum = np.fft.rfft(x - x.mean(axis=0), 2 * count, axis=0)
    products = np.fft.irfft(np.abs(spectrum) ** 2, 2 * count, axis=0)[:count]
    found: Array = products / np.arange(count, 0, -1).reshape(-1, *[1] * (x.ndim - 1))
    return found if lag is None else found[lag]


@_of_traces("az.autocorr")
def autocorr(x: Array, lag: int | None = None) -> Array:
    """Autocorrelations of draws along the first axis.

    Parameters
    ----------
    x : ndarray or trace
        The draws.
    lag : int, optional
        Only this lag; all lags by default.
    """
    covariances: Array = autocov(x)
    return (covariances if lag is None else covariances[lag]) / covariances[0]


@_of_traces("az.mcse")
def mc_error(x: Array, batches: int = 5) -> Any:
    """The standard error of the mean of draws, from the means of batches of them.

    Parameters
    ----------
    x : ndarray or trace
        The draws.
    batches : int
        How many; 1 takes the draws for independent.
    """
    if batches == 1:
        return np.std(x, axis=0) / np.sqrt(len(x))
    kept = x[: len(x) // batches * batches] if len(x) >= batches else x
    means = [part.mean(axis=0) for part in np.array_split(kept, min(batches, len(kept)))]
    return np.std(means, axis=0) / np.sqrt(len(means))


__all__ = ["autocorr", "autocov", "mc_error", "quantiles"]
