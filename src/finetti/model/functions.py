"""Functions of a model under PyMC's names that are no more than a call of a method."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from finetti.errors import NotYetSupported
from finetti.ir import Tensor
from finetti.model.context import modelcontext


def compile_fn(outs: Any, *, model: Any = None, **kwargs: Any) -> Any:
    """Compile expressions of a model.

    Parameters
    ----------
    outs : tensor or list of tensors
        What to compute.
    model : Model, optional
        The open model by default.
    **kwargs
        As for `Model.compile_fn`.
    """
    return modelcontext(model).compile_fn(outs, **kwargs)


def Point(
    *args: Any, filter_model_vars: bool = False, model: Any = None, **kwargs: Any
) -> dict[str, Any]:
    """A point: values by name.

    Parameters
    ----------
    *args, **kwargs
        As for `dict`; variables may stand for their names.
    filter_model_vars : bool
        Keep only the unconstrained values of the model.
    model : Model, optional
        The open model by default.
    """
    items: Iterable[Any] = []
    for arg in args:
        items = [*items, *(arg.items() if hasattr(arg, "items") else arg)]
    pairs = [*items, *kwargs.items()]
    point: dict[str, Any] = {}
    for key, value in pairs:
        point[str(key.name) if isinstance(key, Tensor) else key] = np.array(value)
    if not filter_model_vars:
        return point
    names = {value.name for value in modelcontext(model).value_vars}
    return {name: value for name, value in point.items() if name in names}


def get_data(filename: str) -> Any:
    """Refused: finetti downloads nothing.

    Parameters
    ----------
    filename : str
        Name of one of PyMC's example data sets.
    """
    name = Path(filename).name
    raise NotYetSupported(
        f"get_data({filename!r}): finetti downloads nothing. Fetch the file from PyMC's examples "
        f"(examples/data/{name} of pymc-examples) and open it with pandas or NumPy."
    )
