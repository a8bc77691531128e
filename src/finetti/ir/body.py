"""Graphs inside of a node: the body of a loop, closed over everything that it uses.

A body has no way out: what it takes from around it comes in through slots, so that passes over the
graph outside see all of it among the arguments of the node that holds the body. Slots are numbered,
so equal bodies are one object's worth of nodes, and equal loops are one node.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from finetti.errors import NotYetSupported
from finetti.ir.node import Node, make, rebuild, topological
from finetti.ir.opdef import OpDef, attrs_of
from finetti.ir.types import Size, TensorType

slot = OpDef(
    "slot", "leaf", attr_names=("place", "kind"),
    infer=lambda place, kind: TensorType(kind.dtype, tuple(map(int, kind.shape))),
    numpy=None, vjp=lambda g, y, place, kind: (), native="input", jax=None,
    notes={"numpy": "its value comes with each step", "jax": "its value comes with each step"},
)  # fmt: skip

_trace = itertools.count()


class _Own(NamedTuple):
    """The axis of a slot, in the place of a dim's handle."""

    place: Any
    axis: int
    length: int


def make_slot(place: Any, kind: TensorType, dynamic: bool) -> Node:
    """A node that a loop gives its value; `dynamic` when data may change its shape."""
    shape = tuple(map(int, kind.shape))
    if dynamic:
        shape = tuple(Size(n, ("dim", _Own(place, axis, n))) for axis, n in enumerate(shape))
    return make(slot, (), (place, TensorType(kind.dtype, shape)))


def fresh_slots(nodes: Sequence[Node]) -> list[Node]:
    """Slots that stand for `nodes` (or elements of them) while a body is being written."""
    serial = next(_trace)
    return [make_slot(("open", serial, i), node.type, node.dynamic) for i, node in enumerate(nodes)]


@dataclass(frozen=True)
class Body:
    """A closed graph.

    Parameters
    ----------
    inputs : tuple of Node
        Slots: those of the carry, then one element of each sequence, then what does not change.
    outputs : tuple of Node
        The next carry, then what each step leaves behind.
    carries, sequences : int
        How many of the inputs are which.
    dims : tuple
        Handles of model dims whose lengths the body uses.
    lengths : tuple of int
        Those lengths as they were when its shapes were inferred.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    carries: int
    sequences: int
    dims: tuple[Any, ...] = ()
    lengths: tuple[int, ...] = ()
    _shaped: dict[Any, Body] = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        parts = (self.inputs, self.outputs, self.carries, self.sequences, self.dims, self.lengths)
        return Body, parts

    def __repr__(self) -> str:
        return f"<{len(self.nodes)} nodes>"

    @cached_property
    def nodes(self) -> list[Node]:
        """Everything in it, arguments before users."""
        return topological([*self.inputs, *self.outputs])

    @property
    def kept(self) -> tuple[Node, ...]:
        """What each step leaves behind."""
        return self.outputs[self.carries :]

    @property
    def constant_inputs(self) -> tuple[Node, ...]:
        """The slots of what does not change from step to step."""
        return self.inputs[self.carries + self.sequences :]

    def at(self, types: Sequence[TensorType], lengths: Sequence[int] = ()) -> Body:
        """This body for arguments of other shapes.

        Parameters
        ----------
        types : sequence of TensorType
            Of the inputs.
        lengths : sequence of int
            Of the dims.
        """
        types, lengths = tuple(types), tuple(map(int, lengths))
        if lengths == self.lengths and types == tuple(node.type for node in self.inputs):
            return self
        key = (types, lengths)
        if key not in self._shaped:
            inputs = tuple(
                make_slot(i, kind, node.dynamic)
                for i, (kind, node) in enumerate(zip(types, self.inputs, strict=True))
            )
            known = dict(zip(self.dims, lengths, strict=True))
            replaced = dict(zip(self.inputs, inputs, strict=True))
            outputs = tuple(rebuild(
                self.outputs, replaced, dim_length=lambda dim: known.get(dim, dim.length)
            ))  # fmt: skip
            self._shaped[key] = Body(
                inputs, outputs, self.carries, self.sequences, self.dims, lengths
            )
        return self._shaped[key]

    def rewritten(self, name: str, rewrite: Callable[[Sequence[Node]], Sequence[Node]]) -> Body:
        """This body, its shapes settled, with its outputs rewritten; remembered by name."""
        if name not in self._shaped:
            outputs = tuple(rewrite(self.outputs))
            same = outputs == self.outputs and not self.dims
            made = Body(self.inputs, outputs, self.carries, self.sequences)
            self._shaped[name] = self if same else made
        return self._shaped[name]

    def apply(self, arguments: Sequence[Node]) -> list[Node]:
        """The outputs of one step, in the graph of its arguments."""
        return rebuild(self.outputs, dict(zip(self.inputs, arguments, strict=True)))


def bodies(node: Node) -> list[Body]:
    """The bodies among the attributes of a node."""
    return [attr for attr in node.attrs if isinstance(attr, Body)]


@dataclass
class Closed:
    """A body, and the arguments that its slots stand for besides the carry."""

    body: Body
    drawn: list[Node]  # random numbers for all steps, as further sequences
    captured: list[Node]
    sizes: tuple[int, ...]


def close(
    slots: Sequence[Node],
    outputs: Sequence[Node],
    carries: int,
    length: int,
    since: int,
) -> Closed:
    """Close a body over what it takes from around it.

    Parameters
    ----------
    slots : sequence of Node
        Fresh slots, in the order of the body's inputs.
    outputs : sequence of Node
        What the step computed from them.
    carries : int
        How many of the slots are carried.
    length : int
        Number of steps.
    since : int
        Nodes made from this number on were made by the step.
    """
    drawn = _draws(outputs, since, length)
    own = {*slots, *drawn}
    captured, dims = _inside(outputs, own)
    outer = [node for node in captured if node.op.name != "const"]
    inner = [*slots, *drawn, *outer]
    canonical = tuple(make_slot(i, node.type, node.dynamic) for i, node in enumerate(inner))
    replaced = dict(zip(inner, canonical, strict=True))
    body = Body(
        canonical, tuple(rebuild(outputs, replaced)), carries, len(slots) + len(drawn) - carries,
        tuple(dims), tuple(map(int, dims.values())),
    )  # fmt: skip
    return Closed(body, list(drawn.values()), outer, tuple(dims.values()))


def _inside(outputs: Sequence[Node], own: set[Node]) -> tuple[dict[Node, None], dict[Any, Size]]:
    """What the nodes of a body take from around it, and the dims whose lengths they use."""
    roots = dict.fromkeys(outputs)
    inside: dict[Node, None] = {}
    grown = True
    while grown:  # a size may come from a node that nothing else needs
        inside = _depending(roots, own)
        inside = {**dict.fromkeys(guarded(inside)), **inside}
        sizes = list(_sizes(inside))
        origins = [size.origin[1] for size in sizes if size.origin[0] == "shape"]
        grown = any(node not in roots and node not in inside for node in origins)
        roots.update(dict.fromkeys(origins))
    known = own | inside.keys()
    captured = {arg: None for node in inside for arg in node.args if arg not in known}
    captured.update((root, None) for root in roots if root not in known)
    dims = {size.origin[1]: size for size in sizes if size.origin[0] == "dim"}
    return captured, dims


def _depending(outputs: Iterable[Node], own: Iterable[Node]) -> dict[Node, None]:
    """Nodes that depend on `own`, arguments before users."""
    found: dict[Node, None] = {}
    known = set(own)
    for node in topological(outputs):
        if node not in known and any(arg in known or arg in found for arg in node.args):
            found[node] = None
    return found


def guarded(inside: Iterable[Node]) -> list[Node]:
    """What a choice in a body guards and does not depend on the step, arguments before users.

    It stays inside until derivatives are taken: their rule keeps what is infinite in a branch that
    was not taken out of them, as long as it sees the choice.
    """
    inside = dict.fromkeys(inside)
    stack = [arg for node in inside if node.op.name == "where" for arg in node.args[1:]]
    seen: set[Node] = set()
    while stack:
        node = stack.pop()
        if node not in seen and node.op.family == "elementwise":
            seen.add(node)
            stack += node.args
    return sorted(seen - inside.keys(), key=lambda node: node.order)


def _draws(outputs: Sequence[Node], since: int, length: int) -> dict[Node, Node]:
    """Random nodes that the step made -> their numbers for all steps at once."""
    drawn: dict[Node, Node] = {}
    nodes = topological(outputs)
    moving = {node for node in nodes if node.op is slot}
    for node in nodes:
        if any(arg in moving for arg in node.args):
            moving.add(node)
        if node.order < since or node.op.family not in ("random", "model"):
            continue
        if node.op.family == "model" or node in moving:
            raise NotYetSupported(
                f"scan: the step makes a random variable ({node!r}). Draw what is random outside, "
                "all steps at once (`eps = pm.Normal('eps', shape=n)`), and pass it as a sequence."
            )
        attrs = attrs_of(node)
        attrs["shape"] = (length, *attrs["shape"])
        # A number of its own, as every draw has: that of the step's node, which is left behind.
        drawn[node] = make(node.op, node.args, tuple(attrs.values()))
        moving.add(node)
    return drawn


def _sizes(nodes: Iterable[Node]) -> Iterator[Size]:
    """The sizes of shapes and dims in the attributes of nodes."""
    found: list[Size] = []

    def look(attr: Any) -> None:
        if isinstance(attr, Size):
            if attr.origin[0] in ("dim", "shape"):
                found.append(attr)
            else:
                for part in attr.origin[1:]:
                    look(part)
        elif isinstance(attr, tuple):
            for part in attr:
                look(part)

    for node in nodes:
        if node.dynamic:
            look(node.attrs)
    return iter(found)


__all__ = ["Body", "Closed", "bodies", "close", "fresh_slots", "guarded", "make_slot", "slot"]
