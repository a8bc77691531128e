"""Observed data: as tensors, checked against the support when they come."""

from __future__ import annotations

from typing import Any

from finetti.backends import reference
from finetti.dist.checks import check_data
from finetti.errors import ModelError
from finetti.ir import Node, Tensor, ops
from finetti.model.data import as_array, data_only


def observed_tensor(observed: Any, owner: str, expressions: bool = False) -> Tensor:
    """Observed data as a tensor.

    With `expressions` they may depend on random variables: the term of the log density is then that
    of the distribution at the expression's value, without a Jacobian, as PyMC3 has it.

    Raises
    ------
    ModelError
        For an expression of random variables.
    """
    if isinstance(observed, Tensor):
        if not expressions and not data_only(observed):
            raise ModelError(
                f"{owner}: its observed data depend on random variables. Observed data must be "
                "numbers, a `pm.Data`, or a formula of those; add a term of your own with "
                "`pm.Potential(name, pm.logp(dist, expression))`."
            )
        return Tensor(observed.node)
    return ops.as_tensor(as_array(observed, f"{owner}: observed"))


def check_observed(rv: Node, values: Tensor, name: str) -> None:
    """Refuse data outside the support, as far as it is known without random parameters.

    Raises
    ------
    SupportError
        Naming the first row.
    """
    check_data(rv, reference.evaluate([values])[0], name)
