"""The explanation of a model on its way to machine code."""

import sys

import numpy as np
import pytest

import finetti as pm
from finetti.cli import main
from finetti.dialects import importer


def hierarchy():
    index = np.arange(900) % 85
    with pm.Model() as model:
        tau = pm.HalfNormal("tau", 1.0)
        a = pm.Normal("a", 0.0, tau, shape=85)
        pm.Normal("y", a[index], 1.0, observed=np.ones(900))
    return model


def test_sections_follow_the_way_of_the_model():
    text = pm.explain(hierarchy())
    headings = ["after writing the model", "after simplify", "after gradient",
                "after simplify gradient", "after lower", "loops", "one gradient",
                "compilation, ms of CPU"]  # fmt: skip
    places = [text.index(f"\n{heading}" if k else heading) for k, heading in enumerate(headings)]
    assert places == sorted(places)
    assert "= input" in text and "loop over 900" in text and "codegen" in text or "load" in text


def test_brief_leaves_the_graphs_out():
    assert "= input" not in pm.explain(hierarchy(), graphs=False)


def test_work_counts_elements():
    with pm.Model() as model:
        x = pm.Normal("x", 0.0, 1.0, shape=1000)
        pm.Potential("p", pm.math.exp(x).sum())
    text = pm.explain(model, graphs=False)
    assert "1,000 functions" in text
    assert "8,000 of input, 8,000 of output" in text


@pytest.fixture
def own_process(monkeypatch):
    """What a run changes for good, as the process is the script's: taken back for other tests."""
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    with importer.activated():
        yield


def test_command_line(tmp_path, capsys, own_process):
    script = tmp_path / "model.py"
    script.write_text(
        "import pymc as pm\nwith pm.Model() as coin:\n"
        "    p = pm.Beta('p', 1, 1)\n    pm.Binomial('y', 10, p, observed=3)\n"
    )
    assert main(["explain", "--brief", str(script)]) == 0
    assert "=== model coin" in capsys.readouterr().out
