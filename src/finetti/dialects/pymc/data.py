"""The names that PyMC 4 and 5 had for data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import finetti
from finetti.dialects.notes import note


def _data(word: str, summary: str) -> Callable[..., Any]:
    """`Data` under another name."""

    def data(name: str, value: Any, **kwargs: Any) -> Any:
        note(f"pm.{word}", "pm.Data")
        return finetti.Data(name, value, **kwargs)

    data.__name__ = data.__qualname__ = word
    data.__doc__ = f"""{summary}

    Parameters
    ----------
    name : str
        Its name.
    value : array_like
        Numbers.
    **kwargs
        Of `finetti.Data`.
    """
    return data


MutableData = _data("MutableData", "`Data` under the name it had in PyMC 4 and 5.")
ConstantData = _data("ConstantData", "`Data` that nobody exchanges, as PyMC 4 and 5 called it.")
__all__ = ["ConstantData", "MutableData"]
