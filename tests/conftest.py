"""What every test has: the verifier between passes, and random numbers of its own."""

from __future__ import annotations

import os
import zlib

# Before the first import of finetti: the switch is read when the package is loaded.
os.environ.setdefault("FINETTI_VERIFY", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's name alone: the same in any order and selection."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))
