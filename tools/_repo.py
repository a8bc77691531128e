"""What the checks in this folder share: where things are, how a finding looks."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "finetti"


def python_files(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file below a folder, in order, with its syntax tree."""
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"), str(path))


def relative(path: Path) -> str:
    """A path as the repository writes it."""
    return path.resolve().relative_to(ROOT).as_posix()


def report(name: str, findings: Iterable[str], looked_at: str) -> int:
    """Print the findings, or that there are none; returns the exit status."""
    lines = list(findings)
    for line in lines:
        print(line)
    if lines:
        print(f"{name}: {len(lines)} findings", file=sys.stderr)
        return 1
    print(f"{name}: {looked_at}, no findings")
    return 0
