"""Programs written in JAX as graphs: each primitive of a traced function becomes operations.

`walk` goes through the equations, the other modules are tables from the name of a primitive to a
function of its parameters and tensors. What a program computes with 32-bit numbers is computed with
64 here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from finetti.errors import ParameterError


def from_jax(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function written in JAX as a function of a model's tensors.

    Its equations become part of the model's graph, so that it is differentiated, simplified and
    compiled with the rest and no JAX runs while sampling. Arguments that hold no tensor are given
    to it as they are. It needs the extra `finetti[jax]`.

    Parameters
    ----------
    function : callable
        A pure function of arrays (or of nested lists, tuples and dicts of them) to arrays.

    Returns
    -------
    callable
        The same function for tensors: the result has the structure of `function`'s.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> logp = pm.from_jax(lambda mu, sigma: -jnp.sum(((data - mu) / sigma) ** 2) / 2)
    >>> with pm.Model():
    ...     mu, sigma = pm.Normal("mu", 0, 1), pm.HalfNormal("sigma", 1)
    ...     pm.Potential("likelihood", logp(mu, sigma))
    """
    try:
        functions = importlib.import_module(f"{__name__}.functions")  # imports jax
    except ModuleNotFoundError as error:
        if error.name != "jax":
            raise
        raise ParameterError("from_jax needs JAX: `pip install finetti[jax]`.") from None
    return functions.from_jax(function)  # type: ignore[no-any-return]
