"""The same distribution in other parameters, as a record of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from finetti.dist.base import Distribution, Param
from finetti.ir import Tensor


def respelled(
    record: Distribution,
    key: str,
    params: Mapping[str, Param],
    convert: Callable[..., dict[str, Any]],
    **columns: Any,
) -> Distribution:
    """A record whose functions convert its parameters to those of another.

    Parameters
    ----------
    record : Distribution
        The other one.
    key : str
        Its unique name.
    params : mapping
        Its parameters.
    convert : callable
        ``convert(**params) -> dict`` of the other's parameters.
    **columns
        `scipy` and `samples`, and what is better written anew.
    """

    def of_value(column: str) -> Any:
        function = getattr(record, column)
        if function is None:
            return None
        return lambda value, **given: function(value, **convert(**given))

    def of_params(column: str) -> Callable[..., Tensor]:
        return lambda **given: getattr(record, column)(**convert(**given))

    made: dict[str, Any] = {
        **{name: of_value(name) for name in ("density", "draw", "cdf", "quantile")},
        **{name: of_params(name) for name in ("support", "center", "mean", "var")},
        "discrete": record.discrete,
        "event_ndim": record.event_ndim,
        "event_shape": record.event_shape,
        "tol": record.tol,
        "notes": record.notes,
    }
    return Distribution(record.name, key=key, params=params, **{**made, **columns})
