"""Progress of a running sampler: snapshots in, text out.

The sampler is polled for a list of snapshots, one a chain. What they look like is a pure function
of them (`table_lines`, `log_line`, `html_table`); where it goes, and how often, is a `Progress`.
"""

from __future__ import annotations

import html
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TextIO

from finetti.errors import NotYetSupported, ParameterError, did_you_mean

SILENT_SECONDS = 0.5  # a run shorter than this says nothing
REFRESH_SECONDS = 0.1
LOG_SECONDS = 10.0
LOG_SHARE = 0.1
LOG_LEAST_SECONDS = 2.0  # between two lines
_BAR_CELLS = 24
_MIN_BAR_CELLS = 8


class ChainProgress(Protocol):
    """One chain's snapshot."""

    chain: int
    finished_draws: int
    total_draws: int  # warm-up included
    tuning: bool
    started: bool
    divergences: int
    latest_num_steps: int
    total_num_steps: int
    step_size: float
    runtime_seconds: float
    done: bool


@dataclass(frozen=True)
class Style:
    """What the table shows.

    Parameters
    ----------
    per_chain
        One bar a chain, or one for all of them.
    stats
        Show divergences, step size and gradient evaluations beside the times.
    """

    per_chain: bool = True
    stats: bool = True


_STYLES = {
    "split+stats": Style(True, True),
    "combined+stats": Style(False, True),
    "split": Style(True, False),
    "combined": Style(False, False),
    "stats+split": Style(True, True),
    "stats+combined": Style(False, True),
}


@dataclass(frozen=True)
class Row:
    """One line of the table: a chain, or all of them together."""

    label: str
    finished: int
    total: int
    tuning: bool
    divergences: int
    step_size: float
    steps: float
    elapsed: float
    done: bool

    @property
    def share(self) -> float:
        return min(1.0, self.finished / self.total) if self.total else 1.0

    @property
    def speed(self) -> float:
        """Draws a second; 0 before the first."""
        return self.finished / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds to go; None while nothing is known."""
        if self.done or self.finished >= self.total:
            return 0.0
        return (self.total - self.finished) / self.speed if self.speed else None


def parse_style(progressbar: bool | str) -> Style | None:
    """What the `progressbar` keyword asks for; None for no progress at all."""
    if isinstance(progressbar, str):
        if progressbar in _STYLES:
            return _STYLES[progressbar]
        raise ParameterError(
            f"sample: progressbar={progressbar!r} is not known. "
            f"{did_you_mean(progressbar, [*_STYLES])} True and False are valid too."
        )
    if progressbar not in (True, False):
        raise ParameterError(
            f"sample: progressbar must be True, False or one of {', '.join(_STYLES)}; "
            f"got {progressbar!r}"
        )
    return Style() if progressbar else None


def check_theme(progressbar_theme: object) -> None:
    """Refuse `progressbar_theme`: there is no rich console that a theme could colour."""
    if progressbar_theme is not None:
        raise NotYetSupported(
            "sample: progressbar_theme is not supported, since finetti draws its progress table "
            "itself and not through rich. Leave the keyword out; NO_COLOR=1 in the environment "
            "turns the colours off."
        )


def rows(chains: Sequence[ChainProgress], style: Style) -> list[Row]:
    """The lines of the table."""
    each = [
        Row(
            label=str(chain.chain),
            finished=chain.finished_draws,
            total=chain.total_draws,
            tuning=chain.tuning,
            divergences=chain.divergences,
            step_size=chain.step_size,
            steps=chain.latest_num_steps,
            elapsed=chain.runtime_seconds,
            done=chain.done,
        )
        for chain in chains
    ]
    return each if style.per_chain or not each else [_combined(each)]


def _combined(each: Sequence[Row]) -> Row:
    running = [row for row in each if row.finished] or list(each)
    return Row(
        label="all",
        finished=sum(row.finished for row in each),
        total=sum(row.total for row in each),
        tuning=any(row.tuning for row in each),
        divergences=sum(row.divergences for row in each),
        step_size=sum(row.step_size for row in running) / len(running),
        steps=sum(row.steps for row in running) / len(running),
        elapsed=max(row.elapsed for row in each),
        done=all(row.done for row in each),
    )


def columns(style: Style) -> list[str]:
    """The titles of the columns, PyMC's."""
    stats = ["Divergences", "Step size", "Grad evals"] if style.stats else []
    return ["Chain", "Progress", "Draws", *stats, "Speed", "Elapsed", "Remaining"]


def cells(row: Row, style: Style) -> list[str]:
    """The texts of one line, without its bar."""
    draws = f"{row.finished}{' tune' if row.tuning and not row.done else ''}"
    stats = [str(row.divergences), f"{row.step_size:.3g}", f"{row.steps:.0f}"]
    remaining = row.remaining
    return [
        draws,
        *(stats if style.stats else []),
        speed_text(row.speed),
        clock_text(row.elapsed),
        "-" if remaining is None else clock_text(remaining),
    ]


def speed_text(speed: float) -> str:
    """Draws a second, or seconds a draw where that is the larger number."""
    if speed <= 0:
        return "-"
    if speed < 1:
        return f"{1 / speed:.1f} s/draw"
    return f"{speed:,.{0 if speed >= 10 else 1}f} draws/s"


def clock_text(seconds: float) -> str:
    """Hours, minutes and seconds."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def table_lines(
    chains: Sequence[ChainProgress], style: Style, width: int = 100, colour: bool = False
) -> list[str]:
    """The table for a terminal, no line wider than `width`.

    Parameters
    ----------
    chains
        The snapshots.
    style
        Which bars and columns.
    width
        Columns of the terminal; the bar shrinks, then columns are dropped from the right.
    colour
        Colour the bars with ANSI codes: red once a chain has diverged.
    """
    lines = rows(chains, style)
    titles = columns(style)
    table = [titles[2:], *(cells(row, style) for row in lines)]
    sizes = [max(len(line[i]) for line in table) for i in range(len(titles) - 2)]
    label = max(len(text) for text in [titles[0], *(row.label for row in lines)])
    kept = len(sizes)
    while kept > 1 and _bar_room(width, label, sizes[:kept]) < _MIN_BAR_CELLS:
        kept -= 1
    bar = max(1, min(_BAR_CELLS, _bar_room(width, label, sizes[:kept])))
    text = [_line(titles[0].ljust(label), titles[1][:bar].ljust(bar), table[0], sizes[:kept])]
    for row, right in zip(lines, table[1:], strict=True):
        text.append(_line(row.label.rjust(label), _bar(row, bar, colour), right, sizes[:kept]))
    return text


def _bar_room(width: int, label: int, sizes: Sequence[int]) -> int:
    return width - label - sum(sizes) - 2 * (len(sizes) + 1)


def _line(label: str, bar: str, right: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.rjust(size) for cell, size in zip(right, widths, strict=False))
    return "  ".join([label, bar, *padded])


def _bar(row: Row, size: int, colour: bool) -> str:
    full = int(row.share * size)
    if not colour:
        return "#" * full + "." * (size - full)
    code = 31 if row.divergences else (32 if row.done else 34)
    return f"\x1b[{code}m{'━' * full}\x1b[0m\x1b[2m{'━' * (size - full)}\x1b[0m"


def log_line(chains: Sequence[ChainProgress], style: Style) -> str:
    """One plain line about all chains, for log files."""
    if not chains:
        return "Sampling: no chain has started"
    row = rows(chains, Style(per_chain=False))[0]
    finished = sum(chain.done for chain in chains)
    phase = "tuning" if row.tuning else "drawing"
    parts = [f"Sampling {row.share:4.0%}", f"{row.finished}/{row.total} draws ({phase})"]
    parts.append(f"{finished}/{len(chains)} chains done")
    if style.stats:
        parts.append(f"{row.divergences} divergences")
        if row.step_size:  # no step has one without gradients
            parts.append(f"step size {row.step_size:.3g}")
    parts.append(speed_text(row.speed))
    remaining = row.remaining
    parts.append(f"elapsed {clock_text(row.elapsed)}")
    if remaining is not None:
        parts.append(f"remaining {clock_text(remaining)}")
    return ", ".join(parts)


def html_table(chains: Sequence[ChainProgress], style: Style) -> str:
    """The table for a notebook; it carries its own style and no script."""
    head = "".join(f"<th style='text-align:right'>{html.escape(t)}</th>" for t in columns(style))
    body = []
    for row in rows(chains, style):
        colour = "#c0392b" if row.divergences else "#2c7fb8"
        bar = (
            f"<progress max='1' value='{row.share:.4f}' style='accent-color:{colour}'>"
            f"{row.share:.0%}</progress>"
        )
        texts = "".join(
            f"<td style='text-align:right'>{html.escape(text)}</td>" for text in cells(row, style)
        )
        body.append(f"<tr><td style='text-align:right'>{row.label}</td><td>{bar}</td>{texts}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


class Progress:
    """Where snapshots go. This one goes nowhere; the others override `_show` and `_end`.

    Parameters
    ----------
    style
        Which bars and columns.
    clock
        Seconds that only grow.
    """

    refresh_seconds = REFRESH_SECONDS

    def __init__(self, style: Style, clock: Callable[[], float] = time.monotonic) -> None:
        self.style = style
        self._clock = clock
        self._start = clock()
        self._last = float("-inf")
        self._shown = False

    def update(self, chains: Sequence[ChainProgress]) -> None:
        """Take a snapshot; shows it when it is time to."""
        now = self._clock()
        if now - self._start < SILENT_SECONDS or not self._due(now, chains):
            return
        self._last, self._shown = now, True
        self._show(chains)

    def finish(self, chains: Sequence[ChainProgress]) -> None:
        """Show the last state, if anything was shown before, and leave the place in order."""
        if self._shown:
            self._show(chains)
            self._end()

    def _due(self, now: float, chains: Sequence[ChainProgress]) -> bool:
        return now - self._last >= self.refresh_seconds

    def _show(self, chains: Sequence[ChainProgress]) -> None:
        return

    def _end(self) -> None:
        return


class TableProgress(Progress):
    """A table on a terminal, drawn over itself."""

    def __init__(
        self,
        style: Style,
        clock: Callable[[], float] = time.monotonic,
        stream: TextIO | None = None,
        size: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        super().__init__(style, clock)
        self._stream = sys.stderr if stream is None else stream
        self._size = size or (lambda: shutil.get_terminal_size((100, 24)))
        self._height = 0
        encoding = (getattr(self._stream, "encoding", None) or "ascii").lower()
        self._colour = not os.environ.get("NO_COLOR") and encoding.startswith("utf")

    def _show(self, chains: Sequence[ChainProgress]) -> None:
        width, height = self._size()
        style = self.style
        if len(chains) + 2 > height:  # lines that scrolled away cannot be drawn over
            style = replace(style, per_chain=False)
        # one column less than there is: a full line would wrap on some terminals
        lines = table_lines(chains, style, width - 1, self._colour)
        up = f"\x1b[{self._height}F" if self._height else ""
        self._stream.write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
        self._stream.flush()
        self._height = len(lines)


class LogProgress(Progress):
    """Plain lines for files, pipes and batch systems: at each tenth of the way, each 2 to 10 s."""

    def __init__(
        self,
        style: Style,
        clock: Callable[[], float] = time.monotonic,
        stream: TextIO | None = None,
    ) -> None:
        super().__init__(style, clock)
        self._stream = sys.stderr if stream is None else stream
        self._share = 0.0
        self._text = ""

    def _due(self, now: float, chains: Sequence[ChainProgress]) -> bool:
        share, since = _share(chains), now - max(self._last, self._start)
        if since < LOG_LEAST_SECONDS or (share - self._share < LOG_SHARE and since < LOG_SECONDS):
            return False
        self._share = share - share % LOG_SHARE
        return True

    def _show(self, chains: Sequence[ChainProgress]) -> None:
        text = log_line(chains, self.style)
        if text != self._text:  # the last state may have been shown already
            self._stream.write(text + "\n")
            self._stream.flush()
        self._text = text


class NotebookProgress(Progress):
    """An HTML table in a notebook's cell, replaced in place."""

    refresh_seconds = 0.25

    def __init__(
        self,
        style: Style,
        display: Any,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(style, clock)
        self._display = display
        self._handle: Any = None

    def _show(self, chains: Sequence[ChainProgress]) -> None:
        content = {
            "text/html": html_table(chains, self.style),
            "text/plain": log_line(chains, self.style),
        }
        if self._handle is None:
            self._handle = self._display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def make_progress(
    progressbar: bool | str = True,
    progressbar_theme: object = None,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """The renderer for this process's output.

    Parameters
    ----------
    progressbar
        True, False, `"split"`, `"combined"`, `"split+stats"` or `"combined+stats"`.
    progressbar_theme
        Refused unless None.
    stream
        Standard error by default.
    clock
        Seconds that only grow.
    """
    check_theme(progressbar_theme)
    style = parse_style(progressbar)
    if style is None:
        return Progress(Style(), clock)
    if stream is None:
        display = _notebook_display()
        if display is not None:
            return NotebookProgress(style, display, clock)
    out = sys.stderr if stream is None else stream
    if out is None:  # pythonw has no standard error
        return Progress(style, clock)
    terminal = getattr(out, "isatty", lambda: False)()
    if terminal and os.environ.get("TERM") != "dumb":
        return TableProgress(style, clock, out)
    return LogProgress(style, clock, out)


def _notebook_display() -> Any:
    """IPython's `display` inside a notebook's kernel, None elsewhere; never imports IPython."""
    ipython = sys.modules.get("IPython")
    if ipython is None or not hasattr(ipython, "get_ipython"):
        return None
    shell = ipython.get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None:
        return None
    return ipython.display.display


def _share(chains: Sequence[ChainProgress]) -> float:
    total = sum(chain.total_draws for chain in chains)
    return sum(chain.finished_draws for chain in chains) / total if total else 0.0
