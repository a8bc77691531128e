"""What notebooks import from IPython, for where it is not installed: showing things, and sizes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

_VERSION = (9, 0, 0)  # matplotlib reads it
_shell: list[Any] = []


def connect(shell: Any) -> None:
    """Let `display` show in a notebook that runs.

    Parameters
    ----------
    shell
        Something with `display(*values)` and `names`, the namespace of the cells.
    """
    _shell[:] = [shell]


def get_ipython() -> Any:
    """The notebook that runs for its own cells; None for libraries, which would drive IPython."""
    own = _shell and sys._getframe(1).f_globals is _shell[0].names
    return _shell[0] if own else None


def display(*values: Any, **options: Any) -> None:
    """Show values: in a notebook's outputs, or printed."""
    if _shell:
        _shell[0].display(*values)
    else:
        for value in values:
            print(value)


class Shown:
    """A text that notebooks show in a form of its own.

    Parameters
    ----------
    data : str, optional
        The text, or an address.
    **options
        Sizes and the like, which no output here has.
    """

    def __init__(self, data: Any = None, *rest: Any, **options: Any):
        self.data = data if data is not None else options.get("url", options.get("filename"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.data}>"


class HTML(Shown):
    """A text in HTML."""

    def _repr_html_(self) -> str:
        return str(self.data)


_SHOWN = ("Audio", "IFrame", "Image", "Javascript", "Latex", "Markdown", "Math", "Pretty", "SVG",
          "Video", "YouTubeVideo")  # fmt: skip


def figsize(sizex: float, sizey: float) -> None:
    """Matplotlib's default size of figures."""
    import_module("matplotlib").rcParams["figure.figsize"] = [sizex, sizey]


def _nothing(*args: Any, **options: Any) -> None:
    """Outputs are files here: there is nothing to clear and no format to choose."""


def _display_names() -> dict[str, Any]:
    kinds = {name: type(name, (Shown,), {}) for name in _SHOWN}
    return {
        **kinds, "HTML": HTML, "display": display, "clear_output": _nothing,
        "set_matplotlib_formats": _nothing,
    }  # fmt: skip


_NAMES: dict[str, Callable[[], dict[str, Any]]] = {
    "IPython": lambda: {
        "get_ipython": get_ipython, "version_info": _VERSION,
        "__version__": ".".join(map(str, _VERSION)),
    },
    "IPython.core": dict,
    "IPython.core.display": _display_names,
    "IPython.core.pylabtools": lambda: {"figsize": figsize},
    "IPython.display": _display_names,
}  # fmt: skip


def module(name: str) -> ModuleType:
    """The module that stands for one of IPython's.

    Parameters
    ----------
    name
        Its name.
    """
    made = ModuleType(name, "What notebooks use of IPython, which is not installed.")
    vars(made).update(_NAMES[name]())
    if name in ("IPython", "IPython.core"):
        made.__path__ = []
    return made
