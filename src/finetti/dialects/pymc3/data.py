"""PyMC3's and PyMC 4's ways to register data."""

from __future__ import annotations

from typing import Any

import finetti
from finetti.dialects.notes import note
from finetti.dialects.pymc.data import ConstantData, MutableData
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


__all__ = ["ConstantData", "Data", "MutableData"]
