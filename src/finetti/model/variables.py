"""Lists of variables, what a random variable's node holds, and named expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, SupportsIndex

from finetti.errors import DtypeError, ShapeError
from finetti.ir import FLOAT, Node, Tensor, ops, topological
from finetti.model.context import modelcontext
from finetti.model.dims import as_dims, check_lengths


class Unset:
    """The type of `UNSET`: a keyword that was not written, where None means something."""

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"


UNSET = Unset()


class VarList(list[Any]):
    """A list of variables that compares by identity: ``==`` of tensors is elementwise."""

    def __contains__(self, item: object) -> bool:
        return any(item is var for var in self)

    def index(self, item: Any, start: SupportsIndex = 0, stop: SupportsIndex = 2**62) -> int:
        for place in range(*slice(start, stop).indices(len(self))):
            if self[place] is item:
                return place
        raise ValueError(f"{item!r} is not in the list")

    def count(self, item: Any) -> int:
        return sum(item is var for var in self)

    def remove(self, item: Any) -> None:
        del self[self.index(item)]

    def __add__(self, other: Iterable[Any]) -> VarList:  # type: ignore[override]
        return VarList([*self, *other])

    def __radd__(self, other: Iterable[Any]) -> VarList:
        return VarList([*other, *self])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, list)
            and len(self) == len(other)
            and all(a is b for a, b in zip(self, other, strict=True))
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def copy(self) -> VarList:
        return VarList(self)

    __hash__ = None  # type: ignore[assignment]


def is_rv(node: Node) -> bool:
    """Whether a node is a draw of a distribution that has a density."""
    return node.op.name == "rv"


def dist_of(node: Node) -> Any:
    """The distribution record of a random variable's node."""
    return node.attrs[0]


def explicit_shape(node: Node) -> tuple[int, ...] | None:
    """The shape that was asked for; None where it follows from the parameters."""
    return node.attrs[1]  # type: ignore[no-any-return]


def params_of(node: Node) -> dict[str, Tensor]:
    """Parameter name -> tensor of a random variable's node."""
    return dict(zip(dist_of(node).params, map(Tensor, node.args), strict=True))


def rv_nodes(outputs: Iterable[Node]) -> Iterator[Node]:
    """The random variables that outputs depend on, parents first."""
    return (node for node in topological(outputs) if is_rv(node))


def Deterministic(name: str, var: Any, model: Any = None, dims: Any = None) -> Tensor:
    """Name an expression, so that its values are part of the results.

    Parameters
    ----------
    name : str
        Its name.
    var : tensor_like
        The expression.
    model : Model, optional
        The open model by default.
    dims : str or tuple of str, optional
        A name for each axis.

    Returns
    -------
    Tensor
        The same expression, with its name.
    """
    return _named_expression(name, var, model, dims, "Deterministic")


def Potential(name: str, var: Any, model: Any = None, dims: Any = None) -> Tensor:
    """Add an expression to the log density of the model.

    Parameters
    ----------
    name : str
        Its name.
    var : tensor_like
        The term; all its elements are added.
    model : Model, optional
        The open model by default.
    dims : str or tuple of str, optional
        A name for each axis.

    Returns
    -------
    Tensor
        The same expression, with its name.
    """
    return _named_expression(name, var, model, dims, "Potential")


def _named_expression(name: str, var: Any, model: Any, dims: Any, kind: str) -> Tensor:
    model = modelcontext(model)
    full = model.name_for(name)
    owner = f"{kind} {full!r}"
    model.check_new_name(full, owner)
    try:
        value = ops.as_tensor(var)
    except (DtypeError, ShapeError) as error:
        raise type(error)(f"{owner}: {error}") from None
    if kind == "Potential" and value.node.type.dtype != FLOAT:
        if value.node.type.dtype == "bool":
            raise DtypeError(
                f"{owner}: expected a log density, got booleans. For a constraint write "
                "`pm.math.log(pm.math.switch(condition, 1.0, 0.0))`."
            )
        value = ops.cast(value, FLOAT)
    names = as_dims(dims, owner)
    if names is not None:
        for dim in names:
            if dim is not None:
                model.dims.sizes((dim,), owner)
        check_lengths(names, value.node.shape, model.dims.known, owner)
    tensor: Tensor = model.variable_type(value.node, full)
    kept = "deterministics" if kind == "Deterministic" else "potentials"
    model.register_expression(tensor, kept, names)
    return tensor
