"""Optional packages in tests: a skip with its reason, or a failure where everything is required."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

import pytest


def required(name: str, extra: str) -> ModuleType:
    """The module `name`; skips the calling test or test file when it is not installed.

    ``FINETTI_REQUIRE_ALL=1`` turns the skip into a failure, so that a run that should cover
    everything cannot pass without it.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        if os.environ.get("FINETTI_REQUIRE_ALL") == "1":
            raise
        pytest.skip(f"{name} is not installed ({extra})", allow_module_level=True)
