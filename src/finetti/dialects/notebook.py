"""Notebooks without Jupyter: cells in order, magics honoured, ignored or refused, figures kept."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import linecache
import os
import re
import sys
import time
import tokenize
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from finetti.dialects.shims import ipython
from finetti.errors import FinettiError, NotYetSupported

_MAGIC, _HELP, _SHELL = "__finetti_magic__", "__finetti_help__", "__finetti_shell__"
# Line magics that have nothing to do here.
_IGNORED = frozenset(
    """
    alias_magic autoreload autosave colors config doctest_mode gui load_ext logstart logstop
    matplotlib notebook pdb precision reload_ext unload_ext version_information watermark xmode
    """.split()
)
_SHOWN = frozenset(["html", "javascript", "js", "latex", "markdown", "svg"])
_INSTALL = re.compile(r"^\s*(python3?\s+-m\s+)?(pip3?|conda|mamba|apt|apt-get)\b")
_PYLAB = (
    "import numpy\nimport numpy as np\nimport matplotlib\nfrom matplotlib import pyplot\n"
    "import matplotlib.pyplot as plt\nfrom numpy import *\nfrom matplotlib.pyplot import *\n"
)


class NotebookError(FinettiError, ValueError):
    """A file that is no notebook finetti can run."""


def read(text: str, path: str) -> dict[str, Any]:
    """A notebook as its JSON says, in today's format.

    Parameters
    ----------
    text
        The file's content.
    path
        Its name, for messages.

    Raises
    ------
    NotebookError
        When it is none, or in another language.
    """
    try:
        notebook = json.loads(text)
        cells = notebook.get("cells")
        if cells is None:  # the format before 2015
            cells = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
            for cell in cells:
                cell.setdefault("source", cell.pop("input", ""))
            notebook = {"metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    except (ValueError, KeyError, AttributeError, TypeError):
        raise NotebookError(f"{path} is no Jupyter notebook: expected JSON with cells.") from None
    language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    if str(language).lower() != "python":
        raise NotebookError(f"{path} is written in {language}: finetti runs Python.")
    return {**notebook, "cells": cells}


def source_of(cell: dict[str, Any]) -> str:
    """The text of a cell."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


# -- IPython's syntax -----------------------------------------------------------------------------


def to_python(source: str) -> str:
    """A cell's text as Python, line for line: magics, `!` and `?` become calls.

    Parameters
    ----------
    source
        Without a cell magic.
    """
    lines = source.split("\n")
    for number, line in enumerate(lines):
        new = _translated(line)
        if new != line and not _is_inside("\n".join(lines[:number])):
            lines[number] = new
    return "\n".join(lines)


def _translated(line: str) -> str:
    stripped = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    assigned = re.match(r"^(\s*[\w.,\s\[\]'\"]+=\s*)([!%])\s*([^=].*)$", line)
    if stripped.startswith("!"):
        return f"{indent}{_SHELL}({stripped[1:]!r})"
    if stripped.startswith("%"):
        return f"{indent}{_MAGIC}({stripped.lstrip('%')!r})"
    if assigned is not None:
        function = _SHELL if assigned[2] == "!" else _MAGIC
        return f"{assigned[1]}{function}({assigned[3]!r})"
    asked = re.match(r"^\?{0,2}([\w.]+)\?{0,2}$", stripped)
    if asked is not None and "?" in stripped:
        return f"{indent}{_HELP}({asked[1]!r})"
    return line


def _is_inside(before: str) -> bool:
    """Whether the next line goes on with a bracket or a text that is open."""
    try:
        list(tokenize.generate_tokens(io.StringIO(before + "\n").readline))
    except (tokenize.TokenError, SyntaxError) as error:
        return "EOF in multi-line" in str(error) or "unterminated triple" in str(error)
    return before.rstrip(" ").endswith("\\")


def cell_magic(source: str) -> tuple[str, str, str]:
    """(name, arguments, text with the magic's line blank) of a cell; no name without a magic."""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("%%"):
            name, _, rest = line[2:].strip().partition(" ")
            return name, rest.strip(), "\n".join([*lines[:number], "", *lines[number + 1 :]])
        if line.strip() and not line.lstrip().startswith("#"):
            break
    return "", "", source


# -- running --------------------------------------------------------------------------------------


class Shell:
    """Runs cells in one namespace, and keeps what they show.

    Parameters
    ----------
    path
        The notebook's name, for tracebacks.
    names
        The namespace.
    """

    def __init__(self, path: str, names: dict[str, Any]):
        self.path, self.names = path, names
        self.outputs: list[dict[str, Any]] = []
        self.count = 0
        names.update({
            _MAGIC: self.magic, _HELP: self.help, _SHELL: self.shell, "display": self.display,
            "get_ipython": lambda: self, "In": [""], "Out": {},
        })  # fmt: skip
        ipython.connect(self)

    def run(self, source: str) -> list[dict[str, Any]]:
        """Run one cell; its outputs, also when it raises."""
        self.count += 1
        self.outputs = []
        name, rest, source = cell_magic(source)
        captured = io.StringIO() if name == "capture" else None
        with self._watched(captured):
            started, cpu = time.perf_counter(), time.process_time()
            if name in _SHOWN:
                return self.outputs
            if name not in ("", "time", "timeit", "capture", "prun"):
                raise NotYetSupported(
                    f"{self.label}: the magic %%{name} is not there: finetti runs Python cells. "
                    "Write the cell in Python, or take it out."
                )
            # what a %%timeit cell defines stays in it; here it is run once, and stays
            self._execute(to_python(source))
            if name in ("time", "timeit", "prun"):
                wall, used = time.perf_counter() - started, time.process_time() - cpu
                print(f"CPU times: total: {used:.3g} s\nWall time: {wall:.3g} s")
        if captured is not None and rest and not rest.startswith("-"):
            self.names[rest.split()[0]] = captured.getvalue()
        return self.outputs

    @property
    def label(self) -> str:
        """What tracebacks call the present cell."""
        return f"{self.path}, cell {self.count}"

    def _execute(self, source: str) -> None:
        lines = source.splitlines(keepends=True)
        linecache.cache[self.label] = (len(source), None, lines, self.label)
        tree = ast.parse(source, self.label)
        shown = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not _silent(source):
            shown = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        exec(compile(tree, self.label, "exec", dont_inherit=True), self.names)
        if shown is None:
            return
        value = eval(compile(shown, self.label, "eval", dont_inherit=True), self.names)
        if value is not None:
            self.names["_"] = self.names["Out"][self.count] = value
            self.display(value, kind="execute_result")

    @contextlib.contextmanager
    def _watched(self, captured: io.StringIO | None) -> Iterator[None]:
        """Keep what is printed, warned and drawn."""
        out, err = sys.stdout, sys.stderr
        sys.stdout = _Tee(out, self, "stdout", captured)
        sys.stderr = _Tee(err, self, "stderr", captured)
        try:
            yield
        except Exception as error:
            report = traceback.TracebackException.from_exception(error)
            own = [frame for frame in report.stack if not frame.filename == __file__]
            report.stack = traceback.StackSummary.from_list(own)
            text = "".join(report.format()).splitlines()
            name = type(error).__name__
            self.outputs.append(
                {"output_type": "error", "ename": name, "evalue": str(error), "traceback": text}
            )
            raise
        finally:
            self.figures(captured is None)
            sys.stdout, sys.stderr = out, err

    # -- what cells call
    def display(self, *values: Any, kind: str = "display_data", **options: Any) -> None:
        """Show values: texts are printed, matplotlib's figures are kept as PNG."""
        for value in values:
            figure = _png(value) if hasattr(value, "savefig") else None
            data = {"text/plain": repr(value)}
            if figure is not None:
                data["image/png"] = figure
            with contextlib.suppress(Exception):
                html = value._repr_html_()
                if isinstance(html, str):
                    data["text/html"] = html
            output: dict[str, Any] = {"output_type": kind, "data": data, "metadata": {}}
            if kind == "execute_result":
                output["execution_count"] = self.count
            tee = sys.stdout
            if isinstance(tee, _Tee):
                tee.plain(data["text/plain"] + "\n")
            self.outputs.append(output)

    def figures(self, keep: bool = True) -> None:
        """Keep the open figures and close them, as notebooks do at the end of a cell."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            if keep:
                data = {"text/plain": repr(figure), "image/png": _png(figure)}
                self.outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
        pyplot.close("all")

    def magic(self, text: str) -> Any:
        """A line magic: honoured, ignored or refused."""
        name, _, rest = text.strip().partition(" ")
        rest = rest.strip()
        if name in _IGNORED:
            return None
        if name in ("pip", "conda", "mamba"):
            return self.shell(text)
        honoured: dict[str, Callable[[str], Any]] = {
            "pylab": self._pylab, "time": self._time, "timeit": self._time,
                    "env": self._env, "set_env": self._env, "cd": self._cd, "run": self._run,
                    "pwd": lambda _: os.getcwd()}  # fmt: skip
        if name not in honoured:
            raise NotYetSupported(
                f"{self.label}: the magic %{name} is not there. Write it in Python, or take the "
                "line out."
            )
        return honoured[name](rest)

    def shell(self, command: str) -> None:
        """A shell command: refused; installing is passed over."""
        if _INSTALL.match(command):
            print(f"{self.label}: passed over, finetti installs nothing: {command.strip()}",
                  file=sys.stderr)  # fmt: skip
            return
        raise NotYetSupported(
            f"{self.label}: `!{command.strip()}`: finetti runs no shell commands. Run it before, "
            "or write it in Python (pathlib, shutil, subprocess)."
        )

    def help(self, name: str) -> None:
        """`name?`: its documentation."""
        value = eval(name, self.names)
        print(getattr(value, "__doc__", None) or repr(value))

    # IPython's own names for the same, in exported notebooks
    def run_line_magic(self, name: str, line: str = "", _stack_depth: int = 1) -> Any:
        """A line magic, as exported notebooks write it."""
        return self.magic(f"{name} {line}")

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """A cell magic, as exported notebooks write it."""
        if name not in ("time", "timeit", "capture"):
            raise NotYetSupported(f"{self.label}: the magic %%{name} is not there.")
        exec(compile(to_python(cell), self.label, "exec", dont_inherit=True), self.names)

    def system(self, command: str) -> None:
        """A shell command, as exported notebooks write it."""
        self.shell(command)

    getoutput = system

    def _pylab(self, rest: str) -> None:
        exec(compile(_PYLAB, self.label, "exec"), self.names)

    def _time(self, statement: str) -> None:
        started = time.perf_counter()
        exec(compile(re.sub(r"^(-\w+\s*\d*\s+)*", "", statement), self.label, "exec"), self.names)
        print(f"Wall time: {time.perf_counter() - started:.3g} s")

    def _env(self, setting: str) -> Any:
        name, _, value = setting.replace(" ", "=", 1).partition("=")
        if value:
            os.environ[name] = value.lstrip("=")
            return None
        return os.environ.get(name) if name else dict(os.environ)

    def _cd(self, folder: str) -> None:
        os.chdir(os.path.expanduser(folder or "~"))

    def _run(self, path: str) -> None:
        name = path if path.endswith(".py") else f"{path}.py"
        exec(compile(Path(name).read_bytes(), name, "exec", dont_inherit=True), self.names)


class _Tee:
    """A stream that also keeps what goes through it."""

    def __init__(self, stream: Any, shell: Shell, name: str, captured: io.StringIO | None):
        self._stream, self._shell, self._name, self._captured = stream, shell, name, captured

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def plain(self, text: str) -> None:
        """Write without keeping."""
        if self._captured is None:
            self._stream.write(text)

    def write(self, text: str) -> int:
        if self._captured is not None:
            self._captured.write(text)
            return len(text)
        self._stream.write(text)
        outputs = self._shell.outputs
        last = outputs[-1] if outputs else {}
        if last.get("output_type") == "stream" and last["name"] == self._name:
            last["text"] += text
        else:
            outputs.append({"output_type": "stream", "name": self._name, "text": text})
        return len(text)


def _silent(source: str) -> bool:
    """Whether the last statement ends with a semicolon, which hides its value."""
    last = ""
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in (tokenize.OP, tokenize.NAME, tokenize.NUMBER, tokenize.STRING):
                last = token.string
    return last == ";"


def _png(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", dpi=72)
    return base64.b64encode(buffer.getvalue()).decode()


def _show_in(shell: Shell) -> Callable[[], None]:
    """Make `plt.show` keep the figures, as in a notebook; what comes back restores it."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    try:
        pyplot = import_module("matplotlib.pyplot")
    except ImportError:
        return lambda: None
    before = pyplot.show
    pyplot.show = lambda *args, **options: shell.figures()  # type: ignore[attr-defined]

    def restore() -> None:
        pyplot.show = before  # type: ignore[attr-defined]

    return restore


def execute(notebook: dict[str, Any], path: str, names: dict[str, Any]) -> None:
    """Run a notebook's cells; their outputs are put into it, also when one raises.

    Parameters
    ----------
    notebook
        As `read` gave it.
    path
        Its name, for tracebacks.
    names
        The namespace, usually `__main__`'s.
    """
    shell = Shell(path, names)
    drawn = any("matplotlib" in source_of(c) or "plot" in source_of(c) for c in notebook["cells"])
    restore = _show_in(shell) if drawn else lambda: None
    try:
        for cell in notebook["cells"]:
            if cell.get("cell_type") != "code" or not source_of(cell).strip():
                continue
            try:
                shell.run(source_of(cell))
            finally:
                cell.update(outputs=shell.outputs, execution_count=shell.count)
                cell.setdefault("metadata", {})
    finally:
        restore()


def write(notebook: dict[str, Any], path: str) -> None:
    """Write a notebook with its outputs.

    Parameters
    ----------
    notebook
        After `execute`.
    path
        The new file.
    """
    Path(path).write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def is_cell(filename: str, path: str, more: Sequence[str] = ()) -> bool:
    """Whether a traceback's file is a cell of the notebook."""
    return filename.startswith(f"{path}, cell ") or filename in more
