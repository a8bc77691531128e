"""What is said when an optional package is not installed."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from finetti.errors import FinettiError, MissingPackageError, optional_package
from finetti.report.plots.backend import pyplot


def test_plots_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"plots need matplotlib, .*finetti\[plots\]"):
        pyplot()
    with pytest.raises(ModuleNotFoundError):  # as those who guard their imports expect
        pyplot()
    assert issubclass(MissingPackageError, FinettiError)


@pytest.mark.parametrize("module", ["arrays", "data", "forest", "pair", "regression", "trace"])
def test_every_plot_asks_in_one_place(module: str) -> None:
    assert import_module(f"finetti.report.plots.{module}").pyplot is pyplot


def test_a_broken_package_is_not_called_missing() -> None:
    assert optional_package("json", "tests", "nothing").loads("1") == 1
    with pytest.raises(MissingPackageError, match="tests need nowhere_at_all"):
        optional_package("nowhere_at_all.part", "tests", "nothing")
