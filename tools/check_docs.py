"""Run the Python blocks of README.md, CONTRIBUTING.md and docs/*.md.

The blocks of one file share one namespace and one process. A ```text block that directly follows
a ```python block is what it prints, where `...` stands for anything. A block opened with
```python no-run is only compiled; a ```cpp block is, too, where there is a g++.

Usage: python tools/check_docs.py [files]
"""

from __future__ import annotations

import contextlib
import doctest
import io
import linecache
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _repo import ROOT, relative, report

FENCE = re.compile(r"^```(.*)$")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after its fence, where its text starts, and the text."""

    info: tuple[str, ...]
    line: int
    text: str
    follows: bool  # only blank lines between it and the block before

    @property
    def language(self) -> str:
        return self.info[0] if self.info else ""


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a Markdown text."""
    start, info, lines, follows, quiet = 0, (), [], False, False
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and not start:
            start, info, lines, follows = number + 1, tuple(fence[1].split()), [], quiet
        elif fence:
            yield Block(info, start, "\n".join(lines) + "\n", follows)
            start, quiet = 0, True
        elif start:
            lines.append(line)
        elif line.strip():
            quiet = False
    if start:
        yield Block(info, start, "", False)


def compile_cpp(text: str) -> str:
    """What the compiler has against a C++ header; nothing where there is no compiler."""
    compiler = shutil.which("g++")
    if compiler is None:
        return ""
    # Without its guard: the compiler gets the text as a main file.
    text = text.replace("#pragma once\n", "")
    command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    command += ["-I", str(ROOT / "native" / "include"), "-x", "c++", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.stderr


def run_file(path: Path) -> int:
    """Run the blocks of one file in this process; returns the exit status."""
    text = path.read_text(encoding="utf-8")
    # Tracebacks then show the lines of the document.
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    found = list(blocks(text))
    count = 0
    for index, block in enumerate(found):
        if block.language == "cpp":
            wrong = compile_cpp(block.text)
            if wrong:
                print(f"{path}:{block.line}: this block does not compile\n{wrong}")
                return 1
        if block.language != "python":
            continue
        where = f"{path}:{block.line}"
        printed = io.StringIO()
        try:
            code = compile("\n" * (block.line - 1) + block.text, str(path), "exec")
            if "no-run" in block.info:
                continue
            with contextlib.redirect_stdout(printed):
                exec(code, namespace)
        except BaseException:
            print(f"{where}: this block fails\n{traceback.format_exc()}")
            return 1
        count += 1
        after = found[index + 1] if index + 1 < len(found) else None
        if after is not None and after.follows and after.language == "text":
            got = printed.getvalue()
            if not doctest.OutputChecker().check_output(after.text, got, FLAGS):
                print(f"{where}: this block prints\n{got}but line {after.line} says\n{after.text}")
                return 1
    print(f"{count} blocks")
    return 0


def documents() -> list[Path]:
    """The files whose blocks are run."""
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in files if path.exists()]


def check(files: list[Path]) -> Iterator[str]:
    """Findings: the files of which a block fails, with what it said."""
    environment = os.environ | {"MPLBACKEND": "Agg"}
    for path in files:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--run", str(path)]
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
        if done.returncode:
            yield f"{relative(path)}:\n{done.stdout}{done.stderr}"
        else:
            print(f"  {relative(path)}: {done.stdout.strip()}")


def main(arguments: list[str]) -> int:
    """Run the check; returns the exit status."""
    if arguments[:1] == ["--run"]:
        return run_file(Path(arguments[1]))
    files = [Path(name).resolve() for name in arguments] or documents()
    return report("check_docs", check(files), f"{len(files)} files")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
