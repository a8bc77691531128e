"""Time the hand-written C. Run by ``benchmarks.compiler``."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compiler import worker
from benchmarks.compiler.problems import PROBLEMS, ROOT
from benchmarks.native import UNROLLED, time_density

STRICT = ["-O3", "-march=native", "-fno-math-errno", "-std=gnu11", "-fPIC", "-shared"]
BUILDS = {
    "strict": STRICT,
    "fast": [*STRICT, "-ffast-math"],
    "unrolled": [*STRICT, "-ffast-math", *UNROLLED],
}


def measure(name: str, folder: Path) -> dict[str, Any] | None:
    """The best of the builds."""
    problem = PROBLEMS[name]
    if problem.c is None or problem.c_data is None:
        return None
    source = ROOT / "benchmarks" / problem.c
    arrays = [np.ascontiguousarray(array) for array in problem.c_data()]
    table = np.array([array.ctypes.data for array in arrays], dtype=np.uintp)
    include = ["-I", str(ROOT / "benchmarks" / "c"), *(f"-D{text}" for text in problem.defines)]
    found, milliseconds = {}, {}
    for build, flags in BUILDS.items():
        library = folder / f"{name}-{build}.so"
        start = _children()
        compiler = shutil.which("gcc") or "cc"
        files = [str(source), "-o", str(library)]
        subprocess.run([compiler, *flags, *include, *files, "-lm"], check=True)
        milliseconds[build] = 1e3 * (_children() - start)
        function = getattr(ctypes.CDLL(str(library)), source.stem)
        address = ctypes.cast(function, ctypes.c_void_p).value or 0
        found[build] = time_density(folder, address, table.ctypes.data, problem.size, 3)
    best = min(found, key=lambda build: found[build]["us"])
    times = {build: record["us"] for build, record in found.items()}
    result = {**found[best], "build": best, "builds": times, "ms": milliseconds[best]}
    if problem.matrix_bytes > 1 << 25:
        result["read_us"] = _read(arrays[0])
    return result


def _children() -> float:
    """CPU seconds of the child processes so far."""
    spent = os.times()
    return spent.children_user + spent.children_system


def _read(matrix: np.ndarray) -> float:
    """Microseconds to read a matrix once from memory."""
    flat, spent = matrix.reshape(-1), []
    for _ in range(9):
        start = time.thread_time()
        flat.max()
        spent.append(time.thread_time() - start)
    return 1e6 * min(spent)


if __name__ == "__main__":
    worker.main(measure)
