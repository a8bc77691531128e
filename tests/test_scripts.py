"""Scripts in the style of books and blogs of 2016 to 2023 run unchanged; each checks its answers.

They are in tests/scripts, run by `finetti run` in a process each, two at a time.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("arviz")
pytest.importorskip("matplotlib")

SCRIPTS = Path(__file__).parent / "scripts"
# What finetti does not have: the script's line and what the error has to say.
REFUSED = {
    "advi": ("approx = pm.fit(", r"pymc3\.fit: variational inference is not there yet; sample"),
    "advi_minibatch": ("pm.Minibatch(X", r"pymc3\.Minibatch: minibatches belong to variational"),
}
NEEDS = {name: "formulae" for name in ("glm_linear", "glm_logistic", "glm_mean", "glm_poisson",
                                       "glm_robust")}  # fmt: skip
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.py"))


def run(name, folder):
    command = [sys.executable, "-m", "finetti", "run", str(SCRIPTS / f"{name}.py")]
    environment = os.environ | {"MPLBACKEND": "Agg"}
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


@pytest.mark.parametrize("script", [name for name in NAMES if name not in REFUSED])
def test_script(script, runs):
    if script in NEEDS:
        pytest.importorskip(NEEDS[script])
    done = runs[script].result()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    noted = done.stderr.partition("spelled as today")[2].splitlines()[1:]
    idioms = [re.sub(r" \(\d+ places\)$", "", line) for line in noted]
    assert len(idioms) == len(set(idioms))  # each idiom once


@pytest.mark.parametrize("script", sorted(REFUSED))
def test_refused(script, runs):
    line, message = REFUSED[script]
    done = runs[script].result()
    assert done.returncode == 1
    assert re.search(message, done.stderr), done.stderr
    assert line in done.stderr  # the traceback shows the user's line
    assert f"{os.sep}finetti{os.sep}" not in done.stderr.partition("Traceback")[2]  # and only it


def test_there_are_enough():
    assert len(NAMES) >= 25
