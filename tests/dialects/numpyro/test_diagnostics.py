"""Diagnostics: NumPyro's stored numbers and its table, to the letter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.optional import required

required("jax", 'pip install "finetti[jax]"')

from finetti.dialects.numpyro import diagnostics

STORED = json.loads((Path(__file__).parents[2] / "data" / "numpyro_values.json").read_text())[
    "diagnostics"
]
X = np.array(STORED["draws"])
CALLS = {
    "gelman_rubin": lambda: diagnostics.gelman_rubin(X),
    "split_gelman_rubin": lambda: diagnostics.split_gelman_rubin(X),
    "effective_sample_size": lambda: diagnostics.effective_sample_size(X),
    "hpdi": lambda: diagnostics.hpdi(X.reshape(-1, 2), 0.7),
    "autocorrelation": lambda: diagnostics.autocorrelation(X, axis=1)[:, :5],
    "autocovariance": lambda: diagnostics.autocovariance(X, axis=1, bias=False)[:, :5],
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_values(name):
    np.testing.assert_allclose(CALLS[name](), STORED["values"][name], rtol=1e-10, atol=1e-12)


def test_table(capsys):
    diagnostics.print_summary({"b": X[..., 0] * 3 + 1, "a_longer_name": X}, prob=0.8)
    assert capsys.readouterr().out == STORED["table"]


def test_structures_without_names_are_numbered():
    assert list(diagnostics.summary([X, X[..., 0]])) == ["Param:0", "Param:1"]
    assert diagnostics.summary({"x": X[0]}, group_by_chain=False)["x"]["mean"].shape == (2,)
