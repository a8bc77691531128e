"""A model with its present data: the same graph with constants for data and plain lengths.

Everything that computes starts here. `set_data` only exchanges what data nodes hold; freezing
replays the graph with the new shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from finetti.errors import FinettiError, ModelError, ShapeError
from finetti.ir import FLOAT, Node, Tensor, ops, rebuild, topological
from finetti.ir.node import make
from finetti.ir.ops.indexing import check_positions
from finetti.ir.types import contains_size, map_sizes
from finetti.model.data import freeze as freeze_data
from finetti.model.variables import dist_of, params_of, rv_nodes


@dataclass(frozen=True)
class FrozenRV:
    """One random variable of a frozen model.

    Parameters
    ----------
    name : str
        Its name in the model.
    tensor : Tensor
        What the user holds.
    node : Node
        Its node in the frozen graph; parameters are the node's arguments.
    transform : object
        The bijector, or a function of the support that chooses it, or None.
    observed : Node or None
        Its data, in their own shape: only a density needs them to fit the variable.
    value_name : str
        Name of the unconstrained value (of the variable itself when observed).
    """

    name: str
    tensor: Tensor
    node: Node
    transform: Any
    observed: Node | None
    value_name: str

    @property
    def dist(self) -> Any:
        """The distribution record."""
        return dist_of(self.node)

    @property
    def params(self) -> dict[str, Tensor]:
        """Parameter name -> tensor of the frozen graph."""
        return params_of(self.node)

    @property
    def data(self) -> Node:
        """Its data in the shape and the dtype of the variable.

        Raises
        ------
        ShapeError
            When they do not fit, as after `set_data` of predictors only.
        """
        assert self.observed is not None
        owner = f"{self.dist.name} {self.name!r}"
        return fit_observed(Tensor(self.observed), self.node, owner).node

    @property
    def shape(self) -> tuple[int, ...]:
        """Its present shape."""
        return tuple(map(int, self.node.shape))

    @property
    def discrete(self) -> bool:
        """Whether its values are whole numbers."""
        return self.node.type.dtype != FLOAT


@dataclass(frozen=True)
class Frozen:
    """A model at one moment.

    Parameters
    ----------
    rvs : list of FrozenRV
        Random variables in the order of registration, which is an order of dependence.
    named : dict
        Name of a deterministic or a potential -> node of the frozen graph.
    deterministics, potentials : list of str
        Names, in the order of registration.
    nodes : dict
        Node of the model's graph -> node of the frozen graph, for every variable.
    """

    rvs: list[FrozenRV]
    named: dict[str, Node]
    deterministics: list[str]
    potentials: list[str]
    nodes: dict[Node, Node] = field(repr=False)

    @property
    def free(self) -> list[FrozenRV]:
        """Random variables without data."""
        return [rv for rv in self.rvs if rv.observed is None]

    @property
    def observed(self) -> list[FrozenRV]:
        """Random variables with data."""
        return [rv for rv in self.rvs if rv.observed is not None]

    def rv(self, name: str) -> FrozenRV:
        """The random variable called `name`."""
        return next(rv for rv in self.rvs if rv.name == name)

    def freeze(self, outputs: Sequence[Tensor]) -> list[Node]:
        """More expressions over the model's variables, in the frozen graph."""
        return freeze([output.node for output in outputs], self.nodes)


def freeze(outputs: Sequence[Node], known: dict[Node, Node] | None = None) -> list[Node]:
    """Nodes with data as constants and every length a plain int."""
    if not known and not any(node.dynamic for node in outputs):
        return list(outputs)
    return _without_sizes(rebuild(outputs, known or {}, freeze_data))


def _without_sizes(outputs: list[Node]) -> list[Node]:
    if not any(node.dynamic for node in outputs):
        return outputs
    new: dict[Node, Node] = {}
    for node in topological(outputs):
        args = tuple(new[arg] for arg in node.args)
        sized = contains_size(node.attrs)
        attrs = map_sizes(node.attrs, int) if sized else node.attrs
        new[node] = make(node.op, args, attrs) if sized or args != node.args else node
    return [new[node] for node in outputs]


def freeze_model(model: Any) -> Frozen:
    """The model with its present data.

    Raises
    ------
    ShapeError
        When the present data do not fit together; names the variable.
    """
    root = model.root
    nodes: dict[Node, Node] = {}
    rvs = []
    for tensor in root.basic_in_order:
        name = tensor.name
        node = _frozen_or_named(tensor, nodes, f"variable {name!r}")
        nodes[tensor.node] = node
        observed = None
        if tensor in root.observations:
            observed = _frozen_or_named(root.observations[tensor], nodes, f"data of {name!r}")
        value = root.rvs_to_values[tensor]
        rvs.append(
            FrozenRV(
                name, tensor, node, root.rvs_to_transforms[tensor], observed, value.name or name
            )
        )
    named = {}
    for tensor in [*root.deterministics, *root.potentials]:
        node = _frozen_or_named(tensor, nodes, f"{tensor.name!r}")
        named[tensor.name] = nodes[tensor.node] = node
    if root._data_handles():
        _check_positions(rvs, named)
    _check_registered(rvs, named)
    return Frozen(
        rvs,
        named,
        [tensor.name for tensor in root.deterministics],
        [tensor.name for tensor in root.potentials],
        nodes,
    )


def _frozen_or_named(tensor: Tensor, nodes: dict[Node, Node], owner: str) -> Node:
    try:
        return freeze([tensor.node], nodes)[0]
    except FinettiError as error:
        raise ShapeError(
            f"{owner}: its shape no longer fits the present data: {error} After `set_data` with a "
            "new length, every data variable along that dim needs the new length too."
        ) from error


def fit_observed(data: Tensor, rv: Node, owner: str, cast: bool = True) -> Tensor:
    """Observed data in the dtype and the shape of their variable.

    Raises
    ------
    ShapeError
        When the data do not broadcast to the variable's shape.
    """
    have, want = data.node.shape, rv.type.shape
    if len(have) != len(want) or any(h not in (1, w) for h, w in zip(have, want, strict=True)):
        raise ShapeError(
            f"{owner}: the observed data have shape {tuple(map(int, have))}, but the variable has "
            f"shape {tuple(map(int, want))}. They must be equal: check the shapes of the "
            "parameters and of `dims=` or `shape=`."
        )
    data = ops.cast(data, rv.type.dtype) if cast else data
    return data if have == want else ops.broadcast_to(data, want)


def _check_positions(rvs: list[FrozenRV], named: dict[str, Node]) -> None:
    """Refuse data that index beyond a tensor, naming the variable whose formula does so."""
    owners = {rv.name: rv.node for rv in rvs} | named
    try:
        check_positions(list(owners.values()))  # one walk, as nearly always nothing is wrong
    except ShapeError:
        for name, node in owners.items():
            try:
                check_positions([node])
            except ShapeError as error:
                raise ShapeError(
                    f"variable {name!r}: the present data are no positions here: {error}. Check "
                    "the index that `set_data` was given: it counts from 0."
                ) from None


def _check_registered(rvs: list[FrozenRV], named: dict[str, Node]) -> None:
    registered = {rv.node for rv in rvs}
    used = [(rv.name, [*rv.node.args, *([rv.observed] if rv.observed else [])]) for rv in rvs]
    for owner, outputs in [*used, *((name, [node]) for name, node in named.items())]:
        for node in rv_nodes(outputs):
            if node not in registered:
                raise ModelError(
                    f"{owner!r} depends on {dist_of(node).name} variable of shape "
                    f"{tuple(map(int, node.shape))} that belongs to no model, perhaps made with "
                    "`.dist(...)`, or by another model. Give it a name inside this model."
                )
