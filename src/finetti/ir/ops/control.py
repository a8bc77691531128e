"""Loops over steps: `scan`, whose gradient is another scan that runs the other way.

A scan is one node. Its value is a flat array: the last carry, then what every step leaves behind;
`piece` takes a part of it out in its own shape and dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from finetti.errors import ShapeError
from finetti.ir.body import Body, close, fresh_slots
from finetti.ir.node import Node, rebuild, topological
from finetti.ir.opdef import OpDef
from finetti.ir.ops.elementwise import cast
from finetti.ir.ops.indexing import index_add
from finetti.ir.ops.leaf import const
from finetti.ir.ops.pullback import pullback
from finetti.ir.ops.shape import as_tensor, broadcast_to, reshape, zeros
from finetti.ir.tensor import Tensor
from finetti.ir.types import FLOAT, Shape, TensorType, broadcast, promote

Step = Callable[..., tuple[Any, Any]]


# -- pieces of a flat array ----------------------------------------------------------------------


def count(shape: Sequence[int]) -> int:
    total = 1
    for length in shape:
        total = length * total
    return total


def _piece_vjp(g: Tensor, y: Tensor, x: Tensor, start: int, shape: Shape, dtype: str) -> Any:
    spec = (("slice", start, start + count(shape), None),)
    return (index_add(reshape(g, (-1,)), shape=x.shape, spec=spec),)


piece = OpDef(
    "piece", "movement", attr_names=("start", "shape", "dtype"), native="movement",
    infer=lambda x, start, shape, dtype: TensorType(dtype, tuple(map(int, shape))),
    numpy=lambda x, start, shape, dtype: np.asarray(
        x[int(start) : int(start) + int(np.prod(shape, dtype=np.int64))], dtype
    ).reshape(tuple(map(int, shape))),
    jax="finetti.backends.jax_control.piece", vjp=_piece_vjp,
    samples=(lambda rng: ((rng.normal(size=9),), {"start": 2, "shape": (2, 3), "dtype": FLOAT}),
             lambda rng: ((rng.normal(size=9),), {"start": 8, "shape": (), "dtype": FLOAT})),
)  # fmt: skip


# -- the operation -------------------------------------------------------------------------------


def parts_of(body: Body, length: int) -> list[tuple[int, TensorType]]:
    """Where the last carry and the results of all steps lie in a scan's value."""
    parts, start = [], 0
    for i, node in enumerate(body.outputs):
        shape = node.shape if i < body.carries else (int(length), *node.shape)
        parts.append((start, TensorType(node.type.dtype, shape)))
        start += count(shape)
    return parts


def _scan_type(
    *types: TensorType, body: Body, length: int, reverse: bool, sizes: tuple[int, ...]
) -> TensorType:
    length = int(length)
    moving = slice(body.carries, body.carries + body.sequences)
    for kind in types[moving]:
        if kind.shape[:1] != (length,):
            raise ShapeError(f"scan over {length} steps: a sequence is {kind}")
    body = body.at(_step_types(types, body), sizes)
    for arg, out in zip(body.inputs[: body.carries], body.outputs, strict=False):
        if arg.type != out.type:
            raise ShapeError(f"scan: a step makes {out.type} of the carry {arg.type}")
    return TensorType(FLOAT, (sum(kind.size for _, kind in parts_of(body, length)),))


def _step_types(types: Sequence[TensorType], body: Body) -> list[TensorType]:
    """The types of a body's inputs, given those of the arguments."""
    moving = range(body.carries, body.carries + body.sequences)
    return [
        TensorType(kind.dtype, kind.shape[1:]) if i in moving else kind
        for i, kind in enumerate(types)
    ]


def body_of(node: Node) -> Body:
    """The body of a scan, in the shapes of its arguments."""
    body = node.attrs[0]
    assert isinstance(body, Body)
    return body.at(_step_types([arg.type for arg in node.args], body), node.attrs[3])


def _scan_reference(
    *arrays: Any, body: Body, length: int, reverse: bool, sizes: tuple[int, ...]
) -> np.ndarray:
    types = [TensorType(np.asarray(a).dtype.name, np.shape(a)) for a in arrays]
    body = body.at(_step_types(types, body), sizes)
    split = body.carries, body.carries + body.sequences
    carry = list(arrays[: split[0]])
    fixed = dict(zip(body.constant_inputs, arrays[split[1] :], strict=True))
    kept = [np.zeros((int(length), *node.shape), node.type.dtype) for node in body.kept]
    steps = [node for node in topological(body.outputs) if node.op.name != "slot"]
    for t in range(int(length))[:: -1 if reverse else 1]:
        known = dict(fixed)
        known.update(zip(body.inputs, [*carry, *(s[t] for s in arrays[slice(*split)])],
                         strict=False))  # fmt: skip
        for node in steps:
            args = tuple(known[arg] for arg in node.args)
            known[node] = np.asarray(node.op.evaluate(args, node.attrs), node.type.dtype)
        carry = [known[out] for out in body.outputs[: split[0]]]
        for array, out in zip(kept, body.kept, strict=True):
            array[t] = known[out]
    flat = [np.asarray(part, float).ravel() for part in (*carry, *kept)]
    return np.concatenate([*flat, np.zeros(0)])


def _scan_vjp(
    g: Tensor, y: Tensor, *args: Tensor, body: Body, length: int, reverse: bool,
    sizes: tuple[int, ...],
) -> tuple[Tensor | None, ...]:  # fmt: skip
    """The adjoint of the carry runs back through the steps, over the carries of the way there."""
    body = body.at(_step_types([arg.node.type for arg in args], body), sizes)
    split = body.carries, body.carries + body.sequences
    seeds = seeds_of(g, parts_of(body, length))
    # The same loop with the carry that each step began with; simplification makes one of the two.
    along = Body(body.inputs, (*body.outputs, *body.inputs[: split[0]]), *split_sizes(body))
    again = scan_op(*args, body=along, length=length, reverse=reverse, sizes=sizes)
    before = pieces(again, along, args, length)[len(body.outputs) :]
    floats = [
        i for i, arg in enumerate(args) if arg.node.type.dtype == FLOAT
        and (i < split[0] or arg.node.op is not const)
    ]  # fmt: skip
    summed = [i for i in floats if not split[0] <= i < split[1]]  # carries, and what is fixed
    seeded = [k for k, seed in enumerate(seeds) if seed is not None and k >= split[0]]

    def step(adjoints: Sequence[Tensor], *elements: Tensor) -> Any:
        # What is fixed may depend on what else is fixed; here each stands for itself alone.
        fixed = fresh_slots([arg.node for arg in args[split[1] :]])
        inputs = [*elements[: split[1]], *map(Tensor, fixed)]
        below = elements[split[1] :]
        outs = body.apply([tensor.node for tensor in inputs])
        by_place = dict(zip(summed, adjoints, strict=True))
        ways = [(outs[i], by_place[i]) for i in by_place if i < split[0]]
        ways += [(outs[k], seed) for k, seed in zip(seeded, below, strict=True)]
        found = dict(zip(floats, pullback(
            [out for out, _ in ways], [seed for _, seed in ways],
            [inputs[i].node for i in floats],
        ), strict=True))  # fmt: skip
        following = [
            _or_zeros(found[i], inputs[i]) if i < split[0] else _plus(by_place[i], found[i])
            for i in summed
        ]
        each = [_or_zeros(found[i], inputs[i]) for i in floats if i not in by_place]
        closed = dict(zip(fixed, (arg.node for arg in args[split[1] :]), strict=True))
        results = iter(rebuild([tensor.node for tensor in (*following, *each)], closed))
        return [Tensor(next(results)) for _ in following], [Tensor(node) for node in results]

    start = [
        zeros(args[i].shape) if i >= split[0] or seeds[i] is None else seeds[i] for i in summed
    ]
    below = [seeds[k] for k in seeded]
    last, each = scan(
        step, start, [*before, *args[slice(*split)], *below], length=length, reverse=not reverse
    )
    result: dict[int, Tensor] = dict(zip(summed, last, strict=True))
    result.update(zip([i for i in floats if i not in result], each, strict=True))
    return tuple(result.get(i) for i in range(len(args)))


def split_sizes(body: Body) -> tuple[Any, ...]:
    """What a body of other outputs takes over: its counts and its dims."""
    return body.carries, body.sequences, body.dims, body.lengths


def _or_zeros(adjoint: Tensor | None, like: Tensor) -> Tensor:
    return zeros(like.shape) if adjoint is None else adjoint


def _plus(total: Tensor, part: Tensor | None) -> Tensor:
    return total if part is None else total + part


def seeds_of(g: Tensor, parts: list[tuple[int, TensorType]]) -> list[Tensor | None]:
    """The adjoint of each part of a flat value; None where there is none."""
    seeds: list[Tensor | None] = [None] * len(parts)
    places = {(start, start + kind.size): k for k, (start, kind) in enumerate(parts) if kind.size}
    stack = [g]
    while stack:
        term = stack.pop()
        node = term.node
        if node.op.name == "add" and node.type.shape == node.args[0].shape == node.args[1].shape:
            stack += map(Tensor, reversed(node.args))
            continue
        found = None
        if node.op is index_add and len(node.args) == 1:
            (part,) = node.attrs[1]
            sliced = isinstance(part, tuple) and part[0] == "slice" and None not in part[1:3]
            found = places.get((int(part[1]), int(part[2]))) if sliced else None
        if found is not None:
            kind = parts[found][1]
            seed = reshape(Tensor(node.args[0]), kind.shape)
            seeds[found] = _plus(seed, seeds[found])
            continue
        for k, (start, kind) in enumerate(parts):
            if kind.dtype == FLOAT:
                own = piece(term, start=start, shape=kind.shape, dtype=FLOAT)
                seeds[k] = _plus(own, seeds[k])
    return [seed if kind.dtype == FLOAT else None
            for seed, (_, kind) in zip(seeds, parts, strict=True)]  # fmt: skip


def _sample(
    step: Step, init: Any, lengths: Sequence[Shape] = (), fixed: Sequence[Shape] = (), **how: Any
) -> Any:
    """A sample of arguments and attributes: of a step and the shapes of what it gets."""

    def draw(rng: np.random.Generator) -> Any:
        shapes = [*(init if isinstance(init, list) else [init]), *lengths, *fixed]
        arrays = [rng.uniform(0.2, 0.9, shape) for shape in shapes]
        first = len(shapes) - len(lengths) - len(fixed)
        second = first + len(lengths)
        tensors = [Tensor(slot) for slot in fresh_slots([as_tensor(a).node for a in arrays])]
        carry = tensors[:first] if isinstance(init, list) else tensors[0]
        last, _ = scan(step, carry, tensors[first:second], tensors[second:], **how)
        node = (last[0] if isinstance(last, list) else last).node.args[0]
        arrays = [arrays[[t.node for t in tensors].index(arg)] for arg in node.args]
        return tuple(arrays), dict(zip(scan_op.attr_names, node.attrs, strict=True))

    return draw


def _two_lines(carry: Any, x: Tensor, a: Tensor) -> Any:
    u, v = carry
    return [u * a + x, np.sin(u) + v * x], (u * v, x - v)


scan_op = OpDef(
    "scan", "control", attr_names=("body", "length", "reverse", "sizes"), infer=_scan_type,
    numpy=_scan_reference, native="loop", jax="finetti.backends.jax_control.scan", vjp=_scan_vjp,
    samples=(
        _sample(lambda c, x, a: (a * c + x, c * x), (), [(7,)], [()]),
        _sample(lambda c, x, a: (a * c + x, None), (), [(7,)], [()], reverse=True),
        _sample(lambda c: (np.cos(c), c), (), length=5),
        _sample(lambda c, x: (c + x, c), (), [(1,)]),
        _sample(lambda c, x: (c + x, c), (), [(0,)]),
        _sample(_two_lines, [(), ()], [(6,)], [()]),
        _sample(_two_lines, [(3,), (3,)], [(6, 3)], [()], reverse=True),
        _sample(lambda c, x, m: ((m @ c) * 0.5 + x, (c * c).sum()), (3,), [(4, 3)], [(3, 3)]),
        _sample(lambda c, x: (np.tanh(c[::-1] + x.sum(axis=0)), c.max()), (20,), [(3, 2, 20)]),
    ),
)  # fmt: skip


def pieces(node: Tensor, body: Body, args: Sequence[Tensor], length: int) -> list[Tensor]:
    """The parts of a scan's value, each in its own shape and dtype."""
    start: int = 0
    found = []
    shown = _dynamic_shapes(body, args) if node.node.dynamic else [o.shape for o in body.outputs]
    for i, (out, shape) in enumerate(zip(body.outputs, shown, strict=True)):
        shape = shape if i < body.carries else (length, *shape)
        found.append(piece(node, start=start, shape=shape, dtype=out.type.dtype))
        start = count(shape) + start
    return found


def _dynamic_shapes(body: Body, args: Sequence[Tensor]) -> list[Shape]:
    """The shapes of a body's outputs, remembering that they come from those of the arguments."""
    moving = range(body.carries, body.carries + body.sequences)
    if any(args[i].shape[0] == 0 for i in moving):
        return [out.shape for out in body.outputs]
    # A step that is written out and never computed: its shapes follow the arguments'.
    first = [arg[0] if i in moving else arg for i, arg in enumerate(args)]
    return [Tensor(out).shape for out in body.apply([arg.node for arg in first])]


# -- what users call -----------------------------------------------------------------------------


def scan(
    step: Step,
    init: Any,
    sequences: Any = (),
    non_sequences: Any = (),
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Repeat a step that hands a carry on to the next.

    Parameters
    ----------
    step : callable
        ``step(carry, *elements, *non_sequences) -> (carry, outputs)``, called once with tensors
        that stand for any step. Tensors from outside may be used in it as they are.
    init : tensor, or a tuple, list or dict of them
        The first carry; `step` gets and returns the same structure.
    sequences : sequence
        Tensors (or structures of them) of which step t gets element t of the first axis.
    non_sequences : sequence
        Passed on to every step.
    length : int, optional
        Number of steps; by default the length of the sequences.
    reverse : bool, default False
        Walk from the last element to the first; outputs keep the places of their elements.

    Returns
    -------
    tuple
        The last carry, and the outputs of all steps along a new first axis (None if none).

    Raises
    ------
    ShapeError
        When lengths differ, or a step changes the shape of the carry.
    """
    listed = list(sequences) if isinstance(sequences, (list, tuple)) else [sequences]
    fixed = list(non_sequences) if isinstance(non_sequences, (list, tuple)) else [non_sequences]
    starts = [as_tensor(leaf) for leaf in _leaves(init)]
    moving = [as_tensor(leaf) for leaf in _leaves(listed)]
    length = _length(moving, length)
    moving = [x if x.node.shape[0] == length else x[:length] for x in moving]
    for _ in range(4):
        closed, outputs, wanted = _traced(step, (init, starts), (listed, moving), fixed, length)
        if closed is not None:
            break
        starts = wanted
    else:
        raise ShapeError(
            "scan: the carry's shape or dtype changes with every step: expected the step to "
            f"return what it was given, got {[t.node.type for t in wanted]}"
        )
    arguments = [*starts, *moving, *map(Tensor, closed.drawn), *map(Tensor, closed.captured)]
    node = scan_op(
        *arguments, body=closed.body, length=length, reverse=bool(reverse), sizes=closed.sizes
    )
    found = pieces(node, closed.body, arguments, length)
    return _filled(init, iter(found[: len(starts)])), _filled(outputs, iter(found[len(starts) :]))


def _traced(
    step: Step, init: tuple[Any, list[Tensor]], sequences: tuple[Any, list[Tensor]],
    fixed: list[Any], length: int,
) -> Any:  # fmt: skip
    """(closed body, outputs' structure, carry), the body None when the carry has to be another."""
    (structure, starts), (listed, moving) = init, sequences
    # An element has the type that indexing gives it; a sequence of no steps has none to index.
    elements = [
        x[0] if x.node.shape[0] else cast(zeros(x.shape[1:]), x.node.type.dtype) for x in moving
    ]
    mark, *slots = fresh_slots([as_tensor(0).node, *(x.node for x in (*starts, *elements))])
    carry = _filled(structure, map(Tensor, slots[: len(starts)]))
    given = _filled(listed, map(Tensor, slots[len(starts) :]))
    result = step(carry, *given, *fixed)
    if not isinstance(result, tuple) or len(result) != 2:
        raise ShapeError(
            f"scan: the step returned {result!r}: expected a pair (carry, outputs), with None for "
            "outputs where there are none."
        )
    following = [as_tensor(leaf) for leaf in _leaves(result[0])]
    if len(following) != len(starts):
        raise ShapeError(
            f"scan: the step returned a carry of {len(following)} tensors: expected "
            f"{len(starts)}, as in `init`."
        )
    fitted = [_fitted(new, old) for new, old in zip(following, starts, strict=True)]
    if any(new is not old for new, old in zip(fitted, starts, strict=True)):
        return None, None, fitted
    following = [
        cast(broadcast_to(new, old.shape), old.node.type.dtype)
        for new, old in zip(following, starts, strict=True)
    ]
    kept = [as_tensor(leaf) for leaf in _leaves(result[1])]
    outputs = [tensor.node for tensor in (*following, *kept)]
    return close(slots, outputs, len(starts), length, mark.order), result[1], starts


def _fitted(new: Tensor, old: Tensor) -> Tensor:
    """The start of a carry that the next ones fit into: wider, or of another dtype."""
    shape = broadcast(new.node.shape, old.node.shape)
    dtype = promote(new.node.type.dtype, old.node.type.dtype)
    if shape != old.node.shape:
        old = broadcast_to(old, new.shape if shape == new.node.shape else shape)
    return old if old.node.type.dtype == dtype else cast(old, dtype)


def _length(moving: Sequence[Tensor], length: int | None) -> int:
    for x in moving:
        if not x.ndim:
            raise ShapeError(f"scan: the sequence {x!r} has no axis to walk along")
    lengths = [x.shape[0] for x in moving]
    if length is None:
        if not lengths:
            raise ShapeError("scan without sequences: pass `length=`, the number of steps")
        if any(n != lengths[0] for n in lengths):
            raise ShapeError(
                f"scan: sequences of lengths {lengths}: expected equal ones. Slice them to one "
                "length, or pass `length=`."
            )
        return lengths[0]
    if length < 0 or any(n < length for n in lengths):
        raise ShapeError(f"scan: length={length} with sequences of lengths {lengths}")
    return length


# -- structures of tensors -----------------------------------------------------------------------


def _leaves(structure: Any) -> Iterator[Any]:
    """The tensors in tuples, lists and dicts; None holds none."""
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, (list, tuple)):
        for part in structure:
            yield from _leaves(part)
    elif structure is not None:
        yield structure


def _filled(structure: Any, leaves: Iterator[Tensor]) -> Any:
    """The structure with other leaves."""
    if isinstance(structure, dict):
        return {key: _filled(part, leaves) for key, part in structure.items()}
    if isinstance(structure, (list, tuple)):
        parts = [_filled(part, leaves) for part in structure]
        if hasattr(structure, "_fields"):
            return type(structure)(*parts)
        return parts if isinstance(structure, list) else tuple(parts)
    return None if structure is None else next(leaves)


__all__ = ["Step", "body_of", "parts_of", "piece", "pieces", "scan", "scan_op", "seeds_of",
           "split_sizes"]  # fmt: skip
