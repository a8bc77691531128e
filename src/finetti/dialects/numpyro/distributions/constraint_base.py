"""What all constraints are: callable sets of values, comparable, and JAX pytrees."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_pytree_node


def library_of(*arrays: Any) -> Any:
    """`jax.numpy` where there are JAX's arrays or tracers, else `numpy`."""
    return jnp if any(isinstance(x, jax.Array) for x in arrays) else np


def same(x: Any, y: Any, static: bool) -> Any:
    """Whether two bounds are equal; for static answers tracers are equal to themselves only."""
    if x is y:
        return True
    if static and any(isinstance(v, jax.core.Tracer) for v in (x, y)):
        return False
    if static:
        return bool(np.array_equal(np.asarray(x), np.asarray(y)))
    return jnp.array_equal(x, y)


class Constraint:
    """A set of values; subclasses say which they are with `__call__`."""

    is_discrete: bool = False
    event_dim: int = 0
    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        register_pytree_node(cls, cls.tree_flatten, cls.tree_unflatten)

    def __call__(self, x: Any) -> Any:
        """Which members of the array are in the set."""
        raise NotImplementedError

    def check(self, value: Any) -> Any:
        """Which members of the array are in the set."""
        return self(value)

    def feasible_like(self, prototype: Any) -> Any:
        """Members of the set in the shape of an array."""
        raise NotImplementedError

    def eq(self, other: object, static: bool = False) -> Any:
        """Whether both are the same set; a traced answer when not `static`."""
        return self is other

    def __eq__(self, other: object) -> bool:
        return bool(self.eq(other, static=True))

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__.lstrip('_')}()"

    def tree_flatten(self) -> Any:
        """Its children; the names of their attributes and of the static ones."""
        raise NotImplementedError

    @classmethod
    def tree_unflatten(cls, aux: Any, children: Any) -> Any:
        """The constraint with other children."""
        names, static = aux
        self = cls.__new__(cls)
        self.__dict__.update(static)
        self.__dict__.update(zip(names, children, strict=True))
        return self


class ParameterFreeConstraint(Constraint):
    """A constraint that its class says all of."""

    def tree_flatten(self) -> Any:
        return (), ((), {})

    def eq(self, other: object, static: bool = False) -> Any:
        return isinstance(other, type(self))


_SINGLE: dict[type, Any] = {}


class SingletonConstraint(ParameterFreeConstraint):
    """A constraint of which there is one object, so that `is` compares it."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls not in _SINGLE:
            _SINGLE[cls] = super().__new__(cls)
        return _SINGLE[cls]

    def eq(self, other: object, static: bool = False) -> Any:
        if self.fields:  # a bounded set with a name of its own: equal to one with those bounds
            return super(ParameterFreeConstraint, self).eq(other, static)
        return isinstance(other, type(self))

    @classmethod
    def tree_unflatten(cls, aux: Any, children: Any) -> Any:
        return cls()
