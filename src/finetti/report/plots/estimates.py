"""Density estimates and highest-density intervals of draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def finite(values: npt.ArrayLike) -> Array:
    """The finite values in one row."""
    flat = np.asarray(values, float).ravel()
    return flat[np.isfinite(flat)]


def bandwidth(values: Array) -> float:
    """Silverman's rule, with the smaller of standard deviation and scaled quartile range."""
    if values.size < 2:
        return 1.0
    quartiles = np.subtract(*np.percentile(values, [75, 25])) / 1.349
    sd = values.std()
    spread = min(sd, quartiles) if quartiles > 0 else sd
    return float(0.9 * spread * values.size**-0.2)


def density(values: npt.ArrayLike, width: float | None = None, points: int = 512) -> tuple[Array, Array]:  # fmt: skip # noqa: E501
    """A Gaussian kernel estimate on a grid from the smallest to the largest value.

    Mass beyond the ends is folded back, as ArviZ does, so that bounded variables look bounded.

    Parameters
    ----------
    values
        The draws.
    width
        Standard deviation of the kernel.
    points
        Of the grid.

    Returns
    -------
    grid, density
    """
    data = finite(values)
    if not data.size:
        return np.zeros(0), np.zeros(0)
    low, high = float(data.min()), float(data.max())
    width = bandwidth(data) if width is None else width
    if low == high or width <= 0:
        return np.array([low, low]), np.array([0.0, 1.0])
    edges = np.linspace(low, high, points + 1)
    step = edges[1] - edges[0]
    counts = np.histogram(data, edges)[0].astype(float)
    reach = min(points - 1, int(np.ceil(4 * width / step)))
    padded = np.concatenate([counts[:reach][::-1], counts, counts[points - reach :][::-1]])
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    smooth = _convolved(padded, kernel / kernel.sum())[reach : reach + points]
    return (edges[:-1] + edges[1:]) / 2, smooth / (data.size * step)


def _convolved(values: Array, kernel: Array) -> Array:
    size = len(values) + len(kernel) - 1
    product = np.fft.rfft(values, size) * np.fft.rfft(kernel, size)
    start = (len(kernel) - 1) // 2
    full = np.fft.irfft(product, size)[start : start + len(values)]
    return np.clip(full, 0.0, None)


def density2d(x: Array, y: Array, points: int = 128) -> tuple[Array, Array, Array]:
    """A Gaussian kernel estimate of two variables on a grid [points, points], y first."""
    grids, kernels = [], []
    for values in (x, y):
        low, high = values.min(), values.max()
        edges = np.linspace(low, high if high > low else low + 1.0, points + 1)
        step = edges[1] - edges[0]
        width = max(bandwidth(values), step)
        reach = min(points - 1, int(np.ceil(4 * width / step)))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
        grids.append(edges)
        kernels.append(kernel / kernel.sum())
    counts = np.histogram2d(y, x, [grids[1], grids[0]])[0]
    for axis, kernel in ((1, kernels[0]), (0, kernels[1])):
        counts = np.apply_along_axis(_convolved, axis, counts, kernel)
    middle = [(edges[:-1] + edges[1:]) / 2 for edges in grids]
    return middle[0], middle[1], counts / counts.sum()


def levels_holding(z: Array, probabilities: npt.ArrayLike) -> Array:
    """Heights above which a gridded density holds the given probabilities, increasing."""
    heights = np.sort(z.ravel())[::-1]
    held = np.cumsum(heights)
    places = np.searchsorted(held, np.asarray(probabilities) * held[-1])
    return np.unique(heights[np.clip(places, 0, heights.size - 1)])


def hdi(values: npt.ArrayLike, prob: float) -> tuple[float, float]:
    """The shortest interval that holds a share of the draws."""
    ordered = np.sort(finite(values))
    if not ordered.size:
        return np.nan, np.nan
    inside = int(np.floor(prob * ordered.size))
    if inside >= ordered.size:
        return float(ordered[0]), float(ordered[-1])
    widths = ordered[inside:] - ordered[: ordered.size - inside]
    place = int(np.argmin(widths))
    return float(ordered[place]), float(ordered[place + inside])


def mode(values: npt.ArrayLike) -> float:
    """Where the density estimate is highest; the most frequent whole number."""
    array = np.asarray(values)
    if array.dtype.kind in "biu":
        numbers, counts = np.unique(array, return_counts=True)
        return float(numbers[np.argmax(counts)])
    grid, heights = density(array)
    return float(grid[np.argmax(heights)]) if grid.size else np.nan


def point_estimate(values: npt.ArrayLike, kind: str | None) -> float | None:
    """The mean, median or mode; None when none is wanted."""
    if kind is None:
        return None
    functions: dict[str, Any] = {
        "mean": np.mean,
        "auto": np.mean,
        "median": np.median,
        "mode": mode,
    }
    return float(functions[kind](finite(values) if kind != "mode" else values))


def autocorrelation(values: npt.ArrayLike) -> Array:
    """Autocorrelations of one row at all lags."""
    x = np.asarray(values, float)
    x = x - x.mean()
    size = 2 ** int(np.ceil(np.log2(max(2 * x.size, 2))))
    spectrum = np.abs(np.fft.rfft(x, size)) ** 2
    covariance = np.fft.irfft(spectrum, size)[: x.size]
    return covariance / covariance[0] if covariance[0] > 0 else np.ones(x.size)


def bins_of(values: npt.ArrayLike) -> Array:
    """Edges of histogram bars: one for each whole number, or a few of them in one bar."""
    array = np.asarray(values).ravel()
    if array.dtype.kind not in "biu":
        return np.asarray(np.histogram_bin_edges(finite(array), "auto"), np.float64)
    low, high = int(array.min()), int(array.max())
    step = max(1, (high - low) // 100)
    return np.asarray(np.arange(low, high + 1 + step, step) - 0.5, np.float64)
