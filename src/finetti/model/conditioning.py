"""Models made of others: variables fixed by an intervention, or observed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from finetti.dist.base import known
from finetti.dist.checks import check_data
from finetti.errors import ModelError, NotYetSupported, ParameterError, ShapeError, did_you_mean
from finetti.ir import Node, Tensor, ops, rebuild, topological
from finetti.ir.node import make
from finetti.ir.ops import leaf
from finetti.model.data import DataHandle, DataTensor, as_array, to_dtype
from finetti.model.variables import VarList

_LISTS = ("free_RVs", "observed_RVs", "deterministics", "potentials", "data_vars")


def do(
    model: Any,
    vars_to_interventions: Mapping[Any, Any],
    make_interventions_shared: bool = True,
    prune_vars: bool = False,
) -> Any:
    """The model in which some variables are set to values, whatever would have decided them.

    Parameters
    ----------
    model : Model
        It stays as it is.
    vars_to_interventions : dict
        Variable (or its name) -> numbers. They become data of the new model, under that name.
    make_interventions_shared : bool
        Whether `set_data` may exchange them; they can be in either case.
    prune_vars : bool
        Only False.

    Returns
    -------
    Model
        Take its variables by name.
    """
    if prune_vars:
        raise NotYetSupported(
            "do: prune_vars=True is not there yet: leave it out; variables that nothing depends on "
            "any more are drawn from their distributions."
        )
    twin, given = _twin(model, vars_to_interventions, "do")
    fixed: dict[str, Tensor] = {}
    for name, value in given.items():
        old = twin.named_vars[name]
        array = _fitting(value, old, f"do: {name!r}")
        fixed[name] = DataTensor(make(leaf.data, (), (DataHandle(name, array),)), name)
    moved = {name: "data_vars" for name in fixed}
    return _changed(twin, fixed, moved, {})


def observe(model: Any, vars_to_observations: Mapping[Any, Any]) -> Any:
    """The model in which some random variables are observed, or observed anew.

    Parameters
    ----------
    model : Model
        It stays as it is.
    vars_to_observations : dict
        Random variable (or its name) -> numbers, in the place of data that it may have.

    Returns
    -------
    Model
        Take its variables by name.
    """
    twin, given = _twin(model, vars_to_observations, "observe")
    data: dict[str, Tensor] = {}
    for name, value in given.items():
        old = twin.named_vars[name]
        random = [*twin.free_RVs, *twin.observed_RVs]
        if not any(old is rv for rv in random):
            raise ModelError(
                f"observe: {name!r} is no random variable of the model; they are: "
                f"{', '.join(rv.name for rv in random) or 'none'}."
            )
        array = _fitting(value, old, f"observe: {name!r}")
        data[name] = ops.as_tensor(check_data(old, array, name))
    return _changed(twin, {}, {name: "observed_RVs" for name in data}, data)


def _twin(model: Any, given: Mapping[Any, Any], where: str) -> tuple[Any, dict[str, Any]]:
    """A copy of the model, and values by name."""
    if not isinstance(given, Mapping) or not given:
        raise ParameterError(f"{where}: expected a dict of variables (or names) to values.")
    if not hasattr(model, "named_vars"):
        raise ParameterError(
            f"{where}: expected a model first, then the dict; got {type(model).__name__}."
        )
    if model.root is not model:
        raise NotYetSupported(f"{where}: a model inside of another: give the outer one.")
    named: dict[str, Any] = {}
    for key, value in given.items():
        name: Any = key.name if isinstance(key, Tensor) else key
        if name not in model.named_vars:
            raise ModelError(
                f"{where}: {name!r} is no variable of the model. "
                f"{did_you_mean(str(name), model.named_vars)}"
            )
        named[name] = value
    return model.copy(), named


def _fitting(value: Any, old: Tensor, owner: str) -> np.ndarray:
    if isinstance(value, Tensor) and not any(
        node.op is leaf.data
        for node in topological([value.node])  # which may change
    ):
        number = known(value)
        value = value if number is None else number
    if isinstance(value, Tensor):
        raise NotYetSupported(
            f"{owner}: the value is a tensor; give numbers. For a value that depends on other "
            "variables write the model with it."
        )
    shape = tuple(map(int, old.node.shape))
    array = to_dtype(as_array(value, owner), old.node.type.dtype, owner)
    try:
        return np.broadcast_to(array, shape).copy()
    except ValueError:
        raise ShapeError(
            f"{owner}: the value has shape {array.shape}, the variable has shape {shape}."
        ) from None


def _changed(
    twin: Any, fixed: Mapping[str, Tensor], moved: Mapping[str, str], data: Mapping[str, Tensor]
) -> Any:
    """The copy with other nodes below its names: `fixed` ones, and what depends on them."""
    nodes: dict[Node, Node] = {}
    new: dict[int, Tensor] = {}
    for name, old in twin.named_vars.items():
        if name in fixed:
            new[id(old)] = fixed[name]
        else:
            (node,) = rebuild([old.node], nodes)
            new[id(old)] = old if node is old.node else _renamed(old, node)
        nodes[old.node] = new[id(old)].node
    for kind in _LISTS:
        kept = [new[id(v)] for v in getattr(twin, kind) if moved.get(v.name, kind) == kind]
        came = [v for name, v in twin.named_vars.items() if moved.get(name) == kind]
        kept += [new[id(v)] for v in came if not any(new[id(v)] is one for one in kept)]
        setattr(twin, kind, VarList(kept))
    _with_tables(twin, new, data, lambda value: Tensor(rebuild([value.node], nodes)[0]))
    return twin


def _renamed(old: Tensor, node: Node) -> Tensor:
    variable = type(old)(node, old.name)
    if hasattr(old, "__dict__"):  # a dialect's variable knows its model
        variable.__dict__.update(old.__dict__)
    return variable


def _with_tables(
    twin: Any,
    new: Mapping[int, Tensor],
    data: Mapping[str, Tensor],
    again: Callable[[Tensor], Tensor],
) -> None:
    """Everything that a model keeps by variable, for the new ones."""
    rvs = [rv for rv in twin.basic_in_order if new[id(rv)] not in twin.data_vars]
    values: dict[Tensor, Tensor] = {}
    for rv in rvs:
        known = data.get(rv.name or "")
        value = twin.rvs_to_values[rv] if known is None else known
        values[new[id(rv)]] = again(value) if rv in twin.observations else value
    for table in ("rvs_to_transforms", "rvs_to_initial_values"):
        before = getattr(twin, table)
        after = {new[id(rv)]: None if rv.name in data else before.get(rv) for rv in rvs}
        setattr(twin, table, after)
    twin.named_vars = {name: new[id(old)] for name, old in twin.named_vars.items()}
    twin.basic_in_order = VarList(new[id(rv)] for rv in rvs)
    twin.rvs_to_values = values
    twin.observations = {rv: values[rv] for rv in twin.observed_RVs}
    twin.values_to_rvs = {values[rv]: rv for rv in twin.free_RVs}
    twin.__dict__.pop("_cache", None)


__all__ = ["do", "observe"]
