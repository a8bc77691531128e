"""Which inputs a result depends on, found in its equations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from finetti.dialects.jaxpr.control import INLINED, inner_jaxpr

__all__ = ["eval_provenance"]

Names = frozenset[str]


def eval_provenance(fn: Callable[..., Any], **kwargs: Any) -> Any:
    """What a function returns, with the names of the inputs that each array depends on.

    Parameters
    ----------
    fn : callable
        A function of keywords to a tree of arrays. It is traced, and not run.
    **kwargs
        Arrays, or only their shapes and types.

    Returns
    -------
    tree of frozenset
        As `fn` returns it.
    """
    leaves, structure = jax.tree_util.tree_flatten(kwargs)
    names = [name for name in sorted(kwargs) for _ in jax.tree_util.tree_leaves(kwargs[name])]

    def run(*given: Any) -> Any:
        return fn(**jax.tree_util.tree_unflatten(structure, given))

    closed, shape = jax.make_jaxpr(run, return_shape=True)(*leaves)
    found = _names_of(closed.jaxpr, [frozenset({name}) for name in names])
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shape), found)


def _names_of(jaxpr: Any, given: Sequence[Names]) -> list[Names]:
    """The names behind each result of a jaxpr; its constants have none."""
    known: dict[Any, Names] = dict(zip(jaxpr.invars, given, strict=True))

    def of(var: Any) -> Names:
        return frozenset() if hasattr(var, "val") else known.get(var, frozenset())

    for eqn in jaxpr.eqns:
        parts = [of(var) for var in eqn.invars]
        whole: Names = frozenset().union(*parts)
        results = [whole] * len(eqn.outvars)
        if eqn.primitive.name in INLINED:
            inner, _ = inner_jaxpr(eqn)
            if len(inner.invars) == len(parts):
                results = _names_of(inner, parts)
        known.update(zip(eqn.outvars, results, strict=True))
    return [of(var) for var in jaxpr.outvars]
