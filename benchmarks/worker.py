"""What the workers of all competitors have in common."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.problems import PROBLEMS, SEEDS_PER_ROUND

Measure = Callable[[str, Path, int], dict[str, Any]]


def main(measure: Measure, versions: Callable[[], dict[str, str]] = dict) -> None:
    """``python -m benchmarks.worker_x FOLDER ROUND OUTPUT``: every problem, one JSON file."""
    folder, number, output = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    results: dict[str, Any] = {"versions": versions()}
    for name in PROBLEMS:
        try:
            results[name] = measure(name, folder, number)
        except Exception as error:  # noqa: BLE001  one failing problem must not hide the others
            traceback.print_exc()
            results[name] = {"error": f"{type(error).__name__}: {error}"}
    output.write_text(json.dumps(results))


def seeds(number: int) -> list[int]:
    """The seeds of one round."""
    return [100 * number + i for i in range(SEEDS_PER_ROUND)]
