"""Time compiled densities in one native loop, whoever compiled them."""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks.problems import PROBLEMS, test_point

HERE = Path(__file__).parent / "c"
DRIVER_FLAGS = ["-O2", "-std=gnu11", "-fPIC", "-shared"]
MODEL_FLAGS = ["-O3", "-march=native", "-ffast-math", "-std=gnu11", "-fPIC", "-shared"]
# GCC keeps one accumulator a sum unless asked; the benchmark takes the faster build of the two.
UNROLLED = ["-funroll-loops", "-fvariable-expansion-in-unroller"]
DENSITY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_size_t, *([ctypes.c_void_p] * 4))


def build(folder: Path) -> None:
    """Compile the driver and the hand-written models into ``folder``."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise SystemExit("benchmarks: no C compiler (gcc or cc) on the PATH")
    builds = [("driver", "driver", DRIVER_FLAGS)]
    for name in PROBLEMS:
        builds.append((name, name, MODEL_FLAGS))
        builds.append((name, f"{name}-unrolled", MODEL_FLAGS + UNROLLED))
    for source, target, flags in builds:
        files = [str(HERE / f"{source}.c"), "-o", str(folder / f"{target}.so")]
        subprocess.run([compiler, *flags, *files, "-lm"], check=True)


class Clock:
    """Wall and CPU seconds (all threads of the process) of a with-block."""

    def __enter__(self) -> Self:
        self._start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.wall = time.perf_counter() - self._start[0]
        self.cpu = time.process_time() - self._start[1]


def time_density(
    folder: Path, function: int, data: int, size: int, least: int = 200
) -> dict[str, Any]:
    """Microseconds a call (median of 15 loops of about 4 ms), and the value at the test point.

    A loop makes at least `least` calls.
    """
    x = test_point(size)
    gradient, logp = np.empty(size), ctypes.c_double()
    status = DENSITY(function)(
        size, x.ctypes.data, gradient.ctypes.data, ctypes.addressof(logp), data
    )
    if status:
        raise RuntimeError(f"the density returned status {status} at the test point")
    value, slope = logp.value, gradient.tolist()
    loop = ctypes.CDLL(str(folder / "driver.so")).time_density
    loop.restype = ctypes.c_double
    pointers = [x.ctypes.data, gradient.ctypes.data]
    loop.argtypes = [
        *([ctypes.c_void_p] * 2),
        ctypes.c_size_t,
        *([ctypes.c_void_p] * 2),
        ctypes.c_size_t,
    ]
    once = loop(function, data, size, *pointers, least)
    repeats = max(least, int(4e-3 / once))
    seconds = [loop(function, data, size, *pointers, repeats) for _ in range(15)]
    return {"us": statistics.median(seconds) * 1e6, "logp": value, "dlogp": slope}
