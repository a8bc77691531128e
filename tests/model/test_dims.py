"""Named dimensions."""

import numpy as np
import pytest

import finetti as pm
from finetti.errors import DimsError


def test_dims_give_shapes_and_labels():
    with pm.Model(coords={"row": ["a", "b"], "col": range(3)}) as model:
        x = pm.Normal("x", 0, 1, dims=("row", "col"))
        d = pm.Deterministic("d", x.sum(1), dims="row")
    assert x.shape == (2, 3) and d.shape == (2,)
    assert model.coords == {"row": ("a", "b"), "col": (0, 1, 2)}
    assert model.named_vars_to_dims == {"x": ("row", "col"), "d": ("row",)}
    assert model.shape_from_dims(("col", "row")) == (3, 2)


def test_a_shape_names_a_new_dim():
    with pm.Model() as model:
        pm.Normal("x", 0, 1, shape=4, dims="new")
        y = pm.Normal("y", 0, 1, dims="new")
    assert y.shape == (4,) and model.coords == {"new": None}


def test_lengths_only_and_set_dim():
    with pm.Model() as model:
        model.add_coord("g", length=3)
        x = pm.Normal("x", 0, 1, dims="g")
    assert x.shape == (3,)
    model.set_dim("g", 5)
    assert model.initial_point()["x"].shape == (5,)
    model.set_dim("g", 2, ["u", "v"])
    assert model.coords["g"] == ("u", "v") and model.eval_rv_shapes()["x"] == (2,)
    with pytest.raises(DimsError, match="2 labels and would change to length 3"):
        model.set_dim("g", 3)


def test_the_same_coords_again_are_fine_and_others_are_not():
    with pm.Model(coords={"g": [1, 2]}) as model:
        model.add_coord("g", [1, 2])
        with pytest.raises(DimsError, match="'g' is already there"):
            model.add_coord("g", [1, 3])


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ("schol", r"'schol'.*Did you mean 'school'.*coords=\{'schol'"),
        (("school", "school"), "has 'school' twice"),
        (("school", "year"), "which the model does not know"),
        (3, "expected a name or a tuple"),
        ((1,), "expected names as strings"),
    ],
)
def test_unknown_dims(dims, words):
    with pm.Model(coords={"school": ["A", "B"]}) as model:
        with pytest.raises(DimsError, match=words) as caught:
            pm.Normal("theta", 0, 1, dims=dims)
        assert "theta" in str(caught.value)
        assert not model.named_vars and list(model.coords) == ["school"]
        pm.Normal("theta", 0, 1, dims="school")


def test_dims_and_shapes_must_agree():
    with pm.Model(coords={"g": [1, 2, 3]}) as model:
        x = pm.Normal("x", 0, 1, shape=2)
        with pytest.raises(DimsError, match="'d': axis 0 has length 2, but dim 'g' has length 3"):
            pm.Deterministic("d", x, dims="g")
        with pytest.raises(DimsError, match=r"shape \(2,\) and dims=\('g', 'g2'\)"):
            model.add_coord("g2", [1])
            pm.Potential("p", x, dims=("g", "g2"))
        with pytest.raises(DimsError, match="'y': axis 0"):
            pm.Normal("y", 0, 1, shape=4, dims="g")
        assert list(model.named_vars) == ["x"]


@pytest.mark.parametrize("name", ["chain", "draw", "__sample__"])
def test_reserved_names(name):
    with pytest.raises(DimsError, match=f"cannot be named '{name}'"):
        pm.Model(coords={name: [1]})
    with pm.Model() as model:
        with pytest.raises(DimsError, match=f"cannot be named '{name}'"):
            pm.Normal("x", 0, 1, shape=2, dims=name)
        assert not model.named_vars


def test_bad_coords():
    with pytest.raises(DimsError, match=r"range\(3\)"):
        pm.Model(coords={"g": 3})
    with pytest.raises(DimsError, match="neither values nor a length"):
        pm.Model(coords={"g": None})
    with pm.Model() as model:
        pm.Normal("x")
        with pytest.raises(DimsError, match="already has a variable of that name"):
            model.add_coord("x", [1])


def test_labels_of_frames():
    pandas = pytest.importorskip("pandas")
    index = pandas.Index(["a", "b"])
    with pm.Model(coords={"i": index, "n": np.array([1.5, 2.5])}) as model:
        pm.Normal("x", 0, 1, dims=("i", "n"))
    assert model.coords == {"i": ("a", "b"), "n": (1.5, 2.5)}
