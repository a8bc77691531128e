"""Observed data: as tensors, checked against the support when they come."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.backends import reference
from finetti.dist.checks import check_data
from finetti.errors import ModelError, NotYetSupported
from finetti.ir import Node, Tensor, ops
from finetti.model.data import as_array, at_row, data_only


def observed_tensor(observed: Any, owner: str) -> Tensor:
    """Observed data as a tensor.

    Raises
    ------
    NotYetSupported
        For missing values.
    ModelError
        For an expression of random variables.
    """
    if isinstance(observed, Tensor):
        if not data_only(observed):
            raise ModelError(
                f"{owner}: its observed data depend on random variables. Observed data must be "
                "numbers, a `pm.Data`, or a formula of those; add a term of your own with "
                "`pm.Potential(name, pm.logp(dist, expression))`."
            )
        return Tensor(observed.node)
    array = as_array(observed, f"{owner}: observed")
    missing = np.flatnonzero(np.isnan(array).ravel())
    if missing.size:
        raise NotYetSupported(
            f"{owner}: {missing.size} of {array.size} observed values are missing (NaN), the first "
            f"{at_row(array, int(missing[0]))}. Imputing them is not there yet: drop those rows."
        )
    return ops.as_tensor(array)


def check_observed(rv: Node, values: Tensor, name: str) -> None:
    """Refuse data outside the support, as far as it is known without random parameters.

    Raises
    ------
    SupportError
        Naming the first row.
    """
    check_data(rv, reference.evaluate([values])[0], name)
