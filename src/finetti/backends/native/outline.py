"""Loop bodies as functions of their own, so that equal ones are compiled once.

In a model of many alike parts most of the time to compile goes into loops that differ only in where
they read and write. Such a plan has each loop emitted as a function to which addresses, lengths and
scalars are passed; what is left of the caller is scalar code that runs once, for which LLVM's fast
instruction selection will do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from finetti.backends.native.builder import Builder
from finetti.backends.native.plan import Loop, Plan
from finetti.ir import Node

# From so many alike loops on they are functions: fewer would not win back the calls.
ALIKE = 4
# From so many scalar operations on the caller takes longer to optimise than it could ever save.
SCALARS = 200
# Functions of scalar code end after so many lines: LLVM's time a line grows with their number.
PART_LINES = 300


def worthwhile(plan: Plan, stages: list[tuple[list[Node], list[Loop]]]) -> bool:
    """Whether the loops of a plan are to become functions."""
    scalars = sum(node.type.size == 1 for node in plan.order)
    alike = Counter(_looks(plan, loop) for _, loops in stages for loop in loops)
    return scalars >= SCALARS or max(alike.values(), default=0) >= ALIKE


def _looks(plan: Plan, loop: Loop) -> Hashable:
    """What loops of equal code have in common, quickly found; their text decides."""
    sinks = [(sink.combine, sink.value.node) for sink in loop.sinks]
    roots = sinks + [("store", store.value.node) for store in loop.stores]
    return tuple((what, node.op.name, plan.cost.get(node)) for what, node in roots)


class Outline:
    """A function that takes from its caller whatever distinguishes it from its likes.

    Parameters
    ----------
    caller : Builder
        Computes the arguments and calls.

    Attributes
    ----------
    b : Builder
        Writes the function's body.
    """

    def __init__(self, caller: Builder) -> None:
        self.caller = caller
        self.b = caller.child()
        self.b.fuse(False)
        self._arguments: dict[tuple[str, ...], str] = {}  # by type and value in the caller
        self._pointers: dict[tuple[str, int], str] = {}
        self._first: list[str] = []

    def scalar(self, kind: str, value: str) -> str:
        """A value of the caller, under the name that it has here."""
        name = self._arguments.get((kind, value))
        if name is None:
            name = self._arguments[kind, value] = f"%arg{len(self._arguments)}"
        return name

    def number(self, number: int) -> str | int:
        """A number that other loops of the same code may have otherwise."""
        return self.scalar("i64", str(number))

    def pointer(self, base: str, offset: int) -> str:
        """An address `offset` bytes behind a pointer of the caller."""
        name = self._pointers.get((base, offset))
        if name is None:
            name = self._pointers[base, offset] = f"%at{len(self._pointers)}"
            # The offset belongs to this pointer alone: other loops have others.
            behind = self._arguments["i64", f"{offset}", base] = f"%arg{len(self._arguments)}"
            whole = self.scalar("ptr", base)
            self._first.append(f"  {name} = getelementptr i8, ptr {whole}, i64 {behind}")
        return name

    def call(self, known: dict[str, str], results: list[str], base: str, offset: int) -> None:
        """End the function and call it.

        Parameters
        ----------
        known : dict of str to str
            Functions of this module by text; this one is added unless its like is there.
        results : list of str
            Doubles that the function computed.
        base, offset : str, int
            Where it leaves the results: a pointer of the caller and a number of bytes.
        """
        if results:
            target = self.pointer(base, offset)
            for i, result in enumerate(results):
                self.b.store(result, self.b.byte_pointer(target, 8 * i))
        self.b.ret("void")
        kinds = ", ".join(f"{kind} {name}" for (kind, *_), name in self._arguments.items())
        self.b.lines[:0] = self._first
        text = self.b.body(f"({kinds}) nounwind")
        symbol = known.get(text)
        if symbol is None:
            symbol = known[text] = f"finetti_loop{len(known)}"
            self.caller.functions[symbol] = f"define internal void @{symbol}{text}"
        passed = ", ".join(f"{kind} {value}" for kind, value, *_ in self._arguments)
        self.caller.effect(f"call void @{symbol}({passed})")
