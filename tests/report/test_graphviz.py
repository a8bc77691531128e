"""Drawings of models: vertices, arrows and plates as text; pictures only where `dot` is."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import finetti as pm
from finetti.report.graphviz import Drawing, dot_text, vertices


@pytest.fixture
def model() -> pm.Model:
    with pm.Model(coords={"city": ["A", "B", "C"]}) as model:
        x = pm.Data("x", np.arange(3.0), dims="city")
        a = pm.Normal("a", 0, 1)
        b = pm.Normal("b", a, 1, dims="city")
        half = pm.Deterministic("half", 0.5 * b, dims="city")
        pm.Potential("p", -(a**2))
        pm.Normal('y "hat"', half + b * x, 1, observed=np.zeros(3))
    return model


def test_vertices(model):
    found = {v.name: v for v in vertices(model)}
    assert {name: v.parents for name, v in found.items()} == {
        "x": (), "a": (), "b": ("a",), "half": ("b",), "p": ("a",),
        'y "hat"': ("half", "b", "x"),
    }  # fmt: skip
    assert {name: v.kind for name, v in found.items()} == {
        "x": "data", "a": "free", "b": "free", "half": "deterministic", "p": "potential",
        'y "hat"': "observed",
    }  # fmt: skip
    assert found["b"].plate == "city (3)"
    assert found["a"].plate == ""
    assert found['y "hat"'].plate == "3"
    assert found["b"].words == "Normal"


def test_only_what_is_asked_for(model):
    assert [v.name for v in vertices(model, ["half"])] == ["a", "b", "half"]
    with pytest.raises(ValueError, match="'half'"):
        vertices(model, ["halff"])


def test_text(model):
    text = dot_text(vertices(model))
    assert text.startswith("digraph {")
    assert '"a" -> "b"' in text
    assert '"y \\"hat\\""' in text
    assert text.count("subgraph") == 2
    assert text.count("{") == text.count("}")


def test_observed_expressions_have_arrows():
    class Old(pm.Model):
        observes_expressions = True

    with Old() as model:
        mu = pm.Normal("mu", 0, 1)
        pm.Normal("y", 0, 1, observed=1.0 - mu)
    assert vertices(model)[-1].parents == ("mu",)


def test_result(model, tmp_path):
    drawing = pm.model_to_graphviz(model)
    assert '"a" -> "b"' in drawing.source
    with model:
        assert pm.model_to_graphviz().source == drawing.source
    with pytest.raises(ValueError, match="plain"):
        pm.model_to_graphviz(model, formatting="plane")
    with pytest.raises(NotImplementedError, match="plain"):
        pm.model_to_graphviz(model, formatting="latex")


def test_without_the_program(model, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    drawing = pm.model_to_graphviz(model)
    assert type(drawing) is Drawing
    assert drawing._repr_mimebundle_() == {"text/plain": repr(drawing)}
    with pytest.raises(NotImplementedError, match="dot"):
        drawing.render(tmp_path / "m")
    name = drawing.save(tmp_path / "m.gv")
    assert name.read_text() == drawing.source


def test_with_the_program(model, tmp_path):
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    drawing = Drawing(dot_text(vertices(model)))
    assert drawing.pipe("svg", "utf-8").lstrip().startswith("<?xml")
