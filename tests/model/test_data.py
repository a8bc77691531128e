"""Data that change, with the shapes that follow from them."""

import numpy as np
import pytest
from scipy import stats

import finetti as pm
from finetti.errors import DimsError, DtypeError, ModelError, NotYetSupported, ShapeError


def line():
    with pm.Model(coords={"city": ["A", "B"]}) as model:
        x = pm.Data("x", [1.0, 2.0, 3.0], dims="obs")
        y = pm.Data("y", [1.0, 2.5, 2.0], dims="obs")
        slope = pm.Normal("slope", 0, 1)
        pm.Normal("like", slope * x, 1.0, observed=y, dims="obs")
        pm.Normal("z", 0, 1, shape=x.shape[0] + 1)
    return model


def expected(x, y, z, slope=0.5):
    x, y = np.asarray(x), np.asarray(y)
    return (
        stats.norm.logpdf(slope)
        + stats.norm.logpdf(y, slope * x).sum()
        + stats.norm.logpdf(z).sum()
    )


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_new_values_and_new_lengths(backend):
    model = line()

    def logp(n):
        return model.compile_logp(backend=backend)({"slope": 0.5, "z": np.zeros(n)})

    assert logp(4) == pytest.approx(expected([1, 2, 3], [1, 2.5, 2], np.zeros(4)))
    with model:
        pm.set_data({"x": [4.0, 5.0, 6.0]})
    assert logp(4) == pytest.approx(expected([4, 5, 6], [1, 2.5, 2], np.zeros(4)))
    with model:
        pm.set_data({"x": np.arange(5), "y": np.arange(5.0)})
    assert model.dim_lengths["obs"] == 5
    assert model.eval_rv_shapes()["z"] == (6,)
    assert model.initial_point()["z"].shape == (6,)
    assert logp(6) == pytest.approx(expected(np.arange(5), np.arange(5), np.zeros(6)))


def test_a_new_length_of_one_of_two_is_an_error_that_names_the_variable():
    model = line()
    model.set_data("x", np.arange(5.0))
    with pytest.raises(ShapeError, match=r"'like'"):
        model.compile_logp()
    model.set_data("x", np.arange(3.0))
    model.compile_logp(backend="reference")


def test_dims_with_labels_need_new_labels():
    with pm.Model(coords={"g": ["a", "b"]}) as model:
        w = pm.Data("w", [1.0, 2.0], dims="g")
        b = pm.Normal("b", 0, 1, dims="g")
        pm.Deterministic("wb", w * b, dims="g")
        with pytest.raises(DimsError, match=r"has 2 labels.*give the new labels"):
            pm.set_data({"w": [1.0, 2.0, 3.0]})
        assert model["w"].get_value().tolist() == [1.0, 2.0]  # nothing was changed
        with pytest.raises(DimsError, match="has 2 labels for length 3"):
            pm.set_data({"w": [1.0, 2.0, 3.0]}, coords={"g": ["a", "b"]})
        with pytest.raises(DimsError, match="'h'.*none of the data"):
            pm.set_data({"w": [1.0, 2.0]}, coords={"h": [1]})
        pm.set_data({"w": [1.0, 2.0, 3.0]}, coords={"g": ["a", "b", "c"]})
    assert model.coords == {"g": ("a", "b", "c")}
    assert model.eval_rv_shapes() == {"b": (3,)}


def test_coords_of_new_dims_come_with_the_data():
    with pm.Model() as model:
        pm.Data("x", np.zeros((2, 3)), dims=("row", "col"), coords={"col": ["a", "b", "c"]})
    assert model.coords == {"row": None, "col": ("a", "b", "c")}
    assert model.dim_lengths == {"row": 2, "col": 3}


def test_get_and_set_value():
    with pm.Model() as model:
        x = pm.Data("x", np.array([1, 2, 3]))
    assert x.get_value().dtype == np.int64
    copy = x.get_value()
    copy[0] = 9
    assert x.get_value()[0] == 1
    x.set_value([4, 5])
    assert x.get_value().tolist() == [4, 5] and x.eval().tolist() == [4, 5]
    with pytest.raises(ShapeError, match="number of axes"):
        x.set_value([[1, 2]])
    with pytest.raises(DtypeError, match="whole numbers, got 1.5 in row 1"):
        x.set_value([1, 1.5])
    assert model["x"] is x


def test_observed_data_formula_follows_the_data():
    with pm.Model() as model:
        x = pm.Data("x", [1.0, 2.0])
        m = pm.Normal("m")
        pm.Normal("y", m, 1, observed=x / 2)
    model.set_data("x", [2.0, 4.0, 6.0])
    want = stats.norm.logpdf(0.0) + stats.norm.logpdf([1, 2, 3]).sum()
    assert model.compile_logp(backend="reference")({"m": 0.0}) == pytest.approx(want)


def test_frames_and_lists():
    pandas = pytest.importorskip("pandas")
    with pm.Model():
        assert pm.Data("a", pandas.Series([1.0, 2.0])).shape == (2,)
        assert (
            pm.Data("b", pandas.DataFrame({"u": [1, 2], "v": [3, 4]})).get_value().dtype == np.int64
        )
        assert pm.Data("c", [True, False]).get_value().dtype == bool
        assert pm.Data("d", np.float32(2.0)).get_value().dtype == np.float64
        assert pm.Data("e", np.array([1, None, 2.5], dtype=object)).shape == (3,)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (["a", "b"], DtypeError, "starting with 'a'"),
        ([[1, 2], [3]], DtypeError, "one long vector"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), NotYetSupported, "1 values are masked"),
    ],
)
def test_what_cannot_be_data(value, error, words):
    with pm.Model() as model:
        with pytest.raises(error, match=words):
            pm.Data("x", value)
        assert not model.named_vars and not model.data_vars


def test_nothing_is_half_registered():
    with pm.Model(coords={"g": [1, 2, 3]}) as model:
        with pytest.raises(DimsError, match=r"shape \(2,\) and dims=\('new', 'g'\)"):
            pm.Data("x", [1.0, 2.0], dims=("new", "g"))
        with pytest.raises(DimsError, match="axis 0 has length 2, but dim 'g' has length 3"):
            pm.Data("x", [1.0, 2.0], dims="g")
        with pytest.raises(DimsError, match="3 labels but length 2"):
            pm.Data("x", np.zeros((4, 2)), dims=("a", "b"), coords={"a": range(4), "b": range(3)})
        with pytest.raises(DimsError, match="which is not in dims"):
            pm.Data("x", [1.0], dims="b", coords={"c": [1]})
        assert list(model.coords) == ["g"] and not model.named_vars
        pm.Data("x", [1.0, 2.0], dims="new")


def test_set_data_names_what_is_wrong():
    model = line()
    with model, pytest.raises(ModelError, match="'slope' is no `pm.Data`"):
        pm.set_data({"slope": 1.0})
    with model, pytest.raises(KeyError, match="Did you mean 'x'"):
        pm.set_data({"X": [1.0]})
    with model, pytest.raises(ShapeError, match="number of axes"):
        pm.set_data({"x": [[1.0]]})
