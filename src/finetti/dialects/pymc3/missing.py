"""Names of PyMC3 that are not there: what to say when a script asks for one."""

from __future__ import annotations

from collections.abc import Iterable

from finetti.dialects.pymc.missing import explain as today
from finetti.dialects.pymc3.names import REFUSED
from finetti.errors import NotYetSupported


def explain(name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that `pymc3` was asked for and the dialect lacks."""
    if name in REFUSED:
        return NotYetSupported(f"pymc3.{name}: {REFUSED[name]}.")
    error = today(name, known)
    text = str(error).replace("pymc.", "pymc3.", 1).replace("pymc has", "pymc3 has", 1)
    return type(error)(text)
