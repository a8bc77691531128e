"""The result's container: what ArviZ takes, on both of its bases, built now or later."""

from __future__ import annotations

import copy
import functools
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

from finetti.errors import DimsError, ParameterError, ShapeError
from finetti.results import arviz as bridge
from finetti.results import container
from finetti.results.lazy import LazyResult, is_result
from finetti.results.trace import Draws

CHAINS, DRAWS = 4, 120
LEGACY = container.arviz_is_legacy()


def make_draws(seed: int = 0) -> Draws:
    rng = np.random.default_rng(seed)
    shape = (CHAINS, DRAWS)
    return Draws(
        posterior={
            "mu": rng.normal(size=shape),
            "theta": rng.normal(size=(*shape, 3)),
            "cov": rng.normal(size=(*shape, 2, 2)),
            "k": rng.integers(0, 3, shape),
        },
        sample_stats={
            "diverging": rng.random(shape) < 0.05,
            "energy": rng.normal(size=shape),
            "lp": rng.normal(size=shape),
            "reached_max_treedepth": np.zeros(shape, bool),
            "tree_depth": rng.integers(1, 5, shape),
        },
        observed_data={"y": rng.normal(size=7)},
        constant_data={"x": np.arange(7.0)},
        log_likelihood={"y": rng.normal(size=(*shape, 7))},
        coords={"school": ["a", "b", "c"], "row": None},
        dims={"theta": ["school"], "y": ["row"], "x": ["row"], "cov": [None, "school2"]},
        attrs={"sampling_time": 1.5, "tuning_steps": 1000},
    )


@functools.cache
def classes() -> dict[str, type]:
    built = {"datatree": container.datatree_class()}
    if LEGACY:
        built["legacy"] = container.legacy_class()
    return built


@pytest.fixture(params=["datatree", "legacy"])
def base(request, monkeypatch):
    """The name of the class under test, made the one that results are built with."""
    if request.param not in classes():
        pytest.skip("needs arviz 0.x")
    monkeypatch.setattr(container, "_class", classes()[request.param])
    return request.param


@pytest.fixture(params=["built", "lazy"])
def result(request, base):
    draws = make_draws()
    return bridge.to_inference_data(draws) if request.param == "built" else LazyResult(draws)


def test_groups_variables_and_both_ways_to_them(result):
    expected = ["posterior", "log_likelihood", "sample_stats", "observed_data", "constant_data"]
    draws = make_draws()
    assert result.groups() == expected
    assert "posterior" in result.groups
    assert "prior" not in result.groups
    assert "posterior" in result
    assert "prior" not in result
    assert list(result.children) == expected
    for found in (
        result.posterior["theta"],
        result["posterior"]["theta"],
        result["posterior/theta"],
        result.posterior.theta,
    ):
        assert found.dims == ("chain", "draw", "school")
        np.testing.assert_array_equal(found.to_numpy(), draws.posterior["theta"])
    assert result.posterior["k"].dtype == np.int64
    assert result.sample_stats["diverging"].dtype == bool


def test_root_finds_variables_with_chains_concatenated(result):
    draws = make_draws()
    np.testing.assert_array_equal(result["mu"], draws.posterior["mu"].ravel())
    assert result["theta"].shape == (CHAINS * DRAWS, 3)
    assert result["energy"].shape == (CHAINS * DRAWS,)
    with pytest.raises(KeyError, match="Did you mean 'theta'"):
        result["thetta"]


def test_every_dimension_has_a_coordinate(result):
    posterior = result.posterior
    assert list(posterior["school"].to_numpy()) == ["a", "b", "c"]
    for group in result.groups():
        dataset = result[group]
        for dim in dataset.sizes:
            assert dim in dataset.coords, (group, dim)
    assert posterior["cov"].dims == ("chain", "draw", "cov_dim_0", "school2")
    np.testing.assert_array_equal(posterior["cov_dim_0"], [0, 1])
    assert result.observed_data["y"].dims == ("row",)
    np.testing.assert_array_equal(posterior["chain"], np.arange(CHAINS))
    np.testing.assert_array_equal(posterior["draw"], np.arange(DRAWS))


def test_attributes_of_the_groups(result):
    attrs = result.posterior.attrs
    assert attrs["creation_library"] == attrs["inference_library"] == "finetti"
    assert attrs["sampling_time"] == 1.5
    assert attrs["tuning_steps"] == 1000
    assert attrs["sample_dims"] == ["chain", "draw"]
    assert attrs["created_at"][:2] == "20"
    assert "sampling_time" not in result.observed_data.attrs
    assert dict(result.attrs) == {}


def test_copies_selections_and_pickles_keep_class_and_values(result):
    kind = result.__class__
    for other in (
        pickle.loads(pickle.dumps(result)),
        copy.copy(result),
        copy.deepcopy(result),
        result.copy(),
        result.sel(chain=[0, 1, 2, 3]),
        result.isel(draw=slice(None)),
    ):
        assert other.__class__ is kind
        assert other.groups() == result.groups()
        np.testing.assert_array_equal(other["theta"], result["theta"])
        assert other.posterior.attrs == result.posterior.attrs
    deep = copy.deepcopy(result)
    deep.posterior["mu"][:] = 0.0
    assert np.any(result["mu"])


def test_pickles_cross_from_one_arviz_to_the_other(monkeypatch):
    first = bridge.to_inference_data(make_draws())
    pickled = pickle.dumps(first)
    for name, kind in classes().items():
        monkeypatch.setattr(container, "_class", kind)
        again = pickle.loads(pickled)
        assert type(again) is kind, name
        np.testing.assert_array_equal(again["theta"], first["theta"])


def test_dataset_methods_work_on_a_group(result):
    posterior = result.posterior
    stacked = posterior.stack(sample=("chain", "draw"))
    assert stacked["theta"].shape == (3, CHAINS * DRAWS)
    np.testing.assert_allclose(
        float(posterior.quantile(0.25)["mu"]), np.quantile(result["mu"], 0.25)
    )
    assert float(posterior.mean()["mu"]) == pytest.approx(result["mu"].mean())
    frame = posterior["mu"].to_dataframe()
    assert frame.shape[0] == CHAINS * DRAWS
    assert posterior.to_dataframe().shape[0] == CHAINS * DRAWS * 3 * 2 * 2
    with pytest.raises(AttributeError):
        _ = posterior.no_such_method


def test_whole_result_stacks_every_group_that_has_draws(result):
    stacked = result.stack(sample=("chain", "draw"))
    assert stacked.posterior["mu"].dims == ("sample",)
    assert stacked.observed_data["y"].dims == ("row",)


def test_extend_left_right_and_add_groups(result):
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(1, 30)), rng.normal(size=(1, 30))
    result.extend(bridge.to_inference_data(Draws(predictive={"prior": {"mu": first}})))
    result.extend({"prior": {"mu": second}})
    np.testing.assert_array_equal(result.prior["mu"], first)
    result.extend({"prior": {"mu": second}}, join="right")
    np.testing.assert_array_equal(result.prior["mu"], second)
    result.add_groups(prior_predictive={"y": rng.normal(size=(1, 30, 7))}, dims={"y": ["row"]})
    assert result.prior_predictive["y"].dims == ("chain", "draw", "row")
    result.add_groups({"predictions_constant_data": {"x": np.arange(3.0)}})
    assert result.predictions_constant_data["x"].dims == ("x_dim_0",)
    with pytest.raises(ParameterError, match="already exist"):
        result.add_groups(prior={"mu": first})
    with pytest.raises(ParameterError, match="join must be"):
        result.extend({}, join="inner")
    with pytest.raises(ParameterError, match="a result was expected"):
        result.extend(3)
    with pytest.warns(UserWarning, match="no group of ArviZ's schema"):
        result.extend({"mine": {"mu": first}}, warn_on_custom_groups=True)


def test_a_group_set_or_deleted_by_name(result):
    result["mine"] = result.posterior
    np.testing.assert_array_equal(result["mine"]["mu"], result.posterior["mu"])
    assert result["mine"].stack(s=("chain", "draw"))["mu"].shape == (CHAINS * DRAWS,)
    result.update({"again": result["mine"]})
    assert "again" in result.groups()
    del result["mine"]
    assert "mine" not in result.groups()


def test_to_datatree_and_to_inferencedata(result):
    import xarray

    tree = result.to_datatree()
    assert type(tree) is xarray.DataTree
    assert list(tree.children) == result.groups()
    np.testing.assert_array_equal(tree["posterior/mu"], result.posterior["mu"])
    assert result.to_inferencedata().groups() == result.groups()
    assert set(result.to_dict()) >= {"posterior"} or "/posterior" in result.to_dict()


def test_to_dataframe(result):
    frame = result.to_dataframe(groups=["posterior"])
    assert len(frame) == CHAINS * DRAWS
    assert {"chain", "draw", "mu", "k"} <= set(frame.columns)
    np.testing.assert_array_equal(frame["mu"], result["mu"])
    assert frame.shape[1] == 2 + 1 + 1 + 3 + 4


def test_to_dataframe_of_a_tree(monkeypatch):
    monkeypatch.setattr(container, "_class", classes()["datatree"])
    result = bridge.to_inference_data(make_draws())
    frame = result.to_dataframe(var_names=["theta"])
    assert list(frame.columns) == ["chain", "draw", "theta[0]", "theta[1]", "theta[2]"]
    two = result.to_dataframe(["posterior", "sample_stats"])
    assert ("sample_stats", "lp") in two.columns
    with pytest.raises(ParameterError, match="has no draws"):
        result.to_dataframe("observed_data")
    with pytest.raises(ParameterError, match="Did you mean 'posterior'"):
        result.to_dataframe("posterio")


def test_draws_come_back_as_they_went_in(result):
    before, after = make_draws(), bridge.to_draws(result)
    assert after.groups == before.groups
    for name, group in before.items():
        for key, array in group.items():
            np.testing.assert_array_equal(after.group(name)[key], array)
            assert after.group(name)[key].dtype == array.dtype
    assert list(after.dims["theta"]) == ["school"]
    assert list(after.coords["school"]) == ["a", "b", "c"]
    assert after.attrs["sampling_time"] == 1.5


def test_draws_of_foreign_containers():
    import xarray

    plain = bridge.to_inference_data(make_draws()).to_datatree()
    assert type(plain) is xarray.DataTree
    np.testing.assert_array_equal(
        bridge.to_draws(plain).posterior["theta"], make_draws().posterior["theta"]
    )
    extended = bridge.extend_inference_data(
        plain, Draws(predictive={"prior": {"mu": np.zeros((1, 5))}})
    )
    assert extended is plain
    assert "prior" in plain.children
    if LEGACY:
        import arviz

        foreign = arviz.from_dict({"mu": np.zeros((2, 5))})
        assert bridge.to_draws(foreign).posterior["mu"].shape == (2, 5)
        for value in (0.0, 1.0):
            new = Draws(predictive={"prior": {"mu": np.full((1, 5), value)}})
            bridge.extend_inference_data(foreign, new)
        assert float(foreign.prior["mu"][0, 0]) == 1.0


def test_predictions_replace_what_was_there(result):
    for value in (1.0, 2.0):
        new = Draws(
            predictive={"posterior_predictive": {"y": np.full((CHAINS, DRAWS, 7), value)}},
            dims={"y": ["row"]},
        )
        assert bridge.extend_inference_data(result, new) is result
    assert float(result.posterior_predictive["y"].max()) == 2.0
    assert result.posterior_predictive["y"].dims == ("chain", "draw", "row")
    np.testing.assert_array_equal(result["mu"], make_draws().posterior["mu"].ravel())


def test_warmup_groups():
    draws = Draws(
        posterior={"mu": np.zeros((2, 5))},
        warmup_posterior={"mu": np.ones((2, 9))},
        warmup_sample_stats={"lp": np.ones((2, 9))},
    )
    result = bridge.to_inference_data(draws)
    assert result.warmup_posterior["mu"].shape == (2, 9)
    assert set(result.groups()) == {"posterior", "warmup_posterior", "warmup_sample_stats"}


def test_dims_that_do_not_fit_warn_and_lose_nothing():
    zeros = np.zeros((2, 5, 3))
    cases = [
        ({"v": ["a", "b"]}, {}, "names 2 dimensions"),
        ({"v": ["a"]}, {"a": ["x"]}, "1 labels"),
        ({"v": ["v"]}, {}, "name of a variable"),
        ({"v": ["a"], "w": ["a"]}, {}, "other lengths"),
    ]
    for dims, coords, message in cases:
        posterior = {"v": zeros, "w": np.zeros((2, 5, 4))}
        with pytest.warns(UserWarning, match=message):
            result = bridge.to_inference_data(Draws(posterior=posterior, dims=dims, coords=coords))
        assert result.posterior["v"].shape == (2, 5, 3)
        assert result.posterior["w"].shape == (2, 5, 4)


def test_labels_of_any_kind():
    pandas = pytest.importorskip("pandas")
    days = pandas.date_range("2024-01-01", periods=2)
    pairs = pandas.MultiIndex.from_tuples([("a", 1), ("b", 2)])
    draws = Draws(
        posterior={"d": np.zeros((1, 3, 2)), "p": np.zeros((1, 3, 2)), "t": np.zeros((1, 3, 2))},
        coords={"day": days, "pair": pairs, "tuple": [("a", 1), ("b", 2)]},
        dims={"d": ["day"], "p": ["pair"], "t": ["tuple"]},
    )
    posterior = bridge.to_inference_data(draws).posterior
    assert posterior["day"].dtype.kind == "M"
    assert posterior["tuple"].to_numpy()[1] == ("b", 2)
    assert posterior["pair"].to_numpy()[0] == ("a", 1)


def test_draws_refuse_arrays_that_disagree():
    with pytest.raises(ShapeError, match=r"posterior\['b'\] has \(chain, draw\) = \(2, 4\)"):
        Draws(posterior={"a": np.zeros((2, 5)), "b": np.zeros((2, 4))})
    with pytest.raises(ShapeError, match=r"expected \(chain, draw, ...\)"):
        Draws(posterior={"a": np.zeros(5)})
    with pytest.raises(ParameterError, match="Did you mean 'prior'"):
        Draws(predictive={"prio": {}})
    draws = make_draws()
    assert (draws.chains, draws.draws) == (CHAINS, DRAWS)
    assert draws.flat("theta").shape == (CHAINS * DRAWS, 3)
    with pytest.raises(ParameterError, match="Did you mean 'theta'"):
        draws.flat("teta")
    assert issubclass(DimsError, ValueError)


def test_lazy_result_is_the_real_class_to_who_can_ask():
    lazy = LazyResult(make_draws())
    assert type(lazy) is LazyResult
    assert is_result(lazy)
    assert isinstance(lazy, bridge.inference_data_class())
    assert not isinstance(lazy, np.ndarray)
    assert bridge.to_draws(lazy).posterior["mu"].shape == (CHAINS, DRAWS)
    lazy.posterior["mu"][:] = 3.0
    assert float(bridge.to_draws(lazy).posterior["mu"].min()) == 3.0


_COLD = """
import sys
import numpy as np
from finetti.results import arviz
from finetti.results.trace import Draws
thread = arviz.preload() if {preload} else None
result = arviz.make_result(Draws(posterior={{'mu': np.zeros((2, 5))}}))
arviz.extend_inference_data(result, Draws(predictive={{'prior': {{'mu': np.zeros((1, 3))}}}}))
assert arviz.to_draws(result).groups == ('posterior', 'prior')
assert isinstance(result, object) and not isinstance(result, np.ndarray)
heavy = {{'xarray', 'pandas', 'arviz', 'matplotlib', 'scipy'}} & set(sys.modules)
assert {preload} or not heavy, heavy
if thread is not None:
    thread.join()
    assert 'xarray' in sys.modules
assert result.posterior['mu'].shape == (2, 5)
assert type(result.copy()) is arviz.InferenceData
import pickle
assert pickle.loads(pickle.dumps(result))['mu'].shape == (10,)
"""


@pytest.mark.parametrize("preload", [False, True])
def test_nothing_heavy_is_imported_before_the_first_touch(preload):
    subprocess.run([sys.executable, "-c", _COLD.format(preload=preload)], check=True)


def test_a_broken_arviz_does_not_cost_the_draws(monkeypatch):
    def broken() -> type:
        raise ImportError("no such style")

    monkeypatch.setattr(container, "_class", None)
    monkeypatch.setattr(container, "arviz_is_legacy", lambda: True)
    monkeypatch.setattr(container, "legacy_class", broken)
    with pytest.warns(UserWarning, match="does not import.*no such style"):
        result = bridge.to_inference_data(make_draws())
    assert result.posterior["mu"].shape == (CHAINS, DRAWS)


@pytest.fixture
def az(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("arviz")


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_arviz_takes_it(az, lazy):
    import matplotlib.pyplot as plt

    def new():
        return LazyResult(make_draws()) if lazy else bridge.to_inference_data(make_draws())

    table = az.summary(new(), var_names=["mu", "theta"], round_to=2)
    assert list(table.index) == ["mu", "theta[a]", "theta[b]", "theta[c]"]
    assert az.ess(new())["mu"].size == 1
    names = ["plot_trace", "plot_forest", "plot_rank", "plot_energy", "plot_autocorr", "plot_ess"]
    names += ["rhat", "mcse", "bfmi", "hdi", "extract", "loo"]
    for name in names:
        getattr(az, name)(new())
        plt.close("all")
    if LEGACY:
        az.plot_posterior(new())
        both = az.concat(new(), new(), dim="chain")
        assert both.posterior["mu"].shape == (2 * CHAINS, DRAWS)
        az.waic(new())
    else:
        az.plot_dist(new())
        az.diagnose(new())
    az.compare({"a": new(), "b": new()})
    plt.close("all")


@pytest.mark.filterwarnings("ignore")
def test_saved_to_a_file_and_read_by_arviz(az, tmp_path):
    pytest.importorskip("h5netcdf")
    pytest.importorskip("h5py")
    path = tmp_path / "run.nc"
    result = bridge.to_inference_data(make_draws())
    result.to_netcdf(str(path), engine="h5netcdf")
    import xarray

    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        np.testing.assert_array_equal(tree["posterior/theta"], result.posterior["theta"])
        assert tree["posterior"].attrs["sampling_time"] == 1.5
