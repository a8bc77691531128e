"""PyMC3's and PyMC 4's ways to register data."""

from __future__ import annotations

from typing import Any

import finetti
from finetti.dialects.notes import note
from finetti.errors import NotYetSupported


def Data(
    name: str,
    value: Any,
    *,
    dims: Any = None,
    export_index_as_coords: bool = False,
    **kwargs: Any,
) -> Any:
    """Register data that can be exchanged with `set_data`.

    Parameters
    ----------
    name : str
        Its name.
    value : array_like
        Numbers.
    dims : str or tuple of str, optional
        A name for each axis.
    export_index_as_coords : bool
        Take the labels of a pandas index as coordinates of `dims`.
    **kwargs
        Today's, of `finetti.Data`.
    """
    if export_index_as_coords:
        note("export_index_as_coords=True", "coords=")
        index = getattr(value, "index", None)
        names = [dims] if isinstance(dims, str) else list(dims or [])
        if index is None or not names:
            raise NotYetSupported(
                f"Data {name!r}: export_index_as_coords=True needs a pandas object and dims="
            )
        kwargs["coords"] = {names[0]: list(index), **kwargs.get("coords", {})}
        columns = getattr(value, "columns", None)
        if columns is not None and len(names) > 1:
            kwargs["coords"][names[1]] = list(columns)
    return finetti.Data(name, value, dims=dims, **kwargs)


def MutableData(name: str, value: Any, **kwargs: Any) -> Any:
    """`Data` under the name it had in PyMC 4 and 5."""
    note("pm.MutableData", "pm.Data")
    return finetti.Data(name, value, **kwargs)


def ConstantData(name: str, value: Any, **kwargs: Any) -> Any:
    """`Data` that nobody exchanges, under the name it had in PyMC 4 and 5."""
    note("pm.ConstantData", "pm.Data")
    return finetti.Data(name, value, **kwargs)
