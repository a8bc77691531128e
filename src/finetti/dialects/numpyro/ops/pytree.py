"""Traces that JAX can pass on: values are leaves, everything else is static."""

from __future__ import annotations

from typing import Any

from jax.tree_util import register_pytree_node_class

LEAVES = ("value", "args", "intermediates", "fn")
WEIGHTS = ("scale", "mask")
KINDS = ("sample", "deterministic", "plate", "param")


def is_array(weight: Any) -> bool:
    """Whether a scale or mask is an array, or stands for one."""
    return not (weight is None or isinstance(weight, (bool, int, float)))


class _Static:
    """The static part of a trace: two are equal where the sites have the same names."""

    def __init__(self, sites: dict[str, dict[str, Any]]) -> None:
        self.sites = sites

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and list(self.sites) == list(other.sites)

    def __hash__(self) -> int:
        return hash(tuple(self.sites))


@register_pytree_node_class
class PytreeTrace:
    """A trace as a pytree.

    Parameters
    ----------
    trace : dict
        Name -> message.
    """

    def __init__(self, trace: dict[str, Any]) -> None:
        self.trace = trace

    def tree_flatten(self) -> Any:
        """The leaves of all sites, and the rest."""
        moving, fixed = [], {}
        for name, site in self.trace.items():
            if site["type"] not in KINDS:
                continue
            leaves: tuple[str, ...] = LEAVES if site["type"] == "sample" else LEAVES[:3]
            # what a loop's step or a branch has computed
            leaves += tuple(key for key in WEIGHTS if is_array(site.get(key)))
            moving.append({key: site[key] for key in leaves if key in site})
            fixed[name] = {
                key: value for key, value in site.items() if key not in (*leaves, "stop")
            }
            fixed[name].update(_control_flow_done=True)
            # keys of the inside must not leave it
            if "kwargs" in site:
                fixed[name]["kwargs"] = {**site["kwargs"], "rng_key": None}
            if "infer" in site:
                fixed[name]["infer"] = {**site["infer"], "_scan_current_index": None}
        return (tuple(moving),), _Static(fixed)

    @classmethod
    def tree_unflatten(cls, fixed: _Static, children: Any) -> PytreeTrace:
        """The trace with other values."""
        (moving,) = children
        sites = zip(fixed.sites.items(), moving, strict=True)
        return cls({name: {**rest, **leaves} for (name, rest), leaves in sites})
