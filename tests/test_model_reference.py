"""Whole models against PyMC: names, log density, gradient, factors (``model_reference.json``)."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import finetti as pm

ROOT = Path(__file__).parents[1]
REFERENCE = json.loads((ROOT / "tests" / "data" / "model_reference.json").read_text())["models"]


def _load_models():
    path = ROOT / "examples" / "_models.py"
    spec = importlib.util.spec_from_file_location("finetti_example_models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MODELS


MODELS = _load_models()


@pytest.fixture(scope="module", params=sorted(REFERENCE))
def case(request):
    return MODELS[request.param](pm), REFERENCE[request.param]


def _point(stored):
    return {name: np.asarray(value, dtype=float) for name, value in stored["point"].items()}


def test_every_model_has_a_reference():
    assert sorted(MODELS) == sorted(REFERENCE)


def test_value_variables_and_initial_point(case):
    model, reference = case
    start = model.initial_point()
    assert [[name, list(np.shape(v))] for name, v in start.items()] == reference["value_vars"]
    want = _point(reference["points"][0])
    for name, value in start.items():
        np.testing.assert_allclose(value, want[name], rtol=1e-12, atol=1e-12)


def test_logp(case):
    model, reference = case
    logp = model.compile_logp()
    for stored in reference["points"]:
        np.testing.assert_allclose(float(logp(_point(stored))), stored["logp"], rtol=1e-11)


def test_dlogp(case):
    model, reference = case
    dlogp = model.compile_dlogp()
    for stored in reference["points"]:
        want = np.asarray(stored["dlogp"])
        scale = np.abs(want).max()
        np.testing.assert_allclose(dlogp(_point(stored)), want, rtol=1e-9, atol=1e-11 * scale)


def test_point_logps(case):
    model, reference = case
    for stored in reference["points"]:
        got = model.point_logps(_point(stored), round_vals=15)
        assert list(got) == list(stored["point_logps"])
        for name, want in stored["point_logps"].items():
            np.testing.assert_allclose(got[name], want, rtol=1e-10, atol=1e-12, err_msg=name)
