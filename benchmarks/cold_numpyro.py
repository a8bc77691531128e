"""What a user of NumPyro runs: one problem from import to printed summary."""

from __future__ import annotations

import sys

import numpyro

numpyro.enable_x64()
numpyro.set_host_device_count(4)

import jax

from benchmarks.numpyro_models import MODELS, arguments
from benchmarks.problems import CHAINS, DRAWS, TUNE

if __name__ == "__main__":
    name = sys.argv[1]
    mcmc = numpyro.infer.MCMC(
        numpyro.infer.NUTS(MODELS[name]),
        num_warmup=TUNE,
        num_samples=DRAWS,
        num_chains=CHAINS,
        progress_bar=False,
    )
    mcmc.run(jax.random.PRNGKey(1), *arguments(name))
    mcmc.print_summary()
