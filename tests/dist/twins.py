"""Distributions that SciPy has not, made of those it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.integrate
import scipy.special
import scipy.stats


class Twin:
    """A distribution by its density, distribution function and quantiles; moments by integration.

    Parameters
    ----------
    logpdf, cdf, ppf : callable
        Functions of arrays.
    logcdf : callable, optional
        When it is more accurate than the logarithm of `cdf`.
    """

    def __init__(self, logpdf: Any, cdf: Any, ppf: Any, logcdf: Any = None):
        self.logpdf = self.logpmf = logpdf
        self.whole = False
        self.cdf, self.ppf = cdf, ppf
        self.logcdf = logcdf or (lambda x: np.log(cdf(x)))

    def _moment(self, power: int, center: Any = 0.0) -> Any:
        # Over quantiles in a variable that stretches both ends.
        def inner(u: float) -> Any:
            q = scipy.special.expit(u)
            return (self.ppf(q) - center) ** power * q * (1.0 - q)

        return scipy.integrate.quad_vec(inner, -700.0, 36.0, epsrel=1e-13, points=(-20, 0, 20))[0]

    def mean(self) -> Any:
        return self._moment(1)

    def var(self) -> Any:
        return self._moment(2, self.mean())


def folded(base: Any) -> Twin:
    """The size of a number that is symmetric around 0."""

    def logpdf(x: Any) -> Any:
        return np.where(np.asarray(x) < 0, -np.inf, base.logpdf(x) + np.log(2.0))

    def cdf(x: Any) -> Any:
        return np.maximum(1.0 - 2.0 * base.sf(x), 0.0)

    def logcdf(x: Any) -> Any:
        return np.where(np.asarray(x) <= 0, -np.inf, np.log1p(-np.minimum(2.0 * base.sf(x), 1.0)))

    twin = Twin(logpdf, cdf, lambda q: base.isf(0.5 * (1.0 - np.asarray(q))), logcdf)
    nu, scale = (np.asarray(base.kwds[name], float) for name in ("df", "scale"))
    ratio = scipy.special.poch(0.5 * nu, 0.5)
    twin.mean = lambda: 2 * scale * np.sqrt(nu / np.pi) * ratio / (nu - 1)  # type: ignore[method-assign]
    twin.var = lambda: base.var() - twin.mean() ** 2  # type: ignore[method-assign]
    return twin


def _monotone(base: Any, to: Any, back: Any, log_slope: Any, low: float, high: float) -> Twin:
    """A rising function `to` of a number; `back` undoes it, with slope exp(log_slope)."""

    def outside(x: Any) -> Any:
        return (np.asarray(x) <= low) | (np.asarray(x) >= high)

    def logpdf(x: Any) -> Any:
        inner = np.where(outside(x), 0.5 * (low + high), x)
        return np.where(outside(x), -np.inf, base.logpdf(back(inner)) + log_slope(inner))

    return Twin(
        logpdf,
        lambda x: base.cdf(back(np.clip(x, low, high))),
        lambda q: to(base.ppf(q)),
        lambda x: base.logcdf(back(np.clip(x, low, high))),
    )


def logistic_of(base: Any) -> Twin:
    """The sigmoid of a real number."""
    return _monotone(
        base,
        scipy.special.expit,
        scipy.special.logit,
        lambda x: -np.log(x) - np.log1p(-x),
        0.0,
        1.0,
    )


def power_of(base: Any, power: Any) -> Twin:
    """A power of a number between 0 and 1."""
    twin = _monotone(
        base,
        lambda y: y**power,
        lambda x: x ** (1.0 / power),
        lambda x: (1.0 / power - 1.0) * np.log(x) - np.log(power),
        0.0,
        1.0,
    )
    inside = twin.logpdf
    b = np.asarray(base.args[1], float)
    # The limits of the density at 0 and 1.
    ends = [
        np.where(1 / power == 1, np.log(b), np.where(1 / power > 1, -np.inf, np.inf)),
        np.where(b == 1, -np.log(power), np.where(b > 1, -np.inf, np.inf)),
    ]
    twin.logpdf = lambda x: np.where(
        np.asarray(x) == 0, ends[0], np.where(np.asarray(x) == 1, ends[1], inside(x))
    )
    return twin


def on_the_circle(mu: Any, kappa: Any) -> Twin:
    """Von Mises' distribution on [-pi, pi], with circular moments."""
    base = scipy.stats.vonmises(kappa, loc=mu)

    def logpdf(x: Any) -> Any:
        return np.where(np.abs(x) <= np.pi, base.logpdf(x), -np.inf)

    def cdf(x: Any) -> Any:
        return base.cdf(x) - base.cdf(-np.pi)

    def ppf(q: Any) -> Any:
        x = base.ppf(q)
        return (x + np.pi) % (2.0 * np.pi) - np.pi

    twin = Twin(logpdf, cdf, ppf)
    twin.mean = lambda: mu  # type: ignore[method-assign]
    twin.var = lambda: 1.0 - scipy.special.i1e(kappa) / scipy.special.i0e(kappa)  # type: ignore[method-assign]
    return twin


def constant(c: Any) -> Any:
    """A number with probability 1."""
    c = np.asarray(c)
    twin = Twin(
        lambda x: np.where(np.asarray(x) == c, 0.0, -np.inf),
        lambda x: np.where(np.asarray(x) < c, 0.0, 1.0),
        lambda q: c + 0.0 * np.asarray(q),
    )
    twin.mean, twin.var = (lambda: c), (lambda: 0.0 * c)  # type: ignore[method-assign]
    twin.whole = c.dtype.kind == "i"
    return twin


def zero_inflated(psi: Any, base: Any) -> Any:
    """0 with probability 1 - psi, else a count."""
    psi = np.asarray(psi, float)
    return mixture(np.stack([1.0 - psi, psi], -1), [constant(0), base])


def _whole(part: Any) -> bool:
    return part.whole if isinstance(part, Twin) else hasattr(part.dist, "pmf")


def mixture(w: Any, parts: list[Any]) -> Twin:
    """One of several distributions of numbers."""
    w = np.moveaxis(np.asarray(w, float), -1, 0)

    def density(x: Any) -> Any:
        with np.errstate(divide="ignore"):
            terms = [
                np.log(weight) + (part.logpmf(x) if _whole(part) else part.logpdf(x))
                for weight, part in zip(w, parts, strict=True)
            ]
        return np.logaddexp.reduce(np.broadcast_arrays(*terms))

    def cdf(x: Any) -> Any:
        return sum(weight * part.cdf(x) for weight, part in zip(w, parts, strict=True))

    def ppf(q: Any) -> Any:
        low = min(np.min(part.ppf(1e-9)) for part in parts)
        high = max(np.max(part.ppf(1.0 - 1e-9)) for part in parts)
        shapes = (np.shape(x) for x in (q, w[0], *(part.mean() for part in parts)))
        shape = np.broadcast_shapes(*shapes)
        if _whole(parts[-1]):
            steps = np.arange(low, high + 1)
            table = np.stack([np.broadcast_to(cdf(x), shape) for x in steps])
            return steps[np.minimum((table < q).sum(0), len(steps) - 1)]
        below, above = np.full(shape, low), np.full(shape, high)
        for _ in range(60):
            middle = 0.5 * (below + above)
            left = cdf(middle) < q
            below, above = np.where(left, middle, below), np.where(left, above, middle)
        return above

    twin = Twin(density, cdf, ppf)

    def mean() -> Any:
        return sum(weight * part.mean() for weight, part in zip(w, parts, strict=True))

    def var() -> Any:
        pairs = list(zip(w, parts, strict=True))
        squares = sum(weight * (part.var() + part.mean() ** 2) for weight, part in pairs)
        return squares - mean() ** 2

    twin.mean, twin.var = mean, var  # type: ignore[method-assign]
    return twin


def polygon(x: Any, pdf: Any) -> Twin:
    """A density that is linear between points."""
    x, pdf = np.asarray(x, float), np.asarray(pdf, float)
    areas = np.diff(x) * (pdf[1:] + pdf[:-1]) / 2.0
    pdf = pdf / areas.sum()
    edges = np.concatenate([[0.0], np.cumsum(areas / areas.sum())])

    def logpdf(v: Any) -> Any:
        return np.log(np.interp(v, x, pdf, left=0.0, right=0.0))

    def cdf(v: Any) -> Any:
        inside = np.clip(v, x[0], x[-1])
        k = np.clip(np.searchsorted(x, inside, "right") - 1, 0, len(x) - 2)
        return edges[k] + (inside - x[k]) * (pdf[k] + np.interp(inside, x, pdf)) / 2.0

    def ppf(q: Any) -> Any:
        k = np.clip(np.searchsorted(edges, q, "right") - 1, 0, len(x) - 2)
        slope = (pdf[k + 1] - pdf[k]) / (x[k + 1] - x[k])
        rest = np.asarray(q) - edges[k]
        return x[k] + 2.0 * rest / (pdf[k] + np.sqrt(np.maximum(pdf[k] ** 2 + 2 * slope * rest, 0)))

    twin = Twin(logpdf, cdf, ppf)
    grid = np.concatenate([np.linspace(a, b, 3) for a, b in zip(x[:-1], x[1:], strict=True)])

    def integral(f: Any) -> Any:
        rows = f(grid.reshape(-1, 3)) * np.interp(grid, x, pdf).reshape(-1, 3)
        return (np.diff(x) * (rows @ np.array([1.0, 4.0, 1.0])) / 6.0).sum()

    twin.mean = lambda: integral(lambda v: v)  # type: ignore[method-assign]
    twin.var = lambda: integral(lambda v: v * v) - twin.mean() ** 2  # type: ignore[method-assign]
    return twin


def power_law(alpha: Any, lower: Any, upper: Any) -> Twin:
    """A density proportional to x ** alpha between two bounds."""
    alpha, lower, upper = (np.asarray(x, float) for x in (alpha, lower, upper))
    flat = alpha == -1.0
    power = np.where(flat, 1.0, alpha + 1.0)

    def integral(x: Any) -> Any:
        return np.where(flat, np.log(x / lower), (x**power - lower**power) / power)

    total = integral(upper)

    def logpdf(x: Any) -> Any:
        inside = (np.asarray(x) >= lower) & (np.asarray(x) <= upper)
        safe = np.where(inside, x, lower)
        return np.where(inside, alpha * np.log(safe) - np.log(total), -np.inf)

    def ppf(q: Any) -> Any:
        q = np.asarray(q)
        return np.where(
            flat, lower * (upper / lower) ** q, (lower**power + q * total * power) ** (1 / power)
        )

    return Twin(logpdf, lambda x: integral(np.clip(x, lower, upper)) / total, ppf)
