"""The summary table: what it accepts, its numbers, its digits, and how it prints."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import finetti as pm
from finetti.errors import DimsError, DtypeError, FinettiError, NotYetSupported, ParameterError
from finetti.report.digits import format_cell
from finetti.report.summary import summary
from finetti.report.table import SummaryTable
from finetti.results import diagnostics
from finetti.results.lazy import LazyResult
from finetti.results.trace import Draws

CLASSIC = [
    "mean",
    "sd",
    "hdi_3%",
    "hdi_97%",
    "mcse_mean",
    "mcse_sd",
    "ess_bulk",
    "ess_tail",
    "r_hat",
]


@pytest.fixture
def draws():
    rng = np.random.default_rng(0)
    posterior = {
        "mu": rng.normal(3, 1, (4, 500)),
        "tau": np.exp(rng.normal(size=(4, 500))),
        "theta": rng.normal(size=(4, 500, 3)) * [1, 100, 1e-3],
        "beta": rng.normal(size=(4, 500, 2, 2)),
        "walk": np.cumsum(rng.normal(size=(4, 500)), axis=1),
    }
    return Draws(
        posterior=posterior,
        dims={"theta": ["school"]},
        coords={"school": ["Boston", "New York", "LA"]},
    )


# --- what it accepts --------------------------------------------------------------------------


def test_rows_and_columns_have_arviz_names(draws):
    table = summary(draws)
    assert table.columns == CLASSIC
    assert table.index == [
        *("mu", "tau", "theta[Boston]", "theta[New York]", "theta[LA]"),
        *("beta[0, 0]", "beta[0, 1]", "beta[1, 0]", "beta[1, 1]", "walk"),
    ]


def test_numbers_are_those_of_the_diagnostics(draws):
    table = summary(draws)
    theta = draws.posterior["theta"]
    rows = ["theta[Boston]", "theta[New York]", "theta[LA]"]
    np.testing.assert_allclose(table.loc[rows, "mean"], theta.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(table.loc[rows, "sd"], theta.std(axis=(0, 1), ddof=1))
    np.testing.assert_array_equal(table.loc[rows, "r_hat"], diagnostics.rhat(theta))
    np.testing.assert_array_equal(table.loc[rows, "ess_tail"], diagnostics.ess(theta, "tail"))
    np.testing.assert_array_equal(
        table.loc[rows, ["hdi_3%", "hdi_97%"]].values, diagnostics.hdi(theta, 0.94)
    )


def test_every_kind_of_data_gives_the_same_table(draws):
    xarray = pytest.importorskip("xarray")
    want = summary(draws)
    lazy = LazyResult(draws)
    touched = LazyResult(draws)
    assert touched.posterior is not None
    dataset = {
        name: (
            (
                "chain",
                "draw",
                *(draws.dims.get(name) or [f"{name}_{i}" for i in range(a.ndim - 2)]),
            ),
            a,
        )
        for name, a in draws.posterior.items()
    }
    dataset = xarray.Dataset(dataset, coords={"school": draws.coords["school"]})
    same = [
        *(lazy, touched, dataset, xarray.DataTree.from_dict({"posterior": dataset})),
        *(
            SimpleNamespace(posterior=dataset),
            {"posterior": dataset},
            dataset.transpose(..., "draw"),
        ),
        dict(dataset.data_vars),
    ]
    for data in same:
        got = summary(data)
        assert got.index == want.index
        np.testing.assert_array_equal(got.values, want.values)
    for data in (dict(draws.posterior), {"posterior": draws.posterior}):
        assert summary(data).index[2] == "theta[0]"
        np.testing.assert_array_equal(summary(data).values, want.values)
    assert summary(dataset["mu"]).index == ["mu"]


def test_arviz_data_and_numbers(draws):
    arviz = pytest.importorskip("arviz")
    if not hasattr(arviz, "from_dict"):
        pytest.skip("this arviz has no from_dict")
    try:
        data = arviz.from_dict(posterior=dict(draws.posterior))
    except TypeError:  # ArviZ 1 takes a mapping of groups
        data = arviz.from_dict({"posterior": dict(draws.posterior)})
    ours = summary(data)
    np.testing.assert_array_equal(ours.values, summary(dict(draws.posterior)).values)
    if arviz.__version__.startswith("0."):
        theirs = arviz.summary(data, round_to="none")
        assert list(theirs.columns) == ours.columns
        assert list(theirs.index) == ours.index
        np.testing.assert_allclose(ours.values, theirs.to_numpy(float), rtol=1e-7)
        theirs = arviz.summary(data, round_to="none", stat_focus="median")
        ours = summary(data, stat_focus="median")
        assert list(theirs.columns) == ours.columns
        np.testing.assert_allclose(ours.values, theirs.to_numpy(float), rtol=1e-7)


def test_plain_arrays():
    flat = np.random.default_rng(1).normal(size=1000)
    assert summary({"x": flat}).index == ["x"]  # one row of draws is one chain
    assert np.isnan(summary({"x": flat}).loc["x", "r_hat"])
    assert summary(flat.reshape(4, 250)).index == ["x"]
    assert summary({"x": np.zeros((4, 250, 0))}).shape == (0, 9)
    assert "Empty" in str(summary({"x": np.zeros((4, 250, 0))}))
    assert summary({"b": flat.reshape(4, 250) > 0}).loc["b", "mean"] == np.mean(flat > 0)
    with pytest.raises(NotYetSupported, match="fmt"):
        summary({"x": flat}, fmt="xarray")


def test_prior_where_there_is_no_posterior(draws):
    prior = Draws(predictive={"prior": {"mu": draws.posterior["mu"]}})
    assert summary(prior).index == ["mu"]
    both = Draws(posterior=draws.posterior, predictive={"prior": {"x": draws.posterior["mu"]}})
    assert summary(both, group="prior").index == ["x"]


def test_needs_neither_xarray_nor_pandas_nor_arviz():
    code = (
        "import sys, numpy as np\n"
        "from finetti.report.summary import summary\n"
        "from finetti.results.lazy import LazyResult\n"
        "from finetti.results.trace import Draws\n"
        "table = summary(LazyResult(Draws(posterior={'x': np.random.rand(4, 100)})))\n"
        "str(table), table._repr_html_(), table['mean'].max(), table.loc['x', 'r_hat']\n"
        "print([m for m in ('xarray', 'pandas', 'arviz', 'scipy') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- keywords ---------------------------------------------------------------------------------


def test_var_names(draws):
    assert summary(draws, "mu").index == ["mu"]
    assert summary(draws, ["tau", "mu"]).index == ["tau", "mu"]
    assert summary(draws, ["~theta", "~beta"]).index == ["mu", "tau", "walk"]
    assert summary(draws, ["ta", "mu"], filter_vars="like").index[:2] == ["tau", "theta[Boston]"]
    assert summary(draws, ["ta", "mu"], filter_vars="like").index[-1] == "mu"
    assert summary(draws, ["^(mu|walk)$"], filter_vars="regex").index == ["mu", "walk"]
    assert summary(draws, ["~^t", "~a"], filter_vars="regex").index == ["mu"]


def test_coords(draws):
    names = ["theta"]
    assert summary(draws, names, coords={"school": ["LA", "Boston"]}).index == [
        *("theta[LA]", "theta[Boston]"),
    ]
    assert summary(draws, names, coords={"school": "LA"}).index == ["theta[LA]"]
    assert summary(draws, names, coords={"school": slice("Boston", "New York")}).index == [
        *("theta[Boston]", "theta[New York]"),
    ]
    assert len(summary(draws, coords={"school": "LA"})) == 8  # the others stay whole
    one_chain = summary(draws, "mu", coords={"chain": 2})
    assert one_chain.loc["mu", "mean"] == pytest.approx(draws.posterior["mu"][2].mean())
    late = summary(draws, "mu", coords={"draw": slice(250, None)})
    assert late.loc["mu", "mean"] == pytest.approx(draws.posterior["mu"][:, 250:].mean())


def test_scalar_selections_of_two_dims():
    values = np.random.default_rng(2).normal(size=(4, 50, 2, 3)) + np.arange(6).reshape(2, 3) * 10
    data = Draws(
        posterior={"m": values}, dims={"m": ("a", "b")}, coords={"a": ["p", "q"], "b": [1, 2, 3]}
    )
    table = summary(data, coords={"a": "q", "b": [3, 1]}, kind="stats")
    assert table.index == ["m[q, 3]", "m[q, 1]"]
    np.testing.assert_allclose(table["mean"], [50, 30], atol=1)
    assert summary(data, coords={"b": 2, "a": "p"}, kind="stats").index == ["m[p, 2]"]


def test_kinds_and_intervals(draws):
    assert summary(draws, kind="stats").columns == CLASSIC[:4]
    assert summary(draws, kind="diagnostics").columns == CLASSIC[4:]
    assert summary(draws, kind="stats", hdi_prob=0.9).columns[2:] == ["hdi_5%", "hdi_95%"]
    assert summary(draws, kind="stats", ci_prob=0.89).columns[2:] == ["hdi_5.5%", "hdi_94.5%"]
    eti = summary(draws, kind="stats", ci_kind="eti", hdi_prob=0.5)
    assert eti.columns[2:] == ["eti_25%", "eti_75%"]
    assert eti.loc["mu", "eti_25%"] == np.quantile(draws.posterior["mu"], 0.25)
    median = summary(draws, stat_focus="median")
    assert median.columns == [
        *("median", "mad", "eti_3%", "eti_97%", "mcse_median", "ess_median", "ess_tail", "r_hat"),
    ]
    assert summary(draws, kind="all_median").columns == median.columns
    assert summary(draws, kind="stats", stat_focus="median", ci_kind="hdi").columns[2] == "hdi_3%"


def test_stat_funcs(draws):
    table = summary(
        draws, ["mu", "beta"], stat_funcs={"low": np.min, "p90": lambda x: np.quantile(x, 0.9)}
    )
    assert table.columns == [*CLASSIC, "low", "p90"]
    assert table.loc["beta[1, 0]", "low"] == draws.posterior["beta"][..., 1, 0].min()
    only = summary(draws, "mu", stat_funcs=[np.median], extend=False)
    assert only.columns == ["median"]
    assert only.values[0, 0] == np.median(draws.posterior["mu"])


def test_skipna():
    values = np.random.default_rng(3).normal(size=(4, 100, 2))
    values[1, 3, 1] = np.nan
    plain, skipped = summary({"x": values}), summary({"x": values}, skipna=True)
    assert np.isnan(plain.loc["x[1]"].values).all()
    assert skipped.loc["x[1]", "mean"] == pytest.approx(np.nanmean(values[..., 1]))
    assert np.isfinite(skipped.loc["x[1]", "hdi_3%"])
    assert np.isnan(skipped.loc["x[1]", "r_hat"])
    np.testing.assert_array_equal(plain.loc["x[0]"].values, skipped.loc["x[0]"].values)


def test_round_to(draws):
    whole = summary(draws)
    np.testing.assert_array_equal(summary(draws, round_to=2).values, np.round(whole.values, 2))
    assert summary(draws, "mu", round_to="2g").loc["mu", "ess_bulk"] % 100 == 0
    np.testing.assert_array_equal(summary(draws, round_to="none").values, whole.values)
    assert repr(whole.loc["mu", "mean"]) in str(summary(draws, round_to="none"))
    np.testing.assert_array_equal(whole.round(1).values, np.round(whole.values, 1))


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"var_names": "thta"}, ParameterError, "'theta'"),
        ({"var_names": ["~thta"]}, ParameterError, "'theta'"),
        ({"var_names": ["zzz"], "filter_vars": "like"}, ParameterError, "filter_vars='like'"),
        ({"filter_vars": "glob"}, ParameterError, "'regex'"),
        ({"kind": "stat"}, ParameterError, "'stats'"),
        ({"stat_focus": "mode"}, ParameterError, "'median'"),
        ({"ci_kind": "ci"}, ParameterError, "'eti'"),
        ({"hdi_prob": 94}, ParameterError, "between 0 and 1"),
        ({"hdi_prob": 0}, ParameterError, "above 0"),
        ({"hdi_prob": 0.9, "ci_prob": 0.8}, ParameterError, "two names of one thing"),
        ({"round_to": 2.5}, ParameterError, "2.5"),
        ({"round_to": "two"}, ParameterError, "'two'"),
        ({"coords": {"scool": ["LA"]}}, DimsError, "'school'"),
        ({"coords": {"school": ["Paris"]}}, DimsError, "Boston"),
        ({"group": "posteriorr"}, ParameterError, "'posteriorr'"),
        ({"fmt": "long"}, NotYetSupported, "to_dataframe"),
        ({"labeller": object()}, NotYetSupported, "labeller"),
        ({"circ_var_names": ["mu"]}, NotYetSupported, "circ_var_names"),
        ({"order": "C"}, NotYetSupported, "order"),
        ({"varnames": ["mu"]}, ParameterError, "now var_names"),
        ({"hdi_probs": 0.9}, ParameterError, "'hdi_prob'"),
        ({"stat_funcs": {"mean": np.mean}}, ParameterError, "name of a column"),
        ({"stat_funcs": {"m": 3}}, ParameterError, "no function"),
    ],
)
def test_bad_keywords_are_refused_by_name(draws, keywords, error, words):
    with pytest.raises(error) as caught:
        summary(draws, **keywords)
    assert words in str(caught.value)


def test_keywords_of_arviz_that_ask_for_nothing(draws):
    assert len(summary(draws, labeller=None, circ_var_names=None)) == 10


def test_bad_data_is_named():
    with pytest.raises(DtypeError, match="city has dtype"):
        summary({"city": np.full((2, 3), "Rome")})
    with pytest.raises(FinettiError, match="no group"):
        summary(42)
    with pytest.raises(FinettiError, match="single number"):
        summary({"x": 3.0})
    xarray = pytest.importorskip("xarray")
    with pytest.raises(DimsError, match="draw missing"):
        summary(xarray.Dataset({"x": (("chain",), np.zeros(3))}))


# --- the table --------------------------------------------------------------------------------


def test_access_as_in_pandas(draws):
    table = summary(draws)
    pandas = pytest.importorskip("pandas")
    frame = table.to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert table["mean"]["mu"] == frame["mean"]["mu"] == table.loc["mu"]["mean"]
    assert table.loc["mu", "mean"] == frame.loc["mu", "mean"] == table.iloc[0, 0]
    assert list(table["mean"].index) == list(frame["mean"].index)
    assert table.loc[["tau", "mu"]].index == ["tau", "mu"]
    assert table.loc["mu":"theta[Boston]"].index == list(frame.loc["mu":"theta[Boston]"].index)
    assert table.loc[:, "sd"].values.shape == (10,)
    assert table.iloc[-1]["sd"] == frame.iloc[-1]["sd"]
    assert table.iloc[1:3].index == ["tau", "theta[Boston]"]
    assert table[["mean", "sd"]].columns == ["mean", "sd"]
    assert table[table["r_hat"] > 1.1].index == ["walk"]
    assert table["r_hat"].max() == frame["r_hat"].max()
    assert table["r_hat"].idxmax() == "walk"
    assert table.sort_values("r_hat").index[-1] == "walk"
    assert table.to_dict() == frame.to_dict()
    assert table.shape == frame.shape
    assert list(table) == list(frame) and "mean" in table and len(table) == len(frame)
    assert table.r_hat["mu"] == frame.r_hat["mu"]
    assert (table["ess_bulk"] / 4)["mu"] == frame["ess_bulk"]["mu"] / 4
    np.testing.assert_array_equal(np.asarray(table), frame.to_numpy())
    for wrong in (lambda: table["men"], lambda: table.loc["muu"], lambda: table["mean"]["muu"]):
        with pytest.raises(KeyError, match="Did you mean"):
            wrong()


def test_nan_is_left_out_of_extremes():
    table = summary({"x": np.random.default_rng(4).normal(size=(4, 100)), "one": np.ones((4, 100))})
    assert table["r_hat"].max() == table.loc["x", "r_hat"]
    assert table["r_hat"].min() == table.loc["x", "r_hat"]


def test_print_is_aligned_and_marks_bad_rows(draws):
    table = summary(draws)
    lines = str(table).splitlines()
    assert lines[0].split() == CLASSIC
    assert len(lines) == 12
    body = lines[1:11]
    assert [line.endswith("!") for line in body] == [False] * 9 + [True]
    points = {
        line.index(".", line.index("]") if "]" in line else 0) for line in body if "New" not in line
    }
    assert len(points) <= 2  # means stand under one another
    assert lines[11].startswith("! r_hat above 1.01 or fewer than 100 effective draws per chain")
    assert table.marked == ["walk"]
    assert "!" not in str(table.loc[["mu", "tau"]])
    assert "!" in str(table.loc[["mu", "walk"]])


def test_html(draws):
    draws.posterior["<b>"] = draws.posterior["mu"]
    text = summary(draws)._repr_html_()
    assert "&lt;b&gt;" in text and "<b>!</b>" in text and text.count("<tr>") == 12


def test_long_tables_are_cut_in_print_only():
    table = summary({"x": np.random.default_rng(5).normal(size=(4, 20, 100))}, kind="stats")
    short = str(table).splitlines()
    assert len(short) == 63 and "..." in short[31] and "100 rows" in short[-1]
    assert len(table.to_string().splitlines()) == 101
    assert len(table.to_dataframe()) == 100


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        ({"mean": 3.14159, "mcse_mean": 0.013}, "mean", "3.14"),
        ({"mean": 3.14159, "mcse_mean": 0.013}, "mcse_mean", "0.013"),
        ({"mean": 3.14159, "mcse_mean": 0.06}, "mean", "3.1"),
        ({"mean": 12345.6, "mcse_mean": 30.0}, "mean", "12346"),
        ({"mean": -0.001, "mcse_mean": 0.02}, "mean", "0.00"),
        ({"mean": 2.5e-9, "mcse_mean": 1.2e-11}, "mean", "2.50e-09"),
        ({"mean": 7.2e20, "mcse_mean": 1.3e18}, "mean", "7.20e+20"),
        ({"mean": 0.0, "mcse_mean": 0.0, "sd": 0.0}, "mean", "0"),
        ({"mean": 1.0, "mcse_mean": np.nan, "sd": 0.25}, "mean", "1.000"),
        ({"mean": 1.0, "mcse_mean": 0.01, "hdi_3%": 0.4567}, "hdi_3%", "0.46"),
        ({"sd": 2.34567, "mcse_sd": 0.004, "mean": 0.0, "mcse_mean": 1.0}, "sd", "2.346"),
        ({"ess_bulk": 3999.9}, "ess_bulk", "3999"),
        ({"r_hat": 1.0119}, "r_hat", "1.012"),
        ({"r_hat": np.nan}, "r_hat", "nan"),
        ({"mean": np.inf}, "mean", "inf"),
    ],
)
def test_digits_follow_the_standard_error(row, column, text):
    assert format_cell(row, column, "auto") == text


def test_a_table_of_ones_own():
    table = SummaryTable([[1.5, 2.5]], ["a"], ["p", "q"], rounding=1)
    assert str(table).split() == ["p", "q", "a", "1.5", "2.5"]


def test_variables_that_were_not_walked_are_said_to_be():
    with pm.Model():
        p = pm.Beta("p", 2, 2)
        pm.Binomial("y", 10, p, observed=4)
        pm.Binomial("k", 5, p)
        result = pm.sample(50, tune=50, random_seed=1, progressbar=False,
                           compute_convergence_checks=False)  # fmt: skip
    words = "k: drawn exactly from its distribution, given the draws of the others."
    assert words in str(pm.summary(result))
    result.posterior  # noqa: B018, becomes the installed ArviZ's container
    assert words in str(pm.summary(result))
    assert "exactly" not in str(pm.summary(result, var_names=["p"]))
