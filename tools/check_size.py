"""Size is a budget: lines of a file, lines and parameters of a function.

Usage: python tools/check_size.py [--table]
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from _repo import ROOT, SOURCE, python_files, relative, report

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8

# Each list: place -> the reason. A place that keeps to the budget again must leave its list.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
WIDE_FUNCTIONS: dict[str, str] = {
    "src/finetti/dialects/theano/function.py:function": "a user's keywords, Theano's",
    "src/finetti/dialects/theano/loops.py:scan": "a user's keywords, Theano's",
    "src/finetti/dialects/numpyro/infer/kernels.py:HMC.__init__": "a user's keywords, NumPyro's",
    "src/finetti/dialects/numpyro/infer/kernels.py:NUTS.__init__": "a user's keywords, NumPyro's",
    "src/finetti/dialects/numpyro/infer/mcmc.py:MCMC.__init__": "a user's keywords, NumPyro's",
    "src/finetti/dialects/numpyro/infer/predictive.py:Predictive.__init__": "NumPyro's keywords",
    "src/finetti/dialects/numpyro/infer/util.py:find_valid_initial_params": "NumPyro's keywords",
    "src/finetti/dialects/numpyro/loops.py:fori_collect": "NumPyro's keywords",
    "src/finetti/dialects/pymc3/glm/linear.py:LinearComponent.__init__": "PyMC3's keywords",
    "src/finetti/dialects/pymc3/sampling.py:sample_posterior_predictive": "PyMC3's keywords",
    "src/finetti/infer/map.py:find_MAP": "a user's keywords, as PyMC spells them",
    "src/finetti/infer/predictive.py:sample_posterior_predictive": "a user's keywords, PyMC's",
    "src/finetti/infer/sample.py:sample": "a user's keywords, as PyMC spells them",
    "src/finetti/infer/steps/metropolis.py:DEMetropolis.__init__": "a user's keywords, PyMC's",
    "src/finetti/infer/steps/metropolis.py:DEMetropolisZ.__init__": "a user's keywords, PyMC's",
    "src/finetti/report/plots/arrays.py:plot_dist": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/arrays.py:plot_kde": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/arrays.py:plot_hdi": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/chains.py:plot_autocorr": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/chains.py:plot_energy": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/forest.py:plot_forest": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/pair.py:plot_pair": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/posterior.py:plot_posterior": "a user's keywords, ArviZ's",
    "src/finetti/report/plots/posterior.py:plot_density": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/predictive.py:plot_ppc": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/plots/shapes.py:draw_distribution": "a user's keywords, handed on",
    "src/finetti/report/plots/trace.py:plot_trace": "a user's keywords, as ArviZ spells them",
    "src/finetti/report/summary.py:summary": "a user's keywords, as ArviZ spells them",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Every function of a file with its dotted name, inner ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + node.name, node
            yield from functions(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, prefix)


def code_lines(source: str) -> set[int]:
    """Numbers of the lines that hold code: no blank line, no comment."""
    skip = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skip:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def function_size(node: Function, lines: set[int]) -> int:
    """Code lines of a function's body; its signature and docstring do not count."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    body = node.body[1:] if documented else node.body
    if not body:
        return 0
    own = range(body[0].lineno, (node.end_lineno or node.lineno) + 1)
    return sum(1 for number in own if number in lines)


def parameter_count(node: Function) -> int:
    """Parameters that a caller can give, `self` and `cls` left out."""
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def _listed(found: dict[str, str], reasons: dict[str, str], title: str) -> Iterator[str]:
    for place, finding in found.items():
        if place not in reasons:
            yield finding
    for place in reasons:
        if place not in found:
            yield f"tools/check_size.py: {title} lists {place}, which keeps to the budget"


def check(root: Path, source: Path) -> Iterator[str]:
    """Findings in the Python sources, and the length of the C++ ones."""
    files: dict[str, str] = {}
    long: dict[str, str] = {}
    wide: dict[str, str] = {}
    for path, tree in python_files(source):
        name, text = relative(path), path.read_text(encoding="utf-8")
        length = text.count("\n")
        if length > MAX_FILE_LINES:
            files[name] = f"{name}: {length} lines, at most {MAX_FILE_LINES}"
        lines = code_lines(text)
        for function, node in functions(tree):
            place, where = f"{name}:{function}", f"{name}:{node.lineno}: {function}"
            size, parameters = function_size(node, lines), parameter_count(node)
            if size > MAX_FUNCTION_LINES:
                long[place] = f"{where} has {size} code lines, at most {MAX_FUNCTION_LINES}"
            if parameters > MAX_PARAMETERS:
                wide[place] = f"{where} has {parameters} parameters, at most {MAX_PARAMETERS}"
    for folder in ("native", "bindings"):
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            length = path.read_text(encoding="utf-8").count("\n")
            if length > MAX_FILE_LINES:
                name = relative(path)
                files[name] = f"{name}: {length} lines, at most {MAX_FILE_LINES}"
    yield from _listed(files, LONG_FILES, "LONG_FILES")
    yield from _listed(long, LONG_FUNCTIONS, "LONG_FUNCTIONS")
    yield from _listed(wide, WIDE_FUNCTIONS, "WIDE_FUNCTIONS")


def table(source: Path) -> Iterator[str]:
    """Lines of each part of the package, to compare two versions by."""
    parts: dict[str, list[int]] = {}
    for path, _ in python_files(source):
        part = path.relative_to(source).parts[0]
        parts.setdefault(part, []).append(path.read_text(encoding="utf-8").count("\n"))
    for part, lengths in sorted(parts.items()):
        yield f"{part:16} {len(lengths):4} files {sum(lengths):7} lines, longest {max(lengths)}"


def main(arguments: list[str]) -> int:
    """Run the check; returns the exit status."""
    if "--table" in arguments:
        print("\n".join(table(SOURCE)))
        return 0
    count = sum(1 for _ in SOURCE.rglob("*.py"))
    return report("check_size", check(ROOT, SOURCE), f"{count} files")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
