"""Run the benchmarks and write ``benchmarks/RESULTS.md``.

``FINETTI_PEERS_PYTHON=/path/to/venv/bin/python python -m benchmarks [--rounds 5] [--cold 3]``

The peers (the ``compare`` extra) live in an environment of their own; without the variable only
finetti and the hand-written C run. A round starts every competitor once, in a new process and in
an order that rotates, with the round's seed; figures are medians over the rounds, so a slow spell
of the machine hits all of them. CPU seconds count every thread of a process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import native, report
from benchmarks.problems import PROBLEMS, ROOT

IMPORTS = {
    "import numpy": "finetti",
    "import finetti": "finetti",
    report.FINETTI_USED: "finetti",
    "import pymc": "nutpie",
    "import numpyro": "numpyro",
}


def environment() -> dict[str, str]:
    """The children's: byte code may be cached, and this checkout is importable."""
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    variables["PYTHONPATH"] = os.pathsep.join(
        [str(ROOT), *filter(None, [variables.get("PYTHONPATH")])]
    )
    return variables


def timed(command: list[str]) -> dict[str, float]:
    """Wall and CPU seconds and peak resident MB of a child process."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env=environment(), cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        if child.returncode:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-3000:])
            raise RuntimeError(f"{' '.join(command)} failed")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024}


def attempt(command: list[str]) -> dict[str, float] | None:
    """``timed``; where a peer fails None and a note, but finetti has to work."""
    try:
        return timed(command)
    except RuntimeError as error:
        if command[0] == sys.executable:
            raise SystemExit(f"benchmarks: {error}; nothing is written") from None
        print(error, flush=True)
        return None


def interpreters() -> dict[str, str]:
    """Python of each competitor; those without an environment are left out."""
    found = {"c": sys.executable, "finetti": sys.executable}
    peers = os.environ.get("FINETTI_PEERS_PYTHON")
    if peers:
        found.update(nutpie=peers, numpyro=peers)
    else:
        print("FINETTI_PEERS_PYTHON is not set: no PyMC, nutpie or NumPyro", flush=True)
    return found


def rotate(items: list[Any], by: int) -> list[Any]:
    """A cyclic shift, so that nobody always runs first."""
    by %= len(items)
    return items[by:] + items[:by]


def read(name: str, output: Path) -> dict[str, Any]:
    """What a worker wrote; a problem that failed is left out, unless it is finetti's."""
    record = json.loads(output.read_text())
    failed = {p: record[p]["error"] for p in PROBLEMS if "error" in record[p]}
    if failed and name in ("finetti", "c"):
        raise SystemExit(f"benchmarks: {name} failed: {failed}; nothing is written")
    if failed:
        print(f"{name} failed: {failed}", flush=True)
    return record


def run_rounds(pythons: dict[str, str], folder: Path, rounds: int) -> dict[str, list[Any]]:
    """Workers of every competitor, ``rounds`` times."""
    results: dict[str, list[Any]] = {name: [] for name in pythons}
    for number in range(rounds):
        for name in rotate(list(pythons), number):
            output = folder / f"{name}-{number}.json"
            command = [
                pythons[name],
                "-m",
                f"benchmarks.worker_{name}",
                str(folder),
                str(number + 1),
                str(output),
            ]
            spent = attempt(command)
            if spent:
                results[name].append(read(name, output))
                print(f"round {number + 1}: {name} {spent['wall']:.0f} s", flush=True)
    return results


def run_cold(pythons: dict[str, str], repeats: int) -> dict[str, dict[str, list[Any]]]:
    """Whole processes from import to printed summary; a first run fills the caches."""
    commands = {"finetti": ["-m", "benchmarks.cold_pymc", "finetti"]}
    if "nutpie" in pythons:
        commands["nutpie"] = ["-m", "benchmarks.cold_pymc", "pymc"]
        commands["numpyro"] = ["-m", "benchmarks.cold_numpyro"]
    results: dict[str, dict[str, list[Any]]] = {name: {} for name in commands}
    for problem in PROBLEMS:
        for number in range(repeats + 1):
            for name in rotate(list(commands), number):
                spent = attempt([pythons[name], *commands[name], problem])
                if spent and number:
                    results[name].setdefault(problem, []).append(spent)
        print("cold:", problem, flush=True)
    return results


def run_imports(pythons: dict[str, str], repeats: int = 7) -> dict[str, list[Any]]:
    """CPU of ``import X`` in a new process, the interpreter's start included."""
    results: dict[str, list[Any]] = {}
    for number in range(repeats + 1):
        for code, who in IMPORTS.items():
            spent = attempt([pythons[who], "-c", code]) if who in pythons else None
            if spent and number:
                results.setdefault(code, []).append(spent)
    return results


def effective_sizes(pythons: dict[str, str], folder: Path) -> dict[str, float]:
    """Smallest bulk ESS of every saved set of draws, by arviz-stats."""
    if "nutpie" not in pythons:
        return {}
    attempt([pythons["nutpie"], "-m", "benchmarks.ess", str(folder)])
    file = folder / "ess.json"
    return json.loads(file.read_text()) if file.exists() else {}


def main() -> None:
    """Entry point of ``python -m benchmarks``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of every worker")
    parser.add_argument("--cold", type=int, default=3, help="timed cold processes a problem")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "RESULTS.md")
    parser.add_argument("--raw", type=Path, help="also write every measurement as JSON")
    options = parser.parse_args()
    pythons, start, load = interpreters(), time.perf_counter(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="finetti-bench-") as name:
        folder = Path(name)
        native.build(folder)
        raw = {
            "imports": run_imports(pythons),
            "rounds": run_rounds(pythons, folder, options.rounds),
            "cold": run_cold(pythons, options.cold),
            "ess": effective_sizes(pythons, folder),
        }
    raw.update(minutes=(time.perf_counter() - start) / 60, load=load)
    if options.raw:
        options.raw.write_text(json.dumps(raw))
    report.check_agreement(raw)
    options.output.write_text(report.render(raw))
    print(f"wrote {options.output} after {raw['minutes']:.1f} minutes")
