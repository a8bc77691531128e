"""docs/api.md lists exactly the public names, and each of them can be had and is documented.

A name is listed by a line `- `name`: what it is`; several names may share a line.

Usage: python tools/check_api.py
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import finetti
from _repo import ROOT, report

PAGE = ROOT / "docs" / "api.md"
# Plain values have no docstring of their own.
VALUES = (str, bytes, int, float, complex, bool, tuple, list, dict, type(None))


def listed(page: Path) -> list[str]:
    """The names that the page lists."""
    names = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("- `"):
            names += re.findall(r"`([A-Za-z_]\w*)`", line.split(":", 1)[0])
    return names


def check(page: Path, package: ModuleType) -> Iterator[str]:
    """Findings: names missing on the page, gone from the package, or not documented."""
    names, public = Counter(listed(page)), list(getattr(package, "__all__", ()))
    if not public:
        yield f"{package.__name__}.__all__ is empty or missing"
    for name, count in names.items():
        if count > 1:
            yield f"{page.name}: {name} is listed {count} times"
        if name not in public:
            yield f"{page.name}: {name} is not in {package.__name__}.__all__"
    for name in public:
        try:
            value = getattr(package, name)
        except Exception as error:
            yield f"{package.__name__}.{name} cannot be had: {type(error).__name__}: {error}"
            continue
        text = "" if isinstance(value, VALUES) else (getattr(value, "__doc__", None) or "")
        if not text and not isinstance(value, VALUES):
            yield f"{package.__name__}.{name} has no docstring"
        if name not in names:
            first = text.strip().splitlines()[0] if text.strip() else "..."
            yield f"{page.name} misses: - `{name}`: {first}"
        if not set(dir(package)) >= {name}:
            yield f"{package.__name__}.{name} is missing in dir({package.__name__})"


def main() -> int:
    """Run the check; returns the exit status."""
    return report("check_api", check(PAGE, finetti), f"{len(listed(PAGE))} public names")


if __name__ == "__main__":
    sys.exit(main())
