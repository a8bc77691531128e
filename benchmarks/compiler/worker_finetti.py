"""Time finetti. Run by ``benchmarks.compiler``."""

from __future__ import annotations

import ctypes
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from finetti._core import row_threads

import finetti as pm
from benchmarks.compiler import worker
from benchmarks.compiler.problems import PROBLEMS
from benchmarks.native import DENSITY, Clock, time_density
from benchmarks.problems import test_point
from finetti.model.compile import build_density, compile_density


def time_threads(function: int, data: int, size: int) -> dict[str, float]:
    """Wall microseconds a call (the best of 30 in turns) on one and on two threads."""
    x, gradient, logp = test_point(size), np.empty(size), ctypes.c_double()
    pointers = (x.ctypes.data, gradient.ctypes.data, ctypes.addressof(logp), data)
    best = {1: float("inf"), 2: float("inf")}
    for _ in range(30):
        for threads in best:
            row_threads(threads)
            with Clock() as clock:
                for _ in range(10):
                    DENSITY(function)(size, *pointers)
            best[threads] = min(best[threads], 1e5 * clock.wall)
    row_threads(0)
    return {"one_us": best[1], "two_us": best[2]}


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Compile three times, keep the median; time the gradient."""
    model = PROBLEMS[name].build(pm)
    spent = []
    for _ in range(3):
        start = time.thread_time()
        graph = build_density(model)
        built = time.thread_time()
        compiled = compile_density(model, density=graph)
        spent.append((1e3 * (time.thread_time() - start), 1e3 * (built - start)))
    block = compiled.new_block()
    result = time_density(folder, compiled.fn_address, block.address, compiled.n, 3)
    function = compiled.function
    if function.is_cut:
        result |= time_threads(compiled.fn_address, block.address, compiled.n)
    return {
        **result,
        "ms": statistics.median(ms for ms, _ in spent),
        "graph_ms": statistics.median(ms for _, ms in spent),
        "stages": function.timings,
        "bytes": len(function._linked.object_bytes),
        "data_bytes": int(function._constants.nbytes),
    }


if __name__ == "__main__":
    os.environ["FINETTI_CACHE"] = "0"
    # Lazily imported parts are not charged to the first problem.
    compile_density(PROBLEMS["radon"].build(pm))
    worker.main(measure, lambda: {"finetti": pm.__version__})
