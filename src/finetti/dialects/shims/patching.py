"""Changes of other libraries' modules that can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from finetti.dialects.notes import note

_MISSING = object()
Undo = Callable[[], None]


def put(owner: Any, name: str, value: Any) -> Undo:
    """Set an attribute; what comes back sets it as it was.

    Parameters
    ----------
    owner
        A module or a class.
    name, value
        The attribute.
    """
    before = vars(owner).get(name, _MISSING)
    setattr(owner, name, value)

    def undo() -> None:
        if vars(owner).get(name) is not value:
            return  # somebody else has changed it since
        if before is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, before)

    return undo


def put_missing(owner: Any, values: Mapping[str, Any]) -> list[Undo]:
    """Set those attributes that are not there.

    Parameters
    ----------
    owner
        A module or a class.
    values
        Name -> value.
    """
    return [put(owner, name, value) for name, value in values.items() if not hasattr(owner, name)]


def answer_missing(
    module: ModuleType, names: Mapping[str, tuple[Callable[[], Any], str]]
) -> list[Undo]:
    """Answer names that a module no longer has, and note who asks for them.

    Parameters
    ----------
    module
        The library's module.
    names
        Name -> (what makes its value, today's spelling).
    """
    before = vars(module).get("__getattr__")

    def __getattr__(name: str) -> Any:
        row = names.get(name)
        if row is not None:
            note(f"{module.__name__}.{name}", row[1])
            return row[0]()
        if before is not None:
            return before(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    return [put(module, "__getattr__", __getattr__)]
