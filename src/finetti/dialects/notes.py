"""What a script says in the words of another time, and how it is said today.

Dialects call `note` wherever they translate an idiom; the runner prints the list. A place in the
user's own files is noted once for each idiom, however often it runs.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from types import FrameType

import finetti

_PACKAGE = os.path.dirname(os.path.abspath(finetti.__file__ or "")) + os.sep
_notes: dict[tuple[str, int, str], Note] = {}


@dataclass(frozen=True)
class Note:
    """One translated idiom.

    Parameters
    ----------
    file, line
        Where the user's code says it.
    idiom
        What it says.
    today
        What one would write today.
    """

    file: str
    line: int
    idiom: str
    today: str


def note(idiom: str, today: str, *, through_libraries: bool = False) -> None:
    """Remember that the user's code says `idiom`, which is written `today` nowadays.

    Parameters
    ----------
    idiom
        As the user spells it, e.g. ``sd=``.
    today
        Today's spelling, e.g. ``sigma=``.
    through_libraries
        Whether the user's code says it when a library is in between; a library's own idioms are
        none of his business.
    """
    frame = _users_frame(sys._getframe(1), through_libraries)
    if frame is not None and _is_library(frame.f_code.co_filename):
        return
    file, line = ("?", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
    _notes.setdefault((file, line, idiom), Note(file, line, idiom, today))


def noted() -> list[Note]:
    """All notes, in the order in which they were met."""
    return list(_notes.values())


def clear() -> None:
    """Forget all notes."""
    _notes.clear()


def report(*, lines: bool = False) -> str:
    """The notes as text: one line for each idiom, or one for each place.

    Parameters
    ----------
    lines
        Name every place instead of counting them.
    """
    if lines:
        return "".join(f"{n.file}:{n.line}: {n.idiom} -> {n.today}\n" for n in noted())
    places: dict[tuple[str, str], int] = {}
    for n in noted():
        places[n.idiom, n.today] = places.get((n.idiom, n.today), 0) + 1
    return "".join(
        f"{idiom} -> {today}" + (f" ({count} places)" if count > 1 else "") + "\n"
        for (idiom, today), count in places.items()
    )


def _is_library(file: str) -> bool:
    return "site-packages" in file or "dist-packages" in file


def _users_frame(frame: FrameType | None, through_libraries: bool) -> FrameType | None:
    """The nearest frame outside of finetti and of the import system."""
    while frame is not None:
        file = frame.f_code.co_filename
        inner = file.startswith((_PACKAGE, "<frozen importlib"))
        if not inner and not (through_libraries and _is_library(file)):
            return frame
        frame = frame.f_back
    return None
