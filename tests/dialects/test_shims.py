"""What other libraries have dropped: back while the importer is active, and gone afterwards."""

from __future__ import annotations

import collections
import importlib
import sys
import time

import numpy as np
import pytest

from finetti.dialects import importer, notes, shims

DRAWS = np.random.default_rng(0).normal(size=(4, 100, 3))


@pytest.fixture
def active():
    notes.clear()
    with importer.activated():
        yield
    notes.clear()


@pytest.mark.parametrize(
    ("expression", "want"),
    [
        ("np.float(3)", 3.0), ("np.int('4')", 4), ("np.object is object", True),
        ("np.str(5)", "5"), ("np.complex(1) == 1", True), ("np.bool(1) == True", True),
        ("np.NaN != np.NaN", True), ("np.Inf", np.inf), ("np.NINF", -np.inf),
        ("np.product([2, 3])", 6), ("np.cumproduct([2, 3])[-1]", 6),
        ("np.in1d([1, 2], [2]).tolist()", [False, True]), ("np.trapz([1.0, 2.0])", 1.5),
        ("np.row_stack([[1], [2]]).shape", (2, 1)), ("np.alltrue([True, False]) == False", True),
        ("np.sometrue([True, False]) == True", True), ("np.float_(1.5)", 1.5),
        ("np.asscalar(np.ones(1))", 1.0), ("np.math.sqrt(4)", 2.0),
        ("1 <= np.random.random_integers(6) <= 6", True), ("np.round_(1.6)", 2.0),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_numpys_old_names(active, expression, want):
    assert eval(expression) == want


def test_everything_is_taken_back():
    before = np.__getattr__
    with importer.activated():
        assert np.float is float and collections.Iterable
        assert callable(time.clock)
    assert np.__getattr__ is before
    for name, owner in (("float", np), ("Iterable", collections), ("clock", time)):
        with pytest.raises(AttributeError):
            getattr(owner, name)
    assert compile is sys.modules["builtins"].compile
    assert not shims._changed
    assert "scipy.misc" not in sys.modules or hasattr(sys.modules["scipy.misc"], "__file__")


def test_a_name_that_never_was_stays_an_error(active):
    with pytest.raises(AttributeError, match="no attribute 'flaot'"):
        _ = np.flaot


def test_use_is_noted_where_the_user_writes_it(active):
    _ = np.float
    (one,) = notes.noted()
    assert one.file == __file__ and (one.idiom, one.today) == ("numpy.float", "float")


def test_scipys_odds_and_ends(active):
    sys.modules.pop("scipy.misc", None)
    misc = importlib.import_module("scipy.misc")
    assert misc.logsumexp([0.0, 0.0]) == pytest.approx(np.log(2))
    assert misc.comb(5, 2) == 10 and misc.factorial(4) == 24
    assert misc.derivative(np.sin, 0.3, 1e-3) == pytest.approx(np.cos(0.3), rel=1e-5)
    assert misc.derivative(np.exp, 0.0, 1e-2, n=2, order=5) == pytest.approx(1.0, rel=1e-6)
    integrate = importlib.import_module("scipy.integrate")
    assert integrate.simps([0.0, 1.0, 4.0]) == integrate.simpson([0.0, 1.0, 4.0])


def test_pandas_old_ways(active):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=["x", "y"])
    assert frame.ix["x", "a"] == 1 and frame.ix[1, 1] == 4
    assert list(frame.append(frame, ignore_index=True)["a"]) == [1, 2, 1, 2]
    assert list(frame.append({"a": 9, "b": 9}, ignore_index=True)["a"]) == [1, 2, 9]
    assert frame.as_matrix().tolist() == [[1, 3], [2, 4]]
    assert [name for name, _ in frame.iteritems()] == ["a", "b"]
    assert pd.np is np
    importer.deactivate()
    assert not hasattr(frame, "ix")


def test_plotting_libraries(active):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    plt = importlib.import_module("matplotlib.pyplot")
    with plt.style.context("seaborn-darkgrid"):
        _, ax = plt.subplots()
        heights, *_ = ax.hist([1.0, 2.0, 3.0], bins=2, normed=True)
    assert heights.sum() == pytest.approx(1.0)
    plt.close("all")
    importer.deactivate()
    assert "seaborn-darkgrid" not in plt.style.library


def test_seaborn_apionly(active):
    seaborn = pytest.importorskip("seaborn")
    assert importlib.import_module("seaborn.apionly") is seaborn


# -- ArviZ ----------------------------------------------------------------------------------------


@pytest.fixture
def az(active):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    az = pytest.importorskip("arviz")
    yield az
    importlib.import_module("matplotlib.pyplot").close("all")


@pytest.fixture
def idata(az):
    return az.convert_to_inference_data({"mu": DRAWS[..., 0], "r": DRAWS})


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        (lambda az, d: az.plot_trace(d, lines=[("r", {}, [0, 1, 2])], compact=True), (2, 2)),
        (lambda az, d: az.plot_trace(d, varnames=["r"], compact=False), (3, 2)),
        (lambda az, d: az.plot_posterior(d, ref_val=0, credible_interval=0.5), (4,)),
        (lambda az, d: az.plot_posterior(d, var_names=["mu"]), ()),
        (lambda az, d: az.plot_forest(d, combined=True, credible_interval=0.8), (1,)),
        (lambda az, d: az.plot_density(d, var_names=["r"]), None),
        (lambda az, d: az.plot_autocorr(d, var_names=["mu"], combined=True), None),
        (lambda az, d: az.plot_pair(d, var_names=["mu", "r"], kind="scatter"), (3, 3)),
        (lambda az, d: az.plot_dist(DRAWS[0, :, 0]), ()),
        (lambda az, d: az.plot_kde(DRAWS[0, :, 0]), ()),
        (lambda az, d: az.plot_hdi(np.arange(3.0), DRAWS, smooth=False), ()),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_plots_keep_their_old_keywords_and_axes(az, idata, call, shape):
    axes = call(az, idata)
    assert all(hasattr(ax, "plot") for ax in np.ravel(np.asarray(axes, dtype=object)))
    if shape is not None:
        assert np.shape(np.asarray(axes, dtype=object)) == shape


def test_tables_and_intervals_keep_their_old_defaults(az, idata):
    table = az.summary(idata, hdi_prob=0.9, round_to=2)
    assert list(table.index) == ["mu", "r[0]", "r[1]", "r[2]"]
    assert ["mean", "sd", "hdi_5%", "hdi_95%"] == list(table.columns)[:4]
    assert list(az.summary(idata).columns)[2:4] == ["hdi_3%", "hdi_97%"]
    interval = az.hdi(DRAWS[0, :, 0], hdi_prob=0.5)
    assert interval.shape == (2,) and az.hdi(DRAWS, hdi_prob=0.5).shape == (3, 2)
    assert az.hdi(idata, hdi_prob=0.5)["mu"].shape == (2,)
    np.testing.assert_allclose(az.hdi(idata, hdi_prob=0.5)["mu"].sel(hdi="lower"),
                               az.hdi(DRAWS[..., 0].ravel(), hdi_prob=0.5)[0])  # fmt: skip


def test_results(az, idata):
    assert az.extract(idata).sizes["sample"] == 400
    assert az.from_dict(posterior={"mu": DRAWS[..., 0]}).posterior["mu"].shape == (4, 100)
    both = az.from_pymc3(idata, posterior_predictive={"y": DRAWS.reshape(400, 3)})
    assert both.posterior_predictive["y"].shape == (4, 100, 3)
    named = az.from_pymc3(
        idata, posterior_predictive={"y": DRAWS.reshape(400, 3)},
        coords={"day": ["mo", "tu", "we"]}, dims={"y": ["day"]},
    )  # fmt: skip
    assert named.posterior_predictive["y"].sel(day="tu").shape == (4, 100)


@pytest.mark.filterwarnings("ignore:stats.hdi_prob is deprecated:FutureWarning")  # ArviZ 0.x
def test_the_old_setting_of_intervals(az, idata):
    before = az.rcParams["stats.ci_prob"]
    az.rcParams["stats.hdi_prob"] = 0.5
    try:
        assert list(az.summary(idata).columns)[2:4] == ["hdi_25%", "hdi_75%"]
    finally:
        az.rcParams["stats.ci_prob"] = before
        importer.deactivate()
        importer.activate()


def test_arviz_is_itself_again_afterwards(az):
    changed = az.plot_trace
    importer.deactivate()
    assert az.plot_trace is not changed
    importer.activate()
