"""docs/operations.md says what the records say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_table_of_operations_is_up_to_date() -> None:
    # In a process of its own: other tests may register operations.
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_coverage.py"), "--check"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_empty_cell_has_its_reason() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "no reason given" not in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    for row in rows:
        assert ("-" in row[1:5]) == (row[-1].strip(" |") != ""), row
