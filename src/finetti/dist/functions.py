"""Densities and distribution functions of random variables, as tensors."""

from __future__ import annotations

from typing import Any

from finetti.dist.base import Distribution, rv, stretched_params
from finetti.errors import NotYetSupported, ParameterError
from finetti.ir import Tensor


def logp(rv: Any, value: Any, warn_rvs: Any = None) -> Tensor:
    """Log density of a random variable at a value.

    Parameters
    ----------
    rv : Tensor
        A random variable, e.g. ``pm.Normal.dist(0, 1)``.
    value : tensor_like
        Where; broadcasts with the variable's parameters.
    warn_rvs : bool, optional
        Accepted for PyMC's sake; finetti has nothing to warn of here.

    Returns
    -------
    Tensor
        One number an event; -inf outside the support or for invalid parameters.
    """
    dist, params = _parts(rv, "logp")
    return dist.logp(value, **params)


def logcdf(rv: Any, value: Any, warn_rvs: Any = None) -> Tensor:
    """Log of the probability that a random variable is at most a value.

    Parameters
    ----------
    rv : Tensor
        A random variable, e.g. ``pm.Normal.dist(0, 1)``.
    value : tensor_like
        Where; broadcasts with the variable's parameters.
    warn_rvs : bool, optional
        Accepted for PyMC's sake; finetti has nothing to warn of here.

    Returns
    -------
    Tensor
    """
    dist, params = _parts(rv, "logcdf")
    return dist.logcdf(value, **params)


def logccdf(rv: Any, value: Any, warn_rvs: Any = None) -> Tensor:
    """Log of the probability that a random variable is above a value.

    Parameters
    ----------
    rv : Tensor
        A random variable, e.g. ``pm.Normal.dist(0, 1)``.
    value : tensor_like
        Where; broadcasts with the variable's parameters.
    warn_rvs : bool, optional
        Accepted for PyMC's sake; finetti has nothing to warn of here.

    Returns
    -------
    Tensor
        Accurate where the probability is small.
    """
    dist, params = _parts(rv, "logccdf")
    return dist.logccdf(value, **params)


def icdf(rv: Any, value: Any, warn_rvs: Any = None) -> Tensor:
    """Quantile of a random variable: the inverse of its distribution function.

    Parameters
    ----------
    rv : Tensor
        A random variable, e.g. ``pm.Normal.dist(0, 1)``.
    value : tensor_like
        Probabilities; NaN is returned for numbers that are none.
    warn_rvs : bool, optional
        Accepted for PyMC's sake; finetti has nothing to warn of here.

    Returns
    -------
    Tensor
    """
    dist, params = _parts(rv, "icdf")
    return dist.icdf(value, **params)


def _parts(variable: Any, asked: str) -> tuple[Distribution, dict[str, Any]]:
    if not isinstance(variable, Tensor):
        raise ParameterError(
            f"{asked} got {variable!r} for its random variable: expected one, e.g. "
            f"`pm.{asked}(pm.Normal.dist(0, 1), 0.5)`."
        )
    if variable.node.op is not rv:
        raise NotYetSupported(
            f"{asked} of {variable!r}: only random variables themselves have one here; deriving "
            "the density of an expression is not supported yet."
        )
    return stretched_params(variable)
