"""Programs for NumPyro, in the style of its documentation and of books, run unchanged.

They are in tests/scripts_numpyro, run by `finetti run` in a process each, two at a time. Each
checks its answers: against known truths, conjugate posteriors, or longer runs of NumPyro itself.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.optional import required

required("jax", "programs for NumPyro use it")

SCRIPTS = Path(__file__).parent / "scripts_numpyro"
HELPERS = {"reference"}  # what the scripts import
NEEDS = {
    "compare_waic_loo": ("arviz", "matplotlib"), "zero_inflated_fish": ("arviz", "pandas"),
    **dict.fromkeys(("rethinking_divorce", "item_response", "missing_obs_mask", "bradley_terry",
                     "model_classes"), ("pandas",)),
}  # fmt: skip
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py") if path.stem not in HELPERS)


def run(name, folder):
    command = [sys.executable, "-m", "finetti", "run", str(SCRIPTS / f"{name}.py")]
    environment = os.environ | {"MPLBACKEND": "Agg", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory):
    """The runs of the selected scripts: name -> future."""
    folder = tmp_path_factory.mktemp("scripts")
    items = [item for item in request.session.items if getattr(item, "callspec", None)]
    asked = [item.callspec.params.get("script") for item in items if item.path == request.path]
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(run, name, folder) for name in asked if name}


@pytest.mark.parametrize("script", NAMES)
def test_script(script, runs):
    for module in NEEDS.get(script, ()):
        pytest.importorskip(module)
    done = runs[script].result()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def test_there_are_enough():
    assert len(NAMES) >= 35
