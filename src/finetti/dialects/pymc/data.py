"""The names that PyMC 4 and 5 had for data."""

from __future__ import annotations

from typing import Any

import finetti
from finetti.dialects.notes import note


def MutableData(name: str, value: Any, **kwargs: Any) -> Any:
    """`Data` under the name it had in PyMC 4 and 5.

    Parameters
    ----------
    name : str
        Its name.
    value : array_like
        Numbers.
    **kwargs
        Of `finetti.Data`.
    """
    note("pm.MutableData", "pm.Data")
    return finetti.Data(name, value, **kwargs)


def ConstantData(name: str, value: Any, **kwargs: Any) -> Any:
    """`Data` that nobody exchanges, under the name it had in PyMC 4 and 5.

    Parameters
    ----------
    name, value, **kwargs
        As for `MutableData`.
    """
    note("pm.ConstantData", "pm.Data")
    return finetti.Data(name, value, **kwargs)
