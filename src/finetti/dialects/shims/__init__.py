"""What other libraries had when a script was written: back under the runner, and only there.

A row names a module and the function that changes it, now when it is imported already, otherwise
right after its import. `remove` takes everything back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

Undo = Callable[[], None]

_REMOVED = "finetti.dialects.shims.removed"
# Module -> what changes it.
CHANGED: dict[str, str] = {
    "arviz": "finetti.dialects.shims.arviz:arviz",
    "builtins": "finetti.dialects.shims.syntax:python_builtins",
    "collections": f"{_REMOVED}:python_collections",
    "matplotlib.axes": f"{_REMOVED}:matplotlib_axes",
    "matplotlib.style": f"{_REMOVED}:matplotlib_style",
    "numpy": f"{_REMOVED}:numpy",
    "numpy.random": f"{_REMOVED}:numpy_random",
    "pandas": f"{_REMOVED}:pandas",
    "scipy.integrate": f"{_REMOVED}:scipy_integrate",
    "scipy.linalg": f"{_REMOVED}:scipy_linalg",
    "scipy.signal": f"{_REMOVED}:scipy_signal",
    "seaborn": f"{_REMOVED}:seaborn",
    "time": f"{_REMOVED}:python_time",
}
# Modules that are gone -> another module's name, or what makes one.
GONE: dict[str, str] = {"scipy.misc": f"{_REMOVED}:scipy_misc", "seaborn.apionly": "seaborn"}
# Modules that need not be installed, and what stands for them then.
_IPYTHON = "finetti.dialects.shims.ipython:module"
ABSENT: dict[str, str] = dict.fromkeys(
    ("IPython", "IPython.core", "IPython.core.display", "IPython.core.pylabtools",
     "IPython.display"),
    _IPYTHON,
)  # fmt: skip

_changed: dict[str, list[Undo]] = {}


def install() -> None:
    """Change what is imported already."""
    for name in CHANGED:
        module = sys.modules.get(name)
        if module is not None:
            change(module, name)


def change(module: ModuleType, name: str) -> None:
    """Change one module, once.

    Parameters
    ----------
    module
        It, executed.
    name
        Its name.
    """
    if name not in _changed:
        _changed[name] = []
        _changed[name] = _look_up(CHANGED[name])(module)


def made(name: str) -> ModuleType:
    """The module that stands for one that is gone or absent.

    Parameters
    ----------
    name
        Its name.
    """
    if name in ABSENT:
        return _look_up(ABSENT[name])(name)  # type: ignore[no-any-return]
    row = GONE[name]
    return _look_up(row)() if ":" in row else import_module(row)  # type: ignore[no-any-return]


def remove() -> None:
    """Take back every change."""
    for undos in reversed(list(_changed.values())):
        for undo in reversed(undos):
            undo()
    _changed.clear()


def _look_up(path: str) -> Any:
    where, _, name = path.partition(":")
    return getattr(import_module(where), name)
