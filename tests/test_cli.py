"""The `finetti` command, in processes of its own as users meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from finetti import cli


@pytest.fixture
def run(tmp_path):
    def run_script(text: str, *args: str, options: tuple[str, ...] = (), name: str = "script.py"):
        (tmp_path / name).write_text(textwrap.dedent(text))
        command = [sys.executable, "-m", "finetti", "run", *options, name, *args]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )

    return run_script


def test_script_runs_as_main_with_its_arguments(run, tmp_path):
    done = run(
        """
        import pickle, sys
        import helper
        class Mine: pass
        assert __name__ == "__main__" and sys.modules["__main__"].Mine is Mine
        assert type(pickle.loads(pickle.dumps(Mine()))) is Mine
        print(sys.argv[1:], __file__ == sys.path[0] + "/script.py", helper.here)
        """,
        "--help",
        "x y",
        name="script.py",
    )
    assert "No module named 'helper'" in done.stderr
    (tmp_path / "helper.py").write_text("here = True\n")
    script = (tmp_path / "script.py").read_text()
    done = run(script, "--help", "x y")
    assert done.stderr == ""
    assert done.stdout == "['--help', 'x y'] True True\n"
    assert done.returncode == 0


def test_pymc_is_finetti(run):
    done = run(
        """
        import pymc as pm, finetti
        print(pm.Model is finetti.Model, pm.__version__)
        """
    )
    assert done.stdout.split()[0] == "True"
    assert done.stdout.strip().endswith("+finetti")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import sys; sys.exit(7)", 7),
        ("raise SystemExit", 0),
        ("raise SystemExit('stop')", 1),
        ("x = 1", 0),
        ("1 / 0", 1),
        ("raise KeyboardInterrupt", 130),
    ],
)
def test_exit_codes(run, text, code):
    assert run(text).returncode == code


def test_traceback_of_the_users_own_error_starts_in_the_script(run):
    done = run(
        """
        def outer():
            return {}["missing"]
        outer()
        """
    )
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "script.py" in lines[1]
    assert lines[-1] == "KeyError: 'missing'"
    assert "cli.py" not in done.stderr


def test_traceback_of_finettis_errors_leaves_its_frames_out(run):
    text = """
        import pymc as pm
        def build():
            from pymc import SVGD
        build()
        """
    done = run(text)
    assert "finetti does not have it yet" in done.stderr or done.returncode == 0
    assert "importer.py" not in done.stderr
    assert done.stderr.count('File "') == 2
    full = run(text, options=("--full-traceback",))
    assert "importer.py" in full.stderr


def test_misspelt_name_points_at_the_line(run):
    done = run("import pymc as pm\n\npm.Norml\n")
    assert done.stderr.count('File "') == 1
    assert "line 3" in done.stderr
    assert "Normal" in done.stderr.splitlines()[-1]


def test_chained_errors_are_trimmed_too(run):
    done = run(
        """
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise ValueError("second") from error
        """
    )
    assert "ZeroDivisionError" in done.stderr
    assert "ValueError: second" in done.stderr
    assert "cli.py" not in done.stderr


def test_syntax_errors_look_like_pythons(run):
    done = run("x = (1\ny = 2\n")
    assert done.returncode == 1
    assert done.stderr.lstrip().startswith('File "')
    assert done.stderr.splitlines()[-1].startswith("SyntaxError:")


def test_a_scripts_own_excepthook_is_used(run):
    done = run(
        """
        import sys
        sys.excepthook = lambda kind, error, trace: print("mine", kind.__name__, trace.tb_lineno)
        1 / 0
        """
    )
    assert done.stdout == "mine ZeroDivisionError 4\n"
    assert done.returncode == 1


def test_annotations_are_the_scripts_business(run):
    done = run("def f(x: int): ...\nprint(f.__annotations__)")
    assert done.stdout == "{'x': <class 'int'>}\n"


def test_what_cannot_run(run, tmp_path):
    missing = subprocess.run(
        [sys.executable, "-m", "finetti", "run", "no.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert missing.returncode == 2
    assert "cannot open 'no.py': No such file" in missing.stderr
    notebook = run("{}", name="model.ipynb")
    assert notebook.returncode == 2
    assert "model.ipynb is no Jupyter notebook" in notebook.stderr
    script = run("x = 1", options=("--output", "out.ipynb"))
    assert script.returncode == 2
    assert "--output 'out.ipynb' is for notebooks" in script.stderr


def test_version_and_help(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("finetti ")
    assert cli.main([]) == 0
    assert "run a script that imports pymc, pymc3" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        cli.main(["dance"])
    assert stop.value.code == 2


# -- translated idioms ----------------------------------------------------------------------------


def test_idioms_are_listed_once_each_and_with_lines(run):
    text = """
        import numpy as np
        a = np.float(1)
        b = [np.float(k) for k in range(5)], np.float(2)
        c = np.product([1, 2])
        """
    quiet = run(text)
    assert quiet.returncode == 0
    assert "numpy.float -> float (2 places)" in quiet.stderr
    assert quiet.stderr.count("numpy.float") == 1
    places = run(text, options=("--explain",)).stderr
    assert places.count("numpy.float -> float") == 2
    assert "script.py:3: numpy.float -> float" in places
    assert "script.py:5: numpy.product -> np.prod" in places


def test_tabs_and_spaces_are_read_as_python_2_read_them(run):
    done = run("if True:\n\tx = 1\n        y = 2\nprint(x + y)\n")
    assert done.stdout == "3\n"
    assert "tabs and spaces mixed" in done.stderr


# -- notebooks ------------------------------------------------------------------------------------


@pytest.fixture
def notebook(tmp_path):
    """Run cells as a notebook: (process, outputs of each cell)."""

    def run_cells(*cells: str, options: tuple[str, ...] = ()):
        content = {
            "cells": [
                {"cell_type": "markdown", "metadata": {}, "source": ["# title"]},
                *(
                    {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [],
                     "source": textwrap.dedent(cell).strip("\n").splitlines(keepends=True)}
                    for cell in cells
                ),
            ],
            "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4, "nbformat_minor": 4,
        }  # fmt: skip
        (tmp_path / "book").mkdir(exist_ok=True)
        (tmp_path / "book" / "nb.ipynb").write_text(json.dumps(content))
        command = [sys.executable, "-m", "finetti", "run", "--output", "out.ipynb", *options]
        done = subprocess.run(
            [*command, "book/nb.ipynb"], cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=120, env={**os.environ, "MPLBACKEND": "Agg"},
        )  # fmt: skip
        written = json.loads((tmp_path / "out.ipynb").read_text())
        return done, [cell["outputs"] for cell in written["cells"][1:]]

    return run_cells


def test_a_notebook_runs_in_order_and_is_written(notebook):
    done, outputs = notebook(
        """
        %matplotlib inline
        %config InlineBackend.figure_format = 'retina'
        import pymc as pm, os
        x = 1
        print(os.path.basename(os.getcwd()))
        """,
        "x += 1\nx",
        "x;",
        "s = ('%d'\n % x)\ns",
        "_ + '!'",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "book\n2\n'2'\n'2!'\n"
    assert outputs[0] == [{"output_type": "stream", "name": "stdout", "text": "book\n"}]
    (result,) = outputs[1]
    assert result["output_type"] == "execute_result" and result["execution_count"] == 2
    assert result["data"] == {"text/plain": "2"}
    assert outputs[2] == []


def test_figures_are_kept_and_closed(notebook):
    pytest.importorskip("matplotlib")
    done, outputs = notebook(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.plot([3, 4]);",
        "plt.get_fignums()",
    )
    assert done.returncode == 0 and done.stderr == ""
    images = [o["data"]["image/png"] for o in outputs[0]]
    assert len(images) == 2 and all(image.startswith("iVBORw0KGgo") for image in images)
    assert outputs[1][0]["data"]["text/plain"] == "[]"


def test_tracebacks_name_cell_and_line(notebook):
    done, outputs = notebook("y = 1", "def f():\n    return 1 / 0\nprint('a')\nf()", "print('b')")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[1].strip() == 'File "book/nb.ipynb, cell 2", line 4, in <module>'
    assert lines[2].strip() == "f()"
    assert 'cell 2", line 2' in done.stderr and "notebook.py" not in done.stderr
    assert lines[-1] == "ZeroDivisionError: division by zero"
    kinds = [output["output_type"] for output in outputs[1]]
    assert kinds == ["stream", "error"] and outputs[2] == []
    assert outputs[1][1]["ename"] == "ZeroDivisionError"


def test_a_notebook_in_another_language(run):
    text = '{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}'
    done = run(text, name="r.ipynb")
    assert done.returncode == 2 and "r.ipynb is written in R" in done.stderr


def test_the_console_script_is_the_same_command(tmp_path):
    command = os.path.join(os.path.dirname(sys.executable), "finetti")
    if not os.path.exists(command):
        pytest.skip("finetti is not installed here")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("finetti ")
