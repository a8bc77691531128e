"""`import finetti` costs NumPy and little else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import finetti

HEAVY = {
    "arviz", "jax", "llvmlite", "matplotlib", "pandas", "scipy", "xarray",
    # of the standard library: each costs milliseconds that most runs never need
    "asyncio", "concurrent", "multiprocessing", "sqlite3", "unittest",
}  # fmt: skip
REPORT = """
import json, sys
{first}
before = set(sys.modules)
{statement}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded(statement: str, first: str = "import numpy") -> list[str]:
    """Modules that a statement brings into a fresh process beyond NumPy's own."""
    code = REPORT.format(first=first, statement=statement)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


def heavy(names: list[str]) -> set[str]:
    return HEAVY & {name.partition(".")[0] for name in names}


def test_import_loads_nothing_heavy() -> None:
    names = loaded("import finetti")
    assert "finetti" in names
    assert heavy(names) == set()


def test_import_brings_only_our_own_and_the_standard_library() -> None:
    known = sys.stdlib_module_names | {"finetti", "numpy"}
    foreign = {name.partition(".")[0] for name in loaded("import finetti")} - known
    assert foreign == set()


@pytest.mark.parametrize("statement", ["import finetti.errors", "import finetti.cli"])
def test_parts_load_nothing_heavy_either(statement: str) -> None:
    assert heavy(loaded(statement)) == set()


def test_building_a_model_needs_no_xarray_pandas_or_matplotlib() -> None:
    build = """
import finetti as pm
with pm.Model() as model:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=[1.0, 2.0])
"""
    assert heavy(loaded(build)) <= {"scipy", "llvmlite"}


def test_star_import_takes_the_public_names() -> None:
    code = """
import finetti
names = {}
exec("from finetti import *", names)
missing = set(finetti.__all__) - set(names)
assert not missing, missing
"""
    loaded(code, first="")


def test_every_source_file_is_installed() -> None:
    source = Path(__file__).resolve().parent.parent / "src" / "finetti"
    installed = Path(finetti.__file__).parent
    names = [
        path.relative_to(source) for path in source.rglob("*") if "__pycache__" not in str(path)
    ]
    assert [name for name in names if not (installed / name).exists()] == []
    assert (installed / "py.typed").exists()
