"""Run the compiler's benchmark and write ``benchmarks/COMPILER.md``.

``FINETTI_JAX_PYTHON=... FINETTI_PEERS_PYTHON=... python -m benchmarks.compiler [--only NAME ...]``

XLA runs in the environment that the first variable names, numba (through PyMC) in that of the
second; what is not named is left out. A round starts every competitor once, in a new process and
in an order that rotates; figures are medians over the rounds. Everybody has one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import native
from benchmarks.compiler import report
from benchmarks.compiler.problems import PROBLEMS, ROOT
from benchmarks.run import attempt, rotate

# One thread for everybody, as one chain has; and nothing compiled in an earlier process.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "PYTENSOR_FLAGS": "numba__cache=False",
    "FINETTI_CACHE": "0",
}


def interpreters() -> dict[str, str]:
    """Python of each competitor; those without an environment are left out."""
    found = {"c": sys.executable, "finetti": sys.executable}
    for who, variable in (("xla", "FINETTI_JAX_PYTHON"), ("numba", "FINETTI_PEERS_PYTHON")):
        if os.environ.get(variable):
            found[who] = os.environ[variable]
        else:
            print(f"{variable} is not set: no {who}", flush=True)
    return found


def run_rounds(folder: Path, names: list[str], rounds: int) -> dict[str, list[Any]]:
    """Workers of every competitor, `rounds` times."""
    pythons = interpreters()
    results: dict[str, list[Any]] = {who: [] for who in pythons}
    for number in range(rounds):
        for who in rotate(list(pythons), number):
            output = folder / f"{who}-{number}.json"
            module = f"benchmarks.compiler.worker_{who}"
            spent = attempt([pythons[who], "-m", module, str(folder), str(output), ",".join(names)])
            if spent:
                results[who].append(json.loads(output.read_text()))
                print(f"round {number + 1}: {who} {spent['wall']:.0f} s", flush=True)
    return results


def main() -> None:
    """Entry point of ``python -m benchmarks.compiler``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiler", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS))
    parser.add_argument("--output", type=Path, help="by default COMPILER.md if all are run")
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT)
    with tempfile.TemporaryDirectory(prefix="finetti-bench-") as name:
        folder = Path(name)
        source, target = native.HERE / "driver.c", folder / "driver.so"
        command = ["gcc", *native.DRIVER_FLAGS, str(source), "-o", str(target), "-lm"]
        subprocess.run(command, check=True)
        results = run_rounds(folder, options.only, options.rounds)
    text = report.render(results, options.only)
    print(text)
    output = options.output
    if output is None and options.only == list(PROBLEMS):
        output = ROOT / "benchmarks" / "COMPILER.md"
    if output is not None:
        output.write_text(text)
    report.check_agreement(results, options.only)
