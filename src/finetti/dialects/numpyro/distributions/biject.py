"""Which transform leads from the real numbers to a constraint: one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from finetti.dialects.numpyro.distributions import constraints as C


class ConstraintRegistry:
    """A table of constraints and what makes a transform of each."""

    def __init__(self) -> None:
        self._registry: dict[type, Callable[[Any], Any]] = {}

    def register(self, constraint: Any, factory: Callable[[Any], Any] | None = None) -> Any:
        """Put a row into the table; a decorator when no function is given."""
        if factory is None:
            return lambda function: self.register(constraint, function)
        kind = type(constraint) if isinstance(constraint, C.Constraint) else constraint
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Any:
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(
                f"biject_to: no transform leads from the real numbers to {constraint!r}."
            )
        return factory(constraint)


biject_to = ConstraintRegistry()
