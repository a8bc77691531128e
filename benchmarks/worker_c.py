"""Time the hand-written C. Run by ``benchmarks.run``."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import worker
from benchmarks.native import time_density
from benchmarks.problems import PROBLEMS


def measure(name: str, folder: Path, number: int) -> dict[str, Any]:
    """Gradient time only: C has no sampler here."""
    problem = PROBLEMS[name]
    arrays = [np.ascontiguousarray(a) for a in problem.c_data()]
    table = np.array([a.ctypes.data for a in arrays], dtype=np.uintp)
    plain, unrolled = (
        time_density(
            folder, _address(folder / f"{build}.so", name), table.ctypes.data, problem.size
        )
        for build in (name, f"{name}-unrolled")
    )
    best = min(plain, unrolled, key=lambda result: result["us"])
    return {"gradient": best, "plain_us": plain["us"], "unrolled_us": unrolled["us"]}


def _address(library: Path, name: str) -> int:
    return ctypes.cast(getattr(ctypes.CDLL(str(library)), name), ctypes.c_void_p).value or 0


if __name__ == "__main__":
    worker.main(measure)
