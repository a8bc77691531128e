"""Source text that Python 2 took: indentation that mixes tabs and spaces."""

from __future__ import annotations
import __future__

import functools
import sys
from types import ModuleType
from typing import Any

from finetti.dialects.notes import note
from finetti.dialects.shims.patching import Undo, put

# what a caller's own `from __future__ import` lines mean for what he compiles
_INHERITED = functools.reduce(
    lambda flags, name: flags | getattr(__future__, name).compiler_flag,
    __future__.all_feature_names,
    0,
)


def python_builtins(module: ModuleType) -> list[Undo]:
    """`compile` reads a tab as up to eight columns where the tabs are inconsistent."""
    original = vars(module)["compile"]

    @functools.wraps(original)
    def compile(  # noqa: PLR0913, Python's keywords
        source: Any, filename: Any, mode: str, flags: int = 0, dont_inherit: bool = False,
        optimize: int = -1, **options: Any,
    ) -> Any:  # fmt: skip
        if not dont_inherit:
            flags |= sys._getframe(1).f_code.co_flags & _INHERITED
        try:
            return original(source, filename, mode, flags, True, optimize, **options)
        except TabError:
            if not isinstance(source, (str, bytes)):
                raise
            note("tabs and spaces mixed in indentation", "spaces", through_libraries=True)
            return original(_expanded(source), filename, mode, flags, True, optimize, **options)

    return [put(module, "compile", compile)]


def _expanded(source: Any) -> Any:
    """The text with leading tabs as spaces, as Python 2 counted them."""
    tab, empty = ("\t", "") if isinstance(source, str) else (b"\t", b"")
    lines = []
    for line in source.splitlines(keepends=True):
        body = line.lstrip(b" \t" if tab == b"\t" else " \t")
        lines.append(line[: len(line) - len(body)].expandtabs(8) + body)
    return empty.join(lines)
