"""Diagnostics of draws with NumPyro's formulas and table: arrays [chain, draw, ...]."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import jax
import numpy as np

__all__ = [
    "autocorrelation", "autocovariance", "effective_sample_size", "gelman_rubin", "hpdi",
    "print_summary", "split_gelman_rubin", "summary",
]  # fmt: skip

Array = Any


def _host(x: Any) -> np.ndarray:
    return np.asarray(jax.device_get(x))


def _variances(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Within the chains, and of all draws together."""
    chains, draws = x.shape[:2]
    within = x.var(axis=1, ddof=1).mean(axis=0)
    total = within * (draws - 1) / draws
    if chains > 1:
        total = total + x.mean(axis=1).var(axis=0, ddof=1)
    return within, total


def gelman_rubin(x: Array) -> np.ndarray:
    """R-hat of Gelman and Rubin.

    Parameters
    ----------
    x : ndarray
        [chain, draw, ...].
    """
    x = _host(x)
    if x.ndim < 2 or x.shape[1] < 2 or x.shape[0] < 2:
        raise ValueError("gelman_rubin: expected at least two chains of at least two draws")
    within, total = _variances(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(total / within)


def split_gelman_rubin(x: Array) -> np.ndarray:
    """R-hat of the halves of chains.

    Parameters
    ----------
    x : ndarray
        [chain, draw, ...].
    """
    x = _host(x)
    if x.ndim < 2 or x.shape[1] < 4:
        raise ValueError("split_gelman_rubin: expected chains of at least four draws")
    half = x.shape[1] // 2
    return gelman_rubin(np.concatenate([x[:, :half], x[:, -half:]]))


def autocovariance(x: Array, axis: int = 0, bias: bool = True) -> np.ndarray:
    """Autocovariances at all lags.

    Parameters
    ----------
    x : ndarray
        Draws.
    axis : int
        Along which they follow each other.
    bias : bool
        Divide by the number of draws rather than by that of the pairs.
    """
    x = np.moveaxis(_host(x).astype(float), axis, -1)
    n = x.shape[-1]
    length = 1 << int(np.ceil(np.log2(max(2 * n, 2))))  # zeros keep the ends apart
    spectrum = np.fft.rfft(x - x.mean(-1, keepdims=True), length, axis=-1)
    sums = np.fft.irfft(np.abs(spectrum) ** 2, length, axis=-1)[..., :n]
    return np.moveaxis(sums / (n if bias else np.arange(n, 0, -1)), -1, axis)


def autocorrelation(x: Array, axis: int = 0, bias: bool = True) -> np.ndarray:
    """Autocorrelations at all lags; the parameters are those of `autocovariance`."""
    covariance = autocovariance(x, axis, bias)
    with np.errstate(invalid="ignore", divide="ignore"):
        return covariance / np.take(covariance, [0], axis=axis)


def effective_sample_size(x: Array, bias: bool = True) -> np.ndarray:
    """Effective sample size by Geyer's initial monotone sequence.

    Parameters
    ----------
    x : ndarray
        [chain, draw, ...].
    bias : bool
        As for `autocovariance`.
    """
    x = _host(x)
    if x.ndim < 2 or x.shape[1] < 2:
        raise ValueError("effective_sample_size: expected chains of at least two draws")
    within, total = _variances(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = 1.0 - (within - autocovariance(x, 1, bias).mean(axis=0)) / total
        rho[0] = 1.0
        pairs = rho[:-1:2] + rho[1::2]
        pairs[1:] = np.minimum.accumulate(np.clip(pairs[1:], 0.0, None), axis=0)
        return x.shape[0] * x.shape[1] / (2.0 * pairs.sum(axis=0) - 1.0)


def hpdi(x: Array, prob: float = 0.90, axis: int = 0) -> np.ndarray:
    """The narrowest interval that holds a share of the draws.

    Parameters
    ----------
    x : ndarray
        Draws.
    prob : float
        The share.
    axis : int
        The axis of draws; in the result it has length 2.
    """
    ordered = np.sort(np.moveaxis(_host(x), axis, 0), axis=0)
    count = int(prob * len(ordered))
    widths = ordered[count:] - ordered[: len(ordered) - count]
    first = widths.argmin(axis=0)[None]
    ends = [np.take_along_axis(ordered, first + step, axis=0) for step in (0, count)]
    return np.moveaxis(np.concatenate(ends), 0, axis)


def _named(samples: Any, group_by_chain: bool) -> dict[str, np.ndarray]:
    """Draws [chain, draw, ...] by name; the leaves of other structures are numbered."""
    if not isinstance(samples, Mapping):
        leaves = jax.tree_util.tree_leaves(samples)
        samples = {f"Param:{i}": leaf for i, leaf in enumerate(leaves)}
    named = {name: _host(x) for name, x in samples.items()}
    return named if group_by_chain else {name: x[None] for name, x in named.items()}


def summary(samples: Any, prob: float = 0.90, group_by_chain: bool = True) -> dict[str, Any]:
    """Statistics of draws.

    Parameters
    ----------
    samples : dict or pytree
        Name -> [chain, draw, ...].
    prob : float
        The share of draws that the interval holds.
    group_by_chain : bool
        False for draws without the axis of chains.

    Returns
    -------
    dict
        Name -> dict of mean, std, median, the interval's ends, n_eff and r_hat.
    """
    table = {}
    for name, x in _named(samples, group_by_chain).items():
        if not len(x):
            continue
        flat = x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
        low, high = hpdi(flat, prob)
        table[name] = {
            "mean": flat.mean(axis=0),
            "std": flat.std(axis=0, ddof=1),
            "median": np.median(flat, axis=0),
            f"{50 * (1 - prob):.1f}%": low,
            f"{50 * (1 + prob):.1f}%": high,
            "n_eff": effective_sample_size(x),
            "r_hat": split_gelman_rubin(x),
        }
    return table


def print_summary(samples: Any, prob: float = 0.90, group_by_chain: bool = True) -> None:
    """Print the statistics of `summary`, one row an element.

    Parameters
    ----------
    samples, prob, group_by_chain
        As for `summary`.
    """
    named = _named(samples, group_by_chain)
    table = summary(named, prob)
    if not table:
        return
    longest = [f"{name}[{','.join(str(n - 1) for n in named[name].shape[2:])}]" for name in table]
    width = max(10, *map(len, longest))
    columns = next(iter(table.values()))
    print()
    print(" " * width, *(f"{column:>9}" for column in columns))
    for name, row in table.items():
        shape = np.shape(row["mean"])
        for place in product(*map(range, shape)):
            label = f"{name}[{','.join(map(str, place))}]" if shape else name
            print(f"{label:>{width}}", *(f"{column[place]:>9.2f}" for column in row.values()))
    print()
