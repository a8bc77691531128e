"""What one step of a sampler evaluates: the terms of the density that touch some variables.

`joint` is their sum. `elementwise` splits it by the elements of those variables: entry i holds all
that element i can change, so that elements of one colour, which no term holds two of, may move at
the same time. `leaves` are the discrete variables that nothing depends on: they need no step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from finetti.errors import ModelError, did_you_mean
from finetti.ir import FLOAT, Node, Tensor, ops, rebuild, topological
from finetti.ir.opdef import attrs_of
from finetti.ir.ops.blackbox import blackbox_op
from finetti.ir.ops.indexing import index_add
from finetti.ir.ops.leaf import is_constant
from finetti.model.compile import Array, Layout
from finetti.model.logdensity import Density, Factor, Value
from finetti.passes.ownership import MANY, Owners, colours, owners
from finetti.passes.simplify import simplify


@dataclass(frozen=True)
class Conditional:
    """The log density as a function of some variables, the others given.

    Parameters
    ----------
    density : Density
        Of the whole model.
    values : list of Value
        The variables that move; their elements are numbered one after another.
    factors : list of Factor
        The terms that touch them.
    """

    density: Density
    values: list[Value]
    factors: list[Factor]

    @property
    def size(self) -> int:
        """The number of elements."""
        return sum(value.input.type.size for value in self.values)

    @property
    def inputs(self) -> list[Node]:
        """Their nodes in the graph."""
        return [value.input for value in self.values]

    @property
    def index(self) -> Array:
        """Where the elements lie in the vector of all values."""
        layout = Layout.of(self.density.inputs)
        place = dict(zip(layout.names, layout.slices, strict=True))
        parts = [np.arange(layout.n)[place[value.value_name]] for value in self.values]
        return np.concatenate([*parts, np.empty(0, int)])

    @cached_property
    def full(self) -> Node:
        """The sum of the terms that touch the variables, each one whole."""
        total = ops.as_tensor(0.0)
        for factor in self.factors:
            total = ops.add(total, factor.total())
        return total.node

    @cached_property
    def summands(self) -> list[Node]:
        """Tensors whose elements sum up to the log density but for what the variables leave."""
        roots = [root for factor in self.factors for root in _roots(factor)]
        moving = _moving(roots, self.inputs)
        return [part for root in roots for part in _summands(root, moving)]

    @cached_property
    def joint(self) -> Node:
        """The sum of the summands."""
        total = ops.as_tensor(0.0)
        for node in self.summands:
            total = ops.add(total, _total(Tensor(node)))
        return total.node

    @cached_property
    def sets(self) -> list[Owners]:
        """For each summand, the elements that its elements depend on."""
        edges = np.cumsum([0, *(node.type.size for node in self.inputs)]).tolist()
        return owners(self.summands, dict(zip(self.inputs, edges[:-1], strict=True)))

    @cached_property
    def colors(self) -> list[int]:
        """A colour for each element: those of one colour are independent, the others given."""
        return colours(self.sets, self.size)

    @cached_property
    def elementwise(self) -> Node:
        """Entry i is the sum of all summands' elements that depend on element i."""
        total = ops.zeros((self.size,))
        for node, sets in zip(self.summands, self.sets, strict=True):
            if sets is not None:
                total = _distributed(total, Tensor(node), sets.reshape(-1, sets.shape[-1]))
        return total.node


def conditional(density: Density, names: Iterable[str]) -> Conditional:
    """The part of a density that some of its free variables touch.

    Parameters
    ----------
    density : Density
        Of the whole model.
    names : iterable of str
        Names of the variables.
    """
    table = {value.name: value for value in density.values}
    values = []
    for name in names:
        if name not in table:
            raise ModelError(
                f"{name!r} is no free variable of the model. {did_you_mean(name, table)}"
            )
        values.append(table[name])
    touching = touched(density)
    wanted = {value.name for value in values}
    factors = [factor for factor in density.factors if touching[factor.name] & wanted]
    return Conditional(density, values, factors)


def touched(density: Density) -> dict[str, set[str]]:
    """Name of a term -> names of the free variables that it depends on."""
    bits = {value.input: 1 << place for place, value in enumerate(density.values)}
    roots = {factor.name: _roots(factor) for factor in density.factors}
    for node in topological([root for part in roots.values() for root in part], bits):
        mask = 0
        for arg in node.args:
            mask |= bits[arg]
        bits[node] = mask
    result = {}
    for name, part in roots.items():
        mask = 0
        for root in part:
            mask |= bits[root]
        result[name] = {v.name for place, v in enumerate(density.values) if mask >> place & 1}
    return result


def without_gradient(density: Density) -> set[str]:
    """Names of the free variables that an operation without a gradient rule depends on."""
    bits = {value.input: 1 << place for place, value in enumerate(density.values)}
    nodes = topological([root for factor in density.factors for root in _roots(factor)], bits)
    bad = {node for node in nodes if _has_no_rule(node)}
    if not bad:
        return set()
    found = 0
    for node in nodes:
        mask = 0
        for arg in node.args:
            mask |= bits[arg]
        bits[node] = mask
        if node in bad and node.type.dtype == FLOAT:
            found |= mask
    return {value.name for place, value in enumerate(density.values) if found >> place & 1}


def _has_no_rule(node: Node) -> bool:
    if node.op is blackbox_op:
        return attrs_of(node)["box"].grad is None
    return node.op.vjp is None and "vjp" not in node.op.notes


def leaves(density: Density, walked: Iterable[str] = ()) -> list[str]:
    """Discrete free variables that only terms of their own kind touch, in order.

    Parameters
    ----------
    density : Density
        Of the whole model.
    walked : iterable of str
        Variables that a step moves whatever depends on them.

    Returns
    -------
    list of str
        A variable is here when only its own term, and terms of variables that are here, depend on
        it: given all others it can be drawn from its distribution. What is left of its term is the
        check of its parameters.
    """
    discrete = [value.name for value in density.values if value.discrete]
    candidates = {name for name in discrete if density.factor(name).dist.normalised} - set(walked)
    left = touched(density) if candidates else {}
    found: set[str] = set()
    while True:
        fresh = {
            name
            for name in candidates - found
            if all(term == name for term, who in left.items() if name in who)
        }
        if not fresh:
            return [value.name for value in density.values if value.name in found]
        found |= fresh
        for name in fresh:
            left.pop(name)
        left |= touched(replace(density, factors=_checks(density, fresh)))


def without(density: Density, names: Sequence[str]) -> Density:
    """The density with some leaves summed out: of their terms the checks of parameters are left."""
    if not names:
        return density
    checks = {check.name: check for check in _checks(density, names)}
    terms = [checks.get(factor.name, factor) for factor in density.factors]
    return replace(
        density,
        values=[value for value in density.values if value.name not in names],
        factors=[term for term in terms if term.name not in names or term.name in checks],
    )


def _checks(density: Density, names: Iterable[str]) -> list[Factor]:
    """The checks of some variables' parameters that may fail."""
    least = {value.input: _at_least(density, value) for value in density.values if value.discrete}
    checks = []
    for name in names:
        factor = density.factor(name)
        valid = factor.dist.valid(**factor.params)
        (proof,) = simplify(rebuild([valid.node], least))
        held = ops.constant_value(Tensor(proof))
        if held is None or not (held == 0.0).all():
            value = ops.zeros(factor.value.shape)  # one of many; the check is of the parameters
            checks.append(replace(factor, term=valid, log_det=None, value=value))
    return checks


def _at_least(density: Density, value: Value) -> Node:
    """A whole number as the simplifier can reason about it: not below its lowest value."""
    factor = density.factor(value.name)
    lower = factor.dist.support(**factor.params).lower
    known = None if lower is None else ops.constant_value(ops.as_tensor(lower))
    if known is None or not np.isfinite(known).all():
        return value.input
    bound = np.broadcast_to(np.asarray(known, np.int64), value.input.shape)
    return ops.maximum(Tensor(value.input), bound).node


def _roots(factor: Factor) -> list[Node]:
    return [factor.term.node, *([] if factor.log_det is None else [factor.log_det.node])]


def _total(term: Tensor) -> Tensor:
    return ops.sum_(term) if term.ndim else term


# -- splitting a sum -----------------------------------------------------------------------------


def _moving(roots: Sequence[Node], inputs: Sequence[Node]) -> set[Node]:
    """Nodes that depend on the inputs."""
    moving = set(inputs)
    for node in topological(roots):
        if any(arg in moving for arg in node.args):
            moving.add(node)
    return moving


def _summands(root: Node, moving: set[Node]) -> Iterator[Node]:
    """Nodes whose elements sum up to the elements of the root, but for what stays the same.

    A term that does not move is left out, and so is a check of what does not move: the steps of
    the other variables see to it that it holds.
    """
    stack: list[tuple[Node, Tensor | None]] = [(root, None)]
    while stack:
        node, scale = stack.pop()
        if node not in moving:
            continue
        parts = _parts(node, moving)
        if parts is None:
            yield node if scale is None else ops.multiply(scale, Tensor(node)).node
            continue
        for part, factor in reversed(parts):
            stack.append((part, _times(scale, factor)))


def _times(a: Tensor | None, b: Any) -> Tensor | None:
    if b is None:
        return a
    return ops.as_tensor(b) if a is None else ops.multiply(a, b)


def _parts(node: Node, moving: set[Node]) -> list[tuple[Node, Any]] | None:
    """Nodes and factors whose sums add up to the sum over a node; None where it is no sum."""
    name, args = node.op.name, node.args
    if name in ("sum", "reshape", "transpose"):
        return [(args[0], None)]
    if name == "negative":
        return [(args[0], -1.0)]
    if name in ("add", "subtract"):
        # Terms of one shape stay together: their elements belong to the same owners.
        whole = node.type.size > 1 and all(arg in moving for arg in args)
        if whole and args[0].shape == args[1].shape:
            return None
        signs = (1.0, 1.0 if name == "add" else -1.0)
        return [
            (arg, _repeats(arg, node, sign))
            for arg, sign in zip(args, signs, strict=True)
            if arg in moving
        ]
    if name == "multiply":
        for part, other in (args, args[::-1]):
            if other not in moving and other.type.size == 1:
                return [(part, Tensor(ops.reshape(Tensor(other), ()).node))]
    if name == "divide" and args[1] not in moving and args[1].type.size == 1:
        return [(args[0], ops.reciprocal(ops.reshape(Tensor(args[1]), ())))]
    if name == "where" and args[0] not in moving and is_constant(args[2], -np.inf):
        return [(args[1], _repeats(args[1], node, 1.0))]
    return None


def _repeats(arg: Node, node: Node, sign: float) -> float | None:
    factor = sign * (node.type.size / max(1, arg.type.size))
    return None if factor == 1.0 else factor


def _distributed(total: Tensor, term: Tensor, sets: Array) -> Tensor:
    """Add a term's elements to the entries of those that own them."""
    flat, size = ops.reshape(term, (-1,)), total.shape[0]
    shared = np.flatnonzero(sets[:, 0] == MANY)
    if shared.size:
        total = ops.add(total, ops.sum_(_picked(flat, shared)))
    for slot in range(sets.shape[1]):
        rows = np.flatnonzero(sets[:, slot] >= 0)
        if not rows.size:
            continue
        part, places = _picked(flat, rows), sets[rows, slot]
        if np.array_equal(places, np.arange(size)):
            total = ops.add(total, part)
        elif size == 1:
            total = ops.add(total, ops.sum_(part))
        else:
            total = ops.add(total, index_add(part, places, shape=(size,), spec=(("at", 0),)))
    return total


def _picked(flat: Tensor, rows: Array) -> Tensor:
    return flat if len(rows) == flat.shape[0] else ops.getitem(flat, rows)
