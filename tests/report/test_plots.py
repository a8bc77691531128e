"""The package's own plots: what they draw, which axes come back, and the words of other times."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from finetti.errors import NotYetSupported, ParameterError, ShapeError
from finetti.report import plots
from finetti.report.plots import estimates

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = importlib.import_module("matplotlib.pyplot")

RNG = np.random.default_rng(5)
DRAWS = {
    "mu": RNG.normal(size=(4, 200)),
    "th": RNG.gamma(2.0, size=(4, 200, 3)),
    "k": RNG.poisson(3, size=(4, 200)),
}
DATA = {
    "posterior": DRAWS,
    "sample_stats": {"diverging": RNG.random((4, 200)) < 0.02, "energy": RNG.normal(size=(4, 200))},
    "posterior_predictive": {"y": RNG.normal(size=(4, 200, 30))},
    "observed_data": {"y": RNG.normal(size=30)},
}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def own(name):
    return getattr(importlib.import_module(f"finetti.report.plots.{plots.PLOTS[name]}"), name)


def shape(axes):
    return np.shape(np.asarray(axes, dtype=object))


@pytest.mark.parametrize(
    ("name", "args", "options", "want"),
    [
        ("plot_trace", (DATA,), {}, (3, 2)),
        ("plot_trace", (DATA,), {"compact": False, "legend": True}, (5, 2)),
        ("plot_trace", (DATA,), {"kind": "rank_bars", "combined": True}, (3, 2)),
        ("plot_trace", (DATA, "mu"), {"kind": "rank_vlines", "rug": True}, (1, 2)),
        ("plot_posterior", (DATA,), {"rope": (-1, 1), "ref_val": 0.5}, (2, 3)),
        ("plot_posterior", (DATA, ["mu"]), {"kind": "hist", "round_to": 2}, ()),
        ("plot_posterior", (DATA, ["th"]), {"ref_val": {"th": [{"ref_val": 1.0}]}}, (3,)),
        ("plot_posterior", (DRAWS["mu"],), {"point_estimate": "mode", "hdi_prob": "hide"}, ()),
        ("plot_density", ([DATA, DATA],), {"shade": 0.2, "data_labels": ["a", "b"]}, (2, 3)),
        ("plot_forest", (DATA,), {"ess": True, "r_hat": True, "rope": (-1, 1)}, (3,)),
        ("plot_forest", ([DATA, DATA],), {"kind": "ridgeplot", "model_names": ["a", "b"]}, (1,)),
        ("plot_autocorr", (DATA, ["mu"]), {"max_lag": 20}, (4,)),
        ("plot_energy", (DATA,), {"kind": "hist"}, ()),
        ("plot_pair", (DATA,), {"divergences": True, "marginals": True, "kind": "kde"}, (5, 5)),
        ("plot_pair", (DATA,), {"var_names": ["mu", "k"], "kind": ["scatter", "hexbin"]}, ()),
        ("plot_joint", (DATA,), {"var_names": ["mu", "k"]}, (2, 2)),
        ("plot_kde", (DRAWS["mu"],), {"label": "a", "quantiles": [0.1, 0.9], "rug": True}, ()),
        ("plot_kde", (DRAWS["mu"], DRAWS["k"]), {}, ()),
        ("plot_dist", (DRAWS["k"],), {"rotated": True}, ()),
        ("plot_dist", (DRAWS["mu"],), {"cumulative": True, "fill_kwargs": {}}, ()),
        ("plot_hdi", (np.arange(30.0), DATA["posterior_predictive"]["y"]), {"smooth": False}, ()),
        ("plot_ppc", (DATA,), {"num_pp_samples": 20, "random_seed": 1}, ()),
        ("plot_ppc", (DATA,), {"kind": "cumulative", "mean": False}, ()),
    ],
)  # fmt: skip
def test_every_plot_gives_the_axes_that_arviz_gave(name, args, options, want):
    axes = own(name)(*args, **options)
    assert shape(axes) == want
    plt.gcf().canvas.draw()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plot_trace", {}), ("plot_trace", {"compact": False}), ("plot_posterior", {}),
        ("plot_posterior", {"var_names": ["mu"]}), ("plot_forest", {"combined": True}),
        ("plot_density", {}), ("plot_autocorr", {}), ("plot_pair", {"var_names": ["mu", "th"]}),
        ("plot_pair", {"var_names": ["mu", "th"], "marginals": True}), ("plot_energy", {}),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_shapes_are_those_of_arviz_0(name, options):
    arviz = pytest.importorskip("arviz")
    if not arviz.__version__.startswith("0."):
        pytest.skip("the oracle is ArviZ 0.x")
    real = arviz.from_dict(posterior=DRAWS, sample_stats=DATA["sample_stats"])
    assert shape(own(name)(DATA, **options)) == shape(getattr(arviz, name)(real, **options))


def test_plot_compare():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(
        {"rank": [1, 0], "elpd_loo": [-9.0, -5.0], "p_loo": [2.0, 1.0], "se": 1.0, "dse": 0.5},
        index=["worse", "better"],
    )
    ax = own("plot_compare")(table, insample_dev=True, plot_ic_diff=True)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["better", "worse"]


def test_too_many_panels_are_cut_with_a_warning():
    many = {"r": RNG.normal(size=(2, 20, 203))}
    with pytest.warns(UserWarning, match="plot_trace has 203 variables.*first 20"):
        assert own("plot_trace")(many, compact=False).shape == (20, 2)
    with pytest.warns(UserWarning, match="first 40"):
        own("plot_posterior")(many)
    assert own("plot_trace")(many).shape == (1, 2)


def test_reference_lines():
    axes = own("plot_trace")(DATA, ["mu", "th"], lines=[("th", {}, [1.0, 2.0]), ("mu", {}, 0.5)])
    drawn = [line.get_xdata()[0] for line in axes[1, 0].get_lines() if len(set(line.get_xdata()))
             == 1 and line.get_color() == "k"]  # fmt: skip
    assert {1.0, 2.0} <= set(drawn) and 0.5 not in drawn
    with pytest.raises(NotYetSupported, match="compact=False"):
        own("plot_trace")(DATA, lines=[("th", {"th_dim_0": 1}, 2.0)])


@pytest.mark.parametrize(
    ("given", "today"),
    [
        ({"varnames": ["a"]}, {"var_names": ["a"]}),
        ({"credible_interval": 0.5}, {"hdi_prob": 0.5}),
        ({"alpha": 0.1}, {"hdi_prob": 0.9}),
        ({"lines": {"a": 3}}, {"lines": [("a", {}, 3)]}),
        ({"kde_plot": True}, {"kind": "kde"}),
        ({"plot_transformed": False}, {}),
        ({"text_size": 9}, {"textsize": 9}),
    ],
)
def test_keywords_of_other_times(given, today):
    assert plots.modern("plot_posterior", given) == today


def test_looks_of_pymc3s_plots(monkeypatch):
    monkeypatch.setattr(plots, "arviz_is_legacy", lambda: False)
    axes = plots.traceplot(
        DATA, ["mu"], alpha=0.25, grid=True, roundto=3, skip_first=0, priors=None, live_plot=False
    )
    assert axes[0, 1].lines[0].get_alpha() == 0.25
    assert axes[0, 0].get_xgridlines()[0].get_visible()
    plots.forestplot([DATA, DATA], models=["a", "b"], quartiles=True, chain_spacing=0.05, gs=None)
    plots.pairplot(DATA, ["mu", "k"], hexbin=True)
    for call, name in (
        (lambda: plots.traceplot(DATA, priors=[1]), "priors"),
        (lambda: plots.autocorrplot(DATA, burn=100), "burn"),
        (lambda: plots.forestplot(DATA, gs=1), "gs"),
    ):
        with pytest.raises(NotYetSupported, match=name):
            call()


def test_pymc3s_names(monkeypatch):
    monkeypatch.setattr(plots, "arviz_is_legacy", lambda: False)
    assert plots.traceplot(DATA, varnames=["mu"]).shape == (1, 2)
    axes = plots.forestplot(DATA, ["mu"], main="title", xlim=(-1, 1), vline=0.0, rhat=True)
    assert axes[0].get_title() == "title" and axes[0].get_xlim() == (-1, 1)
    assert shape(plots.pairplot(DATA, ["mu", "k"])) == ()
    assert set(plots.LEGACY) <= set(dir(plots))
    with pytest.raises(NotYetSupported, match="unconstrained"):
        plots.traceplot(DATA, plot_transformed=True)
    with pytest.raises(ParameterError, match="one thing"):
        plots.traceplot(DATA, varnames=["mu"], var_names=["mu"])
    with pytest.raises(AttributeError):
        _ = plots.plot_nothing


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: own("plot_trace")(DATA, kind="x"), ParameterError, "rank_bars"),
        (lambda: own("plot_pair")(DATA, var_names=["mu"]), ParameterError, "two or more"),
        (lambda: own("plot_energy")({"posterior": DRAWS, "sample_stats": {"lp": DRAWS["mu"]}}),
         ParameterError, "energy"),
        (lambda: own("plot_hdi")(np.arange(3)), ParameterError, "hdi_data"),
        (lambda: own("plot_hdi")(np.arange(3), np.ones((5, 4))), ShapeError, "last axis"),
        (lambda: own("plot_posterior")(DATA, backend="bokeh"), NotYetSupported, "matplotlib"),
        (lambda: own("plot_posterior")(DATA, ax=plt.gca()), ParameterError, "1 axes came for 5"),
        (lambda: own("plot_ppc")(DATA, var_names=["z"]), ParameterError, "no observed data 'z'"),
    ],
)  # fmt: skip
def test_mistakes_are_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- estimates ------------------------------------------------------------------------------------


def test_density_estimate():
    x = np.random.default_rng(1).normal(2.0, 3.0, 20000)
    grid, heights = estimates.density(x)
    assert np.trapezoid(heights, grid) == pytest.approx(1.0, abs=0.005)
    truth = np.exp(-0.5 * ((grid - 2) / 3) ** 2) / (3 * np.sqrt(2 * np.pi))
    assert np.abs(heights - truth).max() < 0.1 * truth.max()
    # mass does not leak over a bound
    y = np.random.default_rng(2).uniform(size=20000)
    assert estimates.density(y)[1][[0, -1]] == pytest.approx([1.0, 1.0], abs=0.12)
    assert estimates.density(np.ones(5))[1].max() == 1.0
    assert estimates.density([])[0].size == 0


def test_intervals_agree_with_the_core():
    from finetti.results import diagnostics

    want = diagnostics.hdi(DRAWS["mu"][..., None], 0.8)
    assert estimates.hdi(DRAWS["mu"], 0.8) == pytest.approx(tuple(np.ravel(want)), abs=0.05)
    assert estimates.mode(DRAWS["k"]) in (2.0, 3.0)


def test_autocorrelation():
    x = RNG.normal(size=400)
    d = x - x.mean()
    direct = [(d[: 400 - k] * d[k:]).sum() / (d * d).sum() for k in range(5)]
    np.testing.assert_allclose(estimates.autocorrelation(x)[:5], direct)
