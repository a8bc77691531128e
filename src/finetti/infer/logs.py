"""What sampling tells the user: the logger "finetti", with PyMC's lines."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO

log = logging.getLogger("finetti")
# of the thread or task, not the logger's level: two models may be sampled at once
_quiet: ContextVar[bool] = ContextVar("finetti_quiet", default=False)


class _ToStderr(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is at the time, as tests and notebooks exchange it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def show_by_default() -> None:
    """Show messages on stderr, unless the program has set up logging itself."""
    if not logging.root.handlers and not log.handlers:
        log.addHandler(_ToStderr())
        if log.level == logging.NOTSET:
            log.setLevel(logging.INFO)


@contextmanager
def quietly(quiet: bool) -> Iterator[None]:
    """No messages below errors from this thread or task while the block runs."""
    before = _quiet.set(quiet or _quiet.get())
    try:
        yield
    finally:
        _quiet.reset(before)


def _wanted(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or not _quiet.get()


log.addFilter(_wanted)


def listing(names: Sequence[str]) -> str:
    """Names in brackets, as PyMC prints them."""
    return f"[{', '.join(names)}]"


def jobs_line(chains: int, cores: int) -> str:
    """How chains share the cores."""
    plural = "s" if chains > 1 else ""
    if min(chains, cores) > 1:
        return f"Multiprocess sampling ({chains} chain{plural} in {min(chains, cores)} jobs)"
    return f"Sequential sampling ({chains} chain{plural} in 1 job)"


def finished_line(chains: int, tune: int, draws: int, seconds: float) -> str:
    """What was sampled, and how long it took."""
    return (
        f"Sampling {chains} chain{'s' if chains > 1 else ''} for {tune:_d} tune and {draws:_d} "
        f"draw iterations ({tune * chains:_d} + {draws * chains:_d} draws total) took "
        f"{seconds:.0f} seconds."
    )
