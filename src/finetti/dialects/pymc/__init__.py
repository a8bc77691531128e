"""What a script gets for `import pymc`: finetti itself, whose own API is PyMC's.

Names are forwarded to the `finetti` package one by one. `__version__` is the version of
PyMC whose spelling is spoken, marked as finetti's, so that version checks in scripts pass.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import finetti
from finetti.dialects.pymc.missing import explain
from finetti.dialects.pymc.submodules import REAL, forwarded, is_forwarded

__version__ = "6.0.0+finetti"

_OLDER = ("ConstantData", "MutableData")  # names of PyMC 4 and 5, in `data.py`


def module(name: str) -> ModuleType:
    """The module for `pymc.<name>`, for `pymc` itself when the name is empty.

    Raises
    ------
    LookupError
        There is none; the text says what to write.
    """
    if is_forwarded(name):
        return forwarded(name, __getattr__, __dir__)
    found: Any = finetti
    for part in REAL.get(name, "").split("."):
        found = getattr(found, part, None)
    if isinstance(found, ModuleType):
        return found
    # also asked for every `from pymc import name` that the root lacks, so it may be no module
    raise LookupError(str(explain(name.rpartition(".")[2], dir(finetti))))


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return [public for public in dir(finetti) if not public.startswith("_")]
    if name == "__version__":
        return __version__
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if is_forwarded(name):
        return module(name)
    if name in _OLDER:
        return getattr(import_module("finetti.dialects.pymc.data"), name)
    known = dir(finetti)
    if name in known:  # an error inside finetti must come through as it is
        return getattr(finetti, name)
    raise explain(name, known)


def __dir__() -> list[str]:
    return sorted({*dir(finetti), *_OLDER, "__version__"})
