"""Constraints on single numbers: of the real line, and whole ones; and on vectors of counts."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from finetti.dialects.numpyro.distributions.constraint_base import (
    Constraint,
    SingletonConstraint,
    library_of,
    same,
)

Array = Any


class _Bounded(Constraint):
    """A constraint that is known by its fields."""

    def tree_flatten(self) -> Any:
        return tuple(getattr(self, f) for f in self.fields), (self.fields, {})

    def eq(self, other: object, static: bool = False) -> Any:
        if not isinstance(other, self.family()):
            return False
        pairs = [(getattr(self, f), getattr(other, f)) for f in self.fields]
        equal = True
        for mine, theirs in pairs:
            equal = equal & same(mine, theirs, static)
        return equal

    @classmethod
    def family(cls) -> type:
        return cls

    def __repr__(self) -> str:
        fields = ", ".join(f"{f}={getattr(self, f)}" for f in self.fields)
        return f"{type(self).__name__[1:]}({fields})"


# -- numbers -------------------------------------------------------------------------------------


class _Real(SingletonConstraint):
    def __call__(self, x: Any) -> Any:
        return (x == x) & (x != float("inf")) & (x != float("-inf"))

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.zeros_like(prototype)


class _Complex(_Real):
    pass


class _Boolean(SingletonConstraint):
    is_discrete = True

    def __call__(self, x: Any) -> Any:
        xp = library_of(x)
        return xp.equal(x, 0) | xp.equal(x, 1)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.zeros_like(prototype)


class _GreaterThan(_Bounded):
    fields = ("lower_bound",)

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound

    @classmethod
    def family(cls) -> type:
        return _GreaterThanEq if issubclass(cls, _GreaterThanEq) else _GreaterThan

    def __call__(self, x: Any) -> Any:
        return library_of(x, self.lower_bound).greater(x, self.lower_bound)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.broadcast_to(self.lower_bound + 1, jnp.shape(prototype))


class _GreaterThanEq(_GreaterThan):
    def __call__(self, x: Any) -> Any:
        return library_of(x, self.lower_bound).greater_equal(x, self.lower_bound)


class _Positive(SingletonConstraint, _GreaterThan):
    def __init__(self) -> None:
        super().__init__(0.0)


class _Nonnegative(SingletonConstraint, _GreaterThanEq):
    def __init__(self) -> None:
        super().__init__(0.0)


class _SoftplusPositive(SingletonConstraint, _GreaterThan):
    def __init__(self) -> None:
        super().__init__(0.0)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.full(jnp.shape(prototype), math.log(2.0))


class _LessThan(_Bounded):
    fields = ("upper_bound",)

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    @classmethod
    def family(cls) -> type:
        return _LessThanEq if issubclass(cls, _LessThanEq) else _LessThan

    def __call__(self, x: Any) -> Any:
        return library_of(x, self.upper_bound).less(x, self.upper_bound)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.broadcast_to(self.upper_bound - 1, jnp.shape(prototype))


class _LessThanEq(_LessThan):
    def __call__(self, x: Any) -> Any:
        return library_of(x, self.upper_bound).less_equal(x, self.upper_bound)


class _Interval(_Bounded):
    fields = ("lower_bound", "upper_bound")

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    @classmethod
    def family(cls) -> type:
        return _Interval

    def __call__(self, x: Any) -> Any:
        xp = library_of(x, self.lower_bound, self.upper_bound)
        return xp.greater_equal(x, self.lower_bound) & xp.less_equal(x, self.upper_bound)

    def feasible_like(self, prototype: Any) -> Array:
        middle = (self.lower_bound + self.upper_bound) / 2
        return jnp.broadcast_to(middle, jnp.shape(prototype))


class _OpenInterval(_Interval):
    def __call__(self, x: Any) -> Any:
        xp = library_of(x, self.lower_bound, self.upper_bound)
        return xp.greater(x, self.lower_bound) & xp.less(x, self.upper_bound)


class _UnitInterval(SingletonConstraint, _Interval):
    def __init__(self) -> None:
        super().__init__(0.0, 1.0)


class _Circular(SingletonConstraint, _Interval):
    def __init__(self) -> None:
        super().__init__(-math.pi, math.pi)


# -- whole numbers -------------------------------------------------------------------------------


class _IntegerGreaterThan(_Bounded):
    """Whole numbers from the bound on, which is one of them."""

    fields = ("lower_bound",)
    is_discrete = True

    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound

    @classmethod
    def family(cls) -> type:
        return _IntegerGreaterThan

    def __call__(self, x: Any) -> Any:
        xp = library_of(x, self.lower_bound)
        return (xp.mod(x, 1) == 0) & xp.greater_equal(x, self.lower_bound)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.broadcast_to(self.lower_bound, jnp.shape(prototype))


class _IntegerPositive(SingletonConstraint, _IntegerGreaterThan):
    def __init__(self) -> None:
        super().__init__(1)


class _IntegerNonnegative(SingletonConstraint, _IntegerGreaterThan):
    def __init__(self) -> None:
        super().__init__(0)


class _IntegerInterval(_Bounded):
    fields = ("lower_bound", "upper_bound")
    is_discrete = True

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    def __call__(self, x: Any) -> Any:
        xp = library_of(x, self.lower_bound, self.upper_bound)
        inside = xp.greater_equal(x, self.lower_bound) & xp.less_equal(x, self.upper_bound)
        return inside & xp.equal(xp.mod(x, 1), 0)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.broadcast_to(self.lower_bound, jnp.shape(prototype))


class _Multinomial(_Bounded):
    """Vectors of counts that sum to the bound."""

    fields = ("upper_bound",)
    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def __call__(self, x: Any) -> Any:
        total = x.sum(axis=-1)
        return (x >= 0).all(axis=-1) & library_of(x, self.upper_bound).equal(
            total, self.upper_bound
        )

    def __repr__(self) -> str:
        return "Multinomial()"

    def feasible_like(self, prototype: Any) -> Array:
        first = jnp.expand_dims(self.upper_bound, -1)
        rest = jnp.zeros((*jnp.shape(self.upper_bound), prototype.shape[-1] - 1), first.dtype)
        return jnp.broadcast_to(jnp.concatenate([first, rest], -1), prototype.shape)
