"""The graph: small frozen nodes, interned so that equality is identity.

Static information sits in `attrs`, tensors only in `args`. Nodes are numbered in the order of
their making, and a node is made after its arguments: sorting by `order` is a topological sort.
"""

from __future__ import annotations

import hashlib
import itertools
import operator
import threading
import weakref
from collections.abc import Callable, Container, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from finetti.ir.types import (
    Size,
    TensorType,
    canonical_dtype,
    contains_size,
    map_sizes,
    resolve_size,
)

if TYPE_CHECKING:
    from finetti.ir.opdef import OpDef


class Node:
    """One operation applied to arguments. Make nodes through `make`, never directly."""

    __slots__ = ("op", "args", "attrs", "type", "dynamic", "order", "settled", "__weakref__")

    op: OpDef
    args: tuple[Node, ...]
    attrs: tuple[Any, ...]
    type: TensorType
    dynamic: bool
    order: int
    settled: bool  # no rule of simplification changes it

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a node is frozen: cannot set {name!r}")

    def __repr__(self) -> str:
        return f"<{self.op.name} %{self.order} {self.type}>"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    def __reduce__(self) -> tuple[Any, ...]:
        return make, (self.op, self.args, self.attrs)


class Constant:
    """An array as a static attribute: equal contents are one constant."""

    __slots__ = ("value", "key")

    def __init__(self, value: np.ndarray):
        self.value = value
        small = value.nbytes <= 4096
        content = value.tobytes() if small else hashlib.blake2b(value.data, digest_size=16).digest()
        self.key = (value.dtype.char, value.shape, content)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self.key == other.key

    def __repr__(self) -> str:
        return np.array2string(self.value, threshold=6, edgeitems=2, precision=4)

    def __reduce__(self) -> tuple[Any, ...]:
        return constant_data, (self.value,)


def constant_data(value: Any) -> Constant:
    """An owned, read-only, contiguous copy of `value` in one of the three dtypes."""
    array = np.asarray(value)
    array = np.array(array, dtype=canonical_dtype(array.dtype), order="C", copy=True)
    array.setflags(write=False)
    return Constant(array)


_interned: weakref.WeakValueDictionary[tuple[Any, ...], Node] = weakref.WeakValueDictionary()
# The dictionary inside: its own `get` is a function of Python, which takes as long as all the rest.
_known = _interned.data.get  # type: ignore[attr-defined]
_types: dict[tuple[Any, ...], TensorType] = {}
_TYPES = 4096
_lock = threading.Lock()
_counter = itertools.count()
_order = operator.attrgetter("order")


def _size_key(size: int) -> tuple[Any, ...]:
    assert isinstance(size, Size)
    return ("size", int(size), map_sizes(size.origin, _size_key))


def _infer(op: OpDef, args: tuple[Node, ...], attrs: tuple[Any, ...], dynamic: bool) -> TensorType:
    """The type by the operation's rule, which is asked once for arguments of equal types."""
    if attrs:
        return op.infer(*[arg.type for arg in args], **dict(zip(op.attr_names, attrs, strict=True)))
    key = (op, *[arg.type for arg in args])
    # Types with sizes that remember their origin equal others, but are not to be given for them.
    found = None if dynamic else _types.get(key)
    if found is None:
        found = op.infer(*key[1:])
        if not dynamic and len(_types) < _TYPES:
            _types[key] = found
    return found


def make(op: OpDef, args: tuple[Node, ...], attrs: tuple[Any, ...] = ()) -> Node:
    """The one node with this operation, these arguments and these attributes."""
    # A size equals a plain int but means more, so it must not be merged with one.
    sized = bool(attrs) and contains_size(attrs)
    key: tuple[Any, ...] = (op, args, map_sizes(attrs, _size_key) if sized else attrs)
    known = _known(key)
    node = None if known is None else known()
    if node is None or op.volatile:
        dynamic = op.volatile or sized or any([arg.dynamic for arg in args])
        node_type = _infer(op, args, attrs, dynamic)
        if op.volatile:
            key = (*key, node_type)
        with _lock:
            known = _known(key)
            node = None if known is None else known()
            if node is None:
                node = object.__new__(Node)
                put = object.__setattr__
                put(node, "op", op)
                put(node, "args", args)
                put(node, "attrs", attrs)
                put(node, "type", node_type)
                put(node, "dynamic", dynamic)
                put(node, "order", next(_counter))
                put(node, "settled", False)
                _interned[key] = node
    return node


def settle(node: Node) -> Node:
    """Note that simplification, which every process does alike, leaves a node as it is."""
    if not node.dynamic:
        object.__setattr__(node, "settled", True)
    return node


def topological(outputs: Iterable[Node], known: Container[Node] = ()) -> list[Node]:
    """Every node that the outputs need, arguments before users; what is known is left out."""
    seen: set[Node] = set()
    stack = [node for node in outputs if node not in known]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend([arg for arg in node.args if arg not in known] if known else node.args)
    return sorted(seen, key=_order)


def rebuild(
    outputs: Iterable[Node],
    replaced: Mapping[Node, Node],
    leaf: Callable[[Node], Node | None] | None = None,
    dim_length: Callable[[Any], int] | None = None,
) -> list[Node]:
    """Substitute nodes, and infer every shape that depends on them again.

    Parameters
    ----------
    outputs : iterable of Node
        Roots to rebuild.
    replaced : mapping
        Node -> the node that takes its place.
    leaf : callable, optional
        Asked for every node not in `replaced`; a node it returns takes that node's place.
    dim_length : callable, optional
        The present length of a model dim, given its handle. Unchanged when None.

    Returns
    -------
    list of Node
        The outputs of the new graph, in order.
    """
    outputs = list(outputs)
    new: dict[Node, Node] = dict(replaced)

    def look_up(origin: tuple[Any, ...]) -> int:
        if origin[0] == "dim":
            length = origin[1].length if dim_length is None else dim_length(origin[1])
            return Size(length, origin)
        node, axis = origin[1:]
        (fresh,) = rebuild([node], new, leaf, dim_length) if node not in new else (new[node],)
        return Size(fresh.shape[axis], ("shape", fresh, axis))

    for node in topological(outputs, new):
        swapped = leaf(node) if leaf is not None else None
        if swapped is not None:
            new[node] = swapped
            continue
        args = tuple(new[arg] for arg in node.args)
        attrs = node.attrs
        if node.dynamic and contains_size(attrs):
            attrs = map_sizes(attrs, lambda size: resolve_size(size, look_up))
        same = args == node.args and attrs is node.attrs and not node.op.volatile
        new[node] = node if same else make(node.op, args, attrs)
    return [new[node] for node in outputs]
