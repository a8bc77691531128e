"""What a distribution of this dialect becomes in a model: a record and its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Lowered:
    """A distribution as the engine takes it; every distribution's `_lower()` makes one.

    A distribution that the engine has no record for returns None instead: its `support` and its
    `log_prob` are used then.

    Parameters
    ----------
    record : Distribution or callable
        The record in `finetti.dist`; or, for what is composed of others, a function
        ``build(**tensors) -> (record, tensors)`` that makes it once the parameters are tensors.
    params : dict
        Parameter name -> JAX or NumPy array, tracer or number. Any parametrisation the record knows
        (`finetti.dist.resolve`) will do, e.g. ``logit_p``.
    expand_shape : tuple of int, optional
        The batch shape, where it is larger than the parameters'.
    event_dims_reinterpreted : int
        How many of the record's batch axes `to_event` made part of the event.
    mask : array_like, optional
        Where the log density counts; False for nowhere.
    """

    record: Any
    params: dict[str, Any] = field(default_factory=dict)
    expand_shape: tuple[int, ...] | None = None
    event_dims_reinterpreted: int = 0
    mask: Any = None

    @property
    def built_later(self) -> bool:
        """Whether `record` is a function that makes the record."""
        return isinstance(self.record, Callable) and not hasattr(self.record, "density")  # type: ignore[arg-type]
