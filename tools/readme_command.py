"""Print a command of README.md, so that CI runs exactly what a reader copies.

Usage: python tools/readme_command.py {run,test}
"""

from __future__ import annotations

import sys

from _repo import ROOT
from check_docs import blocks

# What tells a command: a word that only its line in a ```sh block has.
MARKS = {"run": "finetti run examples/ab_test.py", "test": "pytest"}


def command(which: str) -> str:
    """The one line of a ```sh block in README.md that holds the mark."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [
        line.strip()
        for block in blocks(text)
        if block.language == "sh"
        for line in block.text.splitlines()
        if MARKS[which] in line
    ]
    if len(lines) != 1:
        raise SystemExit(f"README.md has {len(lines)} commands with {MARKS[which]!r}, expected 1")
    return lines[0]


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in MARKS:
        raise SystemExit(__doc__)
    print(command(sys.argv[1]))
