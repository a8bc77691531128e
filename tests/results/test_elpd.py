"""WAIC and PSIS-LOO against ArviZ and against sums written out."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest

from finetti.results import elpd


@pytest.fixture
def likelihood(rng) -> np.ndarray:
    y = np.concatenate([rng.normal(size=30), [4.0]])
    mu = rng.normal(0.0, 0.2, size=(4, 250, 1))
    scale = np.exp(rng.normal(0.0, 0.15, size=(4, 250, 1)))
    return -0.5 * ((y - mu) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)


@pytest.mark.filterwarnings("ignore")
def test_against_arviz(likelihood):
    az = pytest.importorskip("arviz")
    if importlib.metadata.version("arviz").split(".")[0] != "0":
        pytest.skip("ArviZ 1 has no waic and another loo")
    idata = az.from_dict(posterior={"mu": likelihood[..., 0]}, log_likelihood={"y": likelihood})
    theirs, ours = az.loo(idata, pointwise=True, reff=0.8), elpd.loo(likelihood, reff=0.8)
    np.testing.assert_allclose(ours.loo, theirs.elpd_loo, rtol=1e-10)
    np.testing.assert_allclose(ours.loo_i, theirs.loo_i, rtol=1e-10)
    np.testing.assert_allclose(ours.pareto_k, theirs.pareto_k, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose([ours.p_loo, ours.loo_se], [theirs.p_loo, theirs.se], rtol=1e-9)
    theirs, ours = az.waic(idata), elpd.waic(likelihood)
    np.testing.assert_allclose(
        [ours.waic, ours.p_waic, ours.waic_se], [theirs.elpd_waic, theirs.p_waic, theirs.se]
    )


@pytest.mark.filterwarnings("ignore")
def test_compare_against_arviz(likelihood):
    az = pytest.importorskip("arviz")
    if importlib.metadata.version("arviz").split(".")[0] != "0":
        pytest.skip("ArviZ 1 has other columns")
    worse = likelihood - 0.3 * np.arange(31) / 31 + 0.25 * (np.arange(31) % 2)
    theirs = az.compare(
        {"a": az.from_dict(posterior={"mu": likelihood[..., 0]}, log_likelihood={"y": likelihood}),
         "b": az.from_dict(posterior={"mu": likelihood[..., 0]}, log_likelihood={"y": worse})},
        method="stacking", ic="waic",
    )  # fmt: skip
    ours = elpd.compare({"a": elpd.waic(likelihood), "b": elpd.waic(worse)})
    assert [*ours.index] == [*theirs.index]
    np.testing.assert_allclose(ours["waic"], theirs["elpd_waic"])
    np.testing.assert_allclose(ours["d_waic"], theirs["elpd_diff"], atol=1e-9)
    np.testing.assert_allclose(ours["dse"], theirs["dse"], atol=1e-9)
    np.testing.assert_allclose(ours["weight"], theirs["weight"], atol=2e-3)


@pytest.mark.filterwarnings("ignore")
def test_scales(likelihood):
    results = {s: elpd.loo(likelihood, s) for s in elpd.SCALES}
    assert results["deviance"].loo == -2 * results["log"].loo == results["log"].LOO
    assert results["deviance"].loo_se == 2 * results["log"].loo_se
    assert results["log"]["p_loo"] == results["log"].p_LOO
    with pytest.raises(AttributeError, match="loo_i"):
        results["log"].loo_sd  # noqa: B018
    with pytest.raises(ValueError, match="log"):
        elpd.waic(likelihood, "bits")
    assert "31 observations" in repr(results["log"])


def test_surprising_data_are_said():
    rng = np.random.default_rng(5)
    y = np.array([0.0, 30.0])
    mu = rng.normal(0.0, 1.0, size=(2, 500, 1))
    heavy = -0.5 * (y - mu) ** 2
    with pytest.warns(UserWarning, match="Pareto"):
        assert elpd.loo(heavy).warning
    with pytest.warns(UserWarning, match="prefer loo"):
        assert elpd.waic(heavy).warning


@pytest.mark.filterwarnings("ignore")
def test_compare_refuses(likelihood):
    a, b = elpd.loo(likelihood), elpd.loo(likelihood[..., :10])
    with pytest.raises(ValueError, match="numbers of data"):
        elpd.compare({"a": a, "b": b})
    with pytest.raises(NotImplementedError, match="stacking"):
        elpd.compare({"a": a}, "AIC")
    both = elpd.compare({"a": a, "same": a}, "pseudo-BMA")
    np.testing.assert_allclose(both["weight"], [0.5, 0.5])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scale", ["log", "deviance"])
def test_bootstrapped_weights(likelihood, scale):
    """As ArviZ 0.x has them, written anew: Dirichlet weights of the observations."""
    shifted = likelihood - np.linspace(-0.1, 0.3, likelihood.shape[-1])
    results = {"a": elpd.loo(likelihood, scale), "b": elpd.loo(shifted, scale)}
    table = elpd.compare(results, "BB-pseudo-BMA", b_samples=300, seed=7)
    each = np.stack([results[name].each for name in table.index])
    n = each.shape[1]
    shares = np.random.RandomState(7).dirichlet([1.0] * n, 300)
    totals = [[n * np.sum(row * one) for one in each] for row in shares]
    weights = np.mean([np.exp(t) / np.sum(np.exp(t)) for t in totals], axis=0)
    np.testing.assert_allclose(table["weight"], weights, rtol=1e-10)
    factor = 2.0 if scale == "deviance" else 1.0
    np.testing.assert_allclose(table["se"], factor * np.std(totals, axis=0), rtol=1e-10)
