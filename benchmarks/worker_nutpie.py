"""Time PyMC's graph through nutpie (numba). Run by ``benchmarks.run`` in the peers' environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import nutpie
import pymc as pm

from benchmarks import worker
from benchmarks.native import Clock, time_density
from benchmarks.problems import CHAINS, CORES, DRAWS, PROBLEMS, TUNE, _models, flatten


def versions() -> dict[str, str]:
    return {"pymc": pm.__version__, "nutpie": nutpie.__version__, "numpy": np.__version__}


def run(name: str, compiled: Any, folder: Path, seed: int, alone: bool) -> dict[str, Any]:
    """``nutpie.sample``; and once more without its result object: the sampler alone."""
    options = {"chains": CHAINS, "cores": CORES, "progress_bar": False, "save_warmup": True}
    options.update(draws=DRAWS, tune=TUNE, seed=seed)
    with Clock() as whole:
        idata = nutpie.sample(compiled, **options)
    np.save(folder / f"draws-nutpie-{name}-{seed}.npy", flatten(PROBLEMS[name], idata.posterior))
    steps = int(idata.sample_stats["n_steps"].sum())
    warmup_steps = int(idata.warmup_sample_stats["n_steps"].sum())
    record = {
        "seed": seed,
        "whole": {"cpu": whole.cpu, "wall": whole.wall},
        "steps": steps,
        "warmup_steps": warmup_steps,
        "divergences": int(idata.sample_stats["diverging"].sum()),
    }
    if alone:
        with Clock() as core:
            nutpie.sample(compiled, return_raw_trace=True, **options)
        record["core"] = {"cpu": core.cpu, "wall": core.wall, "gradients": steps + warmup_steps}
    return record


def measure(name: str, folder: Path, number: int) -> dict[str, Any]:
    """Compile, time the gradient, sample."""
    problem = PROBLEMS[name]
    model = problem.build(pm)
    with Clock() as compiling:
        compiled = nutpie.compile_pymc_model(model)
    gradient = time_density(
        folder, compiled.compiled_logp_func.address, compiled.user_data.ctypes.data, problem.size
    )
    nutpie.sample(compiled, draws=10, tune=20, seed=1, progress_bar=False)  # code paths warm
    return {
        "compile": {"cpu": compiling.cpu, "wall": compiling.wall},
        "gradient": gradient,
        "runs": [
            run(name, compiled, folder, seed, alone=i < 3)
            for i, seed in enumerate(worker.seeds(number))
        ],
    }


if __name__ == "__main__":
    # Lazily imported parts are not charged to the first problem.
    nutpie.compile_pymc_model(_models.ab_test(pm, 10, 1, 2, 3, 4))
    worker.main(measure, versions)
