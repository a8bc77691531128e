"""The NumPyro dialect against NumPyro, and write ``benchmarks/NUMPYRO.md``.

``FINETTI_PEERS_PYTHON=... FINETTI_JAX_PYTHON=... python -m benchmarks.numpyro [--only NAME ...]``

The first variable names an environment with NumPyro and arviz-stats, the second one with JAX and
finetti (this Python by default). Both run the same files: `programs.py` as a user's script, and
`measure.py`. NumPyro's way to run chains is the fastest of its three, found model by model in a
first pass. In every round the two take turns, in an order that changes, with the round's seed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.numpyro import report
from benchmarks.problems import ROOT
from benchmarks.run import environment, rotate, timed

HERE = Path(__file__).parent
METHODS = ["parallel", "vectorized", "sequential"]
OWN = "parallel"  # finetti runs chains on threads; the method changes nothing but "sequential"
NAMES = re.findall(r"^@program.*\ndef (\w+)", (HERE / "programs.py").read_text(), re.MULTILINE)


def commands() -> dict[str, list[str]]:
    """How each of the two runs a script."""
    peers = os.environ.get("FINETTI_PEERS_PYTHON")
    if not peers:
        raise SystemExit("benchmarks: FINETTI_PEERS_PYTHON is not set; it runs NumPyro")
    own = os.environ.get("FINETTI_JAX_PYTHON", sys.executable)
    return {"finetti": [own, "-m", "finetti", "run"], "numpyro": [peers]}


def script(who: str, file: str, *arguments: object) -> dict[str, float]:
    """Run a script to its end, without anything compiled by an earlier process."""
    cache = tempfile.mkdtemp(prefix="finetti-cache-")
    os.environ["FINETTI_CACHE_DIR"] = cache
    try:
        return timed([*commands()[who], str(HERE / file), *map(str, arguments)])
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def fastest_methods(names: list[str]) -> dict[str, dict[str, float]]:
    """Seconds of a whole process of NumPyro by its methods; the slower ones are not waited for."""
    table: dict[str, dict[str, float]] = {}
    for name in names:
        table[name] = {}
        for method in METHODS:
            command = [*commands()["numpyro"], str(HERE / "programs.py"), name, method]
            start, best = time.perf_counter(), min(table[name].values(), default=None)
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(command, env=environment(), check=True, timeout=best,
                               capture_output=True)  # fmt: skip
                table[name][method] = time.perf_counter() - start
        print(f"methods: {name}: {table[name]}", flush=True)
    return table


def run_round(number: int, methods: dict[str, str], folder: Path) -> dict[str, Any]:
    """Each model once by both: a whole process, and the measurements inside of one."""
    found: dict[str, Any] = {}
    for name, best in methods.items():
        for who in rotate(["finetti", "numpyro"], number):
            method = OWN if who == "finetti" else best
            spent = script(who, "programs.py", name, method)
            script(who, "measure.py", name, method, number + 1, folder)
            measured = json.loads((folder / f"{who}-{name}-{number + 1}.json").read_text())
            found.setdefault(name, {})[who] = {"cold": spent, **measured}
        print(f"round {number + 1}: {name}", flush=True)
    return found


def imports(repeats: int = 5) -> dict[str, list[Any]]:
    """The imports alone, interpreter included."""
    lines = {
        "finetti": ["import jax", "import jax.numpy", "import finetti.numpyro"],
        "numpyro": ["import jax.numpy", "import numpyro"],
    }
    found: dict[str, list[Any]] = {}
    for number in range(repeats + 1):
        for who, codes in lines.items():
            for code in codes:
                spent = timed([commands()[who][0], "-c", code])
                if number:
                    label = f"`{code}`" + ("" if who == "finetti" else ", NumPyro's environment")
                    found.setdefault(label, []).append(spent)
    return found


def main() -> None:
    """Entry point of ``python -m benchmarks.numpyro``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.numpyro", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--method", choices=METHODS, help="NumPyro's; by default the fastest")
    parser.add_argument("--output", type=Path, help="by default NUMPYRO.md if all are run")
    parser.add_argument("--raw", type=Path, help="also write every measurement as JSON")
    options = parser.parse_args()
    start, load = time.perf_counter(), os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="finetti-bench-") as directory:
        folder = Path(directory)
        table = {} if options.method else fastest_methods(options.only)
        best = {n: min(t, key=t.get) for n, t in table.items()}
        methods = {name: options.method or best[name] for name in options.only}
        rounds = [run_round(number, methods, folder) for number in range(options.rounds)]
        timed([commands()["numpyro"][0], str(HERE / "judge.py"), str(folder)])
        judged = json.loads((folder / "judged.json").read_text())
    raw = {
        "rounds": rounds, "methods": methods, "imports": imports(), **judged, "calibration": table,
        "load": [load[0], os.getloadavg()[0]], "minutes": (time.perf_counter() - start) / 60,
    }  # fmt: skip
    if options.raw:
        options.raw.write_text(json.dumps(raw))
    text = report.render(raw)
    print(text)
    output = options.output
    if output is None and options.only == NAMES:
        output = ROOT / "benchmarks" / "NUMPYRO.md"
    if output is not None:
        output.write_text(text)
