"""Loops over steps: one function with a real loop, whose body is compiled once.

The body is a graph with a plan of its own, written by the emitter that writes whole functions. What
is small is carried in registers from step to step: numbers, and arrays that fill a vector. Larger
carries lie in scratch memory. A loop takes the addresses of its arguments and of its result.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetti.backends.native.builder import Builder, vector_type
from finetti.backends.native.emit import Emitter
from finetti.backends.native.loops import STRAIGHT_LIMIT, LoopBody, straight
from finetti.backends.native.plan import Loop, Plan, Ref, Sink
from finetti.backends.native.small import (
    RegisterBody,
    load_at,
    members,
    merged,
    shuffle,
    store_at,
)
from finetti.ir import BOOL, Node, rebuild, topological
from finetti.ir.body import Body
from finetti.ir.node import make
from finetti.ir.ops.control import body_of, parts_of
from finetti.ir.ops.leaf import const, input_

if TYPE_CHECKING:
    from finetti.backends.native.plan import Store

_COPIED = 128  # elements that are copied without a call


@dataclass
class _Carried:
    """What one step hands on to the next."""

    node: Node  # the input of the body
    out: Node
    phi: str | None  # its value in registers, if it is small
    buffer: tuple[str, int]  # where it lies in memory while a step reads it


class StepEmitter(Emitter):
    """Writes the body of a loop inside a function that is being written.

    Parameters
    ----------
    parent : Emitter
        Whose constants and scratch memory it shares.
    plan : Plan
        Of the body.
    b : Builder
        The function.
    """

    cuts = False

    def __init__(self, parent: Emitter, plan: Plan, b: Builder):
        super().__init__(plan, (), b.has_fma, outline=False)
        self.entry = self.b = b
        self.parts = [b]
        self.pack, self.scratch, self.status = parent.pack, parent.scratch, parent.status
        # Where the arrays begin that a step leaves behind: (place among the outputs, address).
        self.left: list[tuple[int, str]] = []

    def output(self, start: int) -> tuple[str, int]:
        """Base pointer and byte offset of a place among the outputs."""
        found = bisect_right(self.left, start, key=lambda entry: entry[0])
        if not found:
            return super().output(start)
        first, pointer = self.left[found - 1]
        return pointer, 8 * (start - first)

    def step(self) -> None:
        """The code of one step, up to the values of its outputs."""
        self.b.fuse(True)
        self.staged()

    def _run(self, body: LoopBody, sinks: list[Sink], stores: list[Store]) -> None:
        super()._run(body, sinks, stores)
        self.b.fuse(True)

    def _loop(self, loop: Loop) -> None:
        if not loop.length or not straight(loop.length):
            super()._loop(loop)
            return
        for sink in loop.sinks:
            added = members(sink) is None  # in memory, to what is there
            if sink.node.type.size > 1 and sink.matrix is None and added:
                self._clear(sink)
        self._run(RegisterBody(self, loop.length), loop.sinks, loop.stores)

    def _element(self, ref: Ref) -> str:
        value = self.vectors.get(ref.node)
        if value is None:
            return super()._element(ref)
        place = 0 if ref.table is None else int(ref.table.positions[0])
        kind = "i1" if ref.node.type.dtype == BOOL else "double"
        return self.b.extract(value, place, ref.node.type.size, kind)

    def _kernel(self, node: Node) -> None:
        name, b = node.op.name, self.b
        if name == "take_along" and node.type.size == 1 and node.args[0].type.size:
            length = node.args[0].type.size
            base, place = self.whole(node.args[0]), self.number(node.args[1])
            if _of_one_line(node):
                self.scalars[node] = load_at(b, base, place, length)
                return
        if name == "add_along" and node.args[0].type.size == 1 < node.type.size:
            if _of_one_line(node):
                place, value = self.number(node.args[1]), self.number(node.args[0])
                store_at(b, self.pointer(node), place, node.type.size, value)
                return
        if name == "concatenate" and straight(node.type.size) and self._joined(node):
            return
        super()._kernel(node)

    def _joined(self, node: Node) -> bool:
        """Put together a small array whose parts are all in registers."""
        parts = [self.plan.ref(arg) for arg in node.args]
        known = all(
            arg.type.size == 1 or ref.node in self.vectors
            for arg, ref in zip(node.args, parts, strict=True)
        )
        lined = all(length == 1 for length in node.shape[: node.attrs[0]])
        if not known or not lined or node.type.dtype == BOOL or node.type.size < 2:
            return False
        size = node.type.size
        numbers: list[tuple[int, Node]] = []
        lanes: dict[Node, list[int]] = {}  # of each array, where its elements go
        at = 0
        for arg, ref in zip(node.args, parts, strict=True):
            if arg.type.size == 1:
                numbers.append((at, arg))
            else:
                own = lanes.setdefault(ref.node, [-1] * size)
                places = range(arg.type.size) if ref.table is None else ref.table.positions.tolist()
                own[at : at + arg.type.size] = places
            at += arg.type.size
        value = "poison"
        for source, places in lanes.items():
            picked = shuffle(self.b, self.vectors[source], source.type.size, places)
            value = picked if value == "poison" else merged(self.b, value, picked, places)
        for lane, arg in numbers:
            value = self.b.insert(value, self.number(arg), lane, size)
        self.b.store(value, self.pointer(node), size)
        self.vectors[node] = value
        return True

    def value(self, node: Node) -> str | None:
        """A small array as a vector of doubles, if it is in registers."""
        ref = self.plan.ref(node)
        if ref.table is not None or ref.node.type.size != node.type.size:
            return None
        value = self.vectors.get(ref.node)
        if value is None or node.type.dtype != BOOL:
            return value
        return self.b.select(value, 1.0, 0.0, node.type.size)

    def hold(self, node: Node, value: str) -> None:
        """Have a number or a small array that is in a register."""
        size = node.type.size
        if node.type.dtype == BOOL:
            value = self.b.fcmp("une", value, 0.0, size)
        if size == 1:
            self.scalars[node] = value
        else:
            self.vectors[node] = value


def _of_one_line(node: Node) -> bool:
    """Whether an operation along an axis works on one line only, where positions are flat."""
    return node.type.ndim == node.args[-1].type.ndim == 1


def emit_scan(e: Emitter, node: Node) -> None:
    """Emit a loop as a function, and its call."""
    b = e.b.child()
    b.hurried = True
    symbol = f"finetti_scan{len(b.functions)}"
    b.functions[symbol] = ""  # its place; inner loops come after it
    _Scan(e, node, b).emit()
    pointers = ["%constants", "%scratch", "%y", *(f"%p{i}" for i in range(len(node.args)))]
    header = ", ".join(f"ptr {name}" for name in pointers)
    b.define(symbol, f"define internal void @{symbol}({header}) noinline nounwind", b)
    passed = ["%constants", "%scratch", e.pointer(node), *(e.whole(arg) for arg in node.args)]
    e.b.effect(f"call void @{symbol}({', '.join(f'ptr {name}' for name in passed)})")


class _Scan:
    """One loop: entry, head, body, exit."""

    def __init__(self, parent: Emitter, node: Node, b: Builder):
        self.node, self.b = node, b
        body = body_of(node)
        self.length, self.reverse = int(node.attrs[1]), bool(node.attrs[2])
        self.parts = [start for start, _ in parts_of(body, self.length)]
        self.body = _opened(body)
        starts, total = [], 0
        for out in self.body.outputs:
            starts.append(total)
            total += out.type.size if out.type.size > 1 else 0
        self.starts = starts
        plan = Plan(list(zip(self.body.outputs, starts, strict=True)))
        self.e = StepEmitter(parent, plan, b)
        self.out = self.e.scratch.take(total)

    def emit(self) -> None:
        b, body = self.b, self.body
        b.lines.append(f"  %out = getelementptr i8, ptr %scratch, i64 {self.out}")
        first, second = body.carries, body.carries + body.sequences
        for i, node in enumerate(body.inputs[second:], second):
            self.e.memory[node] = (f"%p{i}", 0)
            if small(node):
                self.e.hold(node, b.load(f"%p{i}", node.type.size))
        begun = [self._begin(i, node) for i, node in enumerate(body.inputs[:first])]
        if not self.length:
            b.ret("void")
            return
        before, head, after = b.block, b.fresh_label("step"), b.fresh_label("exit")
        b.branch(head)
        b.label(head)
        counter = b.open_phi("i64", "0", before)
        carried = [self._enter(i, start, before) for i, start in enumerate(begun)]
        at = b.iop("sub", self.length - 1, counter) if self.reverse else counter
        for carry in carried:
            if carry.phi is not None:
                self.e.hold(carry.node, carry.phi)
        for i, node in enumerate(body.inputs[first:second], first):
            self._element(i, node, at)
        for k, out in enumerate(body.kept, first):
            if out.type.size > 1:
                base = b.byte_pointer("%y", 8 * self.parts[k])
                target = b.element_pointer(base, b.iop("mul", at, out.type.size))
                self.e.left.append((self.starts[k], target))
        self.e.step()
        following = [self._next(carry, i) for i, carry in enumerate(carried)]
        for k, out in enumerate(body.kept, first):
            self._keep(k, out, at)
        for i, carry in enumerate(carried):
            self._hand_on(carry, following[i], i)
        more = b.iop("add nuw nsw", counter, 1)
        latch = b.block
        b.branch_if(b.icmp("ult", more, self.length), head, after)
        b.close_phi(counter, more, latch)
        for carry, value in zip(carried, following, strict=True):
            if carry.phi is not None:
                assert value is not None
                b.close_phi(carry.phi, value, latch)
        b.label(after)
        for i, (carry, value) in enumerate(zip(carried, following, strict=True)):
            target = b.byte_pointer("%y", 8 * self.parts[i])
            if value is not None:
                b.store(value, target, carry.node.type.size)
            else:
                self._copy(b.byte_pointer(*carry.buffer), target, carry.node.type.size)
        b.ret("void")

    # -- before the first step

    def _begin(self, i: int, node: Node) -> str | None:
        """The first value of a carry; into its buffer, and in a register if it is small."""
        b, size = self.b, node.type.size
        buffer = ("%scratch", 0)
        if size != 1:  # a number that a kernel reads is written where it reads it
            buffer = self.e.memory[node] = ("%scratch", self.e.scratch.take(size))
        value = b.load(f"%p{i}", size) if small(node) else None
        if not self.length:
            self._copy(f"%p{i}", b.byte_pointer("%y", 8 * self.parts[i]), size)
        elif value is None:
            self._copy(f"%p{i}", b.byte_pointer(*buffer), size)
        elif size > 1:
            b.store(value, b.byte_pointer(*buffer), size)
        return value

    def _enter(self, i: int, start: str | None, before: str) -> _Carried:
        node = self.body.inputs[i]
        phi = None
        if start is not None:
            phi = self.b.open_phi(vector_type(node.type.size), start, before)
        return _Carried(node, self.body.outputs[i], phi, self.e.memory.get(node, ("", 0)))

    # -- a step

    def _element(self, i: int, node: Node, at: str) -> None:
        """What the step gets of a sequence."""
        b, size = self.b, node.type.size
        place = at if size == 1 else b.iop("mul", at, size)
        pointer = b.element_pointer(f"%p{i}", place)
        self.e.memory[node] = (pointer, 0)
        if small(node):
            self.e.hold(node, b.load(pointer, size))

    def _next(self, carry: _Carried, i: int) -> str | None:
        """The value to hand on, if it is in a register."""
        if carry.phi is None:
            return None
        if carry.node.type.size == 1:
            self._reset(carry)
            return self.e.number(carry.out)
        value = self.e.value(carry.out)
        if value is None:
            value = self.b.load(self._left(i), carry.node.type.size)
        return value

    def _reset(self, carry: _Carried) -> None:
        """A carry that is set to something known where it passes a bound: a branch, seldom taken.

        The processor foresees it, so the steps need not wait for the comparison.
        """
        out, b = carry.out, self.b
        known = {*self.body.inputs[self.body.carries :]}
        if out in self.e.scalars or out.op.name != "where" or out.type.dtype == BOOL:
            return
        condition, x, y = out.args
        sides = [side.op is const or side in known for side in (x, y)]
        if sum(sides) != 1 or not _waits(condition, carry.node):
            return
        seldom, often = (x, y) if sides[0] else (y, x)
        values = [self.e.scalar(condition), self.e.number(often), self.e.number(seldom)]
        before, taken, after = b.block, b.fresh_label("reset"), b.fresh_label("on")
        b.branch_if(values[0], *((taken, after) if sides[0] else (after, taken)))
        b.label(taken)
        b.branch(after)
        b.label(after)
        self.e.scalars[out] = b.phi("double", (values[1], before), (values[2], taken))

    def _hand_on(self, carry: _Carried, value: str | None, i: int) -> None:
        size = carry.node.type.size
        if value is None:
            self._copy(self._left(i), self.b.byte_pointer(*carry.buffer), size)
        elif size > 1:
            self.b.store(value, self.b.byte_pointer(*carry.buffer), size)

    def _keep(self, k: int, out: Node, at: str) -> None:
        """Write what the step leaves behind."""
        b = self.b
        if out.type.size == 1:  # arrays are where they belong already
            base = b.byte_pointer("%y", 8 * self.parts[k])
            b.store(self.e.number(out), b.element_pointer(base, at))

    def _left(self, k: int) -> str:
        """Where the step left an output that is an array."""
        return self.b.byte_pointer("%out", 8 * self.starts[k])

    def _copy(self, source: str, target: str, size: int) -> None:
        b = self.b
        if not size:
            return
        if size <= _COPIED:
            for at in range(0, size, STRAIGHT_LIMIT):
                lanes = min(STRAIGHT_LIMIT, size - at)
                value = b.load(b.element_pointer(source, at), lanes)
                b.store(value, b.element_pointer(target, at), lanes)
            return
        b.declare("llvm.memcpy.p0.p0.i64", "void", ["ptr", "ptr", "i64", "i1"])
        b.effect(
            f"call void @llvm.memcpy.p0.p0.i64(ptr align 8 {target}, ptr align 8 {source}, "
            f"i64 {8 * size}, i1 false)"
        )


def _waits(node: Node, carry: Node) -> bool:
    """Whether a node is computed from a carry."""
    return carry in topological([node])


def small(node: Node) -> bool:
    """Whether a node is kept in a register."""
    return 0 < node.type.size and straight(node.type.size)


def _opened(body: Body) -> Body:
    """A body whose slots are inputs, as plans know them."""
    inputs = tuple(make(input_, (), (("step", i), node.type)) for i, node in enumerate(body.inputs))
    outputs = rebuild(body.outputs, dict(zip(body.inputs, inputs, strict=True)))
    return Body(inputs, tuple(outputs), body.carries, body.sequences)


__all__ = ["StepEmitter", "emit_scan"]
