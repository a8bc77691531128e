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

# From so many alike loops on they are functions: fewer would not win back the calls.
ALIKE = 4
# From so many scalar operations on the caller takes longer to optimise than it could ever save.
SCALARS = 200
# Callers of more lines than this are compiled fast; shorter ones well.
QUICK_LINES = 300


def worthwhile(plan: Plan) -> bool:
    """Whether the loops of a plan are to become functions."""
    scalars = sum(node.type.size == 1 for node in plan.order)
    alike = Counter(_looks(plan, loop) for loop in plan.loops.values())
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
        self._arguments: dict[tuple[str, str | int], tuple[str, str]] = {}
        self._values: list[tuple[str, str, str | int]] = []

    def scalar(self, kind: str, value: str) -> str:
        """A value of the caller, under the name that it has here."""
        return self._argument(kind, value, "")

    def pointer(self, base: str, offset: int) -> str:
        """An address `offset` bytes behind a pointer of the caller."""
        return self._argument("ptr", base, offset)

    def _argument(self, kind: str, base: str, offset: str | int) -> str:
        found = self._arguments.get((base, offset))
        if found is None or found[0] != kind:
            found = kind, f"%arg{len(self._values)}"
            self._arguments[base, offset] = found
            self._values.append((kind, base, offset))
        return found[1]

    def call(self, names: dict[str, str], results: list[str], slots: tuple[str, int]) -> list[str]:
        """End the function, call it, and read its results from memory.

        Parameters
        ----------
        names : dict of str to str
            Functions of this module by text; this one is added unless its like is there.
        results : list of str
            Doubles that the function computed.
        slots : (str, int)
            Where the results are left: a pointer of the caller and an offset in bytes.

        Returns
        -------
        list of str
            The results, in the caller.
        """
        if results:
            target = self.pointer(*slots)
            for i, result in enumerate(results):
                self.b.store(result, self.b.byte_pointer(target, 8 * i))
        self.b.ret("void")
        kinds = ", ".join(f"{kind} %arg{i}" for i, (kind, _, _) in enumerate(self._values))
        text = self.b.body(f"({kinds}) nounwind")
        symbol = names.get(text)
        if symbol is None:
            symbol = names[text] = f"finetti_loop{len(names)}"
            self.caller.functions[symbol] = f"define internal void @{symbol}{text}"
        caller = self.caller
        passed = ", ".join(f"{kind} {self._passed(base, at)}" for kind, base, at in self._values)
        caller.effect(f"call void @{symbol}({passed})")
        base, offset = slots
        places = (caller.byte_pointer(base, offset + 8 * i) for i in range(len(results)))
        return [caller.load(place) for place in places]

    def _passed(self, base: str, offset: str | int) -> str:
        return self.caller.byte_pointer(base, offset) if isinstance(offset, int) else base
