"""Read pytest's closing line in a log and print it as `N passed, N failed, N skipped`.

Exits with 1 when no test ran.

Usage: python tools/count_tests.py LOG
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

KINDS = {"passed": "passed", "failed": "failed", "error": "failed", "skipped": "skipped"}


def counts(log: str) -> dict[str, int]:
    """How many tests passed, failed and were skipped, by the last closing line in the log."""
    found = dict.fromkeys(KINDS.values(), 0)
    closing = [line for line in log.splitlines() if re.search(r"\b\d+ \w+.* in [\d.]+s", line)]
    for number, kind in re.findall(r"(\d+) ([a-z]+)", closing[-1] if closing else ""):
        kind = kind.removesuffix("s") if kind == "errors" else kind
        if kind in KINDS:
            found[KINDS[kind]] += int(number)
    return found


if __name__ == "__main__":
    found = counts(Path(sys.argv[1]).read_text(encoding="utf-8", errors="replace"))
    print(", ".join(f"{number} {kind}" for kind, number in found.items()))
    sys.exit(0 if found["passed"] else 1)
