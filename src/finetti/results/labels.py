"""Names of a variable's elements: `theta[Boston]` where labels are known, `beta[0, 1]` else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np


def element_labels(
    name: str,
    shape: Sequence[int],
    dims: Sequence[str | None] | None = None,
    coords: Mapping[str, Any] | None = None,
) -> list[str]:
    """One name for each element, in C order; a scalar is called by its variable's name.

    Parameters
    ----------
    name
        The variable.
    shape
        Its shape, chain and draw left out.
    dims
        Its dimensions; `None`, or `None` for one of them, is a dimension without a name.
    coords
        Dimension name to labels. Labels of another length than the dimension are left aside.
    """
    if not len(shape):
        return [name]
    axes = [axis_labels(axis, size, dims, coords) for axis, size in enumerate(shape)]
    return [f"{name}[{', '.join(map(str, index))}]" for index in product(*axes)]


def axis_labels(
    axis: int,
    size: int,
    dims: Sequence[str | None] | None,
    coords: Mapping[str, Any] | None,
) -> list[Any]:
    """The labels along one axis, 0, 1, 2, ... where there are none."""
    dim = dims[axis] if dims is not None and axis < len(dims) else None
    labels = (coords or {}).get(dim) if dim is not None else None
    if labels is None or np.shape(labels)[:1] != (size,):
        return list(range(size))
    return list(np.asarray(labels)) if not isinstance(labels, (list, tuple)) else list(labels)
