"""What a model adds to a result: its data, the names and labels of dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.backends import reference
from finetti.errors import ParameterError, did_you_mean
from finetti.model.frozen import Frozen
from finetti.model.variables import rv_nodes
from finetti.results.trace import Array, Group


def data_groups(model: Any, frozen: Frozen) -> dict[str, Group]:
    """The groups observed_data and constant_data."""
    observed = {}
    for rv in frozen.observed:
        assert rv.observed is not None
        if next(rv_nodes([rv.observed]), None) is not None:  # a formula of unknowns is no data
            continue
        (values,) = reference.evaluate([rv.observed])
        observed[rv.name] = np.array(values, rv.node.type.dtype)
    constant = {tensor.name: tensor.get_value() for tensor in model.root.data_vars}
    return {"observed_data": observed, "constant_data": constant}


def coords_of(model: Any) -> dict[str, Any]:
    """Dimension name -> labels; None stands for 0, 1, 2, ..."""
    return dict(model.root.coords)


def dims_of(model: Any) -> dict[str, Sequence[str | None]]:
    """Variable name -> names of its dimensions."""
    return {name: dims for name, dims in model.root.named_vars_to_dims.items() if dims}


def output_names(model: Any, var_names: Iterable[str] | None, where: str) -> list[str]:
    """Free variables and deterministics to return: those asked for, or all.

    Raises
    ------
    ParameterError
        For a name that is none of them.
    """
    names = [var.name for var in model.root.unobserved_RVs]
    if var_names is None:
        return names
    wanted = list(var_names)
    for name in wanted:
        if name not in names:
            raise ParameterError(
                f"{where}: var_names has {name!r}, which is no free variable and no deterministic "
                f"of the model. {did_you_mean(str(name), names)}"
            )
    return [name for name in names if name in wanted]


def stacked(arrays: Mapping[str, Array], chains: int) -> dict[str, Array]:
    """Rows [chain * draw, *shape] as [chain, draw, *shape]."""
    return {
        name: np.reshape(array, (chains, len(array) // chains, *array.shape[1:]))
        for name, array in arrays.items()
    }
