"""Write tests/data/diagnostics_reference.npz: many kinds of draws and arviz-stats 1.x's values.

Run once, in an environment with arviz-stats >= 1 and scipy:

    python tools/make_diagnostics_reference.py

`draws/<case>` is float64[chain, draw]; `expected/<case>` has one value for each entry of
`measures` ("name" or "name:prob"); `bfmi/<case>` has one a chain.
"""

import warnings
from pathlib import Path

import numpy as np
from arviz_stats.base import array_stats
from scipy import stats

TARGET = Path(__file__).parent.parent / "tests" / "data" / "diagnostics_reference.npz"
PROBS = {"quantile": (0.0, 0.03, 0.25, 0.5, 0.89, 1.0), "hdi": (0.5, 0.8, 0.89, 0.94, 1.0)}


def autoregressive(rng, chains, draws, coefficient):
    """An AR(1) process with unit variance, started in its stationary law."""
    noise = rng.normal(size=(chains, draws))
    out = np.empty_like(noise)
    out[:, 0] = noise[:, 0]
    for t in range(1, draws):
        out[:, t] = coefficient * out[:, t - 1] + np.sqrt(1 - coefficient**2) * noise[:, t]
    return out


def bimodal(rng, chains, draws):
    """Two far modes between which chains switch rarely."""
    switches = rng.random((chains, draws)) < 0.02
    side = np.where((np.cumsum(switches, axis=1) + np.arange(chains)[:, None]) % 2, 1.0, -1.0)
    return 3 * side + rng.normal(size=(chains, draws))


def shapes(rng):
    """Normal draws over numbers of chains and of draws, the least ones too."""
    for chains in (1, 2, 3, 4, 5, 8):
        for draws in (100, 101):
            yield f"normal_{chains}x{draws}", rng.normal(size=(chains, draws))
    for draws in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 33):
        yield f"short_4x{draws}", rng.normal(size=(4, draws))
        yield f"short_1x{draws}", rng.normal(size=(1, draws))
    yield "long_4x1000", rng.normal(loc=3, scale=0.2, size=(4, 1000))
    yield "long_2x1025", rng.gamma(2.0, size=(2, 1025))


def laws(rng):
    """Dependence, tails, modes and discreteness."""
    for coefficient in (0.5, 0.9, 0.99, -0.5, -0.95):
        yield f"ar{coefficient}_4x500", autoregressive(rng, 4, 500, coefficient)
    yield "ar0.9_1x301", autoregressive(rng, 1, 301, 0.9)
    yield "random_walk_4x250", np.cumsum(rng.normal(size=(4, 250)), axis=1)
    yield "cauchy_4x300", rng.standard_cauchy(size=(4, 300))
    yield "student2_4x301", rng.standard_t(2, size=(4, 301))
    yield "lognormal_4x250", np.exp(2 * rng.normal(size=(4, 250)))
    yield "bimodal_4x400", bimodal(rng, 4, 400)
    yield "shifted_chain_4x200", rng.normal(size=(4, 200)) + np.array([[0.0], [0.0], [0.0], [2.0]])
    yield "scaled_chain_4x200", rng.normal(size=(4, 200)) * np.array([[1.0], [1.0], [1.0], [5.0]])
    yield "stuck_chain_4x200", np.vstack([rng.normal(size=(3, 200)), np.full((1, 200), 0.25)])
    yield "poisson_4x251", rng.poisson(3.0, size=(4, 251)).astype(float)
    yield "bernoulli_4x250", (rng.random((4, 250)) < 0.3).astype(float)
    yield "rare_event_4x250", (rng.random((4, 250)) < 0.01).astype(float)
    yield "trend_4x100", rng.normal(size=(4, 100)) + np.linspace(0, 4, 100)


def scales(rng):
    """Far means and extreme scales."""
    yield "far_mean_4x200", 1e6 + rng.normal(size=(4, 200))
    yield "tiny_scale_4x200", 1e-7 * rng.normal(size=(4, 200))
    yield "below_resolution_4x200", 1e-17 * rng.normal(size=(4, 200))
    yield "huge_scale_4x200", 1e100 * rng.normal(size=(4, 200))


def edges(rng):
    """Constants, NaN and infinities."""
    yield "constant_4x100", np.full((4, 100), 3.0)
    yield "zero_1x20", np.zeros((1, 20))
    yield "signed_zero_2x10", np.where(np.arange(20).reshape(2, 10) % 2, -0.0, 0.0)
    yield "one_value_differs_4x100", np.where(np.arange(400).reshape(4, 100) == 57, 1.0, 3.0)
    one_nan = rng.normal(size=(4, 100))
    one_nan[2, 17] = np.nan
    yield "one_nan_4x100", one_nan
    yield "all_nan_4x100", np.full((4, 100), np.nan)
    infinite = rng.normal(size=(4, 100))
    infinite[1, 3] = np.inf
    yield "infinite_4x100", infinite
    infinite = infinite.copy()
    infinite[0, :30] = -np.inf
    yield "many_infinite_4x100", infinite


def measure_names():
    """Every measure with its probability, in the order they are stored."""
    names = ["mean", "sd", "median", "mad", "rhat", "ess_bulk", "ess_mean", "ess_sd", "ess_median"]
    names += ["mcse_mean", "mcse_sd", "mcse_median", "ess_tail:0.05", "ess_tail:0.11"]
    names += [f"ess_quantile:{p}" for p in (0.1, 0.75)] + [
        f"mcse_quantile:{p}" for p in (0.05, 0.3, 0.975)
    ]
    names += [f"quantile:{p}" for p in PROBS["quantile"]]
    return names + [f"hdi_{end}:{p}" for p in PROBS["hdi"] for end in ("lower", "upper")]


def expected(draws, name):
    """The value that arviz-stats gives."""
    name, _, prob = name.partition(":")
    prob = float(prob) if prob else None
    kind, _, method = name.partition("_")
    if kind in ("ess", "mcse"):
        prob = (prob, 1 - prob) if method == "tail" else prob
        return np.squeeze(getattr(array_stats, kind)(draws, method=method, prob=prob))
    if kind == "hdi":
        return array_stats.hdi(draws.ravel(), prob)[int(method == "upper")]
    plain = {
        "quantile": lambda: array_stats.quantile(draws.ravel(), prob),
        "mad": lambda: stats.median_abs_deviation(draws, axis=None),
        "rhat": lambda: np.squeeze(array_stats.rhat(draws)),
        "sd": lambda: np.std(draws, ddof=1),
        "mean": lambda: np.mean(draws),
        "median": lambda: np.median(draws),
    }
    return plain[kind]()


def main():
    """Compute and store every case."""
    rng = np.random.default_rng(20261121)
    names = measure_names()
    out = {"measures": np.array(names)}
    warnings.simplefilter("ignore")
    for family in (shapes, laws, scales, edges):
        for case, draws in family(rng):
            out[f"draws/{case}"] = draws
            out[f"expected/{case}"] = np.array([float(expected(draws, name)) for name in names])
            out[f"bfmi/{case}"] = array_stats.bfmi(draws)
    np.savez_compressed(TARGET, **out)
    print(
        f"{TARGET}: {len(out) // 3} cases of {len(names)} measures, {TARGET.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
