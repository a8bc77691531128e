"""The repository's own rules hold, and the checks that guard them find what they should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / tool), *arguments],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


@pytest.mark.parametrize("tool", ["check_imports.py", "check_size.py", "check_api.py"])
def test_the_repository_keeps_its_rules(tool: str) -> None:
    done = run(tool)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small package of the same name with one module in each of a few parts."""
    files = {
        "__init__.py": "",
        "errors.py": "",
        "ir/__init__.py": "from finetti.errors import x\n",
        "passes/__init__.py": "from finetti import ir\n",
        "model/__init__.py": "",
        "model/compile.py": "from finetti.backends import native, reference\n",
        "backends/__init__.py": "",
        "backends/native/__init__.py": "",
        "dialects/__init__.py": "import finetti\nfrom finetti.model import compile\n",
    }
    for name, text in files.items():
        path = tmp_path / "finetti" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "finetti"


def test_imports_that_point_down_are_fine(package: Path) -> None:
    done = run("check_imports.py", str(package))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "text", "finding"),
    [
        ("ir/up.py", "from finetti.passes import grad\n", "'ir' imports 'passes'"),
        ("ir/up.py", "from ..passes import grad\n", "'ir' imports 'passes'"),
        ("ir/up.py", "import finetti.model\n", "'ir' imports 'model'"),
        ("ir/up.py", "from finetti import sample\n", "the package's public names"),
        ("model/up.py", "from finetti import dialects\n", "'model' imports 'dialects'"),
        ("model/up.py", "from finetti.backends.native import link\n", "the one place"),
        ("ir/late.py", "def f():\n    from finetti import errors\n", "inside a function"),
        ("new/__init__.py", "import finetti.errors\n", "not in the table"),
        ("errors.py", "from finetti import ir\n", "import cycle errors -> ir -> errors"),
    ],
)
def test_imports_that_point_up_are_found(package: Path, name: str, text: str, finding: str) -> None:
    path = package / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    done = run("check_imports.py", str(package))
    assert done.returncode == 1
    assert finding in done.stdout
    assert f"{name}:" in done.stdout or "cycle" in finding


@pytest.mark.parametrize(
    ("page", "finding"),
    [
        ("```python\nx = 1\n```\n\ntext\n\n```python\nassert x == 1\n```\n", None),
        ("```python\nprint(1.5)\n```\n```text\n1...\n```\n", None),
        ("```python\nprint(1.5)\n```\n```text\n2\n```\n", "this block prints"),
        ("line\n\n```python\nok = 1\nmissing\n```\n", 'page.md", line 5'),
        ("```python no-run\nraise SystemExit\n```\n", None),
        ("```python no-run\nx = (\n```\n", "SyntaxError"),
        ("```python\nimport sys; sys.exit(0)\n```\n", "SystemExit"),
    ],
)
def test_blocks_of_a_page_are_run(tmp_path: Path, page: str, finding: str | None) -> None:
    path = tmp_path / "page.md"
    path.write_text(page)
    done = run("check_docs.py", "--run", str(path))
    assert (done.returncode == 0) == (finding is None), done.stdout
    assert finding is None or finding in done.stdout


def test_readme_has_one_command_to_run_and_one_to_test() -> None:
    for which, start in (("run", "pip install . &&"), ("test", "pip install '.[test]' &&")):
        done = run("readme_command.py", which)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(start)


def test_random_graphs_are_compared_and_counted() -> None:
    done = run(
        "stress_graphs.py", "--graphs", "2", "--nodes", "30", "--without-jax", "--least", "0"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mismatches: 0" in done.stdout and "2 graphs of" in done.stdout
