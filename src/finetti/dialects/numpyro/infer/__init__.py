"""`numpyro.infer`: kernels, MCMC, predictions."""

from __future__ import annotations

from typing import Any

import finetti.dialects.numpyro.infer.reparam as reparam
from finetti.dialects.numpyro.infer import initialization, inspect, mcmc, util
from finetti.dialects.numpyro.infer.initialization import (
    init_to_feasible,
    init_to_mean,
    init_to_median,
    init_to_sample,
    init_to_uniform,
    init_to_value,
)
from finetti.dialects.numpyro.infer.kernels import HMC, NUTS, REFUSED, MCMCKernel
from finetti.dialects.numpyro.infer.mcmc import MCMC
from finetti.dialects.numpyro.infer.predictive import Predictive, log_likelihood
from finetti.dialects.numpyro.infer.util import initialize_model, log_density
from finetti.dialects.numpyro.missing import explain

__all__ = [
    "HMC", "MCMC", "MCMCKernel", "NUTS", "Predictive", "init_to_feasible", "init_to_mean",
    "init_to_median", "init_to_sample", "init_to_uniform", "init_to_value", "initialization",
    "initialize_model", "inspect", "log_density", "log_likelihood", "mcmc", "reparam", "util",
    *REFUSED,
]  # fmt: skip

# NumPyro has them there too; their own module imports that one
for _function in (Predictive, log_likelihood):
    setattr(util, _function.__name__, _function)


def __getattr__(name: str) -> Any:
    if name in REFUSED:
        return REFUSED[name]
    raise explain(f"infer.{name}", __all__)
