"""Compiled helpers of the sampler's tests: densities in C, and the core behind a C interface."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from finetti import _core

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "native"
MUTANTS = (
    "ACCEPT_SIGN",
    "NO_CROSS_CHECK",
    "NO_WELFORD",
    "ONE_KICK",
    "KEEP_ADAPTING",
    "MOMENTUM_SCALE",
)


def compile_shared(compilers: tuple[str, ...], source: Path, target: Path, *flags: str) -> Path:
    """A shared library from one C or C++ file, with the first compiler that exists."""
    compiler = next(path for name in compilers if (path := shutil.which(name)))
    command = [
        compiler,
        "-shared",
        "-fPIC",
        "-ffp-contract=off",
        *flags,
        "-o",
        str(target),
        str(source),
        "-lm",
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return target


class Densities:
    """Addresses of the functions in native/tests/densities.c."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))

    def __getitem__(self, name: str) -> int:
        return ctypes.cast(getattr(self._library, name), ctypes.c_void_p).value or 0


def prepare(
    densities: Densities, name: str, data: Any, initial: Any, seed: int, **config: Any
) -> _core.NutsRun:
    """A run that has not started; the chains share a data block, which no density here writes."""
    settings = _core.NutsConfig()
    for key, value in config.items():
        setattr(settings, key, value)
    block = np.atleast_1d(np.asarray(data, dtype=np.float64))
    initial = np.ascontiguousarray(initial, dtype=np.float64)
    addresses = [block.ctypes.data] * len(initial)
    return _core.NutsRun(settings, densities[name], addresses, initial, seed, block)


class SampleRequest(ctypes.Structure):
    _fields_ = (
        ("function", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("dimension", ctypes.c_size_t),
        ("chains", ctypes.c_size_t),
        ("cores", ctypes.c_size_t),
        ("seed", ctypes.c_uint64),
        ("draws", ctypes.c_int64),
        ("tune", ctypes.c_int64),
        ("step", ctypes.c_double),
        ("step_size_jitter", ctypes.c_double),
    )


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class Harness:
    """The core compiled from native/tests/harness.cpp, whole or with one mutation."""

    def __init__(self, library: Path, densities: Densities) -> None:
        self.library = ctypes.CDLL(str(library))
        self.library.harness_dual_averaging.restype = ctypes.c_double
        self.densities = densities

    def sample(
        self,
        name: str,
        data: Any,
        initial: np.ndarray,
        *,
        draws: int,
        tune: int = 0,
        step: float = 0.0,
        seed: int = 1,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draws [chains, draws, n], leapfrogs and step sizes [chains, draws].

        A step > 0 is kept, with the identity metric.
        """
        block = np.atleast_1d(np.asarray(data, dtype=np.float64))
        initial = np.ascontiguousarray(initial, dtype=np.float64)
        chains, dimension = initial.shape
        request = SampleRequest(
            self.densities[name],
            block.ctypes.data,
            dimension,
            chains,
            2,
            seed,
            draws,
            tune,
            step,
            0.0,
        )
        values = np.empty((chains, draws, dimension))
        steps = np.empty((chains, draws), dtype=np.int64)
        sizes = np.empty((chains, draws))
        failed = self.library.harness_sample(
            ctypes.byref(request), pointer(initial), pointer(values), pointer(steps), pointer(sizes)
        )
        assert failed == 0
        return values, steps, sizes

    def leapfrog(
        self,
        name: str,
        data: Any,
        variance: np.ndarray,
        epsilon: float,
        steps: int,
        x: np.ndarray,
        p: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Position, momentum and the energies on the way, after `steps` leapfrogs."""
        block = np.atleast_1d(np.asarray(data, dtype=np.float64))
        x, p, variance = (np.array(a, dtype=np.float64) for a in (x, p, variance))
        energies = np.empty(steps + 1)
        self.library.harness_leapfrog(
            ctypes.c_void_p(self.densities[name]),
            pointer(block),
            ctypes.c_size_t(len(x)),
            pointer(variance),
            ctypes.c_double(epsilon),
            ctypes.c_size_t(steps),
            pointer(x),
            pointer(p),
            pointer(energies),
        )
        return x, p, energies

    def dense_leapfrog(
        self,
        name: str,
        data: Any,
        variance: np.ndarray,
        index: Any,
        matrix: np.ndarray,
        epsilon: float,
        steps: int,
        x: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`steps` leapfrogs there and back: (x, p) before and after, and the energies.

        The elements `index` have the inverse mass `matrix`, the others `variance`.
        """
        block = np.atleast_1d(np.asarray(data, dtype=np.float64))
        x, variance, matrix = (np.array(a, dtype=np.float64) for a in (x, variance, matrix))
        places = np.array(index, dtype=np.uintp)
        start, end = np.empty((2, len(x))), np.empty((2, len(x)))
        energies = np.empty(2 * steps + 1)
        self.library.harness_dense_leapfrog(
            ctypes.c_void_p(self.densities[name]),
            pointer(block),
            ctypes.c_size_t(len(x)),
            pointer(variance),
            ctypes.c_size_t(len(places)),
            pointer(places),
            pointer(matrix),
            ctypes.c_double(epsilon),
            ctypes.c_size_t(steps),
            *map(pointer, (x, start, end, energies)),
        )
        return start, end, energies

    def dense_fit(self, x: np.ndarray, g: np.ndarray, regularize: bool = True) -> np.ndarray | None:
        """The matrix of a dense block by draws x and scores g [rows, n]."""
        x, g = np.ascontiguousarray(x), np.ascontiguousarray(g)
        rows, n = x.shape
        matrix = np.empty((n, n))
        found = self.library.harness_dense_fit(
            ctypes.c_size_t(rows), ctypes.c_size_t(n), pointer(x), pointer(g),
            ctypes.c_int(regularize), pointer(matrix),
        )  # fmt: skip
        return matrix if found else None

    def dense_momenta(self, matrix: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Momenta and velocities [rows, n] of a dense block."""
        n = len(matrix)
        p, v = np.empty((rows, n)), np.empty((rows, n))
        matrix = np.ascontiguousarray(matrix)
        self.library.harness_dense_momenta(
            ctypes.c_size_t(n), pointer(matrix), ctypes.c_size_t(rows), pointer(p), pointer(v)
        )
        return p, v

    def moments(self, x: np.ndarray, g: np.ndarray) -> dict[str, np.ndarray]:
        """Running moments of draws x and scores g [rows, n], and the metric they give."""
        x, g = np.ascontiguousarray(x), np.ascontiguousarray(g)
        rows, n = x.shape
        out = {name: np.empty(n) for name in ("mean_x", "squares_x", "variance", "mean")}
        self.library.harness_moments(
            ctypes.c_size_t(rows),
            ctypes.c_size_t(n),
            pointer(x),
            pointer(g),
            *map(pointer, out.values()),
        )
        return out

    def initial_metric(self, x: np.ndarray, g: np.ndarray) -> np.ndarray:
        x, g = np.asarray(x, dtype=np.float64), np.asarray(g, dtype=np.float64)
        variance = np.empty(len(x))
        self.library.harness_initial_metric(
            ctypes.c_size_t(len(x)), pointer(x), pointer(g), pointer(variance)
        )
        return variance

    def schedule(self, tune: int) -> np.ndarray:
        decisions = np.empty(tune, dtype=np.int32)
        self.library.harness_schedule(ctypes.c_int64(tune), pointer(decisions))
        return decisions

    def dual_averaging(self, target: float, scale: float, updates: int) -> float:
        return self.library.harness_dual_averaging(
            ctypes.c_double(target), ctypes.c_double(scale), ctypes.c_int64(updates)
        )
