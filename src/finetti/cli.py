"""The `finetti` command: `finetti run script.py [args]` (or a notebook), `finetti explain`."""

from __future__ import annotations

import argparse
import builtins
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import finetti
from finetti.dialects import importer, notebook, notes
from finetti.errors import FinettiError, ParameterError

_PACKAGE = os.path.dirname(os.path.abspath(finetti.__file__ or ""))
_DIALECTS = os.path.join(_PACKAGE, "dialects") + os.sep


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Parameters
    ----------
    argv
        The arguments; those of the process by default.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    if options.command == "run":
        return run_script(
            options.script,
            options.args,
            full_traceback=options.full_traceback,
            explain=options.explain,
            output=options.output,
        )
    if options.command == "explain":
        return explain_script(options.script, graphs=not options.brief)
    parser.print_help()
    return 0


def run_script(
    path: str,
    args: Sequence[str] = (),
    *,
    full_traceback: bool = False,
    explain: bool = False,
    output: str | None = None,
) -> int:
    """Execute a script or a notebook as `__main__`, with the dialects of `importer.TABLE` answered.

    The process is the script's from then on: `sys.argv`, `sys.path[0]` and `__main__` stay as the
    script would find them under `python script.py`. A notebook runs in its own folder, as under
    Jupyter.

    Parameters
    ----------
    path
        The script, or a notebook.
    args
        Its arguments.
    full_traceback
        Show the frames inside finetti too when the script fails.
    explain
        Name every place of every translated idiom at the end.
    output
        Where the executed notebook is written.

    Returns
    -------
    int
        0, or 1 after an uncaught exception, 2 when the script cannot be read, 130 after Ctrl-C.
        `SystemExit` passes through.
    """
    try:
        execute, users = _prepared(path, output)
    except (OSError, FinettiError) as error:
        reason = error if isinstance(error, FinettiError) else (
            f"cannot open {path!r}: {error.strerror}")  # fmt: skip
        print(f"finetti run: {reason}", file=sys.stderr)
        return 2
    sys.argv = [path, *args]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.abspath(path))
    main_module = _main_module(os.path.abspath(path))
    sys.modules["__main__"] = main_module
    importer.activate()
    try:
        execute(main_module.__dict__)
    except KeyboardInterrupt as error:
        _report(error, users, full=full_traceback)
        return 130
    except Exception as error:
        _report(error, users, full=full_traceback)
        return 1
    finally:
        _report_notes(explain)
    return 0


Execute = Callable[[dict[str, Any]], None]
IsUsers = Callable[[str], bool]


def _prepared(path: str, output: str | None) -> tuple[Execute, IsUsers]:
    """What runs the file in a namespace, and which of a traceback's files are the user's."""
    full = os.path.abspath(path)
    if not path.endswith(".ipynb"):
        if output is not None:
            raise ParameterError(f"--output {output!r} is for notebooks; {path!r} is a script.")
        source = Path(path).read_bytes()

        def script(names: dict[str, Any]) -> None:
            # dont_inherit: this file's own __future__ imports are not the script's
            exec(compile(source, names["__file__"], "exec", dont_inherit=True), names)

        return script, lambda filename: filename == full
    content = notebook.read(Path(path).read_text("utf-8"), path)
    target = None if output is None else os.path.abspath(output)

    def cells(names: dict[str, Any]) -> None:
        del names["__file__"]  # a notebook has none
        os.chdir(os.path.dirname(full))
        try:
            notebook.execute(content, path, names)
        finally:
            if target is not None:
                notebook.write(content, target)

    return cells, lambda filename: notebook.is_cell(filename, path)


def _report_notes(explain: bool) -> None:
    """The translated idioms: one quiet line each, or every place."""
    text = notes.report(lines=explain)
    if text:
        more = "" if explain else " (--explain lists the places)"
        sys.stdout.flush()
        print(f"finetti: spelled as today{more}:", file=sys.stderr)
        print("".join(f"  {line}\n" for line in text.splitlines()), end="", file=sys.stderr)


def explain_script(path: str, *, graphs: bool = True) -> int:
    """Execute a script and explain every model that it leaves under a name.

    Parameters
    ----------
    path
        The script; it need only write models, and what it samples is sampled.
    graphs
        Print the graph after each pass.

    Returns
    -------
    int
        0, 1 when there is no model, or the status of `run_script`.
    """
    status = run_script(path)
    if status:
        return status
    names = vars(sys.modules["__main__"])
    models = {name: value for name, value in names.items() if isinstance(value, finetti.Model)}
    if not models:
        print(f"finetti explain: {path} leaves no model under a name at its end", file=sys.stderr)
        return 1
    for name, model in models.items():
        print(f"=== model {name}\n\n{finetti.explain(model, graphs=graphs)}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="finetti", description="Bayesian modelling with PyMC's API on an own compiler."
    )
    version = getattr(finetti, "__version__", "unknown")
    parser.add_argument("--version", action="version", version=f"finetti {version}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    run = commands.add_parser(
        "run",
        help="run a script that imports pymc, pymc3, theano, ...",
        description="Run a Python script or a notebook with `import pymc`, `pymc3`, `theano` and "
        "their like answered by finetti.",
    )
    run.add_argument(
        "--full-traceback", action="store_true", help="show finetti's own frames in errors too"
    )
    run.add_argument(
        "--explain", action="store_true", help="list translated idioms with their line numbers"
    )
    run.add_argument(
        "--output", metavar="OUT.ipynb", help="write the executed notebook with its outputs"
    )
    run.add_argument("script", help="the Python file or notebook")
    run.add_argument("args", nargs=argparse.REMAINDER, help="what the script gets as sys.argv[1:]")
    explain = commands.add_parser(
        "explain",
        help="show what becomes of a script's models",
        description="Run a script and show, for each model it names, the graph after each pass, "
        "the fused loops, the work of one gradient, and the compile time by stage.",
    )
    explain.add_argument("--brief", action="store_true", help="leave the graphs out")
    explain.add_argument("script", help="the Python file that writes the models")
    return parser


def _main_module(path: str) -> ModuleType:
    module = ModuleType("__main__")
    module.__dict__.update(
        __file__=path,
        __cached__=None,
        __builtins__=builtins,
        __loader__=SourceFileLoader("__main__", path),
        __package__=None,
        __spec__=None,
    )
    return module


def _report(error: BaseException, users: IsUsers, full: bool) -> None:
    trace = error.__traceback__
    while not full and trace is not None and not users(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    if sys.excepthook is not sys.__excepthook__:  # the script's own way of reporting
        sys.excepthook(type(error), error, trace)
        return
    report = traceback.TracebackException(type(error), error, error.__traceback__)
    if not full:
        _trim(report, error, users)
    if isinstance(error, SyntaxError) and trace is None:  # the script itself does not compile
        text = "".join(report.format_exception_only())
    else:
        text = "".join(report.format())
    sys.stdout.flush()
    sys.stderr.write(text)


def _trim(
    report: traceback.TracebackException, error: BaseException | None, users: IsUsers
) -> None:
    """Leave out the frames of the runner, and finetti's own below an error that it raised."""
    frames = list(report.stack)
    while any(users(frame.filename) for frame in frames) and not users(frames[0].filename):
        frames.pop(0)
    if isinstance(error, FinettiError) or (frames and frames[-1].filename.startswith(_DIALECTS)):
        kept = [frame for frame in frames if not _is_inner(frame.filename)]
        frames = kept or frames
    report.stack = traceback.StackSummary.from_list(frames)
    if error is None:
        return
    for inner, cause in (
        (report.__cause__, error.__cause__),
        (report.__context__, error.__context__),
    ):
        if inner is not None:
            _trim(inner, cause, users)


def _is_inner(filename: str) -> bool:
    return filename.startswith((_PACKAGE + os.sep, "<frozen importlib"))
