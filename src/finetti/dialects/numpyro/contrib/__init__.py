"""`numpyro.contrib`: loops and branches with sites inside, drawings, Gaussian processes."""

from __future__ import annotations

from typing import Any

from finetti.dialects.numpyro.contrib import control_flow, hsgp, render
from finetti.dialects.numpyro.missing import explain

__all__ = ["control_flow", "hsgp", "render"]


def __getattr__(name: str) -> Any:
    raise explain(f"contrib.{name}", __all__)
