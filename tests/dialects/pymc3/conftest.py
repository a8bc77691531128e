"""`import pymc3` answered by finetti, for the tests of this folder only."""

from __future__ import annotations

import importlib

import pytest

from finetti.dialects import importer, notes


@pytest.fixture
def pm():
    with importer.activated():
        notes.clear()
        yield importlib.import_module("pymc3")
    notes.clear()
