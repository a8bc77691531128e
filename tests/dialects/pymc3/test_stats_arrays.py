"""PyMC3's statistics of plain draws, against NumPy."""

import numpy as np

from finetti.dialects.pymc3 import stats_arrays

DRAWS = np.random.default_rng(0).normal(size=(500, 2))


def test_quantiles():
    found = stats_arrays.quantiles(DRAWS)
    assert list(found) == [2.5, 25, 50, 75, 97.5]
    np.testing.assert_allclose(found[25], np.percentile(DRAWS, 25, axis=0))
    halves = stats_arrays.quantiles(DRAWS, [50], transform=np.exp)
    np.testing.assert_allclose(halves[50], np.median(np.exp(DRAWS), axis=0))


def test_autocovariances():
    x = DRAWS[:, 0]
    centred = x - x.mean()
    lag_3 = (centred[3:] * centred[:-3]).mean()
    np.testing.assert_allclose(stats_arrays.autocov(x)[[0, 3]], [x.var(), lag_3])
    np.testing.assert_allclose(stats_arrays.autocorr(x)[3], lag_3 / x.var())


def test_error_of_the_mean_of_batches():
    x = DRAWS[:, 0]
    means = x.reshape(5, 100).mean(axis=1)
    np.testing.assert_allclose(stats_arrays.mc_error(x), means.std() / np.sqrt(5))
    assert stats_arrays.mc_error(DRAWS).shape == (2,)
