"""NumPyro's module of the Hamiltonian kernels and their state."""

from __future__ import annotations

from typing import Any

from finetti.dialects.numpyro.infer.kernels import HMC, NUTS
from finetti.dialects.numpyro.infer.states import HMCState
from finetti.dialects.numpyro.missing import explain

__all__ = ["HMC", "NUTS", "HMCState"]


def __getattr__(name: str) -> Any:
    raise explain(f"infer.hmc.{name}", __all__)
