"""The function as text: stage by stage, scalars first, then kernels, then loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from finetti.backends.native.accumulating import IDENTITY
from finetti.backends.native.blocked import BlockedBody, has_wide_products
from finetti.backends.native.builder import Builder
from finetti.backends.native.elementwise import emit_elementwise
from finetti.backends.native.grouped import GroupedBody, grouping
from finetti.backends.native.kernels import call_kernel, work_size
from finetti.backends.native.layout import LANES, Pack, Scratch
from finetti.backends.native.loops import LoopBody, PlainBody, straight
from finetti.backends.native.outline import PART_LINES, Outline, worthwhile
from finetti.backends.native.plan import Loop, Plan, Ref, Sink, Store
from finetti.backends.native.row_chunks import bounds, emit_chunks
from finetti.backends.native.straight import StraightBody
from finetti.ir import BOOL, Node
from finetti.ir.ops.leaf import const

ENTRY = "finetti_entry"
_POINTERS = "ptr %x, ptr %out, ptr %lp, ptr %constants, ptr %scratch"
_HEADER = (
    f"define i32 @{ENTRY}(i64 %n, ptr noalias nocapture readonly %x, ptr noalias nocapture %out, "
    "ptr noalias nocapture %lp, ptr noalias nocapture readonly %data) nounwind"
)

# Operations that modules of their own emit: name -> function of the emitter and the node.
SPECIAL: dict[str, Callable[[Emitter, Node], None]] = {}


class Emitter:
    """Writes one compiled function.

    Parameters
    ----------
    plan : Plan
    inputs : sequence of Node
        Input nodes in the order in which they lie in ``x``.
    has_fma : bool
    outline : bool, optional
        Whether loops are functions of their own; by default where it pays.
    """

    # Whether long loops are cut into chunks for several threads.
    cuts = True

    def __init__(
        self,
        plan: Plan,
        inputs: Sequence[Node],
        has_fma: bool = True,
        outline: bool | None = None,
    ):
        self.plan = plan
        self.stages = list(plan.stages())
        self.outline = worthwhile(plan, self.stages) if outline is None else outline
        self.entry = Builder(has_fma=has_fma)
        # The functions that the entry consists of, and the one being written.
        self.parts: list[Builder] = []
        self.b = self._part()
        self.loops: dict[str, str] = {}
        # Scalars computed by earlier parts, and where scalars lie in scratch memory.
        self.earlier: dict[Node, tuple[Builder, str]] = {}
        self.slots: dict[Node, int] = {}
        self.spare: list[int] = []
        # Where in scratch memory the status of calls of Python is, if there are any.
        self.status: list[int] = []
        self.is_cut = False
        self.pack = Pack()
        self.scratch = Scratch()
        self.memory: dict[Node, tuple[str, int]] = {}
        self.scalars: dict[Node, str] = {}
        # Short arrays stay in registers: what one straight block computed, a later one can use.
        self.vectors: dict[Node, str] = {}
        offset = 0
        for node in inputs:
            self.memory[node] = ("%x", 8 * offset)
            offset += node.type.size

    def run(self) -> str:
        """The module's text."""
        self.staged()
        for node, start in self.plan.outputs:
            if node.type.size == 1:
                self.finish(node, *self.output(start))
        if self.plan.scalar is not None:
            self.finish(self.plan.scalar, "%lp", 0)
        return self._module()

    def staged(self) -> None:
        """The code of all stages."""
        for node, start in self.plan.direct.items():
            self.memory[node] = self.output(start)
        for kernels, loops in self.stages:
            for node in kernels:
                self._turn()
                self._kernel(node)
            for loop in loops:
                self._turn()
                self._loop(loop)

    def output(self, start: int) -> tuple[str, int]:
        """Base pointer and byte offset of a place among the outputs."""
        return "%out", 8 * start

    def finish(self, node: Node, base: str, offset: int) -> None:
        """Write a scalar to memory."""
        self.scalar(node, whole=True)
        self.b.store(self.number(node), self.b.byte_pointer(base, offset))

    # -- parts

    def _part(self) -> Builder:
        part = self.entry.child()
        # Outside of loops every operation rounds as written, so that results do not depend on what
        # stands in one basic block with what.
        part.fuse(False)
        self.parts.append(part)
        return part

    def _turn(self) -> None:
        """Begin another function when this one is long; nobody may be about to use its values."""
        if not self.outline or len(self.b.lines) < PART_LINES:
            return
        for node, value in self.scalars.items():
            if node.op.family == "elementwise":  # what is read from memory can be read again
                self.earlier.setdefault(node, (self.b, value))
        self.scalars = {}
        self.b = self._part()

    def _again(self, node: Node) -> str:
        """A scalar of an earlier part or a loop, through memory."""
        if node not in self.slots:
            part, value = self.earlier[node]
            if not self.spare:
                start = self.scratch.take(LANES)
                self.spare = [start + 8 * i for i in range(2 * LANES)]
            self.slots[node] = self.spare.pop(0)
            if node.type.dtype == BOOL:
                value = part.select(value, 1.0, 0.0)
            part.store(value, part.byte_pointer("%scratch", self.slots[node]))
        value = self.b.load(self.b.byte_pointer("%scratch", self.slots[node]))
        return self.b.fcmp("une", value, 0.0) if node.type.dtype == BOOL else value

    def _module(self) -> str:
        entry = self.entry
        entry.lines += [
            "  %constants = load ptr, ptr %data, align 8",
            "  %scratch.at = getelementptr i8, ptr %data, i64 8",
            "  %scratch = load ptr, ptr %scratch.at, align 8",
        ]
        for offset in self.status:
            entry.lines.append(f"  %status.at = getelementptr i8, ptr %scratch, i64 {offset}")
            entry.store("0", "%status.at", element="i64")
        if len(self.parts) == 1:
            entry.lines += self.parts[0].lines
        else:
            for i, part in enumerate(self.parts):
                part.ret("void")
                header = f"define internal void @finetti_part{i}({_POINTERS}) nounwind"
                entry.define(f"finetti_part{i}", f"{header} optnone noinline", part)
                entry.effect(f"call void @finetti_part{i}({_POINTERS})")
        if self.status:
            entry.lines.append("  %status = load i32, ptr %status.at, align 8")
        entry.ret("i32 %status" if self.status else "i32 0")
        # Chunks find what the entry was passed through memory.
        return entry.module(_HEADER.replace("noalias nocapture ", "") if self.is_cut else _HEADER)

    # -- memory

    def location(self, node: Node) -> tuple[str, int]:
        """Base pointer and byte offset of an array in memory, given room on first use."""
        place = self.memory.get(node)
        if place is None:
            if node.op is const:
                data = node.attrs[0]
                place = ("%constants", self.pack.put(data.key, np.asarray(data.value, float)))
            else:
                place = ("%scratch", self.scratch.take(node.type.size))
            self.memory[node] = place
        return place

    def pointer(self, node: Node, start: int = 0) -> str:
        """The address of an element."""
        base, offset = self.location(node)
        return self.b.byte_pointer(base, offset + 8 * start)

    def constant(self, key: tuple[object, ...], array: np.ndarray) -> int:
        """The byte offset of packed data."""
        return self.pack.put(key, array)

    # -- scalars

    def number(self, node: Node) -> str:
        """A scalar as a double."""
        value = self.scalar(node)
        return self.b.select(value, 1.0, 0.0) if node.type.dtype == BOOL else value

    def scalar(self, node: Node, whole: bool = False) -> str:
        """The SSA value of a node with one element: i1 when boolean, else double.

        With `whole` the way to it may begin other functions: no other value may be in use.
        """
        stack = [node]
        while stack:
            top = stack[-1]
            missing = [arg for arg in self._scalar_args(top) if arg not in self.scalars]
            if missing:
                stack += reversed(missing)
                continue
            if top not in self.scalars:
                self.scalars[top] = self._scalar(top)
            stack.pop()
            if whole and stack:
                self._turn()
        return self.scalars[node]

    def _scalar_args(self, node: Node) -> tuple[Node, ...]:
        """The scalars from which a scalar is computed."""
        if node in self.slots or node in self.earlier:
            return ()
        ref = self.plan.ref(node)
        if ref.node is not node or ref.table is not None:
            return (ref.node,) if ref.node.type.size == 1 else ()
        computed = node.op.family == "elementwise" and node not in self.scalars
        return node.args if computed else ()

    def _scalar(self, node: Node) -> str:
        if node in self.slots or node in self.earlier:
            return self._again(node)
        ref = self.plan.ref(node)
        if ref.node is not node or ref.table is not None:
            return self._element(ref)
        if node.op is const:
            value = node.attrs[0].value.reshape(())
            if node.type.dtype == BOOL:
                return "true" if value else "false"
            return self.b.const(float(value))
        if node.op.family == "elementwise":
            return emit_elementwise(self.b, node, [self.scalars[arg] for arg in node.args], 1)
        return self._loaded(node, 0)

    def _element(self, ref: Ref) -> str:
        """The first element of what `ref` reads."""
        if ref.node.type.size == 1:
            return self.scalars[ref.node]
        return self._loaded(ref.node, 0 if ref.table is None else int(ref.table.positions[0]))

    def _loaded(self, node: Node, at: int) -> str:
        value = self.b.load(self.pointer(node, at))
        return self.b.fcmp("une", value, 0.0) if node.type.dtype == BOOL else value

    # -- kernels

    def _kernel(self, node: Node) -> None:
        if node.op.name == "concatenate":
            for arg, place in self.plan.join_scalars(node):
                self.scalar(arg, whole=True)
                self.b.store(self.number(arg), self.pointer(node, place))
            return
        if node.op.name in SPECIAL:
            SPECIAL[node.op.name](self, node)
            return
        if node.op.name == "matmul" and node.type.ndim == 2 and node.shape[1] == 1:
            self._matrix_vector(node)
            return
        self._whole_kernel(node)

    def _whole_kernel(self, node: Node) -> None:
        size = work_size(node)
        work = self.b.byte_pointer("%scratch", self.scratch.take(size)) if size else None
        arguments = [self.whole(arg) for arg in node.args]
        call_kernel(self.b, node, arguments, self.pointer(node), work)

    def _matrix_vector(self, node: Node) -> None:
        matrix = self.plan.matrix(node)
        left, right = self.plan.kernel_operands(node)
        sizes = [("i64", str(size)) for size in left.shape]
        pointers = [self.whole(left), self.whole(right), self.pointer(node)]
        name = "finetti_vecmat" if matrix is not None and matrix[1] else "finetti_matvec"
        self.b.call_effect(name, sizes + [("ptr", p) for p in pointers])

    def whole(self, arg: Node) -> str:
        """The address of an array whose elements lie one after another."""
        source, start = self.plan.plain(arg)
        if source.type.size == 1 and source not in self.memory and source.op is not const:
            self.b.store(self.number(source), self.pointer(source))
        return self.pointer(source, start)

    # -- loops

    def _loop(self, loop: Loop) -> None:
        if loop.length == 0:
            self._empty(loop.sinks)
            return
        for sink in loop.sinks:
            if sink.node.type.size > 1 and sink.matrix is None:
                self._clear(sink)
        way = grouping(self, loop)
        if way is not None:
            self._run(GroupedBody(self, way, self._outline()), loop.sinks, [])
            if loop.stores:
                self._run(PlainBody(self, loop.length, self._outline()), [], loop.stores)
            return
        body = StraightBody if straight(loop.length) else PlainBody
        if has_wide_products(self, loop.roots, loop.sinks):
            body = BlockedBody
        self._run(body(self, loop.length, self._outline()), loop.sinks, loop.stores)

    def _outline(self) -> Outline | None:
        return Outline(self.b) if self.outline else None

    def _run(self, body: LoopBody, sinks: list[Sink], stores: list[Store]) -> None:
        edges = bounds(self, body, sinks, stores) if self.cuts else []
        if edges:
            self.is_cut = True
            emit_chunks(self, body, sinks, stores, edges)
            return
        self.walk_rows(body, sinks, stores)
        if body.outline is None:
            for sink, result in body.results():
                self.scalars[sink.node] = self._truth(sink.node, result)
            return
        results = body.results()
        start = self.scratch.take(len(results)) if results else 0
        body.outline.call(self.loops, [value for _, value in results], "%scratch", start)
        for i, (sink, _) in enumerate(results):
            self.slots[sink.node] = start + 8 * i

    def keep(self, sink: Sink, result: str) -> None:
        """Have the double that a loop accumulated, also for parts that follow."""
        if self.outline:
            start = self.slots[sink.node] = self.scratch.take(1)
            self.b.store(result, self.b.byte_pointer("%scratch", start))
        else:
            self.scalars[sink.node] = self._truth(sink.node, result)

    def walk_rows(self, body: LoopBody, sinks: list[Sink], stores: list[Store]) -> None:
        """The code of a loop."""
        roots = [sink.value for sink in sinks] + [store.value for store in stores]
        body.prepare(roots)
        body.open(sinks)
        values = [body.read(root) for root in roots]
        body.accumulate(sinks, values[: len(sinks)])
        for store, value in zip(stores, values[len(sinks) :], strict=True):
            body.store(store, value)
        body.close()

    def _truth(self, node: Node, value: str) -> str:
        return self.b.fcmp("une", value, 0.0) if node.type.dtype == BOOL else value

    def _empty(self, sinks: list[Sink]) -> None:
        for sink in sinks:
            if sink.node.type.size == 1:
                value = self.b.const(IDENTITY[sink.combine])
                self.scalars[sink.node] = self._truth(sink.node, value)
            else:
                self._clear(sink)

    def _clear(self, sink: Sink) -> None:
        """Fill the bins with what changes nothing."""
        size = sink.node.type.size
        start = IDENTITY[sink.combine]
        pointer = self.pointer(sink.node)
        if start == 0.0:
            self.b.clear(pointer, 8 * size)
            return
        filled = self.constant(("fill", size, start), np.full(size, start))
        self.b.declare("llvm.memcpy.p0.p0.i64", "void", ["ptr", "ptr", "i64", "i1"])
        source = self.b.byte_pointer("%constants", filled)
        self.b.effect(
            f"call void @llvm.memcpy.p0.p0.i64(ptr align 8 {pointer}, ptr align 8 {source}, "
            f"i64 {8 * size}, i1 false)"
        )
