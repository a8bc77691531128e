"""What every test has: the verifier between passes, and random numbers of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import zlib

# Before the first import of finetti: the switch is read when the package is loaded.
os.environ.setdefault("FINETTI_VERIFY", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# Compiled code of this run only, also in the processes it starts; never in the user's cache.
os.environ["FINETTI_CACHE_DIR"] = tempfile.mkdtemp(prefix="finetti-tests-")
atexit.register(shutil.rmtree, os.environ["FINETTI_CACHE_DIR"], ignore_errors=True)

import numpy as np
import pytest


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's name alone: the same in any order and selection."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))
