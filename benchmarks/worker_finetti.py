"""Time finetti. Run by ``benchmarks.run``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

import finetti as pm
from benchmarks import worker
from benchmarks.native import Clock, time_density
from benchmarks.problems import CHAINS, CORES, DRAWS, PROBLEMS, TUNE, _models, flatten
from finetti import _core
from finetti.model.compile import CompiledDensity, compile_density


def versions() -> dict[str, str]:
    return {"finetti": pm.__version__, "numpy": np.__version__}


def time_cached(model: Any, folder: Path) -> dict[str, float]:
    """The same compile when its machine code is already on disk."""
    os.environ.update(FINETTI_CACHE="1", FINETTI_CACHE_DIR=str(folder / "cache"))
    compile_density(model)
    with Clock() as clock:
        compile_density(model)
    os.environ["FINETTI_CACHE"] = "0"
    return {"cpu": clock.cpu, "wall": clock.wall}


def run_core(density: CompiledDensity, start: np.ndarray, seed: int) -> dict[str, Any]:
    """The C++ sampler alone: no compile, no result object; and every gradient it took."""
    config = _core.NutsConfig()
    config.draws, config.tune = DRAWS, TUNE
    blocks = [density.new_block() for _ in range(CHAINS)]
    addresses = [block.address for block in blocks]
    points = np.tile(start, (CHAINS, 1))
    with Clock() as clock:
        run = _core.NutsRun(config, density.fn_address, addresses, points, seed, (density, blocks))
        run.start(CORES)
        run.join(-1.0)
    return {"cpu": clock.cpu, "wall": clock.wall, "gradients": int(sum(run.gradients))}


def run_whole(name: str, model: Any, folder: Path, seed: int) -> dict[str, Any]:
    """``pm.sample`` as users call it, and its draws on disk."""
    options = {"chains": CHAINS, "cores": CORES, "progressbar": False, "quiet": True}
    with Clock() as clock:
        idata = pm.sample(
            DRAWS, tune=TUNE, random_seed=seed, discard_tuned_samples=False, model=model, **options
        )
    np.save(folder / f"draws-finetti-{name}-{seed}.npy", flatten(PROBLEMS[name], idata.posterior))
    return {
        "seed": seed,
        "whole": {"cpu": clock.cpu, "wall": clock.wall},
        "steps": int(idata.sample_stats["n_steps"].sum()),
        "warmup_steps": int(idata.warmup_sample_stats["n_steps"].sum()),
        "divergences": int(idata.sample_stats["diverging"].sum()),
    }


def measure(name: str, folder: Path, number: int) -> dict[str, Any]:
    """Compile, time the gradient, sample."""
    problem = PROBLEMS[name]
    model = problem.build(pm)
    with Clock() as compiling:
        density = compile_density(model)
    cached = time_cached(problem.build(pm), folder)
    block = density.new_block()
    gradient = time_density(folder, density.fn_address, block.address, problem.size)
    start = density.layout.pack(model.initial_point())
    pm.sample(10, tune=20, random_seed=1, quiet=True, model=model)  # imports and code paths warm
    return {
        "compile": {"cpu": compiling.cpu, "wall": compiling.wall},
        "cached": cached,
        "gradient": gradient,
        "runs": [
            {**run_whole(name, model, folder, seed), "core": run_core(density, start, seed)}
            for seed in worker.seeds(number)
        ],
    }


if __name__ == "__main__":
    os.environ["FINETTI_CACHE"] = "0"
    # Lazily imported parts are not charged to the first problem.
    compile_density(_models.ab_test(pm, 10, 1, 2, 3, 4))
    worker.main(measure, versions)
