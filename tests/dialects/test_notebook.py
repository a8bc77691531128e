"""Cells without Jupyter: IPython's syntax, magics, what is shown."""

from __future__ import annotations

import sys

import pytest

from finetti.dialects import importer
from finetti.dialects.notebook import NotebookError, Shell, read, to_python
from finetti.errors import NotYetSupported


@pytest.fixture
def shell():
    return Shell("nb.ipynb", {"__name__": "__main__"})


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("x = 1", "x = 1"),
        ("%matplotlib inline\nx", "__finetti_magic__('matplotlib inline')\nx"),
        ("if x:\n    %time f()", "if x:\n    __finetti_magic__('time f()')"),
        ("x = (3\n% 2)", "x = (3\n% 2)"),
        ('s = """\n!ls\n%cd\n"""', 's = """\n!ls\n%cd\n"""'),
        ("x = 7 \\\n  % 3", "x = 7 \\\n  % 3"),
        ("a, b = !ls", "a, b = __finetti_shell__('ls')"),
        ("x = y != z", "x = y != z"),
        ("t = %timeit f()", "t = __finetti_magic__('timeit f()')"),
        ("np.exp?", "__finetti_help__('np.exp')"),
        ("??f", "__finetti_help__('f')"),
        ("# what?", "# what?"),
        ("x = 'really?'", "x = 'really?'"),
    ],
)
def test_ipythons_syntax_becomes_python_line_for_line(source, python):
    assert to_python(source) == python


@pytest.mark.parametrize(
    ("cell", "stdout"),
    [
        ("%%time\nprint(1)", "1\nCPU times"),
        ("%%timeit\nprint(1)", "1\nCPU times"),
        ("%%capture out\nprint('hidden')", ""),
        ("%time print(2)", "2\nWall time"),
        ("%timeit -n 1 -r 1 print(2)", "2\nWall time"),
        ("%env FINETTI_TEST=3\nimport os\nprint(os.environ['FINETTI_TEST'])", "3\n"),
        ("%env FINETTI_TEST 4\n%env FINETTI_TEST", "'4'\n"),
        ("if True:\n    %load_ext watermark\nprint(4)", "4\n"),
        ("%%html\n<b>no Python</b>", ""),
        ("get_ipython().run_line_magic('matplotlib', 'inline')\nprint(5)", "5\n"),
        ("get_ipython().magic('config x')", ""),
        ("get_ipython().run_cell_magic('time', '', 'print(8)')", "8\n"),
        ("print", "<built-in function print>\n"),
        ("len?", "Return the number of items"),
        ("display(6)", "6\n"),
        ("7;", ""),
        ("None", ""),
    ],
)
def test_what_is_honoured_or_ignored(shell, capsys, monkeypatch, cell, stdout):
    monkeypatch.delenv("FINETTI_TEST", raising=False)
    shell.run(cell)
    printed = capsys.readouterr().out
    assert printed.startswith(stdout) if stdout else printed == ""


def test_captured_text_gets_a_name(shell):
    shell.run("%%capture out\nprint('hidden')")
    assert shell.names["out"] == "hidden\n"


def test_pylab(shell, capsys):
    pytest.importorskip("matplotlib").use("Agg")
    shell.run("%pylab inline\nprint(sin(0.0))")
    assert capsys.readouterr().out == "0.0\n"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("!ls -l", "cell 1: `!ls -l`: finetti runs no shell commands"),
        ("files = !ls", "cell 1: `!ls`: finetti runs no shell commands"),
        ("%%bash\nls", "cell 1: the magic %%bash is not there"),
        ("%debug", "cell 1: the magic %debug is not there"),
        ("get_ipython().system('ls')", "runs no shell commands"),
        ("get_ipython().run_cell_magic('bash', '', 'ls')", "%%bash is not there"),
    ],
)
def test_what_is_refused(shell, cell, message):
    with pytest.raises(NotYetSupported, match=message):
        shell.run(cell)


@pytest.mark.parametrize(
    "line", ["!pip install pymc3", "%pip install arviz", "!conda install -y x",
             "!python -m pip install y"]
)  # fmt: skip
def test_installing_is_passed_over(shell, capsys, line):
    shell.run(f"{line}\nprint(1)")
    printed = capsys.readouterr()
    assert printed.out == "1\n" and "finetti installs nothing" in printed.err


def test_what_is_shown_is_kept(shell):
    class Table:
        def __repr__(self):
            return "text"

        def _repr_html_(self):
            return "<table>"

    shell.names["Table"] = Table
    (output,) = shell.run("Table()")
    assert output["data"] == {"text/plain": "text", "text/html": "<table>"}
    assert output["output_type"] == "execute_result" and output["execution_count"] == 1
    assert shell.run("print(1)\nprint(2)")[0]["text"] == "1\n2\n"
    assert shell.names["Out"][1].__class__ is Table


def test_notebooks_of_the_older_format():
    old = '{"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}], "nbformat": 3}'
    assert read(old, "old.ipynb")["cells"][0]["source"] == ["x = 1"]
    for text in ("[]", "no", '{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}'):
        with pytest.raises(NotebookError, match="nb.ipynb is"):
            read(text, "nb.ipynb")


IMPORTS = """
from IPython import get_ipython
from IPython.core.pylabtools import figsize
from IPython.display import HTML, Image, clear_output, display
figsize(12.5, 4)
size = matplotlib.rcParams["figure.figsize"]
get_ipython().run_line_magic("matplotlib", "inline")
display(HTML("<b>x</b>"), 3)
clear_output(wait=True)
"""


def test_what_notebooks_import_from_ipython(monkeypatch, shell):
    matplotlib = pytest.importorskip("matplotlib")
    ours = {name for name in sys.modules if name.partition(".")[0] == "IPython"}
    for name in ours:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importer, "_installed", lambda *args: None)
    shell.names["matplotlib"] = matplotlib
    with matplotlib.rc_context(), importer.activated():
        outputs = shell.run(IMPORTS)
        assert sys.modules["IPython"].get_ipython() is None  # a library asks, not a cell
    assert shell.names["size"] == [12.5, 4]
    assert [output["data"].get("text/html") for output in outputs] == ["<b>x</b>", None]
    assert "IPython" not in sys.modules
