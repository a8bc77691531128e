"""Diagnostics against stored values of arviz-stats, and what a table of values cannot show."""

import threading
from pathlib import Path

import numpy as np
import pytest

from finetti import _core
from finetti.errors import DtypeError, ParameterError, ShapeError
from finetti.results import diagnostics
from finetti.results.labels import element_labels

REFERENCE = np.load(Path(__file__).parent.parent / "data" / "diagnostics_reference.npz")
CASES = sorted(key.split("/", 1)[1] for key in REFERENCE.files if key.startswith("draws/"))
MEASURES = [
    (name, float(prob or 0))
    for name, _, prob in (str(m).partition(":") for m in REFERENCE["measures"])
]
# arviz-stats keeps a number in the lower end although a NaN lies in the interval, and NumPy's
# interpolation at prob = 1 multiplies inf by 0; the meaningful answers are NaN and inf
BETTER = {
    ("one_nan_4x100", "hdi_lower"): np.nan,
    ("infinite_4x100", "quantile:1.0"): np.inf,
    ("many_infinite_4x100", "quantile:1.0"): np.inf,
}


def normal(seed=0, shape=(4, 200)):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("case", CASES)
def test_values_of_arviz_stats(case):
    expected = REFERENCE[f"expected/{case}"].copy()
    for i, name in enumerate(REFERENCE["measures"]):
        expected[i] = BETTER.get((case, name), BETTER.get((case, MEASURES[i][0]), expected[i]))
    actual = diagnostics.describe(REFERENCE[f"draws/{case}"], MEASURES)
    for name, got, want in zip(REFERENCE["measures"], actual, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=0, err_msg=f"{case}: {name}")


@pytest.mark.parametrize("case", CASES)
def test_bfmi_of_arviz_stats(case):
    actual = diagnostics.bfmi(REFERENCE[f"draws/{case}"])
    np.testing.assert_allclose(actual, REFERENCE[f"bfmi/{case}"], rtol=1e-8, atol=0)


def test_the_table_covers_every_measure():
    assert {name for name, _ in _core.measures()} == {name for name, _ in MEASURES}


def slow_ess(draws):
    """Geyer's initial monotone sequence as the paper states it, without an FFT."""
    half = draws.shape[1] // 2
    chains = np.vstack([draws[:, :half], draws[:, -half:]])
    count, n = chains.shape
    centred = chains - chains.mean(axis=1, keepdims=True)
    lags = [np.mean([(c[: n - t] * c[t:]).sum() / n for c in centred]) for t in range(n)]
    within = lags[0] * n / (n - 1)
    pooled = lags[0] + chains.mean(axis=1).var(ddof=1)
    rho = [1.0] + [1 - (within - lag) / pooled for lag in lags[1:]]
    # pairs of neighbours, cut at the first sum that is not positive, then made monotone
    pairs = [1 + rho[1]]
    t = 1
    while t < n - 3 and pairs[-1] > 0:
        pairs.append(rho[t + 1] + rho[t + 2])
        t += 2
    kept = pairs[: (t - 1) // 2]
    for i in range(1, len(kept)):
        kept[i] = min(kept[i], kept[i - 1])
    tau = -1 + 2 * sum(kept) + max(rho[t - 1], 0)
    return count * n / max(tau, 1 / np.log10(count * n))


@pytest.mark.parametrize("draws", [*range(8, 40), 63, 64, 65, 127, 128, 129, 130, 257])
def test_the_fft_gives_plain_sums_for_every_length(draws):
    values = np.cumsum(normal(draws, (3, draws)), axis=1) * 0.3 + normal(draws + 1, (3, draws))
    assert diagnostics.ess(values, "mean") == pytest.approx(slow_ess(values), rel=1e-10)


def test_one_call_for_all_parameters_whatever_the_strides():
    block = normal(1, (8, 101, 23, 2))
    views = [
        block[::2, :, :, 0],
        block[1:5, 1:, ::-1, 1],
        np.asfortranarray(block[:4, :, :, 0]),
        block[:4, :, :, 1].transpose(0, 1, 2)[:, ::-1],
    ]
    for view in views:
        together = _core.describe(view, MEASURES)
        for k in range(view.shape[2]):
            alone = _core.describe(np.ascontiguousarray(view[:, :, [k]]), MEASURES)
            np.testing.assert_array_equal(together[:, k], alone[:, 0])


def test_threads_change_nothing():
    draws = normal(2, (4, 50, 100))
    results = [_core.describe(draws, MEASURES, threads=n) for n in (0, 1, 2, 3, 50)]
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)


def test_other_python_threads_run_meanwhile():
    draws = normal(3, (4, 2000, 200))
    done = threading.Event()
    worker = threading.Thread(target=lambda: (_core.rhat(draws, threads=1), done.set()))
    worker.start()
    turns = 0
    while not done.is_set():
        turns += 1
        done.wait(1e-4)
    worker.join()
    assert turns > 3


def test_every_measure_is_a_function_too():
    draws = normal(4, (4, 100, 3))
    for name, takes_prob in _core.measures():
        function = getattr(_core, name)
        value = function(draws, 0.3) if takes_prob else function(draws)
        np.testing.assert_array_equal(value, _core.describe(draws, [(name, 0.3)])[0])


def test_results_have_the_shape_of_the_variable():
    draws = normal(5, (4, 100, 2, 3))
    assert diagnostics.rhat(draws).shape == (2, 3)
    assert diagnostics.hdi(draws, 0.5).shape == (2, 3, 2)
    assert diagnostics.quantile(draws, [0.1, 0.2, 0.3, 0.4]).shape == (2, 3, 4)
    assert diagnostics.quantile(draws, 0.5).shape == (2, 3)
    assert diagnostics.rhat(draws[..., 0, 0]).shape == ()
    assert diagnostics.rhat(draws[..., :0]).shape == (2, 0)
    assert diagnostics.describe(draws, []).shape == (0, 2, 3)


def test_named_functions():
    draws = normal(6, (4, 300, 2))
    flat = draws.reshape(-1, 2)
    np.testing.assert_allclose(diagnostics.eti(draws, 0.9), np.quantile(flat, [0.05, 0.95], 0).T)
    np.testing.assert_allclose(
        diagnostics.ess(draws, "median"), diagnostics.ess(draws, "quantile", 0.5)
    )
    np.testing.assert_allclose(diagnostics.ess(draws, "tail"), diagnostics.ess(draws, "tail", 0.95))
    np.testing.assert_allclose(
        diagnostics.mcse(draws), flat.std(0, ddof=1) / np.sqrt(diagnostics.ess(draws, "mean"))
    )
    assert np.all(diagnostics.hdi(draws, 0.5)[:, 1] - diagnostics.hdi(draws, 0.5)[:, 0] < 1.5)


def test_integers_and_booleans_count_as_numbers():
    draws = np.random.default_rng(7).integers(0, 9, (4, 100))
    for kind in (np.int8, np.int64, np.uint16, np.float32):
        np.testing.assert_array_equal(
            diagnostics.ess(draws.astype(kind)), diagnostics.ess(draws.astype(float))
        )
    assert np.isfinite(diagnostics.rhat(draws > 4))


def test_rhat_is_infinite_for_chains_stuck_at_different_points():
    assert diagnostics.rhat(np.repeat([[0.1], [0.2], [0.3]], 50, axis=1)) == np.inf


def test_scale_and_shift_do_not_matter():
    draws = np.cumsum(normal(8), axis=1)
    for name in ("rhat", "ess_bulk", "ess_tail"):
        value = diagnostics.describe(draws, [(name, 0.05)])
        np.testing.assert_allclose(diagnostics.describe(3 - 7 * draws, [(name, 0.05)]), value)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: diagnostics.rhat(np.ones(10)), ShapeError, "(chain, draw, ...)"),
        (lambda: diagnostics.rhat(np.ones((2, 9)) * 1j), DtypeError, "complex128"),
        (lambda: diagnostics.rhat([["a", "b"]]), DtypeError, "real numbers"),
        (lambda: diagnostics.ess(normal(), "bulkk"), ParameterError, "'bulk'"),
        (lambda: diagnostics.ess(normal(), "quantile"), ParameterError, "needs prob"),
        (lambda: diagnostics.mcse(normal(), "sd", 0.1), ParameterError, "takes no prob"),
        (lambda: diagnostics.hdi(normal(), 1.5), ParameterError, "between 0 and 1"),
        (lambda: diagnostics.hdi(normal(), "94"), ParameterError, "'94'"),
        (lambda: diagnostics.bfmi(normal(shape=(2, 9, 1))), ShapeError, "energy"),
        (lambda: _core.describe(normal(shape=(2, 9, 1)), [("r_hat", 0)]), ValueError, "rhat"),
        (lambda: _core.describe(normal(shape=(2, 9, 1)), [("quantile", 2)]), ValueError, "[0, 1]"),
    ],
)
def test_errors_say_what_was_wrong(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)


# --- warnings ---------------------------------------------------------------------------------


def test_good_draws_give_no_warning():
    stats = {"diverging": np.zeros((4, 1000), bool), "reached_max_treedepth": np.zeros((4, 1000))}
    posterior = {"mu": normal(9, (4, 1000)), "fixed": np.ones((4, 1000, 2))}
    assert diagnostics.convergence_warnings(posterior, sample_stats=stats) == []
    assert diagnostics.convergence_warnings({}) == []


def test_bad_parameters_are_named_the_worst_first():
    theta = normal(10, (4, 1000, 2, 2))
    theta[0, :, 1, 0] += 3
    theta[0, :, 0, 1] += 1
    found = diagnostics.convergence_warnings(
        {"mu": normal(11, (4, 1000)), "theta": theta},
        dims={"theta": ("school", None)},
        coords={"school": ["Ash", "Elm"]},
    )
    assert len(found) == 2
    assert found[0].startswith("The rhat statistic is larger than 1.01 for some parameters.")
    assert "Worst: theta[Elm, 0] (1." in found[0]
    assert found[0].index("theta[Elm, 0]") < found[0].index("theta[Ash, 1]")
    assert "mu" not in found[0].split("Worst")[1]
    start = "The effective sample size per chain is smaller than 100 for some parameters."
    assert found[1].startswith(start)
    assert "theta[Elm, 0] (" in found[1]


def test_long_lists_of_bad_parameters_are_cut():
    walks = np.cumsum(normal(12, (4, 500, 30)), axis=1)
    for message in diagnostics.convergence_warnings({"w": walks}):
        assert message.endswith(" and 25 more")
        assert message.count("w[") == 5


def test_a_poor_tail_alone_is_enough():
    # the bulk mixes well, a rare excursion is visited in few long stays
    draws = normal(13, (4, 500))
    draws[:, 100:150] += 6
    bulk, tail = diagnostics.ess(draws), diagnostics.ess(draws, "tail")
    assert tail < 400
    found = diagnostics.convergence_warnings({"x": draws})
    assert any("effective sample size" in message for message in found), (bulk, tail)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 1000), ["Only one chain was sampled, this makes it impossible"]),
        ((2, 1000), ["We recommend running at least 4 chains for robust computation"]),
        ((4, 99), ["Only 99 samples per chain. Reliable r-hat and ESS"]),
        ((1, 50), ["Only 50 samples per chain."]),
        ((4, 1000), []),
    ],
)
def test_too_few_chains_or_draws(shape, words):
    found = diagnostics.convergence_warnings({"x": normal(14, shape)})
    assert len(found) == len(words)
    assert all(word in message for word, message in zip(words, found, strict=True))


def test_divergences_and_tree_depth():
    posterior = {"x": normal(15, (4, 1000))}
    diverging = np.zeros((4, 1000), bool)
    diverging[2, 5] = True
    reached = np.zeros((4, 1000), bool)
    reached[1, :51] = reached[3, :50] = True
    stats = {"diverging": diverging, "reached_max_treedepth": reached}
    assert diagnostics.convergence_warnings(posterior, sample_stats=stats) == [
        "There was 1 divergence after tuning. Increase `target_accept` or reparameterize.",
        "Chain 1 reached the maximum tree depth. Increase `max_treedepth`, increase "
        "`target_accept` or reparameterize.",
    ]
    diverging[0] = True
    message = diagnostics.convergence_warnings({}, sample_stats={"diverging": diverging})
    assert message[0].startswith("There were 1001 divergences after tuning.")


def test_labels():
    coords = {"a": ["x", "y"], "b": np.array([2020, 2021])}
    assert element_labels("m", ()) == ["m"]
    assert element_labels("m", (2,)) == ["m[0]", "m[1]"]
    assert element_labels("m", (2, 2), ("a", "b"), coords)[1] == "m[x, 2021]"
    assert element_labels("m", (2, 3), ("a", "b"), coords)[4] == "m[y, 1]"  # b has other lengths
    assert element_labels("m", (0,)) == []
