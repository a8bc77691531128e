"""What the workers of all competitors have in common."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.compiler.problems import PROBLEMS

Measure = Callable[[str, Path], dict[str, Any] | None]


def main(measure: Measure, versions: Callable[[], dict[str, str]] = dict) -> None:
    """``python -m benchmarks.compiler.worker_x FOLDER OUTPUT NAMES``: one JSON file."""
    folder, output, names = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(",")
    results: dict[str, Any] = {"versions": versions()}
    for name in names:
        assert name in PROBLEMS
        try:
            results[name] = measure(name, folder)
        except Exception as error:  # noqa: BLE001  one failing problem must not hide the others
            traceback.print_exc()
            results[name] = {"error": f"{type(error).__name__}: {error}"}
        output.write_text(json.dumps(results))
