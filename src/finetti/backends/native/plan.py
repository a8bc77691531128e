"""What is computed where: stages, fused loops, and what lives in memory.

A stage is a round of loops between reductions. In stage s the scalars and kernels that are ready
come first, then one loop for each length, which holds every reduction, every stored array and
every output of that length (``research``: fusion by stage and iteration space). An array that a
later stage needs is computed again when that is cheap, else stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from finetti.backends.native.kernels import KERNELS
from finetti.backends.native.layout import BLOCK_ROWS
from finetti.backends.native.separate import separate
from finetti.errors import NotYetSupported
from finetti.ir import OPS, Node, topological
from finetti.ir.node import constant_data, make
from finetti.ir.ops.leaf import const
from finetti.ir.ops.parts import is_result
from finetti.passes.costs import own_cost

_RECOMPUTE_LIMIT = 12
# Matrices up to this many columns are multiplied inside the loop over their rows, written out;
FUSED_COLUMNS = 16
# up to this many a block of rows at a time.
BLOCKED_COLUMNS = 512
_KERNELS = {"scan", "parts", "blackbox", *KERNELS}
_MOVEMENT = {"index", "transpose", "broadcast_to", "piece"}
_COMBINE = {"sum": "add", "sum_log": "log", "sum_log1p": "log1p",
            "sum_log1p_any": "log1p_any", "prod": "multiply", "max": "max",
            "any": "max", "min": "min", "all": "min"}  # fmt: skip
_REDUCTIONS = set(_COMBINE)


class Table:
    """Positions in a source array, one for each element of a result."""

    __slots__ = ("positions", "key", "start")

    def __init__(self, positions: np.ndarray):
        self.positions = np.ascontiguousarray(positions.ravel(), np.int32)
        self.key = (self.positions.size, self.positions.tobytes())
        first = int(self.positions[0]) if self.positions.size else 0
        contiguous = (np.diff(self.positions) == 1).all()
        # A run of neighbours is read as it lies, without a table.
        self.start: int | None = first if contiguous else None

    def after(self, inner: Table | None) -> Table:
        """The table of reading through `self` what was read through `inner`."""
        return self if inner is None else Table(inner.positions[self.positions])


class Ref(NamedTuple):
    """How an operand is reached: an array, perhaps through a table of positions."""

    node: Node
    table: Table | None = None


@dataclass
class Sink:
    """A result that a loop accumulates: a scalar, bins, or a row of dot products."""

    node: Node
    value: Ref
    combine: str
    bins: Table | None = None
    matrix: Node | None = None


@dataclass
class Loop:
    """Everything computed in one pass over `length` elements in one stage."""

    length: int
    sinks: list[Sink] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)

    @property
    def roots(self) -> list[Ref]:
        """The values that the loop body computes."""
        return [sink.value for sink in self.sinks] + [store.value for store in self.stores]


@dataclass
class Store:
    """Elements written to an array: one after another, or at positions."""

    value: Ref
    target: Node | int
    start: int = 0
    positions: Table | None = None


class Plan:
    """The stages of a graph.

    Parameters
    ----------
    outputs : sequence of (Node, int)
        Nodes with the place, in doubles, where each starts in the output array.
    scalar : Node, optional
        A scalar returned apart: the log density.
    """

    def __init__(self, outputs: Sequence[tuple[Node, int]], scalar: Node | None = None):
        self.outputs = list(outputs)
        self.scalar = scalar
        roots = [node for node, _ in outputs] + ([scalar] if scalar is not None else [])
        self.order = topological(roots)
        self.refs: dict[Node, Ref] = {}
        self.level: dict[Node, int] = {}
        self.cost: dict[Node, int] = {}
        self.loops: dict[tuple[int, int], Loop] = {}
        self.kernels: dict[int, list[Node]] = {}
        self.stored: dict[Node, int] = {}
        self.copied: set[Node] = set()
        # Arrays that are accumulated straight in the output: node -> where it starts there.
        self.direct: dict[Node, int] = {}
        # Arrays that a later comparison must find again bit by bit: never computed twice.
        self.exact: set[Node] = set()
        self._operands: dict[Node, list[Ref]] = {}
        self._visited: set[tuple[Node, int]] = set()
        self._pending: list[tuple[Ref, int]] = []
        for node in self.order:
            self._rank(node)
        for node in self.order:
            self._place(node)
            self._settle()
        for node, start in self.outputs:
            self._output(node, start)
        self._settle()

    # -- reading

    def ref(self, node: Node) -> Ref:
        """Where the elements of `node` come from, through reshapes and movements."""
        found = self.refs.get(node)
        if found is None:
            found = self.refs[node] = self._resolve(node)
        return found

    def _resolve(self, node: Node) -> Ref:
        if node.op.name == "reshape":
            return self.ref(node.args[0])
        if node.op.name not in _MOVEMENT or is_result(node):
            return Ref(node)
        indices = node.args[1:]
        if any(index.op is not const for index in indices):
            raise NotYetSupported(
                "an index that depends on random variables: discrete latent variables come with "
                "the step methods"
            )
        source = node.args[0]
        if source.type.size == 1 and node.type.size:
            return Ref(source)
        flat = np.arange(source.type.size).reshape(source.shape)
        positions = node.op.evaluate((flat, *(i.attrs[0].value for i in indices)), node.attrs)
        return self._through(self.ref(source), Table(np.asarray(positions)))

    def _through(self, inner: Ref, table: Table) -> Ref:
        if inner.node.type.size == 1:
            return Ref(inner.node)
        table = table.after(inner.table)
        if inner.node.op is const:
            array = inner.node.attrs[0].value.ravel()[table.positions]
            made = make(const, (), (constant_data(array),))
            self.level[made], self.cost[made] = 0, 0
            return Ref(made)
        whole = table.start == 0 and table.positions.size == inner.node.type.size
        return Ref(inner.node, None if whole else table)

    def operand(self, user: Node, arg: Node) -> Ref:
        """An argument of an elementwise node, stretched to the node's shape."""
        if arg.type.size == 1:
            return Ref(arg)  # a scalar, whatever array it is an element of
        if arg.type.size == user.type.size:
            return self.ref(arg)
        flat = np.broadcast_to(np.arange(arg.type.size).reshape(arg.shape), user.shape)
        return self._through(self.ref(arg), Table(flat))

    def operands(self, node: Node) -> list[Ref]:
        """Where an elementwise node reads its arguments."""
        found = self._operands.get(node)
        if found is None:
            found = self._operands[node] = [self.operand(node, arg) for arg in node.args]
        return found

    def in_memory(self, node: Node) -> bool:
        """Whether the whole array is in memory by its own nature."""
        name = node.op.name
        return name in ("input", "const", "index_add", "concatenate") or name in _KERNELS and (
            not self.fused_product(node)
        ) or (name in _REDUCTIONS and node.type.size > 1) or is_result(node)  # fmt: skip

    def fused_product(self, node: Node) -> bool:
        """Whether a matrix product is computed inside the loop over the rows."""
        return self._product(node) == "rows"

    def _product(self, node: Node) -> str | None:
        if node.op.name != "matmul" or len(node.shape) != 2 or node.shape[1] != 1:
            return None
        matrix = self.matrix(node)
        if matrix is None or node.args[1].op is const:
            return None
        rows, columns = node.args[0].shape
        if columns <= FUSED_COLUMNS:
            return "rows" if rows > 1 else None
        if rows <= FUSED_COLUMNS:
            return "columns"
        # As it is stored, so that both products with one matrix are made in one loop.
        fits = {
            "rows": columns <= BLOCKED_COLUMNS and rows >= BLOCK_ROWS,
            "columns": rows <= BLOCKED_COLUMNS and columns >= BLOCK_ROWS,
        }
        order = ("columns", "rows") if matrix[1] else ("rows", "columns")
        return next((way for way in order if fits[way]), None)

    def wide_product(self, node: Node) -> bool:
        """Whether a product inside of a loop has more columns than are written out."""
        return min(node.args[0].shape) > FUSED_COLUMNS

    def plain(self, arg: Node) -> tuple[Node, int]:
        """The array in which the elements of `arg` lie one after another, and where they begin."""
        ref = self.ref(arg)
        start = 0 if ref.table is None or ref.table.start is None else ref.table.start
        return (ref.node if self.lies_plain(arg) else arg), start

    def kernel_operands(self, node: Node) -> tuple[Node, ...]:
        """The arrays that a kernel reads: a transposed constant matrix as it is stored."""
        if node.op.name == "matmul" and len(node.shape) == 2 and node.shape[1] == 1:
            matrix = self.matrix(node)
            if matrix is not None:
                return matrix[0], node.args[1]
        return node.args

    def matrix(self, node: Node) -> tuple[Node, bool] | None:
        """The constant matrix of a product, and whether it stands transposed."""
        left = node.args[0]
        if left.op.name == "transpose" and left.args[0].op is const:
            return left.args[0], True
        return (left, False) if left.op is const else None

    # -- ranking

    def _rank(self, node: Node) -> None:
        name = node.op.name
        if name in ("input", "const") or name == "transpose" and node.args[0].op is const:
            # A transposed matrix is read as it is stored, so its positions are not worked out.
            self.level[node], self.cost[node] = 0, 0
        elif is_result(node):
            self.level[node], self.cost[node] = self.level[node.args[0]], 0
        elif name == "reshape" or name in _MOVEMENT:
            self._rank_moved(node)
        elif name in _REDUCTIONS or name == "index_add" or self._product(node) == "columns":
            inner = node.args[1] if name == "matmul" else node.args[0]
            self.level[node] = self._loop_level(self.ref(inner)) + 1
            self.cost[node] = 0
        elif self.fused_product(node):
            wide, vector = self.wide_product(node), node.args[1]
            level = self._read_level(vector) if wide else self._memory_level(self.ref(vector).node)
            self.level[node] = level
            self.cost[node] = 2 * node.args[0].shape[1]
        elif name in _KERNELS:
            self.level[node] = max(self._read_level(arg) for arg in self.kernel_operands(node))
            self.cost[node] = 0
        elif name == "concatenate":
            self.level[node] = max(self._part_level(arg) for arg in node.args)
            self.cost[node] = 0
        elif node.op.family == "elementwise":
            refs = self.operands(node)
            self.level[node] = max(self._loop_level(ref) for ref in refs)
            self.cost[node] = own_cost(node) + sum(
                self.cost[ref.node] + (3 if ref.table is not None else 0)
                for ref in refs if ref.node.type.size > 1 and not self.in_memory(ref.node)
            )  # fmt: skip
        else:
            raise NotYetSupported(f"{name} has no native code yet")

    def _rank_moved(self, node: Node) -> None:
        ref = self.ref(node)
        self.level[node] = self._loop_level(ref)
        self.cost[node] = self.cost[ref.node] if ref.table is None else 3

    def _loop_level(self, ref: Ref) -> int:
        """The first stage whose loops can read `ref`."""
        if ref.table is None:
            return self.level[ref.node]
        return self._memory_level(ref.node)

    def _memory_level(self, node: Node) -> int:
        """The first stage in which the whole of `node` can be in memory."""
        return self.level[node] + (0 if self.in_memory(node) or node.type.size == 1 else 1)

    def _read_level(self, arg: Node) -> int:
        """The first stage whose kernels can read `arg` from memory, one after another."""
        level = self._memory_level(self.ref(arg).node)
        return level if self.lies_plain(arg) else level + 1

    def _part_level(self, arg: Node) -> int:
        return self.level[arg] + (0 if arg.type.size == 1 else 1)

    # -- placing

    def loop(self, stage: int, length: int) -> Loop:
        """The loop of a stage and length, made on first use."""
        return self.loops.setdefault((stage, length), Loop(length))

    def _place(self, node: Node) -> None:
        name = node.op.name
        stage = self.level[node]
        if name in _REDUCTIONS:
            self._place_reduction(node)
        elif name == "index_add":
            self._sink(Sink(node, self.ref(node.args[0]), "add", bins=self._bins(node)))
        elif self._product(node) == "columns":
            self._sink(Sink(node, self.ref(node.args[1]), "add", matrix=node))
        elif self.fused_product(node):
            if self.wide_product(node):
                self._need_plain(node.args[1])
            else:
                self.need_memory(self.ref(node.args[1]).node)
        elif name in _KERNELS:
            self.kernels.setdefault(stage, []).append(node)
            for arg in self.kernel_operands(node):
                self._need_plain(arg)
        elif name == "concatenate":
            self.kernels.setdefault(stage, []).append(node)
            self._place_join(node)
        if node.type.size == 1:
            self._need_element(node)

    def _need_element(self, node: Node) -> None:
        """An array of which a scalar is one element must be in memory."""
        ref = self.ref(node)
        if ref.table is not None:
            self.need_memory(ref.node)

    def _place_reduction(self, node: Node) -> None:
        axes = node.attrs[0]
        arg = node.args[0]
        bins = None
        if node.type.size > 1:
            kept = np.arange(node.type.size).reshape(
                tuple(1 if a in axes else n for a, n in enumerate(arg.shape))
            )
            bins = Table(np.broadcast_to(kept, arg.shape))
        combine = _COMBINE[node.op.name]
        ref = self.ref(arg)
        if combine in ("max", "min"):
            # The gradient looks for the extreme among the elements.
            self.exact.add(ref.node)
        self._sink(Sink(node, ref, combine, bins=bins))

    def _bins(self, node: Node) -> Table:
        indices = tuple(index.attrs[0].value for index in node.args[1:])
        flat = np.arange(node.type.size).reshape(node.shape)
        positions = OPS["index"].evaluate((flat, *indices), (node.attrs[1],))
        return Table(np.broadcast_to(positions, node.args[0].shape))

    def _sink(self, sink: Sink) -> None:
        stage = self.level[sink.node] - 1
        length = sink.node.args[1 if sink.matrix is not None else 0].type.size
        self.loop(stage, length).sinks.append(sink)
        self._use(sink.value, stage)

    def _place_join(self, node: Node) -> None:
        (axis,) = node.attrs
        places = np.arange(node.type.size).reshape(node.shape)
        start = 0
        for arg in node.args:
            part = places[(slice(None),) * axis + (slice(start, start + arg.shape[axis]),)]
            start += arg.shape[axis]
            if arg.type.size == 1:
                self._need_element(arg)
                continue
            self._store(arg, node, Table(part))

    def join_scalars(self, node: Node) -> list[tuple[Node, int]]:
        """The parts of a concatenation that are single numbers, with their places."""
        (axis,) = node.attrs
        places = np.arange(node.type.size).reshape(node.shape)
        result, start = [], 0
        for arg in node.args:
            part = places[(slice(None),) * axis + (slice(start, start + arg.shape[axis]),)]
            start += arg.shape[axis]
            if arg.type.size == 1:
                result.append((arg, int(part.ravel()[0])))
        return result

    def _store(self, arg: Node, target: Node | int, places: Table, offset: int = 0) -> None:
        ref = self.ref(arg)
        stage = self._loop_level(ref)
        start = places.start
        loop = self.loop(stage, arg.type.size)
        if start is not None:
            loop.stores.append(Store(ref, target, offset + start))
        else:
            loop.stores.append(Store(ref, target, offset, places))
        self._use(ref, stage)

    def need_memory(self, node: Node) -> None:
        """Have an array stored by the loop that computes it, unless it is in memory anyway."""
        if self.in_memory(node) or node.type.size == 1 or node in self.stored:
            return
        stage = self.level[node]
        self.stored[node] = stage
        self.loop(stage, node.type.size).stores.append(Store(Ref(node), node))
        self._use(Ref(node), stage)

    def lies_plain(self, arg: Node) -> bool:
        """Whether the elements of `arg` lie one after another where they come from."""
        ref = self.ref(arg)
        if ref.table is None:
            return ref.node.type.size == arg.type.size
        return ref.table.start is not None

    def _need_plain(self, arg: Node) -> None:
        """Kernels read whole arrays, so what is reached through a table is copied first."""
        ref = self.ref(arg)
        if self.lies_plain(arg):
            self.need_memory(ref.node)
        elif arg not in self.copied:
            stage = self._loop_level(ref)
            self.copied.add(arg)
            self.loop(stage, arg.type.size).stores.append(Store(ref, arg))
            self._use(ref, stage)

    def _output(self, node: Node, start: int) -> None:
        if node.type.size == 1:
            self._need_element(node)
            return
        ref = self.ref(node)
        own = self.in_memory(ref.node) and ref.node.op.family != "leaf"
        whole = ref.table is None and ref.node.type.size == node.type.size
        if own and whole and ref.node not in self.direct:
            self.direct[ref.node] = start
            return
        self._store(node, -1, Table(np.arange(node.type.size)), start)

    def _use(self, ref: Ref, stage: int) -> None:
        """Note that a loop of `stage` computes or reads `ref`."""
        self._pending.append((ref, stage))

    def _settle(self) -> None:
        """Walk what loops compute; store what came earlier and is dear."""
        while self._pending:
            ref, stage = self._pending.pop()
            node = ref.node
            if node.type.size == 1 or self.in_memory(node):
                continue
            if ref.table is not None:
                self.need_memory(node)
                continue
            if (node, stage) in self._visited or self.stored.get(node, stage) < stage:
                continue
            self._visited.add((node, stage))
            dear = self.cost[node] > _RECOMPUTE_LIMIT or node in self.exact
            if self.level[node] < stage and dear:
                self.need_memory(node)
            elif not self.fused_product(node):
                self._pending += [(inner, stage) for inner in self.operands(node)]

    @property
    def computed(self) -> list[tuple[Node, int]]:
        """Arrays that loops compute, with the stage of the loop."""
        return [pair for pair in self._visited if pair[0].op.family == "elementwise"]

    def stages(self) -> Iterator[tuple[list[Node], list[Loop]]]:
        """The kernels and the loops of each stage in order."""
        loops: dict[int, list[Loop]] = {}
        for (stage, _), loop in sorted(self.loops.items()):
            loops.setdefault(stage, []).extend(separate(self, loop))
        for stage in sorted({*self.kernels, *loops}):
            yield self.kernels.get(stage, []), loops.get(stage, [])


def describe(plan: Plan) -> str:
    """The plan as text: the loops of each stage and what is fused into them."""
    lines: list[str] = []
    for stage, (kernels, loops) in enumerate(plan.stages()):
        lines += [f"stage {stage}: kernel {kernel!r}" for kernel in kernels]
        for loop in loops:
            sinks = ", ".join(f"{s.combine} {s.node!r}" for s in loop.sinks)
            stores = ", ".join(f"{s.value.node!r}" for s in loop.stores)
            lines.append(f"stage {stage}: loop over {loop.length}: [{sinks}] stores [{stores}]")
    return "\n".join(lines)
