"""What makes distributions nodes of JAX's trees, and their classes show their arguments."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from jax.tree_util import register_pytree_node

COERCIONS: list[Any] = []


class DistributionMeta(type):
    """Makes classes show the signature of their `__init__`, and asks `COERCIONS` first."""

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        if "__signature__" not in cls.__dict__:
            cls.__signature__ = inspect.signature(partial(cls.__init__, None))  # type: ignore[misc]
        super().__init__(*args, **kwargs)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        for coerce in COERCIONS:
            result = coerce(cls, args, kwargs)
            if result is not None:
                return result
        return super().__call__(*args, **kwargs)


class TreeNode(metaclass=DistributionMeta):
    """A node of a tree: the attributes that classes name are its children, or static."""

    pytree_data_fields: tuple[str, ...] = ()
    pytree_aux_fields: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        register_pytree_node(cls, cls.tree_flatten, cls.tree_unflatten)

    @classmethod
    def gather_pytree_data_fields(cls) -> tuple[str, ...]:
        """The attributes that are children of the tree: those of the class and of its bases."""
        fields: dict[str, None] = {}
        for base in cls.__mro__:
            if issubclass(base, TreeNode):
                own = base.__dict__
                names = own.get("pytree_data_fields", tuple(own.get("arg_constraints", ())))
                fields.update(dict.fromkeys(names))
        return tuple(fields)

    @classmethod
    def gather_pytree_aux_fields(cls) -> tuple[str, ...]:
        """The attributes that are static in the tree."""
        fields: dict[str, None] = {"_validate_args": None}
        for base in cls.__mro__:
            if issubclass(base, TreeNode):
                fields.update(dict.fromkeys(base.__dict__.get("pytree_aux_fields", ())))
        return tuple(fields)

    def tree_flatten(self) -> Any:
        """Its children and its static attributes."""
        own = self.__dict__
        children = tuple(own.get(name) for name in self.gather_pytree_data_fields())
        return children, tuple(own.get(name) for name in self.gather_pytree_aux_fields())

    @classmethod
    def tree_unflatten(cls, aux: Any, children: Any) -> Any:
        """The distribution with other children, which are not checked."""
        self = cls.__new__(cls)
        for names, values in (
            (cls.gather_pytree_data_fields(), children),
            (cls.gather_pytree_aux_fields(), aux),
        ):
            for name, value in zip(names, values, strict=True):
                if value is not None:
                    self.__dict__[name] = value
        return self
