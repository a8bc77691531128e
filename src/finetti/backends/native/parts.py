"""Sums over alike parts: a function with a loop, in which the body stands once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from finetti.backends.native.builder import Builder
from finetti.backends.native.emit import Emitter
from finetti.backends.native.plan import Plan
from finetti.ir import BOOL, Node, rebuild
from finetti.ir.body import Body
from finetti.ir.node import make
from finetti.ir.ops.control import piece
from finetti.ir.ops.leaf import input_
from finetti.ir.ops.parts import results_of


class PartEmitter(Emitter):
    """Writes the body of a loop over parts.

    Parameters
    ----------
    parent : Emitter
        Whose constants and scratch memory it shares.
    plan : Plan
        Of the body; its outputs are numbered through all rows of results.
    b : Builder
        The function.
    rows : sequence of int
        Where the row of each result begins in that numbering.
    """

    cuts = False

    def __init__(self, parent: Emitter, plan: Plan, b: Builder, rows: Sequence[int]):
        super().__init__(plan, (), b.has_fma, outline=False)
        self.entry = self.b = b
        self.parts = [b]
        self.pack, self.scratch, self.status = parent.pack, parent.scratch, parent.status
        self._rows = rows
        self.targets: list[str] = []  # the address of the part's row in each result

    def output(self, start: int) -> tuple[str, int]:
        result = bisect_right(self._rows, start) - 1
        return self.targets[result], 8 * (start - self._rows[result])


def emit_parts(e: Emitter, node: Node) -> None:
    """Emit a sum over parts as a function, and its call."""
    b = e.b.child()
    b.fuse(False)
    symbol = f"finetti_parts{len(b.functions)}"
    b.functions[symbol] = ""  # its place; functions that it needs come after it
    body, count, places, homes = node.attrs
    found = results_of(body, count, homes)
    _loop(e, node, b)
    names = ["%constants", "%scratch", *_numbered("a", node.args), *_numbered("y", found)]
    header = ", ".join(f"ptr {name}" for name in names)
    b.define(symbol, f"define internal void @{symbol}({header}) noinline nounwind", b)
    taken = {n.attrs[0]: n for n in e.plan.order if n.op is piece and n.args[0] is node}
    results = [
        e.pointer(taken[start]) if start in taken else e.pointer(node, start) for start, _ in found
    ]  # fmt: skip
    passed = ["%constants", "%scratch", *map(e.whole, node.args), *results]
    e.b.effect(f"call void @{symbol}({', '.join(f'ptr {name}' for name in passed)})")


def _numbered(letter: str, of: Sequence[object]) -> list[str]:
    return [f"%{letter}{i}" for i in range(len(of))]


def _loop(parent: Emitter, node: Node, b: Builder) -> None:
    body, count, places, homes = node.attrs
    body = opened(body)
    found = results_of(body, count, homes)
    begins = [0]
    for _, shape in found:
        begins.append(begins[-1] + (shape[1] if shape else 1))
    starts = [begins[result] + (place or 0) for result, place in homes]
    plan = Plan(list(zip(body.outputs, starts, strict=True)))
    e = PartEmitter(parent, plan, b, begins)
    for slot, (arg, place) in zip(body.inputs, places, strict=True):
        if place is None:
            e.memory[slot] = (f"%a{arg}", 0)
            if slot.type.size == 1:
                value = b.load(f"%a{arg}")
                e.scalars[slot] = b.fcmp("une", value, 0.0) if slot.type.dtype == BOOL else value
    before, head, after = b.block, b.fresh_label("part"), b.fresh_label("exit")
    b.branch(head)
    b.label(head)
    counter = b.open_phi("i64", "0", before)
    sums = [
        (b.open_phi("double", b.const(0.0), before), out, result)
        for out, (result, place) in zip(body.outputs, homes, strict=True) if place is None
    ]  # fmt: skip
    strides = [arg.type.size // count for arg in node.args]
    rows: dict[int, str] = {}
    for slot, (arg, place) in zip(body.inputs, places, strict=True):
        if place is not None:
            if arg not in rows:
                rows[arg] = _row(b, f"%a{arg}", counter, strides[arg])
            e.memory[slot] = (rows[arg], 8 * place)
    e.targets = [
        _row(b, f"%y{k}", counter, shape[1]) if shape else "" for k, (_, shape) in enumerate(found)
    ]
    e.staged()
    for out, start, (_, place) in zip(body.outputs, starts, homes, strict=True):
        if place is not None and out.type.size == 1:
            e.finish(out, *e.output(start))
    following = [b.fadd(phi, e.number(out)) for phi, out, _ in sums]
    more = b.iop("add nuw nsw", counter, 1)
    latch = b.block
    b.branch_if(b.icmp("ult", more, count), head, after)
    b.close_phi(counter, more, latch)
    for (phi, _, _), value in zip(sums, following, strict=True):
        b.close_phi(phi, value, latch)
    b.label(after)
    for (_, _, result), value in zip(sums, following, strict=True):
        b.store(value, f"%y{result}")
    b.ret("void")


def _row(b: Builder, base: str, counter: str, length: int) -> str:
    """The address of a part's row."""
    return b.element_pointer(base, counter if length == 1 else b.iop("mul", counter, length))


def opened(body: Body) -> Body:
    """A body whose slots are inputs, as plans know them."""
    inputs = tuple(make(input_, (), (("part", i), node.type)) for i, node in enumerate(body.inputs))
    outputs = rebuild(body.outputs, dict(zip(body.inputs, inputs, strict=True)))
    return Body(inputs, tuple(outputs), body.carries, body.sequences)


__all__ = ["PartEmitter", "emit_parts", "opened"]
