"""Imports point down one way, and never hide inside functions.

Usage: python tools/check_imports.py [package folder]
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from _repo import ROOT, SOURCE, python_files, relative, report

PACKAGE = "finetti"

# What a part may import besides itself and `errors`. Left of an arrow in DESIGN means everything
# below it too, so each row is written out in full.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "_core": set(),
    "ir": set(),
    "passes": {"ir", "_core"},
    "backends": {"passes", "ir", "_core"},
    "dist": {"ir"},
    "model": {"dist", "passes", "backends", "ir"},
    "results": {"_core"},
    "infer": {"model", "backends", "results", "_core", "dist", "passes", "ir"},
    "report": {"results", "model", "dist", "ir"},
}
EVERYTHING = {*ALLOWED, "dialects", "cli", "__version__"}
ALLOWED |= {"dialects": EVERYTHING - {"cli"}, "cli": EVERYTHING, "__main__": EVERYTHING}
# The package itself resolves its public names on first use, by name, whatever they come from.
ALLOWED["numpyro"] = {"dialects"}  # a dialect under a shorter name
ALLOWED["__init__"] = {"errors"}

# Modules of a part that only these modules outside it may import, and why. The rest of the part
# is open: anyone who may import backends may ask the reference backend what a graph means.
DOORS: dict[str, tuple[set[str], str]] = {
    "backends.native": (
        {"model.compile", "model.explain", "infer", "dialects"},
        "model/compile.py is the one place where a model becomes native code (explain.py shows it)",
    ),
}


@dataclass(frozen=True)
class Import:
    """One import of our own package: by which module, of which, where."""

    module: str
    target: str
    line: int
    late: bool
    typing_only: bool


def part_of(module: str) -> str:
    """The part of the package that a module belongs to: its first name."""
    return module.partition(".")[0]


def module_name(path: Path, package: Path) -> str:
    """Dotted name below the package; the package's own file is `__init__`."""
    names = path.relative_to(package).with_suffix("").parts
    if names[-1] == "__init__" and len(names) > 1:
        names = names[:-1]
    return ".".join(names)


def _targets(node: ast.stmt, module: str, is_package: bool, modules: set[str]) -> Iterator[str]:
    """Names below the package that an import statement asks for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            first, _, rest = alias.name.partition(".")
            if first == PACKAGE:
                yield rest or "__init__"
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            keep = module.split(".") if module != "__init__" else []
            keep = keep[: len(keep) - node.level + is_package]
            base = ".".join([PACKAGE, *keep, *([base] if base else [])])
        first, _, rest = base.partition(".")
        if first != PACKAGE:
            return
        for alias in node.names:
            inner = f"{rest}.{alias.name}" if rest else alias.name
            # `from finetti import x` means the part x, or a public name of the package itself.
            yield inner if inner in modules or not rest else rest


def imports_of(path: Path, tree: ast.Module, package: Path, modules: set[str]) -> Iterator[Import]:
    """Every import of our own package in one file."""
    module = module_name(path, package)
    is_package = path.name == "__init__.py"

    def visit(node: ast.AST, late: bool, typing_only: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inside = late or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            if isinstance(child, (ast.Import, ast.ImportFrom)):
                for target in _targets(child, module, is_package, modules):
                    yield Import(module, target, child.lineno, late, typing_only)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                yield from visit(child, late, True)
            else:
                yield from visit(child, inside, typing_only)

    yield from visit(tree, False, False)


def _direction(item: Import) -> str | None:
    """What is wrong with the direction of an import, or None."""
    here, there = part_of(item.module), part_of(item.target)
    if here not in ALLOWED:
        return f"the part {here!r} is not in the table of tools/check_imports.py"
    if here == there or there == "errors":
        return None
    for door, (keepers, reason) in DOORS.items():
        behind = f"{item.target}.".startswith(f"{door}.")
        if behind and here not in keepers and item.module not in keepers:
            return f"{item.module} imports {item.target}: {reason}"
    if there in ALLOWED[here]:
        return None
    if there == "__init__" and here in ("dialects", "cli", "__main__"):
        return None
    if there == "__version__" and here != "errors":
        return None
    may = ", ".join(sorted(ALLOWED[here] | {"errors"}))
    what = f"{there!r}" if there in ALLOWED else f"{there!r} through the package's public names"
    return f"{here!r} imports {what}; it may import: {may}"


def _cycles(edges: dict[str, set[str]]) -> Iterator[list[str]]:
    """Cycles among modules that import each other when loaded, one per strongly tied group."""
    done: set[str] = set()

    def walk(module: str, trail: list[str]) -> list[str] | None:
        if module in trail:
            return trail[trail.index(module) :]
        if module in done:
            return None
        for target in sorted(edges.get(module, ())):
            found = walk(target, [*trail, module])
            if found:
                return found
        done.add(module)
        return None

    for module in sorted(edges):
        cycle = walk(module, [])
        if cycle:
            yield cycle
            done.update(cycle)


def check_python(package: Path) -> Iterator[str]:
    """Findings in the Python sources."""
    files = list(python_files(package))
    modules = {module_name(path, package) for path, _ in files}
    # Folders without a file of their own (namespace packages) are modules too.
    modules |= {name.rpartition(".")[0] for name in modules if "." in name}
    modules |= {"_core"}
    edges: dict[str, set[str]] = {}
    for path, tree in files:
        where = relative(path) if path.is_relative_to(ROOT) else str(path)
        for item in imports_of(path, tree, package, modules):
            wrong = _direction(item)
            if wrong:
                yield f"{where}:{item.line}: {wrong}"
            if item.late:
                yield (
                    f"{where}:{item.line}: imports {PACKAGE}.{item.target} inside a function; "
                    "import it at the top, and mend the cycle if there is one"
                )
            elif not item.typing_only and item.target != item.module:
                edges.setdefault(item.module, set()).add(item.target)
    for cycle in _cycles(edges):
        yield f"{PACKAGE}: import cycle {' -> '.join([*cycle, cycle[0]])}"


def check_native(root: Path) -> Iterator[str]:
    """Findings in the C++ sources: the core knows nothing of Python."""
    for path in sorted((root / "native").rglob("*")):
        if path.suffix in (".hpp", ".cpp", ".h"):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if line.lstrip().startswith("#include") and (
                    "Python.h" in line or "nanobind" in line
                ):
                    yield f"{relative(path)}:{number}: {line.strip()} (only bindings/ may)"


def main(arguments: list[str]) -> int:
    """Run the check; returns the exit status."""
    package = Path(arguments[0]).resolve() if arguments else SOURCE
    findings = list(check_python(package))
    if not arguments:
        findings += check_native(ROOT)
    count = sum(1 for _ in package.rglob("*.py"))
    return report("check_imports", findings, f"{count} modules")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
