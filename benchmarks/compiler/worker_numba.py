"""Time numba through PyMC and PyTensor. Run by ``benchmarks.compiler``."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor

from benchmarks.compiler import worker
from benchmarks.compiler.problems import PROBLEMS
from benchmarks.problems import test_point


def measure(name: str, folder: Path) -> dict[str, Any]:
    """By calls of PyTensor's function, which is how PyMC's own samplers use it."""
    model = PROBLEMS[name].build(pm)
    start = time.process_time()
    function = model.logp_dlogp_function(mode="NUMBA", ravel_inputs=True, initial_point=None)
    function.set_extra_values({})
    x = test_point(PROBLEMS[name].size)
    _, slope = function(x)
    ms = 1e3 * (time.process_time() - start)
    spent = []
    begin = time.process_time()
    function(x)
    repeats = max(3, int(2e-2 / max(1e-6, time.process_time() - begin)))
    for _ in range(7):
        begin = time.process_time()
        for _ in range(repeats):
            function(x)
        spent.append((time.process_time() - begin) / repeats)
    slope = np.asarray(slope)
    return {"us": 1e6 * statistics.median(spent), "ms": ms, "dlogp": slope.tolist()}


if __name__ == "__main__":
    worker.main(measure, lambda: {"pymc": pm.__version__, "pytensor": pytensor.__version__})
