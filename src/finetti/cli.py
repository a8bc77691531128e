"""The `finetti` command: `finetti run script.py [args]` and `finetti explain script.py`."""

from __future__ import annotations

import argparse
import builtins
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import finetti
from finetti.dialects import importer
from finetti.errors import FinettiError

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
        return run_script(options.script, options.args, full_traceback=options.full_traceback)
    if options.command == "explain":
        return explain_script(options.script, graphs=not options.brief)
    parser.print_help()
    return 0


def run_script(path: str, args: Sequence[str] = (), *, full_traceback: bool = False) -> int:
    """Execute a script as `__main__`, with `pymc` answered by finetti.

    The process is the script's from then on: `sys.argv`, `sys.path[0]` and `__main__` stay as the
    script would find them under `python script.py`.

    Parameters
    ----------
    path
        The script.
    args
        Its arguments.
    full_traceback
        Show the frames inside finetti too when the script fails.

    Returns
    -------
    int
        0, or 1 after an uncaught exception, 2 when the script cannot be read, 130 after Ctrl-C.
        `SystemExit` passes through.
    """
    refusal, source = _read(path)
    if refusal:
        print(f"finetti run: {refusal}", file=sys.stderr)
        return 2
    sys.argv = [path, *args]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.abspath(path))
    main_module = _main_module(os.path.abspath(path))
    sys.modules["__main__"] = main_module
    importer.activate()
    try:
        # dont_inherit: this file's own __future__ imports are not the script's
        code = compile(source, main_module.__dict__["__file__"], "exec", dont_inherit=True)
        exec(code, main_module.__dict__)
    except KeyboardInterrupt as error:
        _report(error, code_file=os.path.abspath(path), full=full_traceback)
        return 130
    except Exception as error:
        _report(error, code_file=os.path.abspath(path), full=full_traceback)
        return 1
    return 0


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
        help="run a script that imports pymc",
        description="Run a Python script with `import pymc` answered by finetti.",
    )
    run.add_argument(
        "--full-traceback", action="store_true", help="show finetti's own frames in errors too"
    )
    run.add_argument("script", help="the Python file")
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


def _read(path: str) -> tuple[str, bytes]:
    """What stands against running `path` (empty if nothing), and its text."""
    if path.endswith(".ipynb"):
        return f"{path}: notebooks are not supported yet; save it as a .py script", b""
    try:
        return "", Path(path).read_bytes()
    except OSError as error:
        return f"cannot open {path!r}: {error.strerror}", b""


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


def _report(error: BaseException, code_file: str, full: bool) -> None:
    trace = error.__traceback__
    while not full and trace is not None and trace.tb_frame.f_code.co_filename != code_file:
        trace = trace.tb_next
    if sys.excepthook is not sys.__excepthook__:  # the script's own way of reporting
        sys.excepthook(type(error), error, trace)
        return
    report = traceback.TracebackException(type(error), error, error.__traceback__)
    if not full:
        _trim(report, error, code_file)
    if isinstance(error, SyntaxError) and trace is None:  # the script itself does not compile
        text = "".join(report.format_exception_only())
    else:
        text = "".join(report.format())
    sys.stdout.flush()
    sys.stderr.write(text)


def _trim(
    report: traceback.TracebackException, error: BaseException | None, code_file: str
) -> None:
    """Leave out the frames of the runner, and finetti's own below an error that it raised."""
    frames = list(report.stack)
    while any(frame.filename == code_file for frame in frames) and frames[0].filename != code_file:
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
            _trim(inner, cause, code_file)


def _is_inner(filename: str) -> bool:
    return filename.startswith((_PACKAGE + os.sep, "<frozen importlib"))
