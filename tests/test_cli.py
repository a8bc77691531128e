"""The `finetti` command, in processes of its own as users meet it."""

from __future__ import annotations

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
            from pymc import Slice
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
    assert "notebooks are not supported yet" in notebook.stderr


def test_version_and_help(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("finetti ")
    assert cli.main([]) == 0
    assert "run a script that imports pymc" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        cli.main(["dance"])
    assert stop.value.code == 2


def test_the_console_script_is_the_same_command(tmp_path):
    command = os.path.join(os.path.dirname(sys.executable), "finetti")
    if not os.path.exists(command):
        pytest.skip("finetti is not installed here")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("finetti ")
